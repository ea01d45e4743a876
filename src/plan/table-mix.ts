/**
 * Which table a batch belongs to when a run fills several: a smooth weighted round robin as arithmetic, so that
 * every process knows the table of every batch, and the batch's number among those of its table, without asking
 * anybody. One table is the mix of one.
 */
import { assert } from '../base/errors.ts';
import { type Assignment, type RowRange, rowsOfBatch } from './assignment.ts';

/** Rows of one table, by their numbers in it. */
export interface TableRange extends RowRange {
  /** In the order of the plan's tables. */
  readonly table: number;
}

export interface TableMix {
  /** The table of a batch of the run, and how many batches of that table come before it. */
  placeOf(batch: number): { readonly table: number; readonly batch: number };
}

/** A period is walked once to be made, and kept in memory by every worker. */
export const MAX_PERIOD = 10_000;
/** Weights have at most three decimals. */
const SCALE = 1000;

/**
 * Weights above 0 with at most three decimals. In each period, as many batches as the whole weights sum up to,
 * every table has its exact share. The periods are turned against each other: a worker that takes every n-th batch
 * would else meet the same tables for ever. Throws when a period would be longer than `MAX_PERIOD`.
 */
export function createTableMix(weights: readonly number[]): TableMix {
  if (weights.length === 1) return { placeOf: (batch) => ({ table: 0, batch }) };
  const whole = wholeWeights(weights);
  const pattern = smoothPattern(whole);
  const counts = countsBefore(pattern, whole.length);
  const period = pattern.length;
  const countOf = (table: number, position: number): number => counts[position * whole.length + table] ?? 0;
  return {
    placeOf(batch) {
      const round = Math.floor(batch / period);
      const turn = turnOf(round, period);
      const position = turn + (batch - round * period);
      const isAround = position >= period;
      const at = isAround ? position - period : position;
      const table = pattern[at] ?? 0;
      const share = whole[table] ?? 0;
      const inRound = countOf(table, at) - countOf(table, turn) + (isAround ? share : 0);
      return { table, batch: round * share + inRound };
    },
  };
}

/** The mix of a run's tables, in their order. */
export function mixOf(tables: readonly { readonly weight: number }[]): TableMix {
  return createTableMix(tables.map(({ weight }) => weight));
}

/** The rows of batch `batch` of the run, by their numbers in its table. */
export function tableRange(
  mix: TableMix,
  assignment: Pick<Assignment, 'batchSize' | 'rows'>,
  batch: number,
): TableRange {
  const place = mix.placeOf(batch);
  const rows = rowsOfBatch(assignment, batch);
  return { table: place.table, firstRow: place.batch * assignment.batchSize, rows };
}

/** The smallest whole numbers in the same proportions. */
export function wholeWeights(weights: readonly number[]): number[] {
  const scaled = weights.map((weight) => Math.round(weight * SCALE));
  assert(
    scaled.every((weight) => weight >= 1),
    `weights are above 0: ${weights.join(', ')}`,
  );
  const divisor = scaled.reduce(greatestCommonDivisor);
  return scaled.map((weight) => weight / divisor);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Each turn the table that is most behind its share comes next; the same tables as far apart as can be. */
function smoothPattern(whole: readonly number[]): Uint8Array {
  const period = whole.reduce((sum, weight) => sum + weight, 0);
  assert(period <= MAX_PERIOD, `a period of ${period} batches`);
  const credits = whole.map(() => 0);
  return Uint8Array.from({ length: period }, () => {
    whole.forEach((weight, table) => (credits[table] = (credits[table] ?? 0) + weight));
    const next = credits.indexOf(Math.max(...credits));
    credits[next] = (credits[next] ?? 0) - period;
    return next;
  });
}

/** How often each table stands before each position, and before the end. */
function countsBefore(pattern: Uint8Array, tables: number): Uint16Array {
  const counts = new Uint16Array((pattern.length + 1) * tables);
  pattern.forEach((table, position) => {
    const [from, to] = [position * tables, (position + 1) * tables];
    counts.copyWithin(to, from, to);
    counts[to + table] = (counts[to + table] ?? 0) + 1;
  });
  return counts;
}

/**
 * Where round `round` begins in the pattern: the finisher of MurmurHash3 (Appleby), since the turns of every n-th
 * round have to differ for each n. Steps of the golden ratio would not do: their 21st multiple is almost whole.
 */
function turnOf(round: number, period: number): number {
  let mixed = (round % 2 ** 32) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return Math.floor((((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32) * period);
}
