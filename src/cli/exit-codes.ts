/**
 * Exit codes: what they mean, and which one a run or a failure gets. Pure, so that the precedence can be read and
 * tested in one place.
 */
import { CrategenError } from '../base/errors.ts';
import { missingRows } from '../metrics/ledger.ts';
import type { Tolerance } from '../plan/run-plan.ts';
import type { EndReason, Verification } from '../coordinator/run-result.ts';

export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  target: 3,
  rows: 4,
  threshold: 5,
  mismatch: 6,
  workers: 7,
} as const;

/** As the help lists them. */
export const EXIT_MEANINGS: readonly (readonly [string, string])[] = [
  ['0', 'the bound was reached and the result verified'],
  ['1', 'unexpected error, or the run file could not be written'],
  ['2', 'usage or configuration'],
  ['3', 'target not reachable, not authorised or not fit'],
  [
    '4',
    'rows rejected, failed or unknown beyond --max-failed; an outage or block outlasted its time-out; no count',
  ],
  ['5', 'a --fail-on condition was true'],
  ['6', "the server's count contradicts the ledger, or verify found a difference"],
  ['7', 'workers kept dying'],
  ['129, 130, 143', 'stopped by SIGHUP, SIGINT, SIGTERM, after a complete summary'],
];

/** Signals that end a command in order, each with its code. */
export const SIGNAL_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** What the exit code of a run depends on. */
export interface RunEnd {
  readonly endReason: EndReason;
  readonly signal: keyof typeof SIGNAL_CODES | null;
  readonly verdict: Verification['verdict'];
  /** Rows. */
  readonly ledger: {
    readonly offered: number;
    readonly rejected: number;
    readonly failed: number;
    readonly unknown: number;
  };
  readonly maxFailed: Tolerance;
  readonly thresholdsMissed: number;
  /** False when the run file could not be written. */
  readonly isWritten: boolean;
}

/** The code of a run that took place. If several apply, the first of 6, 1, 7, signal, 4, 5 wins. */
export function exitCodeOf(end: RunEnd): number {
  if (end.verdict === 'mismatch') return EXIT.mismatch;
  if (end.endReason === 'error' || !end.isWritten) return EXIT.unexpected;
  if (end.endReason === 'workers') return EXIT.workers;
  if (end.signal !== null) return SIGNAL_CODES[end.signal];
  if (hasLostRows(end)) return EXIT.rows;
  return end.thresholdsMissed > 0 ? EXIT.threshold : EXIT.ok;
}

function hasLostRows(end: RunEnd): boolean {
  if (end.endReason === 'outage' || end.endReason === 'blocked' || end.endReason === 'maxFailed') return true;
  return end.verdict === 'unavailable' || !isTolerated(end);
}

function isTolerated({ ledger, maxFailed }: RunEnd): boolean {
  return (
    missingRows(ledger) <= (maxFailed.kind === 'rows' ? maxFailed.rows : maxFailed.share * ledger.offered)
  );
}

/** The code of a command that ended by an error instead of a result. */
export function exitCodeOfError(thrown: unknown): number {
  if (thrown instanceof CrategenError) {
    switch (thrown.code) {
      case 'usage':
        return EXIT.usage;
      case 'target':
        return EXIT.target;
      case 'workers':
        return EXIT.workers;
      case 'mismatch':
        return EXIT.mismatch;
      case 'output':
      case 'bug':
        return EXIT.unexpected;
    }
  }
  return EXIT.unexpected;
}
