/**
 * The built command as a user runs it: a real process with its own state folder, watched through its lines, its
 * children and the sandbox it writes to.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext } from 'node:test';
import { execa } from 'execa';
import type { Clock } from '../../src/base/clock.ts';
import { parseRunFile } from '../../src/report/run-file.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { type Fault, parseFault } from '../../src/sandbox/faults.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/server.ts';

export const BIN = join(import.meta.dirname, '../../bin/run.js');
/** Longer than any test may take, more against a slow server: a command that hangs fails its test with what it said. */
const COMMAND_TIMEOUT_MS = Number(process.env['CRATEGEN_COMMAND_TIMEOUT_MS'] ?? 60_000);

export interface Home {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** State and cache folders of the test's own, removed after it. */
export async function home(context: Pick<TestContext, 'after'>): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'crategen-e2e-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return {
    folder,
    env: { XDG_STATE_HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), NO_COLOR: '1', COLUMNS: '120' },
  };
}

export function faults(...texts: string[]): Fault[] {
  return texts.map((text) => {
    const fault = parseFault(text);
    if ('problem' in fault) throw new Error(fault.problem);
    return fault;
  });
}

/** A sandbox in this process, so that tests can look into it; ended after the test. `clock` is that of its faults. */
export async function sandboxFor(
  context: Pick<TestContext, 'after'>,
  options: SandboxOptions = {},
  clock?: Clock,
): Promise<Sandbox> {
  const sandbox = await startSandbox(options, clock);
  context.after(() => sandbox.close());
  return sandbox;
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
    timeout: COMMAND_TIMEOUT_MS,
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

/** Living children of a process, by /proc. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat !== null && stat.parent === parent && stat.state !== 'Z';
    });
}

/** The parent has other children for a moment: the first look at its processes asks two programs about the system. */
export function isWorker(pid: number): boolean {
  // As it was started, or by the title that it gives itself.
  return /worker\/main\.|^crategen worker/.test(commandLine(pid));
}

/** With NUL between its words; empty of a process that is gone. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.state !== 'Z';
}

function statOf(pid: number): { state: string; parent: number } | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return { state: fields[0] ?? '', parent: Number(fields[1]) };
  } catch {
    return null;
  }
}

/** Looks until it is true; the test's own time limit ends the looking. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Rows of a run in the sandbox's table. */
export function storedRows(sandbox: Sandbox, table = 'crategen.records'): number {
  return sandbox.rows()[table] ?? 0;
}

/** The common part of all e2e runs: small, JSON, no screen. */
export function cluster(sandbox: Pick<Sandbox, 'url'>, ...args: string[]): string[] {
  return ['cluster', '--url', sandbox.url, '--json', '--live', 'lines', '--procs', '2', ...args];
}
