/** `sys`: what a single healthy node would say of itself, its shards and its jobs. */
import { getHeapStatistics } from 'node:v8';
import type { Situation } from '../faults.ts';
import type { Json } from '../values/json.ts';
import { SERVER_VERSION } from '../engine/functions.ts';
import { BIGINT, BOOLEAN, DOUBLE, INTEGER, TEXT, TIMESTAMPTZ, arrayOf, objectOf } from '../values/types.ts';
import type { Row } from '../values/operations.ts';
import { ANY_OBJECT, TEXTS, columns, setPath, type NamedDefinition, type SystemFacts } from './definition.ts';
import { countRows, shardGroups } from './shard-groups.ts';

export const CLUSTER_NAME = 'crategen-sandbox';
export const NODE_NAME = 'sandbox';

function port(facts: SystemFacts): number {
  return Number(facts.address().split(':').at(-1) ?? 0);
}

const NODE_TYPES = columns(
  ['attributes', ANY_OBJECT],
  [
    'connections',
    objectOf('ignored', [
      [
        'http',
        objectOf('ignored', [
          ['open', BIGINT],
          ['total', BIGINT],
        ]),
      ],
    ]),
  ],
  [
    'fs',
    objectOf('ignored', [
      [
        'total',
        objectOf('ignored', [
          ['size', BIGINT],
          ['used', BIGINT],
          ['available', BIGINT],
          ['bytes_written', BIGINT],
        ]),
      ],
      [
        'disks',
        arrayOf(
          objectOf('ignored', [
            ['dev', TEXT],
            ['size', BIGINT],
            ['used', BIGINT],
            ['available', BIGINT],
          ]),
        ),
      ],
    ]),
  ],
  [
    'heap',
    objectOf('ignored', [
      ['free', BIGINT],
      ['max', BIGINT],
      ['used', BIGINT],
    ]),
  ],
  ['hostname', TEXT],
  ['id', TEXT],
  ['is_master', BOOLEAN],
  [
    'load',
    objectOf('ignored', [
      ['1', DOUBLE],
      ['5', DOUBLE],
      ['15', DOUBLE],
    ]),
  ],
  [
    'mem',
    objectOf('ignored', [
      ['free', BIGINT],
      ['used', BIGINT],
    ]),
  ],
  ['name', TEXT],
  [
    'os',
    objectOf('ignored', [
      ['timestamp', TIMESTAMPTZ],
      ['cpu', ANY_OBJECT],
    ]),
  ],
  ['os_info', objectOf('ignored', [['available_processors', INTEGER]])],
  [
    'port',
    objectOf('ignored', [
      ['http', INTEGER],
      ['psql', INTEGER],
      ['transport', INTEGER],
    ]),
  ],
  ['process', objectOf('ignored', [['cpu', objectOf('ignored', [['percent', INTEGER]])]])],
  ['rest_url', TEXT],
  ['roles', TEXTS],
  [
    'thread_pools',
    arrayOf(
      objectOf('ignored', [
        ['name', TEXT],
        ['active', INTEGER],
        ['queue', INTEGER],
        ['rejected', BIGINT],
      ]),
    ),
  ],
  [
    'version',
    objectOf('ignored', [
      ['number', TEXT],
      ['build_hash', TEXT],
      ['build_snapshot', BOOLEAN],
    ]),
  ],
);

/** Values that this process could only invent are null. */
function nodeRow(facts: SystemFacts): Row {
  const memory = process.memoryUsage();
  const { heap_size_limit: heapBytesMax } = getHeapStatistics();
  const { cpuPercent, loads } = facts.ownLoad();
  return [
    {},
    { http: { open: null, total: null } },
    diskOf(facts.situation),
    { free: heapBytesMax - memory.heapUsed, max: heapBytesMax, used: memory.heapUsed },
    'localhost',
    NODE_NAME,
    true,
    { '1': loads[0], '5': loads[1], '15': loads[2] },
    null,
    NODE_NAME,
    { timestamp: facts.environment.nowMs, cpu: { system: -1, used: -1, user: -1 } },
    { available_processors: 1 },
    { http: port(facts), psql: null, transport: null },
    { cpu: { percent: cpuPercent } },
    facts.address(),
    ['data', 'master_eligible'],
    ['search', 'write'].map((name) => ({ name, active: 0, queue: 0, rejected: 0 })),
    { number: SERVER_VERSION, build_hash: 'crategen-sandbox', build_snapshot: false },
  ];
}

/** A round number to be a share of. */
const DISK_BYTES = 100 * 2 ** 30;

/** One disk, as full as it was told to say that it is. */
function diskOf({ diskUsedShare }: Situation): Json {
  if (diskUsedShare === null) return null;
  const used = Math.round(DISK_BYTES * diskUsedShare);
  const disk = { size: DISK_BYTES, used, available: DISK_BYTES - used };
  return { total: { ...disk, bytes_written: null }, disks: [{ dev: 'sandbox', ...disk }] };
}

const CLUSTER_COLUMNS = columns(
  ['id', TEXT],
  ['license', ANY_OBJECT],
  ['master_node', TEXT],
  ['name', TEXT],
  ['settings', ANY_OBJECT],
);

function clusterRow(facts: SystemFacts): Row {
  const settings: Record<string, Json> = {
    bulk: { request_timeout: '1m' },
    statement_timeout: '0ms',
    cluster: {
      max_shards_per_node: 1000,
      routing: {
        allocation: {
          disk: { threshold_enabled: true, watermark: { low: '85%', high: '90%', flood_stage: '95%' } },
        },
      },
    },
    overload_protection: {
      dml: { initial_concurrency: 5, max_concurrency: 100, min_concurrency: 1, queue_size: 25 },
    },
  };
  for (const [name, value] of facts.catalog.globals) setPath(settings, name.split('.'), value);
  return ['crategen-sandbox', null, NODE_NAME, CLUSTER_NAME, settings];
}

const SHARD_COLUMNS = columns(
  ['id', INTEGER],
  ['schema_name', TEXT],
  ['table_name', TEXT],
  ['partition_ident', TEXT],
  ['primary', BOOLEAN],
  ['state', TEXT],
  ['routing_state', TEXT],
  ['num_docs', BIGINT],
  ['size', BIGINT],
  [
    'node',
    objectOf('ignored', [
      ['id', TEXT],
      ['name', TEXT],
    ]),
  ],
  ['relocating_node', TEXT],
  ['orphan_partition', BOOLEAN],
  ['closed', BOOLEAN],
  [
    'translog_stats',
    objectOf('ignored', [
      ['size', BIGINT],
      ['uncommitted_size', BIGINT],
      ['number_of_operations', INTEGER],
      ['uncommitted_operations', INTEGER],
    ]),
  ],
  [
    'merge_stats',
    objectOf('ignored', [
      ['current_count', BIGINT],
      ['total_throttled_time_ms', BIGINT],
    ]),
  ],
  [
    'refresh_stats',
    objectOf('ignored', [
      ['count', BIGINT],
      ['total_time_ns', BIGINT],
      ['pending_count', INTEGER],
    ]),
  ],
  [
    'flush_stats',
    objectOf('ignored', [
      ['count', BIGINT],
      ['total_time_ns', BIGINT],
    ]),
  ],
);

/** Rows are not kept by shard: each shard shows an even part. Sizes of single tables are not known. */
function shardRows(facts: SystemFacts): readonly Row[] {
  return shardGroups(facts).flatMap((group) => {
    const total = countRows(facts, group);
    const { table } = group;
    return Array.from({ length: table.shards }, (_, id): Row => {
      const documents = Math.floor(total / table.shards) + (id < total % table.shards ? 1 : 0);
      const state = table.closed ? 'CLOSED' : 'STARTED';
      return [
        id,
        table.schema,
        table.name,
        group.ident,
        true,
        state,
        'STARTED',
        documents,
        null,
        { id: NODE_NAME, name: NODE_NAME },
        null,
        false,
        table.closed,
        null,
        null,
        null,
        null,
      ];
    });
  });
}

const HEALTH_COLUMNS = columns(
  ['health', TEXT],
  ['missing_shards', BIGINT],
  ['partition_ident', TEXT],
  ['severity', BIGINT],
  ['table_name', TEXT],
  ['table_schema', TEXT],
  ['underreplicated_shards', BIGINT],
);

function healthRows(facts: SystemFacts): readonly Row[] {
  return shardGroups(facts).map(({ table, ident }) => [
    'GREEN',
    0,
    ident === '' ? null : ident,
    1,
    table.name,
    table.schema,
    0,
  ]);
}

const JOB_COLUMNS = columns(
  ['id', TEXT],
  [
    'node',
    objectOf('ignored', [
      ['id', TEXT],
      ['name', TEXT],
    ]),
  ],
  ['started', TIMESTAMPTZ],
  ['stmt', TEXT],
  ['username', TEXT],
);

function jobRows(facts: SystemFacts): readonly Row[] {
  return [
    [
      crypto.randomUUID(),
      { id: NODE_NAME, name: NODE_NAME },
      facts.startedMs,
      facts.statement,
      facts.environment.user,
    ],
  ];
}

const CHECK_COLUMNS = columns(
  ['description', TEXT],
  ['id', INTEGER],
  ['passed', BOOLEAN],
  ['severity', INTEGER],
);

const PRIVILEGE_COLUMNS = columns(
  ['class', TEXT],
  ['grantee', TEXT],
  ['grantor', TEXT],
  ['ident', TEXT],
  ['state', TEXT],
  ['type', TEXT],
);

const USER_COLUMNS = columns(['name', TEXT], ['password', TEXT], ['superuser', BOOLEAN]);

/** The one class of jobs that is counted here. Percentiles are not kept. */
function insertMetricsRows(facts: SystemFacts): readonly Row[] {
  const { count, durationMs } = facts.ownLoad().inserts;
  if (count === 0) return [];
  const classification = { type: 'INSERT', labels: ['InsertFromValues'] };
  const node = { id: NODE_NAME, name: NODE_NAME };
  const mean = durationMs / count;
  return [[classification, null, null, mean, null, node, null, null, Math.round(durationMs), null, count]];
}

/** The tables of the schema, by full name. */
export const SYS_TABLES: readonly NamedDefinition[] = [
  ['sys.nodes', [NODE_TYPES, (facts) => [nodeRow(facts)]]],
  ['sys.cluster', [CLUSTER_COLUMNS, (facts) => [clusterRow(facts)]]],
  [
    'sys.cluster_health',
    [
      columns(
        ['description', TEXT],
        ['health', TEXT],
        ['missing_shards', BIGINT],
        ['pending_tasks', INTEGER],
        ['severity', BIGINT],
        ['underreplicated_shards', BIGINT],
      ),
      () => [['', 'GREEN', 0, 0, 1, 0]],
    ],
  ],
  ['sys.shards', [SHARD_COLUMNS, shardRows]],
  ['sys.health', [HEALTH_COLUMNS, healthRows]],
  ['sys.jobs', [JOB_COLUMNS, jobRows]],
  [
    'sys.jobs_log',
    [
      columns(
        ['ended', TIMESTAMPTZ],
        ['error', TEXT],
        ['id', TEXT],
        ['started', TIMESTAMPTZ],
        ['stmt', TEXT],
        ['username', TEXT],
      ),
      () => [],
    ],
  ],
  [
    'sys.jobs_metrics',
    [
      columns(
        ['classification', ANY_OBJECT],
        ['failed_count', BIGINT],
        ['max', BIGINT],
        ['mean', DOUBLE],
        ['min', BIGINT],
        ['node', ANY_OBJECT],
        ['percentiles', ANY_OBJECT],
        ['stdev', DOUBLE],
        ['sum_of_durations', BIGINT],
        ['total_affected_row_count', BIGINT],
        ['total_count', BIGINT],
      ),
      insertMetricsRows,
    ],
  ],
  [
    'sys.segments',
    [
      columns(
        ['num_docs', INTEGER],
        ['primary', BOOLEAN],
        ['size', BIGINT],
        ['table_name', TEXT],
        ['table_schema', TEXT],
      ),
      () => [],
    ],
  ],
  ['sys.checks', [CHECK_COLUMNS, () => []]],
  ['sys.node_checks', [CHECK_COLUMNS, () => []]],
  [
    'sys.allocations',
    [
      columns(
        ['current_state', TEXT],
        ['explanation', TEXT],
        ['primary', BOOLEAN],
        ['shard_id', INTEGER],
        ['table_name', TEXT],
        ['table_schema', TEXT],
      ),
      () => [],
    ],
  ],
  ['sys.privileges', [PRIVILEGE_COLUMNS, () => []]],
  ['sys.users', [USER_COLUMNS, (facts) => [[facts.environment.user, null, true]]]],
  ['sys.roles', [columns(['granted_roles', TEXTS], ['name', TEXT]), () => []]],
];
