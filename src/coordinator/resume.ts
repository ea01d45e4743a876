/**
 * Going on with a stopped run: what its workers had done stays counted, what did not end well is sent again
 * where that is exact, and each worker continues at its next batch.
 */
import { formatExact } from '../base/units.ts';
import {
  type BatchCounts,
  type Ledger,
  EMPTY_LEDGER,
  NO_BATCHES,
  addBatches,
  addLedgers,
  settledRows,
} from '../metrics/ledger.ts';
import { type Snapshot, emptySnapshot } from '../metrics/snapshot.ts';
import type { ResumedBooks } from '../plan/plan-file.ts';
import type { TableMix } from '../plan/table-mix.ts';
import type { ExceptionRecord } from '../worker/counter-file.ts';
import type { BatchException } from './run-result.ts';

/** What the run file says of a worker. */
export interface StoppedWorker {
  readonly ledger: Ledger;
  /** The same rows by table. */
  readonly tables: readonly Ledger[];
  readonly batches: BatchCounts & { readonly next: number; readonly exceptions: readonly BatchException[] };
}

/** Without a key only batches of which surely no row is stored may be sent again. */
export function resumeOf(worker: StoppedWorker, keyed: boolean, mix: TableMix): ResumedBooks {
  const maySend = (batch: BatchException): boolean =>
    keyed || (batch.acknowledged === 0 && batch.unknown === 0);
  const again = worker.batches.exceptions.filter(maySend);
  const ledger = again.reduce((sum, batch) => addLedgers(sum, negative(batch)), worker.ledger);
  const tables = worker.tables.map((sum, table) =>
    again
      .filter(({ batch }) => mix.placeOf(batch).table === table)
      .reduce((rest, batch) => addLedgers(rest, negative(batch)), sum),
  );
  const { begun, completed, retried, failed } = worker.batches;
  return {
    ledger,
    tables,
    batches: addBatches(
      { begun, completed, retried, failed },
      { ...NO_BATCHES, begun: -again.length, completed: -again.length, failed: -again.length },
    ),
    nextBatch: worker.batches.next,
    resend: again.map(({ batch }) => batch),
    exceptions: worker.batches.exceptions.filter((batch) => !maySend(batch)),
  };
}

function negative(batch: BatchException): Ledger {
  const { acknowledged, rejected, failed, unknown } = batch;
  return {
    ...EMPTY_LEDGER,
    offered: -settledRows(batch),
    acknowledged: -acknowledged,
    rejected: -rejected,
    failed: -failed,
    unknown: -unknown,
  };
}

/** The earlier part as a snapshot that later ones are added to; its times and costs are not carried over. */
export function baseSnapshot(worker: ResumedBooks): Snapshot {
  const { nextBatch, ledger, tables, batches } = worker;
  return { ...emptySnapshot(nextBatch), ledger, tables, batches };
}

/** What the numbers of a run are of whose books began before its times did; nothing for any other. */
export function resumedWarnings(resumed: readonly ResumedBooks[] | null): readonly string[] {
  if (resumed === null) return [];
  const earlierRows = resumed.reduce((sum, { ledger }) => sum + ledger.acknowledged, 0);
  return [
    `This run was resumed after ${formatExact(earlierRows)} rows in complete batches: rows and batches are of the whole run, times, costs and curves of its last part.`,
  ];
}

/** Kept exceptions as the books want them: nothing was sent for them after `nowMs`, and perhaps just before it. */
export function keptExceptions(worker: ResumedBooks, nowMs: number): ExceptionRecord[] {
  return worker.exceptions.map((exception) => ({ ...exception, lastByteAtMs: nowMs }));
}

/** As the run file keeps it: monotonic times mean nothing in another boot. */
export function toException({
  batch,
  acknowledged,
  rejected,
  failed,
  unknown,
}: ExceptionRecord): BatchException {
  return { batch, acknowledged, rejected, failed, unknown };
}
