/** What this process costs, as it can say itself: CPU time, memory, event loop, garbage collection, context switches. */
import { PerformanceObserver, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { coreWaitMs, residentBytesMax } from '../base/process-memory.ts';
import type { ProcessUse } from '../metrics/snapshot.ts';

/**
 * What is slow to read is read this often at most: three files of the kernel, and the percentile of the event loop's
 * delays, for which a hundred kilobytes of counts are walked.
 */
const SLOW_AGE_MS = 2000;

/**
 * The event loop's lateness is looked at so often, natively. A look is a wake-up: 0.06 ms of CPU in an idle process, four
 * a second 0.024 % of a core, a tenth of what reports cost it. It is 250 s until ten looks lie beyond the 99th percentile.
 * Reports could look at their own lateness instead, but all workers make theirs at the same moments.
 */
const DELAY_RESOLUTION_MS = 250;

type SlowReading = Pick<
  ProcessUse,
  'residentBytes' | 'residentBytesMax' | 'heapUsedBytes' | 'coreWaitMs' | 'eventLoopDelayP99Ms'
>;

/**
 * Reads what the process uses; memory, waiting and delays may be `recent`, two seconds old: the peak of memory is kept by
 * the kernel until then, the others are of the whole time.
 */
export type UseReader = (slow: 'recent' | 'fresh') => ProcessUse;

/**
 * A reader whose event loop, garbage collection and waiting for a core count from the moment it was made: what a process
 * waited to start is no part of the run. It keeps no process alive.
 */
export function createUseReader({
  nowMs = () => performance.now(),
  waitedMs = coreWaitMs,
}: {
  readonly nowMs?: () => number;
  /** For a core, since the process began; null where that is not counted. */
  readonly waitedMs?: () => number | null;
} = {}): UseReader {
  const waitedAtStartMs = waitedMs() ?? 0;
  const loopAtStart = performance.eventLoopUtilization();
  const gcMs = countCollections();
  const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delays.enable();
  const readSlow = (): SlowReading => ({
    ...readMemory(),
    coreWaitMs: waitedSince(waitedAtStartMs, waitedMs()),
    // What it records is the time between two looks.
    eventLoopDelayP99Ms: Math.max(0, delays.percentile(99) / 1e6 - DELAY_RESOLUTION_MS),
  });
  let [slow, readAtMs] = [readSlow(), nowMs()];
  return (age) => {
    if (age === 'fresh' || nowMs() - readAtMs >= SLOW_AGE_MS) [slow, readAtMs] = [readSlow(), nowMs()];
    const usage = process.resourceUsage();
    const loop = performance.eventLoopUtilization(loopAtStart);
    return {
      userCpuUs: usage.userCPUTime,
      systemCpuUs: usage.systemCPUTime,
      ...slow,
      eventLoopUtilization: loop.utilization,
      eventLoopActiveMs: loop.active,
      gcMs: gcMs(),
      voluntarySwitches: usage.voluntaryContextSwitches,
      involuntarySwitches: usage.involuntaryContextSwitches,
    };
  };
}

/** Adds up the collections from now on. */
function countCollections(): () => number {
  let totalMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) totalMs += duration;
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => totalMs;
}

function waitedSince(startMs: number, nowMs: number | null): number | null {
  return nowMs === null ? null : Math.max(0, nowMs - startMs);
}

function readMemory(): Omit<SlowReading, 'eventLoopDelayP99Ms' | 'coreWaitMs'> {
  const { rss, heapUsed } = process.memoryUsage();
  return {
    residentBytes: rss,
    residentBytesMax: residentBytesMax(),
    heapUsedBytes: heapUsed,
  };
}
