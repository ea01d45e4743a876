/** What limited a run, judged from what both sides measured. */

export type LimitedBy = 'client' | 'network' | 'cluster' | 'rate' | 'unclear';

export interface Verdict {
  readonly verdict: LimitedBy;
  /** Sentences with numbers, the one that decided first. */
  readonly evidence: readonly string[];
}
