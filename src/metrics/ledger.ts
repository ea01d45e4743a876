/**
 * The ledger of rows. Every offered row is in exactly one state at every instant:
 * offered = acknowledged + rejected + failed + unknown + inFlight. Pure arithmetic; kept by each request slot,
 * summed by the worker, checked again by the parent.
 */
import { assert } from '../base/errors.ts';

export interface Ledger {
  /** Rows of batches that were begun. */
  readonly offered: number;
  /** The server said they are stored. */
  readonly acknowledged: number;
  /** The server refused them: surely not stored, and no retry would help. */
  readonly rejected: number;
  /** Surely not stored, and given up. */
  readonly failed: number;
  /** Sent, and no answer says what became of them. */
  readonly unknown: number;
  /** Begun and not yet in a final state; rows that wait for a retry are in flight. */
  readonly inFlight: number;
}

/** How a batch, or a part of one, ended; the four numbers add up to its rows. */
export interface RowCounts {
  readonly acknowledged: number;
  readonly rejected: number;
  readonly failed: number;
  readonly unknown: number;
}

export interface BatchCounts {
  readonly begun: number;
  /** Ended with every row in a final state, whichever. */
  readonly completed: number;
  /** Attempts beyond the first of each batch, but for those that no node, or a blocked table, let in. */
  readonly retried: number;
  /** Completed batches with at least one row failed or unknown. */
  readonly failed: number;
}

export const EMPTY_LEDGER: Ledger = {
  offered: 0,
  acknowledged: 0,
  rejected: 0,
  failed: 0,
  unknown: 0,
  inFlight: 0,
};
export const NO_ROWS: RowCounts = { acknowledged: 0, rejected: 0, failed: 0, unknown: 0 };
export const NO_BATCHES: BatchCounts = { begun: 0, completed: 0, retried: 0, failed: 0 };

export function addLedgers(a: Ledger, b: Ledger): Ledger {
  return {
    offered: a.offered + b.offered,
    acknowledged: a.acknowledged + b.acknowledged,
    rejected: a.rejected + b.rejected,
    failed: a.failed + b.failed,
    unknown: a.unknown + b.unknown,
    inFlight: a.inFlight + b.inFlight,
  };
}

/** Table by table; what one of them has not heard of yet is empty there. */
export function addTables(a: readonly Ledger[], b: readonly Ledger[]): readonly Ledger[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, table) =>
    addLedgers(a[table] ?? EMPTY_LEDGER, b[table] ?? EMPTY_LEDGER),
  );
}

export function addRows(a: RowCounts, b: RowCounts): RowCounts {
  return {
    acknowledged: a.acknowledged + b.acknowledged,
    rejected: a.rejected + b.rejected,
    failed: a.failed + b.failed,
    unknown: a.unknown + b.unknown,
  };
}

export function addBatches(a: BatchCounts, b: BatchCounts): BatchCounts {
  return {
    begun: a.begun + b.begun,
    completed: a.completed + b.completed,
    retried: a.retried + b.retried,
    failed: a.failed + b.failed,
  };
}

/** Rows that are not, or not surely, stored. */
export function missingRows(rows: Pick<RowCounts, 'rejected' | 'failed' | 'unknown'>): number {
  return rows.rejected + rows.failed + rows.unknown;
}

/** Rows in a final state. */
export function settledRows(rows: RowCounts): number {
  return rows.acknowledged + rows.rejected + rows.failed + rows.unknown;
}

/** Throws when the ledger does not balance or a count is not a whole number from 0 on: that is a bug. */
export function assertBalanced(ledger: Ledger, whose: string): void {
  const counts = Object.values(ledger) as number[];
  assert(
    counts.every((count) => Number.isSafeInteger(count) && count >= 0),
    () => `${whose}: a ledger holds whole numbers from 0 on, not ${JSON.stringify(ledger)}`,
  );
  assert(
    ledger.offered === settledRows(ledger) + ledger.inFlight,
    () => `${whose}: the ledger does not balance: ${JSON.stringify(ledger)}`,
  );
}
