/**
 * The discarding target: answers a bulk INSERT without reading its rows, so that what is measured is the client.
 * Rows are counted by their brackets, since the answer must have one result for each.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** How much of a body is looked at to see what statement it holds. */
const HEAD_BYTES = 256;

/** Whether a body (plain JSON) holds an INSERT, as far as its beginning shows. */
export function looksLikeInsert(body: Buffer): boolean {
  return /^\s*\{\s*"stmt"\s*:\s*"\s*insert\s/i.test(body.toString('latin1', 0, HEAD_BYTES));
}

/** Number of rows in `bulk_args`, or null when the body has none that can be found. */
export function countBulkRows(body: Buffer): number | null {
  const key = body.indexOf('"bulk_args"');
  const start = key === -1 ? -1 : body.indexOf(OPEN, key);
  if (start === -1) return null;
  let [depth, rows] = [0, 0];
  for (let at = start; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = endOfString(body, at);
    } else if (byte === OPEN) {
      depth += 1;
      if (depth === 2) rows += 1;
    } else if (byte === CLOSE) {
      depth -= 1;
      if (depth === 0) return rows;
    }
  }
  return null;
}

function endOfString(body: Buffer, from: number): number {
  let at = from + 1;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Replies to bulks of as many rows, made once. */
const MAX_REPLIES = 64;

export class DiscardReplies {
  readonly #replies = new Map<number, Buffer>();

  /** The reply that says all rows are stored. */
  get(rows: number): Buffer {
    const known = this.#replies.get(rows);
    if (known !== undefined) return known;
    const results = new Array<string>(rows).fill('{"rowcount":1}').join(',');
    const reply = Buffer.from(`{"cols":[],"duration":0.125,"results":[${results}]}`);
    if (this.#replies.size >= MAX_REPLIES) this.#replies.clear();
    this.#replies.set(rows, reply);
    return reply;
  }
}
