/**
 * What the server says about itself and a table: version and nodes, columns and keys, the state of shards, jobs
 * that still run, what the user may do. Tolerant of versions (names and types of columns differ) and of missing
 * privileges: what cannot be seen is null, and null is never taken for good.
 */
import type { Clock } from '../base/clock.ts';
import { type TableName, quoteTable } from '../base/sql.ts';
import type { TargetKind } from '../base/target-kind.ts';
import {
  type Answer,
  type AskOptions,
  type Rows,
  askRows,
  command,
  notUnderstood,
  wholeNumber,
} from './ask.ts';
import type { CrateClient } from './client.ts';
import type { NodeGreeting } from './greeting.ts';
import type { QueryFailure } from './query-reply.ts';
import { isRecord } from './reply.ts';
import { oldestOf, versionAtLeast } from './version.ts';

const ROLES_SINCE = '6.2.0';

export interface ServerNode {
  readonly name: string;
  /** `host:port` under which it says it can be reached by HTTP; behind a proxy that may be wrong. */
  readonly address: string | null;
  readonly version: string | null;
  /** Where it takes PostgreSQL connections; null where it does not, or does not say. */
  readonly pgPort: number | null;
  /** `data`, `master_eligible`; null before CrateDB 6.2, which does not say. */
  readonly roles: readonly string[] | null;
}

export interface ServerFacts {
  readonly kind: TargetKind;
  /** The oldest among the nodes that answered. */
  readonly version: string;
  readonly clusterName: string;
  /** One for each node of the client, in its order. */
  readonly greetings: readonly { readonly origin: string; readonly greeting: NodeGreeting }[];
  /** All nodes of the cluster, or why they cannot be seen; a discarding target has none. */
  readonly clusterNodes: Answer<readonly ServerNode[]>;
}

/** Greets all nodes of the client and asks for those of the cluster; fails when none of them lets us in. */
export async function serverFacts(
  client: CrateClient,
  options: AskOptions = {},
): Promise<Answer<ServerFacts>> {
  const greetings = await Promise.all(
    client.nodes.map(async (origin, node) => ({ origin, greeting: await client.greet(node, options) })),
  );
  const good = greetings.flatMap(({ greeting }) => (greeting.ok ? [greeting] : []));
  const [first] = good;
  if (first === undefined) return unreachable(greetings.map(({ greeting }) => greeting));
  const version = oldestOf(good.map((greeting) => greeting.version)) ?? first.version;
  // One sandbox among them makes the whole target one.
  const kind = good.find((greeting) => greeting.kind !== 'cratedb')?.kind ?? 'cratedb';
  const clusterNodes: ServerFacts['clusterNodes'] =
    kind === 'discard' ? { ok: true, value: [] } : await nodesOf(client, version, options);
  return { ok: true, value: { kind, version, clusterName: first.clusterName, greetings, clusterNodes } };
}

function unreachable(greetings: readonly NodeGreeting[]): QueryFailure {
  const failures = greetings.flatMap((greeting) => (greeting.ok ? [] : [greeting]));
  // What a node that did answer says is nearer to the cause than that another does not.
  const main = failures.find(({ condition }) => condition !== 'unreachable') ?? failures[0];
  return {
    ok: false,
    class: main?.class ?? 'refused',
    code: null,
    message: main?.message ?? 'there is no node',
    handedOver: false,
  };
}

async function nodesOf(
  client: CrateClient,
  version: string,
  options: AskOptions,
): Promise<Answer<readonly ServerNode[]>> {
  const roles = versionAtLeast(version, ROLES_SINCE) ? 'roles' : 'NULL';
  const answer = await askRows(
    client,
    `SELECT name, rest_url, version['number'], ${roles}, port['psql'] FROM sys.nodes ORDER BY name`,
    [],
    options,
  );
  if (!answer.ok) return answer;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  const value = answer.value.map(([name, address, number, jobs, pgPort]) => ({
    name: text(name) ?? '',
    address: text(address),
    version: text(number),
    roles: Array.isArray(jobs) ? textsOf(jobs) : null,
    // A node that takes none says 0 or less.
    pgPort: wholeNumber(pgPort) && pgPort > 0 && pgPort < 65_536 ? pgPort : null,
  }));
  return { ok: true, value };
}

interface TableColumn {
  readonly name: string;
  /** CrateDB's bare name of the type: `text`, `timestamp with time zone`, `object_array`. */
  readonly type: string;
  /** Computed by the server; never part of an INSERT. */
  readonly generated: boolean;
  readonly nullable: boolean;
}

export type TableState =
  | { readonly exists: false }
  | {
      readonly exists: true;
      /** Top-level columns only, in the table's order. */
      readonly columns: readonly TableColumn[];
      readonly primaryKey: readonly string[];
      readonly partitionedBy: readonly string[];
      /** Per partition. */
      readonly shards: number;
      /** As CrateDB says it: `0`, `1`, `0-1`. */
      readonly replicas: string;
      /** Why rows cannot be written into it now, one sentence each; empty when nothing is known. */
      readonly problems: readonly string[];
    };

/** Columns, keys, shards and blocks of a table; a table the user may not see does not exist for him. */
export async function describeTable(
  client: CrateClient,
  table: TableName,
  options: AskOptions = {},
): Promise<Answer<TableState>> {
  const names = [table.schema, table.table];
  const ask = (statement: string): Promise<Answer<Rows>> => askRows(client, statement, names, options);
  const [tables, columns, keys] = await Promise.all([
    ask(
      'SELECT partitioned_by, number_of_shards, number_of_replicas, closed, settings FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    ),
    ask(
      'SELECT column_name, data_type, is_generated, is_nullable FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position',
    ),
    ask(
      'SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position',
    ),
  ]);
  if (!tables.ok) return tables;
  if (!columns.ok) return columns;
  if (!keys.ok) return keys;
  const [row] = tables.value;
  if (row === undefined) return { ok: true, value: { exists: false } };
  const [partitionedBy, shards, replicas, closed, settings] = row;
  return {
    ok: true,
    value: {
      exists: true,
      columns: columns.value.flatMap(columnOf),
      primaryKey: textsOf(keys.value.map(([name]) => name)),
      partitionedBy: textsOf(partitionedBy),
      shards: wholeNumber(shards) ? shards : 0,
      replicas: typeof replicas === 'string' || typeof replicas === 'number' ? String(replicas) : '',
      problems: problemsOf(closed === true, settings),
    },
  };
}

function columnOf([name, type, generated, nullable]: readonly unknown[]): readonly TableColumn[] {
  // `tags['arch']`: a part of the object above it. In a bare name no bracket can be.
  if (typeof name !== 'string' || name.includes('[')) return [];
  return [
    {
      name,
      type: String(type),
      generated: generated === 'ALWAYS',
      nullable: nullable === 'YES' || nullable === true,
    },
  ];
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((part) => typeof part === 'string') : [];
}

/** Blocks that end every INSERT, by their name in the table's settings. */
const BLOCKS = {
  write: 'the setting blocks.write forbids writing',
  read_only: 'the setting blocks.read_only forbids writing',
  read_only_allow_delete: 'it is read-only since a disk is nearly full (blocks.read_only_allow_delete)',
} as const;

function problemsOf(closed: boolean, settings: unknown): readonly string[] {
  const problems = closed ? ['it is closed'] : [];
  const blocks = isRecord(settings) ? settings['blocks'] : null;
  if (!isRecord(blocks)) return problems;
  return [
    ...problems,
    ...Object.entries(BLOCKS).flatMap(([name, sentence]) => (blocks[name] === true ? [sentence] : [])),
  ];
}

/**
 * Whether a resend of rows is exact: the key is run_id and seq, plus the columns that partition the table
 * (which CrateDB wants in every key), and nothing else.
 */
export function isKeyed(primaryKey: readonly string[], partitionedBy: readonly string[]): boolean {
  const allowed = new Set(['run_id', 'seq', ...partitionedBy]);
  return (
    primaryKey.includes('run_id') &&
    primaryKey.includes('seq') &&
    primaryKey.every((column) => allowed.has(column))
  );
}

/** Numbers of shard copies; all 0: what is counted is all there is. */
export interface ShardState {
  /** Primaries that are nowhere: their rows cannot be counted. */
  readonly missingPrimaries: number;
  readonly initializing: number;
  readonly relocating: number;
}

/** The state of a table's shards, or null when it cannot be seen. */
export async function shardState(
  client: CrateClient,
  table: TableName,
  options: AskOptions = {},
): Promise<ShardState | null> {
  const statement =
    'SELECT "primary", routing_state, count(*) FROM sys.shards WHERE schema_name = ? AND table_name = ? GROUP BY "primary", routing_state';
  const answer = await askRows(client, statement, [table.schema, table.table], options);
  if (!answer.ok || answer.value.length === 0) return null;
  const copies = (wanted: (primary: unknown, state: unknown) => boolean): number =>
    answer.value.reduce(
      (sum, [primary, state, count]) => sum + (wanted(primary, state) ? Number(count) : 0),
      0,
    );
  return {
    missingPrimaries: copies((primary, state) => primary === true && state === 'UNASSIGNED'),
    initializing: copies((_primary, state) => state === 'INITIALIZING'),
    relocating: copies((_primary, state) => state === 'RELOCATING'),
  };
}

/** A statement of a job that began longer ago than this is not running: a few stay listed for good. */
const STALE_JOB_MS = 5 * 60_000;
/** More INSERTs at once than any load of ours. */
const MAX_JOBS = 10_000;

/**
 * How many INSERTs into the table run now, whoever sent them, or null when jobs cannot be seen. Without the
 * privilege AL only the user's own jobs are listed, which are the ones of the run.
 */
export async function runningInserts(
  client: CrateClient,
  table: TableName,
  options: AskOptions = {},
): Promise<number | null> {
  const statement = `SELECT started, CURRENT_TIMESTAMP, stmt FROM sys.jobs WHERE stmt LIKE 'INSERT INTO %' LIMIT ${MAX_JOBS}`;
  const answer = await askRows(client, statement, [], options);
  if (!answer.ok) return null;
  const start = `INSERT INTO ${quoteTable(table)} `;
  return answer.value.filter(([started, now, text]) => {
    if (typeof text !== 'string' || !text.startsWith(start)) return false;
    return typeof started !== 'number' || typeof now !== 'number' || now - started < STALE_JOB_MS;
  }).length;
}

export interface ClockSkew {
  /** The server's wall clock minus ours. */
  readonly skewMs: number;
  /** Half of the round trip: the skew is only known this well. */
  readonly uncertaintyMs: number;
}

/** How far the server's wall clock is from ours. */
export async function clockSkew(
  client: CrateClient,
  clock: Clock,
  options: AskOptions = {},
): Promise<Answer<ClockSkew>> {
  const statement = 'SELECT CURRENT_TIMESTAMP';
  const [wallMs, startMs] = [clock.wallMs(), clock.monotonicMs()];
  const answer = await askRows(client, statement, [], options);
  const halfMs = (clock.monotonicMs() - startMs) / 2;
  if (!answer.ok) return answer;
  const serverMs = answer.value[0]?.[0];
  if (typeof serverMs !== 'number') return notUnderstood(statement, answer.value);
  return { ok: true, value: { skewMs: serverMs - (wallMs + halfMs), uncertaintyMs: halfMs } };
}

/** What the user may do; null where the server does not say (before CrateDB 5.7). */
export interface Privileges {
  readonly user: string | null;
  /** DDL on the schema: CREATE and DROP TABLE. */
  readonly createTable: boolean | null;
  /** DML on the table: INSERT and DELETE. */
  readonly insert: boolean | null;
  /** DQL on the table: count, REFRESH, verification. */
  readonly select: boolean | null;
}

/** Asks what the user may do with the table, which need not exist. Changes nothing. */
export async function privileges(
  client: CrateClient,
  table: TableName,
  options: AskOptions = {},
): Promise<Privileges> {
  const name = namedForPrivileges(table);
  const may = (expression: string, args: readonly unknown[]): Promise<boolean | null> =>
    askWhether(client, expression, args, options);
  const [user, createTable, insert, select] = await Promise.all([
    askRows(client, 'SELECT CURRENT_USER', [], options),
    may("has_schema_privilege(CURRENT_USER, ?, 'CREATE')", [table.schema]),
    may("has_table_privilege(CURRENT_USER, ?, 'INSERT')", [name]),
    may("has_table_privilege(CURRENT_USER, ?, 'SELECT')", [name]),
  ]);
  const who = user.ok ? user.value[0]?.[0] : null;
  return { user: typeof who === 'string' ? who : null, createTable, insert, select };
}

/** Whether the user may insert into a table that is there; null where the server does not say. */
export function mayInsert(
  client: CrateClient,
  table: TableName,
  options: AskOptions = {},
): Promise<boolean | null> {
  const name = namedForPrivileges(table);
  return askWhether(client, "has_table_privilege(CURRENT_USER, ?, 'INSERT')", [name], options);
}

/** The functions about privileges take names as people write them, without quotes. */
function namedForPrivileges(table: TableName): string {
  return `${table.schema}.${table.table}`;
}

async function askWhether(
  client: CrateClient,
  expression: string,
  args: readonly unknown[],
  options: AskOptions,
): Promise<boolean | null> {
  const answer = await askRows(client, `SELECT ${expression}`, args, options);
  const value = answer.ok ? answer.value[0]?.[0] : null;
  return typeof value === 'boolean' ? value : null;
}

/**
 * Runs one DDL statement that may be run twice (CREATE TABLE IF NOT EXISTS, DROP TABLE IF EXISTS): a load balancer can
 * cut the connection under it. Waits 60 s unless told otherwise.
 */
export function runDdl(
  client: CrateClient,
  statement: string,
  options: AskOptions = {},
): Promise<Answer<number>> {
  // A CREATE TABLE whose copies do not start is answered after 30 s.
  return command(client, statement, [], { timeoutMs: 60_000, repeatable: true, ...options });
}
