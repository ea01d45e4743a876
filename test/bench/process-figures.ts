/**
 * What a crew of processes costs, the built command as a user runs it: memory of workers and parent, CPU of the
 * parent, and how all of it grows from 1 worker to 128. Linux only: memory and CPU are what the kernel says.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytesMaxOf } from '../../src/base/process-memory.ts';
import { parseRunFile } from '../../src/report/run-file.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { childrenOf } from '../support/processes.ts';
import { type Command, finished, said, start, withPlace } from './command-figures.ts';
import { type Figure, atLeast, atMost, figure } from './figures.ts';
import { withDiscard } from './fork-discard.ts';
import { cpuSecondsOf } from './process-use.ts';

const CREW_GROUP = 'A crew of processes (built command, discarding target)';
const MEGABYTE = 1e6;
const BATCH_SIZE = 1000;
/** Long enough that the heap has been collected many times. */
const MEMORY_RUN = '4s';
const CREWS = [
  { procs: 8, percent: 1 },
  { procs: 64, percent: 3 },
] as const;
const MANY = 64;
const CREW_ROWS_PER_SECOND = 40_000;
/** Workers compile what is hot, then the load is steady. */
const SETTLING_MS = 3000;
const WINDOW_MS = 6000;
const PEAKS_EVERY_MS = 500;

/** The sandbox counts the rows and needs twice a worker's CPU for it: workers would wait for it. */
const TARGET = { rows: BATCH_SIZE, latencyMs: 0 } as const;

interface Peaks {
  readonly parentBytes: number;
  readonly workersBytes: readonly number[];
}

/** The most resident memory that parent and workers had while the command ran; it must end well. */
async function peaksOf(command: Command): Promise<Peaks> {
  const pid = command.pid ?? 0;
  const workersBytes = new Map<number, number>();
  let parentBytes = 0;
  const ended = new AbortController();
  void command.finally(() => ended.abort());
  while (!ended.signal.aborted) {
    await sleep(PEAKS_EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined);
    parentBytes = Math.max(parentBytes, peakBytesOf(pid));
    for (const worker of childrenOf(pid))
      workersBytes.set(worker, Math.max(workersBytes.get(worker) ?? 0, peakBytesOf(worker)));
  }
  return { parentBytes, workersBytes: [...workersBytes.values()] };
}

/** 0 when it is gone. */
function peakBytesOf(pid: number): number {
  return residentBytesMaxOf(pid) ?? 0;
}

interface CrewRun extends Peaks {
  readonly run: RunFile;
}

async function runCrew(url: string, procs: number, args: readonly string[]): Promise<CrewRun> {
  return withPlace(async (place) => {
    const size = ['--procs', String(procs), '--batch-size', String(BATCH_SIZE)];
    const command = start(
      ['cluster', '--url', url, '--preset', 'metrics', '--json', '--live', 'off', ...size, ...args],
      place,
    );
    const peaks = await peaksOf(command);
    return { run: parseRunFile(await finished(command), 'the output of cluster'), ...peaks };
  });
}

/** Peak memory per worker and of the parent, and the parent's CPU at a steady rate with few and many workers. */
export async function crewFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const [defaults, full, manyParents]: [number[], number[], number[]] = [[], [], []];
  const percents = new Map<number, number[]>();
  await withDiscard(TARGET, async ({ url }) => {
    for (let round = 0; round < rounds; round += 1) {
      defaults.push(largest(await runCrew(url, 2, ['--duration', MEMORY_RUN])));
      full.push(largest(await runCrew(url, 2, ['--duration', MEMORY_RUN, '--in-flight', '20'])));
      for (const { procs } of CREWS) {
        const parent = await ifItRan(procs, steadyParent(url, procs));
        if (parent === null) continue;
        const { percent, parentBytes } = parent;
        percents.set(procs, [...(percents.get(procs) ?? []), ...percent]);
        if (procs === MANY && parentBytes > 0) manyParents.push(parentBytes / MEGABYTE);
      }
    }
  });
  return [
    ...seen('peak memory of the larger worker, 4 × 1,000 rows', 'MB', defaults, atMost(115, 'G6')),
    ...seen('peak memory of the larger worker, 20 × 1,000 rows', 'MB', full, atMost(115, 'G6')),
    ...seen(`peak memory of the parent, ${MANY} workers`, 'MB', manyParents, atMost(90, 'G6')),
    ...CREWS.flatMap(({ procs, percent }) =>
      seen(
        `CPU of the parent, ${procs} workers, ${CREW_ROWS_PER_SECOND} rows/s`,
        '% of a core',
        percents.get(procs) ?? [],
        atMost(percent, 'G9'),
      ),
    ),
  ];
}

/** The figure, or nothing but a word on stderr where the kernel did not tell. */
function seen(name: string, unit: string, samples: readonly number[], goal: Figure['goal']): Figure[] {
  const known = samples.filter((sample) => sample > 0);
  if (known.length > 0) return [figure(CREW_GROUP, name, unit, known, goal)];
  process.stderr.write(`not measured: ${name}\n`);
  return [];
}

function largest({ workersBytes }: Peaks): number {
  return Math.max(0, ...workersBytes) / MEGABYTE;
}

/** CPU of the parent over a window, in % of a core, and its peak memory; no percent where the kernel does not tell. */
async function steadyParent(
  url: string,
  procs: number,
): Promise<{ readonly percent: readonly number[]; readonly parentBytes: number }> {
  return withPlace(async (place) => {
    const load = ['--procs', String(procs), '--rate', String(CREW_ROWS_PER_SECOND)];
    const duration = `${(SETTLING_MS + WINDOW_MS) / 1000 + 1}s`;
    const command = start(
      ['cluster', '--url', url, '--preset', 'metrics', '--live', 'lines', '--duration', duration, ...load],
      place,
    );
    const pid = command.pid ?? 0;
    await said(command, 'phase=running');
    await sleep(SETTLING_MS);
    const [before, startedMs] = [cpuSecondsOf(pid), performance.now()];
    await sleep(WINDOW_MS);
    const [after, seconds] = [cpuSecondsOf(pid), (performance.now() - startedMs) / 1000];
    const parentBytes = peakBytesOf(pid);
    await finished(command);
    const percent = before === null || after === null ? [] : [((after - before) / seconds) * 100];
    return { percent, parentBytes };
  });
}

const WORKERS = [1, 2, 4, 8, 16, 32, 64, 128] as const;
/** Where memory and CPU per worker are shown. */
const SHOWN = [8, 64, 128] as const;
const SCALING_WINDOW_MS = 6000;
/**
 * A worker's request of 1,000 rows takes 1.1 ms of CPU at first, 0.7 after 500 requests, 0.6 after 1,500 and 0.4 after
 * 5,000, for which V8 takes two seconds of CPU: each worker is to have most of them, of cores that it shares with all.
 */
const WARM_UP_MS = 2000;
const WARM_UP_PER_WORKER_MS = 1000;
/** A round takes six minutes: one is enough for a usual number of rounds. */
const ROUNDS_PER_SCALING = 5;
const MAX_SCALINGS = 2;
const LEAST_SHARE = 0.9;

/** Rows per second of all, memory and parent CPU per worker, from 1 worker to 128 on this host. */
export async function scalingFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const scalings = Math.min(MAX_SCALINGS, Math.ceil(rounds / ROUNDS_PER_SCALING));
  const runs: Map<number, CrewRun>[] = [];
  await withDiscard(TARGET, async ({ url }) => {
    for (let scaling = 0; scaling < scalings; scaling += 1) {
      const byWorkers = new Map<number, CrewRun>();
      for (const workers of WORKERS) {
        const run = await ifItRan(workers, runCrew(url, workers, whenWarm(workers)));
        if (run !== null) byWorkers.set(workers, run);
      }
      runs.push(byWorkers);
    }
  });
  const group = `From 1 worker to ${WORKERS.at(-1)}, ${SCALING_WINDOW_MS / 1000} s each once they are warm (built command, discarding target)`;
  const each = (workers: number, of: (run: CrewRun) => number): number[] =>
    runs.flatMap((byWorkers) => {
      const run = byWorkers.get(workers);
      return run === undefined ? [] : [of(run)];
    });
  const first = WORKERS[1];
  const measured = WORKERS.filter((workers) => runs.some((byWorkers) => byWorkers.has(workers)));
  // The share of a crew that did not run is not known, so the least is not either.
  const complete = runs.filter((byWorkers) => byWorkers.size === WORKERS.length);
  return [
    ...measured.map((workers) =>
      figure(group, `${workers} workers`, 'rows/s', each(workers, rowsPerSecondOf)),
    ),
    ...(complete.length === 0
      ? []
      : [
          figure(
            group,
            `least total rows/s from ${first} workers on, of the best`,
            'times',
            complete.map((byWorkers) => leastShare([...byWorkers].filter(([workers]) => workers >= first))),
            atLeast(LEAST_SHARE, 'G13'),
          ),
        ]),
    ...SHOWN.filter((workers) => measured.includes(workers)).flatMap((workers) => [
      figure(
        group,
        `peak memory of a worker, ${workers} workers`,
        'MB',
        each(workers, ({ workersBytes }) => sum(workersBytes) / MEGABYTE / workers),
      ),
      figure(
        group,
        `peak memory of the parent, ${workers} workers`,
        'MB',
        each(workers, ({ parentBytes }) => parentBytes / MEGABYTE),
      ),
      figure(
        group,
        `CPU of the parent per worker, ${workers} workers`,
        'ms',
        each(workers, (run) => (parentCpuSeconds(run) / workers) * 1000),
      ),
      figure(
        group,
        `CPU of the workers, ${workers} workers`,
        'CPU seconds per million rows',
        each(workers, workersCpuPerMillion),
      ),
    ]),
  ];
}

function whenWarm(workers: number): string[] {
  const warmUpMs = WARM_UP_MS + WARM_UP_PER_WORKER_MS * workers;
  return ['--warm-up', `${warmUpMs}ms`, '--duration', `${warmUpMs + SCALING_WINDOW_MS}ms`];
}

/** Null, with a line on stderr, when so many did not get going: a busy host may be too slow to start them. */
async function ifItRan<T>(workers: number, work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    const [said = ''] = String(error).split('\n');
    process.stderr.write(`not measured: ${workers} workers: ${said}\n`);
    return null;
  }
}

function rowsPerSecondOf({ run }: CrewRun): number {
  return run.throughput.acknowledgedRowsPerSecond ?? Number.NaN;
}

/** The smallest ratio of a crew's rows per second to the best of the smaller crews. */
function leastShare(crews: readonly (readonly [number, CrewRun])[]): number {
  const rates = crews.map(([, run]) => rowsPerSecondOf(run));
  return Math.min(...rates.slice(1).map((rate, index) => rate / Math.max(...rates.slice(0, index + 1))));
}

function parentCpuSeconds({ run }: CrewRun): number {
  return secondsOf(run.coordinator.cpu);
}

function workersCpuPerMillion({ run }: CrewRun): number {
  return (sum(run.workers.map(({ cpu }) => secondsOf(cpu))) / run.ledger.acknowledged) * 1e6;
}

function secondsOf(cpu: {
  readonly userSeconds: number | null;
  readonly systemSeconds: number | null;
}): number {
  return (cpu.userSeconds ?? Number.NaN) + (cpu.systemSeconds ?? Number.NaN);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
