/** What the comparison of the ledger with the server came to; the shape that the run file keeps. */
export interface Verification {
  readonly method: 'count' | 'delta' | 'rows' | 'none';
  /** What the server counted; null when there was no count. */
  readonly stored: number | null;
  /**
   * `match` within bounds; `mismatch` the server contradicts the ledger; `advisory` a count that proves nothing;
   * `unavailable` there was no count to be had; `skipped` not asked for, or ended by a signal.
   */
  readonly verdict: 'match' | 'mismatch' | 'advisory' | 'unavailable' | 'skipped';
  /** One sentence with the numbers. */
  readonly detail: string;
}
