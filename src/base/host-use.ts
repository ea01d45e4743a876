/**
 * What this host has done so far, as cumulative counters to take differences of: how busy its cores were, how long the
 * container was stopped at its CPU limit, how many bytes its interfaces carried. Null where the system does not tell.
 */
import { join } from 'node:path';
import { LINUX_FOLDERS, type HostFolders, cgroupFolders, readText } from './host.ts';

export interface HostUse {
  /** Of all cores together. */
  readonly busyMs: number | null;
  /** Of the cgroup that was stopped longest. */
  readonly throttledMs: number | null;
  /** Over all interfaces, the loopback one included. */
  readonly receivedBytes: number | null;
  readonly sentBytes: number | null;
}

/** The kernel counts in hundredths of a second, whatever its own tick is. */
const TICK_MS = 10;

/** Makes a reader; where the files of cgroups are is found out once. */
export function createHostUseReader(folders: HostFolders = LINUX_FOLDERS): () => HostUse {
  const cpuStats = cgroupFolders(folders)
    .map((folder) => join(folder, 'cpu.stat'))
    .filter((file) => throttledMsOf(readText(file)) !== null);
  return () => {
    const throttled = cpuStats.flatMap((file) => throttledMsOf(readText(file)) ?? []);
    return {
      busyMs: busyMsOf(readText(join(folders.proc, 'stat'))),
      throttledMs: throttled.length === 0 ? null : Math.max(...throttled),
      ...trafficOf(readText(join(folders.proc, 'net/dev'))),
    };
  };
}

/** `cpu  user nice system idle iowait irq softirq steal …`: what is neither idle nor waiting for a disk. */
function busyMsOf(stat: string | null): number | null {
  const ticks = /^cpu +([\d ]+)$/m
    .exec(stat ?? '')?.[1]
    ?.split(' ')
    .map(Number);
  if (ticks === undefined) return null;
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0, steal = 0] = ticks;
  return (user + nice + system + interrupts + softInterrupts + steal) * TICK_MS;
}

/** Version 2 counts microseconds, version 1 nanoseconds. */
function throttledMsOf(stat: string | null): number | null {
  const us = /^throttled_usec (\d+)$/m.exec(stat ?? '')?.[1];
  if (us !== undefined) return Number(us) / 1000;
  const ns = /^throttled_time (\d+)$/m.exec(stat ?? '')?.[1];
  return ns === undefined ? null : Number(ns) / 1e6;
}

/** One line an interface: its name, then bytes received as the first number and bytes sent as the ninth. */
function trafficOf(dev: string | null): Pick<HostUse, 'receivedBytes' | 'sentBytes'> {
  const lines = [...(dev ?? '').matchAll(/^\s*[^\s:]+:\s*(\d+)(?:\s+\d+){7}\s+(\d+)/gm)];
  if (lines.length === 0) return { receivedBytes: null, sentBytes: null };
  const sum = (group: 1 | 2): number => lines.reduce((total, line) => total + Number(line[group]), 0);
  return { receivedBytes: sum(1), sentBytes: sum(2) };
}
