/**
 * A real CrateDB, named by CRATEDB_CLUSTER_URL, for tests of the built command: tables of the test's own in the
 * schema crategen_test, dropped afterwards, and SQL that goes another way than crategen's. CRATEDB_PG_PORT names the
 * port of PostgreSQL connections where it is not 5432, CRATEDB_PID the server's process where it is one on this host.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type Command, type Ended, type Home, crategen } from '../support/built-command.ts';

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

export const PATHS = ['bulk-args', 'unnest', 'values', 'pg'] as const;
type Path = (typeof PATHS)[number];

/** The flags of one way to send rows. */
export function by(path: Path, batchSize: number): string[] {
  const size = ['--batch-size', String(path === 'values' ? Math.min(10, batchSize) : batchSize)];
  const port = path === 'pg' ? ['--pg-port', process.env['CRATEDB_PG_PORT'] ?? '5432'] : [];
  return ['--insert-path', path, ...size, ...port];
}

/** The DDL of `records`, partitioned by a column of few values, which then belongs to the key. */
export function partitioned(ddl: string): string {
  return ddl
    .replace(/PRIMARY KEY \("run_id", "seq"\)/, 'PRIMARY KEY ("run_id", "seq", "status")')
    .replace(/\)(?=[^)]*$)/, ') PARTITIONED BY ("status")');
}

/** Runs to the end a command whose first worker is killed with SIGKILL when the table holds so many rows. */
export async function withKilledWorker(
  args: readonly string[],
  place: Home,
  { table, atRows }: { readonly table: string; readonly atRows: number },
): Promise<Ended> {
  const command = crategen(args, place);
  await command.line(/phase=running/);
  await untilStored(table, atRows, command);
  const [victim] = command.workers();
  assert.ok(victim);
  process.kill(victim, 'SIGKILL');
  return await command.ended;
}

/** The worker was replaced once, and each row is stored once. */
export async function assertWholeAfterDeath(ended: Ended, table: string, rows: number): Promise<void> {
  assert.equal(ended.code, 0, ended.stderr);
  const { ledger, verification, workers } = ended.run();
  // An open loop does not catch up: what fell due while nobody was there was dropped, and the rows follow later.
  assert.deepEqual([ledger.acknowledged, verification.verdict], [rows, 'match']);
  assert.equal(
    workers.reduce((sum, { restarts }) => sum + restarts, 0),
    1,
  );
  assert.deepEqual(await storedIn(table), { rows, distinct: rows });
}
