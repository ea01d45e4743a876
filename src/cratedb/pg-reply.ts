/**
 * Reads what came back for the rows of one Sync over the PostgreSQL wire. A row that failed is `INSERT 0 -3` without
 * a reason; an error with a text is of the whole batch, and of a batch of one row.
 */
import { CONSTRAINT } from './classes.ts';
import type { FailureClass } from './outcome.ts';
import { type BulkReading, allButSilent, allRows, allStored, exampleOf } from './reply.ts';

interface PgError {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
}

/** Everything up to ReadyForQuery. */
export interface PgReply {
  /** Rows whose values were taken. */
  readonly bound: number;
  /** Rows written, of each statement that was executed. */
  readonly counts: readonly number[];
  /** The first of them; CrateDB repeats it for each row. */
  readonly error: PgError | null;
  /** Of all messages. */
  readonly bytes: number;
}

interface PgRequest {
  readonly rows: number;
  readonly keyed: boolean;
  readonly clean: (text: string) => string;
}

/** Reads any reply. The sum of its `rows` is `request.rows`; it never throws. */
export function readPgReply(reply: PgReply, request: PgRequest): BulkReading {
  const { rows } = request;
  if (reply.error !== null) return readError(reply.error, reply.bound, request);
  const isWhole = reply.counts.length === rows && reply.counts.every((count) => count <= 1);
  if (!isWhole) {
    const example = `${reply.counts.length} results for ${rows} rows`;
    return allRows(rows, 'unknown', { class: 'badReply', code: null, example, condition: 'troubled' });
  }
  // With a key 0 is a row that is there already, and only this run writes it.
  const stored = reply.counts.filter((count) => count === 1 || (count === 0 && request.keyed)).length;
  if (stored < rows) return allButSilent(rows, stored);
  return allStored(rows, reply.counts.filter((count) => count === 0).length);
}

type Meaning = readonly [FailureClass, 'rejected' | 'notStored' | 'unknown', BulkReading['condition']];

/** Whatever is not in the table may have stored rows. */
const BY_STATE: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  // Also what a node says for the first seconds after its start.
  ['42P01', ['notRecovered', 'notStored', 'unreachable']],
  ['3F000', ['notRecovered', 'notStored', 'unreachable']],
  ['28000', ['unauthorized', 'notStored', 'troubled']],
  ['28P01', ['unauthorized', 'notStored', 'troubled']],
  ['42501', ['unauthorized', 'notStored', 'troubled']],
  ['57014', ['killed', 'unknown', 'troubled']],
]);

/** What one SQLSTATE says about rows and node. */
export function meaningOfState(code: string): Meaning {
  return BY_STATE.get(code) ?? ['serverError', 'unknown', 'troubled'];
}

const BLOCKED = /^blocked by: \[/;
const VALUE = /^(?:Cannot cast|For input string|illegal syntax)/;

function readError({ code, message }: PgError, bound: number, request: PgRequest): BulkReading {
  const { rows, keyed, clean } = request;
  const example = exampleOf(`${code}: ${message}`, clean);
  // Refused while values were taken, or before the first was written: nothing of the batch runs.
  const isRefused = bound < rows || CONSTRAINT.test(message) || VALUE.test(message);
  const [name, state, condition] = meaningOfState(code);
  if (name === 'serverError' && isRefused) {
    const refused = CONSTRAINT.test(message) ? 'constraint' : 'invalidValue';
    return allRows(rows, 'rejected', { class: refused, code: null, example, condition: 'good' }, true);
  }
  if (BLOCKED.test(message)) {
    // One row alone is refused before it is written; of several, others may have been.
    const where = rows === 1 ? 'notStored' : 'unknown';
    return allRows(rows, where, { class: 'blocked', code: null, example, condition: 'blocked' });
  }
  if (rows === 1 && !keyed && message.includes('same primary key'))
    return allRows(rows, 'rejected', { class: 'duplicateKey', code: null, example, condition: 'good' });
  return allRows(rows, state, { class: name, code: null, example, condition });
}
