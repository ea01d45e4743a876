/** `crategen cluster`: the main job. One parent, one worker process per core, to a bound of rows or time. */
import type { Arguments } from '../cli/base-command.ts';
import { flagsOf } from '../cli/flags.ts';
import { RunCommand } from '../cli/run-command.ts';
import { settingsOf } from '../plan/settings.ts';

export default class Cluster extends RunCommand {
  static override summary = 'Insert generated rows from many processes, and account for every one';
  static override examples = [
    '$ crategen cluster --sandbox --rows 200k',
    '$ crategen cluster --url http://db-1:4200 --url http://db-2:4200 --procs 8 --rows 10m',
    '$ crategen cluster --url https://db:4200 --username me --password-file ./secret --duration 5m --rate 50k --warm-up 30s',
    '$ crategen cluster --preset metrics --table demo.metrics --shards 6 --rows 50m --out result.json',
    '$ crategen cluster --resume latest',
    '$ crategen cluster --url http://db-1:4200 --rows 10m --recreate --repeat 5',
  ];
  static override usage = 'cluster [flags]';
  static override flags = flagsOf(settingsOf('cluster'));

  async run(): Promise<void> {
    const read = await this.readArguments();
    if (read.flags.has('repeat')) return await this.#repeat(read);
    const reference = read.flags.get('resume');
    if (typeof reference !== 'string') return await this.carryOutAndTell(await this.readRun('cluster', read));
    const { openResume } = await import('../cli/resume.ts');
    const resume = await openResume(reference, read.flags);
    const ready = await this.finishRun(resume.parsed, read.problems, read.warnings);
    await this.carryOutAndTell(ready, resume.books);
  }

  async #repeat(read: Arguments): Promise<void> {
    const { readRepeats, makeSeries, plannedRuns, repeatLines } = await import('../cli/repeat-runs.ts');
    const { repeats, problems } = readRepeats(read.flags, null);
    const ready = await this.readRun('cluster', { ...read, problems: [...read.problems, ...problems] });
    if (ready.output.dryRun) return await this.carryOutAndTell(ready);
    const runs = plannedRuns([{ plan: ready.plan, side: null, config: null }], repeats, read.flags);
    for (const line of repeatLines([ready.plan], runs)) this.note(line);
    process.exitCode = await makeSeries(runs, ready.output, (line) => this.note(line));
  }
}
