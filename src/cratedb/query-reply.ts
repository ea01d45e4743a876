/** Reads the answer to a single statement: its columns and rows, or the class of what went wrong. */
import { meaningOf } from './classes.ts';
import type { FailureClass } from './outcome.ts';
import { type BulkReply, exampleOf, isRecord, readBulkReply, topLevelError } from './reply.ts';
import { bulkHabits } from './version.ts';

export interface QueryFailure {
  readonly ok: false;
  readonly class: FailureClass;
  /** CrateDB's error code, the HTTP status when there is none, or null when no reply came. */
  readonly code: number | null;
  /** Printable, at most 200 characters, without secrets. */
  readonly message: string;
  /** The statement may have reached the server. */
  readonly handedOver: boolean;
}

export type QueryReply =
  | {
      readonly ok: true;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly unknown[])[];
      /** -1: the server did not say. */
      readonly rowcount: number;
      readonly durationMs: number;
    }
  | QueryFailure;

export interface QueryReading {
  readonly durationMs: number;
  readonly bigIntegers: boolean;
  readonly clean: (text: string) => string;
}

/** Reads any answer; never throws. */
export function readQueryReply(reply: BulkReply, reading: QueryReading): QueryReply {
  const value =
    reply.headers['content-encoding'] === undefined ? parse(reply.body, reading.bigIntegers) : undefined;
  const error = topLevelError(value);
  if (error !== null) {
    const { class: name } = meaningOf(error.code, error.message);
    return {
      ok: false,
      class: name,
      code: error.code,
      message: exampleOf(error.message, reading.clean),
      handedOver: true,
    };
  }
  const result = reply.status === 200 ? resultOf(value, reading.durationMs) : null;
  return result ?? unreadable(reply, reading);
}

function resultOf(value: unknown, durationMs: number): QueryReply | null {
  if (!isRecord(value)) return null;
  const { cols, rows, rowcount } = value;
  if (!Array.isArray(cols) || !Array.isArray(rows) || typeof rowcount !== 'number') return null;
  const columns: string[] = [];
  for (const name of cols as readonly unknown[]) {
    if (typeof name !== 'string') return null;
    columns.push(name);
  }
  const lines: (readonly unknown[])[] = [];
  for (const row of rows as readonly unknown[]) {
    if (!Array.isArray(row) || row.length !== columns.length) return null;
    lines.push(row);
  }
  // Statements without a result set answer with one row of no columns.
  return { ok: true, columns, rows: columns.length === 0 ? [] : lines, rowcount, durationMs };
}

/** The classes of answers without CrateDB's error are those of a bulk of one row. */
function unreadable(reply: BulkReply, reading: QueryReading): QueryFailure {
  const { failures } = readBulkReply(reply, {
    rows: 1,
    keyed: false,
    habits: bulkHabits(null),
    clean: reading.clean,
  });
  const [failure] = failures;
  return {
    ok: false,
    class: failure?.class ?? 'badReply',
    code: failure?.code ?? reply.status,
    message: failure?.example ?? `HTTP ${reply.status}`,
    handedOver: true,
  };
}

function parse(body: Uint8Array, bigIntegers: boolean): unknown {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  try {
    return bigIntegers ? parseExact(text) : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** JSON.parse, but integers beyond 2^53 become bigint instead of a rounded number. Throws as JSON.parse does. */
export function parseExact(text: string): unknown {
  // The reviver is slow, so only where an integer that long can be.
  return /\d{16}/.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
}

/** For JSON.parse: an integer that a double cannot hold becomes a bigint. */
function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}
