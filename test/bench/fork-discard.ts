/** The cheap target as a process of its own, so that what it costs is counted beside the client and not in it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { execa } from 'execa';
import { discardAnswers } from './discard-answers.ts';
import type { DiscardReady, DiscardTask } from './discard-target.ts';
import { compileC, removeProgram } from './native/compile.ts';

export interface DiscardProcess {
  readonly url: string;
  readonly pid: number;
}

const ENTRY = join(import.meta.dirname, 'discard-target.ts');
const NATIVE = join(import.meta.dirname, 'native/discard-bodies.c');

/** Starts a target for requests of `task.rows` rows. Throws when it ends before it listens. */
async function forkDiscard(task: DiscardTask): Promise<DiscardProcess & { stop(): Promise<void> }> {
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

/**
 * Works with a target that is written in C and copies no body; null, with a line on standard error, without a
 * compiler. The machine's two cores are the client's and the target's: what the one takes the other lacks.
 */
export async function withNativeDiscard<T>(
  task: DiscardTask,
  work: (target: DiscardProcess) => Promise<T>,
): Promise<T | null> {
  const program = await compileC({ file: NATIVE });
  if (program === null) return null;
  const { reply, greeting } = discardAnswers(task.rows);
  const child = execa(program, [task.latencyMs, reply.length, greeting.length].map(String), {
    stdin: 'pipe',
  });
  try {
    child.stdin.write(Buffer.concat([reply, greeting]));
    const [said]: unknown[] = await Promise.race([once(child.stdout, 'data'), child.then(() => [])]);
    return await work({
      url: `http://127.0.0.1:${String(said).trim()}`,
      pid: child.pid ?? 0,
    });
  } finally {
    child.stdin.end();
    await child;
    await removeProgram(program);
  }
}
