/**
 * What a worker knows about itself, cumulative since its incarnation began. The newest snapshot of each (worker,
 * incarnation) says everything; lost, late or doubled ones change nothing.
 */
import { type BatchCounts, type Ledger, EMPTY_LEDGER, NO_BATCHES } from './ledger.ts';
import { type Histogram, createHistogram } from './histogram.ts';
import type { ErrorCount, NodeCounts } from './node-counts.ts';

export interface ProcessUse {
  readonly userCpuUs: number;
  readonly systemCpuUs: number;
  readonly residentBytes: number;
  readonly residentBytesMax: number;
  readonly heapUsedBytes: number;
  /** Share of wall time in which the event loop was busy since the start, 0..1. */
  readonly eventLoopUtilization: number;
  /** The same as time: milliseconds in which the event loop was busy. */
  readonly eventLoopActiveMs: number;
  /** How late the event loop was for a timer, in all the time. */
  readonly eventLoopDelayP99Ms: number;
  /** Time in garbage collection. */
  readonly gcMs: number;
  /** Times at which it gave up its core, and at which it was taken from it; 0 where the system does not count. */
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  /** Time in which it was ready to run and waited for a core; null where the system does not count. */
  readonly coreWaitMs: number | null;
}

export interface Snapshot {
  /** Rises by one with every snapshot of an incarnation. */
  readonly sequence: number;
  /** When it was made, in ms after the workers' common start; 0 before it. Its reader may hear of it much later. */
  readonly atMs: number;
  readonly ledger: Ledger;
  /** The same rows by table, in the order of the plan's tables; empty before anything was begun. */
  readonly tables: readonly Ledger[];
  readonly batches: BatchCounts;
  /** Global number of the next batch this worker would begin. */
  readonly nextBatch: number;
  /** Acknowledged rows of batches that began after the warm-up; throughput is made of these. */
  readonly measuredRows: number;
  /** Request body bytes handed over by all attempts, after compression. */
  readonly bodyBytes: number;
  /** Bodies of complete replies, as they came. */
  readonly replyBytes: number;
  readonly lateRows: number;
  readonly droppedRows: number;
  /** From hand-over of a request to the end of its reply; after warm-up; answered attempts only. */
  readonly serviceTime: Histogram;
  /** From the intended start of a batch to its final outcome; after warm-up. */
  readonly responseTime: Histogram;
  readonly answers: AnswerTimes;
  readonly errors: readonly ErrorCount[];
  /** In the order of the nodes; empty before anything was sent. */
  readonly nodes: readonly NodeCounts[];
  /** Why the worker waits now, or null: no node serves it, or the table is blocked. */
  readonly waiting: Waiting | null;
  readonly use: ProcessUse;
}

/** Where the time of answered attempts went, the warm-up included. */
export interface AnswerTimes {
  readonly requests: number;
  readonly serviceUs: number;
  /** Of those whose answer says how long the server took: */
  readonly toldServiceUs: number;
  readonly serverUs: number;
}

export const NO_ANSWERS: AnswerTimes = { requests: 0, serviceUs: 0, toldServiceUs: 0, serverUs: 0 };

export function addAnswers(a: AnswerTimes, b: AnswerTimes): AnswerTimes {
  return {
    requests: a.requests + b.requests,
    serviceUs: a.serviceUs + b.serviceUs,
    toldServiceUs: a.toldServiceUs + b.toldServiceUs,
    serverUs: a.serverUs + b.serverUs,
  };
}

/** A pause that the target imposed on a worker. */
export interface Waiting {
  readonly cause: 'outage' | 'blocked' | 'overload';
  /** The error that began it. */
  readonly detail: string;
  /** Monotonic nanoseconds. */
  readonly sinceNs: bigint;
}

export const NO_USE: ProcessUse = {
  userCpuUs: 0,
  systemCpuUs: 0,
  residentBytes: 0,
  residentBytesMax: 0,
  heapUsedBytes: 0,
  eventLoopUtilization: 0,
  eventLoopActiveMs: 0,
  eventLoopDelayP99Ms: 0,
  gcMs: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
  coreWaitMs: null,
};

export function emptySnapshot(nextBatch: number): Snapshot {
  return {
    sequence: 0,
    atMs: 0,
    ledger: EMPTY_LEDGER,
    tables: [],
    batches: NO_BATCHES,
    nextBatch,
    measuredRows: 0,
    bodyBytes: 0,
    replyBytes: 0,
    lateRows: 0,
    droppedRows: 0,
    serviceTime: createHistogram(),
    responseTime: createHistogram(),
    answers: NO_ANSWERS,
    errors: [],
    nodes: [],
    waiting: null,
    use: NO_USE,
  };
}
