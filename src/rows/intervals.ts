/**
 * What a plan can at most do, found before a row is made: the interval of every expression and the bytes of
 * every write. Generators size their buffers by it and choose cheaper arithmetic where an interval is small.
 */
import { assert } from '../base/errors.ts';
import {
  type BinaryOp,
  type Expression,
  type Pools,
  type RowPlan,
  type Write,
  MAX_ROWS,
} from './row-format.ts';

/** The integer behind an expression's 64 bits lies in [min, max]; `ANY` says only that it is unsigned. */
export interface Interval {
  readonly min: bigint;
  readonly max: bigint;
}

const UNSIGNED_MAX = (1n << 64n) - 1n;
export const ANY: Interval = { min: 0n, max: UNSIGNED_MAX };

/** Longest text that a signed or unsigned 64-bit integer has. */
const MAX_INTEGER_DIGITS = 20;
const UUID_BYTES = 36;

/** What is known while reading writes in order. */
export interface Scope {
  readonly pools: Pools;
  /** Intervals of whole tables, once they were asked for. */
  readonly tables: (Interval | undefined)[];
  /** Interval of each local that was set so far. */
  readonly locals: (Interval | undefined)[];
}

export function newScope(plan: { readonly pools: Pools; readonly locals: number }): Scope {
  return {
    pools: plan.pools,
    tables: [],
    locals: new Array<Interval | undefined>(plan.locals).fill(undefined),
  };
}

/**
 * The interval of an expression. Where the exact result of an operation would leave the 64 bits it is `ANY`. A
 * negative minimum means that the bits are to be read as two's complement.
 */
export function intervalOf(expression: Expression, scope: Scope): Interval {
  switch (expression.op) {
    case 'constant':
      return { min: expression.value, max: expression.value };
    case 'row':
      return { min: 0n, max: BigInt(MAX_ROWS) - 1n };
    case 'draw':
    case 'mix':
    case 'finish':
      return ANY;
    case 'range':
      assert(expression.size >= 1n && expression.size <= UNSIGNED_MAX, `a range of ${expression.size}`);
      return { min: 0n, max: expression.size - 1n };
    case 'load':
      return tableInterval(expression.table, intervalOf(expression.index, scope), scope);
    case 'select':
      return union(intervalOf(expression.then, scope), intervalOf(expression.otherwise, scope));
    case 'local': {
      const known = scope.locals[expression.local];
      assert(known !== undefined, `local ${expression.local} is read before it is set`);
      return known;
    }
    case 'shiftLeft':
      return scaled(intervalOf(expression.of, scope), 1n << BigInt(expression.bits));
    case 'shiftRight': {
      const of = unsigned(intervalOf(expression.of, scope));
      const bits = BigInt(expression.bits);
      return { min: of.min >> bits, max: of.max >> bits };
    }
    default:
      return binaryInterval(
        expression.op,
        intervalOf(expression.left, scope),
        intervalOf(expression.right, scope),
      );
  }
}

function binaryInterval(op: BinaryOp, left: Interval, right: Interval): Interval {
  const [a, b] = [unsigned(left), unsigned(right)];
  switch (op) {
    case 'add':
      return fitted({ min: left.min + right.min, max: left.max + right.max });
    case 'subtract':
      return fitted({ min: left.min - right.max, max: left.max - right.min });
    case 'multiply': {
      const products = [
        left.min * right.min,
        left.min * right.max,
        left.max * right.min,
        left.max * right.max,
      ];
      return fitted({ min: least(products), max: greatest(products) });
    }
    case 'divide':
      assert(b.min > 0n, 'a divisor may be 0');
      return { min: a.min / b.max, max: a.max / b.min };
    case 'remainder':
      assert(b.min > 0n, 'a divisor may be 0');
      return { min: 0n, max: a.max < b.max - 1n ? a.max : b.max - 1n };
    case 'and':
      return { min: 0n, max: a.max < b.max ? a.max : b.max };
    case 'less':
      return { min: 0n, max: 1n };
    default: {
      // or, xor: no bit above the highest of both sides.
      const bits = BigInt((a.max > b.max ? a.max : b.max).toString(2).length);
      return { min: 0n, max: (1n << bits) - 1n };
    }
  }
}

function tableInterval(table: number, index: Interval, scope: Scope): Interval {
  const values = scope.pools.tables[table]?.values;
  assert(
    values !== undefined && index.min >= 0n && index.max < BigInt(values.length),
    `table ${table} is read outside`,
  );
  const isWhole = index.min === 0n && index.max === BigInt(values.length - 1);
  const known = scope.tables[table];
  if (isWhole && known !== undefined) return known;
  let [min, max] = [2 ** 32, 0];
  for (let at = Number(index.min); at <= Number(index.max); at += 1) {
    const value = values[at] ?? 0;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const interval = { min: BigInt(min), max: BigInt(max) };
  if (isWhole) scope.tables[table] = interval;
  return interval;
}

const union = (a: Interval, b: Interval): Interval =>
  fitted({ min: least([a.min, b.min]), max: greatest([a.max, b.max]) });
const scaled = (a: Interval, factor: bigint): Interval =>
  fitted({ min: a.min * factor, max: a.max * factor });
const unsigned = (a: Interval): Interval => (a.min < 0n ? ANY : a);
const least = (values: readonly bigint[]): bigint => values.reduce((a, b) => (b < a ? b : a));
const greatest = (values: readonly bigint[]): bigint => values.reduce((a, b) => (b > a ? b : a));

/** Keeps what 64 bits can say without wrapping: unsigned, or signed when the minimum is negative. */
function fitted(exact: Interval): Interval {
  if (exact.min >= 0n) return exact.max <= UNSIGNED_MAX ? exact : ANY;
  return exact.min >= -(1n << 63n) && exact.max < 1n << 63n ? exact : ANY;
}

/** The most bytes that the writes produce; also enters the locals that they set into the scope. */
export function maxBytesOf(writes: readonly Write[], scope: Scope): number {
  return writes.reduce((bytes, write) => bytes + maxBytesOfOne(write, scope), 0);
}

function maxBytesOfOne(write: Write, scope: Scope): number {
  switch (write.op) {
    case 'literal':
      return Buffer.byteLength(write.text);
    case 'pool':
      return maxPoolBytes(write.pool, intervalOf(write.index, scope), scope.pools);
    case 'decimal':
      return maxDecimalBytes(write, intervalOf(write.value, scope));
    case 'timestamp':
      return unsigned(intervalOf(write.value, scope)).max.toString().length;
    case 'hex':
      return write.digits;
    case 'uuid':
      return UUID_BYTES;
    case 'base62':
      return Number(unsigned(intervalOf(write.length, scope)).max);
    case 'bits':
      return write.length;
    case 'set':
      assert(scope.locals[write.local] === undefined, `local ${write.local} is set twice`);
      scope.locals[write.local] = intervalOf(write.value, scope);
      return 0;
    case 'if': {
      const then = maxBytesOf(write.then, scope);
      return Math.max(then, maxBytesOf(write.otherwise, scope));
    }
    case 'loop': {
      const count = Number(unsigned(intervalOf(write.count, scope)).max);
      const body = maxBytesOf(write.body, scope);
      return count === 0 ? 0 : count * body + (count - 1) * Buffer.byteLength(write.separator);
    }
  }
}

function maxPoolBytes(pool: number, index: Interval, pools: Pools): number {
  const entry = pools.pools[pool];
  assert(
    entry !== undefined && index.min >= 0n && index.max < BigInt(entry.count),
    `pool ${pool} is read outside`,
  );
  let longest = 0;
  for (let fragment = entry.first; fragment < entry.first + entry.count; fragment += 1) {
    longest = Math.max(longest, (pools.offsets[fragment + 1] ?? 0) - (pools.offsets[fragment] ?? 0));
  }
  return longest;
}

function maxDecimalBytes(write: { scale: number; signed: boolean; digits: number }, value: Interval): number {
  const point = write.scale > 0 ? 1 : 0;
  const digits = (least: number): number => Math.max(least, write.scale + 1, write.digits) + point;
  if (!write.signed) return digits(unsigned(value).max.toString().length);
  // A signed reading of bits that are only known to be unsigned may be any signed integer.
  if (value.max >= 1n << 63n) return digits(MAX_INTEGER_DIGITS) + 1;
  const longest = Math.max(value.max.toString().length, (-value.min).toString().replace('-', '').length);
  return digits(longest) + (value.min < 0n ? 1 : 0);
}

/** The most bytes of one row: brackets, values, commas. */
export function maxRowBytesOf(plan: RowPlan): number {
  const values = maxColumnBytesOf(plan).reduce((bytes, column) => bytes + column, 0);
  return values + Math.max(plan.columns.length, 1) + 1;
}

/** The most bytes of one value in each column. */
export function maxColumnBytesOf(plan: RowPlan): number[] {
  const scope = newScope(plan);
  const prologue = maxBytesOf(plan.prologue, scope);
  assert(prologue === 0, 'a prologue writes nothing');
  return plan.columns.map((column) => maxBytesOf(column.writes, scope));
}
