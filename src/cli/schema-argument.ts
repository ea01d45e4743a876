/** The argument PRESET-or-FILE of the schema commands. */
import * as Args from '@oclif/core/args';
import { type TableName, parseTableName } from '../base/sql.ts';
import { SettingReader } from '../plan/setting-reader.ts';
import { PRESET_NAMES, presetSchema } from '../rows/presets.ts';
import type { TableSchema } from '../rows/schema.ts';
import { type Arguments, BaseCommand } from './base-command.ts';
import { schemaFileProblem } from './schema-file.ts';
import { nearest } from './suggest.ts';

export const SCHEMA_ARGS = {
  schema: Args.string({ ignoreStdin: true, description: `a preset: ${PRESET_NAMES.join(', ')}` }),
};

/** A schema and the table it is for. */
export interface NamedSchema {
  readonly schema: TableSchema;
  readonly table: TableName;
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
    const schema = name === undefined ? null : presetSchema(name);
    if (name === undefined) reader.problems.push(`PRESET: expected ${PRESET_NAMES.join(', ')}`);
    else if (schema === null) reader.problems.push(await notAPreset(name));
    const given = reader.text('table');
    const table = given === null ? null : parseTableName(given.value);
    if (given !== null && table?.ok === false) reader.problem(given, table.why);
    readMore?.(reader);
    if (reader.problems.length > 0 || schema === null) throw this.usageError(reader.problems);
    return {
      schema,
      table: table?.ok === true ? table.name : { schema: 'crategen', table: schema.name },
      reader,
    };
  }
}

/** A word is most likely a preset mistyped, anything else a file. */
async function notAPreset(name: string): Promise<string> {
  const near = nearest(name, PRESET_NAMES);
  if (near !== null) return `${name}: no such preset; did you mean ${near}?`;
  return await schemaFileProblem('schema', name);
}
