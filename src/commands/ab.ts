/** `crategen ab PLAN_A PLAN_B`: two plans take turns in an order drawn by lot, and are compared. */
import { randomInt } from 'node:crypto';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Arguments } from '../cli/base-command.ts';
import { flagsOf } from '../cli/flags.ts';
import { RunCommand } from '../cli/run-command.ts';
import { SettingReader } from '../plan/setting-reader.ts';
import { settingsOf } from '../plan/settings.ts';

const DEFAULT_REPEATS = 5;
/** What the plan files or the series itself say. */
const NOT_HERE: ReadonlySet<string> = new Set([
  'config',
  'resume',
  'start-at',
  'machine',
  'repeat',
  'out',
  'dry-run',
]);

export default class Ab extends RunCommand {
  static override summary =
    'Compare two plans: runs of both in an order drawn by lot, then what is different';
  static override description =
    'A plan is a file of settings as --config takes it (crategen cluster --help names them). Flags here are taken by both plans, before what the files say.';
  static override examples = [
    '$ crategen ab batch-500.yaml batch-5000.yaml --repeat 5 --url http://db-1:4200 --rows 5m --recreate',
    '$ crategen ab plain.yaml deflate.yaml --duration 2m --warm-up 15s --out compare.html',
  ];
  static override usage = 'ab PLAN_A PLAN_B [flags]';
  static override args = {
    planA: Args.string({ name: 'planA', ignoreStdin: true, description: 'settings of side A, YAML or JSON' }),
    planB: Args.string({ name: 'planB', ignoreStdin: true, description: 'settings of side B' }),
  };
  static override flags = {
    repeat: Flags.string({ helpValue: 'N', summary: `Runs of each plan, from 2 on (${DEFAULT_REPEATS})` }),
    'order-seed': Flags.string({ helpValue: 'N', summary: 'Seed of the order (random, printed)' }),
    out: Flags.string({
      helpValue: 'FILE',
      summary: 'Write the comparison there too; its name says how: .html, .md, .json',
    }),
    ...flagsOf(settingsOf('cluster').filter(({ name }) => !NOT_HERE.has(name))),
  };

  async run(): Promise<void> {
    const read = await this.readArguments();
    const { readRepeats, makeSeries, plannedRuns, repeatLines } = await import('../cli/repeat-runs.ts');
    const { repeats, problems } = readRepeats(read.flags, DEFAULT_REPEATS);
    const reader = new SettingReader(read.flags, null);
    const orderSeed = reader.count('order-seed', { min: 0, max: 2 ** 32 - 1 }, randomInt(2 ** 32));
    const [planA, planB] = [read.args.get('planA'), read.args.get('planB')];
    const missing =
      planA === undefined || planB === undefined ? ['PLAN_A PLAN_B: expected two files of settings'] : [];
    const all = [...read.problems, ...problems, ...reader.problems, ...missing];
    if (all.length > 0 || planA === undefined || planB === undefined) throw this.usageError(all);
    const a = await this.readRun('cluster', withConfig(read, planA));
    const b = await this.readRun('cluster', withConfig({ ...read, warnings: [] }, planB));
    const runs = plannedRuns(
      [
        { plan: a.plan, side: 'a', config: planA },
        { plan: b.plan, side: 'b', config: planB },
      ],
      repeats,
      read.flags,
      orderSeed,
    );
    for (const line of repeatLines([a.plan, b.plan], runs)) this.note(line);
    this.note(`A is ${planA}, B is ${planB}; order seed ${orderSeed}`);
    process.exitCode = await makeSeries(runs, a.output, (line) => this.note(line));
  }
}

function withConfig(read: Arguments, config: string): Arguments {
  return { ...read, flags: new Map([...read.flags, ['config', config]]) };
}
