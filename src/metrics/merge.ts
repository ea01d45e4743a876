/**
 * Snapshots of several processes, or of several incarnations of one, as one. Commutative and associative; taking
 * the newest of one process is idempotent, so lost, late or doubled reports change no total.
 */
import { addBatches, addLedgers, addTables } from './ledger.ts';
import { mergeErrors, mergeNodes, sumOf } from './node-counts.ts';
import { type ProcessUse, type Snapshot, addAnswers, emptySnapshot } from './snapshot.ts';

/** Of two snapshots of the same incarnation, the later. */
export function newer(a: Snapshot, b: Snapshot): Snapshot {
  return b.sequence > a.sequence ? b : a;
}

/** The sum of snapshots of different processes or incarnations. */
export function mergeSnapshots(snapshots: readonly Snapshot[]): Snapshot {
  const [first, ...others] = snapshots;
  if (first === undefined) return emptySnapshot(0);
  if (others.length === 0) return first;
  const nodes = mergeNodes(snapshots.map((snapshot) => snapshot.nodes));
  const [node] = nodes;
  return {
    ...others.reduce<Counts>(mergeTwo, first),
    serviceTime:
      node !== undefined && snapshots.every(isOfOneNode)
        ? node.serviceTime
        : sumOf(snapshots.map(({ serviceTime }) => serviceTime)),
    responseTime: sumOf(snapshots.map(({ responseTime }) => responseTime)),
    nodes,
  };
}

/** The times of its only node are its own, the same object: they are added up once. */
function isOfOneNode({ nodes, serviceTime }: Snapshot): boolean {
  return nodes.length === 0
    ? serviceTime.count === 0
    : nodes.length === 1 && nodes[0]?.serviceTime === serviceTime;
}

/** A snapshot without its histograms: those are added up at once, a parent does it many times a second. */
type Counts = Omit<Snapshot, 'serviceTime' | 'responseTime' | 'nodes'>;

function mergeTwo(a: Counts, b: Counts): Counts {
  return {
    sequence: Math.max(a.sequence, b.sequence),
    atMs: Math.max(a.atMs, b.atMs),
    ledger: addLedgers(a.ledger, b.ledger),
    tables: addTables(a.tables, b.tables),
    batches: addBatches(a.batches, b.batches),
    nextBatch: Math.max(a.nextBatch, b.nextBatch),
    measuredRows: a.measuredRows + b.measuredRows,
    bodyBytes: a.bodyBytes + b.bodyBytes,
    replyBytes: a.replyBytes + b.replyBytes,
    lateRows: a.lateRows + b.lateRows,
    droppedRows: a.droppedRows + b.droppedRows,
    answers: addAnswers(a.answers, b.answers),
    errors: mergeErrors(a.errors, b.errors),
    waiting: a.waiting ?? b.waiting,
    use: mergeUse(a.use, b.use),
  };
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
    eventLoopActiveMs: a.eventLoopActiveMs + b.eventLoopActiveMs,
    eventLoopDelayP99Ms: Math.max(a.eventLoopDelayP99Ms, b.eventLoopDelayP99Ms),
    gcMs: a.gcMs + b.gcMs,
    voluntarySwitches: a.voluntarySwitches + b.voluntarySwitches,
    involuntarySwitches: a.involuntarySwitches + b.involuntarySwitches,
    coreWaitMs:
      a.coreWaitMs === null || b.coreWaitMs === null
        ? (a.coreWaitMs ?? b.coreWaitMs)
        : a.coreWaitMs + b.coreWaitMs,
  };
}
