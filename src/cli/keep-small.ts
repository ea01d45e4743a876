/** The memory of a coordinator: next to workers that send rows, every megabyte of the parent is one too many. */
import { keepToOneThread } from '../base/one-thread.ts';

/** What a run needs of Node. */
const NEEDED = [
  'node:assert',
  'node:child_process',
  'node:crypto',
  'node:dns/promises',
  'node:fs/promises',
  'node:net',
  'node:os',
  'node:perf_hooks',
  'node:readline',
  'node:stream',
  'node:tty',
];

/**
 * One thread, and a space for young objects that stays as it is at the start: 15 MB less for a process that is busy for
 * moments only. To be called before anything large is loaded, and not where much is computed.
 */
export function keepSmall(): void {
  keepToOneThread(NEEDED, ['--semi-space-growth-factor=1']);
}
