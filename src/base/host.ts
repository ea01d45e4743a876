/**
 * What this host gives a process: cores, the container's CPU limit (cgroup version 1 and 2), memory. Read once, at
 * the start; a limit that cannot be read is null, never a guess.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';

export interface HostFacts {
  /** Cores that the scheduler lets this process use (affinity included). */
  readonly cores: number;
  /** CPU limit of the cgroup in cores, with fractions; null without one. */
  readonly cgroupCores: number | null;
  /** Memory that this process may use: the host's, or the cgroup's limit if that is lower. */
  readonly memoryBytes: number;
}

/** Where the files are; tests lay out their own. */
export interface HostFolders {
  readonly proc: string;
  readonly cgroup: string;
}

export const LINUX_FOLDERS: HostFolders = { proc: '/proc', cgroup: '/sys/fs/cgroup' };

/** Reads the facts. Never throws: what is not Linux, or hidden, simply has no cgroup limits. */
export function readHostFacts(folders: HostFolders = LINUX_FOLDERS): HostFacts {
  const groups = cgroupFolders(folders);
  const memoryLimit = smallest(groups.map(memoryLimitOf));
  return {
    cores: availableParallelism(),
    cgroupCores: smallest(groups.map(coreLimitOf)),
    memoryBytes: Math.min(totalmem(), memoryLimit ?? Infinity),
  };
}

/** Share of the cgroup's periods so far in which it was stopped at its CPU limit; null without such a count. */
export function throttledShare(folders: HostFolders = LINUX_FOLDERS): number | null {
  const counts = cgroupFolders(folders).map((folder) => {
    const stat = readText(join(folder, 'cpu.stat')) ?? '';
    const [periods, throttled] = ['nr_periods', 'nr_throttled'].map((name) =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0),
    );
    return periods === undefined || throttled === undefined || periods === 0 ? null : throttled / periods;
  });
  const known = counts.filter((share) => share !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Whether an origin (`http://localhost:4200`) names this host itself, by its name or a loopback address. */
export function isLoopback(origin: string): boolean {
  const { hostname } = new URL(origin);
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])$/i.test(
    hostname,
  );
}

/** Cores to fill with processes: at least one, and a limit of 1.5 cores is worth two. */
export function usableCores(facts: HostFacts): number {
  return Math.max(1, Math.min(facts.cores, Math.ceil(facts.cgroupCores ?? Infinity)));
}

/**
 * The folders of this process's cgroup and of all above it, in every hierarchy: a limit anywhere on the way
 * counts. Inside a container the path of /proc/self/cgroup may not exist below the mount; its root then does.
 */
export function cgroupFolders(folders: HostFolders): readonly string[] {
  const lines = readText(join(folders.proc, 'self/cgroup'))?.split('\n') ?? [];
  const found = new Set<string>();
  for (const line of lines) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const parts = path.split('/').filter((part) => part !== '' && part !== '..');
    const roots =
      controllers === ''
        ? [folders.cgroup]
        : controllers.split(',').map((name) => join(folders.cgroup, name));
    for (const root of roots) {
      for (let depth = parts.length; depth >= 0; depth -= 1) found.add(join(root, ...parts.slice(0, depth)));
    }
  }
  return [...found];
}

/** Version 2: `cpu.max` holds `200000 100000` or `max 100000`; version 1 has a file for each, -1 for no limit. */
function coreLimitOf(folder: string): number | null {
  const [quota = '', period = ''] = readText(join(folder, 'cpu.max'))?.split(' ') ?? [
    readText(join(folder, 'cpu.cfs_quota_us')) ?? '',
    readText(join(folder, 'cpu.cfs_period_us')) ?? '',
  ];
  const cores = positive(quota) === null || positive(period) === null ? null : Number(quota) / Number(period);
  return cores;
}

function memoryLimitOf(folder: string): number | null {
  return positive(
    readText(join(folder, 'memory.max')) ?? readText(join(folder, 'memory.limit_in_bytes')) ?? '',
  );
}

function positive(text: string): number | null {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) && value > 0 ? value : null;
}

function smallest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The file's text without the newline at its end, or null when there is none to be read. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // No such hierarchy, no such controller, or not Linux: there is no limit to be had here.
    return null;
  }
}
