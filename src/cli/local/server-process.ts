/**
 * A CrateDB node as a process of its own session, which outlives the command that started it: started, recognised
 * again by PID and start time, and ended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import type { Clock } from '../../base/clock.ts';
import { childEnvironment } from '../../base/child-environment.ts';
import { TargetError, UsageError, messageOf, systemCodeOf } from '../../base/errors.ts';
import type { LocalNode } from './local-cluster.ts';

export type ProcessNode = Extract<LocalNode, { readonly kind: 'process' }>;

/** A user as the kernel knows it. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

const PROBE_TIMEOUT_MS = 5000;
const TERM_TO_KILL_MS = 30_000;
const KILL_TO_GONE_MS = 5000;
const LOOK_EVERY_MS = 100;
/** What a user may want to hand on to the server; everything else of our own is not its business. */
const SERVER_VARIABLES = ['CRATE_JAVA_OPTS', 'CRATE_GC_LOG_DIR', 'CRATE_DISABLE_GC_LOGGING'] as const;

export interface ProcessStart {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly log: string;
  readonly heap: string;
  readonly runAs: RunAs | null;
}

/** Starts a node; throws TargetError when there is no process of it. That it answers is for others to find out. */
export async function startProcess(start: ProcessStart): Promise<ProcessNode> {
  const log = openSync(start.log, 'w', 0o600);
  const handedOn = Object.fromEntries(
    SERVER_VARIABLES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  try {
    // Not by execa, which keeps streams and an exit handler for a child that is to outlive this process.
    const child = spawn(start.program, start.args, {
      cwd: start.folder,
      env: { ...childEnvironment(process.env), ...handedOn, CRATE_HEAP_SIZE: start.heap },
      // A session of its own: Ctrl-C on this terminal is not for the server.
      detached: true,
      stdio: ['ignore', log, log],
      ...start.runAs,
    });
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid ?? 0;
    return { kind: 'process', pid, began: (await beganOf(pid)) ?? '', log: start.log };
  } catch (cause) {
    throw new TargetError(`${start.program} could not be started: ${messageOf(cause)}`, { cause });
  } finally {
    closeSync(log);
  }
}

/** Whether the process is the one that was started, and not a later one of the same PID. */
export async function isRunning(node: ProcessNode): Promise<boolean> {
  const began = await beganOf(node.pid);
  return began !== null && began === node.began;
}

/** When a process began, in the kernel's own form; null for none. A zombie has ended. */
async function beganOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      return fields[0] === 'Z' ? null : (fields[19] ?? null);
    } catch {
      // No such process.
      return null;
    }
  }
  const { failed, stdout } = await execa('ps', ['-o', 'lstart=', '-p', String(pid)], {
    reject: false,
    stdin: 'ignore',
    timeout: PROBE_TIMEOUT_MS,
  });
  return failed || stdout.trim() === '' ? null : stdout.trim();
}

/** How a node ended: it had already, on SIGTERM, or only on SIGKILL. */
export type ProcessEnd = 'gone' | 'stopped' | 'killed' | 'stays';

/** SIGTERM to the node's session, SIGKILL when that was not heard for 30 s. */
export async function stopProcess(node: ProcessNode, clock: Clock): Promise<ProcessEnd> {
  if (!(await isRunning(node))) return 'gone';
  signal(node, 'SIGTERM');
  if (await endsWithin(node, clock, TERM_TO_KILL_MS)) return 'stopped';
  signal(node, 'SIGKILL');
  return (await endsWithin(node, clock, KILL_TO_GONE_MS)) ? 'killed' : 'stays';
}

/** To the whole group: a script that started Java and waits for it must not leave it behind. */
function signal(node: ProcessNode, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-node.pid, name);
  } catch (error) {
    if (systemCodeOf(error) !== 'ESRCH')
      throw new TargetError(`pid ${node.pid} cannot be stopped`, { cause: error });
  }
}

async function endsWithin(node: ProcessNode, clock: Clock, limitMs: number): Promise<boolean> {
  const endMs = clock.monotonicMs() + limitMs;
  while (clock.monotonicMs() < endMs) {
    if (!(await isRunning(node))) return true;
    await clock.sleep(LOOK_EVERY_MS);
  }
  return false;
}

/** The user named by `--run-as`; throws UsageError when this host does not know it. */
export async function lookUpUser(name: string): Promise<RunAs> {
  const ids = await Promise.all(
    ['-u', '-g'].map(async (flag) => {
      const { failed, stdout } = await execa('id', [flag, '--', name], {
        reject: false,
        stdin: 'ignore',
        timeout: PROBE_TIMEOUT_MS,
      });
      return failed || !/^\d+$/.test(stdout.trim()) ? null : Number(stdout.trim());
    }),
  );
  const [uid = null, gid = null] = ids;
  if (uid === null || gid === null) throw new UsageError(`--run-as ${name}: expected a user of this host`);
  if (uid === 0)
    throw new UsageError(`--run-as ${name}: expected a user other than root, which CrateDB refuses`);
  return { uid, gid };
}
