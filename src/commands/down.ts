/** `crategen down`: stops the CrateDB that `crategen up` started. */
import * as Flags from '@oclif/core/flags';
import { systemClock } from '../base/clock.ts';
import { BaseCommand } from '../cli/base-command.ts';

export default class Down extends BaseCommand {
  static override summary = 'Stop the CrateDB that crategen up started';
  static override examples = ['$ crategen down'];
  static override usage = 'down [flags]';
  static override flags = { json: Flags.boolean({ summary: 'Say what was stopped as one JSON document' }) };

  async run(): Promise<void> {
    const read = await this.readCleanArguments();
    const { down } = await import('../cli/local/down.ts');
    const { ownLocalFolder } = await import('../cli/local/local-cluster.ts');
    const cluster = await down({
      folder: ownLocalFolder(),
      clock: systemClock,
      note: (line) => this.note(`crategen: ${line}`),
    });
    if (read.flags.get('json') === true) return this.printJson({ stopped: cluster });
    if (cluster === null) return this.print('nothing runs that crategen up started');
    const rows = cluster.isEphemeral ? 'its rows are removed' : `its rows are kept in ${cluster.data ?? ''}`;
    this.print(`stopped the CrateDB at ${cluster.urls.join(', ')}; ${rows}`);
  }
}
