/** `crategen schema ddl`: the CREATE TABLE statement, and nothing else on stdout. */
import * as Flags from '@oclif/core/flags';
import { SCHEMA_ARGS, SchemaCommand, sourceFlags } from '../../cli/schema/argument.ts';
import { schemaDdl } from '../../cli/schema/sample.ts';

export default class SchemaDdl extends SchemaCommand {
  static override summary = 'Print the CREATE TABLE statement of a schema';
  static override examples = [
    '$ crategen schema ddl records',
    '$ crategen schema ddl metrics --table demo.metrics | crash',
    '$ crategen schema ddl --like shop.orders --table test.orders',
  ];
  static override usage = 'schema ddl [PRESET-or-FILE] [flags]';
  static override args = SCHEMA_ARGS;
  static override flags = {
    ...sourceFlags('like', 'ddl'),
    table: Flags.string({
      helpValue: 'SCHEMA.TABLE',
      summary: 'Name of the table (crategen.<preset>, or as the file says)',
    }),
  };

  async run(): Promise<void> {
    const { schema, table } = await this.readSchema(await this.readArguments());
    this.print(schemaDdl(schema, table));
  }
}
