/**
 * What a worker slot's incarnations add up to. A dead one is read from its counter file: rows it had in flight
 * are sent again by its successor where that is exact, and are otherwise unknown or failed. Used while a run
 * lives and by `recover` after the coordinator was killed, so both come to the same totals.
 */
import {
  type BatchCounts,
  type Ledger,
  type RowCounts,
  NO_BATCHES,
  NO_ROWS,
  addBatches,
  addRows,
  settledRows,
} from '../metrics/ledger.ts';
import { type Assignment, rowsOfBatch } from '../plan/assignment.ts';
import type { TableMix } from '../plan/table-mix.ts';
import type { ExceptionRecord, InFlightBatch, LastWord } from '../worker/counter-file.ts';

/** What a dead incarnation leaves behind. */
export interface Estate {
  /** Batches that may be sent again, exactly: in flight at its death, or inherited and not yet taken. */
  readonly resend: readonly number[];
  /** Batches that ended with it. */
  readonly lost: readonly ExceptionRecord[];
  readonly nextBatch: number;
}

/** The final figures of one incarnation that is gone. */
export interface IncarnationTotals {
  readonly ledger: Ledger;
  readonly tables: readonly Ledger[];
  readonly batches: BatchCounts;
  readonly exceptions: readonly ExceptionRecord[];
  readonly measuredRows: number;
  readonly bodyBytes: number;
  readonly replyBytes: number;
}

/** `inherited`: the batches this incarnation was told to send again. Without a key only unsent rows may be. */
export function estateOf(word: LastWord, inherited: readonly number[], keyed: boolean): Estate {
  const mayResend = (batch: InFlightBatch): boolean =>
    keyed || (!batch.wasHandedOver && settledRows(batch.settled) === 0);
  return {
    resend: [
      ...word.inFlight.filter(mayResend).map(({ batch }) => batch),
      ...inherited.slice(word.resendTaken),
    ],
    lost: word.inFlight.filter((batch) => !mayResend(batch)).map(lostBatch),
    nextBatch: word.nextBatch,
  };
}

function lostBatch(batch: InFlightBatch): ExceptionRecord {
  const open: RowCounts = batch.wasHandedOver
    ? { ...NO_ROWS, unknown: batch.rows }
    : { ...NO_ROWS, failed: batch.rows };
  return { batch: batch.batch, ...addRows(batch.settled, open), lastByteAtMs: batch.handedOverAtMs };
}

export interface ClosingParts {
  readonly assignment: Assignment;
  readonly mix: TableMix;
  readonly hasSuccessor: boolean;
  /** Monotonic: when the death was seen; nothing of it can have been sent later. */
  readonly nowMs: number;
  /** Deadline of a request: nothing was written for it later than so long after its hand-over. */
  readonly timeoutMs: number;
}

/**
 * Closes the books of a dead incarnation. With a successor, what that one sends again is counted there; without,
 * every row it had begun gets its final state here.
 */
export function closeBooks(word: LastWord, estate: Estate, parts: ClosingParts): IncarnationTotals {
  const { hasSuccessor } = parts;
  const orphaned = hasSuccessor ? [] : estate.resend.map((batch) => orphanedBatch(word, parts, batch));
  const ended = [...estate.lost, ...orphaned];
  const rows = ended.reduce<RowCounts>(addRows, word.rows);
  const inFlightHere = (batch: number): boolean => word.inFlight.some((each) => each.batch === batch);
  const handedOn = hasSuccessor ? estate.resend.filter(inFlightHere).length : 0;
  const inheritedHere = orphaned.filter(({ batch }) => !inFlightHere(batch)).length;
  const batches = addBatches(word.batches, {
    ...NO_BATCHES,
    begun: inheritedHere - handedOn,
    completed: ended.length,
    failed: ended.filter(({ failed, unknown }) => failed + unknown > 0).length,
  });
  return {
    ledger: closedLedger(rows),
    tables: tablesWith(word.tables, ended, parts.mix).map(closedLedger),
    batches,
    exceptions: [
      ...word.exceptions,
      ...ended
        .filter(({ failed, unknown }) => failed + unknown > 0)
        .map((batch) => ({ ...batch, lastByteAtMs: lastByteAtMs(batch, parts) })),
    ],
    measuredRows: word.measuredRows,
    bodyBytes: word.bodyBytes,
    replyBytes: word.replyBytes,
  };
}

/** It was on its way when its sender died: until then, or its deadline, more of it may have been written. */
function lastByteAtMs({ lastByteAtMs: handedOverAtMs }: ExceptionRecord, parts: ClosingParts): number {
  return Math.min(parts.nowMs, handedOverAtMs + parts.timeoutMs);
}

/** A batch that might have been sent again and was not. Inherited ones may have been stored by whoever died first. */
function orphanedBatch(word: LastWord, { assignment, nowMs }: ClosingParts, batch: number): ExceptionRecord {
  const inFlight = word.inFlight.find((each) => each.batch === batch);
  if (inFlight !== undefined) return lostBatch(inFlight);
  return { batch, ...NO_ROWS, unknown: rowsOfBatch(assignment, batch), lastByteAtMs: nowMs };
}

/** The rows by table, with those of the batches that ended here. */
function tablesWith(
  tables: readonly RowCounts[],
  ended: readonly ExceptionRecord[],
  mix: TableMix,
): readonly RowCounts[] {
  const sums = [...tables];
  for (const batch of ended) {
    const { table } = mix.placeOf(batch.batch);
    while (sums.length <= table) sums.push(NO_ROWS);
    sums[table] = addRows(sums[table] ?? NO_ROWS, batch);
  }
  return sums;
}

function closedLedger({ acknowledged, rejected, failed, unknown }: RowCounts): Ledger {
  const rows = { acknowledged, rejected, failed, unknown };
  return { offered: settledRows(rows), ...rows, inFlight: 0 };
}
