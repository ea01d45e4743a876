/** Expressions of a statement made ready to run against rows, with CrateDB's three-valued logic and types. */
import type { BinaryOperator, Expression, Select } from '../sql/ast.ts';
import { castValue, compileCast } from '../values/casts.ts';
import { SqlFailure, columnUnknown, invalid, unsupported } from '../failure.ts';
import { resolveFunction, type Environment } from './functions.ts';
import { formatExpression, literalText } from './format.ts';
import { valueText } from '../values/java-text.ts';
import { isJsonArray, isJsonObject, type Json } from '../values/json.ts';
import { fieldType } from './catalog.ts';
import {
  BIGINT,
  BOOLEAN,
  TEXT,
  UNDEFINED,
  arrayOf,
  guessType,
  isConvertible,
  mergeTypes,
  objectOf,
  typeName,
  type DataType,
  type ObjectType,
} from '../values/types.ts';
import {
  arithmeticType,
  asParameter,
  calculate,
  compareValues,
  convert,
  fromParameter,
  isNumeric,
  type ArithmeticOperator,
  type Compiled,
  type Row,
} from '../values/operations.ts';

export interface Slot {
  readonly index: number;
  readonly type: DataType;
}

/** Names that an expression may use, and where a row has them. */
export interface Scope {
  resolve(qualifier: string | null, name: string): Slot | null;
  /** True where an unknown column is to be named as missing; used by `*` and messages. */
  readonly columns: readonly { readonly name: string; readonly type: DataType }[];
}

export interface CompileContext {
  readonly scope: Scope;
  readonly params: readonly Json[];
  readonly environment: Environment;
  /** Group keys and aggregates that were computed before, by their text. */
  readonly slots: ReadonlyMap<string, Slot>;
  /** Rows of a sub-select, first column. */
  readonly runSelect: (select: Select) => { readonly type: DataType; readonly values: readonly Json[] };
}

export const NO_COLUMNS: Scope = { resolve: () => null, columns: [] };

/** Throws the failure of an unknown column, function or a type that does not fit. */
export function compileExpression(expression: Expression, context: CompileContext): Compiled {
  const slot = context.slots.size > 0 ? context.slots.get(formatExpression(expression, 'answer')) : undefined;
  if (slot !== undefined) return fromSlot(slot);
  const inner = (part: Expression): Compiled => compileExpression(part, context);
  switch (expression.kind) {
    case 'literal':
      return constantOf(fromParameter(expression.value), expression.type);
    case 'param':
      return parameter(expression.index, context.params);
    case 'column':
      return column(expression.qualifier, expression.name, context.scope);
    case 'subscript':
      return subscript(inner(expression.base), inner(expression.index), expression);
    case 'call':
      return functionCall(expression.name, expression.args, inner, context.environment);
    case 'star':
      throw invalid('Unsupported expression *');
    case 'binary':
      return binary(expression.operator, inner(expression.left), inner(expression.right));
    case 'not':
      return derived(BOOLEAN, [inner(expression.operand)], ([value = null]) =>
        value === null ? null : value !== true,
      );
    case 'negate': {
      const operand = inner(expression.operand);
      return arithmetic('-', constantOf(0, operand.type), operand);
    }
    case 'isNull':
      return derived(
        BOOLEAN,
        [inner(expression.operand)],
        ([value = null]) => (value === null) !== expression.negated,
      );
    case 'in':
      return negatedIf(
        expression.negated,
        anyOf('=', inner(expression.operand), listOf(expression.list.map(inner)), false),
      );
    case 'inSelect': {
      const result = context.runSelect(expression.select);
      return negatedIf(
        expression.negated,
        anyOf('=', inner(expression.operand), constantOf(result.values, arrayOf(result.type)), false),
      );
    }
    case 'between': {
      const operand = inner(expression.operand);
      const above = binary('>=', operand, inner(expression.low));
      return negatedIf(
        expression.negated,
        binary('and', above, binary('<=', operand, inner(expression.high))),
      );
    }
    case 'any':
      return anyOf(expression.operator, inner(expression.left), inner(expression.array), expression.all);
    case 'cast':
      return cast(inner(expression.operand), expression.type, expression.lenient);
    case 'array':
      return listOf(expression.items.map(inner));
    case 'object':
      return objectValue(expression.entries.map(([key, value]) => [key, inner(value)] as const));
    case 'case':
      return caseOf(expression, inner);
    case 'scalar': {
      const result = context.runSelect(expression.select);
      if (result.values.length > 1) throw invalid("Subquery returned more than 1 row when it shouldn't.");
      return constantOf(result.values[0] ?? null, result.type);
    }
  }
}

export function constantOf(value: Json, type: DataType): Compiled {
  return { type, evaluate: () => value, constant: { value } };
}

function fromSlot(slot: Slot): Compiled {
  return { type: slot.type, evaluate: (row) => row[slot.index] ?? null, constant: null };
}

function parameter(index: number, params: readonly Json[]): Compiled {
  const value = params[index];
  if (value === undefined) throw missingParameter(index, params.length);
  return constantOf(fromParameter(value), guessType(value));
}

export function missingParameter(index: number, given: number): Error {
  return invalid(
    `The query contains a parameter placeholder $${index + 1}, but there are only ${given} parameter values`,
  );
}

function column(qualifier: string | null, name: string, scope: Scope): Compiled {
  const slot = scope.resolve(qualifier, name);
  if (slot === null) throw columnUnknown(name);
  return fromSlot(slot);
}

/** Constant as soon as every part is. */
function derived(
  type: DataType,
  parts: readonly Compiled[],
  apply: (values: readonly Json[]) => Json,
): Compiled {
  if (parts.every((part) => part.constant !== null)) {
    return constantOf(apply(parts.map((part) => part.constant?.value ?? null)), type);
  }
  return { type, constant: null, evaluate: (row) => apply(parts.map((part) => part.evaluate(row))) };
}

function negatedIf(negated: boolean, compiled: Compiled): Compiled {
  return negated
    ? derived(BOOLEAN, [compiled], ([value = null]) => (value === null ? null : value !== true))
    : compiled;
}

function subscript(base: Compiled, index: Compiled, expression: Expression): Compiled {
  const key = index.constant?.value ?? null;
  if (typeof key === 'string') {
    const type = fieldType(base.type, [key]);
    if (knownObject(base.type)?.fields.has(key) === false)
      throw columnUnknown(formatExpression(expression, 'answer'));
    return derived(type, [base], ([value = null]) => member(value, key));
  }
  const type = base.type.kind === 'array' ? base.type.element : UNDEFINED;
  return derived(type, [base, index], ([list = null, at = null]) =>
    isJsonArray(list) ? (list[Number(at) - 1] ?? null) : null,
  );
}

/** The object whose keys are all known: those of a column, unless it takes anything. */
function knownObject(type: DataType): ObjectType | null {
  const inner = type.kind === 'array' ? type.element : type;
  return inner.kind === 'object' && inner.policy !== 'ignored' ? inner : null;
}

/** A key of an object, or of every object of an array. */
function member(value: Json, key: string): Json {
  if (isJsonArray(value)) return value.map((item) => member(item, key));
  return isJsonObject(value) && Object.hasOwn(value, key) ? (value[key] ?? null) : null;
}

function functionCall(
  name: string,
  parts: readonly Expression[],
  inner: (part: Expression) => Compiled,
  environment: Environment,
): Compiled {
  const args = parts.map(inner);
  const texts = parts.map((part) => formatExpression(part, 'answer'));
  const found = resolveFunction(
    name,
    args.map((argument) => argument.type),
    texts,
    environment,
  );
  if (!found.deterministic) return { type: found.type, constant: null, evaluate: () => found.apply([]) };
  return derived(found.type, args, found.apply);
}

function binary(operator: BinaryOperator, left: Compiled, right: Compiled): Compiled {
  switch (operator) {
    case 'and':
      return logical(left, right, false);
    case 'or':
      return logical(left, right, true);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '^':
      return arithmetic(operator, left, right);
    case '||':
      return derived(TEXT, [textOf(left), textOf(right)], ([a = null, b = null]) =>
        a === null || b === null ? null : `${valueText(a)}${valueText(b)}`,
      );
    case 'like':
    case 'ilike':
      return derived(BOOLEAN, [textOf(left), textOf(right)], ([text = null, pattern = null]) =>
        text === null || pattern === null
          ? null
          : likePattern(valueText(pattern), operator === 'ilike').test(valueText(text)),
      );
    case '~':
    case '~*':
      return derived(BOOLEAN, [left, right], ([text = null, pattern = null]) =>
        text === null || pattern === null
          ? null
          : new RegExp(`^(?:${valueText(pattern)})$`, operator === '~*' ? 'iu' : 'u').test(valueText(text)),
      );
    default:
      return comparison(operator, left, right);
  }
}

/** AND and OR: the deciding value wins over null. */
function logical(left: Compiled, right: Compiled, deciding: boolean): Compiled {
  return derived(BOOLEAN, [left, right], ([a = null, b = null]) => {
    if (a === deciding || b === deciding) return deciding;
    return a === null || b === null ? null : !deciding;
  });
}

function arithmetic(operator: ArithmeticOperator, left: Compiled, right: Compiled): Compiled {
  const sides = [left, right].map((side) =>
    side.type.kind === 'text' && side.constant !== null ? cast(side, BIGINT, false) : side,
  );
  const [a = left, b = right] = sides;
  for (const side of [a, b]) {
    if (!isNumeric(side.type) && side.type.kind !== 'undefined')
      throw invalid(`Invalid arguments in: (${typeName(a.type)} ${operator} ${typeName(b.type)})`);
  }
  const type = arithmeticType(a.type, b.type, operator);
  return derived(type, [a, b], ([x = null, y = null]) => {
    if (x === null || y === null) return null;
    return calculate(operator, numericOperand(x, a.type, type), numericOperand(y, b.type, type), type);
  });
}

function numericOperand(value: Json, from: DataType, to: DataType): Json {
  return to.kind === 'numeric' ? valueText(value) : convert(value, from, to);
}

function textOf(operand: Compiled): Compiled {
  return operand.type.kind === 'text' ? operand : cast(operand, TEXT, false);
}

/** `%` and `_` as wildcards, `\` before a wildcard that means itself. */
function likePattern(pattern: string, ignoreCase: boolean): RegExp {
  const source = pattern.replace(/\\([\s\S])|[\s\S]/g, (character, escaped?: string) => {
    if (escaped === undefined && character === '%') return '[\\s\\S]*';
    if (escaped === undefined && character === '_') return '[\\s\\S]';
    return (escaped ?? character).replace(/[.*+?^${}()|[\]\\/-]/, '\\$&');
  });
  return new RegExp(`^${source}$`, ignoreCase ? 'i' : '');
}

/** The type in which two operands are compared: constants follow the column they meet. */
export function comparisonType(left: Compiled, right: Compiled): DataType {
  if (left.type.kind === right.type.kind && left.type.kind !== 'array') return left.type;
  if (isNumeric(left.type) && isNumeric(right.type)) return mergeTypes(left.type, right.type);
  if (right.constant !== null && left.constant === null && isConvertible(right.type, left.type))
    return left.type;
  if (left.constant !== null && right.constant === null && isConvertible(left.type, right.type))
    return right.type;
  return mergeTypes(left.type, right.type);
}

function comparison(operator: BinaryOperator, left: Compiled, right: Compiled): Compiled {
  const type = comparisonType(left, right);
  const [a, b] = [cast(left, type, false), cast(right, type, false)];
  const test = comparator(operator);
  return derived(BOOLEAN, [a, b], ([x = null, y = null]) =>
    x === null || y === null ? null : test(compareValues(x, y, type)),
  );
}

function comparator(operator: BinaryOperator): (order: number) => boolean {
  switch (operator) {
    case '=':
      return (order) => order === 0;
    case '<>':
      return (order) => order !== 0;
    case '<':
      return (order) => order < 0;
    case '<=':
      return (order) => order <= 0;
    case '>':
      return (order) => order > 0;
    case '>=':
      return (order) => order >= 0;
    default:
      throw unsupported(`Operator ${operator} is not supported here`);
  }
}

/** `left op ANY (array)`, which is also what IN means. */
function anyOf(operator: BinaryOperator, left: Compiled, array: Compiled, all: boolean): Compiled {
  const element = array.type.kind === 'array' ? array.type.element : UNDEFINED;
  const type = comparisonType(left, { ...array, type: element });
  const target = cast(left, type, false);
  const list = cast(array, arrayOf(type), false);
  const test = comparator(operator);
  return derived(BOOLEAN, [target, list], ([value = null, values = null]) => {
    if (value === null || !isJsonArray(values)) return null;
    const known = values.filter((item) => item !== null);
    const decides = known.some((item) => test(compareValues(value, item, type)) !== all);
    if (decides) return !all;
    return known.length < values.length ? null : all;
  });
}

function cast(operand: Compiled, type: DataType, lenient: boolean): Compiled {
  if (sameType(operand.type, type)) return operand;
  const apply = compileCast(type);
  const limit = type.kind === 'text' || type.kind === 'character' ? type.length : null;
  return derived(type, [operand], ([value = null]) => {
    if (value === null) return null;
    try {
      const result = castValue(asParameter(value, operand.type), type, apply);
      return limit !== null && typeof result === 'string' ? result.slice(0, limit) : fromParameter(result);
    } catch (error) {
      if (!(error instanceof SqlFailure)) throw error;
      if (lenient) return null;
      if (operand.constant === null) throw error;
      throw invalid(
        `Cannot cast \`${literalText(operand.constant.value, operand.type)}\` of type \`${typeName(operand.type)}\` to type \`${typeName(type)}\``,
      );
    }
  });
}

function sameType(a: DataType, b: DataType): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'array' && b.kind === 'array') return sameType(a.element, b.element);
  if (a.kind === 'object' && b.kind === 'object') return b.fields.size === 0 || a.fields === b.fields;
  return typeName(a) === typeName(b);
}

function listOf(items: readonly Compiled[]): Compiled {
  const element = items.reduce((type, item) => mergeTypes(type, item.type), UNDEFINED);
  return derived(arrayOf(element), items, (values) =>
    values.map((value, index) => convert(value, items[index]?.type ?? element, element)),
  );
}

function objectValue(entries: readonly (readonly [string, Compiled])[]): Compiled {
  const type = objectOf(
    'dynamic',
    entries.map(([key, value]) => [key, value.type] as const),
  );
  return derived(
    type,
    entries.map(([, value]) => value),
    (values) => {
      return Object.fromEntries(
        entries.map(([key, entry], index) => [key, asParameter(values[index] ?? null, entry.type)]),
      );
    },
  );
}

function caseOf(
  expression: Extract<Expression, { kind: 'case' }>,
  inner: (part: Expression) => Compiled,
): Compiled {
  const operand = expression.operand === null ? null : inner(expression.operand);
  const branches = expression.branches.map(([when, then]) => {
    const condition = inner(when);
    return { when: operand === null ? condition : comparison('=', operand, condition), then: inner(then) };
  });
  const otherwise = expression.otherwise === null ? constantOf(null, UNDEFINED) : inner(expression.otherwise);
  const results = [...branches.map((branch) => branch.then), otherwise];
  const type = results.reduce((merged, result) => mergeTypes(merged, result.type), UNDEFINED);
  const evaluate = (row: Row): Json => {
    const taken = branches.find((branch) => branch.when.evaluate(row) === true)?.then ?? otherwise;
    return convert(taken.evaluate(row), taken.type, type);
  };
  return { type, constant: null, evaluate };
}
