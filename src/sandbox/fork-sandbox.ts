/** The sandbox as a process of its own, so that what it costs is not counted as the client's. */
import { fork, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { childEnvironment } from '../base/child-environment.ts';
import { TargetError, UsageError } from '../base/errors.ts';
import type { SandboxOptions } from './server.ts';

export interface SandboxProcess {
  readonly url: string;
  readonly pid: number;
  /** Ends the process and waits until it is gone. Calling it again waits for the same end. */
  stop(): Promise<void>;
}

/** From the child, once: where it listens, or why it does not. */
export type SandboxReport =
  | { readonly type: 'ready'; readonly url: string }
  | {
      readonly type: 'failed';
      readonly kind: 'usage' | 'target';
      readonly message: string;
      readonly hint: string | null;
    };

/** To the child: its options first, `stop` at the end. */
export type SandboxOrder =
  { readonly type: 'start'; readonly options: SandboxOptions } | { readonly type: 'stop' };

/** As source or as built, where this file is in another folder of the same depth. */
const SANDBOX_ENTRY = new URL(`../sandbox/main${extname(import.meta.filename)}`, import.meta.url);

const START_DEADLINE_MS = 10_000;
const STOP_DEADLINE_MS = 5000;

/** Throws what `startSandbox` throws, and TargetError when the process does not come up. */
export async function forkSandbox(options: SandboxOptions = {}): Promise<SandboxProcess> {
  const child = fork(SANDBOX_ENTRY, [], {
    // Flags such as --inspect stay with the parent.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // Infinity in a fault's window survives only this way.
    serialization: 'advanced',
    env: childEnvironment(process.env),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await started(child, options);
  // An open channel would keep the parent alive for a child that ends with it anyway.
  child.channel?.unref();
  child.unref();
  let stopping: Promise<void> | null = null;
  return {
    url,
    pid: child.pid ?? 0,
    stop: () => (stopping ??= stop(child, exited)),
  };
}

function started(child: ChildProcess, options: SandboxOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(deadline);
      child.off('error', onError).off('exit', onExit).off('message', onMessage);
    };
    const fail = (error: Error): void => {
      settle();
      child.kill('SIGKILL');
      reject(error);
    };
    const onError = (cause: Error): void =>
      fail(new TargetError('the sandbox could not be started', { cause }));
    const onExit = (code: number | null, signal: string | null): void => {
      fail(new TargetError(`the sandbox exited before it was ready: code ${code}, signal ${signal}`));
    };
    const onMessage = (message: unknown): void => {
      const report = parseReport(message);
      if (report?.type !== 'ready') return fail(failureOf(report));
      settle();
      resolve(report.url);
    };
    const deadline = setTimeout(
      () =>
        fail(
          new TargetError(`the sandbox (pid ${child.pid ?? 0}) was not ready after ${START_DEADLINE_MS} ms`),
        ),
      START_DEADLINE_MS,
    );
    child.on('error', onError).on('exit', onExit).on('message', onMessage);
    child.send({ type: 'start', options } satisfies SandboxOrder);
  });
}

function parseReport(message: unknown): SandboxReport | null {
  if (typeof message !== 'object' || message === null || !('type' in message)) return null;
  if (message.type === 'ready' && 'url' in message && typeof message.url === 'string')
    return { type: 'ready', url: message.url };
  if (message.type !== 'failed' || !('message' in message) || typeof message.message !== 'string')
    return null;
  const hint = 'hint' in message && typeof message.hint === 'string' ? message.hint : null;
  return {
    type: 'failed',
    kind: 'kind' in message && message.kind === 'usage' ? 'usage' : 'target',
    message: message.message,
    hint,
  };
}

function failureOf(report: SandboxReport | null): Error {
  if (report?.type !== 'failed') return new TargetError('the sandbox sent something else than its report');
  const facts = { hint: report.hint ?? undefined };
  return report.kind === 'usage'
    ? new UsageError(report.message, facts)
    : new TargetError(report.message, facts);
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  if (child.connected) child.send({ type: 'stop' } satisfies SandboxOrder, () => undefined);
  await exited;
  clearTimeout(deadline);
}
