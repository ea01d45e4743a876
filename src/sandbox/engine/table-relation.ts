/** A user's table as something to select from: as much of the query as is safe is answered by SQLite. */
import type { Expression } from '../sql/ast.ts';
import type { Column, Table } from './catalog.ts';
import { compileExpression, type CompileContext } from './expressions.ts';
import { formatExpression } from './format.ts';
import type { Json } from '../values/json.ts';
import { pushCondition, pushValue, type Pushed } from './pushdown.ts';
import {
  bounds,
  conjuncts,
  neededColumns,
  type NamedType,
  type Relation,
  type ResolvedSelect,
  type ResultSet,
  type Scan,
} from './select.ts';
import { decodeCell, scannedValue, type Cell } from '../values/cells.ts';
import { rowsOf, type Store } from './store.ts';
import type { Row } from '../values/operations.ts';

export function tableRelation(table: Table, store: Store): Relation {
  return {
    name: table.name,
    columns: table.columns,
    scan: (where, needed, context) => scanTable(table, store, where, needed, context),
    answer: (select, context) =>
      select.isGrouped
        ? answerGroups(table, store, select, context)
        : answerPage(table, store, select, context),
  };
}

/** The values of all rows, in the order of the table's columns. */
export function allRows(table: Table, store: Store): Iterable<Row> {
  return rowReader(table, new Set(table.columns.map(({ name }) => name)), false)(store, '');
}

interface PushedWhere {
  readonly sql: string;
  readonly rest: readonly Expression[];
}

/** The conditions that SQLite takes, as ` WHERE …`, and those that it does not. */
export function pushWhere(table: Table, where: readonly Expression[], context: CompileContext): PushedWhere {
  const pushed: string[] = [];
  const rest: Expression[] = [];
  for (const condition of where) {
    const sql = pushCondition(condition, table, context);
    if (sql === null) rest.push(condition);
    else pushed.push(sql);
  }
  return { sql: pushed.length === 0 ? '' : ` WHERE ${pushed.join(' AND ')}`, rest };
}

function scanTable(
  table: Table,
  store: Store,
  where: readonly Expression[],
  needed: ReadonlySet<string>,
  context: CompileContext,
): Scan {
  const pushed = pushWhere(table, where, context);
  const read = rowReader(table, needed, isKeyLookup(table, where));
  return { rest: pushed.rest, rows: read(store, pushed.sql) };
}

/** Reads rows in the order of the table's columns; columns that nobody needs are null. */
function rowReader(
  table: Table,
  needed: ReadonlySet<string>,
  exact: boolean,
): (store: Store, tail: string) => Iterable<Row> {
  const read = table.columns.filter((column) => needed.has(column.name));
  const cells = read.length === 0 ? '1' : read.map((column) => column.cell).join(', ');
  return function* rows(store, tail) {
    // All rows at once: a statement that is still open would block changes of the table.
    for (const found of store.prepare(`SELECT ${cells} FROM ${rowsOf(table)}${tail}`).all()) {
      yield table.columns.map((column) =>
        needed.has(column.name) ? valueOf(found[column.cell] ?? null, column, exact) : null,
      );
    }
  };
}

function valueOf(cell: Cell, column: Column, exact: boolean): Json {
  const value = decodeCell(cell, column.type);
  return exact ? value : scannedValue(value, column.type);
}

/** True when the whole primary key is given: such rows are read from the row itself, not from the index. */
function isKeyLookup(table: Table, where: readonly Expression[]): boolean {
  const fixed = new Set(where.flatMap((condition) => (isEquality(condition) ? [columnName(condition)] : [])));
  return table.primaryKey.length > 0 && table.primaryKey.every((name) => fixed.has(name));
}

function isEquality(condition: Expression): boolean {
  if (condition.kind === 'binary') return condition.operator === '=';
  if (condition.kind === 'in') return !condition.negated;
  return condition.kind === 'any' && condition.operator === '=' && !condition.all;
}

function columnName(condition: Expression): string | null {
  const sides =
    condition.kind === 'binary'
      ? [condition.left, condition.right]
      : condition.kind === 'in'
        ? [condition.operand]
        : condition.kind === 'any'
          ? [condition.left]
          : [];
  for (const side of sides) if (side.kind === 'column') return side.name;
  return null;
}

/** ORDER BY and LIMIT in SQLite, if the conditions and the order allow it. */
function answerPage(
  table: Table,
  store: Store,
  select: ResolvedSelect,
  context: CompileContext,
): ResultSet | null {
  const where = conjuncts(select.select.where);
  const pushed = pushWhere(table, where, context);
  const order = orderText(table, select, context);
  if (pushed.rest.length > 0 || order === null) return null;
  const items = select.items.map((item) => compileExpression(item.expression, context));
  const read = rowReader(table, neededColumns(select), isKeyLookup(table, where));
  const columns = items.map((item, at) => ({ name: select.items[at]?.title ?? '', type: item.type }));
  const rows: Row[] = [];
  for (const row of read(store, `${pushed.sql}${order}${limitText(select, context)}`))
    rows.push(items.map((item) => item.evaluate(row)));
  return { columns, rows };
}

function orderText(table: Table, select: ResolvedSelect, context: CompileContext): string | null {
  const keys: string[] = [];
  for (const item of select.orderBy) {
    const pushed = pushValue(item.expression, table, context, null);
    if (pushed === null) return null;
    keys.push(
      `${pushed.sql} ${item.descending ? 'DESC' : 'ASC'} NULLS ${item.nullsFirst ? 'FIRST' : 'LAST'}`,
    );
  }
  return keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')}`;
}

function limitText(select: ResolvedSelect, context: CompileContext): string {
  const { offset, limit } = bounds(select.select, context);
  if (offset === 0 && limit === Number.POSITIVE_INFINITY) return '';
  return ` LIMIT ${Number.isFinite(limit) ? limit : -1} OFFSET ${offset}`;
}

/** A grouped query as one SQLite query, if every part of it can be. */
function answerGroups(
  table: Table,
  store: Store,
  select: ResolvedSelect,
  context: CompileContext,
): ResultSet | null {
  const pushed = pushWhere(table, conjuncts(select.select.where), context);
  const keys = select.groupBy.map((expression) => pushValue(expression, table, context, null));
  const items = select.items.map((item) => pushGrouped(item.expression, select, table, context));
  const having = conjuncts(select.select.having).map((condition) => pushCondition(condition, table, context));
  const order = orderText(table, select, context);
  if (
    pushed.rest.length > 0 ||
    order === null ||
    having.includes(null) ||
    keys.includes(null) ||
    items.includes(null)
  )
    return null;
  const columns: NamedType[] = items.map((item, at) => ({
    name: select.items[at]?.title ?? '',
    type: item?.type ?? { kind: 'undefined' },
  }));
  const texts = items.map((item, at) => `${item?.sql ?? ''} AS r${at}`).join(', ');
  const groups = keys.length === 0 ? '' : ` GROUP BY ${keys.map((key) => key?.sql ?? '').join(', ')}`;
  const filter = having.length === 0 ? '' : ` HAVING ${having.join(' AND ')}`;
  const sql = `SELECT ${texts} FROM ${rowsOf(table)}${pushed.sql}${groups}${filter}${order}${limitText(select, context)}`;
  const rows = store.prepare(sql).all();
  return {
    columns,
    rows: rows.map((row) => columns.map((column, at) => decodeCell(row[`r${at}`] ?? null, column.type))),
  };
}

/** An aggregate, a group key or a constant; other expressions are left to the slow path. */
function pushGrouped(
  expression: Expression,
  select: ResolvedSelect,
  table: Table,
  context: CompileContext,
): Pushed | null {
  const text = formatExpression(expression, 'answer');
  const isKey = select.groupBy.some((key) => formatExpression(key, 'answer') === text);
  const isCall = select.aggregates.some((call) => formatExpression(call, 'answer') === text);
  return isKey || isCall ? pushValue(expression, table, context, null) : null;
}
