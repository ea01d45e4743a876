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
  const [first, ...others] = snapshots;
  if (first === undefined) return emptySnapshot(0);
  return {
    ...others.reduce<Counts>(mergeTwo, first),
    serviceTime: sumOf(snapshots.map(({ serviceTime }) => serviceTime)),
    responseTime: sumOf(snapshots.map(({ responseTime }) => responseTime)),
  };
}

/** A snapshot without its histograms: those are added up at once, a parent does it many times a second. */
type Counts = Omit<Snapshot, 'serviceTime' | 'responseTime'>;

function mergeTwo(a: Counts, b: Counts): Counts {
  return {
    sequence: Math.max(a.sequence, b.sequence),
    ledger: addLedgers(a.ledger, b.ledger),
    batches: addBatches(a.batches, b.batches),
    nextBatch: Math.max(a.nextBatch, b.nextBatch),
    measuredRows: a.measuredRows + b.measuredRows,
    bodyBytes: a.bodyBytes + b.bodyBytes,
    lateRows: a.lateRows + b.lateRows,
    droppedRows: a.droppedRows + b.droppedRows,
    errors: mergeErrors(a.errors, b.errors),
    waiting: a.waiting ?? b.waiting,
    use: mergeUse(a.use, b.use),
  };
}

function sumOf(histograms: readonly Histogram[]): Histogram {
  const [first, ...others] = histograms.filter(({ count }) => count > 0);
  if (first === undefined) return createHistogram();
  if (others.length === 0) return first;
  const sum = createHistogram();
  mergeInto(sum, first);
  for (const other of others) mergeInto(sum, other);
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
