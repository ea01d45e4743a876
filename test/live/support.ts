/**
 * A real CrateDB, named by CRATEDB_CLUSTER_URL, for tests of the built command: tables of the test's own in the
 * schema crategen_test, dropped afterwards, and SQL that goes another way than crategen's.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Command, Ended } from '../e2e/support.ts';

const SCHEMA = 'crategen_test';
const SQL_TIMEOUT_MS = 30_000;

/** A table name nobody else has; the table is dropped after the test. */
export function tableFor(context: TestContext): string {
  const table = `${SCHEMA}.t${randomBytes(6).toString('hex')}`;
  context.after(() => sql(`DROP TABLE IF EXISTS ${table}`));
  return table;
}

export interface SqlAnswer {
  readonly rows: readonly (readonly unknown[])[];
  readonly rowcount: number;
  /** The answer as it came, for comparing values beyond JavaScript's numbers. */
  readonly text: string;
}

/** Runs one statement; throws with the server's words when it fails. */
export async function sql(statement: string): Promise<SqlAnswer> {
  const { isOk, text } = await post(JSON.stringify({ stmt: statement }));
  if (!isOk) throw new Error(`${statement}: ${text}`);
  // The server's own format; a test that reads it wrongly fails.
  const { rows, rowcount } = JSON.parse(text) as Pick<SqlAnswer, 'rows' | 'rowcount'>;
  return { rows, rowcount, text };
}

/** Sends rows, each as the JSON text of its values; how many the server says it stored, and its answer. */
export async function bulkInsert(
  statement: string,
  rows: readonly string[],
): Promise<{ readonly stored: number; readonly text: string }> {
  const { text } = await post(`{"stmt":${JSON.stringify(statement)},"bulk_args":[${rows.join(',')}]}`);
  const { results = [] } = JSON.parse(text) as {
    readonly results?: readonly { readonly rowcount: number }[];
  };
  return { stored: results.filter(({ rowcount }) => rowcount === 1).length, text };
}

async function post(body: string): Promise<{ readonly isOk: boolean; readonly text: string }> {
  const url = serverUrl();
  const user = url.username || process.env['CRATEDB_USERNAME'];
  const password = url.password || process.env['CRATEDB_PASSWORD'] || '';
  const response = await fetch(`${url.origin}/_sql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(user
        ? { authorization: `Basic ${btoa(`${decodeURIComponent(user)}:${decodeURIComponent(password)}`)}` }
        : {}),
    },
    body,
    signal: AbortSignal.timeout(SQL_TIMEOUT_MS),
  });
  return { isOk: response.ok, text: await response.text() };
}

function serverUrl(): URL {
  const first = (process.env['CRATEDB_CLUSTER_URL'] ?? '').split(',')[0] ?? '';
  if (first === '') throw new Error('CRATEDB_CLUSTER_URL is not set');
  return new URL(/^https?:\/\//.test(first) ? first : `http://${first.replace(/^crate:\/\//, '')}`);
}

export interface StoredRows {
  readonly rows: number;
  readonly distinct: number;
}

/** Rows of a table and how many different numbers they have. */
export async function storedIn(table: string): Promise<StoredRows> {
  await sql(`REFRESH TABLE ${table}`);
  const { rows } = await sql(`SELECT count(*), count(DISTINCT seq) FROM ${table}`);
  const [count, distinct] = rows[0] ?? [];
  return { rows: Number(count), distinct: Number(distinct) };
}

/** Resolves when the table holds so many rows; throws with everything the command said when it ended before. */
export async function untilStored(table: string, atLeast: number, command: Command): Promise<void> {
  let ended: Ended | null = null;
  void command.ended.then((result) => (ended = result));
  for (;;) {
    const said: Ended | null = ended;
    // Until the parent has made it there is no such table.
    const stored = await storedIn(table).catch(() => null);
    if (stored !== null && stored.rows >= atLeast) return;
    assert.equal(said, null, `ended with ${stored?.rows ?? 'no'} rows stored`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** All rows of a table as text, in the order of their numbers. */
export async function contentOf(table: string): Promise<string> {
  await sql(`REFRESH TABLE ${table}`);
  const { text } = await sql(`SELECT * FROM ${table} ORDER BY seq LIMIT 100000`);
  return text.slice(text.indexOf('"rows":'), text.lastIndexOf(',"rowcount":'));
}

/** The common part of all runs against the real server: small, JSON, no screen. */
export function cluster(table: string, ...args: string[]): string[] {
  const procs = args.includes('--procs') ? [] : ['--procs', '2'];
  return ['cluster', '--table', table, '--json', '--live', 'lines', ...procs, ...args];
}
