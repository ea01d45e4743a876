/**
 * The further tables of a run: `--also NAME[@SCHEMA.TABLE][=WEIGHT]`, where NAME is a preset, a schema file or a file
 * with a CREATE TABLE statement. They are created as the main table is; only schema, name and weight are their own.
 */
import { type TableName, OWN_SCHEMA, formatTable, parseTableName } from '../base/sql.ts';
import { printable } from '../base/text.ts';
import { PRESET_NAMES, presetSchema } from '../rows/presets.ts';
import type { ConfigFile } from './config-file.ts';

import type { RunPlan, SchemaSource, TablePlan } from './run-plan.ts';
import type { NamedFile, ResolvedSchema } from './schema-source.ts';
import { type Given, SettingReader, quoted } from './setting-reader.ts';
import type { RawSettings } from './settings.ts';
import { MAX_PERIOD, mixOf, wholeWeights } from './table-mix.ts';

/** Each table costs every worker a generator and a buffer for each request slot. */
const MAX_TABLES = 16;
const ACCEPTED =
  'expected a preset, or a file .yaml, .json or .sql, then @SCHEMA.TABLE and =WEIGHT where wanted, as metrics=3 or orders.yaml@doc.orders=0.5';
const ACCEPTED_WEIGHT = 'expected a number above 0 with at most three decimals, as 3 or 0.5, up to 10000';

/** What one `--also` says, taken apart. */
interface AlsoTable {
  readonly source: Extract<SchemaSource, { readonly kind: 'preset' | 'file' | 'ddl' }>;
  readonly table: string | null;
  readonly weight: string | null;
}

/** `orders.yaml@doc.orders=0.5`; null for what is neither a preset nor a file. The first @ behind a name counts. */
export function parseAlso(text: string): AlsoTable | null {
  const [, rest = '', weight = null] = /^(.+?)(?:=([\d.]+))?$/s.exec(text.trim()) ?? [];
  for (let at = rest.indexOf('@'); at >= 0; at = rest.indexOf('@', at + 1)) {
    const source = sourceOf(rest.slice(0, at));
    if (source !== null) return { source, table: rest.slice(at + 1), weight };
  }
  const source = sourceOf(rest);
  return source === null ? null : { source, table: null, weight };
}

function sourceOf(name: string): AlsoTable['source'] | null {
  if (presetSchema(name) !== null) return { kind: 'preset', name };
  if (/\.sql$/i.test(name)) return { kind: 'ddl', path: name };
  return /\.(ya?ml|json)$/i.test(name) ? { kind: 'file', path: name } : null;
}

/** Above 0, at most three decimals; null for anything else. */
export function parseWeight(text: string): number | null {
  const weight = /^\d{1,5}(\.\d{1,3})?$/.test(text.trim()) ? Number(text) : 0;
  return weight > 0 && weight <= MAX_PERIOD ? weight : null;
}

/** The files that have to be read before the plan is parsed. */
export function alsoFiles(flags: RawSettings, config: ConfigFile | null): readonly NamedFile[] {
  return new SettingReader(flags, config).list('also').flatMap((given): NamedFile[] => {
    const source = parseAlso(given.value)?.source;
    if (source === undefined || source.kind === 'preset') return [];
    return [{ ...given, value: source.path, setting: source.kind === 'ddl' ? 'ddl' : 'schema' }];
  });
}

/** The weight of the main table. */
export function readWeight(reader: SettingReader): number {
  const given = reader.text('weight');
  if (given !== null && reader.list('also').length === 0)
    reader.problem(given, 'expected only together with --also');
  return reader.parsed('weight', parseWeight, ACCEPTED_WEIGHT, 1);
}

type MainTable = Omit<TablePlan, 'schema' | 'source'>;

/** All further tables; what is wrong with them is among the reader's problems. `files`: by the path as written. */
export function readAlso(
  reader: SettingReader,
  files: ReadonlyMap<string, ResolvedSchema>,
  main: MainTable,
): readonly TablePlan[] {
  const given = reader.list('also');
  if (given.length === 0) return [];
  if (given.length >= MAX_TABLES)
    reader.problems.push(`--also: expected at most ${MAX_TABLES} tables in one run, the main one included`);
  if (reader.isSpelledOut('machine'))
    reader.problems.push(
      '--machine: expected without --also: machines tell their rows apart by number, and each table has its own numbers',
    );
  const also = given.slice(0, MAX_TABLES).flatMap((one) => readOne(reader, files, main, one));
  checkNames(reader, [main, ...also]);
  checkPeriod(reader, [main, ...also]);
  return also;
}

function readOne(
  reader: SettingReader,
  files: ReadonlyMap<string, ResolvedSchema>,
  main: MainTable,
  given: Given<string>,
): TablePlan[] {
  const parsed = parseAlso(given.value);
  if (parsed === null) {
    reader.problem(given, `${ACCEPTED}; presets are ${PRESET_NAMES.join(', ')}`);
    return [];
  }
  const { source } = parsed;
  const weight = parsed.weight === null ? 1 : parseWeight(parsed.weight);
  // What stands before the @ is a preset or a file here, not credentials to be hidden.
  const problem = (why: string): void => {
    reader.problems.push(`${given.name} "${printable(given.value, 80)}": ${why}`);
  };
  if (weight === null) problem(ACCEPTED_WEIGHT);
  const spelled = parsed.table === null ? null : parseTableName(parsed.table);
  if (spelled?.ok === false) problem(spelled.why);
  const found = source.kind === 'preset' ? presetAsFile(source.name) : (files.get(source.path) ?? null);
  if (found?.ok === false) reader.problems.push(...found.problems);
  if (found?.ok !== true || weight === null) return [];
  const name = spelled?.ok === true ? spelled.name : found.table;
  if (main.recreate && name.schema !== OWN_SCHEMA)
    problem(`expected a table in the schema ${OWN_SCHEMA}: --recreate would drop ${formatTable(name)}`);
  return [{ ...main, name, source, schema: found.schema, weight }];
}

function presetAsFile(name: string): ResolvedSchema | null {
  const schema = presetSchema(name);
  return schema === null ? null : { ok: true, schema, table: { schema: OWN_SCHEMA, table: name } };
}

function checkNames(reader: SettingReader, tables: readonly { readonly name: TableName }[]): void {
  const names = tables.map(({ name }) => formatTable(name));
  for (const twice of new Set(names.filter((name, position) => names.indexOf(name) !== position)))
    reader.problems.push(
      `--also: ${quoted(twice)} is named twice; expected one table each, as --also NAME@SCHEMA.TABLE says`,
    );
}

function checkPeriod(reader: SettingReader, tables: readonly { readonly weight: number }[]): void {
  const weights = tables.map(({ weight }) => weight);
  const period = wholeWeights(weights).reduce((sum, weight) => sum + weight, 0);
  if (period > MAX_PERIOD)
    reader.problems.push(
      `--also: the weights ${weights.join(' : ')} come out even only after ${period} batches; expected at most ${MAX_PERIOD}, so rounder weights`,
    );
}

/** Says so when a run bounded by rows ends before every table had a batch. */
export function warnOfEmptyTables(
  reader: SettingReader,
  { bounds, load }: Pick<RunPlan, 'bounds' | 'load'>,
  tables: readonly Pick<TablePlan, 'name' | 'weight'>[],
): void {
  if (bounds.rows === null || tables.length === 1) return;
  const batches = Math.ceil(bounds.rows / load.batchSize);
  const mix = mixOf(tables);
  const served = new Set<number>();
  for (let batch = 0; batch < Math.min(batches, MAX_PERIOD); batch += 1) served.add(mix.placeOf(batch).table);
  const empty = tables.filter((_, table) => !served.has(table)).map(({ name }) => formatTable(name));
  if (empty.length === 0) return;
  const count = batches === 1 ? '1 batch' : `${batches} batches`;
  reader.warnings.push(
    `the run has only ${count} of ${load.batchSize} rows: ${empty.join(', ')} ${empty.length === 1 ? 'gets' : 'get'} no row; more --rows or a smaller --batch-size would`,
  );
}
