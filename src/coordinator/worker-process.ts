/**
 * One worker as a process: forked here, or for `single` within this one (`local-worker.ts`). Both give a line, a way to
 * signal, and the news of its end.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { childEnvironment } from '../base/child-environment.ts';
import { messageOf } from '../base/errors.ts';
import { type HostFacts, usableCores } from '../base/host.ts';
import { printable } from '../base/text.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { type Link, ipcLink, localLinks } from '../protocol/link.ts';
import type { DownMessage, UpMessage } from '../protocol/messages.ts';

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last of what it wrote to stderr, printable; '' when it said nothing. */
  readonly lastWords: string;
}

export interface WorkerProcess {
  /** Null when it could not be started. */
  readonly pid: number | null;
  readonly link: Link<DownMessage>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  readonly exited: Promise<WorkerExit>;
}

export type SpawnWorker = () => WorkerProcess;

/** Few objects live long in a worker: a small nursery saves it 20 MB and costs it nothing. */
const WORKER_FLAGS = ['--max-semi-space-size=2'];
/** A worker has one thread that matters: glibc's further arenas would cost it 15 MB. Elsewhere it says nothing. */
const WORKER_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };
/** How long the last of stderr may come after the end of its process. */
const LAST_WORDS_WAIT_MS = 250;
/** Enough for the message of an uncaught error. */
const MAX_LAST_WORDS = 2000;

/** The entry beside this file's room, as source or as built. */
const WORKER_ENTRY = new URL(`../worker/main${extname(import.meta.filename)}`, import.meta.url);

/** Forks worker processes; `entry` is for tests that want a worker which misbehaves. */
export function forkingSpawner(entry: URL = WORKER_ENTRY): SpawnWorker {
  return () => {
    let child: ChildProcess;
    try {
      child = fork(entry, [], {
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env: { ...WORKER_ENVIRONMENT, ...childEnvironment(process.env) },
        execArgv: WORKER_FLAGS,
      });
    } catch (error) {
      // Some reasons (no memory, say) are thrown, others come as an event: both are a worker that died at birth.
      return unborn(error);
    }
    let lastWords = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-MAX_LAST_WORDS);
    });
    const exited = new Promise<WorkerExit>((resolve) => {
      child.on('error', (error) =>
        resolve({ code: null, signal: null, lastWords: printable(messageOf(error)) }),
      );
      // `close` comes after `exit` and after the last of stderr; where the line was cut from here first, it may
      // not come at all.
      const ended = (code: number | null, signal: string | null): void =>
        resolve({ code, signal, lastWords: lastErrorLine(lastWords) });
      let wait: NodeJS.Timeout | undefined;
      child.on('exit', (code, signal) => {
        wait = setTimeout(() => ended(code, signal), LAST_WORDS_WAIT_MS);
      });
      child.on('close', (code, signal) => {
        clearTimeout(wait);
        ended(code, signal);
      });
    });
    return {
      pid: child.pid ?? null,
      link: ipcLink<DownMessage>(child),
      kill: (signal) => void child.kill(signal),
      exited,
    };
  };
}

function unborn(error: unknown): WorkerProcess {
  const exit = { code: null, signal: null, lastWords: printable(messageOf(error)) };
  const { parent } = localLinks<DownMessage, UpMessage>();
  return { pid: null, link: parent, kill: () => undefined, exited: Promise.resolve(exit) };
}

/** Workers that are there before they are needed. */
export interface WorkerStock {
  /** Takes one of them; forks when none is left. */
  readonly spawn: SpawnWorker;
  /** Lets those end that nobody took. */
  release(): void;
}

/**
 * Forks `count` workers that wait to be told what to do: Node starts in them while the run is prepared, which
 * brings the first insert forward. One that dies while it waits is taken, found dead and replaced like any other.
 */
export function forkAhead(spawn: SpawnWorker, count: number): WorkerStock {
  const waiting = Array.from({ length: count }, spawn);
  return {
    spawn: () => waiting.shift() ?? spawn(),
    release() {
      for (const worker of waiting.splice(0)) worker.link.disconnect();
    },
  };
}

/** For one run: as many as the cores can start at once are forked now, the others when they are needed; `single` forks none. */
export async function stockWorkers({ command, load }: RunPlan, host: HostFacts): Promise<WorkerStock> {
  if (command !== 'single') return forkAhead(forkingSpawner(), Math.min(load.procs, usableCores(host)));
  const { localSpawner } = await import('./local-worker.ts');
  return forkAhead(localSpawner(), 0);
}

/** Of an uncaught error's text, the line that names it. */
function lastErrorLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return printable(lines.find((line) => /^\S*Error\b/.test(line)) ?? lines.at(-1) ?? '');
}
