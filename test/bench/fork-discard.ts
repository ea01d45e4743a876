/** The cheap target as a process of its own, so that what it costs is counted beside the client and not in it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DiscardReady, DiscardTask } from './discard-target.ts';

export interface DiscardProcess {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const ENTRY = join(import.meta.dirname, 'discard-target.ts');

/** Starts a target for requests of `task.rows` rows. Throws when it ends before it listens. */
async function forkDiscard(task: DiscardTask): Promise<DiscardProcess> {
  const child = fork(ENTRY, [JSON.stringify(task)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const port = await Promise.race([
    portOf(child),
    exited.then((): never => {
      throw new Error('the discarding target ended before it listened');
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}

/** Works with a target of its own, which ends with it. */
export async function withDiscard<T>(
  task: DiscardTask,
  work: (target: DiscardProcess) => Promise<T>,
): Promise<T> {
  const target = await forkDiscard(task);
  try {
    return await work(target);
  } finally {
    await target.stop();
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const [message]: unknown[] = await once(child, 'message');
  // Written by discard-target.ts, of the same build.
  return (message as DiscardReady).port;
}
