/**
 * INSERT as CrateDB does it: all values are cast first and one that cannot be refuses the request; then each row is
 * checked and stored for itself, and what fails there costs that row only.
 */
import type { StatementSync } from 'node:sqlite';
import type { ConflictAction, Expression, Insert } from '../sql/ast.ts';
import { castFailure, compileCast, type Cast } from '../values/casts.ts';
import {
  checkColumnLimit,
  findColumn,
  fullName,
  isOn,
  isSystemColumn,
  writeBlock,
  type Catalog,
  type Check,
  type Column,
  type Table,
} from './catalog.ts';
import { compileExpression, missingParameter, type CompileContext, type Scope } from './expressions.ts';
import {
  NeverAnswered,
  SqlFailure,
  blocked,
  columnUnknown,
  duplicateKey,
  inaccessible,
  invalid,
  type Block,
} from '../failure.ts';
import { formatExpression, quoted } from './format.ts';
import type { Environment } from './functions.ts';
import { valueText } from '../values/java-text.ts';
import type { Json } from '../values/json.ts';
import { answerText, compileEncode, decodeCell, type Cell } from '../values/cells.ts';
import { compileCheck, learnColumns } from '../values/shard-checks.ts';
import { keyCells, rowsOf, type Store } from './store.ts';
import { guessType, isConvertible, typeName, type DataType } from '../values/types.ts';
import { asParameter, compareValues, convert, type Compiled } from '../values/operations.ts';

/** What became of one row. */
export type RowResult = 'stored' | 'ignored' | SqlFailure;

/** One element of a bulk: how many rows it stored, or why one of them was not. */
export interface ElementResult {
  readonly rowcount: number;
  readonly failure: SqlFailure | null;
}

/** Row-level failures that a shard explains; the others of it are bare. */
const EXPLAINED_PER_SHARD = 10;

/** How one column of the row that is stored gets its value. */
type Origin =
  | { readonly kind: 'param'; readonly index: number }
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'default'; readonly expression: Expression | null };

interface Target {
  readonly column: Column;
  readonly cast: Cast;
  readonly check: ((value: Json) => Json) | null;
  readonly encode: (value: Json) => Cell;
  /** Null for columns that only defaults and generated expressions fill. */
  readonly given: boolean;
}

interface GivenGenerated {
  readonly at: number;
  readonly target: Target;
  readonly expression: Expression;
  readonly compiled: Compiled;
}

interface CompiledCheck extends Check {
  readonly compiled: Compiled;
}

/** With more failing rows of one shard a statement of several VALUES gets no answer; here a table is one shard. */
const MAX_ANSWERED_FAILURES = 10;

/** What all rows of one request share once they are being stored. */
interface ShardWork {
  readonly environment: Environment;
  readonly block: Block | null;
  readonly checks: readonly CompiledCheck[];
  readonly generated: readonly GivenGenerated[];
  readonly insert: StatementSync;
}

interface PendingRow {
  readonly element: number;
  readonly values: Json[];
  readonly partition: string | null;
}

export interface InsertTools {
  readonly catalog: Catalog;
  readonly store: Store;
  /** A block over every table, as when the disk is full. */
  readonly globalBlock: () => Block | null;
  readonly context: (scope: Scope, params: readonly Json[], environment: Environment) => CompileContext;
}

/** A compiled INSERT … VALUES into one table; stale as soon as the catalog changes. */
export class InsertPlan {
  readonly table: Table;
  readonly #tools: InsertTools;
  readonly #targets: readonly Target[];
  readonly #rows: readonly (readonly Origin[])[];
  readonly #conflict: ConflictAction | null;
  readonly #sql: string;
  readonly #keyPositions: readonly number[];
  readonly #hasComputed: boolean;
  readonly #hasNested: boolean;
  /** A NOT NULL column that this statement leaves out. */
  readonly #unfilled: Column | null;

  constructor(statement: Insert, table: Table, tools: InsertTools) {
    this.table = table;
    this.#tools = tools;
    this.#conflict = statement.conflict;
    checkConflictTarget(statement.conflict, table);
    const names =
      statement.columns.length > 0 ? statement.columns : table.columns.map((column) => column.name);
    const used = names.map((name) => targetColumn(table, name));
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) throw invalid(`column "${twice}" specified more than once`);
    const computed = table.columns.filter(
      (column) => !used.includes(column) && (column.defaultValue ?? column.generated) !== null,
    );
    this.#targets = [
      ...used.map((column) => targetOf(column, true)),
      ...computed.map((column) => targetOf(column, false)),
    ];
    this.#rows =
      statement.source.kind === 'values' ? statement.source.rows.map((row) => originsOf(row, used)) : [];
    this.#hasComputed = this.#targets.some((target) => !target.given || target.column.generated !== null);
    this.#hasNested = used.some((column) => column.type.kind === 'object' || column.type.kind === 'array');
    this.#unfilled =
      table.columns.find(
        (column) => column.notNull && !this.#targets.some((target) => target.column === column),
      ) ?? null;
    this.#keyPositions = table.primaryKey.map((name) => this.#positionOfKey(name));
    const cells = this.#targets.map((target) => target.column.cell);
    this.#sql = `INSERT OR IGNORE INTO ${rowsOf(table)} (${cells.join(', ')}) VALUES (${cells.map(() => '?').join(', ')})`;
  }

  #positionOfKey(name: string): number {
    const at = this.#targets.findIndex((target) => target.column.name === name.replace(/\[.*$/, ''));
    if (at === -1) throw invalid(`Column "${name}" is required but is missing from the insert statement`);
    return at;
  }

  /** Throws what refuses the request as a whole. */
  runBulk(argumentRows: readonly (readonly Json[])[], environment: Environment): readonly ElementResult[] {
    this.#checkRelation();
    const pending: PendingRow[] = [];
    argumentRows.forEach((params, element) => {
      for (const origins of this.#rows) pending.push(this.#prepare(origins, params, element, environment));
    });
    return this.#elements(argumentRows.length, this.#store(pending, environment));
  }

  /** The single path: parameters are typed by themselves first. Gives the number of rows stored. */
  runSingle(params: readonly Json[], environment: Environment): number {
    this.#checkRelation();
    this.#rows.forEach((origins, index) => this.#checkParameterTypes(origins, params, index, environment));
    const pending = this.#rows.map((origins) => this.#prepare(origins, params, 0, environment));
    const results = this.#store(pending, environment);
    const failures = results.filter((result) => result instanceof SqlFailure);
    if (failures.length > MAX_ANSWERED_FAILURES) throw new NeverAnswered();
    return this.#countStored(results, pending.length === 1 || this.table.partitionedBy.length > 0);
  }

  /** Rows of a query: what fails is left out silently, unless the session wants the first failure. */
  runRows(rows: readonly (readonly Json[])[], environment: Environment, failFast: boolean): number {
    this.#checkRelation();
    const pending = rows.map((row) => this.#complete(this.#castAll(row), 0, environment));
    return this.#countStored(this.#store(pending, environment, failFast), failFast);
  }

  /** Values of the rows as they are stored, for RETURNING. */
  preview(params: readonly Json[], environment: Environment): readonly (readonly Json[])[] {
    return this.#rows.map((origins) => {
      const values = this.#prepare(origins, params, 0, environment).values;
      return this.table.columns.map(
        (column) => values[this.#targets.findIndex((target) => target.column === column)] ?? null,
      );
    });
  }

  #countStored(results: readonly RowResult[], throwFirst: boolean): number {
    let stored = 0;
    for (const result of results) {
      // A ClassCastException in the shard is lost on this path: no row, no error.
      if (result instanceof SqlFailure && throwFirst && !result.message.startsWith('ClassCast')) throw result;
      if (result === 'stored') stored += 1;
    }
    return stored;
  }

  #checkRelation(): void {
    const { table } = this;
    if (table.closed || isOn(table.options, 'blocks.write') || isOn(table.options, 'blocks.read_only')) {
      throw inaccessible(fullName(table), 'INSERT', table.closed);
    }
  }

  #checkParameterTypes(
    origins: readonly Origin[],
    params: readonly Json[],
    row: number,
    environment: Environment,
  ): void {
    origins.forEach((origin, at) => {
      const target = this.#targets[at];
      if (target === undefined || origin.kind === 'default') return;
      const type =
        origin.kind === 'param'
          ? guessType(parameterOf(params, origin.index))
          : this.#compile(origin.expression, params, environment).type;
      if (isConvertible(type, target.column.type)) return;
      throw invalid(
        `Cannot convert VALUES element in row ${row + 1} of type \`${typeName(type)}\` to ` +
          `\`${typeName(target.column.type)}\` for \`${target.column.name}\``,
      );
    });
  }

  #compile(expression: Expression, params: readonly Json[], environment: Environment): Compiled {
    return compileExpression(expression, this.#tools.context(NOTHING, params, environment));
  }

  #prepare(
    origins: readonly Origin[],
    params: readonly Json[],
    element: number,
    environment: Environment,
  ): PendingRow {
    const values: Json[] = new Array<Json>(this.#targets.length).fill(null);
    for (let at = 0; at < origins.length; at += 1) {
      const origin = origins[at];
      const target = this.#targets[at];
      if (origin === undefined || target === undefined) continue;
      const value =
        origin.kind === 'param'
          ? parameterOf(params, origin.index)
          : this.#valueOf(origin, params, environment);
      values[at] = value === null ? null : castInto(target, value);
    }
    return this.#complete(values, element, environment);
  }

  #valueOf(origin: Origin, params: readonly Json[], environment: Environment): Json {
    if (origin.kind === 'param') return parameterOf(params, origin.index);
    if (origin.expression === null) return null;
    const compiled = this.#compile(origin.expression, params, environment);
    return asParameter(compiled.evaluate([]), compiled.type);
  }

  #castAll(row: readonly Json[]): Json[] {
    return this.#targets.map((target, at) => {
      const value = row[at] ?? null;
      return value === null || !target.given ? null : castInto(target, value);
    });
  }

  /** Defaults, generated columns, keys and partition: what CrateDB decides before it knows the shard. */
  #complete(values: Json[], element: number, environment: Environment): PendingRow {
    if (this.#hasComputed) this.#compute(values, environment);
    for (const position of this.#keyPositions) {
      if (values[position] === null) throw invalid('A primary key value must not be NULL');
    }
    const { clusteredBy, partitionedBy } = this.table;
    if (clusteredBy !== null && this.#valueByName(values, clusteredBy) === null)
      throw invalid('Clustered by value must not be NULL');
    const partition = partitionedBy.length === 0 ? null : this.#partitionOf(values);
    if (partition !== null && !this.table.partitions.has(partition))
      this.#checkConstraints(values, environment);
    return { element, values, partition };
  }

  #valueByName(values: readonly Json[], name: string): Json {
    return values[this.#targets.findIndex((target) => target.column.name === name)] ?? null;
  }

  #partitionOf(values: readonly Json[]): string {
    const texts = this.table.partitionedBy.map((name) => {
      const column = findColumn(this.table, name);
      return column === null ? 'null' : answerText(this.#valueByName(values, name), column.type);
    });
    return `[${texts.join(',')}]`;
  }

  #scope(): Scope {
    return {
      columns: this.#targets.map((target) => target.column),
      resolve: (_, name) => {
        const index = this.#targets.findIndex((target) => target.column.name === name);
        if (index !== -1) return { index, type: this.#targets[index]?.column.type ?? { kind: 'undefined' } };
        const column = findColumn(this.table, name);
        return column === null ? null : { index: -1, type: column.type };
      },
    };
  }

  #compute(values: Json[], environment: Environment): void {
    const context = this.#tools.context(this.#scope(), [], environment);
    this.#targets.forEach((target, at) => {
      const { column } = target;
      const expression = column.generated ?? column.defaultValue;
      if (expression === null || target.given) return;
      values[at] = calculated(target, compileExpression(expression, context), values);
    });
  }

  /** Generated columns that the statement gives all the same: the shard compares. */
  #compileGenerated(environment: Environment): readonly GivenGenerated[] {
    const context = this.#tools.context(this.#scope(), [], environment);
    return this.#targets.flatMap((target, at) => {
      const expression = target.column.generated;
      return expression === null || !target.given
        ? []
        : [{ at, target, expression, compiled: compileExpression(expression, context) }];
    });
  }

  /** NOT NULL and CHECK, in the order of the columns. */
  #checkConstraints(values: readonly Json[], environment: Environment): void {
    for (const column of this.table.columns) {
      if (column.notNull && this.#valueByName(values, column.name) === null)
        throw invalid(`"${column.name}" must not be null`);
    }
    this.#checkChecks(values, this.#compileChecks(environment));
  }

  #compileChecks(environment: Environment): readonly CompiledCheck[] {
    if (this.table.checks.length === 0) return [];
    const context = this.#tools.context(this.#scope(), [], environment);
    return this.table.checks.map((check) => ({
      ...check,
      compiled: compileExpression(check.expression, context),
    }));
  }

  #checkChecks(values: readonly Json[], checks: readonly CompiledCheck[]): void {
    for (const check of checks) {
      if (check.compiled.evaluate(values) !== false) continue;
      const shown = this.#targets.map((target, at) => asParameter(values[at] ?? null, target.column.type));
      const given = shown.filter((_, at) => this.#targets[at]?.given === true);
      throw invalid(
        `Failed CONSTRAINT ${check.name} CHECK (${formatExpression(check.expression, 'ddl')}) for values: ${valueText(given)}`,
      );
    }
  }

  /** Stores all rows in one transaction, those of known partitions first. Results are in that order too. */
  #store(rows: readonly PendingRow[], environment: Environment, stopAtFailure = false): readonly RowResult[] {
    const ordered = this.#makePartitions(rows);
    const results: RowResult[] = [];
    const shard: ShardWork = {
      environment,
      block: this.#tools.globalBlock() ?? writeBlock(this.table.options),
      checks: this.#compileChecks(environment),
      generated: this.#hasComputed ? this.#compileGenerated(environment) : [],
      insert: this.#tools.store.prepare(this.#sql),
    };
    this.#tools.store.transaction(() => {
      for (const row of ordered) {
        const result = this.#storeRow(row, shard);
        results.push(result);
        if (stopAtFailure && result instanceof SqlFailure) break;
      }
    });
    return results;
  }

  #makePartitions(rows: readonly PendingRow[]): readonly PendingRow[] {
    const { table } = this;
    if (table.partitionedBy.length === 0) return rows;
    const isKnown = (row: PendingRow): boolean =>
      row.partition !== null && table.partitions.has(row.partition);
    const ordered = [...rows.filter(isKnown), ...rows.filter((row) => !isKnown(row))];
    const fresh = new Map<string, readonly Json[]>();
    for (const row of ordered) {
      if (row.partition === null || isKnown(row)) continue;
      fresh.set(
        row.partition,
        table.partitionedBy.map((name) => this.#valueByName(row.values, name)),
      );
    }
    if (fresh.size === 0) return ordered;
    this.#tools.catalog.checkShardLimit(fresh.size * table.shards);
    for (const [partition, values] of fresh) table.partitions.set(partition, { values, options: new Map() });
    this.#tools.store.keep(table);
    return ordered;
  }

  #storeRow(row: PendingRow, shard: ShardWork): RowResult {
    try {
      const block = shard.block ?? this.#partitionBlock(row.partition);
      if (block !== null) return blocked(block);
      if (this.#hasNested) this.#learn(row.values);
      for (const { at, target, expression, compiled } of shard.generated) {
        checkGenerated(
          target.column,
          expression,
          row.values[at] ?? null,
          calculated(target, compiled, row.values),
        );
      }
      const cells = this.#checkedCells(row.values);
      this.#checkChecks(row.values, shard.checks);
      const { changes } = shard.insert.run(...cells);
      if (Number(changes) !== 0) return 'stored';
      return this.#onConflict(row.values, shard.environment);
    } catch (error) {
      if (error instanceof SqlFailure) return error;
      throw error;
    }
  }

  #partitionBlock(partition: string | null): Block | null {
    const options = partition === null ? undefined : this.table.partitions.get(partition)?.options;
    return options === undefined ? null : writeBlock(options);
  }

  #learn(values: readonly Json[]): void {
    const { table } = this;
    let learned = 0;
    this.#targets.forEach(({ column }, at) => {
      if (column.type.kind !== 'object' && column.type.kind !== 'array') return;
      learnColumns(column.type, values[at] ?? null, column.name, () => {
        checkColumnLimit(table);
        learned += 1;
      });
    });
    if (learned > 0) this.#tools.store.keep(table);
  }

  /** The row as SQLite takes it; `values` keeps what was really stored. */
  #checkedCells(values: Json[]): Cell[] {
    const cells: Cell[] = new Array<Cell>(this.#targets.length).fill(null);
    for (let at = 0; at < this.#targets.length; at += 1) {
      const target = this.#targets[at];
      const value = values[at] ?? null;
      if (target === undefined) continue;
      if (value === null) {
        if (target.column.notNull) throw invalid(`"${target.column.name}" must not be null`);
        continue;
      }
      const stored = target.check === null ? value : target.check(value);
      values[at] = stored;
      cells[at] = target.encode(stored);
    }
    if (this.#unfilled !== null) throw invalid(`"${this.#unfilled.name}" must not be null`);
    return cells;
  }

  #onConflict(values: readonly Json[], environment: Environment): RowResult {
    if (this.#conflict === null) return duplicateKey();
    if (this.#conflict.kind === 'nothing') return 'ignored';
    const { table } = this;
    const keys = this.#keyPositions.map(
      (position) => this.#targets[position]?.encode(values[position] ?? null) ?? null,
    );
    const cells = table.columns.map((column) => column.cell);
    const where = keyCells(table)
      .map((cell) => `${cell} = ?`)
      .join(' AND ');
    const found = this.#tools.store
      .prepare(`SELECT rowid, ${cells.join(', ')} FROM ${rowsOf(table)} WHERE ${where}`)
      .get(...keys);
    if (found === undefined) return duplicateKey();
    const current = table.columns.map((column) => decodeCell(found[column.cell] ?? null, column.type));
    const scope = this.#conflictScope(current.length);
    const context = this.#tools.context(scope, [], environment);
    const row = [...current, ...this.#targets.map((_, at) => values[at] ?? null)];
    const changes = this.#conflict.assignments.map((assignment) => {
      if (assignment.target.kind !== 'column')
        throw invalid('Only columns can be assigned in ON CONFLICT DO UPDATE');
      const target = targetOf(targetColumn(table, assignment.target.name), true);
      const compiled = compileExpression(assignment.value, context);
      const value = asParameter(compiled.evaluate(row), compiled.type);
      return { target, cell: value === null ? null : encodeChecked(target, castInto(target, value)) };
    });
    const sets = changes.map(({ target }) => `${target.column.cell} = ?`).join(', ');
    const rowid = typeof found['rowid'] === 'bigint' ? found['rowid'] : Number(found['rowid']);
    this.#tools.store
      .prepare(`UPDATE ${rowsOf(table)} SET ${sets} WHERE rowid = ?`)
      .run(...changes.map(({ cell }) => cell), rowid);
    return 'stored';
  }

  /** The row that is there, and `excluded` for the one that was to be inserted. */
  #conflictScope(offset: number): Scope {
    const own = this.#scope();
    return {
      columns: this.table.columns,
      resolve: (qualifier, name) => {
        if (qualifier === 'excluded') {
          const slot = own.resolve(null, name);
          return slot === null ? null : { index: offset + slot.index, type: slot.type };
        }
        const index = this.table.columns.findIndex((column) => column.name === name);
        const column = this.table.columns[index];
        return column === undefined ? null : { index, type: column.type };
      },
    };
  }

  /** Adds rows up to elements: a failure makes it -2, a success after it counts on from there, as the server does. */
  #elements(count: number, results: readonly RowResult[]): readonly ElementResult[] {
    const rowcounts = new Array<number>(count).fill(0);
    const failures = new Array<SqlFailure | null>(count).fill(null);
    const perElement = Math.max(1, this.#rows.length);
    const explained = new Map<number, number>();
    results.forEach((result, at) => {
      const element = Math.floor(at / perElement);
      if (result === 'ignored') return;
      if (result === 'stored') {
        rowcounts[element] = (rowcounts[element] ?? 0) + 1;
        return;
      }
      rowcounts[element] = -2;
      if (this.#explains(result, at, explained)) failures[element] = result;
    });
    return rowcounts.map((rowcount, at) => ({ rowcount, failure: failures[at] ?? null }));
  }

  /** Rows spread over the shards by their place here: the server's own hash would spread them as evenly. */
  #explains(failure: SqlFailure, at: number, explained: Map<number, number>): boolean {
    if (failure.status === 403) return true;
    const shard = at % this.table.shards;
    const before = explained.get(shard) ?? 0;
    explained.set(shard, before + 1);
    return before < EXPLAINED_PER_SHARD;
  }
}

const NOTHING: Scope = { resolve: () => null, columns: [] };

function parameterOf(params: readonly Json[], index: number): Json {
  const value = params[index];
  if (value === undefined) throw missingParameter(index, params.length);
  return value;
}

function calculated(target: Target, compiled: Compiled, values: readonly Json[]): Json {
  const value = asParameter(compiled.evaluate(values), compiled.type);
  return value === null ? null : castInto(target, value);
}

function castInto(target: Target, value: Json): Json {
  try {
    return target.cast(value);
  } catch (error) {
    throw castFailure(error, value, target.column.type);
  }
}

function encodeChecked(target: Target, value: Json): Cell {
  return value === null ? null : target.encode(target.check === null ? value : target.check(value));
}

/** The column of an INSERT's list or an assignment. Throws for unknown and system columns. */
export function targetColumn(table: Table, name: string): Column {
  if (isSystemColumn(name))
    throw new SqlFailure(400, 4008, `InvalidColumnNameException["${name}" Cannot write to system column]`);
  const column = findColumn(table, name);
  if (column === null) throw columnUnknown(name);
  return column;
}

function targetOf(column: Column, given: boolean): Target {
  return {
    column,
    given,
    cast: compileCast(column.type),
    check: columnCheck(column),
    encode: compileEncode(column.type),
  };
}

/** The shard's check for a column, with its own index settings. */
export function columnCheck(column: Column): ((value: Json) => Json) | null {
  const indexed = column.index?.method !== 'off' && column.index?.method !== 'fulltext';
  return compileCheck(column.type, { column: column.name, indexed, field: String(column.position) });
}

function originsOf(row: readonly (Expression | 'default')[], columns: readonly Column[]): readonly Origin[] {
  if (row.length !== columns.length) {
    const [targets, sources] = [columns.map((column) => column.name), row.map((_, at) => `col${at + 1}`)];
    throw invalid(
      `Number of target columns (${targets.join(', ')}) of insert statement doesn't match number of source columns (${sources.join(', ')})`,
    );
  }
  return row.map((item, at) => {
    if (item === 'default') return { kind: 'default', expression: columns[at]?.defaultValue ?? null };
    return item.kind === 'param'
      ? { kind: 'param', index: item.index }
      : { kind: 'expression', expression: item };
  });
}

function checkConflictTarget(conflict: ConflictAction | null, table: Table): void {
  if (conflict === null || conflict.columns.length === 0) {
    if (conflict?.kind === 'update')
      throw invalid('ON CONFLICT DO UPDATE requires a list of constraint columns');
    return;
  }
  const keys = table.primaryKey;
  if (conflict.columns.length !== keys.length) {
    throw invalid(
      `Number of conflict targets (${renderList(conflict.columns.map(quoted))}) did not match the number of primary key columns (${renderList(table.primaryKey)})`,
    );
  }
  const wrong = conflict.columns.find((name) => !keys.includes(name));
  if (wrong !== undefined)
    throw invalid(
      `Conflict target (${wrong}) did not match the primary key columns (${renderList(table.primaryKey)})`,
    );
}

function renderList(names: readonly string[]): string {
  return `[${names.join(', ')}]`;
}

function checkGenerated(column: Column, expression: Expression, given: Json, calculated: Json): void {
  const isSame =
    given === null || calculated === null
      ? given === calculated
      : compareValues(given, calculated, column.type) === 0;
  if (isSame) return;
  throw invalid(
    `Given value ${valueText(given)} for generated column ${column.name} does not match ` +
      `calculation ${formatExpression(expression, 'answer')} = ${valueText(calculated)}`,
  );
}

/** For UPDATE: a value of an expression as a cell of the column. */
export function assignedCell(column: Column, value: Json, type: DataType): Cell {
  const target = targetOf(column, true);
  const converted = convert(value, type, type);
  return converted === null ? null : encodeChecked(target, castInto(target, asParameter(converted, type)));
}
