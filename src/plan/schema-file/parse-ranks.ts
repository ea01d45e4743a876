/**
 * The generators of a schema file that say how a column is distributed: bounds of a histogram, and different values by
 * their rank. `crategen schema infer --shape` writes them.
 */
import type { ColumnType, Generator, JsonValue, RankedValues } from '../../rows/schema.ts';
import { type FilledColumn, readDecimals, readNumber, scaleOf, typed, units } from './generator-fields.ts';
import type { Spot, TreeReader } from './tree-reader.ts';

const MAX_DISTINCT = 2 ** 31;
const MAX_DIGITS = 20;
/** Longer names are no prefix for a text. */
const MAX_TEXT = 60;

/** `{ bounds: [0, 5, 20], decimals: 2 }`: between two neighbours lie as many values as between any other two. */
export function makeHistogram(spot: Spot, column: FilledColumn, reader: TreeReader): Generator | null {
  const found = reader.fields(spot, ['bounds', 'decimals']);
  if (found === null) return null;
  if (found.bounds === undefined) return reader.say(spot, 'expected bounds, as { bounds: [0, 5, 20] }');
  const histogram = readBounds(found.bounds, found.decimals, column, reader);
  return histogram === null ? null : { kind: 'buckets', ...histogram };
}

/**
 * `{ distinct: 5k, weights: [20%, 10%] }`, with the `values` of the first ranks, or how ranks become values: numbers
 * and times by `bounds`, texts by a `prefix` and so many digits as `width` says.
 */
export function makeRanks(spot: Spot, column: FilledColumn, reader: TreeReader): Generator | null {
  const found = reader.fields(spot, [
    'distinct',
    'weights',
    'values',
    'bounds',
    'decimals',
    'prefix',
    'width',
  ]);
  if (found === null) return null;
  if (found.distinct === undefined)
    return reader.say(spot, 'expected distinct, as { distinct: 5k, weights: [20%, 10%] }');
  const distinct = reader.count(found.distinct, 1, MAX_DISTINCT);
  const weights = listOf(found.weights, 'shares of the first ranks', reader, (item) => reader.share(item));
  const values = listOf(found.values, 'values of the first ranks', reader, (item) =>
    typed(item, column.type, reader),
  );
  if (distinct === null || weights === null || values === null) return null;
  const of =
    found.bounds === undefined
      ? rankedText(spot, found, distinct, column, reader)
      : rankedNumber(spot, found, column, reader);
  if (of === null) return null;
  return {
    kind: 'ranked',
    distinct,
    weights: weights ?? [],
    ...(values === undefined ? {} : { values }),
    of,
  };
}

/** `pool: 200`: so many different texts, all alike. */
export function numberedTexts(spot: Spot, column: FilledColumn, reader: TreeReader): Generator | null {
  const distinct = reader.count(spot, 1, MAX_DISTINCT);
  const of = distinct === null ? null : rankedText(spot, {}, distinct, column, reader);
  return distinct === null || of === null ? null : { kind: 'ranked', distinct, weights: [], of };
}

interface RankFields {
  readonly bounds?: Spot;
  readonly decimals?: Spot;
  readonly prefix?: Spot;
  readonly width?: Spot;
}

function rankedNumber(
  spot: Spot,
  { bounds, decimals, prefix, width }: RankFields,
  column: FilledColumn,
  reader: TreeReader,
): RankedValues | null {
  if (bounds === undefined) return null;
  if (prefix !== undefined || width !== undefined)
    return reader.say(spot, 'expected bounds, which make numbers, or prefix and width, which make texts');
  const quantiles = readBounds(bounds, decimals, column, reader);
  return quantiles === null ? null : { kind: 'quantiles', ...quantiles };
}

/** Without a prefix that of the column's name, where it has room. */
function rankedText(
  spot: Spot,
  { decimals, prefix: given, width: digits }: RankFields,
  distinct: number,
  { name, type }: FilledColumn,
  reader: TreeReader,
): RankedValues | null {
  if (decimals !== undefined) return reader.say(decimals, 'expected only beside bounds');
  const most = longestText(type);
  if (most === null) return reader.say(spot, `expected bounds for ${type.kind}, as bounds: [0, 100]`);
  const width = digits === undefined ? 1 : reader.number(digits, { min: 1, max: MAX_DIGITS, isWhole: true });
  if (width === null) return null;
  const usual = `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-`;
  if (given !== undefined) return textOf(given, width, reader);
  const needed = Math.max(width, String(distinct - 1).length);
  if (needed > most) return reader.say(spot, `${distinct} different texts need ${needed} characters`);
  return { kind: 'text', prefix: usual.length <= most - needed ? usual : '', width };
}

/** Characters that a column of texts holds; null: it holds no texts. */
function longestText(type: ColumnType): number | null {
  if (type.kind === 'text') return MAX_TEXT;
  return type.kind === 'varchar' || type.kind === 'char' ? type.length : null;
}

/** A prefix may be empty: then the texts are digits. */
function textOf(spot: Spot, width: number, reader: TreeReader): RankedValues | null {
  const isEmpty = spot.tree.kind === 'scalar' && spot.tree.value === '';
  const prefix = isEmpty ? '' : reader.text(spot, 'what the texts begin with');
  return prefix === null ? null : { kind: 'text', prefix, width };
}

function readBounds(
  spot: Spot,
  decimals: Spot | undefined,
  { type }: FilledColumn,
  reader: TreeReader,
): { readonly bounds: readonly number[]; readonly scale: number } | null {
  const bounds = listOf(spot, 'bounds, as [0, 5, 20]', reader, (item) => readNumber(item, type, reader));
  const digits = readDecimals(decimals, reader);
  if (bounds === undefined || bounds === null || (decimals !== undefined && digits === null)) return null;
  const scale = scaleOf(type, bounds, digits);
  return { bounds: bounds.map((bound) => units(bound, scale)), scale };
}

/** Undefined without a list, null after a problem in it. */
function listOf<Value extends JsonValue>(
  spot: Spot | undefined,
  accepted: string,
  reader: TreeReader,
  read: (item: Spot) => Value | null | undefined,
): readonly Value[] | null | undefined {
  if (spot === undefined) return undefined;
  const values = reader.items(spot, accepted)?.map(read);
  const known = values?.filter((value) => value !== null && value !== undefined);
  return known?.length === values?.length ? (known ?? null) : null;
}
