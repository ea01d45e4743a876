/**
 * What one attempt to insert a batch came to, as a value: which rows are where, and what it says about the node.
 * Retry, pausing and the ledger decide from this alone; nothing after it looks at status codes.
 */

/**
 * Every kind of trouble that the ledger, the screen and the run file name. The comment says what it means for
 * the rows: stored, not stored, unknown, or rejected (refused for what they contain).
 */
export type FailureClass =
  // stored: the row was there when it was sent first
  | 'alreadyThere'
  // not stored: no byte was handed over
  | 'refused'
  | 'dns'
  | 'tls'
  | 'connectTimeout'
  | 'notSent'
  // not stored: the server said so for the whole request
  | 'unauthorized'
  | 'readOnlyNode'
  | 'tooLarge'
  | 'overloaded'
  | 'blocked'
  | 'notRecovered'
  | 'noMaster'
  // not stored: per row, the write queue or a breaker refused it
  | 'queueFull'
  | 'breaker'
  // unknown
  | 'closed'
  | 'timeout'
  | 'aborted'
  | 'badReply'
  | 'killed'
  | 'shardUnavailable'
  | 'nodeLost'
  | 'serverError'
  | 'duplicateUnsure'
  | 'unexplained'
  | 'notCounted'
  | 'redirect'
  // rejected
  | 'duplicateKey'
  | 'constraint'
  | 'invalidValue'
  | 'statement'
  | 'refusedWithBatch';

export interface Failure {
  readonly class: FailureClass;
  /** CrateDB's error code, the HTTP status when there is none, or null. */
  readonly code: number | null;
  readonly rows: number;
  /** One message, printable, at most 200 characters, without secrets. */
  readonly example: string;
}

/** The rows of one attempt; the four numbers add up to the rows that were sent. */
export interface AttemptRows {
  readonly acknowledged: number;
  readonly rejected: number;
  /** Surely not stored, and another attempt may store them. */
  readonly notStored: number;
  readonly unknown: number;
}

export interface AttemptOutcome {
  readonly rows: AttemptRows;
  /** Of the acknowledged, those that the table had before, as far as the answer says. */
  readonly alreadyThere: number;
  /**
   * What it says about the node: `good` it answers as it should, whatever became of rows; `unreachable` it lets
   * nobody in now (refused, DNS, connect time-out, 404 before recovery, no master); `overloaded` it asks for
   * less (429, 503, or every row refused by queue or breaker); `blocked` the table refuses writes; `troubled`
   * anything else that went wrong.
   */
  readonly condition: 'good' | 'unreachable' | 'overloaded' | 'blocked' | 'troubled';
  /** The whole request was refused for what its rows contain (a 400): halves of it may be accepted. */
  readonly refusedWhole: boolean;
  /**
   * The answer is complete, and leaves out which rows are missing and why: another attempt would be told no more,
   * only a look at the table can tell.
   */
  readonly isSilent: boolean;
  /** At least the request's head may have reached the server. */
  readonly handedOver: boolean;
  readonly failures: readonly Failure[];
  /** From hand-over to the end of the reply, in µs; null when there was no complete reply. */
  readonly serviceTimeUs: number | null;
  /** Of it, what the server says it took itself, in µs; null when it does not say. */
  readonly serverTimeUs: number | null;
  /** Of the body of a complete reply, as it came; 0 when there was none. */
  readonly replyBytes: number;
  /** What the server asked us to wait, in ms, from Retry-After; clamped to 0..30,000; null when it did not. */
  readonly retryAfterMs: number | null;
}
