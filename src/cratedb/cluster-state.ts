/**
 * What the cluster says about the ground a table stands on: disks and their watermarks, health, limits of shards,
 * the tables of others. Asked through sys.*, which a user may not see: then the answer is a failure, never a guess.
 */
import { type TableName, OWN_SCHEMA, formatTable } from '../base/sql.ts';
import { type Answer, type AskOptions, type Rows, askRows, notUnderstood, sqlInteger } from './ask.ts';
import type { CrateClient } from './client.ts';
import { isRecord } from './reply.ts';

/** Of a node's disks, the one with the least left. */
export interface NodeDisk {
  readonly node: string;
  readonly sizeBytes: number;
  readonly availableBytes: number;
}

/** The disks of all nodes that say something about them, the fullest first. */
export async function nodeDisks(
  client: CrateClient,
  options: AskOptions = {},
): Promise<Answer<readonly NodeDisk[]>> {
  const statement = "SELECT name, fs['disks']['size'], fs['disks']['available'] FROM sys.nodes";
  const answer = await askRows(client, statement, [], options);
  if (!answer.ok) return answer;
  const disks = answer.value.flatMap(([node, sizes, available]): NodeDisk[] => {
    const all = numbersOf(sizes).flatMap((sizeBytes, at): NodeDisk[] => {
      const availableBytes = numbersOf(available)[at];
      const isKnown = availableBytes !== undefined && sizeBytes > 0;
      return isKnown ? [{ node: textOf(node), sizeBytes, availableBytes }] : [];
    });
    return all.toSorted(byUse).slice(0, 1);
  });
  return { ok: true, value: disks.toSorted(byUse) };
}

function byUse(a: NodeDisk, b: NodeDisk): number {
  return usedShare(b) - usedShare(a);
}

function numbersOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map((part) => (typeof part === 'number' ? part : -1)) : [];
}

/** 0 to 1, as the watermarks count it: what is not available is used. */
export function usedShare({ sizeBytes, availableBytes }: NodeDisk): number {
  return 1 - availableBytes / sizeBytes;
}

/** How full a disk may get: a share of it used, or bytes that are to be left. */
export type Watermark =
  { readonly kind: 'used'; readonly share: number } | { readonly kind: 'left'; readonly bytes: number };

export function isPast(disk: NodeDisk, watermark: Watermark): boolean {
  return watermark.kind === 'used'
    ? usedShare(disk) >= watermark.share
    : disk.availableBytes <= watermark.bytes;
}

/** The cluster's settings that end a load; null where the server does not say. */
export interface ClusterLimits {
  /** False when the cluster does not look at its disks. */
  readonly heedsDisks: boolean;
  /** Beyond it the node gets no new shards. */
  readonly low: Watermark | null;
  /** Beyond it shards are moved away. */
  readonly high: Watermark | null;
  /** Beyond it tables are made read-only: 4037. */
  readonly floodStage: Watermark | null;
  readonly maxShardsPerNode: number | null;
}

/** Settings of sys.cluster, whose shape every version since 4 shares. */
export async function clusterLimits(
  client: CrateClient,
  options: AskOptions = {},
): Promise<Answer<ClusterLimits>> {
  const statement = "SELECT settings['cluster'] FROM sys.cluster";
  const answer = await askRows(client, statement, [], options);
  if (!answer.ok) return answer;
  const settings = answer.value[0]?.[0];
  if (!isRecord(settings)) return notUnderstood(statement, answer.value);
  const disk = child(child(child(settings, 'routing'), 'allocation'), 'disk');
  const marks = child(disk, 'watermark');
  const shards = settings['max_shards_per_node'];
  return {
    ok: true,
    value: {
      heedsDisks: disk['threshold_enabled'] === true,
      low: parseWatermark(marks['low']),
      high: parseWatermark(marks['high']),
      floodStage: parseWatermark(marks['flood_stage']),
      maxShardsPerNode: typeof shards === 'number' ? shards : null,
    },
  };
}

function child(parent: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const value = parent[name];
  return isRecord(value) ? value : {};
}

const BYTE_UNITS: Readonly<Record<string, number>> = { b: 0, kb: 1, mb: 2, gb: 3, tb: 4, pb: 5 };

/** `85%`, `0.85`, `500mb`: percent and ratio are used, bytes are left. Null for anything else. */
export function parseWatermark(setting: unknown): Watermark | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%|[kmgtp]?b)?\s*$/i.exec(String(setting));
  if (match === null) return null;
  const [value, unit] = [Number(match[1]), (match[2] ?? '').toLowerCase()];
  if (unit === '%') return value <= 100 ? { kind: 'used', share: value / 100 } : null;
  if (unit === '') return value <= 1 ? { kind: 'used', share: value } : null;
  return { kind: 'left', bytes: value * 1024 ** (BYTE_UNITS[unit] ?? 0) };
}

export interface ClusterHealth {
  /** `GREEN`, `YELLOW`, `RED`. */
  readonly health: string;
  readonly missingShards: number;
  readonly underreplicatedShards: number;
  /** Tasks that wait for the master; null before CrateDB 6.0. */
  readonly pendingTasks: number | null;
}

/** The health of the cluster: sys.cluster_health, and before CrateDB 6.0 the worst of sys.health. */
export async function clusterHealth(
  client: CrateClient,
  options: AskOptions = {},
): Promise<Answer<ClusterHealth>> {
  const whole = await askRows(
    client,
    'SELECT health, missing_shards, underreplicated_shards, pending_tasks FROM sys.cluster_health',
    [],
    options,
  );
  if (whole.ok) return { ok: true, value: healthOf(whole.value) };
  const perTable = await askRows(
    client,
    'SELECT health, missing_shards, underreplicated_shards FROM sys.health ORDER BY severity DESC LIMIT 1000',
    [],
    options,
  );
  return perTable.ok ? { ok: true, value: healthOf(perTable.value) } : perTable;
}

function healthOf(rows: Rows): ClusterHealth {
  const sum = (column: number): number => rows.reduce((total, row) => total + Number(row[column] ?? 0), 0);
  const pending = rows[0]?.[3];
  return {
    health: textOf(rows[0]?.[0]) || 'GREEN',
    missingShards: sum(1),
    underreplicatedShards: sum(2),
    pendingTasks: typeof pending === 'number' ? pending : null,
  };
}

/** Shards on the node that has the most of them, which is the one that `max_shards_per_node` stops first. */
export async function mostShardsOnANode(
  client: CrateClient,
  options: AskOptions = {},
): Promise<Answer<number>> {
  const statement = "SELECT count(*) FROM sys.shards GROUP BY node['id'] ORDER BY count(*) DESC LIMIT 1";
  const answer = await askRows(client, statement, [], options);
  return answer.ok ? { ok: true, value: Number(answer.value[0]?.[0] ?? 0) } : answer;
}

/** A table that is not the one to be filled and was not made for rows of crategen. */
export interface OtherTable {
  readonly name: string;
  /** As of its last refreshes. */
  readonly rows: number;
  /** As CrateDB says it: `0`, `1`, `0-1`. */
  readonly replicas: string;
}

const SYSTEM_SCHEMAS = "'information_schema', 'pg_catalog', 'sys', 'blob'";
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The largest tables decide; a catalogue of ten thousand is not read for it. */
const MAX_TABLES = 1000;

/**
 * Tables of other people with rows in them, the largest first: those outside the schema `crategen` that lack the
 * columns run_id and seq. Only what the user may see.
 */
export async function tablesOfOthers(
  client: CrateClient,
  targets: readonly TableName[],
  options: AskOptions = {},
): Promise<Answer<readonly OtherTable[]>> {
  const [shards, tables, columns] = await Promise.all([
    askRows(
      client,
      `SELECT schema_name, table_name, sum(num_docs) FROM sys.shards WHERE "primary" = true AND schema_name NOT IN (${SYSTEM_SCHEMAS}) GROUP BY schema_name, table_name ORDER BY 3 DESC LIMIT ${sqlInteger(MAX_TABLES)}`,
      [],
      options,
    ),
    askRows(
      client,
      `SELECT table_schema, table_name, number_of_replicas FROM information_schema.tables WHERE table_schema NOT IN (${SYSTEM_SCHEMAS})`,
      [],
      options,
    ),
    askRows(
      client,
      "SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE column_name IN ('run_id', 'seq')",
      [],
      options,
    ),
  ]);
  if (!shards.ok) return shards;
  if (!tables.ok) return tables;
  if (!columns.ok) return columns;
  const name = (row: readonly unknown[]): string =>
    formatTable({ schema: textOf(row[0]), table: textOf(row[1]) });
  const replicas = new Map(tables.value.map((row) => [name(row), textOf(row[2])]));
  const ownColumns = Map.groupBy(columns.value, name);
  const filled = new Set(targets.map(formatTable));
  const isOurs = (row: readonly unknown[]): boolean =>
    row[0] === OWN_SCHEMA || filled.has(name(row)) || ownColumns.get(name(row))?.length === 2;
  return {
    ok: true,
    value: shards.value
      .filter((row) => !isOurs(row) && Number(row[2]) > 0)
      .map((row) => ({ name: name(row), rows: Number(row[2]), replicas: replicas.get(name(row)) ?? '' })),
  };
}
