/** `crategen report RUN`: a run file, rendered again. */
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { RUN_ARGS, RUN_MISSING, openRun } from '../cli/run-argument.ts';

const FORMATS = ['text', 'json'] as const;

export default class Report extends BaseCommand {
  static override summary = 'Show the result of a run again';
  static override examples = [
    '$ crategen report latest',
    '$ crategen report 20261124-1530-x7k2 --format json',
  ];
  static override usage = 'report RUN [flags]';
  static override args = RUN_ARGS;
  static override flags = {
    format: Flags.string({ helpValue: 'FORMAT', summary: 'text or json (text)' }),
    json: Flags.boolean({ summary: 'Same as --format json' }),
  };

  async run(): Promise<void> {
    const { flags, args, problems } = await this.readArguments();
    const { SettingReader } = await import('../plan/setting-reader.ts');
    const reader = new SettingReader(flags, null);
    const format = reader.choice('format', FORMATS, reader.switch('json', false) ? 'json' : 'text');
    const reference = args.get('run');
    const missing = reference === undefined ? [RUN_MISSING] : [];
    const all = [...problems, ...reader.problems, ...missing];
    if (all.length > 0 || reference === undefined) throw this.usageError(all);
    const { file, found } = await openRun(reference);
    if (format === 'json') return this.printJson(file);
    const [{ renderSummary }, { textViewOf }] = await Promise.all([
      import('../report/summary.ts'),
      import('../report/terminal.ts'),
    ]);
    this.print(renderSummary(file, textViewOf(process.stdout, process.env), { file: found.runFile }));
  }
}
