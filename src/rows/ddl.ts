/** The statements that a schema becomes: CREATE TABLE and INSERT. Names are quoted; SQL inside is the author's. */
import { quoteColumnPath, quoteIdentifier, quoteLiteral, quoteTable } from '../base/sql.ts';
import type { TableName } from '../base/sql.ts';
import type { InsertForm, InsertPath } from './insert-form.ts';
import { pgParameter, statementOf, unnestPlaceholder } from './insert-form.ts';
import { insertedColumns } from './schema.ts';
import type { Column, ColumnType, SettingValue, TableSchema } from './schema.ts';

export interface CreateOptions {
  readonly table: TableName;
  /** Whether the table gets the schema's primary key. */
  readonly key: boolean;
  /** Null: the schema's own number, or the server's default. */
  readonly shards: number | null;
  readonly replicas: string | null;
  readonly ifNotExists: boolean;
}

/** One statement without its semicolon: the opening parenthesis ends its line, one column a line. */
export function createTableSql(schema: TableSchema, options: CreateOptions): string {
  const key = options.key ? schema.primaryKey : [];
  const items = [
    ...schema.columns.map(columnSql),
    ...schema.checks.map(({ name, sql }) => `CONSTRAINT ${quoteIdentifier(name)} CHECK (${sql})`),
    ...(key.length > 0 ? [`PRIMARY KEY (${key.map(quoteColumnPath).join(', ')})`] : []),
  ];
  const head = `CREATE TABLE ${options.ifNotExists ? 'IF NOT EXISTS ' : ''}${quoteTable(options.table)} (`;
  return [head, items.map((item) => `  ${item}`).join(',\n'), `)${placementSql(schema, options)}`].join('\n');
}

/** The same as people and files get it: ending in a semicolon. */
export function ddlText(schema: TableSchema, options: CreateOptions): string {
  return `${createTableSql(schema, options)};`;
}

export interface InsertOptions {
  /** The table's whole key: a row that is there already is left as it is. Empty or null: a plain INSERT. */
  readonly conflictColumns: readonly string[] | null;
  readonly path: InsertPath;
}

/**
 * `INSERT INTO "s"."t" ("a","b") VALUES (?,?) ON CONFLICT ("run_id","seq") DO NOTHING`, or what the path has in
 * the place of VALUES: `(SELECT * FROM UNNEST(?,?))`.
 */
export function insertForm(
  schema: TableSchema,
  table: TableName,
  { conflictColumns, path }: InsertOptions,
): InsertForm {
  const columns = insertedColumns(schema);
  const insert = `INSERT INTO ${quoteTable(table)} (${list(insertColumns(schema))})`;
  const conflict =
    conflictColumns === null || conflictColumns.length === 0
      ? ''
      : ` ON CONFLICT (${list(conflictColumns)}) DO NOTHING`;
  const head = `${insert} VALUES `;
  const rest = { tail: conflict, columns: columns.length };
  switch (path) {
    case 'bulk-args':
      return { path, head, row: `(${columns.map(() => '?').join(',')})`, ...rest };
    case 'values':
      return { path, table, head, row: `(${columns.map(() => '?').join(',')})`, ...rest };
    case 'unnest': {
      const row = `(SELECT * FROM UNNEST(${columns.map(({ type }) => unnestPlaceholder(type)).join(',')}))`;
      return { path, table, head: `${insert} `, row, ...rest };
    }
    case 'pg': {
      const row = `(${columns.map((_, index) => `$${index + 1}`).join(',')})`;
      return { path, table, head, row, ...rest, parameters: columns.map(({ type }) => pgParameter(type)) };
    }
  }
}

/** The INSERT as text, for one row. */
export function insertStatement(
  schema: TableSchema,
  table: TableName,
  options: Pick<InsertOptions, 'conflictColumns'> & Partial<InsertOptions>,
): string {
  return statementOf(insertForm(schema, table, { path: 'bulk-args', ...options }));
}

/** The names of the columns that the INSERT gives values for, in its order. */
export function insertColumns(schema: TableSchema): string[] {
  return insertedColumns(schema).map(({ name }) => name);
}

const list = (names: readonly string[]): string => names.map(quoteIdentifier).join(',');

/** A type as SQL: `NUMERIC(18, 4)`, `ARRAY(OBJECT(STRICT) AS ("k" TEXT))`. */
export function typeSql(type: ColumnType): string {
  switch (type.kind) {
    case 'double':
      return 'DOUBLE PRECISION';
    case 'timestamptz':
      return 'TIMESTAMP WITH TIME ZONE';
    case 'timestamp':
      return 'TIMESTAMP WITHOUT TIME ZONE';
    case 'numeric':
      return `NUMERIC(${type.precision}, ${type.scale})`;
    case 'varchar':
    case 'bit':
      return `${type.kind.toUpperCase()}(${type.length})`;
    case 'char':
      return `CHARACTER(${type.length})`;
    case 'float_vector':
      return `FLOAT_VECTOR(${type.dimensions})`;
    case 'array':
      return `ARRAY(${typeSql(type.of)})`;
    case 'object': {
      const policy = `OBJECT(${type.policy.toUpperCase()})`;
      return type.columns.length === 0 ? policy : `${policy} AS (${type.columns.map(columnSql).join(', ')})`;
    }
    default:
      return type.kind.toUpperCase();
  }
}

function columnSql(column: Column): string {
  const parts = [quoteIdentifier(column.name), typeSql(column.type)];
  if (column.default !== undefined) parts.push(`DEFAULT ${column.default}`);
  if (column.generatedAs !== undefined) parts.push(`GENERATED ALWAYS AS (${column.generatedAs})`);
  if (column.notNull === true) parts.push('NOT NULL');
  if (column.index?.kind === 'off') parts.push('INDEX OFF');
  if (column.index?.kind === 'fulltext') {
    parts.push(`INDEX USING FULLTEXT WITH (analyzer = ${quoteLiteral(column.index.analyzer)})`);
  }
  if (column.columnStore === false) parts.push('STORAGE WITH (columnstore = false)');
  return parts.join(' ');
}

/** What stands behind the columns: routing, shards, partitions, settings. */
function placementSql(schema: TableSchema, options: CreateOptions): string {
  const routing = schema.clusteredBy === null ? '' : ` BY (${quoteColumnPath(schema.clusteredBy)})`;
  const count = options.shards ?? schema.shards;
  const shards = count === undefined ? '' : ` INTO ${count} SHARDS`;
  const partitions = schema.partitionedBy.map(quoteColumnPath).join(', ');
  const settings = Object.entries(schema.settings);
  if (options.replicas !== null) {
    const others = settings.filter(([name]) => name !== 'number_of_replicas');
    settings.splice(0, settings.length, ...others, ['number_of_replicas', options.replicas]);
  }
  return [
    routing === '' && shards === '' ? '' : ` CLUSTERED${routing}${shards}`,
    partitions === '' ? '' : ` PARTITIONED BY (${partitions})`,
    settings.length === 0 ? '' : ` WITH (${settings.map(settingSql).join(', ')})`,
  ].join('');
}

function settingSql([name, value]: readonly [string, SettingValue]): string {
  return `${quoteIdentifier(name)} = ${typeof value === 'string' ? quoteLiteral(value) : String(value)}`;
}
