/**
 * Expressions of a row plan as closures. An expression whose interval lies within ±(2^53 − 1) becomes a plain
 * number where the arithmetic of doubles is exact; everything else works on two 32-bit halves.
 */
import { assert } from '../../base/errors.ts';
import { intervalOf } from '../intervals.ts';
import type { Interval, Scope } from '../intervals.ts';
import type { BinaryOp, Expression } from '../row-format.ts';
import * as wordOps from './words.ts';
import { HIGH, KEY_HIGH, KEY_LOW, LOW } from './words.ts';

/** Leaves its value in the accumulator. */
export type Wide = () => void;
export type Narrow = () => number;

/** What the closures of one generator share. `numbers[0]` is the row index, then the locals. */
export interface Machine {
  readonly scope: Scope;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
}

/** Words before the locals: accumulator and key. */
const RESERVED_WORDS = 4;

export function newMachine(scope: Scope): Machine {
  const locals = scope.locals.length;
  return {
    scope,
    words: new Int32Array(RESERVED_WORDS + 2 * locals),
    numbers: new Float64Array(1 + locals),
  };
}

const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);
const fits = (interval: Interval): boolean => interval.min >= -MAX_EXACT && interval.max <= MAX_EXACT;

/** Small sizes spread the high half alone: its product with the size is exact in a double. */
const SMALL_RANGE = 1n << 16n;

const boundsOf = (expression: Expression, machine: Machine): Interval =>
  intervalOf(expression, machine.scope);

/** Whether `compileNarrow` may be used. */
export function isNarrow(expression: Expression, machine: Machine): boolean {
  return fits(boundsOf(expression, machine));
}

/** The value as a number; only for expressions that `isNarrow`. */
export function compileNarrow(expression: Expression, machine: Machine): Narrow {
  assert(isNarrow(expression, machine), `a number was asked of ${expression.op}, whose values are larger`);
  const direct = directNarrow(expression, machine);
  if (direct !== null) return direct;
  const { words } = machine;
  const wide = directWide(expression, machine);
  return () => {
    wide();
    return wordOps.toNumber(words);
  };
}

/** The value in the accumulator, for any expression. */
export function compileWide(expression: Expression, machine: Machine): Wide {
  const direct = isNarrow(expression, machine) ? directNarrow(expression, machine) : null;
  if (direct === null) return directWide(expression, machine);
  const { words } = machine;
  return () => wordOps.setNumber(words, direct());
}

/** Whether the value is not 0. */
export function compileTruth(expression: Expression, machine: Machine): () => boolean {
  if (isNarrow(expression, machine)) {
    const value = compileNarrow(expression, machine);
    return () => value() !== 0;
  }
  const { words } = machine;
  const value = compileWide(expression, machine);
  return () => {
    value();
    return words[HIGH] !== 0 || words[LOW] !== 0;
  };
}

/** Stores a value in its local: as a number if it is narrow, else as two words. */
export function compileSet(local: number, value: Expression, machine: Machine): () => void {
  const { words, numbers } = machine;
  if (isNarrow(value, machine)) {
    const narrow = compileNarrow(value, machine);
    return () => {
      numbers[1 + local] = narrow();
    };
  }
  const wide = compileWide(value, machine);
  const place = RESERVED_WORDS + 2 * local;
  return () => {
    wide();
    words[place] = words[HIGH] ?? 0;
    words[place + 1] = words[LOW] ?? 0;
  };
}

/** The forms that never leave exact doubles, or null. */
function directNarrow(expression: Expression, machine: Machine): Narrow | null {
  const { words, numbers } = machine;
  switch (expression.op) {
    case 'constant': {
      const value = Number(expression.value);
      return () => value;
    }
    case 'row':
      return () => numbers[0] ?? 0;
    case 'local': {
      const place = 1 + expression.local;
      return () => numbers[place] ?? 0;
    }
    case 'load':
      return narrowLoad(expression.table, expression.index, machine);
    case 'range': {
      if (expression.size > SMALL_RANGE) return null;
      const size = Number(expression.size);
      const of = compileWide(expression.of, machine);
      return () => {
        of();
        return Math.floor((((words[HIGH] ?? 0) >>> 0) * size) / 2 ** 32);
      };
    }
    case 'shiftRight':
      return narrowShiftRight(expression.of, expression.bits, machine);
    case 'shiftLeft': {
      if (!isNarrow(expression.of, machine)) return null;
      const of = compileNarrow(expression.of, machine);
      const factor = 2 ** expression.bits;
      return () => of() * factor;
    }
    case 'select': {
      if (!isNarrow(expression.then, machine) || !isNarrow(expression.otherwise, machine)) return null;
      const when = compileTruth(expression.when, machine);
      const then = compileNarrow(expression.then, machine);
      const otherwise = compileNarrow(expression.otherwise, machine);
      return () => (when() ? then() : otherwise());
    }
    case 'draw':
    case 'mix':
    case 'finish':
      return null;
    default:
      return narrowBinary(expression.op, expression.left, expression.right, machine);
  }
}

function narrowLoad(table: number, index: Expression, machine: Machine): Narrow {
  const values = machine.scope.pools.tables[table]?.values ?? new Uint32Array(0);
  const place = compileNarrow(index, machine);
  return () => values[place()] ?? 0;
}

function narrowShiftRight(of: Expression, bits: number, machine: Machine): Narrow | null {
  const { words } = machine;
  if (isNarrow(of, machine) && boundsOf(of, machine).min >= 0n) {
    const value = compileNarrow(of, machine);
    const divisor = 2 ** bits;
    return () => Math.floor(value() / divisor);
  }
  if (bits < 32) return null;
  const wide = compileWide(of, machine);
  return () => {
    wide();
    return ((words[HIGH] ?? 0) >>> 0) >>> (bits - 32);
  };
}

function narrowBinary(
  op: BinaryOp,
  leftOf: Expression,
  rightOf: Expression,
  machine: Machine,
): Narrow | null {
  const [leftBounds, rightBounds] = [boundsOf(leftOf, machine), boundsOf(rightOf, machine)];
  const isMask = rightBounds.min >= 0n && rightBounds.max < 2n ** 32n;
  if (op === 'and' && rightOf.op === 'constant' && isMask && leftBounds.max >= 2n ** 32n) {
    return lowBits(leftOf, Number(rightOf.value), machine);
  }
  if (!fits(leftBounds) || !fits(rightBounds)) return null;
  const signed = op === 'add' || op === 'subtract' || op === 'multiply';
  if (!signed && (leftBounds.min < 0n || rightBounds.min < 0n)) return null;
  const bitwise = op === 'and' || op === 'or' || op === 'xor';
  if (bitwise && (leftBounds.max >= 2n ** 32n || rightBounds.max >= 2n ** 32n)) return null;

  const left = compileNarrow(leftOf, machine);
  const right = compileNarrow(rightOf, machine);
  switch (op) {
    case 'add':
      return () => left() + right();
    case 'subtract':
      return () => left() - right();
    case 'multiply':
      return () => left() * right();
    case 'divide':
      // Exact below 2^53: the quotient is at least 1/divisor away from the next whole number.
      return () => Math.floor(left() / right());
    case 'remainder':
      return () => {
        const value = left();
        const divisor = right();
        return value - Math.floor(value / divisor) * divisor;
      };
    case 'and':
      return () => (left() & right()) >>> 0;
    case 'or':
      return () => (left() | right()) >>> 0;
    case 'xor':
      return () => (left() ^ right()) >>> 0;
    case 'less':
      return () => (left() < right() ? 1 : 0);
  }
}

function lowBits(of: Expression, mask: number, machine: Machine): Narrow {
  const { words } = machine;
  const wide = compileWide(of, machine);
  return () => {
    wide();
    return ((words[LOW] ?? 0) & mask) >>> 0;
  };
}

/** The forms on two halves. */
function directWide(expression: Expression, machine: Machine): Wide {
  const { words } = machine;
  switch (expression.op) {
    case 'constant':
      return wideConstant(expression.value, words);
    case 'local':
      return wideLocal(expression.local, words);
    case 'draw':
      return wideDraw(expression.key, words);
    case 'mix':
      return after(expression.of, machine, () => wordOps.mix(words));
    case 'finish':
      return after(expression.of, machine, () => wordOps.finish(words));
    case 'shiftLeft': {
      const { bits } = expression;
      return after(expression.of, machine, () => wordOps.shiftLeft(words, bits));
    }
    case 'shiftRight': {
      const { bits } = expression;
      return after(expression.of, machine, () => wordOps.shiftRight(words, bits));
    }
    case 'range': {
      const [high, low] = [wordOps.highHalf(expression.size), wordOps.lowHalf(expression.size)];
      return after(expression.of, machine, () => wordOps.multiplyHigh(words, high, low));
    }
    case 'select': {
      const when = compileTruth(expression.when, machine);
      const then = compileWide(expression.then, machine);
      const otherwise = compileWide(expression.otherwise, machine);
      return () => (when() ? then() : otherwise());
    }
    case 'row':
    case 'load': {
      const narrow = compileNarrow(expression, machine);
      return () => wordOps.setNumber(words, narrow());
    }
    default:
      return wideBinary(expression.op, expression.left, expression.right, machine);
  }
}

function wideConstant(value: bigint, words: Int32Array): Wide {
  const [high, low] = [wordOps.highHalf(value), wordOps.lowHalf(value)];
  return () => {
    words[HIGH] = high;
    words[LOW] = low;
  };
}

function wideLocal(local: number, words: Int32Array): Wide {
  const place = RESERVED_WORDS + 2 * local;
  return () => {
    words[HIGH] = words[place] ?? 0;
    words[LOW] = words[place + 1] ?? 0;
  };
}

function wideDraw(key: bigint, words: Int32Array): Wide {
  const [high, low] = [wordOps.highHalf(key), wordOps.lowHalf(key)];
  return () => {
    words[HIGH] = words[KEY_HIGH] ?? 0;
    words[LOW] = words[KEY_LOW] ?? 0;
    wordOps.add(words, high, low);
    wordOps.finish(words);
  };
}

function after(of: Expression, machine: Machine, step: () => void): Wide {
  const first = compileWide(of, machine);
  return () => {
    first();
    step();
  };
}

function wideBinary(op: BinaryOp, leftOf: Expression, rightOf: Expression, machine: Machine): Wide {
  const { words } = machine;
  const left = compileWide(leftOf, machine);
  const right = compileWide(rightOf, machine);
  const combine = combiner(op, words);
  // The right side first: the left one may then stay in the accumulator.
  return () => {
    right();
    const high = words[HIGH] ?? 0;
    const low = words[LOW] ?? 0;
    left();
    combine(high, low);
  };
}

/** accumulator := accumulator op (high, low). */
function combiner(op: BinaryOp, words: Int32Array): (high: number, low: number) => void {
  switch (op) {
    case 'add':
      return (high, low) => wordOps.add(words, high, low);
    case 'subtract':
      // a − b = a + ~b + 1.
      return (high, low) => {
        wordOps.add(words, ~high, ~low);
        wordOps.add(words, 0, 1);
      };
    case 'multiply':
      return (high, low) => wordOps.multiply(words, high, low);
    case 'and':
      return (high, low) => setBoth(words, (words[HIGH] ?? 0) & high, (words[LOW] ?? 0) & low);
    case 'or':
      return (high, low) => setBoth(words, (words[HIGH] ?? 0) | high, (words[LOW] ?? 0) | low);
    case 'xor':
      return (high, low) => setBoth(words, (words[HIGH] ?? 0) ^ high, (words[LOW] ?? 0) ^ low);
    case 'less':
      return (high, low) => setBoth(words, 0, isLess(words, high, low) ? 1 : 0);
    case 'divide':
    case 'remainder':
      // Rare: plans divide small numbers.
      return (high, low) => {
        const left = wordOps.toBigInt(words);
        setBoth(words, high, low);
        const right = wordOps.toBigInt(words);
        const result = op === 'divide' ? left / right : left % right;
        setBoth(words, wordOps.highHalf(result), wordOps.lowHalf(result));
      };
  }
}

function isLess(words: Int32Array, high: number, low: number): boolean {
  const [leftHigh, rightHigh] = [(words[HIGH] ?? 0) >>> 0, high >>> 0];
  return leftHigh === rightHigh ? (words[LOW] ?? 0) >>> 0 < low >>> 0 : leftHigh < rightHigh;
}

function setBoth(words: Int32Array, high: number, low: number): void {
  words[HIGH] = high;
  words[LOW] = low;
}
