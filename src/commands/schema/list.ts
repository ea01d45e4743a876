/** `crategen schema list`: the built-in schemas. */
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.ts';
import { PRESET_NAMES, presetSchema } from '../../rows/presets.ts';

export default class SchemaList extends BaseCommand {
  static override summary = 'List the built-in schemas';
  static override examples = ['$ crategen schema list'];
  static override usage = 'schema list [flags]';
  static override flags = { json: Flags.boolean({ summary: 'One JSON document' }) };

  async run(): Promise<void> {
    const { flags } = await this.readCleanArguments();
    const presets = PRESET_NAMES.map(presetSchema)
      .filter((schema) => schema !== null)
      .map((schema) => ({
        name: schema.name,
        description: schema.description,
        columns: schema.columns.length,
      }));
    if (flags.get('json') === true) return this.printJson({ presets });
    for (const { name, description, columns } of presets)
      this.print(`${name.padEnd(12)} ${String(columns).padStart(3)} columns  ${description}`);
    this.note('A schema file is named by its path: crategen schema show orders.yaml');
    this.note('crategen schema infer SCHEMA.TABLE writes one for a table that is there');
  }
}
