/** Draws that go by tables: weighted choices, ranks, other tables' rows, and numbers between bounds. */
import { boundsShift } from '../distributions.ts';
import {
  add,
  and,
  constant,
  divide,
  draw,
  less,
  load,
  multiply,
  range,
  remainder,
  select,
  shiftLeft,
  shiftRight,
} from './expressions.ts';
import type { Lowering } from './lowering.ts';
import { OtherRow } from './other-row.ts';
import { rankedWeights, zipfSources } from '../pool-needs.ts';
import type { TableSource } from '../pool-needs.ts';
import type { Expression, Write } from '../row-format.ts';
import type { Pick, RankedGenerator, ReferenceGenerator } from '../schema.ts';

/** A number and what must be written before it is read. */
export interface Drawn {
  readonly before: Write[];
  readonly index: Expression;
}

/** The entry that a weighted choice takes: a cell, or with what is left of its share the cell's alias. */
export function aliasIndex(source: TableSource, path: string, lowering: Lowering): Drawn {
  const { table, length } = lowering.table(source);
  const count = length / 2;
  const before: Write[] = [];
  const bits = lowering.keep(before, draw(path));
  const cell = lowering.keep(before, range(bits, count));
  const low = and(bits, 2 ** 32 - 1);
  return { before, index: select(less(low, load(table, cell)), cell, load(table, add(cell, count))) };
}

/** Pools with as many entries, drawn by one name, give entries with one number. */
export function pickEntry(
  pick: Pick | undefined,
  path: string,
  count: number,
  lowering: Lowering,
): Expression {
  if (pick?.by === 'entity') {
    const { entities } = lowering.schema.axis;
    return entities <= count
      ? lowering.entity()
      : lowering.shared(`entity of ${count}`, () => remainder(lowering.entity(), count));
  }
  return range(draw(pick?.draw === undefined ? path : `\0draw ${pick.draw}`), count);
}

/** A rank from 0, the more often the lower it is. */
export function zipfIndex(ranks: number, exponent: number, path: string, lowering: Lowering): Drawn {
  const { table, spans } = zipfSources(ranks, exponent);
  const { before, index } = aliasIndex(table, path, lowering);
  if (spans === null) return { before, index };
  const span = lowering.keep(before, index);
  const { first, offset } = placeIn(spans, span, shiftRight(draw(`${path}\0within`), 32), lowering);
  return { before, index: add(first, offset) };
}

/** The row of another table that a row refers to. */
export function otherRow(
  { schemaName, rows, skew }: Omit<ReferenceGenerator, 'kind' | 'path' | 'generator'>,
  path: string,
  lowering: Lowering,
): { before: Write[]; other: OtherRow } {
  const { before, index } =
    skew.kind === 'zipf'
      ? zipfIndex(rows, skew.exponent, path, lowering)
      : { before: [], index: range(draw(path), rows) };
  const row = lowering.keep(before, index);
  return { before, other: new OtherRow(schemaName, row, before, lowering) };
}

/** Which of the given shares a row falls into, the last cell being that of all others, and its rank. */
export function rankOf(
  generator: RankedGenerator,
  path: string,
  lowering: Lowering,
): { before: Write[]; cell: Expression; rank: Expression } {
  const { distinct, weights } = generator;
  const { before, index } = aliasIndex(rankedWeights(generator), path, lowering);
  const cell = lowering.keep(before, index);
  if (distinct === weights.length) return { before, cell, rank: cell };
  const other = add(range(draw(`${path}\0rank`), distinct - weights.length), weights.length);
  const rank = weights.length === 0 ? other : select(less(cell, weights.length), cell, other);
  return { before, cell, rank: lowering.keep(before, rank) };
}

/** The quantile that belongs to a rank: neighbouring ranks lie far apart, so that the first do not crowd one end. */
export function quantileOf(
  rank: Expression,
  distinct: number,
  { bounds }: { readonly bounds: readonly number[] },
  lowering: Lowering,
): Expression {
  const source: TableSource = { kind: 'bounds', bounds };
  const buckets = bounds.length - 1;
  const place = remainder(multiply(rank, stride(distinct)), distinct);
  const share = multiply(place, buckets);
  const first = load(lowering.table(source).table, divide(share, distinct));
  const length = load(lowering.table(source).table, add(divide(share, distinct), buckets));
  const offset = divide(multiply(length, remainder(share, distinct)), distinct);
  return add(shiftLeft(add(first, offset), boundsShift(bounds)), bounds[0] ?? 0);
}

/** Near the golden section of so many ranks, and coprime to them: every rank gets a place of its own. */
function stride(distinct: number): number {
  let step = Math.max(1, Math.floor(distinct * 0.6180339887498949));
  while (greatestDivisor(step, distinct) > 1) step += 1;
  return step;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Some bucket between two bounds, and any place in it. */
export function bucketValue(bounds: readonly number[], path: string, lowering: Lowering): Drawn {
  const before: Write[] = [];
  const bits = lowering.keep(before, draw(path));
  const bucket = lowering.keep(before, range(bits, bounds.length - 1));
  const shift = boundsShift(bounds);
  const source: TableSource = { kind: 'bounds', bounds };
  const { first, offset } = placeIn(source, bucket, and(bits, 2 ** 32 - 1), lowering, shift);
  return { before, index: add(add(shiftLeft(first, shift), offset), bounds[0] ?? 0) };
}

/**
 * A place in a span of a table that has n firsts and then n lengths, both in units of 2^shift. `part` of 2^32 is how
 * far in the span it lies, to the last bit of the whole number.
 */
function placeIn(
  source: TableSource,
  span: Expression,
  part: Expression,
  lowering: Lowering,
  shift = 0,
): { first: Expression; offset: Expression } {
  const { table, length } = lowering.table(source);
  const spanLength = load(table, add(span, constant(length / 2)));
  return { first: load(table, span), offset: shiftRight(multiply(spanLength, part), 32 - shift) };
}
