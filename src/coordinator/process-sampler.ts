/**
 * Processes seen from outside, every two seconds, by PID. The only place that knows pidusage, and what is wrong with
 * its readings: the first of a process is always 0 %, and a dead one is an error or null.
 */
import { readFileSync } from 'node:fs';
import pidusage from 'pidusage';
import type { OutsideView } from './run-state.ts';

export interface ProcessSample extends OutsideView {
  /** CPU time since the process began, in ms, at the kernel's clock tick of 10 ms. */
  readonly cpuTimeMs: number;
}

export interface ProcessHistory {
  readonly latest: ProcessSample | null;
  readonly percentMean: number | null;
  /** How long it was watched for that. */
  readonly watchedMs: number;
  readonly percentMax: number | null;
  /** Pages that processes share counted in parts (PSS); null until it was its turn, or where there is none. */
  readonly proportionalBytesMax: number | null;
}

export interface ProcessSampler {
  /** Reads all processes once. Those that are gone keep their last reading in the history. */
  sample(pids: readonly number[]): Promise<void>;
  historyOf(pid: number): ProcessHistory;
  close(): void;
}

interface Track {
  samples: number;
  /** Percent by milliseconds, and the milliseconds: readings are not all equally far apart. */
  percentMs: number;
  countedMs: number;
  percentMax: number;
  latest: ProcessSample | null;
  /** Of the process, when it was read last. */
  ageMs: number;
  proportionalBytesMax: number | null;
}

/** The kernel walks all pages of a process for its share of them, 2 ms: one process at a time, four seconds apart. */
const SHARE_EVERY = 2;

const NO_HISTORY: ProcessHistory = {
  latest: null,
  percentMean: null,
  watchedMs: 0,
  percentMax: null,
  proportionalBytesMax: null,
};

export function createProcessSampler(): ProcessSampler {
  const tracks = new Map<number, Track>();
  let samplings = 0;
  return {
    async sample(pids) {
      if (pids.length === 0) return;
      const readings = await readAll(pids);
      const inTurn =
        samplings % SHARE_EVERY === 0 ? pids[(samplings / SHARE_EVERY) % pids.length] : undefined;
      samplings += 1;
      const share = inTurn === undefined ? null : proportionalBytes(inTurn);
      for (const { pid, cpuPercent, residentBytes, cpuTimeMs, ageMs } of readings) {
        const track = tracks.get(pid) ?? { ...NEW_TRACK };
        tracks.set(pid, track);
        const sinceLastMs = ageMs - track.ageMs;
        track.ageMs = ageMs;
        track.samples += 1;
        if (share !== null && pid === inTurn)
          track.proportionalBytesMax = Math.max(track.proportionalBytesMax ?? 0, share);
        const isFirst = track.samples === 1;
        track.latest = { cpuPercent: isFirst ? null : cpuPercent, residentBytes, cpuTimeMs };
        if (isFirst) continue;
        track.percentMs += cpuPercent * sinceLastMs;
        track.countedMs += sinceLastMs;
        track.percentMax = Math.max(track.percentMax, cpuPercent);
      }
    },
    historyOf(pid) {
      const track = tracks.get(pid);
      if (track === undefined) return NO_HISTORY;
      return {
        latest: track.latest,
        percentMean: track.countedMs > 0 ? track.percentMs / track.countedMs : null,
        watchedMs: track.countedMs,
        percentMax: track.samples > 1 ? track.percentMax : null,
        proportionalBytesMax: track.proportionalBytesMax,
      };
    },
    close: () => pidusage.clear(),
  };
}

const NEW_TRACK: Readonly<Track> = {
  samples: 0,
  percentMs: 0,
  countedMs: 0,
  percentMax: 0,
  latest: null,
  ageMs: 0,
  proportionalBytesMax: null,
};

/** Not by a thread: to hand it over, five times for one file, would be a third more. */
function proportionalBytes(pid: number): number | null {
  try {
    const kibibytes = /^Pss:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    // Gone, no Linux, or another user's.
    return null;
  }
}

interface Reading {
  readonly pid: number;
  readonly cpuPercent: number;
  readonly residentBytes: number;
  readonly cpuTimeMs: number;
  readonly ageMs: number;
}

async function readAll(pids: readonly number[]): Promise<Reading[]> {
  const readings: Reading[] = [];
  try {
    const byPid: Readonly<Record<string, pidusage.Status | null>> = await pidusage([...pids]);
    for (const status of Object.values(byPid)) {
      if (status === null || status === undefined) continue;
      readings.push({
        pid: status.pid,
        cpuPercent: status.cpu,
        residentBytes: status.memory,
        cpuTimeMs: status.ctime,
        ageMs: status.elapsed,
      });
    }
  } catch {
    // The only process asked for is gone (ENOENT, ESRCH): there is no reading, and its exit is told elsewhere.
  }
  return readings;
}
