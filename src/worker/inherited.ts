/**
 * Batches that are to be sent again and that nobody has begun to: they were offered, so that their rows are in flight
 * until then. Counted by the worker that is to send them, and by the coordinator until it hears from it.
 */
import { EMPTY_LEDGER, type Ledger, addLedgers } from '../metrics/ledger.ts';
import { type Assignment, rowsOfBatch } from '../plan/assignment.ts';
import type { TableMix } from '../plan/table-mix.ts';

/** Rows of such batches, for each table; as short as the tables allow that have some. */
export function waitingRows(
  batches: readonly number[],
  assignment: Assignment,
  mix: TableMix,
): readonly Ledger[] {
  const tables: Ledger[] = [];
  for (const batch of batches) {
    const { table } = mix.placeOf(batch);
    while (tables.length <= table) tables.push(EMPTY_LEDGER);
    tables[table] = addLedgers(tables[table] ?? EMPTY_LEDGER, inFlight(rowsOfBatch(assignment, batch)));
  }
  return tables;
}

export function inFlight(rows: number): Ledger {
  return { ...EMPTY_LEDGER, offered: rows, inFlight: rows };
}
