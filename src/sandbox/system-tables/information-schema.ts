/** `information_schema`: tables, columns and keys as the statements that made them say. */
import { clusteredBy } from '../engine/format.ts';
import { isOn, type Column, type Table } from '../engine/catalog.ts';
import { formatExpression } from '../engine/format.ts';
import { valueText } from '../values/java-text.ts';
import type { Json } from '../values/json.ts';
import { SERVER_VERSION } from '../engine/functions.ts';
import { BOOLEAN, INTEGER, TEXT, baseName, objectOf, type DataType } from '../values/types.ts';
import type { Row } from '../values/operations.ts';
import { ANY_OBJECT, TEXTS, columns, setPath, type NamedDefinition, type SystemFacts } from './definition.ts';
import { shardGroups } from './shard-groups.ts';

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

function tableRows(facts: SystemFacts, systemTables: readonly string[]): readonly Row[] {
  const system = systemTables.map((fullName): Row => {
    const [schema = '', name = ''] = fullName.split('.');
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

/** The tables of the schema, by full name; `systemTables` gives the full names of all system tables. */
export function informationSchemaTables(systemTables: () => readonly string[]): readonly NamedDefinition[] {
  return [
    ['information_schema.tables', [TABLE_COLUMNS, (facts) => tableRows(facts, systemTables())]],
    ['information_schema.columns', [COLUMN_COLUMNS, columnRows]],
    ['information_schema.key_column_usage', [KEY_COLUMNS, keyRows]],
    ['information_schema.table_constraints', [CONSTRAINT_COLUMNS, constraintRows]],
    ['information_schema.table_partitions', [PARTITION_COLUMNS, partitionRows]],
    [
      'information_schema.schemata',
      [columns(['schema_name', TEXT]), (facts) => facts.catalog.schemas().map((name): Row => [name])],
    ],
  ];
}
