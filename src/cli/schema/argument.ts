/** What the schema commands are about: a preset, a schema file, a table that is there, or a statement in a file. */
import { existsSync } from 'node:fs';
import * as Args from '@oclif/core/args';
import type { FlagInput } from '@oclif/core/interfaces';
import { nearest } from '../../base/nearest.ts';
import { type TableName, OWN_SCHEMA, parseTableName } from '../../base/sql.ts';
import { DEFAULT_NODES } from '../../plan/parse-target.ts';
import type { ChosenBy } from '../../plan/schema-file/schema-file.ts';
import { checkShape } from '../../plan/schema-source.ts';
import { type Given, SettingReader } from '../../plan/setting-reader.ts';
import { RUN_SETTINGS } from '../../plan/settings.ts';
import { PRESET_NAMES, presetSchema } from '../../rows/presets.ts';
import type { TableSchema } from '../../rows/schema.ts';
import type { Arguments } from '../base-command.ts';
import { flagsOf } from '../flags.ts';
import { TARGET_FLAGS, TargetCommand } from '../target-command.ts';

export const SCHEMA_ARGS = {
  schema: Args.string({
    ignoreStdin: true,
    description: `a preset (${PRESET_NAMES.join(', ')}) or a schema file (orders.yaml)`,
  }),
};

/** The settings of a run with these names, and what opens the server that `like` asks. */
export function sourceFlags(...names: readonly ('like' | 'shape' | 'copy-values' | 'ddl')[]): FlagInput {
  const wanted = new Set<string>(names);
  return { ...flagsOf(RUN_SETTINGS.filter(({ name }) => wanted.has(name))), ...TARGET_FLAGS };
}

/** A schema and the table it is for. */
export interface NamedSchema {
  readonly schema: TableSchema;
  /** Where a run would put its rows, unless `--table` says otherwise. */
  readonly table: TableName;
  /** The table that it was taken from; null without one. */
  readonly like: TableName | null;
  /** By the column's path; empty for all but schema files. */
  readonly chosenBy: ReadonlyMap<string, ChosenBy>;
  /** What a person should know before the first insert. */
  readonly notes: readonly string[];
  readonly reader: SettingReader;
}

type Found = Omit<NamedSchema, 'reader'>;

export abstract class SchemaCommand extends TargetCommand {
  /** What names a schema, as the message about none or two of them says it. */
  protected readonly accepted: string = `a preset (${PRESET_NAMES.join(', ')}), a schema file, --like SCHEMA.TABLE or --ddl FILE`;

  /** Throws one UsageError with all problems; `readMore` adds those of the command's own flags. */
  protected async readSchema(
    read: Arguments,
    readMore?: (reader: SettingReader) => void,
  ): Promise<NamedSchema> {
    const reader = new SettingReader(read.flags, null);
    reader.problems.push(...read.problems);
    const [name, like, ddl] = [read.args.get('schema'), reader.text('like'), reader.text('ddl')];
    if ([name ?? null, like, ddl].filter((source) => source !== null).length !== 1)
      reader.problems.push(`expected one of: ${this.accepted}`);
    checkShape(reader, like !== null);
    const given = reader.text('table');
    const table = given === null ? null : parseTableName(given.value);
    if (given !== null && table?.ok === false) reader.problem(given, table.why);
    readMore?.(reader);
    const found = like === null ? await this.#ofFile(name, ddl, reader) : await this.#ofTable(like, reader);
    return { ...found, table: table?.ok === true ? table.name : found.table, reader };
  }

  async #ofFile(name: string | undefined, ddl: Given<string> | null, reader: SettingReader): Promise<Found> {
    const found =
      name !== undefined ? await presetOrFile(name) : ddl === null ? null : await statementIn(ddl);
    if (found?.ok === false) reader.problems.push(...found.problems);
    if (reader.problems.length > 0 || found?.ok !== true) throw this.usageError(reader.problems);
    const { schema, table, chosenBy = new Map(), notes = [] } = found;
    return { schema, table, chosenBy, notes, like: null };
  }

  /** Asks the server; nothing is written to it, except that ANALYZE may collect statistics. */
  async #ofTable(like: Given<string>, reader: SettingReader): Promise<Found> {
    const parsed = parseTableName(like.value);
    if (!parsed.ok) reader.problem(like, parsed.why);
    const { reader: settings } = await this.readSettings();
    settings.problems.push(...reader.problems.filter((problem) => !settings.problems.includes(problem)));
    const access = await this.openTarget(settings, { nodes: DEFAULT_NODES, username: null });
    if (!parsed.ok) throw this.usageError(settings.problems);
    const { schemaOfTable } = await import('../../coordinator/existing-table.ts');
    const [shape, copyValues] = [reader.switch('shape', false), reader.switch('copy-values', false)];
    const source = { kind: 'like', table: parsed.name, shape, copyValues } as const;
    const found = await schemaOfTable({ source, target: null, access, nowMs: Date.now() });
    const table = { schema: OWN_SCHEMA, table: parsed.name.table };
    return { ...found, table, chosenBy: new Map(), like: parsed.name };
  }
}

type ReadSource =
  | {
      readonly ok: true;
      readonly schema: TableSchema;
      readonly table: TableName;
      readonly chosenBy?: ReadonlyMap<string, ChosenBy>;
      readonly notes?: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A preset's name wins; a word near one is most likely that, anything else a file. */
async function presetOrFile(name: string): Promise<ReadSource> {
  const schema = presetSchema(name);
  if (schema !== null) return { ok: true, schema, table: { schema: OWN_SCHEMA, table: schema.name } };
  const near = nearest(name, PRESET_NAMES);
  if (near !== null && !existsSync(name))
    return { ok: false, problems: [`${name}: no such preset; did you mean ${near}?`] };
  if (/^\w+$/.test(name) && !existsSync(name))
    return { ok: false, problems: [`${name}: no such preset (${PRESET_NAMES.join(', ')}) and no such file`] };
  const { readSchemaFile } = await import('../../plan/schema-file/schema-file.ts');
  return await readSchemaFile(name, `schema ${name}`);
}

/** Loaded only when there is one. */
async function statementIn(ddl: Given<string>): Promise<ReadSource> {
  const { readDdlFile } = await import('./ddl-file.ts');
  return await readDdlFile(ddl.name, ddl.value);
}
