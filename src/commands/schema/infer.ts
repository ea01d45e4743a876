/** `crategen schema infer`: a table that is there, or a CREATE TABLE statement, as a schema file. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { TARGET_FLAGS, TargetCommand } from '../../cli/target-command.ts';
import { UsageError } from '../../base/errors.ts';
import { type TableName, parseTableName } from '../../base/sql.ts';
import { DEFAULT_NODES } from '../../plan/parse-target.ts';
import type { SettingReader } from '../../plan/setting-reader.ts';
import { schemaFileText } from '../../plan/write-schema.ts';
import type { TableSchema } from '../../rows/schema.ts';

interface Inferred {
  readonly schema: TableSchema;
  readonly table: TableName;
  readonly notes: readonly string[];
}

export default class SchemaInfer extends TargetCommand {
  static override summary = 'Write a schema file for a table that is there';
  static override examples = [
    '$ crategen schema infer shop.orders > orders.yaml',
    '$ crategen schema infer --ddl orders.sql > orders.yaml',
  ];
  static override usage = 'schema infer SCHEMA.TABLE [flags]';
  static override args = { table: Args.string({ ignoreStdin: true, description: 'the table' }) };
  static override flags = {
    ddl: Flags.string({ helpValue: 'FILE', summary: 'Of the CREATE TABLE statement in a file instead' }),
    ...TARGET_FLAGS,
  };

  async run(): Promise<void> {
    const { read, reader } = await this.readSettings();
    const file = reader.text('ddl');
    const name = read.args.get('table');
    if ((file === null) === (name === undefined))
      reader.problems.push('expected SCHEMA.TABLE, or --ddl FILE without it');
    const { schema, table, notes } =
      file === null
        ? await this.#ofTable(name ?? '', reader)
        : await this.#ofFile(file.name, file.value, reader);
    const { text, lost } = await schemaFileText(schema, table);
    for (const note of notes) this.warning(note);
    for (const column of lost)
      this.warning(`the file does not say exactly how ${column} is made: look at its generate`);
    this.print(text.trimEnd());
  }

  async #ofTable(name: string, reader: SettingReader): Promise<Inferred> {
    const parsed = parseTableName(name);
    if (!parsed.ok && reader.problems.length === 0) reader.problems.push(`${name}: ${parsed.why}`);
    const access = await this.openTarget(reader, { nodes: DEFAULT_NODES, username: null });
    if (!parsed.ok) throw this.usageError(reader.problems);
    const { schemaOfTable } = await import('../../coordinator/existing-table.ts');
    const source = { kind: 'like', table: parsed.name, shape: false, copyValues: false } as const;
    const found = await schemaOfTable({ source, target: null, access, nowMs: Date.now() });
    return { ...found, table: parsed.name };
  }

  async #ofFile(flag: string, path: string, reader: SettingReader): Promise<Inferred> {
    const { readDdlFile } = await import('../../cli/ddl-file.ts');
    const read = await readDdlFile(flag, path);
    const problems = [...reader.problems, ...(read.ok ? [] : read.problems)];
    if (problems.length > 0 || !read.ok) throw new UsageError(problems);
    return { schema: read.schema, table: read.table, notes: read.notes ?? [] };
  }
}
