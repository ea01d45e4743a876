/**
 * Snapshots of several processes, or of several incarnations of one, as one. Commutative and associative; taking
 * the newest of one process is idempotent, so lost, late or doubled reports change no total.
 */
import { createHistogram, mergeInto, type Histogram } from './histogram.ts';
import { addBatches, addLedgers } from './ledger.ts';
import { type ErrorCount, type ProcessUse, type Snapshot, emptySnapshot } from './snapshot.ts';

/** Of two snapshots of the same incarnation, the later. */
export function newer(a: Snapshot, b: Snapshot): Snapshot {
  return b.sequence > a.sequence ? b : a;
}

/** The sum of snapshots of different processes or incarnations. */
export function mergeSnapshots(snapshots: readonly Snapshot[]): Snapshot {
  return snapshots.reduce(mergeTwo, emptySnapshot(0));
}

function mergeTwo(a: Snapshot, b: Snapshot): Snapshot {
  return {
    sequence: Math.max(a.sequence, b.sequence),
    ledger: addLedgers(a.ledger, b.ledger),
    batches: addBatches(a.batches, b.batches),
    nextBatch: Math.max(a.nextBatch, b.nextBatch),
    measuredRows: a.measuredRows + b.measuredRows,
    bodyBytes: a.bodyBytes + b.bodyBytes,
    lateRows: a.lateRows + b.lateRows,
    droppedRows: a.droppedRows + b.droppedRows,
    serviceTime: sumOf(a.serviceTime, b.serviceTime),
    responseTime: sumOf(a.responseTime, b.responseTime),
    errors: mergeErrors(a.errors, b.errors),
    waiting: a.waiting ?? b.waiting,
    use: mergeUse(a.use, b.use),
  };
}

function sumOf(a: Histogram, b: Histogram): Histogram {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const sum = createHistogram();
  mergeInto(sum, a);
  mergeInto(sum, b);
  return sum;
}

/** Errors of one class and code are one line; the example that was seen first in a stable order stays. */
export function mergeErrors(a: readonly ErrorCount[], b: readonly ErrorCount[]): readonly ErrorCount[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged = new Map<string, ErrorCount>();
  for (const error of [...a, ...b]) {
    const key = `${error.class} ${error.code ?? ''}`;
    const before = merged.get(key);
    merged.set(key, {
      class: error.class,
      code: error.code,
      rows: (before?.rows ?? 0) + error.rows,
      batches: (before?.batches ?? 0) + error.batches,
      example: before === undefined || error.example < before.example ? error.example : before.example,
    });
  }
  return [...merged.values()];
}

/** Processes add up in CPU time and memory; their event loops do not, so the busiest speaks. */
function mergeUse(a: ProcessUse, b: ProcessUse): ProcessUse {
  return {
    userCpuUs: a.userCpuUs + b.userCpuUs,
    systemCpuUs: a.systemCpuUs + b.systemCpuUs,
    residentBytes: a.residentBytes + b.residentBytes,
    residentBytesMax: a.residentBytesMax + b.residentBytesMax,
    heapUsedBytes: a.heapUsedBytes + b.heapUsedBytes,
    eventLoopUtilization: Math.max(a.eventLoopUtilization, b.eventLoopUtilization),
  };
}
