/**
 * What the cluster says about its own load: CPU, heap, write pool and disks of its nodes, INSERTs and how long they
 * took, translog and health of one table. Four questions over sys.*, which can be put as one; each can be refused or
 * lack a column of its version, and then only what it would have said is missing.
 */
import type { TableName } from '../base/sql.ts';
import type { ServerNode, ServerNodeSample } from '../metrics/telemetry.ts';
import { type Answer, type AskOptions, type Rows, askRows } from './ask.ts';
import type { CrateClient } from './client.ts';
import type { QueryFailure } from './query-reply.ts';
import { versionAtLeast } from './version.ts';

/** Something to select; where it is not asked for, NULL stands in its place. */
interface Selected {
  readonly sql: string;
  /** The column of the table, as an error of the server names it. */
  readonly column: string;
  /** Among NODE_COLUMNS, one of the same type: there it stands when all questions are put as one. */
  readonly place: number;
}

export interface TelemetryQuestion {
  readonly name: 'nodes' | 'inserts' | 'shards' | 'health';
  readonly table: 'sys.nodes' | 'sys.jobs_metrics' | 'sys.shards' | 'sys.health';
  readonly selects: readonly Selected[];
  readonly where: string;
  /** Schema and name of the run's table are its arguments. */
  readonly isOfTable: boolean;
}

/**
 * The order is that of `readNodes`. The source of CrateDB defines every column that is asked for here, with the same
 * name and type, in all its releases from 4.2.0 to 6.4.3 and in 6.5.0 so far (SysNodesTableInfo, SysMetricsTableInfo, SysShardsTableInfo,
 * SysHealth).
 */
const NODE_COLUMNS = [
  'id',
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

type NodeColumn = (typeof NODE_COLUMNS)[number];

function inPlaceOf(place: NodeColumn, sql: string, column = sql): Selected {
  return { sql, column, place: NODE_COLUMNS.indexOf(place) };
}

/** In the order of what is missed most when there is no time for all. */
export const TELEMETRY_QUESTIONS: readonly TelemetryQuestion[] = [
  {
    name: 'nodes',
    table: 'sys.nodes',
    selects: NODE_COLUMNS.map((column) => inPlaceOf(column, column)),
    where: '',
    isOfTable: false,
  },
  {
    // Not summed by the server, which would ask its nodes in a second round for it.
    name: 'inserts',
    table: 'sys.jobs_metrics',
    selects: [
      inPlaceOf('id', "node['id']"),
      inPlaceOf("heap['used']", 'total_count'),
      inPlaceOf("heap['max']", 'sum_of_durations'),
    ],
    where: " WHERE classification['type'] = 'INSERT'",
    isOfTable: false,
  },
  {
    name: 'shards',
    table: 'sys.shards',
    selects: [
      inPlaceOf(
        "heap['used']",
        "sum(translog_stats['uncommitted_size'])",
        "translog_stats['uncommitted_size']",
      ),
    ],
    where: ' WHERE schema_name = ? AND table_name = ?',
    isOfTable: true,
  },
  {
    name: 'health',
    table: 'sys.health',
    selects: [inPlaceOf("process['cpu']['percent']", 'max(severity)', 'severity')],
    where: ' WHERE table_schema = ? AND table_name = ?',
    isOfTable: true,
  },
];

/** A column that is not asked for, and why: words that follow "not measured: COLUMN, because". */
export interface LeftOut {
  readonly column: string;
  readonly why: string;
}

/**
 * Columns that a node of this version has, and that asking for would harm.
 * Sources: release notes 4.8.4 and 5.0.2, OsProbe.getCgroupHierarchy of 4.8.3: on Linux with cgroup v2 each look at
 * the load, which comes from the same probe as the column `os`, leaves a file descriptor open.
 */
export function harmfulColumns(version: string): readonly LeftOut[] {
  const isWithin = (from: string, before: string): boolean =>
    versionAtLeast(version, from) && !versionAtLeast(version, before);
  return isWithin('4.6.0', '4.8.4') || isWithin('5.0.0', '5.0.2')
    ? [{ column: "load['1']", why: `CrateDB ${version} leaves a file open each time it is asked for it` }]
    : [];
}

/**
 * Whether all questions may be put as one. Tried on 6.4.3. UNION takes NULL for any type from 5.0.0 on, but the
 * release notes mend wrong results of it up to 6.4.3: older servers are asked one question after the other.
 */
export function answersTogether(version: string | null): boolean {
  return version !== null && versionAtLeast(version, '6.4.3');
}

/**
 * The text of a question, or of several put as one, each row of which then begins with the name of its question.
 * `without`: the columns that are not asked for.
 */
export function telemetrySql(questions: readonly TelemetryQuestion[], without: ReadonlySet<string>): string {
  const [first] = questions;
  if (first !== undefined && questions.length === 1)
    return `SELECT ${columnsOf(first, without).join(', ')}${fromOf(first)}`;
  return questions
    .map((question) => {
      const places = NODE_COLUMNS.map(() => 'NULL');
      for (const [index, column] of columnsOf(question, without).entries())
        places[question.selects[index]?.place ?? 0] = column;
      return `SELECT '${question.name}', ${places.join(', ')}${fromOf(question)}`;
    })
    .join(' UNION ALL ');
}

function columnsOf({ selects }: TelemetryQuestion, without: ReadonlySet<string>): string[] {
  return selects.map(({ sql, column }) => (without.has(column) ? 'NULL' : sql));
}

function fromOf({ table, where }: TelemetryQuestion): string {
  return ` FROM ${table}${where}`;
}

/** The column that the server says it does not have, if it is one that was asked for; else null. */
export function missingColumn({ selects }: TelemetryQuestion, failure: QueryFailure): string | null {
  if (failure.code !== 4043) return null;
  // `Column load['1'] unknown`; of an object that is missing as a whole only its own name may be said.
  const said = /Column (\S+) unknown/.exec(failure.message)?.[1]?.replaceAll('"', '');
  if (said === undefined) return null;
  return selects.find(({ column }) => column === said || column.startsWith(`${said}[`))?.column ?? null;
}

/** What was answered to each question. */
export type TelemetryAnswers = ReadonlyMap<TelemetryQuestion['name'], Rows>;

/** Puts the questions in one statement. Its failure is a value; `repeatable`, so that another node may answer. */
export async function askTelemetry(
  client: CrateClient,
  questions: readonly TelemetryQuestion[],
  table: TableName,
  options: AskOptions & { readonly without: ReadonlySet<string> },
): Promise<Answer<TelemetryAnswers>> {
  const args = questions.flatMap(({ isOfTable }) => (isOfTable ? [table.schema, table.table] : []));
  const answer = await askRows(client, telemetrySql(questions, options.without), args, options);
  return answer.ok ? { ok: true, value: answersIn(questions, answer.value) } : answer;
}

function answersIn(questions: readonly TelemetryQuestion[], rows: Rows): TelemetryAnswers {
  const [first] = questions;
  if (first !== undefined && questions.length === 1) return new Map([[first.name, rows]]);
  return new Map(
    questions.map(({ name, selects }) => [
      name,
      rows.filter(([of]) => of === name).map((row) => selects.map(({ place }) => row[place + 1])),
    ]),
  );
}

/** One node as it stands in an answer, with what does not change and what does. */
export interface NodeReading {
  /** Its own for good, also under another name. */
  readonly id: string;
  readonly node: ServerNode;
  readonly sample: Omit<ServerNodeSample, 'node'>;
}

/** Reads the answer about sys.nodes, by name; a node that does not tell a thing, or tells nonsense, has null there. */
export function readNodes(rows: Rows): readonly NodeReading[] {
  return rows.map(readNode).toSorted((one, other) => (one.node.name < other.node.name ? -1 : 1));
}

function readNode(row: readonly unknown[]): NodeReading {
  const [
    id,
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
    id: textOf(id) ?? '',
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
}

/** INSERTs since a node began, and the time they took. */
export interface InsertCounts {
  readonly total: number;
  readonly durationMs: number;
}

/** By the id of the node; those without any are missing. */
export function readInserts(rows: Rows): ReadonlyMap<string, InsertCounts> {
  const counts = new Map<string, InsertCounts>();
  for (const [node, count, sum] of rows) {
    const [id, total, durationMs] = [textOf(node), amount(count), amount(sum)];
    if (id === null || total === null || durationMs === null) continue;
    // One row for each kind of INSERT.
    const before = counts.get(id) ?? { total: 0, durationMs: 0 };
    counts.set(id, { total: before.total + total, durationMs: before.durationMs + durationMs });
  }
  return counts;
}

/** The INSERTs between two answers, of the nodes that are in both and have not begun anew; null without such nodes. */
export function insertsBetween(
  before: ReadonlyMap<string, InsertCounts>,
  after: ReadonlyMap<string, InsertCounts>,
): InsertCounts | null {
  const grown = [...after].flatMap(([id, later]) => {
    const earlier = before.get(id);
    return earlier === undefined || earlier.total > later.total || earlier.durationMs > later.durationMs
      ? []
      : [{ total: later.total - earlier.total, durationMs: later.durationMs - earlier.durationMs }];
  });
  if (grown.length === 0) return null;
  return grown.reduce((sum, each) => ({
    total: sum.total + each.total,
    durationMs: sum.durationMs + each.durationMs,
  }));
}

export function readTranslog(rows: Rows): number | null {
  return wholeAmount(rows[0]?.[0]);
}

export function readHealth(rows: Rows): 'GREEN' | 'YELLOW' | 'RED' | null {
  const severity = wholeAmount(rows[0]?.[0]);
  return severity === null ? null : (([null, 'GREEN', 'YELLOW', 'RED'] as const)[severity] ?? null);
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
