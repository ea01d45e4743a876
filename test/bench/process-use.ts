/** What the kernel says of another process. Linux only: elsewhere a figure is not measured. */
import { readFileSync, readdirSync } from 'node:fs';

/** USER_HZ, 100 on every Linux that runs Node. */
const TICKS_PER_SECOND = 100;

/** CPU time of all threads of a process so far, to 10 ms; null when it cannot be read. */
export function cpuSecondsOf(pid: number): number | null {
  try {
    // The name, in parentheses, may hold blanks; utime and stime are fields 14 and 15.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    // Gone, or no Linux: there is nothing to be had.
    return null;
  }
}

/**
 * The same of the threads that it has now, to a microsecond; null when it cannot be read. A thread that has ended is
 * not in it: of a Node process that goes on, none has.
 */
export function threadCpuSecondsOf(pid: number): number | null {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const ns = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    );
    return ns.reduce((sum, each) => sum + each, 0) / 1e9;
  } catch {
    // Gone, no Linux, or a kernel without these statistics.
    return null;
  }
}
