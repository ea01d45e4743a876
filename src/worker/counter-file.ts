/**
 * Counters that survive `kill -9`: a small file per worker incarnation, one fixed record per request slot and table,
 * each rewritten whole by one positional write (1.7 µs on tmpfs). The kernel keeps what was written when the process
 * is gone, so the file is that incarnation's last word. A list beside it names the batches that ended badly.
 */
import { appendFileSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { UsageError, assert, messageOf } from '../base/errors.ts';
import { startTicksOf } from '../base/process-start.ts';
import {
  type BatchCounts,
  type RowCounts,
  addBatches,
  addRows,
  NO_BATCHES,
  NO_ROWS,
  settledRows,
} from '../metrics/ledger.ts';

/** A record is 32 doubles: room to grow, and a whole number of cache lines. */
const RECORD_FIELDS = 32;
const RECORD_BYTES = RECORD_FIELDS * 8;
/** "CGC" and the format's version, so that a foreign or older file is refused. */
const MAGIC = 0x43_47_43_01;

/** What a slot is doing with its batch. */
export type SlotPhase = 'idle' | 'begun' | 'handedOver';
const SLOT_PHASES: readonly SlotPhase[] = ['idle', 'begun', 'handedOver'];

/** One request slot's truth about one table: what it carries now, and what all its ended batches came to. */
export interface SlotCounters {
  readonly table: number;
  phase: SlotPhase;
  /** The batch it carries or carried last; -1 before the first. */
  batch: number;
  /** Rows of that batch. */
  batchRows: number;
  /** Attempts of that batch so far. */
  attempts: number;
  /** Rows of that batch which are already in a final state (after a split). */
  settled: RowCounts;
  /** Monotonic milliseconds of the last hand-over, and of the end of its attempt once that is over. */
  lastByteAtMs: number;
  /** How many of the batches to send again this slot has seen taken, itself included. */
  resendTaken: number;
  /** Rows of ended batches. */
  rows: RowCounts;
  batches: BatchCounts;
  measuredRows: number;
  bodyBytes: number;
  replyBytes: number;
}

export interface CounterHeader {
  readonly workerIndex: number;
  readonly incarnation: number;
  readonly pid: number;
  /** When that process began (`process-start.ts`); null where that is not known. */
  readonly startTicks: number | null;
  readonly slots: number;
  /** Each slot has a record for each table. */
  readonly tables: number;
  /** Global number of the first batch this incarnation was to begin, and the step to its next ones. */
  readonly firstBatch: number;
  readonly globalCount: number;
  readonly userCpuUs: number;
  readonly systemCpuUs: number;
  readonly residentBytesMax: number;
}

export interface CounterWriter {
  readonly path: string;
  writeSlot(index: number, slot: SlotCounters): void;
  writeUse(use: Pick<CounterHeader, 'userCpuUs' | 'systemCpuUs' | 'residentBytesMax'>): void;
  /** Appends one batch to the list of those that did not end well. */
  appendException(exception: ExceptionRecord): void;
  close(): void;
}

/** A batch with rows that failed or are unknown. Monotonic, nothing of it was written after `lastByteAtMs`. */
export interface ExceptionRecord {
  readonly batch: number;
  readonly acknowledged: number;
  readonly rejected: number;
  readonly failed: number;
  readonly unknown: number;
  readonly lastByteAtMs: number;
}

export function emptySlot(table: number): SlotCounters {
  return {
    table,
    phase: 'idle',
    batch: -1,
    batchRows: 0,
    attempts: 0,
    settled: NO_ROWS,
    lastByteAtMs: 0,
    resendTaken: 0,
    rows: NO_ROWS,
    batches: NO_BATCHES,
    measuredRows: 0,
    bodyBytes: 0,
    replyBytes: 0,
  };
}

/** Creates the file with all slots idle. Throws a UsageError when the folder cannot be written. */
export function createCounterFile(
  path: string,
  header: Omit<CounterHeader, 'startTicks' | 'userCpuUs' | 'systemCpuUs' | 'residentBytesMax'>,
): CounterWriter {
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o600);
  } catch (cause) {
    throw new UsageError(`the counter file ${path} cannot be created: ${messageOf(cause)}`, { cause });
  }
  const startTicks = startTicksOf(header.pid) ?? 0;
  const record = new Float64Array(RECORD_FIELDS);
  const writeRecord = (position: number, values: readonly number[]): void => {
    record.fill(0);
    record.set(values);
    writeSync(fd, record, 0, RECORD_BYTES, position * RECORD_BYTES);
  };
  const headerValues = (
    use: Pick<CounterHeader, 'userCpuUs' | 'systemCpuUs' | 'residentBytesMax'>,
  ): number[] => [
    MAGIC,
    header.workerIndex,
    header.incarnation,
    header.pid,
    header.slots,
    header.firstBatch,
    header.globalCount,
    use.userCpuUs,
    use.systemCpuUs,
    use.residentBytesMax,
    header.tables,
    startTicks,
  ];
  // Of all records of a slot only the one of the table that it serves is written: a batch costs one write.
  const writeSlot = (index: number, slot: SlotCounters): void =>
    writeRecord(1 + slot.table * header.slots + index, slotValues(slot));
  for (let table = 0; table < header.tables; table += 1)
    for (let index = 0; index < header.slots; index += 1) writeSlot(index, emptySlot(table));
  // The header goes last: a file with a header is complete.
  writeRecord(0, headerValues({ userCpuUs: 0, systemCpuUs: 0, residentBytesMax: 0 }));
  return {
    path,
    writeSlot,
    writeUse: (use) => writeRecord(0, headerValues(use)),
    appendException: (exception) =>
      appendFileSync(exceptionListPath(path), `${JSON.stringify(exception)}\n`, { mode: 0o600 }),
    close: () => closeSync(fd),
  };
}

/** Three times a batch: one list, and none that is taken apart. */
function slotValues(slot: SlotCounters): number[] {
  const { settled, rows, batches } = slot;
  return [
    SLOT_PHASES.indexOf(slot.phase),
    slot.batch,
    slot.batchRows,
    slot.attempts,
    settled.acknowledged,
    settled.rejected,
    settled.failed,
    settled.unknown,
    slot.lastByteAtMs,
    slot.resendTaken,
    rows.acknowledged,
    rows.rejected,
    rows.failed,
    rows.unknown,
    batches.begun,
    batches.completed,
    batches.retried,
    batches.failed,
    slot.measuredRows,
    slot.bodyBytes,
    slot.replyBytes,
  ];
}

export function exceptionListPath(counterFile: string): string {
  return `${counterFile}.batches`;
}

/** What a counter file says after its writer is gone. */
export interface LastWord {
  readonly header: CounterHeader;
  /** Rows and batches that ended. */
  readonly rows: RowCounts;
  /** The same rows by table. */
  readonly tables: readonly RowCounts[];
  readonly batches: BatchCounts;
  readonly measuredRows: number;
  readonly bodyBytes: number;
  readonly replyBytes: number;
  readonly inFlight: readonly InFlightBatch[];
  readonly nextBatch: number;
  readonly resendTaken: number;
  readonly exceptions: readonly ExceptionRecord[];
}

export interface InFlightBatch {
  readonly batch: number;
  readonly table: number;
  readonly rows: number;
  readonly attempts: number;
  readonly wasHandedOver: boolean;
  readonly settled: RowCounts;
  readonly handedOverAtMs: number;
}

/** The last word of an incarnation that died before it had a counter file: it began nothing. */
export function silentWord(nextBatch: number): LastWord {
  const header: CounterHeader = {
    workerIndex: 0,
    incarnation: 0,
    pid: 0,
    startTicks: null,
    slots: 0,
    tables: 0,
    firstBatch: nextBatch,
    globalCount: 1,
    userCpuUs: 0,
    systemCpuUs: 0,
    residentBytesMax: 0,
  };
  return {
    header,
    rows: NO_ROWS,
    tables: [],
    batches: NO_BATCHES,
    measuredRows: 0,
    bodyBytes: 0,
    replyBytes: 0,
    inFlight: [],
    nextBatch,
    resendTaken: 0,
    exceptions: [],
  };
}

/** Reads a counter file and its list. Null when the file is missing or was not completely created. */
export function readCounterFile(path: string): LastWord | null {
  const bytes = readIfThere(path);
  if (bytes === null || bytes.byteLength < RECORD_BYTES) return null;
  const fields = new Float64Array(
    Uint8Array.from(bytes.subarray(0, bytes.byteLength - (bytes.byteLength % 8))).buffer,
  );
  if (fields[0] !== MAGIC) return null;
  const header = readHeader(fields);
  const slots = Array.from({ length: header.slots * header.tables }, (_, record) =>
    readSlot(fields, (record + 1) * RECORD_FIELDS, Math.floor(record / header.slots)),
  );
  const rowsOf = (records: readonly SlotCounters[]): RowCounts =>
    records.map(({ rows }) => rows).reduce(addRows, NO_ROWS);
  const lastBatch = Math.max(...slots.map((slot) => slot.batch));
  const inFlight = slots.filter((slot) => slot.phase !== 'idle').map(toInFlight);
  return {
    header,
    rows: rowsOf(slots),
    tables: Array.from({ length: header.tables }, (_, table) =>
      rowsOf(slots.filter((slot) => slot.table === table)),
    ),
    batches: slots.map((slot) => slot.batches).reduce(addBatches, NO_BATCHES),
    measuredRows: slots.reduce((sum, slot) => sum + slot.measuredRows, 0),
    bodyBytes: slots.reduce((sum, slot) => sum + slot.bodyBytes, 0),
    replyBytes: slots.reduce((sum, slot) => sum + slot.replyBytes, 0),
    inFlight,
    nextBatch: Math.max(header.firstBatch, lastBatch < 0 ? 0 : lastBatch + header.globalCount),
    resendTaken: Math.max(...slots.map((slot) => slot.resendTaken)),
    // Listed and then killed before its slot said so: it is still in flight, once.
    exceptions: readExceptions(exceptionListPath(path)).filter(
      (exception) => !inFlight.some((batch) => batch.batch === exception.batch),
    ),
  };
}

function readHeader(fields: Float64Array): CounterHeader {
  const field = (index: number): number => fields[index] ?? 0;
  return {
    workerIndex: field(1),
    incarnation: field(2),
    pid: field(3),
    slots: field(4),
    firstBatch: field(5),
    globalCount: field(6),
    userCpuUs: field(7),
    systemCpuUs: field(8),
    residentBytesMax: field(9),
    // A file of before there were several does not say.
    tables: Math.max(1, field(10)),
    startTicks: field(11) || null,
  };
}

function readSlot(fields: Float64Array, start: number, table: number): SlotCounters {
  let next = start;
  const take = (): number => fields[next++] ?? 0;
  const takeRows = (): RowCounts => ({
    acknowledged: take(),
    rejected: take(),
    failed: take(),
    unknown: take(),
  });
  const phase = SLOT_PHASES[take()];
  assert(phase !== undefined, 'a slot of the counter file is in a known phase');
  return {
    table,
    phase,
    batch: take(),
    batchRows: take(),
    attempts: take(),
    settled: takeRows(),
    lastByteAtMs: take(),
    resendTaken: take(),
    rows: takeRows(),
    batches: { begun: take(), completed: take(), retried: take(), failed: take() },
    measuredRows: take(),
    bodyBytes: take(),
    replyBytes: take(),
  };
}

function toInFlight(slot: SlotCounters): InFlightBatch {
  return {
    batch: slot.batch,
    table: slot.table,
    rows: slot.batchRows - settledRows(slot.settled),
    attempts: slot.attempts,
    wasHandedOver: slot.phase === 'handedOver',
    settled: slot.settled,
    handedOverAtMs: slot.lastByteAtMs,
  };
}

/** A line cut short by a kill is the last one, and its batch is still named by its slot: it is left out. */
function readExceptions(path: string): ExceptionRecord[] {
  const text = readIfThere(path)?.toString('utf8') ?? '';
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ExceptionRecord);
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
