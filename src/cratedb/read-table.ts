/**
 * What a server says about a table that somebody else made: its statement, what it holds at most, its statistics.
 * Needs no more than reading the table; what the user may not see is told apart from what is not there.
 */
import { type TableName, quoteColumnPath, quoteTable } from '../base/sql.ts';
import { type Answer, type AskOptions, type Rows, askRows, command, notUnderstood } from './ask.ts';
import type { CrateClient } from './client.ts';
import { refresh } from './statements.ts';
import type { ColumnFigures } from '../rows/existing/shape.ts';

export type TableText =
  /** Also what a user sees who has no privilege on it. */
  | { readonly kind: 'missing' }
  /** A view, a foreign table: `type` is the server's word. */
  | { readonly kind: 'notTable'; readonly type: string }
  /** `ddl` is the answer of SHOW CREATE TABLE. */
  | { readonly kind: 'table'; readonly ddl: string };

/** Looks whether there is such a table and asks for its statement. */
export async function readTableText(
  client: CrateClient,
  table: TableName,
  options: AskOptions = {},
): Promise<Answer<TableText>> {
  const types = await askRows(
    client,
    'SELECT table_type FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [table.schema, table.table],
    options,
  );
  if (!types.ok) return types;
  const type = types.value[0]?.[0];
  if (type === undefined) return { ok: true, value: { kind: 'missing' } };
  if (type !== 'BASE TABLE')
    return { ok: true, value: { kind: 'notTable', type: typeof type === 'string' ? type : '' } };
  const statement = `SHOW CREATE TABLE ${quoteTable(table)}`;
  const shown = await askRows(client, statement, [], options);
  if (!shown.ok) return shown;
  const ddl = shown.value[0]?.[0];
  return typeof ddl === 'string'
    ? { ok: true, value: { kind: 'table', ddl } }
    : notUnderstood(statement, shown.value);
}

/** The largest number or time of a column; null in an empty table, or when it is no safe integer. */
export async function largestValue(
  client: CrateClient,
  table: TableName,
  path: string,
  options: AskOptions = {},
): Promise<Answer<number | null>> {
  const refreshed = await refresh(client, table, options);
  if (!refreshed.ok) return refreshed;
  const statement = `SELECT max(${quoteColumnPath(path)}) FROM ${quoteTable(table)}`;
  const answer = await askRows(client, statement, [], options);
  if (!answer.ok) return answer;
  const value = answer.value[0]?.[0];
  const whole = typeof value === 'number' ? Math.ceil(value) : null;
  return { ok: true, value: Number.isSafeInteger(whole) ? whole : null };
}

/** Which of the given texts a column holds. */
export async function textsPresent(
  client: CrateClient,
  table: TableName,
  path: string,
  texts: readonly string[],
  options: AskOptions = {},
): Promise<Answer<readonly string[]>> {
  const column = quoteColumnPath(path);
  const statement = `SELECT DISTINCT ${column}::TEXT FROM ${quoteTable(table)} WHERE ${column} = ANY(?)`;
  const answer = await askRows(client, statement, [texts], options);
  return answer.ok ? { ok: true, value: textsIn(answer.value.map(([value]) => value)) } : answer;
}

/** The prefix itself if a text of the column begins with it, else nothing. */
export async function prefixPresent(
  client: CrateClient,
  table: TableName,
  path: string,
  prefix: string,
  options: AskOptions = {},
): Promise<Answer<readonly string[]>> {
  const statement = `SELECT 1 FROM ${quoteTable(table)} WHERE ${quoteColumnPath(path)} LIKE ? LIMIT 1`;
  const answer = await askRows(client, statement, [`${prefix}%`], options);
  return answer.ok ? { ok: true, value: answer.value.length > 0 ? [prefix] : [] } : answer;
}

/** What the values of a column can be asked for: numbers have bounds, others than texts only a share of nulls. */
export type ValueKind = 'number' | 'text' | 'other';

export interface NamedColumn {
  readonly path: string;
  readonly kind: ValueKind;
}

/** Values whose frequencies are asked for one by one. */
const COMMON_VALUES = 1000;
const BOUNDS = 100;
/** A GROUP BY over a million different texts takes seconds. */
const COUNT_TIMEOUT_MS = 2 * 60_000;

/**
 * Counts one column: exact numbers, but each statement reads the whole column. Bounds divide the different values
 * evenly where they repeat, else the rows.
 */
export async function countColumn(
  client: CrateClient,
  table: TableName,
  { path, kind }: NamedColumn,
  options: AskOptions = {},
): Promise<Answer<ColumnFigures>> {
  const [column, from] = [quoteColumnPath(path), quoteTable(table)];
  const ask = (statement: string): Promise<Answer<Rows>> =>
    askRows(client, statement, [], { timeoutMs: COUNT_TIMEOUT_MS, ...options });
  // An aggregate over a text that is indexed word by word is refused; a condition on it is not.
  const counts = await ask(
    kind === 'other'
      ? `SELECT (SELECT count(*) FROM ${from}), count(*), 0 FROM ${from} WHERE ${column} IS NOT NULL`
      : `SELECT count(*), count(${column}), count(DISTINCT ${column}) FROM ${from}`,
  );
  if (!counts.ok) return counts;
  const [rows = 0, filled = 0, distinct = 0] = numbersIn(counts.value[0] ?? []);
  const nullShare = rows === 0 ? 0 : 1 - filled / rows;
  if (kind === 'other' || filled === 0)
    return { ok: true, value: { path, nullShare, distinct, commonValues: [], commonShares: [], bounds: [] } };
  const common = await ask(
    `SELECT ${column}::TEXT, count(*) FROM ${from} WHERE ${column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${COMMON_VALUES}`,
  );
  if (!common.ok) return common;
  const bounds =
    kind === 'number' ? await boundsOf(ask, column, from, distinct, distinct < filled * 0.9) : NO_BOUNDS;
  if (!bounds.ok) return bounds;
  const commonShares = common.value.map(([, count]) => Number(count) / rows);
  const commonValues = textsIn(common.value.map(([value]) => value));
  return { ok: true, value: { path, nullShare, distinct, commonValues, commonShares, bounds: bounds.value } };
}

const NO_BOUNDS: Answer<readonly string[]> = { ok: true, value: [] };

async function boundsOf(
  ask: (statement: string) => Promise<Answer<Rows>>,
  column: string,
  from: string,
  distinct: number,
  isRepeating: boolean,
): Promise<Answer<readonly string[]>> {
  const steps = Math.max(1, Math.min(BOUNDS, distinct - 1));
  const fractions = Array.from({ length: steps + 1 }, (_, step) => step / steps);
  const values = `SELECT ${isRepeating ? 'DISTINCT ' : ''}${column}::DOUBLE PRECISION AS v FROM ${from} WHERE ${column} IS NOT NULL`;
  const statement = `SELECT percentile(v, [${fractions.join(', ')}]) FROM (${values}) AS vs`;
  const answer = await ask(statement);
  return answer.ok ? { ok: true, value: textsIn(answer.value[0]?.[0]) } : answer;
}

/**
 * Collects statistics anew: true when the server did. ANALYZE looks at all tables and wants the privilege AL, which
 * few users have; the server also collects by itself, once a day.
 */
export async function analyze(client: CrateClient, options: AskOptions = {}): Promise<boolean> {
  const answer = await command(client, 'ANALYZE', [], { timeoutMs: ANALYZE_TIMEOUT_MS, ...options });
  return answer.ok;
}

const ANALYZE_TIMEOUT_MS = 5 * 60_000;

/** All columns that the server has statistics of, from a sample of their rows; empty when it has none yet. */
export async function readStatistics(
  client: CrateClient,
  table: TableName,
  options: AskOptions = {},
): Promise<Answer<readonly ColumnFigures[]>> {
  const statement =
    'SELECT attname, null_frac, n_distinct, most_common_vals, most_common_freqs, histogram_bounds FROM pg_catalog.pg_stats WHERE schemaname = ? AND tablename = ?';
  const answer = await askRows(client, statement, [table.schema, table.table], options);
  return answer.ok ? { ok: true, value: answer.value.flatMap(statisticsOf) } : answer;
}

function statisticsOf(row: readonly unknown[]): readonly ColumnFigures[] {
  const [path, nullShare, distinct, values, shares, bounds] = row;
  if (typeof path !== 'string' || typeof nullShare !== 'number' || typeof distinct !== 'number') return [];
  const [commonValues, commonShares] = [textsIn(values), numbersIn(shares)];
  const common = Math.min(commonValues.length, commonShares.length);
  return [
    {
      path,
      nullShare,
      distinct,
      commonValues: commonValues.slice(0, common),
      commonShares: commonShares.slice(0, common),
      bounds: textsIn(bounds),
    },
  ];
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((part) => part !== null).map(String) : [];
}

function numbersIn(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}
