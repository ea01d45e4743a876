/**
 * Entry of the sandbox's own process: what must be there at once. It outlives every signal to its group and ends when
 * its parent says so, or when the parent is gone and no client is connected any more.
 */
import { useKeptCode } from '../base/kept-code.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
const { promise: orphaned, resolve: orphan } = Promise.withResolvers<void>();
process.once('disconnect', orphan);

useKeptCode('sandbox-process');
void import('./forked-sandbox.ts').then(({ serveParent }) => serveParent(orphaned));
