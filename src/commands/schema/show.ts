/** `crategen schema show`: the columns of a schema and how their values are made. */
import * as Flags from '@oclif/core/flags';
import { SCHEMA_ARGS, SchemaCommand, sourceFlags } from '../../cli/schema/argument.ts';
import { noteLines } from '../../cli/schema/existing-lines.ts';
import { columnFacts } from '../../cli/schema/columns.ts';
import { canGenerateFast } from '../../rows/row-generator.ts';
import { insertedColumns } from '../../rows/schema.ts';

export default class SchemaShow extends SchemaCommand {
  static override summary = 'Show the columns of a schema and how their values are made';
  static override examples = [
    '$ crategen schema show metrics',
    '$ crategen schema show orders.yaml',
    '$ crategen schema show --like shop.orders --shape',
  ];
  static override usage = 'schema show [PRESET-or-FILE] [flags]';
  static override args = SCHEMA_ARGS;
  static override flags = {
    ...sourceFlags('like', 'shape', 'copy-values', 'ddl'),
    table: Flags.string({
      helpValue: 'SCHEMA.TABLE',
      summary: 'Name of the table (crategen.<preset>, or as the file says)',
    }),
    json: Flags.boolean({ summary: 'The whole schema as one JSON document' }),
  };

  async run(): Promise<void> {
    const { schema, table, chosenBy, notes, reader } = await this.readSchema(await this.readArguments());
    if (reader.switch('json', false))
      return this.printJson({ table, schema, chosenBy: Object.fromEntries(chosenBy), notes });
    const facts = columnFacts(schema, chosenBy);
    const width = Math.max(...facts.map(({ name }) => name.length));
    const typeWidth = Math.max(...facts.map(({ type }) => type.length));
    for (const { name, type, made } of facts)
      this.print(`${name.padEnd(width)}  ${type.padEnd(typeWidth)}  ${made}`.trimEnd());
    if (schema.primaryKey.length > 0) this.print(`primary key: ${schema.primaryKey.join(', ')}`);
    if (schema.partitionedBy.length > 0) this.print(`partitioned by: ${schema.partitionedBy.join(', ')}`);
    this.print(
      canGenerateFast()
        ? `compiled: all ${insertedColumns(schema).length} columns that crategen fills`
        : 'compiled: none, since Node runs without WebAssembly vectors: rows come from the reference generator',
    );
    for (const line of noteLines(notes)) this.note(line);
  }
}
