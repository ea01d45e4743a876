/**
 * Whether, when and with what knowledge a batch is tried again. Decisions are pure functions of outcomes; the
 * budget is the one thing here that waits.
 */
import type { AttemptOutcome, AttemptRows } from '../cratedb/outcome.ts';
import type { RowCounts } from '../metrics/ledger.ts';

const BACKOFF_BASE_MS = 100;
/** No wait before another attempt is longer. */
export const BACKOFF_CAP_MS = 30_000;

/** Full jitter: evenly between 0 and the exponential step. `retry` counts from 1; `random` is in [0, 1). */
export function backoffMs(retry: number, random: number): number {
  return random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(retry, 16));
}

export type Decision =
  | { readonly kind: 'settled' }
  /** Send the same rows again; `spendsRetry` is false when the target let nobody in. */
  | { readonly kind: 'resend'; readonly spendsRetry: boolean }
  /** Refused whole for what the rows contain: try the halves. */
  | { readonly kind: 'split' };

export interface RetryFacts {
  readonly rows: number;
  /** A resend is exact. */
  readonly keyed: boolean;
  /** Retries that this range may still spend. */
  readonly retriesLeft: number;
}

/** What follows from one attempt. Without a key only rows that are surely not stored may be sent again. */
export function decide(outcome: AttemptOutcome, facts: RetryFacts): Decision {
  const { notStored, unknown } = outcome.rows;
  if (outcome.isSilent) return { kind: 'settled' };
  if (outcome.refusedWhole) return facts.rows > 1 ? { kind: 'split' } : { kind: 'settled' };
  if (notStored + unknown === 0) return { kind: 'settled' };
  if (!facts.keyed && notStored < facts.rows) return { kind: 'settled' };
  if (outcome.condition === 'unreachable' || outcome.condition === 'blocked') {
    // Nobody was let in: waiting is bounded by the outage and block time-outs, not by retries.
    if (notStored === facts.rows) return { kind: 'resend', spendsRetry: false };
  }
  return facts.retriesLeft > 0 ? { kind: 'resend', spendsRetry: true } : { kind: 'settled' };
}

/**
 * The best knowledge about a range of rows after one more attempt. An answer that names a final state for every
 * row supersedes what was unsure before. Otherwise acknowledged is the most any attempt said, and of the rest
 * unknown outweighs rejected, which outweighs failed. Which rows an attempt meant is not known, so two attempts
 * may have stored different ones: what the smaller acknowledged, and what either left unsure, adds up.
 */
export function learn(before: RowCounts | null, attempt: AttemptRows, rows: number): RowCounts {
  const acknowledged = Math.max(before?.acknowledged ?? 0, attempt.acknowledged);
  const rest = rows - acknowledged;
  if (attempt.unknown === 0 && attempt.notStored === 0) {
    return { acknowledged, rejected: rest, failed: 0, unknown: 0 };
  }
  const storedByEither = Math.min(before?.acknowledged ?? 0, attempt.acknowledged);
  const unknown = Math.min(rest, (before?.unknown ?? 0) + attempt.unknown + storedByEither);
  const rejected = Math.min(rest - unknown, Math.max(before?.rejected ?? 0, attempt.rejected));
  return { acknowledged, rejected, failed: rest - unknown - rejected, unknown };
}

/** Retries may be a tenth of first attempts, so that a client in trouble does not double the server's load. */
const BUDGET_SHARE = 0.1;
/** Saved-up retries, so that a short hiccup after a long calm is absorbed at once. */
const BUDGET_MOST = 100;
const BUDGET_AT_START = 10;
/** Without budget one batch goes ahead per this time, to see whether the trouble is over. */
export const PROBE_INTERVAL_MS = 2000;

/**
 * A retry that does well gives back what it took and one more: when the trouble is over, those who wait follow in
 * steps that double, and not one per probe. While more than half of them fail it only shrinks.
 */
const BUDGET_REWARD = 2;

/** A token bucket filled by first attempts and by retries that did well. */
export interface RetryBudget {
  /** Called with every first attempt. */
  earn(): void;
  /** Called with every retry that did well. */
  reward(): void;
  /** Takes one retry if there is one; else milliseconds until this caller may ask again as a probe. */
  spend(nowMs: number): { readonly granted: true } | { readonly granted: false; readonly waitMs: number };
}

export function createRetryBudget(): RetryBudget {
  let tokens = BUDGET_AT_START;
  let nextProbeMs = 0;
  return {
    earn() {
      tokens = Math.min(BUDGET_MOST, tokens + BUDGET_SHARE);
    },
    reward() {
      tokens = Math.min(BUDGET_MOST, tokens + BUDGET_REWARD);
    },
    spend(nowMs) {
      if (tokens >= 1) {
        tokens -= 1;
        return { granted: true };
      }
      if (nowMs >= nextProbeMs) {
        nextProbeMs = nowMs + PROBE_INTERVAL_MS;
        return { granted: true };
      }
      return { granted: false, waitMs: nextProbeMs - nowMs };
    },
  };
}
