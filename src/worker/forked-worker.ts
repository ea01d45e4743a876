/** A worker in a process of its own: its line is the IPC channel, its signals follow the stop ladder. */
import { systemClock } from '../base/clock.ts';
import { connectTarget } from '../cratedb/connect-target.ts';
import { ipcLink } from '../protocol/link.ts';
import type { UpMessage } from '../protocol/messages.ts';
import { startWorker } from './worker.ts';

const worker = startWorker(ipcLink<UpMessage>(process), {
  clock: systemClock,
  random: Math.random,
  connect: connectTarget,
});
process.on('SIGTERM', () => worker.terminate());
void worker.ended.then((how) => (process.exitCode = how === 'well' ? 0 : 1));
