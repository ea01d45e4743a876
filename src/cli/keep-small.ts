/** The memory of a coordinator: next to workers that send rows, every megabyte of the parent is one too many. */
// What a run needs of Node, before the flags: the code that Node brings compiled fits no others, and without it loading
// these takes twice as long.
import 'node:assert';
import 'node:child_process';
import 'node:crypto';
import 'node:dns/promises';
import 'node:fs/promises';
import 'node:net';
import 'node:os';
import 'node:perf_hooks';
import 'node:readline';
import 'node:stream';
import 'node:tty';
import { setFlagsFromString } from 'node:v8';

/**
 * To be called before anything large is imported, and not where much is computed. The space for young objects stays as
 * it is at the start: 15 MB less for a process that is busy for moments only. Compiling and collecting is left to the
 * main thread, which has time, in one go each: other threads need memory of their own, and small steps take longer.
 */
export function keepSmall(): void {
  for (const flag of ['--semi-space-growth-factor=1', '--efficiency-mode', '--no-incremental-marking'])
    setFlagsFromString(flag);
}
