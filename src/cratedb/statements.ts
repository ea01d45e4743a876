/**
 * What is asked about the rows of a run: made visible, counted, looked up, deleted. The rows of a run are those
 * with its id in `run_id`; `seq` is their number.
 */
import { type TableName, quoteTable } from '../base/sql.ts';
import {
  type Answer,
  type AskOptions,
  type Rows,
  askNumber,
  askRows,
  command,
  notUnderstood,
  sqlInteger,
  wholeNumber,
} from './ask.ts';
import type { CrateClient } from './client.ts';

/** Half open: `from` ≤ row < `to`. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The batches of some of the run's workers: batch b is worker b mod `workers`'s, and those with
 * `from` ≤ worker < `to` are meant. One of several machines has a part of the workers.
 */
export interface Share {
  readonly batchSize: number;
  readonly workers: number;
  readonly from: number;
  readonly to: number;
}

/** Which rows of a table are meant; what is null does not restrict. */
export interface RunRows {
  readonly table: TableName;
  readonly runId: string;
  readonly range: RowRange | null;
  readonly share: Share | null;
}

/** Makes all rows written so far visible to queries; the number of tables or partitions refreshed. */
export function refresh(
  client: CrateClient,
  table: TableName,
  options: AskOptions = {},
): Promise<Answer<number>> {
  // Safe to repeat on another node, unlike other commands.
  return client
    .query(`REFRESH TABLE ${quoteTable(table)}`, [], { timeoutMs: 60_000, ...options, repeatable: true })
    .then((reply) => (reply.ok ? { ok: true, value: reply.rowcount } : reply));
}

/** Number of visible rows. */
export function countRun(
  client: CrateClient,
  rows: RunRows,
  options: AskOptions = {},
): Promise<Answer<number>> {
  return askNumber(
    client,
    `SELECT count(*) FROM ${quoteTable(rows.table)} WHERE ${whereOf(rows)}`,
    [rows.runId],
    options,
  );
}

/** Number of visible rows of the table, whoever wrote them; for tables without run_id. */
export function countTable(
  client: CrateClient,
  table: TableName,
  options: AskOptions = {},
): Promise<Answer<number>> {
  return askNumber(client, `SELECT count(*) FROM ${quoteTable(table)}`, [], options);
}

/** Distinct keys are counted in the server's memory: this many at a time. */
const DISTINCT_STEP = 1_000_000;

/** Number of different `seq` among the visible rows of `rows.range`; asked in steps of a million. */
export async function countDistinct(
  client: CrateClient,
  rows: RunRows & { readonly range: RowRange },
  options: AskOptions = {},
): Promise<Answer<number>> {
  let distinct = 0;
  for (let from = rows.range.from; from < rows.range.to; from += DISTINCT_STEP) {
    const range = { from, to: Math.min(from + DISTINCT_STEP, rows.range.to) };
    const statement = `SELECT count(DISTINCT seq) FROM ${quoteTable(rows.table)} WHERE ${whereOf({ ...rows, range })}`;
    const part = await askNumber(client, statement, [rows.runId], options);
    if (!part.ok) return part;
    distinct += part.value;
  }
  return { ok: true, value: distinct };
}

/** The largest visible `seq` of the run, or null when it has no row. */
export async function lastRow(
  client: CrateClient,
  rows: RunRows,
  options: AskOptions = {},
): Promise<Answer<number | null>> {
  const statement = `SELECT max(seq) FROM ${quoteTable(rows.table)} WHERE ${whereOf(rows)}`;
  const answer = await askRows(client, statement, [rows.runId], options);
  if (!answer.ok) return answer;
  const value = answer.value[0]?.[0];
  if (value === null || wholeNumber(value)) return { ok: true, value };
  return notUnderstood(statement, answer.value);
}

/**
 * Rows with different `seq` per batch of `batchSize` rows within a range, by the batch's number; batches without
 * rows are left out. In a table without a key a row can be there twice: it is one.
 */
export async function countPerBatch(
  client: CrateClient,
  rows: RunRows & { readonly range: RowRange },
  batchSize: number,
  options: AskOptions = {},
): Promise<Answer<ReadonlyMap<number, number>>> {
  const batch = `seq / ${sqlInteger(batchSize)}`;
  const limit = Math.ceil((rows.range.to - rows.range.from) / batchSize) + 2;
  const statement = `SELECT ${batch} AS batch, count(DISTINCT seq) AS stored FROM ${quoteTable(rows.table)} WHERE ${whereOf(rows)} GROUP BY ${batch} LIMIT ${limit}`;
  const answer = await askRows(client, statement, [rows.runId], options);
  if (!answer.ok) return answer;
  const counts = new Map<number, number>();
  for (const [number, stored] of answer.value) {
    if (!wholeNumber(number) || !wholeNumber(stored)) return notUnderstood(statement, answer.value);
    counts.set(number, stored);
  }
  return { ok: true, value: counts };
}

/** The visible `seq`s of a range, ascending, doubled ones doubled; at most `limit`. */
export async function listRows(
  client: CrateClient,
  rows: RunRows,
  limit: number,
  options: AskOptions = {},
): Promise<Answer<readonly number[]>> {
  const statement = `SELECT seq FROM ${quoteTable(rows.table)} WHERE ${whereOf(rows)} ORDER BY seq LIMIT ${sqlInteger(limit)}`;
  const answer = await askRows(client, statement, [rows.runId], options);
  if (!answer.ok) return answer;
  const numbers = answer.value.map(([seq]) => seq);
  return numbers.every(wholeNumber) ? { ok: true, value: numbers } : notUnderstood(statement, answer.value);
}

/**
 * Values of the given columns, in their order, ordered by `seq`: at most `limit` rows. Integers beyond 2^53 come
 * as bigint. `columns` are SQL text, already quoted.
 */
export function readRows(
  client: CrateClient,
  rows: RunRows,
  columns: readonly string[],
  limit: number,
  options: AskOptions = {},
): Promise<Answer<Rows>> {
  const statement = `SELECT ${columns.join(', ')} FROM ${quoteTable(rows.table)} WHERE ${whereOf(rows)} ORDER BY seq LIMIT ${sqlInteger(limit)}`;
  return askRows(client, statement, [rows.runId], { ...options, bigIntegers: true });
}

/** Deletes a run's rows; how many they were, or -1 when the server does not say. */
export function deleteRun(
  client: CrateClient,
  table: TableName,
  runId: string,
  options: AskOptions = {},
): Promise<Answer<number>> {
  return command(client, `DELETE FROM ${quoteTable(table)} WHERE run_id = ?`, [runId], {
    timeoutMs: 10 * 60_000,
    ...options,
  });
}

function whereOf({ range, share }: RunRows): string {
  const parts = ['run_id = ?'];
  if (range !== null) parts.push(`seq >= ${sqlInteger(range.from)}`, `seq < ${sqlInteger(range.to)}`);
  if (share !== null && (share.from > 0 || share.to < share.workers)) {
    const worker = `((seq / ${sqlInteger(share.batchSize)}) % ${sqlInteger(share.workers)})`;
    parts.push(`${worker} >= ${sqlInteger(share.from)}`, `${worker} < ${sqlInteger(share.to)}`);
  }
  return parts.join(' AND ');
}
