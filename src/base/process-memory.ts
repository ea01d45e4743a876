/** What the kernel says of this process's memory. */
import { readFileSync } from 'node:fs';

const HIGH_WATER_MARK = /^VmHWM:\s*(\d+) kB$/m;

/**
 * The most memory in bytes that this process has had resident. `maxRSS` of `resourceUsage` is not it on Linux: a
 * forked process begins with its parent's.
 */
export function residentBytesMax(): number {
  try {
    const mark = HIGH_WATER_MARK.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    if (mark !== undefined) return Number(mark) * 1024;
  } catch {
    // No Linux, or /proc is hidden: what is left is the kernel's other account.
  }
  return process.resourceUsage().maxRSS * 1024;
}
