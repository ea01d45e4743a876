/** What a process of a run cost, as every report works it out from the run file. Pure. */
import { sumOfKnown } from '../metrics/measured.ts';
import type { RunFileWorker } from './run-file-schema.ts';

/** CPU seconds, user and system; null where neither was measured. */
export function cpuSecondsOf({ cpu }: Pick<RunFileWorker, 'cpu'>): number | null {
  return sumOfKnown([cpu.userSeconds, cpu.systemSeconds]);
}

/** An amount for a million of `rows`; null without either. */
export function perMillionRows(amount: number | null, rows: number | null): number | null {
  return amount === null || rows === null || rows <= 0 ? null : (amount / rows) * 1e6;
}

/** 0..1: part of a whole time; null without either. Clocks of two processes may make it a little more than the whole. */
export function shareOfTime(ms: number | null, wholeMs: number | null): number | null {
  return ms === null || wholeMs === null || wholeMs === 0 ? null : Math.min(1, ms / wholeMs);
}

/** An event loop is looked at four times a second: so long it takes until ten looks lie beyond the latest hundredth. */
const LOOP_TOLD_AFTER_MS = 250_000;

/** How late the event loop was, to be shown to people; null where too few looks at it lie beyond that percentile. */
export function shownLoopDelayMs(
  { eventLoopDelayP99Ms }: Pick<RunFileWorker, 'eventLoopDelayP99Ms'>,
  runningMs: number | null,
): number | null {
  return runningMs === null || runningMs < LOOP_TOLD_AFTER_MS ? null : eventLoopDelayP99Ms;
}

/** Rows acknowledged in this part of the run: what a worker's times and costs belong to. */
export function ownRows({ ledger, earlierRows }: Pick<RunFileWorker, 'ledger' | 'earlierRows'>): number {
  return ledger.acknowledged - earlierRows;
}
