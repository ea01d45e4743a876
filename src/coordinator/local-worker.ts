/** A worker within the coordinator's own process, for `single`: a file of its own, because `cluster` needs none of it. */
import { systemClock } from '../base/clock.ts';
import { connectTarget } from '../cratedb/connect-target.ts';
import { localLinks } from '../protocol/link.ts';
import type { DownMessage, UpMessage } from '../protocol/messages.ts';
import { type WorkerParts, startWorker } from '../worker/worker.ts';
import type { SpawnWorker, WorkerExit } from './worker-process.ts';

/** Runs the worker in this process: same messages, same loop, no fork. */
export function localSpawner(
  parts: WorkerParts = { clock: systemClock, random: Math.random, connect: connectTarget },
): SpawnWorker {
  return () => {
    const { parent, child } = localLinks<DownMessage, UpMessage>();
    const worker = startWorker(child, parts);
    const exited = worker.ended.then((how): WorkerExit => ({
      code: how === 'well' ? 0 : 1,
      signal: null,
      lastWords: '',
    }));
    // There is no process to kill but our own: both signals ask the loop to end.
    return { pid: process.pid, link: parent, kill: () => worker.terminate(), exited };
  };
}
