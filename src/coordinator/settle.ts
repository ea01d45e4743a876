/**
 * After the last worker: rows that are still unknown are looked up, and the server's own count is held against
 * the ledger. What cannot be found out in the time there is stays unknown, and is called so.
 */
import type { Clock } from '../base/clock.ts';
import { COUNT_TIMES, COUNT_TIMES_AFTER_SIGNAL, verifyByCount, verifyByDelta } from '../audit/count.ts';
import { type UnknownBatch, resolveUnknown } from '../audit/resolve.ts';
import { notVerified, verifiedTogether } from '../audit/verification.ts';
import { formatTable } from '../base/sql.ts';
import { EMPTY_LEDGER, type Ledger, addLedgers, addTables } from '../metrics/ledger.ts';
import { type RunPlan, tablesOf } from '../plan/run-plan.ts';
import { type TableMix, type TableRange, mixOf, tableRange } from '../plan/table-mix.ts';
import { hasRunColumns } from '../rows/schema.ts';
import type { ExceptionRecord } from '../worker/counter-file.ts';
import { shareOf } from './prepare-tables.ts';
import type { PreparedTable, PreparedTarget } from './prepare-target.ts';
import type { Verification } from './run-result.ts';
import type { StopControl } from './stop-control.ts';

/** After a signal the report must be there within 5 s: this much for looking up, the rest for counting. */
const RESOLVE_AFTER_SIGNAL_MS = 2500;
/** Absent is certain 65 s after the last byte of an attempt; a little more for the questions themselves. */
const RESOLVE_MS = 75_000;

/** One worker's books, as its incarnations left them. */
export interface WorkerBooks {
  readonly index: number;
  readonly ledger: Ledger;
  /** The same rows by table. */
  readonly tables: readonly Ledger[];
  readonly exceptions: readonly ExceptionRecord[];
}

export interface Settlement {
  readonly workers: readonly WorkerBooks[];
  /** In the order of the plan. */
  readonly tables: readonly { readonly ledger: Ledger; readonly verification: Verification }[];
  readonly resolved: { readonly stored: number; readonly absent: number };
  /** Why rows are still unknown although the server was asked for them, in sentences. */
  readonly doubts: readonly string[];
  readonly verification: Verification;
}

export interface SettleParts {
  readonly plan: RunPlan;
  readonly target: Pick<PreparedTarget, 'state' | 'client'> & {
    readonly tables: readonly Pick<PreparedTable, 'plan' | 'rowsBefore'>[];
  };
  readonly clock: Clock;
  readonly stop: StopControl;
  /** Nobody could be reached for as long as was allowed: the server is asked once more, and not waited for. */
  readonly isOutage: boolean;
  readonly onResolving: (unknownRows: number) => void;
  readonly onVerifying: () => void;
}

/** Resolves and verifies; never rejects for what a server does. */
export async function settle(books: readonly WorkerBooks[], parts: SettleParts): Promise<Settlement> {
  const resolved = await resolve(books, parts);
  const sums = resolved.workers.map(({ tables }) => tables).reduce(addTables, []);
  const ledgers = parts.target.tables.map((_, table) => sums[table] ?? EMPTY_LEDGER);
  const verifications = await verify(ledgers, parts);
  const named = parts.target.tables.map(({ plan: { name } }, table) => ({
    name: formatTable(name),
    verification: verifications[table] ?? notVerified(''),
  }));
  return {
    ...resolved,
    tables: ledgers.map((ledger, table) => ({
      ledger,
      verification: verifications[table] ?? notVerified(''),
    })),
    verification: verifiedTogether(named),
  };
}

/** What became of rows that were unknown. */
interface Found {
  readonly stored: number;
  readonly absent: number;
}

const NOTHING_FOUND: Found = { stored: 0, absent: 0 };

/** A batch with unknown rows, and which rows they are among. */
interface AskedBatch {
  readonly exception: ExceptionRecord;
  readonly range: TableRange;
}

async function resolve(
  books: readonly WorkerBooks[],
  parts: SettleParts,
): Promise<Pick<Settlement, 'workers' | 'resolved' | 'doubts'>> {
  const { plan, target, stop } = parts;
  const mix = mixOf(tablesOf(plan));
  const assignment = { batchSize: plan.load.batchSize, rows: plan.bounds.rows };
  const asked = books
    .flatMap((worker) => worker.exceptions.filter((batch) => batch.unknown > 0))
    .map((exception): AskedBatch => ({ exception, range: tableRange(mix, assignment, exception.batch) }))
    .filter(({ range }) => tellsRows(target.tables[range.table]));
  if (asked.length === 0 || target.state.kind === 'discard' || stop.forced.aborted)
    return { workers: books, resolved: NOTHING_FOUND, doubts: [] };
  parts.onResolving(asked.reduce((sum, { exception }) => sum + exception.unknown, 0));
  const perTable = await Promise.all(
    target.tables.map((table, position) =>
      lookUp(
        table,
        asked.filter(({ range }) => range.table === position),
        parts,
      ),
    ),
  );
  const found = new Map(perTable.flatMap((table) => table.found));
  const sum = (of: (each: Found) => number): number =>
    [...found.values()].reduce((total, each) => total + of(each), 0);
  return {
    workers: books.map((worker) =>
      applyResolution(worker, mix, (batch) => found.get(batch) ?? NOTHING_FOUND),
    ),
    resolved: { stored: sum(({ stored }) => stored), absent: sum(({ absent }) => absent) },
    doubts: [...new Set(perTable.flatMap(({ doubt }) => doubt ?? []))],
  };
}

interface LookedUp {
  /** By the batch's number in the run. */
  readonly found: readonly (readonly [batch: number, found: Found])[];
  /** Why some rows are still unknown, as a sentence; null when none is. */
  readonly doubt: string | null;
}

function tellsRows(table: Pick<PreparedTable, 'plan'> | undefined): boolean {
  return table !== undefined && hasRunColumns(table.plan.schema);
}

/** Asks one table for its rows. */
async function lookUp(
  { plan: { name } }: Pick<PreparedTable, 'plan'>,
  asked: readonly AskedBatch[],
  { plan, target, clock, stop, isOutage }: SettleParts,
): Promise<LookedUp> {
  if (asked.length === 0) return { found: [], doubt: null };
  const batches = asked.map(({ exception, range }): UnknownBatch => ({
    firstRow: range.firstRow,
    rows: range.rows,
    acknowledged: exception.acknowledged,
    unknown: exception.unknown,
    lastByteAtMs: exception.lastByteAtMs,
  }));
  const isStopped = stop.cause() !== null;
  const rows = { table: name, runId: plan.runId, batchSize: plan.load.batchSize, batches };
  const { perBatch, detail } = await resolveUnknown(target.client, rows, {
    clock,
    budgetMs: isStopped || isOutage ? RESOLVE_AFTER_SIGNAL_MS : RESOLVE_MS,
    signal: isStopped ? stop.forced : stop.graceful,
  });
  return {
    found: asked.map(({ exception }, position) => [exception.batch, perBatch[position] ?? NOTHING_FOUND]),
    doubt: detail === '' ? null : `Rows of ${formatTable(name)} are still unknown: ${detail}.`,
  };
}

/** Moves looked-up rows from unknown to acknowledged or failed, in the batch and in the worker's ledgers. */
function applyResolution(
  worker: WorkerBooks,
  mix: TableMix,
  resolutionOf: (batch: number) => Found,
): WorkerBooks {
  const moved = worker.tables.map(() => EMPTY_LEDGER);
  const exceptions = worker.exceptions.map((batch) => {
    if (batch.unknown === 0) return batch;
    const { stored, absent } = resolutionOf(batch.batch);
    const { table } = mix.placeOf(batch.batch);
    moved[table] = addLedgers(moved[table] ?? EMPTY_LEDGER, {
      ...EMPTY_LEDGER,
      acknowledged: stored,
      failed: absent,
      unknown: -(stored + absent),
    });
    return {
      ...batch,
      acknowledged: batch.acknowledged + stored,
      failed: batch.failed + absent,
      unknown: batch.unknown - stored - absent,
    };
  });
  return {
    ...worker,
    ledger: moved.reduce(addLedgers, worker.ledger),
    tables: addTables(worker.tables, moved),
    exceptions: exceptions.filter((batch) => batch.failed + batch.unknown > 0),
  };
}

/** One verdict for each table, all within the same time. */
async function verify(ledgers: readonly Ledger[], parts: SettleParts): Promise<readonly Verification[]> {
  const { plan, target, stop } = parts;
  const skipped = (detail: string): readonly Verification[] => ledgers.map(() => notVerified(detail));
  if (target.state.kind === 'discard') return skipped('the target discards rows: there is nothing to count');
  if (plan.verify === 'none') return skipped('as --verify none says');
  if (stop.forced.aborted) return skipped('the run was stopped at once');
  parts.onVerifying();
  return await Promise.all(
    target.tables.map((table, position) => verifyTable(table, ledgers[position] ?? EMPTY_LEDGER, parts)),
  );
}

async function verifyTable(
  { plan: { name }, rowsBefore }: Pick<PreparedTable, 'plan' | 'rowsBefore'>,
  { acknowledged, unknown }: Ledger,
  { plan, target, clock, stop, isOutage }: SettleParts,
): Promise<Verification> {
  const wasStopped = stop.cause() !== null;
  const options = {
    ...(wasStopped || isOutage ? COUNT_TIMES_AFTER_SIGNAL : COUNT_TIMES),
    clock,
    signal: wasStopped ? stop.forced : stop.graceful,
  };
  const rows = { table: name, runId: plan.runId, range: null, share: shareOf(plan) };
  const run = { rows, acknowledged, unknown, keyed: target.state.keyed };
  const verification =
    rowsBefore === null
      ? await verifyByCount(target.client, run, options)
      : await verifyByDelta(target.client, { ...run, table: name, before: rowsBefore }, options);
  return verification.verdict === 'skipped'
    ? notVerified('a signal came while the rows were counted')
    : verification;
}
