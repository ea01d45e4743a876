/** Between which bounds the numbers lie that a generator makes: they must fit the column, and series follow them. */
import { MAX_ROWS } from './row-format.ts';
import type { Column, ColumnType, Generator, SeriesGenerator } from './schema.ts';
import { sequencePeriod, wholeLimits } from './type-limits.ts';

/** All values lie in [min, max] · 10^-scale. */
export interface Extent {
  readonly min: number;
  readonly max: number;
  readonly scale: number;
}

/** The normal's support ends here, in standard deviations. */
const NORMAL_REACH = 6;

/** Bits behind the point of a followed share. */
export const FOLLOW_BITS = 30;

/** Nothing less likely than 2^-24 is drawn: −ln(2^-24) means. */
const EXPONENTIAL_REACH = 17;

/**
 * The extent of a generator's values in a column of this type, or null if they are no numbers. `columns` are those of
 * the table, which a series may follow; in a circle nothing has an extent.
 */
export function extentOf(
  generator: Generator,
  type: ColumnType,
  columns: readonly Column[],
  followers: readonly string[] = [],
): Extent | null {
  switch (generator.kind) {
    case 'integer':
      return { min: generator.min, max: generator.max, scale: 0 };
    case 'decimal':
      return { min: generator.min, max: generator.max, scale: generator.scale };
    case 'normal': {
      const reach = NORMAL_REACH * generator.deviation;
      return clamped({ min: generator.mean - reach, max: generator.mean + reach }, generator);
    }
    case 'exponential': {
      const max = generator.min + EXPONENTIAL_REACH * generator.mean;
      const { max: most, scale } = generator;
      return clamped({ min: generator.min, max }, { scale, ...(most === undefined ? {} : { max: most }) });
    }
    case 'zipf':
      return { min: generator.from, max: generator.from + generator.ranks, scale: 0 };
    case 'sequence': {
      const last = Math.min(sequencePeriod(generator, wholeLimits(type)), MAX_ROWS) - 1;
      const ends = [generator.start, generator.start + Math.max(last, 0) * generator.step];
      return { min: Math.min(...ends), max: Math.max(...ends), scale: 0 };
    }
    case 'buckets':
      return boundsExtent(generator);
    case 'seq':
      return { min: 0, max: MAX_ROWS - 1, scale: 0 };
    case 'ranked':
      return generator.of.kind === 'quantiles' ? boundsExtent(generator.of) : null;
    case 'series':
      return seriesExtent(generator, columns, followers);
    case 'complement':
      return { min: 0, max: generator.total, scale: 0 };
    case 'reference':
      return extentOf(generator.generator, type, [], followers);
    default:
      return null;
  }
}

/**
 * The extent of a top-level column whose number others are computed from, its nulls or not; null if it is not there or
 * has no numbers to compute with.
 */
export function columnExtent(
  name: string,
  columns: readonly Column[],
  followers: readonly string[] = [],
): Extent | null {
  const column = columns.find((candidate) => candidate.name === name);
  if (column?.generator == null || followers.includes(name)) return null;
  // Ready values stand in a pool, as text.
  if (column.generator.kind === 'ranked' && column.generator.values !== undefined) return null;
  return extentOf(column.generator, column.type, columns, [...followers, name]);
}

function clamped(
  { min, max }: { min: number; max: number },
  bounds: { readonly min?: number; readonly max?: number; readonly scale: number },
): Extent {
  const clamp = (value: number): number =>
    Math.min(Math.max(value, bounds.min ?? -Infinity), bounds.max ?? Infinity);
  return { min: clamp(min), max: clamp(max), scale: bounds.scale };
}

function boundsExtent({ bounds, scale }: { bounds: readonly number[]; scale: number }): Extent {
  return { min: bounds[0] ?? 0, max: bounds.at(-1) ?? 0, scale };
}

function seriesExtent(
  generator: SeriesGenerator,
  columns: readonly Column[],
  followers: readonly string[],
): Extent | null {
  const { level, scale = 0, follows } = generator;
  const range = { min: level.min, max: level.max + seriesSwing(generator), scale };
  if (follows === undefined) return range;
  const followed = columnExtent(follows.column, columns, followers);
  if (followed === null) return null;
  const reach =
    Math.ceil(Math.abs(followFactor(follows.share, range, followed)) * (followed.max - followed.min)) / 2;
  return { min: Math.floor(range.min - reach), max: Math.ceil(range.max + reach), scale };
}

/** The most that is added to the level of a series, without what it follows. */
export function seriesSwing({ day = 0, week = 0, noise = [], jitter = 0, spike }: SeriesGenerator): number {
  const slow = noise.reduce((sum, { amplitude }) => sum + amplitude, 0);
  return day + week + slow + jitter + (spike?.height ?? 0);
}

/** Units of the series' value for each unit of the value that it follows: rounded, as rows are computed. */
export function followFactor(
  share: number,
  { scale }: { readonly scale: number },
  followed: { readonly scale: number },
): number {
  // A negative power of ten may differ between engines in its last bit.
  const decimals = scale - followed.scale;
  const factor = decimals >= 0 ? share * 10 ** decimals : share / 10 ** -decimals;
  return Math.round(factor * 2 ** FOLLOW_BITS) / 2 ** FOLLOW_BITS;
}
