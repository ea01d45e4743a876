/** What the sandbox knows of schemas and tables, and the statements that change it. */
import type {
  CheckDefinition,
  ColumnDefinition,
  CreateTable,
  Expression,
  Options,
  RelationRef,
} from '../sql/ast.ts';
import {
  BLOCKS,
  SqlFailure,
  invalid,
  relationUnknown,
  schemaUnknown,
  unsupported,
  type Block,
} from '../failure.ts';
import { JavaDouble, type Json } from '../values/json.ts';
import { checkKey } from '../values/shard-checks.ts';
import { UNDEFINED, type DataType } from '../values/types.ts';

export interface Column {
  readonly name: string;
  /** The objects inside may learn fields. */
  readonly type: DataType;
  readonly notNull: boolean;
  readonly defaultValue: Expression | null;
  readonly generated: Expression | null;
  readonly index: ColumnDefinition['index'];
  readonly storage: Options | null;
  /** SQLite's name of it. */
  readonly cell: string;
  readonly position: number;
}

export interface Check {
  readonly name: string;
  readonly expression: Expression;
}

export interface Partition {
  /** Values of the partition columns, in their order. */
  readonly values: readonly Json[];
  readonly options: Map<string, Json>;
}

export interface Table {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: Column[];
  readonly primaryKey: readonly string[];
  readonly primaryKeyName: string | null;
  readonly checks: readonly Check[];
  /** Null: by the primary key or at random. */
  readonly clusteredBy: string | null;
  readonly shards: number;
  readonly partitionedBy: readonly string[];
  /** Settings of WITH and ALTER TABLE … SET, as they were given. */
  readonly options: Map<string, Json>;
  /** By the JSON text of their values. */
  readonly partitions: Map<string, Partition>;
  closed: boolean;
  /** Rows of pg_stats as the last ANALYZE found them. */
  statistics: readonly (readonly Json[])[];
}

/** CrateDB's default on one node. */
const DEFAULT_SHARDS = 4;
const DEFAULT_COLUMN_LIMIT = 1000;
const DEFAULT_SHARD_LIMIT = 1000;
const MAX_NAME_BYTES = 255;

export const SYSTEM_SCHEMAS: readonly string[] = ['sys', 'information_schema', 'pg_catalog', 'blob'];

const SYSTEM_COLUMNS: ReadonlySet<string> = new Set([
  '_version',
  '_score',
  '_uid',
  '_id',
  '_raw',
  '_doc',
  '_docid',
  '_fetchid',
  '_seq_no',
  '_primary_term',
  '_tableoid',
]);

export class Catalog {
  readonly #tables = new Map<string, Table>();
  readonly #schemas = new Set<string>(['doc']);
  readonly globals = new Map<string, Json>();
  #lastId = 0;
  /** Grows with every change, so that compiled statements know when they are stale. */
  version = 0;

  tables(): readonly Table[] {
    return [...this.#tables.values()];
  }

  schemas(): readonly string[] {
    return [...new Set([...SYSTEM_SCHEMAS, ...this.#schemas])].sort();
  }

  find(schema: string, name: string): Table | null {
    return this.#tables.get(key(schema, name)) ?? null;
  }

  /** Throws 4045 for an unknown schema, 4041 for an unknown table. */
  get(schema: string, name: string): Table {
    const table = this.find(schema, name);
    if (table !== null) return table;
    if (!this.#schemas.has(schema) && !SYSTEM_SCHEMAS.includes(schema)) throw schemaUnknown(schema);
    throw relationUnknown(`${schema}.${name}`);
  }

  /** The table that a statement names; throws as `get` does. */
  named(relation: RelationRef, sessionSchema: string): Table {
    const { schema, name } = relationName(relation, sessionSchema);
    return this.get(schema, name);
  }

  hasSchema(name: string): boolean {
    return this.#schemas.has(name) || SYSTEM_SCHEMAS.includes(name);
  }

  addSchema(name: string): void {
    this.#schemas.add(name);
    this.version += 1;
  }

  dropSchema(name: string): void {
    this.#schemas.delete(name);
    this.version += 1;
  }

  /** The table of a CREATE TABLE, added. `id` is given when it is read back from a file. */
  create(statement: CreateTable, schema: string, id = this.#lastId + 1): Table {
    checkName(schema, 'schema');
    checkName(statement.relation.name, 'table');
    const table = tableOf(statement, schema, id);
    const added = table.partitionedBy.length > 0 ? 0 : table.shards;
    this.checkShardLimit(added);
    this.#lastId = Math.max(this.#lastId, id);
    this.#schemas.add(schema);
    this.#tables.set(key(schema, table.name), table);
    this.version += 1;
    return table;
  }

  drop(table: Table): void {
    this.#tables.delete(key(table.schema, table.name));
    this.version += 1;
  }

  rename(table: Table, schema: string, name: string): Table {
    this.drop(table);
    const renamed = { ...table, schema, name };
    this.#tables.set(key(schema, name), renamed);
    this.version += 1;
    return renamed;
  }

  replace(table: Table, change: Partial<Table>): Table {
    const changed = { ...table, ...change };
    this.#tables.set(key(table.schema, table.name), changed);
    this.version += 1;
    return changed;
  }

  openShards(): number {
    let open = 0;
    for (const table of this.#tables.values()) {
      if (!table.closed) open += table.shards * (table.partitionedBy.length > 0 ? table.partitions.size : 1);
    }
    return open;
  }

  /** Throws as the master does when a statement would open too many shards. */
  checkShardLimit(added: number): void {
    const limit = Number(this.globals.get('cluster.max_shards_per_node') ?? DEFAULT_SHARD_LIMIT);
    const open = this.openShards();
    if (added === 0 || open + added <= limit) return;
    throw invalid(
      `Validation Failed: 1: this action would add [${added}] total shards, ` +
        `but this cluster currently has [${open}]/[${limit}] maximum shards open;`,
    );
  }
}

function key(schema: string, name: string): string {
  return `${schema}\0${name}`;
}

export function fullName(table: { readonly schema: string; readonly name: string }): string {
  return `${table.schema}.${table.name}`;
}

function checkName(name: string, kind: 'schema' | 'table'): void {
  if (kind === 'schema' && SYSTEM_SCHEMAS.includes(name)) {
    throw invalid(`Cannot create relation in read-only schema: ${name}`);
  }
  const isValid = !/[\\/*?"<>|\s,#.]/.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES && name !== '';
  if (isValid) return;
  if (kind === 'schema')
    throw new SqlFailure(400, 4002, `InvalidSchemaNameException[schema name "${name}" is invalid.]`);
  throw new SqlFailure(400, 4002, `InvalidRelationName[Relation name '${name}' is invalid.]`);
}

function tableOf(statement: CreateTable, schema: string, id: number): Table {
  const name = statement.relation.name;
  const keys = new Set([...statement.primaryKey]);
  const columns = statement.columns.map((definition, index) =>
    columnOf(definition, keys.has(definition.name), index + 1),
  );
  const checks = [
    ...statement.columns.flatMap((column) => checksOf(column, schema, name)),
    ...statement.checks,
  ];
  checkDefinition(statement);
  for (const column of [
    ...statement.primaryKey,
    ...statement.partitionedBy,
    statement.clusteredBy ?? '_id',
  ]) {
    const known =
      column === '_id' || columns.some((candidate) => candidate.name === column.replace(/\[.*$/, ''));
    if (!known) throw new SqlFailure(404, 4043, `ColumnUnknownException[Column ${column} unknown]`);
  }
  const shards = statement.shards === null ? DEFAULT_SHARDS : Number(constantOf(statement.shards));
  if (!(shards >= 1)) throw invalid('num_shards in CLUSTERED clause must be greater than 0');
  return {
    id,
    schema,
    name,
    columns,
    shards,
    primaryKey: statement.primaryKey,
    primaryKeyName: statement.primaryKeyName,
    checks: checks.map((check) => ({
      name: check.name ?? generatedName(schema, name, null),
      expression: check.expression,
    })),
    clusteredBy: statement.clusteredBy,
    partitionedBy: statement.partitionedBy,
    options: new Map(statement.options.map(([option, value]) => [option, constantOf(value)])),
    partitions: new Map(),
    closed: false,
    statistics: [],
  };
}

/** What the analyzer refuses in a CREATE TABLE, beside unknown names. */
function checkDefinition(statement: CreateTable): void {
  const names = statement.columns.map((column) => column.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw invalid(`column "${twice}" specified more than once`);
  const { primaryKey, clusteredBy, partitionedBy } = statement;
  if (primaryKey.length > 0 && clusteredBy !== null && !primaryKey.includes(clusteredBy)) {
    throw invalid(
      `Clustered by column \`${clusteredBy}\` must be part of primary keys: [${primaryKey.join(', ')}]`,
    );
  }
  const loose = primaryKey.length > 0 ? partitionedBy.find((name) => !primaryKey.includes(name)) : undefined;
  if (loose !== undefined) {
    throw invalid(
      `Cannot use non primary key column '${loose}' in PARTITIONED BY clause if primary key is set on table`,
    );
  }
  for (const { type } of statement.columns) {
    if (type.kind === 'numeric' && type.precision === null) {
      throw unsupported('NUMERIC storage is only supported if precision and scale are specified');
    }
  }
  checkOptions(statement.options.map(([name]) => name));
}

/** Settings of a table, whole or by their beginning. */
const KNOWN_OPTIONS =
  /^(number_of_replicas|refresh_interval|column_policy|codec|max_ngram_diff|max_shingle_diff|number_of_routing_shards|(translog|mapping|write|blocks|routing|unassigned|store|soft_deletes|merge|warmer|allocation)\..+)$/;

/** Throws for a setting that no table has. */
export function checkOptions(names: readonly string[]): void {
  const unknown = names.find((name) => !KNOWN_OPTIONS.test(name));
  if (unknown !== undefined)
    throw invalid(`Invalid property "${unknown}" passed to [ALTER | CREATE] TABLE statement`);
}

function checksOf(column: ColumnDefinition, schema: string, table: string): readonly CheckDefinition[] {
  return column.checks.map((check) => ({
    ...check,
    name: check.name ?? generatedName(schema, table, column.name),
  }));
}

const NAME_DIGITS = 12;

/** As the server does: the place of the constraint and something random. */
function generatedName(schema: string, table: string, column: string | null): string {
  const random = Math.random()
    .toString(16)
    .slice(2, 2 + NAME_DIGITS)
    .padEnd(NAME_DIGITS, '0');
  return [schema, table, column, 'check', random].filter((part) => part !== null).join('_');
}

export function columnOf(definition: ColumnDefinition, isKey: boolean, position: number): Column {
  checkKey(definition.name);
  if (SYSTEM_COLUMNS.has(definition.name)) {
    throw new SqlFailure(
      400,
      4008,
      `InvalidColumnNameException["${definition.name}" conflicts with system column]`,
    );
  }
  return {
    name: definition.name,
    type: definition.type,
    notNull: definition.notNull || isKey,
    defaultValue: definition.defaultValue,
    generated: definition.generated,
    index: definition.index,
    storage: definition.storage,
    cell: `c${position}`,
    position,
  };
}

export function isSystemColumn(name: string): boolean {
  return SYSTEM_COLUMNS.has(name);
}

/** The value of a setting: literals, lists of them and negative numbers. */
export function constantOf(expression: Expression): Json {
  switch (expression.kind) {
    case 'literal':
      return expression.value instanceof JavaDouble ? expression.value.value : expression.value;
    case 'array':
      return expression.items.map(constantOf);
    case 'column':
      return expression.name;
    case 'negate':
      return -Number(constantOf(expression.operand));
    case 'cast':
      return constantOf(expression.operand);
    default:
      throw invalid(`Cannot use a ${expression.kind} expression as a setting`);
  }
}

/** Number of columns with all sub-columns, as the column limit counts them. */
export function countColumns(table: Table): number {
  return table.columns.reduce((sum, column) => sum + 1 + countFields(column.type), 0);
}

function countFields(type: DataType): number {
  if (type.kind === 'array') return countFields(type.element);
  if (type.kind !== 'object') return 0;
  let sum = 0;
  for (const field of type.fields.values()) sum += 1 + countFields(field.type);
  return sum;
}

/** Throws when one more column would pass the table's limit. */
export function checkColumnLimit(table: Table): void {
  const limit = Number(table.options.get('mapping.total_fields.limit') ?? DEFAULT_COLUMN_LIMIT);
  if (countColumns(table) + 1 > limit) {
    throw invalid(`Limit of total columns [${limit}] in table [${fullName(table)}] exceeded`);
  }
}

export function isOn(options: ReadonlyMap<string, Json>, name: string): boolean {
  const value = options.get(name);
  return value === true || value === 'true';
}

/** The block that refuses writes while they run, if any. */
export function writeBlock(options: ReadonlyMap<string, Json>): Block | null {
  if (isOn(options, 'blocks.read_only_allow_delete')) return BLOCKS.readOnlyAllowDelete;
  if (isOn(options, 'blocks.read_only')) return BLOCKS.readOnly;
  return isOn(options, 'blocks.write') ? BLOCKS.write : null;
}

export function findColumn(table: Table, name: string): Column | null {
  return table.columns.find((column) => column.name === name) ?? null;
}

/** The type at the end of `column['a']['b']`; undefined where no such field is known. */
export function fieldType(type: DataType, path: readonly string[]): DataType {
  const [first, ...rest] = path;
  if (first === undefined) return type;
  if (type.kind === 'array') {
    const inner = fieldType(type.element, path);
    return inner.kind === 'undefined' ? UNDEFINED : { kind: 'array', element: inner };
  }
  if (type.kind !== 'object') return UNDEFINED;
  const field = type.fields.get(first);
  return field === undefined ? UNDEFINED : fieldType(field.type, rest);
}

export function relationName(
  relation: RelationRef,
  sessionSchema: string,
): { readonly schema: string; readonly name: string } {
  return { schema: relation.schema ?? sessionSchema, name: relation.name };
}
