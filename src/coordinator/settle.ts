/**
 * After the last worker: rows that are still unknown are looked up, and the server's own count is held against
 * the ledger. What cannot be found out in the time there is stays unknown, and is called so.
 */
import type { Clock } from '../base/clock.ts';
import { COUNT_TIMES, COUNT_TIMES_AFTER_SIGNAL, verifyByCount, verifyByDelta } from '../audit/count.ts';
import { type UnknownBatch, resolveUnknown } from '../audit/resolve.ts';
import { EMPTY_LEDGER, type Ledger, addLedgers } from '../metrics/ledger.ts';
import { batchRows } from '../plan/assignment.ts';
import { hasRunColumns } from '../rows/schema.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { ExceptionRecord } from '../worker/counter-file.ts';
import { type PreparedTarget, shareOf } from './prepare-target.ts';
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
  readonly exceptions: readonly ExceptionRecord[];
}

export interface Settlement {
  readonly workers: readonly WorkerBooks[];
  readonly resolved: { readonly stored: number; readonly absent: number };
  readonly verification: Verification;
}

export interface SettleParts {
  readonly plan: RunPlan;
  readonly target: PreparedTarget;
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
  const verification = await verify(resolved.workers, parts);
  return { ...resolved, verification };
}

async function resolve(
  books: readonly WorkerBooks[],
  parts: SettleParts,
): Promise<Omit<Settlement, 'verification'>> {
  const { plan, target, clock, stop } = parts;
  const unknown = books.flatMap((worker) => worker.exceptions.filter((batch) => batch.unknown > 0));
  const nothing = { workers: books, resolved: { stored: 0, absent: 0 } };
  const cannotAsk = target.state.kind === 'discard' || !hasRunColumns(plan.table.schema);
  if (unknown.length === 0 || cannotAsk || stop.forced.aborted) return nothing;
  parts.onResolving(unknown.reduce((sum, batch) => sum + batch.unknown, 0));
  const batches = unknown.map((batch): UnknownBatch => ({
    ...batchRows({ batchSize: plan.load.batchSize, rows: plan.bounds.rows }, batch.batch),
    acknowledged: batch.acknowledged,
    unknown: batch.unknown,
    lastByteAtMs: batch.lastByteAtMs,
  }));
  const isStopped = stop.cause() !== null;
  const rows = { table: plan.table.name, runId: plan.runId, batchSize: plan.load.batchSize, batches };
  const answer = await resolveUnknown(target.client, rows, {
    clock,
    budgetMs: isStopped || parts.isOutage ? RESOLVE_AFTER_SIGNAL_MS : RESOLVE_MS,
    signal: isStopped ? stop.forced : stop.graceful,
  });
  const found = new Map(answer.perBatch.map((batch) => [batch.firstRow / plan.load.batchSize, batch]));
  const workers = books.map((worker) =>
    applyResolution(worker, (batch) => found.get(batch) ?? { stored: 0, absent: 0 }),
  );
  return { workers, resolved: { stored: answer.stored, absent: answer.absent } };
}

/** Moves looked-up rows from unknown to acknowledged or failed, in the batch and in the worker's ledger. */
function applyResolution(
  worker: WorkerBooks,
  resolutionOf: (batch: number) => { stored: number; absent: number },
): WorkerBooks {
  let { ledger } = worker;
  const exceptions = worker.exceptions.map((batch) => {
    if (batch.unknown === 0) return batch;
    const { stored, absent } = resolutionOf(batch.batch);
    ledger = addLedgers(ledger, {
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
  return { ...worker, ledger, exceptions: exceptions.filter((batch) => batch.failed + batch.unknown > 0) };
}

async function verify(workers: readonly WorkerBooks[], parts: SettleParts): Promise<Verification> {
  const { plan, target, clock, stop } = parts;
  const skipped = (detail: string): Verification => ({
    method: 'none',
    stored: null,
    verdict: 'skipped',
    detail,
  });
  if (target.state.kind === 'discard') return skipped('the target discards rows and says so');
  if (plan.verify === 'none') return skipped('as --verify none says');
  if (stop.forced.aborted) return skipped('the run was stopped at once');
  parts.onVerifying();
  const ledger = workers.reduce((sum, worker) => addLedgers(sum, worker.ledger), EMPTY_LEDGER);
  const wasStopped = stop.cause() !== null;
  const rows = {
    table: plan.table.name,
    runId: plan.runId,
    range: null,
    share: plan.machine.count > 1 ? shareOf(plan) : null,
  };
  const run = { rows, acknowledged: ledger.acknowledged, unknown: ledger.unknown, keyed: target.state.keyed };
  const options = {
    ...(wasStopped || parts.isOutage ? COUNT_TIMES_AFTER_SIGNAL : COUNT_TIMES),
    clock,
    signal: wasStopped ? stop.forced : stop.graceful,
  };
  const { rowsBefore } = target;
  const verification =
    rowsBefore === null
      ? await verifyByCount(target.client, run, options)
      : await verifyByDelta(target.client, { ...run, table: plan.table.name, before: rowsBefore }, options);
  return verification.verdict === 'skipped'
    ? skipped('a signal came while the rows were counted')
    : verification;
}
