/** `sys`, `information_schema` and `pg_catalog`: what a single healthy node would answer about itself. */
import { getHeapStatistics } from 'node:v8';
import { clusteredBy } from './format.ts';
import { isOn, type Catalog, type Column, type Table } from './catalog.ts';
import { formatExpression } from './format.ts';
import { valueText } from '../values/java-text.ts';
import { schemaUnknown } from '../failure.ts';
import type { Situation } from '../faults.ts';
import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { SERVER_VERSION, type Environment } from './functions.ts';
import type { OwnLoad } from '../own-load.ts';
import { relationOfRows, type NamedType, type Relation } from './select.ts';
import { rowsOf, type Store } from './store.ts';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  TEXT,
  TIMESTAMPTZ,
  arrayOf,
  baseName,
  objectOf,
  type DataType,
} from '../values/types.ts';
import type { Row } from '../values/operations.ts';

export interface SystemFacts {
  readonly catalog: Catalog;
  readonly store: Store;
  readonly environment: Environment;
  /** `host:port` of the endpoint. */
  readonly address: () => string;
  /** The statement that is being run. */
  readonly statement: string;
  readonly startedMs: number;
  readonly situation: Situation;
  readonly ownLoad: () => OwnLoad;
}

export const CLUSTER_NAME = 'crategen-sandbox';
export const NODE_NAME = 'sandbox';

type Definition = readonly [columns: readonly NamedType[], rows: (facts: SystemFacts) => readonly Row[]];

/** The system table of that name, or null. */
export function systemTable(schema: string, name: string, facts: SystemFacts): Relation | null {
  if (schema === 'sys' && facts.situation.hidesSystem) throw schemaUnknown(schema);
  const definition = TABLES.get(`${schema}.${name}`);
  return definition === undefined ? null : relationOfRows(name, definition[0], () => definition[1](facts));
}

/** The names of a schema's system tables. */
export function systemTableNames(): readonly (readonly [schema: string, name: string])[] {
  return [...TABLES.keys()].map((key) => {
    const [schema = '', name = ''] = key.split('.');
    return [schema, name];
  });
}

function columns(...pairs: readonly (readonly [string, DataType])[]): readonly NamedType[] {
  return pairs.map(([name, type]) => ({ name, type }));
}

const ANY_OBJECT = objectOf('ignored');
const TEXTS = arrayOf(TEXT);
const REAL: DataType = { kind: 'real' };

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

function setPath(target: Record<string, Json>, path: readonly string[], value: Json): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const child: Record<string, Json> = { ...asObject(target[first] ?? null) };
  setPath(child, rest, value);
  target[first] = child;
}

function asObject(value: Json): JsonObject {
  return isJsonObject(value) ? value : {};
}

interface ShardFacts {
  readonly table: Table;
  readonly partition: readonly Json[] | null;
  readonly ident: string;
}

/** One entry a table, or one a partition. */
function shardGroups(facts: SystemFacts): readonly ShardFacts[] {
  return facts.catalog.tables().flatMap((table): readonly ShardFacts[] => {
    if (table.partitionedBy.length === 0) return [{ table, partition: null, ident: '' }];
    return [...table.partitions].map(([ident, partition]) => ({
      table,
      partition: partition.values,
      ident: identOf(ident),
    }));
  });
}

/** A short name of a partition: here its values in hexadecimal, which is unique and stable. */
function identOf(values: string): string {
  return Buffer.from(values).toString('hex');
}

function countRows(facts: SystemFacts, group: ShardFacts): number {
  const { table, partition } = group;
  const cells =
    partition === null
      ? []
      : table.partitionedBy.map(
          (name) => table.columns.find((column) => column.name === name)?.cell ?? 'rowid',
        );
  const where = cells.length === 0 ? '' : ` WHERE ${cells.map((cell) => `${cell} IS ?`).join(' AND ')}`;
  const values = (partition ?? []).map((value) =>
    typeof value === 'boolean' ? Number(value) : typeof value === 'object' ? null : value,
  );
  return Number(
    facts.store.prepare(`SELECT count(*) AS n FROM ${rowsOf(table)}${where}`).get(...values)?.['n'] ?? 0,
  );
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

const TABLE_COLUMNS = columns(
  ['blobs_path', TEXT],
  ['closed', BOOLEAN],
  ['clustered_by', TEXT],
  ['column_policy', TEXT],
  ['number_of_replicas', TEXT],
  ['number_of_shards', INTEGER],
  ['partitioned_by', TEXTS],
  ['reference_generation', TEXT],
  ['routing_hash_function', TEXT],
  ['self_referencing_column_name', TEXT],
  ['settings', ANY_OBJECT],
  ['table_catalog', TEXT],
  ['table_name', TEXT],
  ['table_schema', TEXT],
  ['table_type', TEXT],
  [
    'version',
    objectOf('ignored', [
      ['created', TEXT],
      ['upgraded', TEXT],
    ]),
  ],
);

function tableRows(facts: SystemFacts): readonly Row[] {
  const system = systemTableNames().map(([schema, name]): Row => {
    return [
      null,
      null,
      null,
      'strict',
      '0',
      null,
      null,
      'SYSTEM GENERATED',
      null,
      null,
      null,
      'crate',
      name,
      schema,
      'BASE TABLE',
      null,
    ];
  });
  return [...system, ...facts.catalog.tables().map(tableRow)];
}

function tableRow(table: Table): Row {
  const partitioned = table.partitionedBy.length === 0 ? null : table.partitionedBy;
  return [
    null,
    table.closed,
    clusteredBy(table),
    valueText(table.options.get('column_policy') ?? 'strict'),
    replicasOf(table),
    table.shards,
    partitioned,
    'SYSTEM GENERATED',
    'Murmur3',
    '_id',
    settingsOf(table),
    'crate',
    table.name,
    table.schema,
    'BASE TABLE',
    { created: SERVER_VERSION, upgraded: null },
  ];
}

function replicasOf(table: Table): string {
  return valueText(table.options.get('number_of_replicas') ?? '0-1');
}

function settingsOf(table: Table): Json {
  const blocks = ['metadata', 'read', 'read_only_allow_delete', 'read_only', 'write'];
  const settings: Record<string, Json> = {
    blocks: Object.fromEntries(blocks.map((name) => [name, isOn(table.options, `blocks.${name}`)])),
    codec: 'default',
    mapping: { total_fields: { limit: 1000 }, depth: { limit: 100 } },
    refresh_interval: 1000,
    translog: { flush_threshold_size: 536_870_912, sync_interval: 5000, durability: 'REQUEST' },
    write: { wait_for_active_shards: '1' },
  };
  for (const [name, value] of table.options) {
    if (name !== 'column_policy' && name !== 'number_of_replicas') setPath(settings, name.split('.'), value);
  }
  return settings;
}

const COLUMN_COLUMNS = columns(
  ['character_maximum_length', INTEGER],
  ['column_default', TEXT],
  [
    'column_details',
    objectOf('ignored', [
      ['name', TEXT],
      ['path', TEXTS],
      ['policy', TEXT],
    ]),
  ],
  ['column_name', TEXT],
  ['data_type', TEXT],
  ['generation_expression', TEXT],
  ['is_generated', TEXT],
  ['is_nullable', TEXT],
  ['numeric_precision', INTEGER],
  ['numeric_scale', INTEGER],
  ['ordinal_position', INTEGER],
  ['table_catalog', TEXT],
  ['table_name', TEXT],
  ['table_schema', TEXT],
  ['udt_name', TEXT],
);

function columnRows(facts: SystemFacts): readonly Row[] {
  return facts.catalog.tables().flatMap((table) => {
    const rows: Row[] = [];
    for (const column of table.columns)
      rows.push(...columnTree(table, column, column.type, [], rows.length + 1));
    return rows;
  });
}

/** A column and the columns inside it, in order. */
function columnTree(
  table: Table,
  column: Column,
  type: DataType,
  path: readonly string[],
  position: number,
): readonly Row[] {
  const isRoot = path.length === 0;
  const name = path.reduce((base, part) => `${base}['${part}']`, column.name);
  const [defaultValue, generated] = isRoot ? [column.defaultValue, column.generated] : [null, null];
  const inner = type.kind === 'array' ? type.element : type;
  const policy = inner.kind === 'object' ? inner.policy : 'strict';
  const self: Row = [
    lengthOf(type),
    defaultValue === null ? null : formatExpression(defaultValue, 'answer'),
    { name: column.name, path, policy },
    name,
    baseName(type),
    generated === null ? null : formatExpression(generated, 'answer'),
    generated === null ? 'NEVER' : 'ALWAYS',
    isRoot && column.notNull ? 'NO' : 'YES',
    precisionOf(type),
    null,
    position,
    'crate',
    table.name,
    table.schema,
    baseName(type),
  ];
  const rows: Row[] = [self];
  if (inner.kind === 'object') {
    for (const [key, field] of inner.fields)
      rows.push(...columnTree(table, column, field.type, [...path, key], position + rows.length));
  }
  return rows;
}

function lengthOf(type: DataType): number | null {
  if (type.kind === 'text' || type.kind === 'character' || type.kind === 'bit') return type.length;
  return type.kind === 'float_vector' ? type.dimensions : null;
}

const BINARY_PRECISION: Readonly<Record<string, number>> = {
  byte: 8,
  smallint: 16,
  integer: 32,
  bigint: 64,
  real: 24,
  double: 53,
};

function precisionOf(type: DataType): number | null {
  return type.kind === 'numeric' ? type.precision : (BINARY_PRECISION[type.kind] ?? null);
}

const KEY_COLUMNS = columns(
  ['column_name', TEXT],
  ['constraint_catalog', TEXT],
  ['constraint_name', TEXT],
  ['constraint_schema', TEXT],
  ['ordinal_position', INTEGER],
  ['table_catalog', TEXT],
  ['table_name', TEXT],
  ['table_schema', TEXT],
);

function keyRows(facts: SystemFacts): readonly Row[] {
  return facts.catalog
    .tables()
    .flatMap((table) =>
      table.primaryKey.map((name, at): Row => [
        name,
        'crate',
        keyName(table),
        table.schema,
        at + 1,
        'crate',
        table.name,
        table.schema,
      ]),
    );
}

function keyName(table: Table): string {
  return table.primaryKeyName ?? `${table.name}_pkey`;
}

const CONSTRAINT_COLUMNS = columns(
  ['constraint_catalog', TEXT],
  ['constraint_name', TEXT],
  ['constraint_schema', TEXT],
  ['constraint_type', TEXT],
  ['table_catalog', TEXT],
  ['table_name', TEXT],
  ['table_schema', TEXT],
);

function constraintRows(facts: SystemFacts): readonly Row[] {
  return facts.catalog.tables().flatMap((table) => {
    const row = (name: string, type: string): Row => [
      'crate',
      name,
      table.schema,
      type,
      'crate',
      table.name,
      table.schema,
    ];
    const keys = table.primaryKey.length > 0 ? [row(keyName(table), 'PRIMARY KEY')] : [];
    const notNull = table.columns
      .filter((column) => column.notNull)
      .map((column) => row(`${table.schema}_${table.name}_${column.name}_not_null`, 'CHECK'));
    return [...keys, ...table.checks.map((check) => row(check.name, 'CHECK')), ...notNull];
  });
}

const PARTITION_COLUMNS = columns(
  ['closed', BOOLEAN],
  ['column_policy', TEXT],
  ['number_of_replicas', TEXT],
  ['number_of_shards', INTEGER],
  ['partition_ident', TEXT],
  ['settings', ANY_OBJECT],
  ['table_name', TEXT],
  ['table_schema', TEXT],
  ['values', ANY_OBJECT],
);

function partitionRows(facts: SystemFacts): readonly Row[] {
  return shardGroups(facts).flatMap(({ table, partition, ident }): readonly Row[] => {
    if (partition === null) return [];
    const values = Object.fromEntries(table.partitionedBy.map((name, at) => [name, partition[at] ?? null]));
    return [
      [
        table.closed,
        'strict',
        replicasOf(table),
        table.shards,
        ident,
        settingsOf(table),
        table.name,
        table.schema,
        values,
      ],
    ];
  });
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

const TABLES: ReadonlyMap<string, Definition> = new Map<string, Definition>([
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
  ['information_schema.tables', [TABLE_COLUMNS, tableRows]],
  ['information_schema.columns', [COLUMN_COLUMNS, columnRows]],
  ['information_schema.key_column_usage', [KEY_COLUMNS, keyRows]],
  ['information_schema.table_constraints', [CONSTRAINT_COLUMNS, constraintRows]],
  ['information_schema.table_partitions', [PARTITION_COLUMNS, partitionRows]],
  [
    'information_schema.schemata',
    [columns(['schema_name', TEXT]), (facts) => facts.catalog.schemas().map((name): Row => [name])],
  ],
  [
    'pg_catalog.pg_class',
    [
      columns(['relname', TEXT], ['reltuples', REAL]),
      (facts) => facts.catalog.tables().map((table): Row => [table.name, countTable(facts, table)]),
    ],
  ],
  [
    'pg_catalog.pg_stats',
    [
      columns(
        ['attname', TEXT],
        ['schemaname', TEXT],
        ['tablename', TEXT],
        ['null_frac', REAL],
        ['n_distinct', REAL],
        ['most_common_vals', TEXTS],
        ['most_common_freqs', arrayOf(REAL)],
        ['histogram_bounds', TEXTS],
      ),
      (facts) => facts.catalog.tables().flatMap(({ statistics }) => statistics),
    ],
  ],
]);

/** The one class of jobs that is counted here. Percentiles are not kept. */
function insertMetricsRows(facts: SystemFacts): readonly Row[] {
  const { count, durationMs } = facts.ownLoad().inserts;
  if (count === 0) return [];
  const classification = { type: 'INSERT', labels: ['InsertFromValues'] };
  const node = { id: NODE_NAME, name: NODE_NAME };
  const mean = durationMs / count;
  return [[classification, null, null, mean, null, node, null, null, Math.round(durationMs), null, count]];
}

function countTable(facts: SystemFacts, table: Table): number {
  return countRows(facts, { table, partition: null, ident: '' });
}
