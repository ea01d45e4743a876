/**
 * Resolves unknown rows: sent, and no answer said what became of them. The server is asked for them by key; what
 * it has is stored, and what it has not is absent once nothing can bring it any more.
 */
import type { Clock } from '../base/clock.ts';
import type { TableName } from '../base/sql.ts';
import type { AskOptions } from '../cratedb/ask.ts';
import type { CrateClient } from '../cratedb/client.ts';
import { runningInserts } from '../cratedb/introspect.ts';
import { type RowRange, countPerBatch, refresh } from '../cratedb/statements.ts';

/** A batch with rows whose fate is unknown. Its rejected and failed rows are surely not stored. */
export interface UnknownBatch {
  readonly firstRow: number;
  readonly rows: number;
  readonly acknowledged: number;
  readonly unknown: number;
  /** When the last byte of its last attempt was handed over, monotonic ms of this host. */
  readonly lastByteAtMs: number;
}

export interface UnknownRows {
  readonly table: TableName;
  readonly runId: string;
  /** Rows of batch b begin at b × batchSize. */
  readonly batchSize: number;
  readonly batches: readonly UnknownBatch[];
}

export interface ResolveOptions {
  readonly clock: Clock;
  /** How long it may take in all. */
  readonly budgetMs: number;
  readonly signal?: AbortSignal | null;
}

interface ResolvedBatch {
  readonly firstRow: number;
  /** The three add up to the batch's unknown rows. */
  readonly stored: number;
  readonly absent: number;
  readonly unknown: number;
}

export interface Resolution {
  /** Rows that were unknown: found, surely not there, and still unknown. */
  readonly stored: number;
  readonly absent: number;
  readonly stillUnknown: number;
  /** In the order in which they were given. */
  readonly perBatch: readonly ResolvedBatch[];
  /** Why rows are still unknown, or ''. */
  readonly detail: string;
}

/** A server goes on with a statement whose client is gone, and waits up to 60 s for a shard: then it is over. */
const SETTLED_AFTER_MS = 65_000;
/**
 * A request whose connection was cut may not be a job yet, and the last parts of one whose node died may still
 * be written by others: that nothing runs counts only this long after the last byte, and after the first answer of
 * the server. One that stood still takes up what lies in its buffers only when it answers again.
 */
const QUIET_MS = 2_000;
const PAUSE_MS = 1_000;
/** Each statement reaches every node, and hangs while one of them does: the next round asks again. */
const JOBS_TIMEOUT_MS = 5_000;
const COUNT_TIMEOUT_MS = 30_000;

interface Open {
  readonly batch: UnknownBatch;
  /** Rows found so far, of those that were unknown. */
  stored: number;
  /** What is not found is not there and will not come. */
  settled: boolean;
}

/** Asks until every row is settled, the budget is used up or the signal aborts. Never rejects. */
export async function resolveUnknown(
  client: CrateClient,
  run: UnknownRows,
  options: ResolveOptions,
): Promise<Resolution> {
  const { clock, signal } = options;
  const deadlineMs = clock.monotonicMs() + options.budgetMs;
  const open: Open[] = run.batches.map((batch) => ({ batch, stored: 0, settled: batch.unknown === 0 }));
  const server: Watched = { answersSinceMs: null };
  let trouble = '';
  for (;;) {
    const pending = open.filter((one) => !one.settled);
    if (pending.length === 0 || clock.monotonicMs() >= deadlineMs || signal?.aborted === true) break;
    trouble = await askOnce(client, run, pending, { clock, deadlineMs, signal: signal ?? null, server });
    if (pending.every((one) => one.settled)) break;
    await clock.sleep(Math.min(PAUSE_MS, Math.max(deadlineMs - clock.monotonicMs(), 0)), signal ?? undefined);
  }
  return summed(open, trouble);
}

/** The server as the rounds have seen it. */
interface Watched {
  /** Since when it has told of its jobs at each look; null while it does not. */
  answersSinceMs: number | null;
}

interface Limits {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | null;
  readonly server: Watched;
}

/** One round over all batches that are not settled; why some may still not be. */
async function askOnce(
  client: CrateClient,
  run: UnknownRows,
  pending: readonly Open[],
  { clock, deadlineMs, signal, server }: Limits,
): Promise<string> {
  const ask = (longestMs: number): AskOptions => ({
    timeoutMs: Math.min(longestMs, Math.max(deadlineMs - clock.monotonicMs(), 1)),
    signal,
  });
  // The order matters: what did not run any more before the refresh is in the count after it.
  const running = await runningInserts(client, run.table, ask(JOBS_TIMEOUT_MS));
  const askedAtMs = clock.monotonicMs();
  server.answersSinceMs = running === null ? null : (server.answersSinceMs ?? askedAtMs);
  const look: Look = { atMs: askedAtMs, idleSinceMs: running === 0 ? server.answersSinceMs : null };
  const refreshed = await refresh(client, run.table, ask(COUNT_TIMEOUT_MS));
  if (!refreshed.ok) return refreshed.message;
  const batches = pending.map(({ batch }) => batch);
  for (const range of spansOf(batches, run.batchSize)) {
    const rows = { table: run.table, runId: run.runId, range, share: null };
    const counts = await countPerBatch(client, rows, run.batchSize, ask(COUNT_TIMEOUT_MS));
    if (!counts.ok) return counts.message;
    for (const one of pending) {
      const { firstRow } = one.batch;
      if (firstRow < range.from || firstRow >= range.to) continue;
      take(one, counts.value.get(Math.floor(firstRow / run.batchSize)) ?? 0, look);
    }
  }
  return `${doubtOf(running)}, so an absent row may still come`;
}

function doubtOf(running: number | null): string {
  if (running === null) return "the server's jobs cannot be seen";
  return running === 0
    ? `no INSERT has been watched for ${QUIET_MS / 1000} s yet`
    : `${running} INSERTs into the table still run`;
}

/** The server's jobs, just before a count. */
interface Look {
  readonly atMs: number;
  /** Since when it tells of its jobs, none of which is an INSERT into the table now; null when one is. */
  readonly idleSinceMs: number | null;
}

function take(one: Open, visible: number, { atMs, idleSinceMs }: Look): void {
  const { acknowledged, unknown, lastByteAtMs } = one.batch;
  one.stored = Math.min(Math.max(visible - acknowledged, 0), unknown);
  const isIdle = idleSinceMs !== null && atMs - Math.max(lastByteAtMs, idleSinceMs) >= QUIET_MS;
  one.settled = one.stored === unknown || atMs - lastByteAtMs >= SETTLED_AFTER_MS || isIdle;
}

/** A batch between two that are asked for costs less than another query, up to this many. */
const MAX_GAP_BATCHES = 50;
/** Different keys are counted in the server's memory: a span has at most this many rows, unless one batch has more. */
const MAX_SPAN_ROWS = 500_000;

/** Few ranges that contain all batches: neighbours within a small gap share one. */
export function spansOf(
  batches: readonly Pick<UnknownBatch, 'firstRow' | 'rows'>[],
  batchSize: number,
): readonly RowRange[] {
  const spans: { from: number; to: number }[] = [];
  for (const { firstRow, rows } of batches.toSorted((a, b) => a.firstRow - b.firstRow)) {
    const last = spans.at(-1);
    const end = firstRow + rows;
    if (
      last !== undefined &&
      firstRow - last.to <= MAX_GAP_BATCHES * batchSize &&
      end - last.from <= MAX_SPAN_ROWS
    )
      last.to = Math.max(last.to, end);
    else spans.push({ from: firstRow, to: end });
  }
  return spans;
}

function summed(open: readonly Open[], trouble: string): Resolution {
  const perBatch = open.map(({ batch, stored, settled }) => {
    const rest = batch.unknown - stored;
    return { firstRow: batch.firstRow, stored, absent: settled ? rest : 0, unknown: settled ? 0 : rest };
  });
  const sum = (of: (batch: ResolvedBatch) => number): number =>
    perBatch.reduce((total, batch) => total + of(batch), 0);
  const stillUnknown = sum((batch) => batch.unknown);
  return {
    stored: sum((batch) => batch.stored),
    absent: sum((batch) => batch.absent),
    stillUnknown,
    perBatch,
    detail: stillUnknown === 0 ? '' : trouble === '' ? 'there was no time to ask the server' : trouble,
  };
}
