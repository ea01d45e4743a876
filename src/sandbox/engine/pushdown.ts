/**
 * Parts of a query that SQLite can answer exactly as CrateDB would, as SQLite text. Null says that it cannot, and
 * the part is evaluated row by row instead.
 */
import { aggregateType, isAggregate, type AggregateCall } from './aggregates.ts';
import type { BinaryOperator, Expression } from '../sql/ast.ts';
import { findColumn, type Table } from './catalog.ts';
import { compileExpression, type CompileContext } from './expressions.ts';
import { SqlFailure } from '../failure.ts';
import { isJsonArray, type Json } from '../values/json.ts';
import { BIGINT, type DataType, type Kind } from '../values/types.ts';
import { convert, isIntegral } from '../values/operations.ts';

/** Types whose cells compare in SQLite as the values do. */
const COMPARABLE: readonly Kind[] = [
  'boolean',
  'byte',
  'smallint',
  'integer',
  'bigint',
  'timestamptz',
  'timestamp',
  'text',
  'ip',
  'uuid',
  'real',
  'double',
];

export interface Pushed {
  readonly sql: string;
  readonly type: DataType;
}

const COMPARISONS: readonly BinaryOperator[] = ['=', '<>', '<', '<=', '>', '>='];
const ARITHMETIC: readonly BinaryOperator[] = ['+', '-', '*', '/', '%'];

/** A condition as SQLite text, or null. */
export function pushCondition(expression: Expression, table: Table, context: CompileContext): string | null {
  const inner = (part: Expression): string | null => pushCondition(part, table, context);
  switch (expression.kind) {
    case 'binary':
      if (expression.operator === 'and' || expression.operator === 'or') {
        const [left, right] = [inner(expression.left), inner(expression.right)];
        return left === null || right === null ? null : `(${left} ${expression.operator} ${right})`;
      }
      return COMPARISONS.includes(expression.operator)
        ? pushComparison(expression.operator, expression.left, expression.right, table, context)
        : null;
    case 'not': {
      const operand = inner(expression.operand);
      return operand === null ? null : `(NOT ${operand})`;
    }
    case 'isNull': {
      const operand = pushValue(expression.operand, table, context, null);
      return operand === null ? null : `(${operand.sql} IS ${expression.negated ? 'NOT ' : ''}NULL)`;
    }
    case 'in':
      return pushList(expression.operand, expression.list, expression.negated, table, context);
    case 'any':
      return expression.operator === '=' && !expression.all
        ? pushAny(expression.left, expression.array, table, context)
        : null;
    case 'between': {
      const low = pushComparison('>=', expression.operand, expression.low, table, context);
      const high = pushComparison('<=', expression.operand, expression.high, table, context);
      if (low === null || high === null) return null;
      return expression.negated ? `(NOT (${low} AND ${high}))` : `(${low} AND ${high})`;
    }
    case 'column': {
      const column = pushValue(expression, table, context, null);
      return column?.type.kind === 'boolean' ? column.sql : null;
    }
    default:
      return null;
  }
}

function pushComparison(
  operator: BinaryOperator,
  left: Expression,
  right: Expression,
  table: Table,
  context: CompileContext,
): string | null {
  const a = pushValue(left, table, context, null);
  const b = pushValue(right, table, context, a?.type ?? null);
  const first = a ?? (b === null ? null : pushValue(left, table, context, b.type));
  if (first === null || b === null || !isComparable(first.type, b.type)) return null;
  return `(${first.sql} ${operator} ${b.sql})`;
}

function isComparable(a: DataType, b: DataType): boolean {
  if (isIntegral(a) && isIntegral(b)) return true;
  return a.kind === b.kind && COMPARABLE.includes(a.kind);
}

function pushList(
  operand: Expression,
  list: readonly Expression[],
  negated: boolean,
  table: Table,
  context: CompileContext,
): string | null {
  const target = pushValue(operand, table, context, null);
  if (target === null) return null;
  const items = list.map((item) => pushValue(item, table, context, target.type));
  const known = items
    .filter((item) => item !== null && isComparable(target.type, item.type))
    .map((item) => item?.sql ?? '');
  if (known.length < items.length) return null;
  return `(${target.sql} ${negated ? 'NOT ' : ''}IN (${known.join(', ')}))`;
}

function pushAny(left: Expression, array: Expression, table: Table, context: CompileContext): string | null {
  const target = pushValue(left, table, context, null);
  const constant = constantOf(array, context);
  if (target === null || constant === null || !isJsonArray(constant.value) || constant.type.kind !== 'array')
    return null;
  const { element } = constant.type;
  const items = constant.value.map((value) =>
    literal(convertQuietly(value, element, target.type), target.type),
  );
  return items.includes(null) ? null : `(${target.sql} IN (${items.join(', ')}))`;
}

/**
 * A value as SQLite text, or null. `wanted` is the type that a constant is to take, that of the column beside it.
 */
export function pushValue(
  expression: Expression,
  table: Table,
  context: CompileContext,
  wanted: DataType | null,
): Pushed | null {
  if (expression.kind === 'column') {
    const column = findColumn(table, expression.name);
    return column !== null && COMPARABLE.includes(column.type.kind)
      ? { sql: column.cell, type: column.type }
      : null;
  }
  if (isAggregate(expression)) return pushAggregate(expression, table);
  const constant = constantOf(expression, context);
  if (constant !== null) return pushConstant(constant.value, constant.type, wanted ?? constant.type);
  if (expression.kind !== 'binary' || !ARITHMETIC.includes(expression.operator)) return null;
  const left = pushValue(expression.left, table, context, null);
  const right = pushValue(expression.right, table, context, null);
  if (left === null || right === null || !isIntegral(left.type) || !isIntegral(right.type)) return null;
  // SQLite divides by zero to null where CrateDB fails.
  if ((expression.operator === '/' || expression.operator === '%') && !/^-?[1-9]\d*$/.test(right.sql))
    return null;
  return { sql: `(${left.sql} ${expression.operator} ${right.sql})`, type: { kind: 'bigint' } };
}

/** Aggregates of whole columns; sums only of integers, which SQLite adds exactly. */
function pushAggregate(call: AggregateCall, table: Table): Pushed | null {
  const argument = call.args[0];
  if (call.filter !== null || call.args.length > 1) return null;
  if (call.name === 'count' && (argument === undefined || argument.kind === 'star'))
    return { sql: 'count(*)', type: BIGINT };
  const column = argument?.kind === 'column' ? findColumn(table, argument.name) : null;
  if (column === null) return null;
  const distinct = call.distinct ? 'DISTINCT ' : '';
  if (call.name === 'count')
    return COMPARABLE.includes(column.type.kind) || !call.distinct
      ? { sql: `count(${distinct}${column.cell})`, type: BIGINT }
      : null;
  const isExact = isIntegral(column.type) && ['min', 'max', 'sum'].includes(call.name);
  return isExact
    ? { sql: `${call.name}(${distinct}${column.cell})`, type: aggregateType(call.name, column.type) }
    : null;
}

function pushConstant(value: Json, from: DataType, to: DataType): Pushed | null {
  // 1.5 against an integer column is a comparison of doubles.
  if (isIntegral(to) && (from.kind === 'double' || from.kind === 'real' || from.kind === 'numeric'))
    return null;
  const sql = literal(convertQuietly(value, from, to), to);
  return sql === null ? null : { sql, type: to };
}

function constantOf(
  expression: Expression,
  context: CompileContext,
): { readonly value: Json; readonly type: DataType } | null {
  if (!['literal', 'param', 'cast', 'array', 'call', 'negate'].includes(expression.kind)) return null;
  if (expression.kind === 'call' && expression.args.length > 0) return null;
  const compiled = compileExpression(expression, context);
  return compiled.constant === null ? null : { value: compiled.constant.value, type: compiled.type };
}

/** Undefined when the value does not fit: the careful path then raises the failure. */
function convertQuietly(value: Json, from: DataType, to: DataType): Json | undefined {
  try {
    return convert(value, from, to);
  } catch (error) {
    if (error instanceof SqlFailure) return undefined;
    throw error;
  }
}

function literal(value: Json | undefined, type: DataType): string | null {
  if (value === undefined || !COMPARABLE.includes(type.kind)) return null;
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return numberLiteral(value, type);
  if (typeof value !== 'string' || !value.isWellFormed() || value.includes('\0')) return null;
  return `'${value.replaceAll("'", "''")}'`;
}

function numberLiteral(value: number, type: DataType): string | null {
  if (isIntegral(type)) return String(value);
  if (!Number.isFinite(value)) return null;
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
