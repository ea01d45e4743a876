/**
 * Asking the server something: one statement, its answer parsed into a type or the failure. What a room above
 * needs from CrateDB beside inserts is made of these.
 */
import { assert } from '../base/errors.ts';
import type { CrateClient, QueryOptions } from './client.ts';
import type { QueryFailure } from './query-reply.ts';

/** How long to wait for one statement, and what ends the waiting early. */
export interface AskOptions {
  /** 30,000 unless set. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | null;
}

export type Answer<T> = { readonly ok: true; readonly value: T } | QueryFailure;

export type Rows = readonly (readonly unknown[])[];

/** A REFRESH or a count over a large table takes seconds; a minute would look like a hang. */
const ASK_TIMEOUT_MS = 30_000;

/** Rows of a statement that changes nothing; asked of another node when one fails. */
export async function askRows(
  client: CrateClient,
  statement: string,
  args: readonly unknown[],
  options: AskOptions & Pick<QueryOptions, 'bigIntegers'>,
): Promise<Answer<Rows>> {
  const reply = await client.query(statement, args, {
    timeoutMs: ASK_TIMEOUT_MS,
    ...options,
    repeatable: true,
  });
  return reply.ok ? { ok: true, value: reply.rows } : reply;
}

/** The one whole number that a statement answers with. */
export async function askNumber(
  client: CrateClient,
  statement: string,
  args: readonly unknown[],
  options: AskOptions,
): Promise<Answer<number>> {
  const rows = await askRows(client, statement, args, options);
  if (!rows.ok) return rows;
  const value = rows.value[0]?.[0];
  return wholeNumber(value) ? { ok: true, value } : notUnderstood(statement, rows.value);
}

/** Runs a statement that changes something, on one node unless it is `repeatable`; its row count. */
export async function command(
  client: CrateClient,
  statement: string,
  args: readonly unknown[],
  options: AskOptions & Pick<QueryOptions, 'repeatable'>,
): Promise<Answer<number>> {
  const reply = await client.query(statement, args, { timeoutMs: ASK_TIMEOUT_MS, ...options });
  return reply.ok ? { ok: true, value: reply.rowcount } : reply;
}

/** The failure for an answer of another shape than the statement has. */
export function notUnderstood(statement: string, rows: Rows): QueryFailure {
  const text = JSON.stringify(rows.slice(0, 3), (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  const message = `not an answer to ${statement.slice(0, 60)}: ${text}`.slice(0, 200);
  return { ok: false, class: 'badReply', code: null, message, handedOver: true };
}

export function wholeNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

/** A whole number as it stands in a statement: only numbers that were checked become SQL text. */
export function sqlInteger(value: number): string {
  assert(Number.isSafeInteger(value), `${value} is no whole number for a statement`);
  return String(value);
}
