/**
 * Several runs one after the other, for `cluster --repeat` and `ab`: each is a command of its own, so that no run inherits
 * memory, compiled code or books of the one before. Ends with what the runs show together.
 */
import { spawn } from 'node:child_process';
import { seededRandom } from '../base/seeded-random.ts';
import { formatExact } from '../base/units.ts';
import { printable } from '../base/text.ts';
import { formatTable } from '../base/sql.ts';
import type { StopSignal } from '../coordinator/stop-control.ts';
import type { OutputPlan } from '../plan/parse-output.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { SettingReader } from '../plan/setting-reader.ts';
import type { RawSettings, RawValue } from '../plan/settings.ts';
import { type Comparison, compareRuns } from '../report/compare/comparison.ts';
import { renderComparison } from '../report/compare/render-comparison.ts';
import type { RunFile } from '../report/run-file-schema.ts';
import { textViewOf } from '../report/terminal.ts';
import { COMPARE_FORMATS, openSlim, renderComparisonAs } from './finished-runs/compare-runs.ts';
import { EXIT, SIGNAL_CODES } from './exit-codes.ts';
import { checkEnding, formatOfFile } from './finished-runs/render-run.ts';
import { onSignals } from './stop-signals.ts';

const MAX_REPEATS = 100;
/** Room for `-a-100` behind a run id of at most 64 characters. */
const MAX_BASE_LENGTH = 58;

/** One run of a series, before it is made. */
export interface SeriesRun {
  /** Position among the sides: 0 is A. */
  readonly side: number;
  readonly runId: string;
  /** Behind `crategen`. Holds no secret. */
  readonly args: readonly string[];
}

/** A plan of a series. */
export interface SeriesPlan {
  readonly plan: RunPlan;
  /** `a`, `b`; null when there is one plan. */
  readonly side: string | null;
  /** Its config file, when that is what the sides differ in. */
  readonly config: string | null;
}

/** Settings that cannot be repeated, or have another meaning for a series. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['resume', 'a run goes on only once'],
  ['start-at', 'there is one such moment'],
  ['machine', 'several machines cannot take turns'],
  ['password-stdin', 'standard input can be read once; use --password-file or CRATEDB_PASSWORD'],
  ['token-stdin', 'standard input can be read once; use --token-file or CRATEDB_TOKEN'],
];

/** What a series says itself, and each of its runs must not. */
const OWN: ReadonlySet<string> = new Set([
  'repeat',
  'run-id',
  'seed',
  'time-origin',
  'json',
  'out',
  'order-seed',
  'config',
]);

/** How many repeats, and what is wrong with repeating this command line. */
export function readRepeats(
  flags: RawSettings,
  fallback: number | null,
): { readonly repeats: number; readonly problems: readonly string[] } {
  const reader = new SettingReader(flags, null);
  const repeats = reader.count('repeat', { min: fallback === null ? 1 : 2, max: MAX_REPEATS }, fallback ?? 1);
  checkEnding(reader, COMPARE_FORMATS);
  const name = fallback === null ? '--repeat' : 'ab';
  const refused = REFUSED.filter(([flag]) => flags.has(flag)).map(
    ([flag, why]) => `--${flag}: not with ${name}: ${why}`,
  );
  const hasPassword = [flags.get('url') ?? []]
    .flat()
    .some((url) => /\/\/[^/@\s]*:[^/@\s]*@/.test(String(url)));
  const secret = hasPassword
    ? [
        `--url: a password in a URL would be in the command line of each run; use --password-file or CRATEDB_PASSWORD`,
      ]
    : [];
  const runId = flags.get('run-id');
  const long =
    typeof runId === 'string' && runId.length > MAX_BASE_LENGTH
      ? [`--run-id: at most ${MAX_BASE_LENGTH} characters with ${name}, which appends to it`]
      : [];
  return { repeats, problems: [...reader.problems, ...refused, ...secret, ...long] };
}

/**
 * The runs of a series in their order. Of two plans each round makes one run of each, in an order drawn by lot, so that
 * a drift of host or cluster meets both alike. All runs have the first plan's seed and time origin.
 */
export function plannedRuns(
  plans: readonly SeriesPlan[],
  repeats: number,
  flags: RawSettings,
  orderSeed = 0,
): readonly SeriesRun[] {
  const random = seededRandom(orderSeed);
  const [first] = plans;
  if (first === undefined) return [];
  const { runId: base, seed, timeOriginMs } = first.plan;
  return Array.from({ length: repeats }, (_, round) => {
    const runs = plans.map(({ side, config }, position): SeriesRun => {
      const runId = `${base}-${side === null ? '' : `${side}-`}${round + 1}`;
      const own = {
        'run-id': runId,
        seed: String(seed),
        'time-origin': new Date(timeOriginMs).toISOString(),
      };
      const configFlag = config ?? flags.get('config') ?? null;
      const args = [
        'cluster',
        ...(configFlag === null ? [] : flagArgs('config', configFlag)),
        ...[...flags].filter(([name]) => !OWN.has(name)).flatMap(([name, value]) => flagArgs(name, value)),
        ...Object.entries(own).flatMap(([name, value]) => flagArgs(name, value)),
      ];
      return { side: position, runId, args };
    });
    return runs.length > 1 && random() < 0.5 ? runs.toReversed() : runs;
  }).flat();
}

/** What will be written before it is: which runs, and what becomes of the table. */
export function repeatLines(plans: readonly RunPlan[], runs: readonly SeriesRun[]): readonly string[] {
  const tables = [...new Set(plans.map(({ table }) => formatTable(table.name)))];
  const ids = runs.slice(0, 12).map(({ runId }) => runId);
  const more = runs.length > ids.length ? ` … ${runs.at(-1)?.runId ?? ''}` : '';
  const amounts = [
    ...new Set(plans.map(({ bounds }) => (bounds.rows === null ? null : formatExact(bounds.rows)))),
  ];
  const rows = amounts.includes(null) ? 'its rows' : `${amounts.join(' or ')} rows`;
  const isOwn = plans.every(({ target }) => target.kind === 'embedded');
  const isEmptied = plans.every(({ table }) => table.recreate);
  const state = isOwn
    ? 'each has a sandbox of its own, which is empty'
    : isEmptied
      ? `${tables.join(' and ')} ${tables.length === 1 ? 'is' : 'are'} dropped and made anew before each`
      : `${tables.join(' and ')} ${tables.length === 1 ? 'keeps' : 'keep'} the rows of the runs before; --recreate makes it anew before each`;
  return [
    `${runs.length} runs, one after the other: ${ids.join(' ')}${more}`,
    `each inserts ${rows} of its own run id: ${state}`,
  ];
}

/**
 * Makes the runs, shows what they came to together, and returns the exit code: that of a signal, else the worst of the
 * runs. A signal ends the run at hand with its summary and begins no other; so does a run that cannot work at all.
 */
export async function makeSeries(
  runs: readonly SeriesRun[],
  output: OutputPlan,
  note: (line: string) => void,
): Promise<number> {
  const stop = seriesStop();
  const codes: number[] = [];
  const made: SeriesRun[] = [];
  try {
    for (const [index, run] of runs.entries()) {
      if (stop.signal() !== null) break;
      note(`\nrun ${index + 1} of ${runs.length}: ${run.runId}`);
      const code = await stop.run(run.args);
      codes.push(code);
      made.push(run);
      if (!GOES_ON.has(code)) break;
    }
  } finally {
    stop.end();
  }
  const signal = stop.signal();
  const code = worstOf(signal === null ? codes : [...codes, SIGNAL_CODES[signal]]);
  const comparison = await comparisonOf(made, note);
  if (comparison !== null) await tell(comparison, output, note);
  if (made.length < runs.length)
    note(`crategen: ${made.length} of ${runs.length} runs were made: the last one ended with exit ${code}`);
  return code;
}

/** A run with these codes took place as planned, well or badly; after any other the next one would fail too. */
const GOES_ON: ReadonlySet<number> = new Set([EXIT.ok, EXIT.rows, EXIT.threshold]);

/** As for one run: the first of these wins; a signal's code is above 128. */
function worstOf(codes: readonly number[]): number {
  const order = [
    EXIT.mismatch,
    EXIT.unexpected,
    EXIT.workers,
    ...Object.values(SIGNAL_CODES),
    EXIT.target,
    EXIT.usage,
    EXIT.rows,
    EXIT.threshold,
  ];
  return order.find((code) => codes.includes(code)) ?? codes.find((code) => code !== 0) ?? EXIT.ok;
}

/** Null when no run left a result. */
async function comparisonOf(
  made: readonly SeriesRun[],
  note: (line: string) => void,
): Promise<Comparison | null> {
  const groups: RunFile[][] = [];
  for (const { side, runId } of made) {
    try {
      (groups[side] ??= []).push(await openSlim(runId));
    } catch {
      note(`crategen: run ${printable(runId)} left no result`);
    }
  }
  const sides = groups.filter((runs) => runs !== undefined);
  return sides.length === 0 ? null : compareRuns(sides);
}

/** The comparison for people, and as data where `--json` or `--out` want it. */
async function tell(comparison: Comparison, output: OutputPlan, note: (line: string) => void): Promise<void> {
  note(`\n${renderComparison(comparison, textViewOf(process.stderr, process.env))}`);
  if (output.json) process.stdout.write(await renderComparisonAs(comparison, 'json'));
  if (output.out === null) return;
  const { writeFileAtomically } = await import('../report/files.ts');
  const format = formatOfFile(output.out, COMPARE_FORMATS) ?? 'json';
  await writeFileAtomically(output.out, await renderComparisonAs(comparison, format));
  note(`written to ${output.out}`);
}

/** Passes signals on to the run at hand, and remembers that there was one. */
function seriesStop(): {
  readonly signal: () => StopSignal | null;
  readonly run: (args: readonly string[]) => Promise<number>;
  readonly end: () => void;
} {
  let caught: StopSignal | null = null;
  let kill: (signal: NodeJS.Signals) => void = () => undefined;
  const end = onSignals((signal) => {
    caught ??= signal;
    // A terminal has told the run already: twice within a second is once for it.
    kill(signal);
  });
  return {
    signal: () => caught,
    run: async (args) => {
      const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...args], {
        stdio: ['inherit', 'ignore', 'inherit'],
      });
      kill = (signal) => void child.kill(signal);
      return await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code) => resolve(code ?? EXIT.unexpected));
      });
    },
    end,
  };
}

function flagArgs(name: string, value: RawValue): string[] {
  if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
  return [value].flat().map((each) => `--${name}=${each}`);
}
