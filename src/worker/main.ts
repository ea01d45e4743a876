/** Entry of a forked worker process: what must be there at once. The rest is loaded with the code that was kept. */
import { useKeptCode } from '../base/kept-code.ts';
import { keepToOneThread } from '../base/one-thread.ts';

/** What a worker needs of Node. */
const NEEDED = ['node:fs/promises', 'node:net', 'node:perf_hooks'];

if (process.send !== undefined) {
  process.title = 'crategen worker';
  // Ctrl-C and a closing terminal reach the whole process group; only the coordinator decides what they mean.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  keepToOneThread(NEEDED);
  useKeptCode('worker-process');
  void import('./forked-worker.ts');
}
