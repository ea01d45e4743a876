/**
 * The built command as a user runs it: a real process with its own state folder, watched through its lines, its
 * children and the sandbox it writes to.
 */
import { join } from 'node:path';
import { type TestContext } from 'node:test';
import { execa } from 'execa';
import { parseRunFile } from '../../src/report/run-file.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { type Sandbox } from '../../src/sandbox/server.ts';
import { folderFor } from './folder.ts';
import { childrenOf, commandLine, isWorker } from './processes.ts';
import { HANGS_AFTER_MS } from './until.ts';

export const BIN = join(import.meta.dirname, '../../bin/run.js');

export interface Home {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** State and cache folders of the test's own, removed after it. */
export async function home(context: Pick<TestContext, 'after'>): Promise<Home> {
  const folder = folderFor(context);
  return {
    folder,
    env: { XDG_STATE_HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), NO_COLOR: '1', COLUMNS: '120' },
  };
}

export interface Command {
  readonly pid: number;
  /** Stops reading what it prints, as a reader that went away. */
  closePipes(): void;
  /** Resolves when stderr has shown a line that matches, with that line. */
  line(pattern: RegExp): Promise<string>;
  /** PIDs of the worker processes that live now. */
  workers(): number[];
  /** PID of the embedded sandbox; undefined when none lives now. */
  sandbox(): number | undefined;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The run file that `--json` printed; throws when there is none. */
  run(): RunFile;
}

/** Starts `crategen ARGS`; `under` is a program, with its arguments, that starts it in turn. */
export function crategen(
  args: readonly string[],
  { env }: Pick<Home, 'env'>,
  more: {
    readonly input?: string;
    readonly nodeArgs?: readonly string[];
    readonly under?: readonly string[];
  } = {},
): Command {
  const [program = process.execPath, ...programArgs] = more.under ?? [];
  const node = more.under === undefined ? [] : [process.execPath];
  const child = execa(program, [...programArgs, ...node, ...(more.nodeArgs ?? []), BIN, ...args], {
    env: { ...env },
    extendEnv: true,
    reject: false,
    timeout: HANGS_AFTER_MS,
    stdin: more.input === undefined ? 'ignore' : 'pipe',
    ...(more.input === undefined ? {} : { input: more.input }),
    maxBuffer: 64 * 2 ** 20,
  });
  const pid = child.pid ?? 0;
  let said = '';
  let watchers: { pattern: RegExp; resolve: (line: string) => void }[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    watchers = watchers.filter(({ pattern, resolve }) => {
      const found = said.split('\n').find((line) => pattern.test(line));
      if (found !== undefined) resolve(found);
      return found === undefined;
    });
  });
  const ended = child.then((result): Ended => ({
    code: result.exitCode ?? null,
    signal: result.signal ?? null,
    stdout: String(result.stdout ?? ''),
    stderr: String(result.stderr ?? ''),
    run: () =>
      parseRunFile(
        String(result.stdout ?? ''),
        `the output of ${args[0] ?? ''} (stderr: ${String(result.stderr)})`,
      ),
  }));
  return {
    pid,
    closePipes() {
      child.stderr?.destroy();
      child.stdout?.destroy();
    },
    async line(pattern) {
      const found = said.split('\n').find((line) => pattern.test(line));
      if (found !== undefined) return found;
      const shown = new Promise<string>((resolve) => watchers.push({ pattern, resolve }));
      const early = ended.then((result): never => {
        throw new Error(`ended (${result.code}) before it said ${pattern}:\n${result.stderr}`);
      });
      return await Promise.race([shown, early]);
    },
    workers: () => childrenOf(pid).filter(isWorker),
    sandbox: () => childrenOf(pid).find((child) => /sandbox\/main\./.test(commandLine(child))),
    kill: (signal) => void process.kill(pid, signal),
    ended,
  };
}

/** Runs a command to its end. */
export async function run(
  args: readonly string[],
  place: Pick<Home, 'env'>,
  more: { readonly input?: string } = {},
): Promise<Ended> {
  return await crategen(args, place, more).ended;
}

/** The common part of all e2e runs: small, JSON, no screen. */
export function cluster(sandbox: Pick<Sandbox, 'url'>, ...args: string[]): string[] {
  return ['cluster', '--url', sandbox.url, '--json', '--live', 'lines', '--procs', '2', ...args];
}
