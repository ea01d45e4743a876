/** SELECT: over a table, a system table, a table function or nothing; grouped, ordered and cut as asked. */
import type { Expression, OrderItem, Select, SelectItem, Source } from '../sql/ast.ts';
import {
  aggregateCalls,
  compileAggregate,
  partsOf,
  type Accumulator,
  type AggregateCall,
} from './aggregates.ts';
import { compileExpression, NO_COLUMNS, type CompileContext, type Scope, type Slot } from './expressions.ts';
import { SqlFailure, functionUnknown, invalid } from '../failure.ts';
import { columnTitle, formatExpression } from './format.ts';
import type { Environment } from './functions.ts';
import { isJsonArray, type Json } from '../values/json.ts';
import { answerText } from '../values/cells.ts';
import { BIGINT, UNDEFINED, type DataType } from '../values/types.ts';
import { canonical, compareValues, convert, type Compiled, type Row } from '../values/operations.ts';

export interface NamedType {
  readonly name: string;
  readonly type: DataType;
}

/** A result: rows of typed values. */
export interface ResultSet {
  readonly columns: readonly NamedType[];
  readonly rows: readonly Row[];
}

export interface Scan {
  readonly rows: Iterable<Row>;
  /** Conditions that the relation left to its caller. */
  readonly rest: readonly Expression[];
}

/** Something to select from. `where` may be answered by the relation itself; what is left over comes back. */
export interface Relation {
  readonly name: string;
  readonly columns: readonly NamedType[];
  scan(where: readonly Expression[], needed: ReadonlySet<string>, context: CompileContext): Scan;
  /** The whole query at once where that is possible, else null. */
  answer(select: ResolvedSelect, context: CompileContext): ResultSet | null;
}

/** A SELECT whose `*`, ordinals and aliases have been replaced. */
export interface ResolvedSelect {
  readonly select: Select;
  readonly items: readonly (SelectItem & { readonly title: string })[];
  readonly groupBy: readonly Expression[];
  readonly orderBy: readonly OrderItem[];
  readonly aggregates: readonly AggregateCall[];
  readonly isGrouped: boolean;
}

export interface SelectTools {
  /** Throws for unknown relations. */
  readonly relation: (source: Extract<Source, { kind: 'relation' }>) => Relation;
  readonly environment: Environment;
}

export function runSelect(select: Select, params: readonly Json[], tools: SelectTools): ResultSet {
  const relation = select.from === null ? NO_RELATION : openSource(select.from, params, tools);
  const context = contextOf(scopeOf(relation), params, tools);
  if (select.where !== null && aggregateCalls([select.where]).length > 0)
    throw invalid('Aggregate functions are not allowed in WHERE');
  const resolved = resolveSelect(select, relation);
  const direct = relation.answer(resolved, context);
  if (direct !== null) return direct;
  const { rows, rest } = relation.scan(conjuncts(select.where), neededColumns(resolved), context);
  const kept = filtered(rows, rest, context);
  return resolved.isGrouped ? runGrouped(resolved, kept, context) : runPlain(resolved, kept, context);
}

/** Columns that the query looks at; a relation may leave out the others. */
export function neededColumns(resolved: ResolvedSelect): ReadonlySet<string> {
  const { select } = resolved;
  const used = [...resolved.items, ...resolved.orderBy].map((item) => item.expression);
  return columnsOf([...used, ...resolved.groupBy, ...resolved.aggregates, select.where, select.having]);
}

/** Names of the columns inside expressions. */
export function columnsOf(expressions: readonly (Expression | null)[]): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (expression: Expression): void => {
    if (expression.kind === 'column') names.add(expression.name);
    for (const part of partsOf(expression)) visit(part);
  };
  for (const expression of expressions) if (expression !== null) visit(expression);
  return names;
}

/** The context of an expression that may hold sub-selects. */
export function contextOf(scope: Scope, params: readonly Json[], tools: SelectTools): CompileContext {
  return {
    scope,
    params,
    environment: tools.environment,
    slots: new Map(),
    runSelect: (inner) => {
      const result = runSelect(inner, params, tools);
      return { type: result.columns[0]?.type ?? UNDEFINED, values: result.rows.map((row) => row[0] ?? null) };
    },
  };
}

/** The parts of a condition that must all hold. */
export function conjuncts(where: Expression | null): readonly Expression[] {
  if (where === null) return [];
  if (where.kind !== 'binary' || where.operator !== 'and') return [where];
  return [...conjuncts(where.left), ...conjuncts(where.right)];
}

const NO_RELATION: Relation = {
  name: '',
  columns: [],
  scan: (where) => ({ rows: [[]], rest: where }),
  answer: () => null,
};

/** A relation of rows that are at hand. */
export function relationOfRows(
  name: string,
  columns: readonly NamedType[],
  rows: () => Iterable<Row>,
): Relation {
  return { name, columns, scan: (where) => ({ rows: rows(), rest: where }), answer: () => null };
}

function openSource(source: Source, params: readonly Json[], tools: SelectTools): Relation {
  switch (source.kind) {
    case 'relation': {
      const relation = tools.relation(source);
      return source.alias === null ? relation : { ...relation, name: source.alias };
    }
    case 'function':
      return tableFunction(source, params, tools);
    case 'select': {
      const result = runSelect(source.select, params, tools);
      return relationOfRows(source.alias ?? '', renamed(result.columns, source.columns), () => result.rows);
    }
    case 'values': {
      const context = contextOf(NO_COLUMNS, params, tools);
      const result = evaluateRows(source.rows, context);
      return relationOfRows(source.alias ?? '', renamed(result.columns, source.columns), () => result.rows);
    }
  }
}

function renamed(columns: readonly NamedType[], names: readonly string[]): readonly NamedType[] {
  return columns.map((column, at) => ({ name: names[at] ?? column.name, type: column.type }));
}

/** VALUES lists as rows. */
export function evaluateRows(rows: readonly (readonly Expression[])[], context: CompileContext): ResultSet {
  const compiled = rows.map((row) => row.map((item) => compileExpression(item, context)));
  const columns = (compiled[0] ?? []).map((item, at) => ({ name: `col${at + 1}`, type: item.type }));
  return {
    columns,
    rows: compiled.map((row) =>
      row.map((item, at) => convert(item.evaluate([]), item.type, columns[at]?.type ?? item.type)),
    ),
  };
}

/** Rows that generate_series may make, against a slip of the finger. */
const MAX_SERIES = 10_000_000;

function tableFunction(
  source: Extract<Source, { kind: 'function' }>,
  params: readonly Json[],
  tools: SelectTools,
): Relation {
  const context = contextOf(NO_COLUMNS, params, tools);
  const args = source.args.map((argument) => compileExpression(argument, context));
  const name = source.alias ?? source.name;
  if (source.name === 'unnest') {
    const lists = args.map((argument) => flatten(argument.evaluate([])));
    const columns = args.map((argument, at) => ({
      name: source.columns[at] ?? (args.length === 1 ? name : `col${at + 1}`),
      type: elementType(argument.type),
    }));
    const length = Math.max(0, ...lists.map((list) => list.length));
    const rows = Array.from({ length }, (_, at) => lists.map((list) => list[at] ?? null));
    return relationOfRows(name, columns, () => rows);
  }
  if (source.name !== 'generate_series')
    throw functionUnknown(
      source.name,
      source.args.map((argument) => formatExpression(argument, 'answer')),
    );
  const [from = 0, to = 0, step = 1] = args.map((argument) => Number(argument.evaluate([])));
  return relationOfRows(name, [{ name: source.columns[0] ?? name, type: args[0]?.type ?? BIGINT }], () =>
    series(from, to, step),
  );
}

function* series(from: number, to: number, step: number): Iterable<Row> {
  if (step === 0 || (to - from) / step > MAX_SERIES) {
    // The recordings show a statement_timeout on such a series; here it is refused before it begins.
    throw new SqlFailure(500, 5005, 'JobKilledException[Job killed. statement_timeout (300ms/exec)]');
  }
  for (let value = from; step > 0 ? value <= to : value >= to; value += step) yield [value];
}

function elementType(type: DataType): DataType {
  return type.kind === 'array' ? elementType(type.element) : type;
}

/** UNNEST takes nested arrays apart completely. */
function flatten(value: Json): readonly Json[] {
  if (!isJsonArray(value)) return [];
  return value.flatMap((item) => (isJsonArray(item) ? flatten(item) : [item]));
}

function scopeOf(relation: Relation): Scope {
  return {
    columns: relation.columns,
    resolve: (qualifier, name) => {
      if (qualifier !== null && qualifier !== relation.name) return null;
      const index = relation.columns.findIndex((column) => column.name === name);
      const column = relation.columns[index];
      return column === undefined ? null : { index, type: column.type };
    },
  };
}

function resolveSelect(select: Select, relation: Relation): ResolvedSelect {
  const items = select.items.flatMap((item) => {
    if (item.expression.kind !== 'star')
      return [{ ...item, title: item.alias ?? columnTitle(item.expression) }];
    return relation.columns.map(({ name }) => {
      return { expression: { kind: 'column', qualifier: null, name } as const, alias: null, title: name };
    });
  });
  const replace = (expression: Expression): Expression => ordinalOrAlias(expression, items, relation);
  const groupBy = select.groupBy.map(replace);
  const orderBy = select.orderBy.map((item) => ({ ...item, expression: replace(item.expression) }));
  const used = [...items.map((item) => item.expression), ...orderBy.map((item) => item.expression)];
  const aggregates = aggregateCalls(select.having === null ? used : [...used, select.having]);
  const distinctBy = select.distinct ? items.map((item) => item.expression) : [];
  const isDistinctGroup = select.distinct && aggregates.length === 0 && groupBy.length === 0;
  return {
    select,
    items,
    orderBy,
    aggregates,
    groupBy: isDistinctGroup ? distinctBy : groupBy,
    isGrouped: aggregates.length > 0 || groupBy.length > 0 || isDistinctGroup,
  };
}

/** `1` is the first item, a name that is no column the item of that alias. */
function ordinalOrAlias(
  expression: Expression,
  items: ResolvedSelect['items'],
  relation: Relation,
): Expression {
  if (expression.kind === 'literal' && typeof expression.value === 'number') {
    const item = items[expression.value - 1];
    if (item === undefined) throw invalid(`Ordinal ${expression.value} is not in the select list`);
    return item.expression;
  }
  if (expression.kind !== 'column' || relation.columns.some((column) => column.name === expression.name))
    return expression;
  return items.find((item) => item.alias === expression.name)?.expression ?? expression;
}

function* filtered(
  rows: Iterable<Row>,
  conditions: readonly Expression[],
  context: CompileContext,
): Iterable<Row> {
  const tests = conditions.map((condition) => compileExpression(condition, context));
  for (const row of rows) if (tests.every((test) => test.evaluate(row) === true)) yield row;
}

interface SortKey {
  readonly compiled: Compiled;
  readonly item: OrderItem;
}

function runPlain(resolved: ResolvedSelect, rows: Iterable<Row>, context: CompileContext): ResultSet {
  const items = resolved.items.map((item) => compileExpression(item.expression, context));
  const keys = resolved.orderBy.map((item) => ({
    item,
    compiled: compileExpression(item.expression, context),
  }));
  const { offset, limit } = bounds(resolved.select, context);
  const taken =
    keys.length === 0 ? take(rows, offset, limit) : sorted([...rows], keys).slice(offset, offset + limit);
  return {
    columns: titled(resolved, items),
    rows: taken.map((row) => items.map((item) => item.evaluate(row))),
  };
}

function titled(resolved: ResolvedSelect, items: readonly Compiled[]): readonly NamedType[] {
  return items.map((item, at) => ({ name: resolved.items[at]?.title ?? '', type: item.type }));
}

function take(rows: Iterable<Row>, offset: number, limit: number): readonly Row[] {
  const taken: Row[] = [];
  if (limit === 0) return taken;
  let skipped = 0;
  for (const row of rows) {
    if (skipped++ < offset) continue;
    taken.push(row);
    if (taken.length >= limit) break;
  }
  return taken;
}

/** OFFSET and LIMIT; a limit that is missing or null is none. */
export function bounds(
  select: Select,
  context: CompileContext,
): { readonly offset: number; readonly limit: number } {
  const valueOf = (expression: Expression | null, missing: number): number => {
    const value = expression === null ? null : compileExpression(expression, context).evaluate([]);
    if (value === null) return missing;
    if (Number(value) < 0) throw invalid('Limit and offset must not be negative');
    return Number(value);
  };
  return { offset: valueOf(select.offset, 0), limit: valueOf(select.limit, Number.POSITIVE_INFINITY) };
}

function sorted(rows: readonly Row[], keys: readonly SortKey[]): readonly Row[] {
  const decorated = rows.map((row) => ({ row, values: keys.map(({ compiled }) => compiled.evaluate(row)) }));
  decorated.sort((a, b) => {
    for (const [at, { compiled, item }] of keys.entries()) {
      const order = compareKeys(a.values[at] ?? null, b.values[at] ?? null, compiled.type, item);
      if (order !== 0) return order;
    }
    return 0;
  });
  return decorated.map(({ row }) => row);
}

function compareKeys(a: Json, b: Json, type: DataType, item: OrderItem): number {
  if (a === null || b === null) {
    if (a === b) return 0;
    return (a === null) === item.nullsFirst ? -1 : 1;
  }
  const order = compareValues(a, b, type);
  return item.descending ? -order : order;
}

interface Group {
  readonly key: readonly Json[];
  readonly accumulators: readonly Accumulator[];
}

/** Groups by the keys, then runs the rest of the query over one row per group: keys first, aggregates after them. */
function runGrouped(resolved: ResolvedSelect, rows: Iterable<Row>, context: CompileContext): ResultSet {
  const keys = resolved.groupBy.map((expression) => compileExpression(expression, context));
  const calls = resolved.aggregates.map((call) =>
    compileAggregate(call, (part) => compileExpression(part, context)),
  );
  const groups = new Map<string, Group>();
  if (keys.length === 0) groups.set('', { key: [], accumulators: calls.map((call) => call.begin()) });
  for (const row of rows) {
    const key = keys.map((compiled) => compiled.evaluate(row));
    const text = key.length === 0 ? '' : canonical(key);
    let group = groups.get(text);
    if (group === undefined)
      groups.set(text, (group = { key, accumulators: calls.map((call) => call.begin()) }));
    for (const accumulator of group.accumulators) accumulator.add(row);
  }
  const slots = new Map<string, Slot>();
  keys.forEach((compiled, index) =>
    slots.set(formatExpression(resolved.groupBy[index] ?? { kind: 'star' }, 'answer'), {
      index,
      type: compiled.type,
    }),
  );
  calls.forEach((call, at) => slots.set(call.text, { index: keys.length + at, type: call.type }));
  const grouped: CompileContext = { ...context, scope: groupedScope(context.scope), slots };
  const results = [...groups.values()].map(({ key, accumulators }) => [
    ...key,
    ...accumulators.map((each) => each.end()),
  ]);
  const having = resolved.select.having === null ? [] : [resolved.select.having];
  return runPlain(resolved, filtered(results, having, grouped), grouped);
}

/** Columns outside aggregates must be group keys. */
function groupedScope(scope: Scope): Scope {
  return {
    columns: scope.columns,
    resolve: (qualifier, name) => {
      if (scope.resolve(qualifier, name) === null) return null;
      throw invalid(
        `'${name}' must appear in the GROUP BY clause or be used in an aggregation function. Perhaps you grouped by an alias that clashes with a column in the relations`,
      );
    },
  };
}

/** A row as the answer has it. */
export function rowText(row: Row, columns: readonly NamedType[]): string {
  return `[${columns.map((column, at) => answerText(row[at] ?? null, column.type)).join(',')}]`;
}
