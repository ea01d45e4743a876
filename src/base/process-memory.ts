/**
 * What the kernel says of a process's memory, and of its waiting for a core. Its texts are ASCII, read as UTF-8: that is
 * one native call of Node's.
 */
import { readFileSync } from 'node:fs';

const HIGH_WATER_MARK = /^VmHWM:\s*(\d+) kB$/m;

/**
 * The most memory in bytes that this process has had resident. `maxRSS` of `resourceUsage` is not it on Linux: a
 * forked process begins with its parent's.
 */
export function residentBytesMax(): number {
  return residentBytesMaxOf('self') ?? process.resourceUsage().maxRSS * 1024;
}

/** The same of another process; null when it is gone, or where the kernel does not tell. */
export function residentBytesMaxOf(pid: number | 'self'): number | null {
  try {
    const kibibytes = HIGH_WATER_MARK.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    // Gone, no Linux, or /proc is hidden.
    return null;
  }
}

/**
 * Milliseconds in which this process was ready to run and waited for a core (its main thread, since it began); null
 * where the kernel does not count it.
 */
export function coreWaitMs(): number | null {
  try {
    const waitedNs = /^\d+ (\d+) /.exec(readFileSync('/proc/self/schedstat', 'utf8'))?.[1];
    return waitedNs === undefined ? null : Number(waitedNs) / 1e6;
  } catch {
    // No Linux, or one without scheduler statistics.
    return null;
  }
}
