/** `crategen single`: the same run in this process, to look at it closely. */
import { flagsOf } from '../cli/flags.ts';
import { RunCommand } from '../cli/run-command.ts';
import { settingsOf } from '../plan/settings.ts';

export default class Single extends RunCommand {
  static override summary = 'The same run in one process, for debugging: no fork, --inspect works';
  static override examples = [
    '$ crategen single --preset everything --dry-run',
    '$ crategen single --sandbox --rows 5k --verbose',
    '$ crategen single --url http://db-1:4200 --rows 1k --batch-size 10',
  ];
  static override usage = 'single [flags]';
  static override flags = flagsOf(settingsOf('single'));

  async run(): Promise<void> {
    const ready = await this.readRun('single', await this.readArguments());
    await this.carryOutAndTell(ready);
  }
}
