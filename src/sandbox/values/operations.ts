/** Typed values at work: comparison, arithmetic and conversion between types while a statement runs. */
import { castValue } from './casts.ts';
import { compareDecimals, decimalText, parseDecimal, roundToScale, type Decimal } from './decimal.ts';
import { invalid } from '../failure.ts';
import { valueText } from './java-text.ts';
import { isJsonArray, isJsonObject, JavaDouble, shrink, toDouble, type Json } from './json.ts';
import { BIGINT, DOUBLE, INTEGER, type DataType, type Kind } from './types.ts';

/** An expression ready to run: typed values in, a typed value out. Doubles are plain numbers here. */
export interface Compiled {
  readonly type: DataType;
  readonly evaluate: (row: Row) => Json;
  /** The value where it does not depend on a row. */
  readonly constant: { readonly value: Json } | null;
}

export type Row = readonly Json[];

const INTEGERS: readonly Kind[] = ['byte', 'smallint', 'integer', 'bigint', 'timestamptz', 'timestamp'];
const FLOATING: readonly Kind[] = ['real', 'double'];

export function isIntegral(type: DataType): boolean {
  return INTEGERS.includes(type.kind);
}

export function isFloating(type: DataType): boolean {
  return FLOATING.includes(type.kind);
}

export function isNumeric(type: DataType): boolean {
  return isIntegral(type) || isFloating(type) || type.kind === 'numeric';
}

/** A typed value in the form in which casts tell doubles from integers. */
export function asParameter(value: Json, type: DataType): Json {
  if (typeof value === 'number' && isFloating(type)) return toDouble(value);
  return value;
}

/** A parameter or literal in the form of its type. */
export function fromParameter(value: Json): Json {
  return value instanceof JavaDouble ? value.value : value;
}

/** The value as the other type holds it. Throws 4000 when it cannot. */
export function convert(value: Json, from: DataType, to: DataType): Json {
  if (value === null || from.kind === to.kind) return value;
  if (from.kind === 'numeric' && isFloating(to)) return Number(value);
  return castValue(asParameter(value, from), to);
}

/** Orders two values of one type: negative, 0 or positive. Nulls are the caller's business. */
export function compareValues(left: Json, right: Json, type: DataType): number {
  if (type.kind === 'numeric') return compareDecimals(decimalOf(left), decimalOf(right));
  if (isFloating(type)) return compareDoubles(Number(left), Number(right));
  if (isJsonArray(left) && isJsonArray(right)) return compareArrays(left, right, type);
  if (isJsonObject(left) && isJsonObject(right)) return compareObjects(left, right);
  if (left === right || left === null || right === null) return 0;
  if (typeof left === 'boolean' || typeof right === 'boolean') return Number(left) - Number(right);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Java's order: NaN above everything, -0.0 below 0.0. */
function compareDoubles(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right) return Object.is(left, right) ? 0 : Object.is(left, -0) ? -1 : 1;
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

function compareArrays(left: readonly Json[], right: readonly Json[], type: DataType): number {
  const element = type.kind === 'array' ? type.element : DOUBLE;
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const order = compareValues(left[at] ?? null, right[at] ?? null, element);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareObjects(left: Json, right: Json): number {
  return canonical(left) === canonical(right) ? 0 : 1;
}

/** Text that is equal for equal values, whatever the order of keys. */
export function canonical(value: Json): string {
  if (value instanceof JavaDouble) return String(value.value);
  if (isJsonArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (isJsonObject(value)) {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join(',')}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function decimalOf(value: Json): Decimal {
  return parseDecimal(valueText(value)) ?? { unscaled: 0n, scale: 0 };
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^';

/** The type that arithmetic on two types gives. */
export function arithmeticType(left: DataType, right: DataType, operator: ArithmeticOperator): DataType {
  if (operator === '^') return DOUBLE;
  if (left.kind === 'numeric' || right.kind === 'numeric')
    return { kind: 'numeric', precision: null, scale: null };
  if (left.kind === 'double' || right.kind === 'double') return DOUBLE;
  if (isFloating(left) || isFloating(right)) return left.kind === right.kind ? left : DOUBLE;
  const isWide = [left, right].some((type) => ['bigint', 'timestamptz', 'timestamp'].includes(type.kind));
  return isWide ? BIGINT : INTEGER;
}

/** Two non-null operands of the result's type. Throws on division by zero and on overflow. */
export function calculate(operator: ArithmeticOperator, left: Json, right: Json, type: DataType): Json {
  if (type.kind === 'numeric') return calculateDecimal(operator, decimalOf(left), decimalOf(right));
  if (isFloating(type)) return calculateDouble(operator, Number(left), Number(right));
  const [a, b] = [
    BigInt(Number.isSafeInteger(left) ? Number(left) : valueText(left)),
    BigInt(valueText(right)),
  ];
  if ((operator === '/' || operator === '%') && b === 0n) throw invalid('/ by zero');
  const result = calculateInteger(operator, a, b);
  const bits = type.kind === 'bigint' ? 64 : 32;
  if (BigInt.asIntN(bits, result) !== result)
    throw invalid(`${type.kind === 'bigint' ? 'long' : 'integer'} overflow`);
  return shrink(result);
}

function calculateInteger(operator: ArithmeticOperator, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    default:
      return a % b;
  }
}

function calculateDouble(operator: ArithmeticOperator, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '^':
      return a ** b;
  }
}

/** Digits that a division of decimals keeps. */
const DIVISION_SCALE = 16;

function calculateDecimal(operator: ArithmeticOperator, a: Decimal, b: Decimal): string {
  if (operator === '*') return decimalText({ unscaled: a.unscaled * b.unscaled, scale: a.scale + b.scale });
  if (operator === '/' || operator === '%') {
    if (b.unscaled === 0n) throw invalid('/ by zero');
    const wide = roundToScale(a, DIVISION_SCALE + b.scale + Math.max(0, a.scale));
    const scale = wide.scale - b.scale;
    if (operator === '/')
      return decimalText(roundToScale({ unscaled: wide.unscaled / b.unscaled, scale }, DIVISION_SCALE));
  }
  const scale = Math.max(a.scale, b.scale);
  const [x, y] = [roundToScale(a, scale).unscaled, roundToScale(b, scale).unscaled];
  return decimalText({ unscaled: operator === '+' ? x + y : operator === '-' ? x - y : x % y, scale });
}
