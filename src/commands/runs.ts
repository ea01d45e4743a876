/** `crategen runs`: the runs whose files lie on this machine. */
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { ownRunsFolder } from '../cli/finished-runs/run-argument.ts';

export default class Runs extends BaseCommand {
  static override summary = 'List the runs of this machine, newest first';
  static override examples = ['$ crategen runs', '$ crategen runs --limit 5 --json'];
  static override usage = 'runs [flags]';
  static override flags = {
    limit: Flags.string({ helpValue: 'N', summary: 'At most this many (20)' }),
    json: Flags.boolean({ summary: 'One JSON document' }),
  };

  async run(): Promise<void> {
    const { flags, problems } = await this.readArguments();
    const { listRuns } = await import('../report/runs-folder.ts');
    const { SettingReader } = await import('../plan/setting-reader.ts');
    const reader = new SettingReader(flags, null);
    const limit = reader.count('limit', { min: 1, max: 10_000 }, 20);
    if (problems.length + reader.problems.length > 0)
      throw this.usageError([...problems, ...reader.problems]);
    const runs = await listRuns(ownRunsFolder(), limit);
    if (reader.switch('json', false)) return this.printJson({ runs });
    const { renderRuns } = await import('../report/listings.ts');
    const { textViewOf } = await import('../report/terminal.ts');
    this.print(renderRuns(runs, textViewOf(process.stdout, process.env)));
  }
}
