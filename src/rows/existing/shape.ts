/**
 * The distribution of a table's columns from its statistics, without its values: null shares, how many different
 * values there are, how often the most common ones are (as ranks), and what lies between which bounds. Texts are
 * made up, as long as the source's; bounds of numbers and times are rounded.
 */
import { columnsByPath } from '../column-paths.ts';
import type { Column, ColumnType, Generator, JsonValue, WeightedValue } from '../schema.ts';
import type { ColumnShape } from './fill.ts';
import type { TableDefinition } from './parse-ddl.ts';

/** How the values of one column are distributed, as far as a server tells; values are texts. */
export interface ColumnFigures {
  /** As the model's paths: `a`, `o['a']`. */
  readonly path: string;
  readonly nullShare: number;
  readonly distinct: number;
  readonly commonValues: readonly string[];
  /** Of all rows. */
  readonly commonShares: readonly number[];
  /** Between two neighbours lie as many values as between any other two. */
  readonly bounds: readonly string[];
}

export interface ShapeOptions {
  /** Rows of the source. */
  readonly rows: number;
  /** The most common values and the bounds are taken as they are. */
  readonly copyValues: boolean;
  /** Texts that must not be made up, since the source has them, by path. */
  readonly taken: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Up to so many different texts each gets one of its own length; beyond, they are numbered. */
const MAX_LISTED = 1000;
/** A column with a larger share of different values is taken for one without repetitions. */
const UNIQUE_SHARE = 0.9;
const MAX_DIGITS = 15;

/** Shapes by path, of the columns that have figures. */
export function shapesOf(
  definition: TableDefinition,
  figures: readonly ColumnFigures[],
  options: ShapeOptions,
): ReadonlyMap<string, ColumnShape> {
  const paths = columnsByPath(definition.columns);
  const shapes = new Map<string, ColumnShape>();
  for (const figure of figures) {
    const column = paths.get(figure.path);
    if (column === undefined || column.generatedAs !== undefined) continue;
    shapes.set(figure.path, {
      generator: new Shaper(column, figure, options).generator(),
      nulls: Math.min(1, Math.max(0, shortened(figure.nullShare))),
      shares: new Map(figure.commonValues.map((value, rank) => [value, figure.commonShares[rank] ?? 0])),
    });
  }
  return shapes;
}

/** The texts that a shape makes up, to be looked for in the source. */
export function madeUpTexts(generator: Generator | null): readonly string[] {
  if (generator?.kind !== 'choice') return [];
  return generator.options.flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
}

/** What all texts that a shape numbers begin with, to be looked for in the source; null if it numbers none. */
export function madeUpPrefix(generator: Generator | null): string | null {
  return generator?.kind === 'ranked' && generator.of.kind === 'text' ? generator.of.prefix : null;
}

class Shaper {
  readonly #type: ColumnType;
  readonly #figures: ColumnFigures;
  readonly #options: ShapeOptions;
  readonly #weights: readonly number[];

  constructor(column: Column, figures: ColumnFigures, options: ShapeOptions) {
    this.#type = column.type;
    this.#figures = figures;
    this.#options = options;
    const filled = Math.max(1e-9, 1 - figures.nullShare);
    const shares = figures.commonShares.map((share) => Math.max(0, share) / filled);
    const sum = shares.reduce((total, share) => total + share, 0);
    // Rounded down, so that they never add up to more than 1, and to what a person can read in a schema file.
    this.#weights = shares.map((share) => Math.floor((share / Math.max(1, sum)) * 1e9) / 1e9);
  }

  /** Null: nothing is known but the share of nulls. */
  generator(): Generator | null {
    switch (this.#type.kind) {
      case 'boolean':
        return this.#boolean();
      case 'byte':
      case 'smallint':
      case 'integer':
      case 'bigint':
      case 'timestamptz':
      case 'timestamp':
        return this.#number(0);
      case 'real':
      case 'double':
        return this.#number(null);
      case 'numeric':
        return this.#number(Math.min(this.#type.scale, MAX_DIGITS));
      case 'text':
        return this.#text(Infinity);
      case 'varchar':
      case 'char':
        return this.#text(this.#type.length);
      case 'ip':
        return this.#distinct() <= MAX_LISTED ? this.#listed((rank) => addressOf(rank)) : null;
      default:
        return null;
    }
  }

  #boolean(): Generator | null {
    const { commonValues } = this.#figures;
    if (commonValues.length === 0) return null;
    // A cast to text makes it `t`.
    const at = commonValues.findIndex((value) => value === 'true' || value === 't');
    const all = this.#weights.reduce((total, weight) => total + weight, 0);
    return {
      kind: 'boolean',
      trueShare: at < 0 || all === 0 ? 0 : shortened((this.#weights[at] ?? 0) / all),
    };
  }

  /** Different values, at least the common ones; without repetitions as many as there are rows. */
  #distinct(): number {
    const { distinct, commonValues } = this.#figures;
    const estimate = distinct < 0 ? -distinct * this.#options.rows : distinct;
    return Math.max(1, commonValues.length, Math.round(estimate));
  }

  #isUnique(): boolean {
    return this.#distinct() >= UNIQUE_SHARE * this.#rowsWithValue();
  }

  #rowsWithValue(): number {
    return this.#options.rows * (1 - this.#figures.nullShare);
  }

  /**
   * How many values to draw from, so that about as many are met: of d values that share m rows, d · (1 − e^(−m/d)).
   */
  #drawn(distinct: number): number {
    const common = this.#weights.length;
    const rare = distinct - common;
    const rows =
      this.#rowsWithValue() * Math.max(0, 1 - this.#weights.reduce((sum, weight) => sum + weight, 0));
    if (rare <= 0 || rows <= rare) return distinct;
    let [low, high] = [rare, rare * 32];
    for (let round = 0; round < 50; round += 1) {
      const middle = (low + high) / 2;
      if (middle * (1 - Math.exp(-rows / middle)) < rare) low = middle;
      else high = middle;
    }
    return common + Math.round(high);
  }

  #number(fixedScale: number | null): Generator | null {
    const { commonValues, bounds: known } = this.#figures;
    const numbers = (known.length >= 2 ? known : commonValues).map(Number).filter(Number.isFinite);
    if (numbers.length === 0) return null;
    numbers.sort((a, b) => a - b);
    const distinct = Math.min(this.#drawn(this.#distinct()), 2 ** 31);
    const scale = fixedScale ?? scaleFor(numbers, distinct);
    const units = numbers.map((value) => Math.round(value * 10 ** scale));
    const { copyValues } = this.#options;
    const bounds = copyValues ? units : between(units);
    const [first = 0, last = 0] = [bounds[0], bounds.at(-1)];
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return null;
    if (this.#isUnique() && this.#weightsAreFlat()) return this.#unrepeated(bounds, scale);
    const isDense = last - first < 3 * distinct;
    const roomy =
      isDense || bounds.length < 2 ? [first, Math.max(last, first + distinct - 1, first + 1)] : bounds;
    return {
      kind: 'ranked',
      distinct,
      weights: this.#weights,
      ...(copyValues ? { values: commonValues.map(Number) } : {}),
      of: { kind: 'quantiles', bounds: roomy, scale },
    };
  }

  /** ANALYZE lists "common" values even where each is there once. */
  #weightsAreFlat(): boolean {
    return this.#weights.every(
      (weight) => weight <= 3 / Math.max(1, this.#rowsWithValue()) || weight <= 0.001,
    );
  }

  /** Numbers that hardly meet: whole ones counted up where they stand close together. */
  #unrepeated(bounds: readonly number[], scale: number): Generator {
    const [first = 0, last = 0] = [bounds[0], bounds.at(-1)];
    const isClose = last - first < 20 * this.#options.rows;
    const isShort = this.#type.kind === 'byte' || this.#type.kind === 'smallint';
    if (isClose && scale === 0 && !isShort)
      return { kind: 'sequence', start: Math.max(first, this.#least()), step: 1 };
    return { kind: 'buckets', bounds: first === last ? [first, first + 1] : bounds, scale };
  }

  #least(): number {
    return this.#type.kind === 'timestamptz' || this.#type.kind === 'timestamp' ? 0 : -(2 ** 31);
  }

  #text(room: number): Generator | null {
    const { commonValues, bounds } = this.#figures;
    const lengths = [...commonValues, ...bounds].map((value) => value.length);
    const mean = lengths.length === 0 ? 8 : lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    if (this.#isUnique() && this.#weightsAreFlat() && room >= 36 && mean >= 30) return { kind: 'uuid' };
    const distinct = this.#distinct();
    if (distinct <= MAX_LISTED) {
      const lengthOf = (rank: number): number => commonValues[rank]?.length ?? Math.round(mean);
      return this.#listed((rank, attempt) => madeUpText(rank, attempt, Math.min(room, lengthOf(rank))));
    }
    const drawn = this.#isUnique() ? distinct * 1000 : this.#drawn(distinct);
    const count = Math.min(drawn, 2 ** 31, room >= 10 ? Infinity : 10 ** room);
    const digits = String(count - 1).length;
    // One letter at least tells them from numbers.
    const length = Math.min(room, Math.max(digits + 1, Math.round(mean)));
    const taken = this.#options.taken.get(this.#figures.path) ?? new Set();
    const prefix = prefixFor([...commonValues, ...bounds], taken, length - digits);
    return {
      kind: 'ranked',
      distinct: count,
      weights: this.#weights,
      ...(this.#options.copyValues ? { values: commonValues } : {}),
      of: { kind: 'text', prefix, width: Math.max(1, length - prefix.length) },
    };
  }

  /** Each value with its own weight; what is not among the common ones shares the rest alike. */
  #listed(made: (rank: number, attempt: number) => string): Generator {
    const { commonValues, bounds, path } = this.#figures;
    const { copyValues, taken } = this.#options;
    const used = new Set([...commonValues, ...bounds, ...(taken.get(path) ?? [])]);
    const distinct = this.#distinct();
    const common = this.#weights.reduce((sum, weight) => sum + weight, 0);
    const rest = distinct > this.#weights.length ? (1 - common) / (distinct - this.#weights.length) : 0;
    const options: WeightedValue[] = [];
    for (let rank = 0; rank < distinct; rank += 1) {
      const copied = copyValues ? commonValues[rank] : undefined;
      const value: JsonValue | null = copied ?? unusedText(made, rank, used);
      if (value !== null) options.push({ value, weight: this.#weights[rank] ?? shortened(rest) });
    }
    if (options.every(({ weight }) => weight === 0))
      return { kind: 'choice', options: options.map(({ value }) => ({ value, weight: 1 })) };
    return { kind: 'choice', options };
  }
}

/** Six digits are more than draws of a share are exact to. */
const shortened = (share: number): number => Number(share.toPrecision(6));

/** So many texts are tried for one rank; a short column may have no room for another one. */
const MAX_ATTEMPTS = 50;

function unusedText(
  made: (rank: number, attempt: number) => string,
  rank: number,
  used: Set<string>,
): string | null {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const text = made(rank, attempt);
    if (used.has(text)) continue;
    used.add(text);
    return text;
  }
  return null;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A word of so many letters (at least one), another one for each rank and attempt as far as the length allows. */
function madeUpText(rank: number, attempt: number, length: number): string {
  let state = Math.imul(rank * MAX_ATTEMPTS + attempt + 1, 0x9e3779b1) >>> 0;
  let text = '';
  for (let at = 0; at < Math.max(1, length); at += 1) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    text += LETTERS[(state >>> 8) % LETTERS.length] ?? '';
  }
  return text;
}

/** 10.128.0.0/9, which belongs to nobody. */
function addressOf(rank: number): string {
  return `10.${128 + ((rank >> 16) & 127)}.${(rank >> 8) & 255}.${rank & 255}`;
}

/** What stands before the digits; no known text of the source begins like that. */
function prefixFor(known: readonly string[], taken: ReadonlySet<string>, length: number): string {
  const prefixes = Array.from('vwxyzqkjbdfghmnprst').map((letter) =>
    letter.repeat(Math.max(0, Math.min(length, 3))),
  );
  const isFree = (prefix: string): boolean =>
    !taken.has(prefix) && !known.some((text) => text.startsWith(prefix));
  return prefixes.find(isFree) ?? prefixes[0] ?? '';
}

/** Decimals enough for the values between two bounds to differ, as far as a double holds them. */
function scaleFor(bounds: readonly number[], distinct: number): number {
  const gaps = bounds.slice(1).map((bound, index) => bound - (bounds[index] ?? 0));
  const least = Math.min(...gaps.filter((gap) => gap > 0));
  if (!Number.isFinite(least)) return 2;
  const each = (4 * distinct) / Math.max(1, gaps.length);
  const wanted = Math.ceil(Math.log10(Math.max(10, each) / least));
  const largest = Math.max(1, ...bounds.map(Math.abs));
  return Math.max(0, Math.min(wanted, 14 - Math.ceil(Math.log10(largest)), 9));
}

/**
 * The source's bounds, every other one a fifth of the gap further up or down; the outermost rounded outwards, to a
 * power of ten below the gap. Whole numbers that stand closer together than five stay: there is nothing between them.
 */
function between(bounds: readonly number[]): number[] {
  const grid = (gap: number): number => 10 ** Math.floor(Math.log10(Math.max(1, gap)));
  return bounds.map((bound, index) => {
    const [below, above] = [bounds[index - 1], bounds[index + 1]];
    if (above === undefined) return below === undefined ? bound : outwards(bound, grid(bound - below), 1);
    if (below === undefined) return outwards(bound, grid(above - bound), -1);
    return index % 2 === 0
      ? bound + Math.floor((above - bound) / 5)
      : bound - Math.floor((bound - below) / 5);
  });
}

function outwards(bound: number, grid: number, direction: 1 | -1): number {
  return direction * Math.ceil((direction * bound) / grid) * grid;
}
