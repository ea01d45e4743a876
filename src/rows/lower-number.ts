/** Generators whose value is one integer (a decimal is one with its scale), as expressions. */
import { assert } from '../base/errors.ts';
import {
  EXPONENTIAL_ONE,
  NORMAL_ONE,
  QUANTILE_CELLS,
  SINE_STEPS,
  TAIL_CELLS,
  TAIL_PARTS,
} from './distributions.ts';
import {
  add,
  and,
  constant,
  divide,
  draw,
  finish,
  happens,
  less,
  load,
  multiply,
  range,
  remainder,
  select,
  shiftRight,
  subtract,
} from './expressions.ts';
import { ELEMENT_STEP, keyOf } from './hashing.ts';
import type { Lowering } from './lowering.ts';
import type { TableSource } from './pool-needs.ts';
import type { Expression, Write } from './row-format.ts';
import type { Generator, SeriesGenerator } from './schema.ts';

/** An integer, what must be written before it is read, and how many of its digits stand behind the point. */
export interface LoweredNumber {
  readonly before: readonly Write[];
  readonly value: Expression;
  readonly scale: number;
}

/** Bits of interpolation between two nodes of a quantile table: node · 2^20 stays exact in a double. */
const FRACTION_BITS = 20;
const FRACTION_ONE = 2 ** FRACTION_BITS;

const DAY_MS = 86_400_000;

/** The sub-steps of a series' sum: fractions of its smallest unit, cut at the end. */
const SERIES_BITS = 8;

/** The number that a generator makes of the row, or null if it makes something else. */
export function lowerNumber(generator: Generator, path: string, lowering: Lowering): LoweredNumber | null {
  const plain = (value: Expression, scale = 0): LoweredNumber => ({ before: [], value, scale });
  switch (generator.kind) {
    case 'integer':
      return plain(uniform(path, generator.min, generator.max));
    case 'decimal':
      return plain(uniform(path, generator.min, generator.max), generator.scale);
    case 'normal':
      return normal(generator, path, lowering);
    case 'exponential':
      return exponential(generator, path, lowering);
    case 'zipf': {
      const { ranks, exponent, from } = generator;
      const { before, index } = aliasIndex({ kind: 'zipf', ranks, exponent }, path, lowering);
      return { before, value: add(index, from), scale: 0 };
    }
    case 'series':
      return plain(series(generator, path, lowering), generator.scale ?? 0);
    case 'complement':
      return plain(complement(generator.total, generator.of, lowering));
    default:
      return null;
  }
}

/** Every whole number from min to max alike. */
export function uniform(path: string, min: number, max: number): Expression {
  return add(range(draw(path), BigInt(max) - BigInt(min) + 1n), min);
}

/** The entry that a weighted choice takes: a cell, or with what is left of its share the cell's alias. */
export function aliasIndex(
  source: TableSource,
  path: string,
  lowering: Lowering,
): { before: Write[]; index: Expression } {
  const { table, length } = lowering.table(source);
  const count = length / 2;
  const before: Write[] = [];
  const bits = lowering.keep(before, draw(path));
  const cell = lowering.keep(before, range(bits, count));
  const low = and(bits, 2 ** 32 - 1);
  return { before, index: select(less(low, load(table, cell)), cell, load(table, add(cell, count))) };
}

/**
 * Looks up a quantile table (see distributions.ts): `bits` is a share of 2^63 or 2^64, whose top ten bits name a
 * cell of the coarse part; the last cells have a part of their own with 256 nodes each.
 */
function quantile(
  table: number,
  bits: Expression,
  topBit: number,
  before: Write[],
  lowering: Lowering,
): Expression {
  const cellShift = topBit - 10;
  const partShift = cellShift - 8;
  const cell = lowering.keep(before, and(shiftRight(bits, cellShift), QUANTILE_CELLS - 1));
  const isTail = less(cell, TAIL_CELLS);
  const tailNode = add(and(shiftRight(bits, partShift), TAIL_CELLS * TAIL_PARTS - 1), QUANTILE_CELLS + 1);
  const fractionAt = (shift: number): Expression =>
    and(shiftRight(bits, shift - FRACTION_BITS), FRACTION_ONE - 1);
  const node = lowering.keep(before, select(isTail, tailNode, cell));
  const fraction = lowering.keep(before, select(isTail, fractionAt(partShift), fractionAt(cellShift)));
  return shiftRight(
    add(
      multiply(load(table, node), subtract(constant(FRACTION_ONE), fraction)),
      multiply(load(table, add(node, 1)), fraction),
    ),
    FRACTION_BITS,
  );
}

function normal(generator: Generator & { kind: 'normal' }, path: string, lowering: Lowering): LoweredNumber {
  const before: Write[] = [];
  const bits = lowering.keep(before, draw(path));
  const { table } = lowering.table({ kind: 'normal' });
  const deviations = quantile(table, bits, 63, before, lowering);
  const distance = lowering.keep(
    before,
    shiftRight(multiply(deviations, generator.deviation), Math.log2(NORMAL_ONE)),
  );
  const mean = constant(generator.mean);
  const value = select(shiftRight(bits, 63), subtract(mean, distance), add(mean, distance));
  return { before, value, scale: generator.scale };
}

function exponential(
  generator: Generator & { kind: 'exponential' },
  path: string,
  lowering: Lowering,
): LoweredNumber {
  const before: Write[] = [];
  const bits = lowering.keep(before, draw(path));
  const { table } = lowering.table({ kind: 'exponential' });
  const means = quantile(table, bits, 64, before, lowering);
  const distance = shiftRight(multiply(means, generator.mean), Math.log2(EXPONENTIAL_ONE));
  return { before, value: add(distance, generator.min), scale: generator.scale };
}

/** Level, day, slow and quick noise and spikes, added in 2^-8 of the smallest unit. */
function series(generator: SeriesGenerator, path: string, lowering: Lowering): Expression {
  const { level, day = 0, noise = [], jitter = 0, spike } = generator;
  const entityDraw = (name: string): Expression =>
    finish(add(lowering.entityKey(), constant(keyOf(`${path}\0${name}`))));
  const levels = BigInt(level.max - level.min) * BigInt(2 ** SERIES_BITS) + 1n;
  const terms = [add(range(entityDraw('level'), levels), level.min * 2 ** SERIES_BITS)];
  // A wave is 0…2^16: its share of an amplitude in 2^-8 is amplitude · wave >> 8.
  if (day > 0) terms.push(amplitudeOf(daySine(lowering), day));
  noise.forEach(({ amplitude, ticks }, octave) => {
    terms.push(amplitudeOf(lattice(entityDraw(`noise ${octave}`), ticks, lowering), amplitude));
  });
  if (jitter > 0) terms.push(amplitudeOf(shiftRight(draw(`${path}\0jitter`), 48), jitter));
  if (spike !== undefined) {
    const isSpike = happens(draw(`${path}\0spike`), spike.share);
    terms.push(multiply(isSpike, spike.height * 2 ** SERIES_BITS));
  }
  const sum = terms.reduce((left, right) => add(left, right));
  return shiftRight(sum, SERIES_BITS);
}

function amplitudeOf(wave: Expression, amplitude: number): Expression {
  return shiftRight(multiply(wave, amplitude), 16 - SERIES_BITS);
}

/** One wave a day, in each entity up to 90 minutes later: machines of one place, but not in step. */
function daySine(lowering: Lowering): Expression {
  return lowering.shared('daySine', () => {
    const turn = multiply(lowering.timeMs(), constant(2n ** 64n / BigInt(DAY_MS)));
    const phase = shiftRight(add(turn, shiftRight(lowering.entityKey(), 4)), 64 - Math.log2(SINE_STEPS));
    return load(lowering.table({ kind: 'sine' }).table, phase);
  });
}

/** Hashed values 0…2^16 − 1 every `ticks` ticks, a straight line between two of them. */
function lattice(key: Expression, ticks: number, lowering: Lowering): Expression {
  const cell = lowering.shared(`lattice cell ${ticks}`, () => divide(lowering.tick(), ticks));
  const within = lowering.shared(`lattice within ${ticks}`, () => remainder(lowering.tick(), ticks));
  const node = (offset: number): Expression =>
    shiftRight(finish(add(key, multiply(add(cell, offset), constant(ELEMENT_STEP)))), 48);
  return divide(add(multiply(node(0), subtract(constant(ticks), within)), multiply(node(1), within)), ticks);
}

/** The whole less the other columns, whose values are then shared with their own columns. */
function complement(total: number, of: readonly string[], lowering: Lowering): Expression {
  const others = of.map((name) => {
    const value = sharedColumn(name, lowering);
    assert(value !== null, `the column ${name} is no number that can be shared`);
    return value;
  });
  return subtract(
    constant(total),
    others.reduce((left, right) => add(left, right), constant(0)),
  );
}

/** The value of a top-level integer column, kept for all who need it; null if it is none. */
export function sharedColumn(name: string, lowering: Lowering): Expression | null {
  const column = lowering.schema.columns.find((candidate) => candidate.name === name);
  const generator = column?.generator;
  if (generator === undefined || generator === null) return null;
  const number = lowerNumber(generator, name, lowering);
  if (number === null || number.before.length > 0) return null;
  return lowering.shared(`column ${name}`, () => number.value);
}
