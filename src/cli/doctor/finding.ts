/** One thing that doctor looked at. */

export interface Finding {
  readonly status: 'good' | 'warning' | 'bad';
  readonly about: 'host' | 'target';
  /** One or two words. */
  readonly what: string;
  /** What was measured. */
  readonly detail: string;
  /** What to do about it, or ''. */
  readonly hint: string;
}
