/** What this process costs, as it can say itself: CPU time, memory, event loop. */
import { performance } from 'node:perf_hooks';
import { residentBytesMax } from '../base/process-memory.ts';
import type { ProcessUse } from '../metrics/snapshot.ts';

/** Memory is read this often at most: two files of the kernel, nine tenths of what a reading costs. */
const MEMORY_AGE_MS = 1000;

type MemoryUse = Pick<ProcessUse, 'residentBytes' | 'residentBytesMax' | 'heapUsedBytes'>;

/** Reads what the process uses; memory may be `recent`, a second old: its peak is kept by the kernel until then. */
export type UseReader = (memory: 'recent' | 'fresh') => ProcessUse;

/** A reader whose event-loop utilisation counts from the moment it was made. */
export function createUseReader(nowMs: () => number = () => performance.now()): UseReader {
  const loopAtStart = performance.eventLoopUtilization();
  let [memory, readAtMs] = [readMemory(), nowMs()];
  return (age) => {
    if (age === 'fresh' || nowMs() - readAtMs >= MEMORY_AGE_MS) [memory, readAtMs] = [readMemory(), nowMs()];
    const usage = process.resourceUsage();
    return {
      userCpuUs: usage.userCPUTime,
      systemCpuUs: usage.systemCPUTime,
      ...memory,
      eventLoopUtilization: performance.eventLoopUtilization(loopAtStart).utilization,
    };
  };
}

function readMemory(): MemoryUse {
  const { rss, heapUsed } = process.memoryUsage();
  return { residentBytes: rss, residentBytesMax: residentBytesMax(), heapUsedBytes: heapUsed };
}
