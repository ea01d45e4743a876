/** What the built command costs as a user runs it: start-up, `--help`, memory per worker, CPU of the parent. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { parseRunFile } from '../../src/report/run-file.ts';
import type { SandboxProcess } from '../../src/sandbox/fork-sandbox.ts';
import { BIN } from '../e2e/support.ts';
import { type Figure, atMost, figure } from './figures.ts';
import { type InsertWatch, watchInserts } from './insert-watch.ts';
import { cpuSecondsOf } from './process-use.ts';

const START_GROUP = 'Start-up (built command, 2 processes)';
const COST_GROUP = 'Cost of processes (built command, discarding target)';
const MEGABYTE = 1e6;
/** Long enough that the heap has been collected many times. */
const MEMORY_RUN = '6s';
const STEADY_PROCS = 8;
const STEADY_ROWS_PER_SECOND = 40_000;
const STEADY_WINDOW_MS = 20_000;
/** Workers compile what is hot, then the load is steady. */
const SETTLING_MS = 3000;

interface Place {
  readonly folder: string;
}

/** Runs `work` with a state folder of its own, removed afterwards. */
async function withPlace<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'crategen-bench-'));
  try {
    return await work({ folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function start(args: readonly string[], place: Place) {
  return startNode([BIN, ...args], place);
}

function startNode(args: readonly string[], { folder }: Place) {
  return execa(process.execPath, args, {
    env: { XDG_STATE_HOME: folder, NO_COLOR: '1' },
    stdin: 'ignore',
    reject: false,
    timeout: 300_000,
    maxBuffer: 2 ** 26,
  });
}

type Command = ReturnType<typeof startNode>;

/** The command's result, which must be a good one. */
async function finished(command: Command): Promise<string> {
  const result = await command;
  if (result.exitCode !== 0)
    throw new Error(`${result.command} ended with ${result.exitCode}: ${String(result.stderr)}`);
  return String(result.stdout);
}

/** Process start to the first INSERT at the target, to running with its own sandbox, and to the end of `--help`. */
export async function startFigures(sandbox: SandboxProcess, samples: number): Promise<Figure[]> {
  const watch = await watchInserts(sandbox.url);
  const measured: Record<'insert' | 'embedded' | 'help' | 'node', number[]> = {
    insert: [],
    embedded: [],
    help: [],
    node: [],
  };
  await withPlace(async (place) => {
    await secondsToEnd(start(['--help'], place));
    for (let sample = 0; sample < samples; sample += 1) {
      measured.insert.push(await secondsToInsert(watch, place));
      measured.embedded.push(await secondsToRunning(place));
      measured.help.push(await secondsToEnd(start(['--help'], place)));
      measured.node.push(await secondsToEnd(startNode(['-e', '0'], place)));
    }
  });
  await watch.close();
  return [
    figure(START_GROUP, 'process start to the first INSERT', 's', measured.insert, atMost(0.3, 'G7')),
    figure(START_GROUP, 'the same until running, with --sandbox', 's', measured.embedded),
    figure(START_GROUP, '--help', 's', measured.help, atMost(0.15, 'G7')),
    figure(START_GROUP, 'an empty Node process', 's', measured.node),
  ];
}

async function secondsToInsert(watch: InsertWatch, place: Place): Promise<number> {
  const insert = watch.begin();
  const startedMs = performance.now();
  const command = start(
    ['cluster', '--url', watch.url, '--procs', '2', '--rows', '20k', '--live', 'off'],
    place,
  );
  const atMs = await Promise.race([insert, finished(command).then(() => insert)]);
  await finished(command);
  return (atMs - startedMs) / 1000;
}

async function secondsToRunning(place: Place): Promise<number> {
  const startedMs = performance.now();
  const command = start(['cluster', '--sandbox', '--procs', '2', '--rows', '2k', '--live', 'lines'], place);
  await said(command, 'phase=running');
  const seconds = (performance.now() - startedMs) / 1000;
  await finished(command);
  return seconds;
}

async function secondsToEnd(command: Command): Promise<number> {
  const startedMs = performance.now();
  await finished(command);
  return (performance.now() - startedMs) / 1000;
}

/** Resolves when stderr has held `words`; rejects when the command ends before. */
async function said(command: Command, words: string): Promise<void> {
  let text = '';
  const shown = new Promise<void>((resolve) => {
    command.stderr.on('data', (piece: Buffer) => {
      text += piece.toString();
      if (text.includes(words)) resolve();
    });
  });
  const ended = command.then((result): never => {
    throw new Error(`ended (${result.exitCode ?? ''}) before it said ${words}: ${result.stderr}`);
  });
  await Promise.race([shown, ended]);
}

/** Peak resident memory of the workers at defaults, and of their parent, as the kernel kept it. */
export async function memoryFigures(sandbox: SandboxProcess, samples: number): Promise<Figure[]> {
  const [workers, parents]: [number[], number[]] = [[], []];
  await withPlace(async (place) => {
    for (let sample = 0; sample < samples; sample += 1) {
      const args = ['cluster', '--url', sandbox.url, '--duration', MEMORY_RUN, '--json', '--live', 'off'];
      const run = parseRunFile(await finished(start(args, place)), 'the output of cluster');
      workers.push(
        Math.max(...run.workers.map((worker) => worker.memory.residentBytesMax ?? Number.NaN)) / MEGABYTE,
      );
      parents.push((run.coordinator.memory.residentBytesMax ?? Number.NaN) / MEGABYTE);
    }
  });
  return [
    figure(COST_GROUP, 'peak memory of the larger worker, defaults', 'MB', workers, atMost(115, 'G6')),
    figure(COST_GROUP, 'peak memory of the parent, defaults', 'MB', parents),
  ];
}

/** CPU of the parent with eight workers at a steady rate, window by window of one run, seen from outside. */
export async function parentFigures(sandbox: SandboxProcess, windows: number): Promise<Figure[]> {
  const percents = await withPlace(async (place): Promise<number[]> => {
    const seconds = (SETTLING_MS + windows * STEADY_WINDOW_MS) / 1000 + 2;
    const load = [
      '--procs',
      String(STEADY_PROCS),
      '--rate',
      String(STEADY_ROWS_PER_SECOND),
      '--duration',
      `${seconds}s`,
    ];
    const command = start(['cluster', '--url', sandbox.url, '--live', 'lines', '--json', ...load], place);
    await said(command, 'phase=running');
    await sleep(SETTLING_MS);
    const found: number[] = [];
    for (let window = 0; window < windows; window += 1)
      found.push(...(await cpuPercentOver(command.pid ?? 0, STEADY_WINDOW_MS)));
    await finished(command);
    return found;
  });
  const name = `CPU of the parent, ${STEADY_PROCS} workers at ${STEADY_ROWS_PER_SECOND} rows/s`;
  return percents.length === 0 ? [] : [figure(COST_GROUP, name, '% of a core', percents, atMost(1, 'G9'))];
}

/** None where the kernel does not tell. */
async function cpuPercentOver(pid: number, windowMs: number): Promise<number[]> {
  const [before, startedMs] = [cpuSecondsOf(pid), performance.now()];
  await sleep(windowMs);
  const after = cpuSecondsOf(pid);
  if (before === null || after === null) return [];
  return [((after - before) / ((performance.now() - startedMs) / 1000)) * 100];
}
