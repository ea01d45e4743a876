/** Where a schema came from, as the command line says it: for the lines of a run, and to repeat it. */
import { unreachable } from '../base/errors.ts';
import { type TableName, OWN_SCHEMA, formatTable } from '../base/sql.ts';
import type { TableSchema } from '../rows/schema.ts';
import type { Given, SettingReader } from './setting-reader.ts';
import type { DraftPlan, RunPlan, SchemaSource, TablePlan } from './run-plan.ts';

/** The preset of a run that names no schema. */
export const DEFAULT_PRESET = 'records';

/** The setting that names the source, and its value: `preset`, `records`. */
export function sourceSetting(source: SchemaSource): readonly [name: string, value: string] {
  switch (source.kind) {
    case 'preset':
      return ['preset', source.name];
    case 'file':
      return ['schema', source.path];
    case 'ddl':
      return ['ddl', source.path];
    case 'like':
      return ['like', formatTable(source.table)];
    default:
      return unreachable(source);
  }
}

/** The flags that name the source again; none for the default. */
export function sourceFlags(source: SchemaSource): string[] {
  if (source.kind === 'preset' && source.name === DEFAULT_PRESET) return [];
  const [name, value] = sourceSetting(source);
  const more = source.kind === 'like' ? { '--shape': source.shape, '--copy-values': source.copyValues } : {};
  return [`--${name}`, value, ...Object.entries(more).flatMap(([flag, isGiven]) => (isGiven ? [flag] : []))];
}

/** Says which of the settings about a table's distribution stand without what they are about. */
export function checkShape(reader: SettingReader, isLike: boolean): void {
  const hasShape = reader.switch('shape', false);
  if (hasShape && !isLike) reader.problems.push('--shape: expected only together with --like');
  if (reader.switch('copy-values', false) && !hasShape)
    reader.problems.push('--copy-values: expected only together with --shape');
}

/** A further table as `--also` takes it: `metrics=2`, `orders.yaml@doc.orders=0.5`. */
export function alsoFlag({ source, name, weight }: TablePlan): string {
  const [, value] = sourceSetting(source);
  const isUsual = source.kind === 'preset' && name.schema === OWN_SCHEMA && name.table === source.name;
  return `${value}${isUsual ? '' : `@${formatTable(name)}`}${weight === 1 ? '' : `=${weight}`}`;
}

/** The plan, complete with what its source came to. */
export function withSchema(draft: DraftPlan, schema: TableSchema): RunPlan {
  return { ...draft, table: { ...draft.table, schema } };
}

/** What a schema file came to. Its problems name the file, line and column. */
export type ResolvedSchema =
  | {
      readonly ok: true;
      readonly schema: TableSchema;
      /** The target that the file suggests. */
      readonly table: TableName;
      /** What a person should know before the first insert. */
      readonly notes?: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A file that says which rows a run makes: a schema file, or one with a CREATE TABLE statement. */
export type NamedFile = Given<string> & { readonly setting: 'schema' | 'ddl' };
