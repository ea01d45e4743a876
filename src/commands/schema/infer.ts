/** `crategen schema infer`: a table that is there, or a CREATE TABLE statement, as a schema file. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { SchemaCommand, sourceFlags } from '../../cli/schema/argument.ts';
import { MAX_FILE_BYTES } from '../../plan/read-limited.ts';
import { schemaFileText } from '../../plan/schema-file/write-schema.ts';

export default class SchemaInfer extends SchemaCommand {
  static override summary = 'Write a schema file for a table that is there';
  static override examples = [
    '$ crategen schema infer shop.orders > orders.yaml',
    '$ crategen schema infer shop.orders --shape > orders.yaml',
    '$ crategen schema infer --ddl orders.sql > orders.yaml',
  ];
  static override usage = 'schema infer SCHEMA.TABLE [flags]';
  static override args = { table: Args.string({ ignoreStdin: true, description: 'the table' }) };
  static override flags = {
    shape: Flags.boolean({
      summary: 'Null shares, distinct counts, ranks and histograms of the table too, but not its values',
      helpGroup: 'what',
    }),
    ...sourceFlags('copy-values'),
    ddl: Flags.string({
      helpValue: 'FILE',
      summary: 'In the place of a table, the CREATE TABLE statement in a file',
      helpGroup: 'what',
    }),
  };

  protected override readonly accepted = 'SCHEMA.TABLE, or --ddl FILE without it';

  async run(): Promise<void> {
    const read = await this.readArguments();
    const named = read.args.get('table');
    const settings = named === undefined ? read.flags : new Map([...read.flags, ['like', named]]);
    const { schema, table, like, notes } = await this.readSchema({ ...read, flags: settings });
    const { text, lost } = await schemaFileText(schema, like ?? table);
    for (const note of notes) this.warning(note);
    for (const column of lost)
      this.warning(`the file does not say exactly how ${column} is made: look at its generate`);
    if (Buffer.byteLength(text) > MAX_FILE_BYTES)
      this.warning('the file is larger than 1 MiB, which is more than --schema reads: leave columns out');
    this.print(text.trimEnd());
  }
}
