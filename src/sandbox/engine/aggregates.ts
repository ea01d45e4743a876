/** Aggregate functions: count, sum, avg, min, max, percentiles and a value of any row. */
import type { Expression } from '../sql/ast.ts';
import { formatExpression } from './format.ts';
import { isJsonArray, shrink, type Json } from '../values/json.ts';
import { BIGINT, DOUBLE, type DataType } from '../values/types.ts';
import {
  calculate,
  canonical,
  compareValues,
  isFloating,
  type Compiled,
  type Row,
} from '../values/operations.ts';

export type AggregateCall = Extract<Expression, { kind: 'call' }>;

const NAMES: ReadonlySet<string> = new Set([
  'count',
  'sum',
  'avg',
  'mean',
  'min',
  'max',
  'arbitrary',
  'any_value',
  'array_agg',
  'percentile',
]);

export function isAggregate(expression: Expression): expression is AggregateCall {
  return expression.kind === 'call' && NAMES.has(expression.name);
}

/** All aggregates in the expressions, each text once. */
export function aggregateCalls(expressions: readonly Expression[]): readonly AggregateCall[] {
  const found = new Map<string, AggregateCall>();
  const visit = (expression: Expression): void => {
    if (isAggregate(expression)) found.set(formatExpression(expression, 'answer'), expression);
    else for (const part of partsOf(expression)) visit(part);
  };
  for (const expression of expressions) visit(expression);
  return [...found.values()];
}

/** The expressions directly inside an expression. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'subscript':
      return [expression.base, expression.index];
    case 'call':
      return expression.args;
    case 'binary':
      return [expression.left, expression.right];
    case 'not':
    case 'negate':
    case 'isNull':
    case 'cast':
    case 'inSelect':
      return [expression.operand];
    case 'in':
      return [expression.operand, ...expression.list];
    case 'between':
      return [expression.operand, expression.low, expression.high];
    case 'any':
      return [expression.left, expression.array];
    case 'array':
      return expression.items;
    case 'object':
      return expression.entries.map(([, value]) => value);
    case 'case':
      return [expression.operand, ...expression.branches.flat(), expression.otherwise].filter(
        (part) => part !== null,
      );
    default:
      return [];
  }
}

/** One aggregate over one group of rows. */
export interface Accumulator {
  add(row: Row): void;
  end(): Json;
}

export interface Aggregate {
  /** The call's text, by which the rest of the query finds its result. */
  readonly text: string;
  readonly type: DataType;
  begin(): Accumulator;
}

interface State {
  count: number;
  value: Json;
  readonly list: Json[];
}

export function compileAggregate(call: AggregateCall, compile: (part: Expression) => Compiled): Aggregate {
  const argument = call.args[0] === undefined || call.args[0].kind === 'star' ? null : compile(call.args[0]);
  const filter = call.filter === null ? null : compile(call.filter);
  const fractions = call.args[1] === undefined ? null : compile(call.args[1]);
  const begin = (): Accumulator => {
    const state: State = { count: 0, value: null, list: [] };
    const seen = call.distinct ? new Set<string>() : null;
    return {
      add: (row) => {
        if (filter !== null && filter.evaluate(row) !== true) return;
        const value = argument === null ? true : argument.evaluate(row);
        if (value === null && call.name !== 'array_agg') return;
        if (seen !== null && isSeen(seen, value)) return;
        accumulate(call.name, state, value, argument?.type ?? BIGINT);
      },
      end: () =>
        call.name === 'percentile'
          ? percentiles(state.list, fractions?.evaluate([]) ?? null)
          : result(call.name, state),
    };
  };
  const isList = fractions?.type.kind === 'array';
  return {
    text: formatExpression(call, 'answer'),
    type: isList ? { kind: 'array', element: DOUBLE } : aggregateType(call.name, argument?.type ?? BIGINT),
    begin,
  };
}

function isSeen(seen: Set<string>, value: Json): boolean {
  const text = canonical(value);
  if (seen.has(text)) return true;
  seen.add(text);
  return false;
}

/** The type that an aggregate of an argument type gives. */
export function aggregateType(name: string, argument: DataType): DataType {
  switch (name) {
    case 'count':
      return BIGINT;
    case 'avg':
    case 'mean':
    case 'percentile':
      return DOUBLE;
    case 'sum':
      return isFloating(argument) || argument.kind === 'numeric' ? argument : BIGINT;
    case 'array_agg':
      return { kind: 'array', element: argument };
    default:
      return argument;
  }
}

function accumulate(name: string, state: State, value: Json, type: DataType): void {
  state.count += 1;
  switch (name) {
    case 'count':
      return;
    case 'sum':
      state.value =
        state.value === null ? value : calculate('+', state.value, value, aggregateType('sum', type));
      return;
    case 'avg':
    case 'mean':
      state.value = Number(state.value ?? 0) + Number(value);
      return;
    case 'array_agg':
    case 'percentile':
      state.list.push(value);
      return;
    case 'min':
    case 'max': {
      const sign = name === 'min' ? -1 : 1;
      if (state.value === null || sign * compareValues(value, state.value, type) > 0) state.value = value;
      return;
    }
    default:
      state.value ??= value;
  }
}

function result(name: string, state: State): Json {
  if (name === 'count') return state.count;
  if (name === 'array_agg') return state.list;
  if (name === 'avg' || name === 'mean') return state.count === 0 ? null : Number(state.value) / state.count;
  return typeof state.value === 'bigint' ? shrink(state.value) : state.value;
}

/** One value or a list of them, as wanted: exact, with a straight line between two neighbours. */
function percentiles(values: readonly Json[], wanted: Json): Json {
  if (values.length === 0) return null;
  const sorted = values.map(Number).sort((a, b) => a - b);
  const at = (fraction: Json): number => {
    const place = Number(fraction) * (sorted.length - 1);
    const low = sorted[Math.floor(place)] ?? 0;
    return low + ((sorted[Math.ceil(place)] ?? low) - low) * (place - Math.floor(place));
  };
  return isJsonArray(wanted) ? wanted.map(at) : at(wanted);
}
