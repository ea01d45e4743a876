/** What the built command costs as a user runs it before the first row: start-up and `--help`; and how to run it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { SandboxProcess } from '../../src/sandbox/fork-sandbox.ts';
import { BIN } from '../support/built-command.ts';
import { type Figure, atMost, figure } from './figures.ts';
import { type InsertWatch, watchInserts } from './insert-watch.ts';

const START_GROUP = 'Start-up (built command, 2 processes)';

export interface Place {
  readonly folder: string;
}

/** Runs `work` with a state folder of its own, removed afterwards. */
export async function withPlace<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'crategen-bench-'));
  try {
    return await work({ folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts the built command, `crategen ARGS`, which keeps its files in `place`. */
export function start(args: readonly string[], place: Place) {
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

export type Command = ReturnType<typeof startNode>;

/** What the command printed; throws unless it ended well. */
export async function finished(command: Command): Promise<string> {
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
export async function said(command: Command, words: string): Promise<void> {
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
