/**
 * What a run is about to touch, in words before it touches it, and whether the target looks like one that somebody
 * depends on. Such a target is only filled when told twice (`--yes`). The rule is decision 16.
 */
import { isLoopback } from '../base/host.ts';
import { formatTable } from '../base/sql.ts';
import { formatExact } from '../base/units.ts';
import { type AskOptions } from '../cratedb/ask.ts';
import type { CrateClient } from '../cratedb/client.ts';
import { type OtherTable, tablesOfOthers } from '../cratedb/cluster-state.ts';
import type { TableState } from '../cratedb/introspect.ts';
import { countTable } from '../cratedb/statements.ts';
import type { RunPlan, TablePlan } from '../plan/run-plan.ts';

/** Other people's rows from which on a cluster is taken for one that they need. */
const MANY_ROWS = 1_000_000;
/** Tables that are named; the rest is counted. */
const NAMED_TABLES = 3;

export interface TargetSurvey {
  /** All nodes that were named are loopback addresses: what is there is this user's own. */
  readonly isThisHost: boolean;
  /** Of the cluster; null when they cannot be seen. */
  readonly nodes: number | null;
  /** Those of the run that are there already. */
  readonly tables: readonly {
    readonly name: string;
    /** Null when they could not be counted. */
    readonly rows: number | null;
    /** It has the column run_id: its rows are crategen's. */
    readonly hasRunIds: boolean;
  }[];
  /** Empty when they cannot be seen. */
  readonly others: readonly OtherTable[];
}

/** A table of the run and what is known of it before anything changes. */
export interface SeenTable {
  readonly plan: TablePlan;
  readonly there: TableState;
}

/** Looks at the tables that are there and, on another host, at those beside them. Changes nothing. */
export async function surveyTarget(
  client: CrateClient,
  parts: {
    readonly plan: RunPlan;
    readonly tables: readonly SeenTable[];
    readonly nodes: number | null;
  },
  options: AskOptions,
): Promise<TargetSurvey> {
  const { plan, tables, nodes } = parts;
  const isThisHost = client.nodes.every(isLoopback);
  // Who is told twice already is not asked to wait for reasons.
  const needsReasons = !isThisHost && !plan.safety.isConfirmed;
  const names = tables.map((table) => table.plan.name);
  const [found, others] = await Promise.all([
    Promise.all(tables.map((table) => lookAt(client, table, options))),
    needsReasons ? tablesOfOthers(client, names, options) : null,
  ]);
  return {
    isThisHost,
    nodes,
    tables: found.filter((table) => table !== null),
    others: others?.ok === true ? others.value : [],
  };
}

async function lookAt(
  client: CrateClient,
  { plan: { name }, there }: SeenTable,
  options: AskOptions,
): Promise<TargetSurvey['tables'][number] | null> {
  if (!there.exists) return null;
  const rows = await countTable(client, name, options);
  return {
    name: formatTable(name),
    rows: rows.ok ? rows.value : null,
    hasRunIds: there.columns.some((column) => column.name === 'run_id'),
  };
}

/**
 * Why the target looks like production, one clause each; empty when it does not. It holds data of somebody else,
 * on another host, and either it is a very table that is to be filled, or there is much of it, or it is kept in
 * copies on several nodes. Tables of crategen never count, so that a cluster made for tests stays one.
 */
export function productionSigns({ isThisHost, nodes, tables, others }: TargetSurvey): readonly string[] {
  if (isThisHost) return [];
  const signs: string[] = [];
  for (const table of tables) {
    if (table.hasRunIds || table.rows === 0) continue;
    const rows = table.rows === null ? 'rows' : `${formatExact(table.rows)} rows`;
    signs.push(`${table.name} holds ${rows} that are not crategen's`);
  }
  const otherRows = others.reduce((sum, other) => sum + other.rows, 0);
  const copied = others.filter(({ replicas }) => Number.parseInt(replicas, 10) >= 1);
  if (otherRows >= MANY_ROWS) {
    signs.push(`${tablesText(others)} hold ${formatExact(otherRows)} rows`);
  } else if (copied.length > 0 && (nodes ?? 1) > 1) {
    signs.push(`${tablesText(copied)} are kept in copies on ${String(nodes)} nodes`);
  }
  return signs;
}

function tablesText(tables: readonly OtherTable[]): string {
  const named = tables.slice(0, NAMED_TABLES).map(({ name }) => name);
  const rest = tables.length - named.length;
  return `other tables (${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''})`;
}

/** One line for each thing that will be changed, in order: `drops …`, `creates …` or `inserts into …`. */
export function touchLines(
  plan: TablePlan,
  there: TableState,
  rows: number | null,
): readonly { readonly event: 'willDrop' | 'willCreate' | 'willInsert'; readonly message: string }[] {
  const name = formatTable(plan.name);
  const held = rows === null ? 'its rows' : `its ${formatExact(rows)} ${rows === 1 ? 'row' : 'rows'}`;
  if (there.exists && !plan.recreate) {
    const shape = `${there.shards} ${there.shards === 1 ? 'shard' : 'shards'}, replicas ${there.replicas}`;
    return [
      {
        event: 'willInsert',
        message: `inserts into the table ${name} that is there with ${held} (${shape})`,
      },
    ];
  }
  const drop = {
    event: 'willDrop',
    message: `drops the table ${name} with ${held}, as --recreate says`,
  } as const;
  const create = {
    event: 'willCreate',
    message: `creates the table ${name}: ${creationText(plan)}`,
  } as const;
  return there.exists ? [drop, create] : [create];
}

function creationText(table: TablePlan): string {
  const columns = table.key ? table.schema.primaryKey : [];
  const key = columns.length === 0 ? 'no primary key' : `primary key (${columns.join(', ')})`;
  const layout = [
    table.shards === null ? '' : `${table.shards} ${table.shards === 1 ? 'shard' : 'shards'}`,
    table.replicas === null ? '' : `replicas ${table.replicas}`,
  ].filter((text) => text !== '');
  const rest = layout.length === 2 ? [] : [`otherwise the server's defaults`];
  return [`${table.schema.columns.length} columns`, key, ...layout, ...rest].join(', ');
}
