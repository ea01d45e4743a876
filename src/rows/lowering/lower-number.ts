/** Generators whose value is one integer (a decimal is one with its scale), as expressions. */
import { assert } from '../../base/errors.ts';
import { DAY_MS } from '../../base/units.ts';
import { intervalOf } from '../intervals.ts';
import {
  EXPONENTIAL_ONE,
  NORMAL_ONE,
  QUANTILE_CELLS,
  SINE_STEPS,
  TAIL_CELLS,
  TAIL_PARTS,
} from '../distributions.ts';
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
  ROW,
  select,
  shiftRight,
  subtract,
} from './expressions.ts';
import { FOLLOW_BITS, columnExtent, followFactor } from '../extents.ts';
import { ELEMENT_STEP, keyOf } from '../hashing.ts';
import {
  aliasIndex,
  bucketValue,
  otherRow,
  pickEntry,
  quantileOf,
  rankOf,
  zipfIndex,
} from './lower-ranks.ts';
import type { Drawn } from './lower-ranks.ts';
import type { Lowering } from './lowering.ts';
import { choiceSources } from '../pool-needs.ts';
import { MAX_ROWS } from '../row-format.ts';
import type { Expression, Write } from '../row-format.ts';
import type {
  ColumnType,
  Generator,
  RankedGenerator,
  ReferenceGenerator,
  SequenceGenerator,
  SeriesGenerator,
} from '../schema.ts';
import { sequencePeriod, wholeLimits } from '../type-limits.ts';
import type { Limits } from '../type-limits.ts';

/** An integer, what must be written before it is read, and how many of its digits stand behind the point. */
export interface LoweredNumber {
  readonly before: readonly Write[];
  readonly value: Expression;
  readonly scale: number;
}

/** Bits of interpolation between two nodes of a quantile table: node · 2^20 stays exact in a double. */
const FRACTION_BITS = 20;
const FRACTION_ONE = 2 ** FRACTION_BITS;

const WEEK_MS = 7 * DAY_MS;
/** Time began on a Thursday: a quarter turn, where the sine is highest, comes six and a half days later. */
const WEEK_PHASE = (2n ** 64n * 9n) / 28n;

/** The sub-steps of a series' sum: fractions of its smallest unit, cut at the end. */
const SERIES_BITS = 8;

/** The number that a generator makes of the row, or null if it makes something else. */
export function lowerNumber(
  generator: Generator,
  type: ColumnType,
  path: string,
  lowering: Lowering,
): LoweredNumber | null {
  const plain = (value: Expression, scale = 0): LoweredNumber => ({ before: [], value, scale });
  const drawn = ({ before, index }: Drawn, scale = 0): LoweredNumber => ({ before, value: index, scale });
  switch (generator.kind) {
    case 'integer':
      return plain(uniform(path, generator.min, generator.max));
    case 'decimal':
      return plain(uniform(path, generator.min, generator.max), generator.scale);
    case 'normal':
      return clamped(normal(generator, path, lowering), generator, lowering);
    case 'exponential': {
      const { max } = generator;
      return clamped(exponential(generator, path, lowering), max === undefined ? {} : { max }, lowering);
    }
    case 'zipf': {
      const { before, index } = zipfIndex(generator.ranks, generator.exponent, path, lowering);
      return { before, value: add(index, generator.from), scale: 0 };
    }
    case 'seq':
      return plain(ROW);
    case 'sequence':
      return plain(sequence(generator, wholeLimits(type)));
    case 'buckets':
      return drawn(bucketValue(generator.bounds, path, lowering), generator.scale);
    case 'ranked':
      return rankedNumber(generator, path, lowering);
    case 'series':
      return plain(series(generator, path, lowering), generator.scale ?? 0);
    case 'complement':
      return plain(complement(generator.total, generator.of, lowering));
    case 'reference':
      return referredNumber(generator, type, path, lowering);
    default:
      return null;
  }
}

/** The quantile of a rank; null where the first ranks have values of their own, or all are texts. */
function rankedNumber(generator: RankedGenerator, path: string, lowering: Lowering): LoweredNumber | null {
  const { of, distinct, values } = generator;
  if (of.kind !== 'quantiles' || values !== undefined) return null;
  const { before, rank } = rankOf(generator, path, lowering);
  return { before, value: quantileOf(rank, distinct, of, lowering), scale: of.scale };
}

/** The number of another table's row, if it is one. */
function referredNumber(
  { generator, path: column, ...target }: ReferenceGenerator,
  type: ColumnType,
  path: string,
  lowering: Lowering,
): LoweredNumber | null {
  const number = lowerNumber(generator, type, column, lowering);
  if (number === null) return null;
  const { before, other } = otherRow(target, path, lowering);
  const [needed, value] = [other.writes(number.before), other.expression(number.value)];
  return { before: [...before, ...needed], value, scale: number.scale };
}

/** start + step · row, which begins again where the limits end. */
export function sequence(generator: SequenceGenerator, limits: Limits): Expression {
  const period = sequencePeriod(generator, limits);
  const row = period < MAX_ROWS ? remainder(ROW, period) : ROW;
  return add(multiply(row, generator.step), generator.start);
}

/** What lies outside of the bounds becomes the bound. Comparisons are unsigned: they count from the lowest value. */
function clamped(
  number: LoweredNumber,
  { min, max }: { readonly min?: number; readonly max?: number },
  lowering: Lowering,
): LoweredNumber {
  const interval = intervalOf(number.value, lowering.scope);
  const [lowest, highest] = [Number(interval.min), Number(interval.max)];
  const isBelow = min !== undefined && min > lowest;
  const isAbove = max !== undefined && max < highest;
  if (!isBelow && !isAbove) return number;
  if (isBelow && min >= highest) return { ...number, value: constant(min) };
  if (isAbove && max <= lowest) return { ...number, value: constant(max) };
  const before = [...number.before];
  let value = subtract(number.value, lowest);
  if (isBelow) {
    const kept = lowering.keep(before, value);
    value = select(less(kept, min - lowest), constant(min - lowest), kept);
  }
  if (isAbove) {
    const kept = lowering.keep(before, value);
    value = select(less(kept, max - lowest), kept, constant(max - lowest));
  }
  return { before, value: add(value, lowest), scale: number.scale };
}

/** Every whole number from min to max alike. */
export function uniform(path: string, min: number, max: number): Expression {
  return add(range(draw(path), BigInt(max) - BigInt(min) + 1n), min);
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

/**
 * Level, day, week, slow and quick noise, spikes and what is followed, added in 2^-8 of the smallest unit. The sum is
 * counted from the lowest value, since it is cut by a shift, which negative numbers do not stand.
 */
function series(generator: SeriesGenerator, path: string, lowering: Lowering): Expression {
  const { per, level, day = 0, week = 0, noise = [], jitter = 0, spike } = generator;
  const owner = ownerOf(per, lowering);
  const ownDraw = (name: string): Expression => finish(add(owner.key, constant(keyOf(`${path}\0${name}`))));
  const levels = BigInt(level.max - level.min) * BigInt(2 ** SERIES_BITS) + 1n;
  const followed = followedBy(generator, lowering);
  const lowest = Math.min(level.min - Math.ceil(followed.middle / 2 ** SERIES_BITS), 0);
  const start = (level.min - lowest) * 2 ** SERIES_BITS - followed.middle;
  const terms = [add(range(ownDraw('level'), levels), start)];
  // A wave is 0…2^16: its share of an amplitude in 2^-8 is amplitude · wave >> 8.
  if (day > 0) terms.push(amplitudeOf(daySine(owner, lowering), day));
  if (week > 0) terms.push(amplitudeOf(weekSine(lowering), week));
  noise.forEach(({ amplitude, ticks }, octave) => {
    terms.push(amplitudeOf(lattice(ownDraw(`noise ${octave}`), ticks, lowering), amplitude));
  });
  if (jitter > 0) terms.push(amplitudeOf(shiftRight(draw(`${path}\0jitter`), 48), jitter));
  if (spike !== undefined) {
    const isSpike = happens(draw(`${path}\0spike`), spike.share);
    terms.push(multiply(isSpike, spike.height * 2 ** SERIES_BITS));
  }
  if (followed.term !== null) terms.push(followed.term);
  const sum = terms.reduce((left, right) => add(left, right));
  return add(shiftRight(sum, SERIES_BITS), lowest);
}

/** Whose level and noise a series has: 64 bits that belong to a value of the column, or to the row's entity. */
interface Owner {
  readonly name: string;
  readonly key: Expression;
}

function ownerOf(per: string | undefined, lowering: Lowering): Owner {
  if (per === undefined) return { name: 'entity', key: lowering.entityKey() };
  const column = lowering.schema.columns.find(({ name }) => name === per);
  const value = column?.generator == null ? null : identityOf(column.generator, per, lowering);
  assert(value !== null, `the column ${per} has no values that can have a level`);
  const name = `value of ${per}`;
  return { name, key: lowering.shared(name, () => lowering.keyOf(`column ${per}`, value)) };
}

/** What tells the values of a top-level column apart: the number of an entry, or the number that it is. */
function identityOf(generator: Generator, name: string, lowering: Lowering): Expression | null {
  switch (generator.kind) {
    case 'pool':
      return pickEntry(generator.pick, name, lowering.pool(generator.pool).count, lowering);
    case 'choice':
      return lowering.inPrologue(aliasIndex(choiceSources(generator.options).table, name, lowering));
    default:
      return sharedColumn(name, lowering)?.value ?? null;
  }
}

/** What a series adds for the column that it follows, from 0, and half of the most that this can be: in 2^-8. */
function followedBy(
  { follows, scale = 0 }: SeriesGenerator,
  lowering: Lowering,
): { term: Expression | null; middle: number } {
  if (follows === undefined) return { term: null, middle: 0 };
  const { columns } = lowering.schema;
  const [extent, followed] = [columnExtent(follows.column, columns), sharedColumn(follows.column, lowering)];
  assert(extent !== null && followed !== null, `the column ${follows.column} is no number`);
  const factor = followFactor(follows.share, { scale }, extent);
  const deviation =
    factor < 0 ? subtract(constant(extent.max), followed.value) : subtract(followed.value, extent.min);
  // It is not negative, which intervals do not always know.
  const mask = 2n ** BigInt(BigInt(extent.max - extent.min).toString(2).length) - 1n;
  const units = Math.abs(factor) * 2 ** FOLLOW_BITS;
  const most = (BigInt(extent.max - extent.min) * BigInt(units)) >> BigInt(FOLLOW_BITS - SERIES_BITS + 1);
  return {
    term: shiftRight(multiply(and(deviation, constant(mask)), units), FOLLOW_BITS - SERIES_BITS),
    middle: Number(most),
  };
}

function amplitudeOf(wave: Expression, amplitude: number): Expression {
  return shiftRight(multiply(wave, amplitude), 16 - SERIES_BITS);
}

/** One wave a day, in each entity up to 90 minutes later: machines of one place, but not in step. */
function daySine({ name, key }: Owner, lowering: Lowering): Expression {
  return lowering.shared(`daySine of ${name}`, () => sineAt(DAY_MS, shiftRight(key, 4), lowering));
}

/** One wave a week, the same for all. */
function weekSine(lowering: Lowering): Expression {
  return lowering.shared('weekSine', () => sineAt(WEEK_MS, constant(WEEK_PHASE), lowering));
}

/** Where the row's time is in a wave of so many milliseconds, which is `phase` · 2^-64 turns ahead. */
function sineAt(waveMs: number, phase: Expression, lowering: Lowering): Expression {
  const turn = multiply(lowering.timeMs(), constant(2n ** 64n / BigInt(waveMs)));
  const step = shiftRight(add(turn, phase), 64 - Math.log2(SINE_STEPS));
  return load(lowering.table({ kind: 'sine' }).table, step);
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
    const column = sharedColumn(name, lowering);
    assert(column !== null, `the column ${name} is no number that can be shared`);
    return column.value;
  });
  return subtract(
    constant(total),
    others.reduce((left, right) => add(left, right), constant(0)),
  );
}

/** The value of a top-level number column, kept for all who need it; null if it is none. */
export function sharedColumn(name: string, lowering: Lowering): Omit<LoweredNumber, 'before'> | null {
  const { columns } = lowering.schema;
  const extent = columnExtent(name, columns);
  const column = columns.find((candidate) => candidate.name === name);
  if (column?.generator == null || extent === null) return null;
  const { generator, type } = column;
  const value = lowering.shared(`column ${name}`, () => {
    const number = lowerNumber(generator, type, name, lowering);
    assert(number !== null, `the column ${name} is no number`);
    return lowering.inPrologue({ before: number.before, index: number.value });
  });
  return { value, scale: extent.scale };
}

export function decimal(value: Expression, scale: number, lowering: Lowering): Write & { op: 'decimal' } {
  const signed = intervalOf(value, lowering.scope).min < 0n;
  return { op: 'decimal', value, scale, signed, digits: 1 };
}
