/** `crategen ceiling`: what this client can do on this host, into a target that stores nothing. */
import * as Flags from '@oclif/core/flags';
import { flagsOf } from '../cli/flags.ts';
import { RunCommand } from '../cli/run-command.ts';
import { CEILING_SETTINGS } from '../plan/ceiling.ts';

export default class Ceiling extends RunCommand {
  static override summary =
    'Measure what this client can do here, without a server: the yardstick for a run of the same plan';
  static override description =
    'The same coordinator and the same workers send the same rows to a target in a process of its own that discards them. Without --rows or --duration it takes 10 s, the first 2 s of them to warm up.';
  static override examples = [
    '$ crategen ceiling --preset metrics --procs 4',
    '$ crategen ceiling --run latest',
    '$ crategen ceiling --compress deflate --duration 30s --json',
  ];
  static override usage = 'ceiling [flags]';
  static override flags = {
    run: Flags.string({
      helpValue: 'RUN',
      summary:
        'Take the plan of a finished run (its id, run file or "latest"), and say which share of the ceiling it reached',
    }),
    ...flagsOf(CEILING_SETTINGS),
  };

  async run(): Promise<void> {
    const read = await this.readArguments();
    const reference = read.flags.get('run');
    if (typeof reference !== 'string') return await this.carryOutAndTell(await this.readRun('ceiling', read));
    const [{ openYardstick }, { measuredRun }] = await Promise.all([
      import('../cli/ceiling-run.ts'),
      import('../report/measured-run.ts'),
    ]);
    const { parsed, problems, run } = await openYardstick(reference, read.flags);
    const ready = await this.finishRun(parsed, [...read.problems, ...problems], read.warnings);
    await this.carryOutAndTell(ready, null, (ceiling) => measuredRun(ceiling, run));
  }
}
