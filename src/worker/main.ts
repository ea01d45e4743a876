/** Entry of a forked worker process: its line is the IPC channel, its signals follow the stop ladder. */
import { systemClock } from '../base/clock.ts';
import { connectTarget } from '../cratedb/connect-target.ts';
import { ipcLink } from '../protocol/link.ts';
import type { UpMessage } from '../protocol/messages.ts';
import { startWorker } from './worker.ts';

if (process.send !== undefined) {
  process.title = 'crategen worker';
  // Ctrl-C and a closing terminal reach the whole process group; only the coordinator decides what they mean.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  const worker = startWorker(ipcLink<UpMessage>(process), {
    clock: systemClock,
    random: Math.random,
    connect: connectTarget,
  });
  process.on('SIGTERM', () => worker.terminate());
  void worker.ended.then((how) => (process.exitCode = how === 'well' ? 0 : 1));
}
