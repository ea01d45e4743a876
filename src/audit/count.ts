/**
 * Verification by count: the server's own number of this run's rows must lie between the rows that it
 * acknowledged and those plus the unknown ones.
 */
import type { Clock } from '../base/clock.ts';
import type { TableName } from '../base/sql.ts';
import { formatExact } from '../base/units.ts';
import type { Answer, AskOptions } from '../cratedb/ask.ts';
import type { CrateClient } from '../cratedb/client.ts';
import { shardState } from '../cratedb/introspect.ts';
import {
  type RunRows,
  countDistinct,
  countRun,
  countTable,
  lastRow,
  refresh,
} from '../cratedb/statements.ts';
import type { Verification } from './verification.ts';

export interface CountedRun {
  /** Which rows are this run's, on this machine. */
  readonly rows: RunRows;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly keyed: boolean;
}

export interface CountOptions {
  readonly clock: Clock;
  /** How long to wait for shards that are missing or on the move: 60 s, after a signal 5 s. */
  readonly shardWaitMs: number;
  /** How long to count again, once no shard is: 10 s. */
  readonly settleMs: number;
  /** Ends the verification as `skipped`. */
  readonly signal?: AbortSignal | null;
}

export const COUNT_TIMES = { shardWaitMs: 60_000, settleMs: 10_000 } as const;
/** After a signal the report must be there within 5 s. */
export const COUNT_TIMES_AFTER_SIGNAL = { shardWaitMs: 2_500, settleMs: 1_000 } as const;

const PAUSE_MS = 1_000;
/** Asks every node, and hangs while one of them does. */
const SHARDS_TIMEOUT_MS = 5_000;

/** Counts, and counts again while a mismatch may only be a recovering copy. Never rejects. */
export async function verifyByCount(
  client: CrateClient,
  run: CountedRun,
  options: CountOptions,
): Promise<Verification> {
  const patience = new Patience(options);
  for (;;) {
    const counted = await countOnce(
      client,
      run.rows.table,
      (ask) => countRun(client, run.rows, ask),
      patience,
    );
    if (options.signal?.aborted === true)
      return { method: 'count', stored: null, verdict: 'skipped', detail: 'a signal ended the verification' };
    if (counted.ok && within(counted.value, run)) return verified(counted.value, run);
    const settled = await shardsAreSettled(client, run.rows.table, patience.ask());
    if (await patience.waitMore(settled && counted.ok)) continue;
    if (!counted.ok)
      return {
        method: 'count',
        stored: null,
        verdict: 'unavailable',
        detail: `the rows could not be counted: ${counted.message}`,
      };
    if (!settled)
      return {
        method: 'count',
        stored: counted.value,
        verdict: 'unavailable',
        detail: `shards of the table are missing or on the move; so far ${formatExact(counted.value)} rows can be counted`,
      };
    return {
      method: 'count',
      stored: counted.value,
      verdict: 'mismatch',
      detail: await explain(client, counted.value, run, patience.ask()),
    };
  }
}

export interface CountedTable {
  readonly table: TableName;
  /** Rows of the table before the run. */
  readonly before: number;
  readonly acknowledged: number;
  readonly unknown: number;
}

/** For tables without run_id: rows after minus rows before, which proves nothing when others write too. */
export async function verifyByDelta(
  client: CrateClient,
  run: CountedTable,
  options: CountOptions,
): Promise<Verification> {
  const patience = new Patience(options);
  const counted = await countOnce(client, run.table, (ask) => countTable(client, run.table, ask), patience);
  if (options.signal?.aborted === true)
    return { method: 'delta', stored: null, verdict: 'skipped', detail: 'a signal ended the verification' };
  if (!counted.ok)
    return {
      method: 'delta',
      stored: null,
      verdict: 'unavailable',
      detail: `the rows could not be counted: ${counted.message}`,
    };
  const stored = counted.value - run.before;
  const detail = `the table has no run_id; it has ${formatExact(stored)} rows more than before, ${expectation(run)}`;
  return { method: 'delta', stored, verdict: 'advisory', detail };
}

async function countOnce(
  client: CrateClient,
  table: TableName,
  count: (ask: AskOptions) => Promise<Answer<number>>,
  patience: Patience,
): Promise<Answer<number>> {
  const refreshed = await refresh(client, table, patience.ask());
  return refreshed.ok ? count(patience.ask()) : refreshed;
}

/** False while a primary is nowhere or a copy is on the move; true when that cannot be seen. */
async function shardsAreSettled(client: CrateClient, table: TableName, ask: AskOptions): Promise<boolean> {
  const timeoutMs = Math.min(ask.timeoutMs ?? SHARDS_TIMEOUT_MS, SHARDS_TIMEOUT_MS);
  const state = await shardState(client, table, { ...ask, timeoutMs });
  return state === null || state.missingPrimaries + state.initializing + state.relocating === 0;
}

/** The two time limits of a verification, and the pauses in it. */
class Patience {
  readonly #options: CountOptions;
  readonly #startMs: number;
  #settledAtMs: number | null = null;

  constructor(options: CountOptions) {
    this.#options = options;
    this.#startMs = options.clock.monotonicMs();
  }

  /** No statement takes longer than all of it may. */
  ask(): AskOptions {
    const { clock, shardWaitMs, settleMs, signal } = this.#options;
    const leftMs = this.#startMs + shardWaitMs + settleMs - clock.monotonicMs();
    return { timeoutMs: Math.max(leftMs, 1_000), signal: signal ?? null };
  }

  /** Pauses and says true while there is time to try again; `settled` starts the second, shorter limit. */
  async waitMore(settled: boolean): Promise<boolean> {
    const { clock, shardWaitMs, settleMs, signal } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#settledAtMs = settled ? (this.#settledAtMs ?? nowMs) : null;
    const endMs = this.#settledAtMs === null ? this.#startMs + shardWaitMs : this.#settledAtMs + settleMs;
    if (nowMs >= endMs) return false;
    await clock.sleep(Math.min(PAUSE_MS, endMs - nowMs), signal ?? undefined);
    return true;
  }
}

function within(stored: number, run: CountedRun): boolean {
  return run.acknowledged <= stored && stored <= run.acknowledged + run.unknown;
}

function verified(stored: number, run: CountedRun): Verification {
  return {
    method: 'count',
    stored,
    verdict: 'match',
    detail: `the server counts ${formatExact(stored)} rows of this run, ${expectation(run)}`,
  };
}

function expectation({
  acknowledged,
  unknown,
}: {
  readonly acknowledged: number;
  readonly unknown: number;
}): string {
  const all = `${formatExact(acknowledged)} acknowledged`;
  return unknown === 0 ? all : `${all} and ${formatExact(unknown)} unknown`;
}

async function explain(
  client: CrateClient,
  stored: number,
  run: CountedRun,
  ask: AskOptions,
): Promise<string> {
  const counts = `the server counts ${formatExact(stored)} rows of this run, ${expectation(run)}`;
  if (stored < run.acknowledged)
    return `${counts}: ${formatExact(run.acknowledged - stored)} acknowledged rows are missing`;
  const surplus = stored - run.acknowledged - run.unknown;
  const distinct = run.keyed ? null : await distinctRows(client, run.rows, ask);
  if (distinct === null || distinct >= stored)
    return `${counts}: ${formatExact(surplus)} rows more than can be`;
  return `${counts}: ${formatExact(stored - distinct)} rows are duplicates, as the table has no key over run_id and seq`;
}

/** Number of different rows, or null when it cannot be had. */
async function distinctRows(client: CrateClient, rows: RunRows, ask: AskOptions): Promise<number | null> {
  let { range } = rows;
  if (range === null) {
    const last = await lastRow(client, rows, ask);
    if (!last.ok || last.value === null) return null;
    range = { from: 0, to: last.value + 1 };
  }
  const distinct = await countDistinct(client, { ...rows, range }, ask);
  return distinct.ok ? distinct.value : null;
}
