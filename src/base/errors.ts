/**
 * The failures that a caller treats differently, one class each. Expected outcomes of a run are values, never
 * these; an error here ends the command. `code` is stable, `hint` is the next thing to try.
 */
export type ErrorCode = 'usage' | 'target' | 'workers' | 'output' | 'mismatch' | 'bug';

export interface ErrorFacts {
  /**
   * The next command or flag to try: sentences with capital and full stop, but where one begins or ends with what is
   * typed as it stands.
   */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

export abstract class CrategenError extends Error {
  abstract readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.hint = facts.hint;
  }
}

/** Flags, configuration or files that cannot be used: exit 2. One line of `problems` per problem, all of them. */
export class UsageError extends CrategenError {
  readonly code = 'usage';
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[], facts: ErrorFacts = {}) {
    const lines = typeof problems === 'string' ? [problems] : problems;
    super(lines.join('\n'), facts);
    this.problems = lines;
  }
}

/** The target cannot be reached, does not let us in, or does not fit: exit 3. */
export class TargetError extends CrategenError {
  readonly code = 'target';
}

/** Worker processes could not be started or kept dying: exit 7. */
export class WorkersError extends CrategenError {
  readonly code = 'workers';
}

/** A result could not be written: exit 1. */
export class OutputError extends CrategenError {
  readonly code = 'output';
}

/** The server holds something else than what was promised: exit 6. */
export class MismatchError extends CrategenError {
  readonly code = 'mismatch';
}

/** Something that cannot happen did: exit 1, with the request to report it. */
export class BugError extends CrategenError {
  readonly code = 'bug';
}

/** Throws a BugError when `claim` is false; the message names the values, as a function where making it takes time. */
export function assert(claim: boolean, message: string | (() => string)): asserts claim {
  if (!claim) throw new BugError(typeof message === 'string' ? message : message());
}

/** For the default of an exhaustive switch: reaching it is a bug, and a type error before that. */
export function unreachable(value: never): never {
  throw new BugError(`unexpected value ${JSON.stringify(value)}`);
}

/** The message of anything that was thrown, without its stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The system or library code of anything that was thrown (`ECONNREFUSED`, `UND_ERR_SOCKET` …), or ''. */
export function systemCodeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
}
