/**
 * What doctor finds about the cluster behind the target: health, disks, shards, the tables of others. All of it is
 * in sys.*; a user who may not read that is told so in one line instead of many.
 */
import { type TableName, formatTable, grantOn } from '../../base/sql.ts';
import { formatExact } from '../../base/units.ts';
import { diskText, watermarkText } from '../../coordinator/disk-watch.ts';
import { type TargetSurvey, productionSigns } from '../../coordinator/target-survey.ts';
import type { Answer, AskOptions } from '../../cratedb/ask.ts';
import type { CrateClient } from '../../cratedb/client.ts';
import {
  type ClusterHealth,
  type ClusterLimits,
  type NodeDisk,
  clusterHealth,
  clusterLimits,
  isPast,
  mostShardsOnANode,
  nodeDisks,
  tablesOfOthers,
} from '../../cratedb/cluster-state.ts';
import type { Finding } from './finding.ts';

/** The master works them off one by one: a CREATE TABLE waits behind all of them. */
const MANY_PENDING_TASKS = 20;
/** A table of six shards with a copy is twelve; closer than this to the limit is worth a line. */
const SHARD_LIMIT_SHARE = 0.9;

/** Health, disks and shards; one finding that they cannot be seen where sys is hidden. */
export async function clusterFindings(
  client: CrateClient,
  user: string | null,
  options: AskOptions,
): Promise<readonly Finding[]> {
  const [health, disks, limits, shards] = await Promise.all([
    clusterHealth(client, options),
    nodeDisks(client, options),
    clusterLimits(client, options),
    mostShardsOnANode(client, options),
  ]);
  if (!health.ok && !disks.ok && !limits.ok)
    return [
      {
        status: 'warning',
        about: 'target',
        what: 'sys',
        detail:
          'cannot be read: health, disks, shards and tables of others stay unknown, a run does not stop at a full disk, and rows in doubt are settled after 65 s instead of 2 s',
        hint: grantOn('sys', 'DQL', user),
      },
    ];
  return [
    ...(health.ok ? [healthFinding(health.value)] : []),
    ...(disks.ok && disks.value[0] !== undefined ? [diskFinding(disks.value[0], limits)] : []),
    ...shardFindings(shards, limits),
  ];
}

function healthFinding({
  health,
  missingShards,
  underreplicatedShards,
  pendingTasks,
}: ClusterHealth): Finding {
  const common = { about: 'target', what: 'health' } as const;
  const pending = pendingTasks ?? 0;
  const tasks = pending > 0 ? `, ${formatExact(pending)} tasks wait for the master` : '';
  if (health === 'RED')
    return {
      ...common,
      status: 'bad',
      detail: `RED: ${formatExact(missingShards)} shards have no primary${tasks}`,
      hint: 'Rows for them wait up to a minute and fail: SELECT * FROM sys.allocations says why.',
    };
  if (health === 'YELLOW')
    return {
      ...common,
      status: 'warning',
      detail: `YELLOW: ${formatExact(underreplicatedShards)} copies are missing${tasks}`,
      hint: 'They are made while the run writes, or there are fewer nodes than copies.',
    };
  const isBusy = pending >= MANY_PENDING_TASKS;
  return {
    ...common,
    status: isBusy ? 'warning' : 'good',
    detail: `${health}${tasks}`,
    hint: isBusy ? 'Creating a table waits behind them.' : '',
  };
}

function diskFinding(fullest: NodeDisk, limits: Answer<ClusterLimits>): Finding {
  const common = { about: 'target', what: 'disk' } as const;
  const detail = diskText(fullest);
  if (!limits.ok || !limits.value.heedsDisks)
    return { ...common, status: 'good', detail: `${detail}; the cluster does not heed its disks`, hint: '' };
  const { low, high, floodStage } = limits.value;
  const marks = [low, high, floodStage].map((mark) => (mark === null ? '–' : watermarkText(mark)));
  const said = `${detail}; watermarks ${marks.join(', ')}`;
  if (high !== null && isPast(fullest, high))
    return {
      ...common,
      status: 'bad',
      detail: said,
      hint: 'A run does not begin there: make room, or --stop-at-disk PERCENT goes further.',
    };
  const isLow = low !== null && isPast(fullest, low);
  return {
    ...common,
    status: isLow ? 'warning' : 'good',
    detail: said,
    hint: isLow ? 'The node gets no new shards, and a run stops at the second mark.' : '',
  };
}

function shardFindings(shards: Answer<number>, limits: Answer<ClusterLimits>): readonly Finding[] {
  if (!shards.ok || !limits.ok || limits.value.maxShardsPerNode === null) return [];
  const most = limits.value.maxShardsPerNode;
  const isTight = shards.value >= most * SHARD_LIMIT_SHARE;
  return [
    {
      status: isTight ? 'warning' : 'good',
      about: 'target',
      what: 'shards',
      detail: `${formatExact(shards.value)} of ${formatExact(most)} on the node with the most`,
      hint: isTight ? 'A new table or partition may be refused (cluster.max_shards_per_node).' : '',
    },
  ];
}

/** Whether a run would want `--yes`; nothing where the tables of others cannot be seen. */
export async function productionFindings(
  client: CrateClient,
  known: Pick<TargetSurvey, 'isThisHost' | 'nodes' | 'tables'> & { readonly name: TableName },
  options: AskOptions,
): Promise<readonly Finding[]> {
  const others = await tablesOfOthers(client, [known.name], options);
  const signs = productionSigns({ ...known, others: others.ok ? others.value : [] });
  if (signs.length === 0) return [];
  return [
    {
      status: 'warning',
      about: 'target',
      what: 'production',
      detail: `looks like it: ${signs.join('; ')}`,
      hint: `A run into ${formatTable(known.name)} wants --yes.`,
    },
  ];
}
