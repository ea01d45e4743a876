/**
 * Reads the answer to a bulk INSERT: how many of its rows are where, and why. First the bytes are compared with
 * the one answer that says everything is stored; only a different answer is parsed, within limits. Whatever is
 * not understood leaves rows unknown: nothing but an exact reply acknowledges a row.
 */
import { printable } from '../base/text.ts';
import { type Condition, type ErrorMeaning, meaningOf } from './classes.ts';
import type { AttemptOutcome, Failure, FailureClass } from './outcome.ts';
import type { BulkHabits } from './version.ts';

/** Header names are lower case, as undici gives them. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface BulkReply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: Uint8Array;
}

/** What was asked, as far as it changes what an answer means. */
export interface BulkRequest {
  readonly rows: number;
  /** The statement ends in ON CONFLICT … DO NOTHING over a key that only this run writes. */
  readonly keyed: boolean;
  /** Of the node that answered. */
  readonly habits: BulkHabits;
  /** Removes secrets from text that is kept as an example. */
  readonly clean: (text: string) => string;
}

export type BulkReading = Pick<
  AttemptOutcome,
  'rows' | 'alreadyThere' | 'condition' | 'refusedWhole' | 'isSilent' | 'failures'
>;

/** printable() adds an ellipsis to text that it cuts. */
const EXAMPLE_LENGTH = 199;
/** More than is shown, so that a secret that begins before the cut is found whole. */
const MAX_TEXT = 4000;

/** Reads any answer. The sum of its `rows` is `request.rows`; it never throws. */
export function readBulkReply(reply: BulkReply, request: BulkRequest): BulkReading {
  const parsed = parseReply(reply, request.rows);
  if (reply.status === 200) return readResults(parsed, reply, request);
  return readWhole(parsed, reply, request);
}

/**
 * Reads any answer to one statement that inserts all rows, by UNNEST or VALUES: it only counts those that it wrote.
 * What it left out is unknown: refused for what it holds, there already, or met by a shard in trouble, without a
 * word. The sum of `rows` is `request.rows`; it never throws.
 */
export function readCountReply(reply: BulkReply, request: BulkRequest): BulkReading {
  const parsed = parseReply(reply, request.rows);
  if (reply.status !== 200) return readWholeOfMany(parsed, reply, request);
  const written = parsed.ok ? rowcountOf(parsed.value) : null;
  if (written === null || written > request.rows) return badReply(parsed, reply, request);
  return allButSilent(request.rows, written);
}

/** So many rows are stored, and nothing was said about the others. */
export function allButSilent(rows: number, acknowledged: number): BulkReading {
  const unknown = rows - acknowledged;
  if (unknown === 0) return allStored(rows);
  return {
    rows: { acknowledged, rejected: 0, notStored: 0, unknown },
    alreadyThere: 0,
    condition: 'good',
    refusedWhole: false,
    isSilent: true,
    failures: [{ class: 'notCounted', code: null, rows: unknown, example: SILENT }],
  };
}

const SILENT = 'a complete answer that counts fewer rows than were sent, and says neither which nor why';

/** The reading of a reply that said every row is stored, and how many of them were before. */
export function allStored(rows: number, alreadyThere = 0): BulkReading {
  return {
    rows: { acknowledged: rows, rejected: 0, notStored: 0, unknown: 0 },
    alreadyThere,
    condition: 'good',
    refusedWhole: false,
    isSilent: false,
    failures: [],
  };
}

/** What all rows of a request have in common. */
interface OneFailure {
  readonly class: FailureClass;
  readonly code: number | null;
  readonly example: string;
  readonly condition: Condition;
}

/** One state for all rows, with one failure. */
export function allRows(
  rows: number,
  state: 'rejected' | 'notStored' | 'unknown',
  why: OneFailure,
  refusedWhole = false,
): BulkReading {
  return {
    rows: { acknowledged: 0, rejected: 0, notStored: 0, unknown: 0, [state]: rows },
    alreadyThere: 0,
    condition: why.condition,
    refusedWhole,
    isSilent: false,
    failures: [{ class: why.class, code: why.code, rows, example: why.example }],
  };
}

/** The outcome of an attempt without a complete reply: what was handed over may be stored. */
export function unanswered(rows: number, handedOver: boolean, why: OneFailure): AttemptOutcome {
  return {
    ...allRows(rows, handedOver ? 'unknown' : 'notStored', why),
    handedOver,
    serviceTimeUs: null,
    serverTimeUs: null,
    replyBytes: 0,
    retryAfterMs: null,
  };
}

/** Server text as it may be shown: printable, at most 200 characters, no secrets, no echo of the request. */
export function exampleOf(text: string, clean: (text: string) => string): string {
  // The server puts the whole request body into this message.
  const cut = /^(SQLParseException\[Can't parse \[)./s.exec(text);
  const short = cut === null ? text.slice(0, MAX_TEXT).trimEnd() : `${cut[1]}…the request…]]`;
  return printable(clean(short), EXAMPLE_LENGTH).slice(0, EXAMPLE_LENGTH + 1);
}

// --- the fast path ----------------------------------------------------------------------------------------

const HEAD = Buffer.from('{"cols":[],"duration":');
const RESULTS = Buffer.from(',"results":[');
const ROW = '{"rowcount":1},';
const END = Buffer.from(']}');
const MAX_DURATION_BYTES = 32;
const JSON_NUMBER = /^(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Makes the check whether a body is exactly `{"cols":[],"duration":N,"results":[{"rowcount":1},…]}` with `rows`
 * results. The body comes in the pieces it arrived in; only bytes are compared, nothing is parsed or copied. It
 * keeps one buffer, as large as the largest number of rows asked for.
 */
export function createAllStoredCheck(): (pieces: readonly Uint8Array[], rows: number) => boolean {
  let ones = Buffer.from(ROW.repeat(1000));
  return (pieces, rows) => {
    if (ones.length < rows * ROW.length) ones = Buffer.from(ROW.repeat(2 * rows));
    // The parts before the rows are few bytes: when they are split over pieces, one copy is cheap.
    const whole =
      (pieces[0]?.length ?? 0) >= HEAD.length + MAX_DURATION_BYTES + RESULTS.length || pieces.length === 1;
    const [first, ...rest] = whole ? pieces : [Buffer.concat(pieces)];
    if (first === undefined) return false;
    const start = startOfRows(asBuffer(first));
    if (start === -1) return false;
    return restMatches(
      [asBuffer(first).subarray(start), ...rest.map(asBuffer)],
      ones.subarray(0, Math.max(rows * ROW.length - 1, 0)),
    );
  };
}

function startOfRows(body: Buffer): number {
  if (body.length < HEAD.length || HEAD.compare(body, 0, HEAD.length) !== 0) return -1;
  const comma = body.subarray(0, HEAD.length + MAX_DURATION_BYTES + 1).indexOf(0x2c, HEAD.length);
  if (comma === -1 || !JSON_NUMBER.test(body.toString('latin1', HEAD.length, comma))) return -1;
  const end = comma + RESULTS.length;
  return body.length >= end && RESULTS.compare(body, comma, end) === 0 ? end : -1;
}

function restMatches(pieces: readonly Buffer[], rows: Buffer): boolean {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length !== rows.length + END.length) return false;
  let at = 0;
  for (const piece of pieces) {
    const inRows = Math.min(Math.max(rows.length - at, 0), piece.length);
    if (inRows > 0 && rows.compare(piece, 0, inRows, at, at + inRows) !== 0) return false;
    const inEnd = piece.length - inRows;
    const endAt = Math.max(at - rows.length, 0);
    if (inEnd > 0 && END.compare(piece, inRows, piece.length, endAt, endAt + inEnd) !== 0) return false;
    at += piece.length;
  }
  return true;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// --- the server's own time ------------------------------------------------------------------------------

const DURATION = /"duration":([\d.eE+-]{1,32})[,}]/;
/** A bulk's reply says it at its beginning, that of a single statement at its end. */
const DURATION_WITHIN_BYTES = 64;

/**
 * The `duration` of a reply in µs: what the server took from the complete request to its answer. Null where it does
 * not say; its first piece and its last are looked at, nothing is parsed.
 */
export function serverTimeUs(pieces: readonly Uint8Array[]): number | null {
  const [first, last] = [pieces[0], pieces.at(-1)];
  if (first === undefined || last === undefined) return null;
  const said =
    DURATION.exec(asBuffer(first).toString('latin1', 0, DURATION_WITHIN_BYTES)) ??
    DURATION.exec(asBuffer(last).toString('latin1', Math.max(0, last.length - DURATION_WITHIN_BYTES)));
  const us = Number(said?.[1]) * 1000;
  return Number.isFinite(us) && us >= 0 ? us : null;
}

// --- parsing within limits --------------------------------------------------------------------------------

/** A bulk reply nests results, result and error: more is nothing of CrateDB's. */
const MAX_DEPTH = 8;
/** Brackets and commas outside of strings: a result with an error has 6. */
const STRUCTURE_PER_ROW = 8;
const STRUCTURE_BESIDE_ROWS = 1000;

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

function parseReply(reply: BulkReply, rows: number): Parsed {
  const encoding = reply.headers['content-encoding'];
  if (encoding !== undefined)
    return { ok: false, why: `a compressed reply (${String(encoding)}) that was not asked for` };
  const body = asBuffer(reply.body);
  if (body.length === 0) return { ok: false, why: 'an empty body' };
  if (!isShallow(body, rows * STRUCTURE_PER_ROW + STRUCTURE_BESIDE_ROWS))
    return { ok: false, why: `more structure than ${rows} results have: ${sampleOf(body)}` };
  try {
    return { ok: true, value: JSON.parse(body.toString('utf8')) as unknown };
  } catch {
    return { ok: false, why: sampleOf(body) };
  }
}

function sampleOf(body: Buffer): string {
  return body.toString('utf8', 0, Math.min(body.length, MAX_TEXT));
}

/** Counts structure outside of strings before anything is built from it, so that 8 MiB of `[` cost no memory. */
function isShallow(body: Buffer, maxStructure: number): boolean {
  let depth = 0;
  let structure = 0;
  let inString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === 0x22) inString = !inString;
    else if (inString) at += byte === 0x5c ? 1 : 0;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      structure += 1;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === 0x2c) structure += 1;
    if (depth > MAX_DEPTH || structure > maxStructure) return false;
  }
  return true;
}

// --- a complete 200 with results --------------------------------------------------------------------------

/** One result as it stands: a row count, and an error beside it or not. */
type Result =
  | { readonly kind: 'plain'; readonly rowcount: number }
  | { readonly kind: 'error'; readonly rowcount: number; readonly code: number; readonly message: string }
  | { readonly kind: 'strange' };

function readResults(parsed: Parsed, reply: BulkReply, request: BulkRequest): BulkReading {
  const results = parsed.ok ? resultsOf(parsed.value, request.rows) : null;
  if (results === null) return badReply(parsed, reply, request);
  const tally = new Tally(request);
  const bare = results.filter((result) => !tally.take(result)).length;
  if (bare > 0) tally.takeBare(bare);
  return tally.reading();
}

/** What little a `-2` says that came after the first of its shard. */
const BARE = '-2 without an error: CrateDB gives one for ten rows of a shard and request';

/** Null unless it is a bulk reply with exactly `rows` results that are objects with a number as `rowcount`. */
function resultsOf(value: unknown, rows: number): readonly Result[] | null {
  if (!isRecord(value) || has(value, 'error')) return null;
  const { cols, duration, results } = value;
  if (!Array.isArray(cols) || cols.length !== 0 || typeof duration !== 'number') return null;
  if (!Array.isArray(results) || results.length !== rows) return null;
  const read: Result[] = [];
  for (const entry of results as readonly unknown[]) {
    const result = resultOf(entry);
    if (result === null) return null;
    read.push(result);
  }
  return read;
}

function resultOf(entry: unknown): Result | null {
  if (!isRecord(entry) || !has(entry, 'rowcount')) return null;
  const { rowcount } = entry;
  if (typeof rowcount !== 'number' || !Number.isSafeInteger(rowcount) || Object.is(rowcount, -0)) return null;
  const keys = Object.keys(entry).length;
  if (keys === 1) return { kind: 'plain', rowcount };
  if (keys !== 2 || !has(entry, 'error')) return { kind: 'strange' };
  const { error } = entry;
  const named = readError(error);
  return named === null ? { kind: 'strange' } : { kind: 'error', rowcount, ...named };
}

/** Adds up the results of one reply by state and by failure. */
class Tally {
  readonly #request: BulkRequest;
  readonly #rows = { acknowledged: 0, rejected: 0, notStored: 0, unknown: 0 };
  readonly #failures = new Map<
    string,
    { class: FailureClass; code: number | null; rows: number; example: string }
  >();
  /** Named errors of rows; duplicates are among them, and no sign of a rejected row beside them. */
  #alreadyThere = 0;
  #named = 0;
  #namedAsRejected = 0;
  #pushedBack = 0;
  #blocked = 0;
  #divisible = 0;

  constructor(request: BulkRequest) {
    this.#request = request;
  }

  /** False for a `-2` that carries no error: what it means depends on the errors that the others carry. */
  take(result: Result): boolean {
    const { keyed } = this.#request;
    if (result.kind === 'error') this.#takeError(result.rowcount, result.code, result.message);
    else if (result.kind === 'strange')
      this.#add('unknown', 'badReply', null, 'a result with other keys than rowcount and error');
    else if (result.rowcount === 1) this.#rows.acknowledged += 1;
    else if (result.rowcount === 0 && keyed) this.#takeKnown();
    else if (result.rowcount === -2) return false;
    else if (result.rowcount === 0) this.#add('unknown', 'notCounted', null, 'rowcount 0 without an error');
    else this.#add('unknown', 'badReply', null, `rowcount ${result.rowcount} for one row`);
    return true;
  }

  /**
   * Only the first ten failures of a shard carry their error. The others failed the same way if every error of
   * the reply is one that a type or constraint raises; beside anything else a `-2` may even be stored.
   */
  takeBare(rows: number): void {
    const allRejected = this.#named > 0 && this.#named === this.#namedAsRejected;
    if (!allRejected) return this.#add('unknown', 'unexplained', null, BARE, rows);
    const [main] = [...this.#failures.values()].toSorted((a, b) => b.rows - a.rows);
    if (main !== undefined) this.#add('rejected', main.class, main.code, main.example, rows);
  }

  /** Its key is in the table. */
  #takeKnown(): void {
    this.#rows.acknowledged += 1;
    this.#alreadyThere += 1;
  }

  #takeError(rowcount: number, code: number, message: string): void {
    const example = (): string => exampleOf(message, this.#request.clean);
    this.#named += 1;
    // Beside an error any other count is a failure inside of which nothing is known.
    if (rowcount !== -2)
      return this.#add('unknown', 'badReply', code, () => `rowcount ${rowcount} beside ${example()}`);
    if (code === 4091 && this.#request.keyed) {
      // A server that repeats a shard's part inside meets the rows of its own first try.
      return this.#takeKnown();
    }
    const meaning = meaningOf(code, message);
    if (meaning.inRow === 'rejected' && meaning.class !== 'duplicateKey') this.#namedAsRejected += 1;
    if (meaning.inRow === 'notStored' && meaning.condition === 'overloaded') this.#pushedBack += 1;
    if (meaning.class === 'blocked') this.#blocked += 1;
    if (meaning.divisible) this.#divisible += 1;
    this.#add(meaning.inRow, meaning.class, code, example);
  }

  #add(
    state: 'rejected' | 'notStored' | 'unknown',
    name: FailureClass,
    code: number | null,
    example: string | (() => string),
    rows = 1,
  ): void {
    this.#rows[state] += rows;
    const key = `${name} ${code}`;
    const known = this.#failures.get(key);
    if (known === undefined)
      this.#failures.set(key, {
        class: name,
        code,
        rows,
        example: typeof example === 'string' ? example : example(),
      });
    else known.rows += rows;
  }

  reading(): BulkReading {
    const failures: Failure[] = [...this.#failures.values()].toSorted((a, b) => b.rows - a.rows);
    const { acknowledged } = this.#rows;
    const condition =
      this.#blocked > 0 && acknowledged === 0
        ? 'blocked'
        : this.#pushedBack > 0 && this.#pushedBack === this.#request.rows
          ? 'overloaded'
          : 'good';
    const { rows, habits } = this.#request;
    const refusedWhole = habits.oneRowFailsAll && this.#divisible === rows;
    const counts = { rows: { ...this.#rows }, alreadyThere: this.#alreadyThere };
    return { ...counts, condition, refusedWhole, isSilent: false, failures };
  }
}

// --- a complete 200 with a count --------------------------------------------------------------------------

/** The count of `{"cols":[],"rows":[[]],"rowcount":n,"duration":…}`, or null. */
function rowcountOf(value: unknown): number | null {
  if (!isRecord(value) || has(value, 'error')) return null;
  const { cols, rows, rowcount, duration } = value;
  if (!Array.isArray(cols) || cols.length !== 0 || !Array.isArray(rows) || typeof duration !== 'number')
    return null;
  const isCount = typeof rowcount === 'number' && Number.isSafeInteger(rowcount) && !Object.is(rowcount, -0);
  return isCount && rowcount >= 0 ? rowcount : null;
}

/**
 * One statement refused for what a row of several holds: on a partitioned table the others may be written all the
 * same. With a key its halves are sent again; without one nobody knows.
 */
function readWholeOfMany(parsed: Parsed, reply: BulkReply, request: BulkRequest): BulkReading {
  const reading = readWhole(parsed, reply, request);
  const isPartly = reading.refusedWhole || isMetOnTheWay(reading);
  if (!isPartly || request.keyed || request.rows === 1) return reading;
  return {
    ...reading,
    rows: { acknowledged: 0, rejected: 0, notStored: 0, unknown: request.rows },
    refusedWhole: false,
    isSilent: true,
  };
}

/** A block that the first of its rows met while others were written; 4007 is raised before any of them is. */
function isMetOnTheWay({ condition, failures }: BulkReading): boolean {
  return condition === 'blocked' && failures[0]?.code !== 4007;
}

// --- anything but a 200 -----------------------------------------------------------------------------------

function readWhole(parsed: Parsed, reply: BulkReply, request: BulkRequest): BulkReading {
  const error = parsed.ok ? topLevelError(parsed.value) : null;
  if (error === null) return readStatus(parsed, reply, request);
  const meaning = meaningOf(error.code, error.message);
  const state = stateOfWhole(meaning, error.code, reply.status, request);
  const example = exampleOf(error.message, request.clean);
  const { condition } = meaning;
  if (state === 'acknowledged') return allStored(request.rows, request.rows);
  return allRows(
    request.rows,
    state,
    { class: meaning.class, code: error.code, example, condition },
    state === 'rejected' && meaning.divisible,
  );
}

function stateOfWhole(
  meaning: ErrorMeaning,
  code: number,
  status: number,
  request: BulkRequest,
): 'acknowledged' | 'rejected' | 'notStored' | 'unknown' {
  // The code and the status line of one answer agree, or it is not CrateDB's.
  if (!String(code).startsWith(String(status).slice(0, 1))) return 'unknown';
  if (meaning.class === 'duplicateKey' && request.rows === 1)
    return request.keyed ? 'acknowledged' : 'rejected';
  if ((status === 403 && code !== 4031) || status === 503)
    return request.habits.wholeErrorsAreWhole ? meaning.whole : 'unknown';
  return meaning.whole;
}

/** Answers without CrateDB's `error`: text, HTML, nothing; of the server's pipeline or of something in between. */
function readStatus(parsed: Parsed, reply: BulkReply, request: BulkRequest): BulkReading {
  const { status, headers } = reply;
  const text = parsed.ok ? sampleOf(asBuffer(reply.body)) : parsed.why;
  const example = exampleOf(`HTTP ${status}: ${text}`, request.clean);
  const all = (state: 'notStored' | 'unknown', name: FailureClass, condition: Condition): BulkReading =>
    allRows(request.rows, state, { class: name, code: status, example, condition });
  if (status >= 300 && status < 400) return all('unknown', 'redirect', 'troubled');
  if (status === 401) return all('notStored', 'unauthorized', 'troubled');
  if (status === 413) return all('notStored', 'tooLarge', 'good');
  if (status === 429) return all('notStored', 'overloaded', 'overloaded');
  // CrateDB's own 503 carries a code. A proxy that names a time to come back has passed nothing on; one that
  // only says 503 may have lost the node in the middle of the request.
  if (status === 503)
    return all(headers['retry-after'] === undefined ? 'unknown' : 'notStored', 'overloaded', 'overloaded');
  if (status >= 500 && status < 600) return all('unknown', 'serverError', 'troubled');
  return all('unknown', 'badReply', 'troubled');
}

function badReply(parsed: Parsed, reply: BulkReply, request: BulkRequest): BulkReading {
  const text = parsed.ok ? sampleOf(asBuffer(reply.body)) : parsed.why;
  const example = exampleOf(`not a reply to ${request.rows} rows: ${text}`, request.clean);
  return allRows(request.rows, 'unknown', {
    class: 'badReply',
    code: reply.status,
    example,
    condition: 'troubled',
  });
}

/** `{"error":{"message":…,"code":…}}` of a parsed body, or null. */
export function topLevelError(value: unknown): { readonly code: number; readonly message: string } | null {
  return isRecord(value) && has(value, 'error') ? readError(value['error']) : null;
}

function readError(error: unknown): { readonly code: number; readonly message: string } | null {
  if (!isRecord(error)) return null;
  const { code, message } = error;
  return typeof code === 'number' && Number.isSafeInteger(code) && typeof message === 'string'
    ? { code, message }
    : null;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function has(record: object, key: string): boolean {
  return Object.hasOwn(record, key);
}

/** The longest that Retry-After can make us wait: a hint, not an order to sleep for years. */
const MAX_RETRY_AFTER_MS = 30_000;

/** Retry-After in ms from now, clamped to 0..30,000: seconds or a date; null when absent or neither. */
export function retryAfterMs(headers: ReplyHeaders, wallMs: number): number | null {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return null;
  const text = value.trim();
  const ms = /^[+-]?\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - wallMs;
  return Number.isNaN(ms) ? null : Math.round(Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS));
}
