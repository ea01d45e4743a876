/** The argument PRESET-or-FILE of the schema commands. */
import { existsSync } from 'node:fs';
import * as Args from '@oclif/core/args';
import { type TableName, parseTableName } from '../base/sql.ts';
import type { ChosenBy, ReadSchemaFile } from '../plan/schema-file.ts';
import { SettingReader } from '../plan/setting-reader.ts';
import { PRESET_NAMES, presetSchema } from '../rows/presets.ts';
import type { TableSchema } from '../rows/schema.ts';
import { type Arguments, BaseCommand } from './base-command.ts';
import { nearest } from '../base/nearest.ts';

export const SCHEMA_ARGS = {
  schema: Args.string({
    ignoreStdin: true,
    description: `a preset (${PRESET_NAMES.join(', ')}) or a schema file (orders.yaml)`,
  }),
};

/** A schema and the table it is for. */
export interface NamedSchema {
  readonly schema: TableSchema;
  readonly table: TableName;
  /** By the column's path; empty for presets. */
  readonly chosenBy: ReadonlyMap<string, ChosenBy>;
  readonly reader: SettingReader;
}

export abstract class SchemaCommand extends BaseCommand {
  /** Throws one UsageError with all problems; `readMore` adds those of the command's own flags. */
  protected async readSchema(
    read: Arguments,
    readMore?: (reader: SettingReader) => void,
  ): Promise<NamedSchema> {
    const reader = new SettingReader(read.flags, null);
    reader.problems.push(...read.problems);
    const name = read.args.get('schema');
    const found: ReadSchemaFile =
      name === undefined
        ? { ok: false, problems: [`PRESET-or-FILE: expected ${PRESET_NAMES.join(', ')}, or a file`] }
        : await presetOrFile(name);
    if (!found.ok) reader.problems.push(...found.problems);
    const given = reader.text('table');
    const table = given === null ? null : parseTableName(given.value);
    if (given !== null && table?.ok === false) reader.problem(given, table.why);
    readMore?.(reader);
    if (reader.problems.length > 0 || !found.ok) throw this.usageError(reader.problems);
    const { schema, chosenBy } = found;
    return { schema, chosenBy, table: table?.ok === true ? table.name : found.table, reader };
  }
}

/** A preset's name wins; a word near one is most likely that, anything else a file. */
async function presetOrFile(name: string): Promise<ReadSchemaFile> {
  const schema = presetSchema(name);
  if (schema !== null)
    return { ok: true, schema, table: { schema: 'crategen', table: schema.name }, chosenBy: new Map() };
  const near = nearest(name, PRESET_NAMES);
  if (near !== null && !existsSync(name))
    return { ok: false, problems: [`${name}: no such preset; did you mean ${near}?`] };
  const { readSchemaFile } = await import('../plan/schema-file.ts');
  return await readSchemaFile(name, `schema ${name}`);
}
