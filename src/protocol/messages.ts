/**
 * What travels between the coordinator and a worker: plain data, one union per direction, versioned. Every
 * message up names its worker, incarnation and sequence, and snapshots are cumulative: losing, doubling or
 * delaying messages changes no total.
 */
import type { Snapshot } from '../metrics/snapshot.ts';
import type { Compression, TargetAccess } from '../plan/run-plan.ts';
import type { Assignment } from '../plan/assignment.ts';
import type { InsertForm } from '../rows/insert-form.ts';
import type { PackedSnapshot } from './packed-snapshot.ts';

export const PROTOCOL_VERSION = 3;

/** How a worker goes about its assignment. */
export interface WorkerLimits {
  readonly inFlight: number;
  readonly batchIntervalMs: number;
  readonly compression: Compression;
  readonly maxBodyBytes: number;
  /** Body bytes that this incarnation may hand over, sent again included; null for no budget. */
  readonly bodyBytesBudget: number | null;
  readonly timeoutMs: number;
  /** Attempts beyond the first that a batch may take. */
  readonly retries: number;
  readonly outageTimeoutMs: number;
  readonly blockTimeoutMs: number;
  /** How long a worker that lost its coordinator finishes what is in flight. */
  readonly drainTimeoutMs: number;
}

/** What a dead incarnation left to its successor. */
export interface Resume {
  /** Global number of the first batch that nobody began. */
  readonly nextBatch: number;
  /** Batches that were in flight and may be sent again, exactly. */
  readonly resend: readonly number[];
  /** Monotonic: arrivals until then were a predecessor's business; 0 when there was none in this run. */
  readonly servedUntilNs: bigint;
}

/** One of the tables that a worker fills. */
export interface WorkerTable {
  /** `schema.table`, for people. */
  readonly name: string;
  /** Its share of the batches, beside the others' weights. */
  readonly weight: number;
  readonly insert: InsertForm;
}

export interface InitMessage {
  readonly type: 'init';
  readonly protocolVersion: number;
  readonly workerIndex: number;
  readonly incarnation: number;
  readonly access: TargetAccess;
  /** At least one, in the order of the plan. */
  readonly tables: readonly WorkerTable[];
  /** Where what writes their rows lies. */
  readonly rowsFile: string;
  /** A resend is exact: the key of every table is (run_id, seq). */
  readonly keyed: boolean;
  readonly assignment: Assignment;
  readonly limits: WorkerLimits;
  readonly counterFile: string;
  readonly reportIntervalMs: number;
  readonly resume: Resume | null;
  /** `single --verbose`: each batch's outcome goes up as a message. */
  readonly tracesBatches: boolean;
}

export interface StartMessage {
  readonly type: 'start';
  /** The moment that all pacing counts from. */
  readonly startAtNs: bigint;
}

export interface DrainMessage {
  readonly type: 'drain';
  readonly reason: string;
  /** When it passes, what is still in flight is abandoned. */
  readonly deadlineNs: bigint;
}

export type DownMessage = InitMessage | StartMessage | DrainMessage;

interface FromWorker {
  readonly workerIndex: number;
  readonly incarnation: number;
}

export interface ReadyMessage extends FromWorker {
  readonly type: 'ready';
  readonly protocolVersion: number;
  readonly pid: number;
  readonly nodeVersion: string;
}

interface ProgressMessage<Books> extends FromWorker {
  readonly type: 'progress';
  readonly snapshot: Books;
}

/** Why a worker stopped by itself; `drained` when it was told to, `done` when its assignment ended. */
export type WorkerEnd = 'done' | 'drained' | 'outage' | 'blocked' | 'orphaned';

interface DrainedMessage<Books> extends FromWorker {
  readonly type: 'drained';
  readonly end: WorkerEnd;
  readonly detail: string;
  readonly snapshot: Books;
}

interface FailedMessage<Books> extends FromWorker {
  readonly type: 'failed';
  readonly error: { readonly name: string; readonly message: string };
  readonly snapshot: Books;
}

export interface BatchMessage extends FromWorker {
  readonly type: 'batch';
  readonly line: string;
}

type FromWorkerWith<Books> =
  ReadyMessage | ProgressMessage<Books> | DrainedMessage<Books> | FailedMessage<Books> | BatchMessage;

/** As it travels. */
export type UpMessage = FromWorkerWith<PackedSnapshot>;

/** As the coordinator has read it. */
export type ReadUpMessage = FromWorkerWith<Snapshot>;
