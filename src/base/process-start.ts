/**
 * Which process it was: a number is given again once its process is gone, in a container that starts anew at once. The
 * moment of the start, as the kernel counts it, is the other half of a name.
 */
import { readFileSync } from 'node:fs';

/** Clock ticks from the boot of the host to the start of a process; null when it is gone, or without /proc. */
export function startTicksOf(pid: number): number | null {
  try {
    // The second field is the name of the program, in brackets, and may hold anything; the 22nd is the start.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const ticks = Number(fields[22 - 3]);
    return Number.isSafeInteger(ticks) && ticks > 0 ? ticks : null;
  } catch {
    return null;
  }
}
