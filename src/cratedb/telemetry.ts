/**
 * What the cluster says about its own load: CPU, heap, write pool and disks of its nodes, INSERTs and how long they
 * took, translog and health of one table. Four small statements over sys.*; each can be refused or lack a column of
 * its version, and then only what it would have said is missing.
 */
import type { TableName } from '../base/sql.ts';
import type { ServerNode, ServerNodeSample } from '../metrics/telemetry.ts';
import { type Answer, type AskOptions, type Rows, askRows } from './ask.ts';
import type { CrateClient } from './client.ts';
import type { QueryFailure } from './query-reply.ts';

/** Something to select; where a version lacks the column, NULL stands in its place. */
interface Selected {
  readonly sql: string;
  /** The column of the table, as an error of the server names it. */
  readonly column: string;
}

export interface TelemetryStatement {
  readonly name: 'nodes' | 'inserts' | 'shards' | 'health';
  readonly table: 'sys.nodes' | 'sys.jobs_metrics' | 'sys.shards' | 'sys.health';
  readonly selects: readonly Selected[];
  readonly rest: string;
  /** Schema and name of the run's table are its arguments. */
  readonly isOfTable: boolean;
}

/** The order is that of `readNodes`. All of them are there from CrateDB 4.8 to 6.5. */
const NODE_COLUMNS = [
  'name',
  "version['number']",
  "os_info['available_processors']",
  "process['cpu']['percent']",
  "load['1']",
  "heap['used']",
  "heap['max']",
  "thread_pools['name']",
  "thread_pools['active']",
  "thread_pools['queue']",
  "thread_pools['rejected']",
  "fs['total']['used']",
  "fs['total']['size']",
] as const;

/** In the order of what is missed most when there is no time for all. */
export const TELEMETRY_STATEMENTS: readonly TelemetryStatement[] = [
  {
    name: 'nodes',
    table: 'sys.nodes',
    selects: NODE_COLUMNS.map((column) => ({ sql: column, column })),
    rest: 'ORDER BY name',
    isOfTable: false,
  },
  {
    name: 'inserts',
    table: 'sys.jobs_metrics',
    selects: [
      { sql: 'sum(total_count)', column: 'total_count' },
      { sql: 'sum(sum_of_durations)', column: 'sum_of_durations' },
    ],
    rest: "WHERE classification['type'] = 'INSERT'",
    isOfTable: false,
  },
  {
    name: 'shards',
    table: 'sys.shards',
    selects: [
      { sql: "sum(translog_stats['uncommitted_size'])", column: "translog_stats['uncommitted_size']" },
    ],
    rest: 'WHERE schema_name = ? AND table_name = ?',
    isOfTable: true,
  },
  {
    name: 'health',
    table: 'sys.health',
    selects: [{ sql: 'health', column: 'health' }],
    rest: 'WHERE table_schema = ? AND table_name = ? ORDER BY severity DESC LIMIT 1',
    isOfTable: true,
  },
];

/** The text of a statement without the columns that this server does not have. */
export function telemetrySql(statement: TelemetryStatement, without: ReadonlySet<string>): string {
  const selects = statement.selects.map(({ sql, column }) => (without.has(column) ? 'NULL' : sql));
  return `SELECT ${selects.join(', ')} FROM ${statement.table} ${statement.rest}`;
}

/** The column that the server says it does not have, if it is one that was asked for; else null. */
export function missingColumn(statement: TelemetryStatement, failure: QueryFailure): string | null {
  if (failure.code !== 4043) return null;
  // `Column load['1'] unknown`; of an object that is missing as a whole only its own name may be said.
  const said = /Column (\S+) unknown/.exec(failure.message)?.[1]?.replaceAll('"', '');
  if (said === undefined) return null;
  const column = statement.selects.find(
    (each) => each.column === said || each.column.startsWith(`${said}[`) || each.sql.includes(said),
  )?.column;
  return column ?? null;
}

/** Asks one of the statements. Its failure is a value; `repeatable`, so that another node may answer. */
export function askTelemetry(
  client: CrateClient,
  statement: TelemetryStatement,
  table: TableName,
  options: AskOptions & { readonly without: ReadonlySet<string> },
): Promise<Answer<Rows>> {
  const args = statement.isOfTable ? [table.schema, table.table] : [];
  return askRows(client, telemetrySql(statement, options.without), args, options);
}

/** One node as it stands in an answer, with what does not change and what does. */
export interface NodeReading {
  readonly node: ServerNode;
  readonly sample: Omit<ServerNodeSample, 'node'>;
}

/** Reads the answer about sys.nodes; a node that does not tell a thing, or tells nonsense, has null there. */
export function readNodes(rows: Rows): readonly NodeReading[] {
  return rows.map((row) => {
    const [
      name,
      version,
      processors,
      cpu,
      load1,
      heapUsed,
      heapMax,
      pools,
      active,
      queue,
      rejected,
      used,
      size,
    ] = row;
    const cores = amount(processors);
    const percent = amount(cpu);
    const write = Array.isArray(pools) ? pools.indexOf('write') : -1;
    const heapMaxBytes = wholeAmount(heapMax);
    return {
      node: { name: textOf(name) ?? '', version: textOf(version), cores, heapMaxBytes },
      sample: {
        // The server's 100 % are all its cores; ours are one core.
        cpuPercent: percent === null || cores === null ? null : percent * cores,
        load1: amount(load1),
        heapUsedBytes: wholeAmount(heapUsed),
        heapMaxBytes,
        writeActive: ofPool(active, write),
        writeQueue: ofPool(queue, write),
        writeRejected: ofPool(rejected, write),
        diskUsedBytes: wholeAmount(used),
        diskTotalBytes: wholeAmount(size),
      },
    };
  });
}

/** INSERTs since the nodes began, and the time they took; null where nothing is counted. */
export interface InsertCounts {
  readonly total: number;
  readonly durationMs: number;
}

export function readInserts(rows: Rows): InsertCounts | null {
  const [total, durationMs] = [amount(rows[0]?.[0]), amount(rows[0]?.[1])];
  return total === null || durationMs === null ? null : { total, durationMs };
}

export function readTranslog(rows: Rows): number | null {
  return wholeAmount(rows[0]?.[0]);
}

export function readHealth(rows: Rows): 'GREEN' | 'YELLOW' | 'RED' | null {
  const health = rows[0]?.[0];
  return health === 'GREEN' || health === 'YELLOW' || health === 'RED' ? health : null;
}

/** The pools are arrays side by side: each quantity at the place of its pool. */
function ofPool(values: unknown, at: number): number | null {
  return Array.isArray(values) ? wholeAmount((values as readonly unknown[])[at]) : null;
}

/** -1 is how the server says that it does not know. */
function amount(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

function wholeAmount(value: unknown): number | null {
  return Number.isSafeInteger(value) ? amount(value) : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
