/**
 * The row plan: everything that row `i` is a function of, as plain data that crosses a process boundary. Made
 * once in the parent; generators are made from it, in any process, and write the same bytes.
 */

/** What distinguishes one run's rows from another's of the same schema. The target table is not part of it. */
export interface RowIdentity {
  readonly seed: number;
  readonly runId: string;
  /** Wall-clock milliseconds at which time in the rows starts. */
  readonly timeOriginMs: number;
}
