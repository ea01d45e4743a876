/** What this process costs, as it can say itself: CPU time, memory, event loop. About 30 µs a reading. */
import { performance } from 'node:perf_hooks';
import { residentBytesMax } from '../base/process-memory.ts';
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
      residentBytesMax: residentBytesMax(),
      heapUsedBytes: memory.heapUsed,
      eventLoopUtilization: performance.eventLoopUtilization(loopAtStart).utilization,
    };
  };
}
