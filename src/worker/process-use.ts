/** What this process costs, as it can say itself: CPU time, memory, event loop. About 10 µs a reading. */
import { performance } from 'node:perf_hooks';
import type { ProcessUse } from '../metrics/snapshot.ts';

/** A reader whose event-loop utilisation counts from the moment it was made. */
export function createUseReader(): () => ProcessUse {
  const loopAtStart = performance.eventLoopUtilization();
  return () => {
    const usage = process.resourceUsage();
    const memory = process.memoryUsage();
    return {
      userCpuUs: usage.userCPUTime,
      systemCpuUs: usage.systemCPUTime,
      residentBytes: memory.rss,
      // The kernel keeps the high-water mark, in KiB.
      residentBytesMax: usage.maxRSS * 1024,
      heapUsedBytes: memory.heapUsed,
      eventLoopUtilization: performance.eventLoopUtilization(loopAtStart).utilization,
    };
  };
}
