/**
 * Tables of distributions, made once and made of integers. Only + − × ÷ √ in a fixed order are used, which
 * IEEE 754 defines to the last bit: `Math.exp`, `log` and `sin` may differ between engines, these cannot.
 */
import { assert } from '../base/errors.ts';

/** A quantile table has cells of 2^-10 of the probability, and finer ones of 2^-18 for its last 16 cells. */
export const QUANTILE_CELLS = 1024;
export const TAIL_CELLS = 16;
export const TAIL_PARTS = 256;

/** Sines are 0…65,536 for −1…1, in 1,024 steps a turn. */
export const SINE_STEPS = 1024;
export const SINE_ONE = 65_536;

/** Fixed point of the quantile tables: 2^28 is one standard deviation, 2^26 one mean of the exponential. */
export const NORMAL_ONE = 2 ** 28;
export const EXPONENTIAL_ONE = 2 ** 26;

/** Where a tail is cut: nothing less likely than 2^-24 is drawn. */
const SMALLEST_SHARE = 2 ** -24;

/** Largest zipf distribution that is made as an alias table: larger ones leave the processor's cache. */
export const MAX_RANKS = 65_536;

/** Larger ones draw a span of ranks, and a rank in it with all of them alike: first ranks are tables of 32 bits. */
export const MAX_ZIPF_RANKS = 2 ** 32;

/** Spans hold so many ranks less than they have before them: a rank's share is wrong by at most exponent/512 of it. */
const SPANS_EACH_DOUBLING = 256;

/** Cells of the table that says how much longer a degree of latitude is than one of longitude. */
export const SECANT_CELLS = 4096;
/** Fixed point of that table. */
export const SECANT_ONE = 65_536;

const TWO_PI = 6.283185307179586;
const LN_2 = 0.6931471805599453;
const ROOT_TWO_PI = 2.5066282746310002;

/** One turn of the sine, shifted up to be unsigned. */
export function sineTable(): Uint32Array {
  return Uint32Array.from({ length: SINE_STEPS }, (_, step) =>
    Math.round(((sine((TWO_PI * step) / SINE_STEPS) + 1) * SINE_ONE) / 2),
  );
}

/**
 * Values z with P(|Z| > z) = share, for the standard normal: nodes at share = k/1024, k = 0…1024, then nodes at
 * share = k/(1024 · 256), k = 0…16 · 256. Both descend; between nodes a generator interpolates.
 */
export function normalTable(): Uint32Array {
  const { coarse, tail } = quantileShares();
  return inTableOrder(normalQuantiles(coarse), normalQuantiles(tail), NORMAL_ONE);
}

/** Quantiles of descending shares: each search starts from its neighbour, which is nearer to the middle. */
function normalQuantiles(shares: readonly number[]): number[] {
  let z = 0;
  return shares.map((share) => {
    z = share >= 1 ? 0 : normalQuantile(share, z);
    return z;
  });
}

/** Values x with P(X > x) = share, for the exponential with mean 1: nodes as in `normalTable`. */
export function exponentialTable(): Uint32Array {
  const { coarse, tail } = quantileShares();
  const quantile = (share: number): number => -naturalLog(share);
  return inTableOrder(coarse.map(quantile), tail.map(quantile), EXPONENTIAL_ONE);
}

interface Shares {
  readonly coarse: readonly number[];
  readonly tail: readonly number[];
}

/** The nodes' shares, each part descending. */
function quantileShares(): Shares {
  const descending = (nodes: number, one: number): number[] =>
    Array.from({ length: nodes + 1 }, (_, k) => Math.max((nodes - k) / one, SMALLEST_SHARE));
  return {
    coarse: descending(QUANTILE_CELLS, QUANTILE_CELLS),
    tail: descending(TAIL_CELLS * TAIL_PARTS, QUANTILE_CELLS * TAIL_PARTS),
  };
}

function inTableOrder(coarse: readonly number[], tail: readonly number[], one: number): Uint32Array {
  return Uint32Array.from([...coarse.toReversed(), ...tail.toReversed()], (node) => Math.round(node * one));
}

/** Newton's method on P(|Z| > z) = share, from a value nearer to the middle: it never steps over the root. */
function normalQuantile(share: number, near: number): number {
  let z = near;
  for (let step = 0; step < 60; step += 1) {
    const density = exponential((-z * z) / 2) / ROOT_TWO_PI;
    const difference = (1 - 2 * halfNormal(z, density) - share) / (2 * density);
    // A step too far out would leave the range in which the series converges quickly.
    z += Math.min(difference, 0.5);
    if (Math.abs(difference) < 1e-9) return z;
  }
  return z;
}

/** P(0 < Z < z) by its power series, all of whose terms are positive. */
function halfNormal(z: number, density: number): number {
  let term = z;
  let sum = z;
  for (let k = 1; term > sum * 1e-17; k += 1) {
    term = (term * z * z) / (2 * k + 1);
    sum += term;
  }
  return density * sum;
}

/** e^x for x ≤ 0: halved until it is small, Taylor's series, squared back. */
function exponential(x: number): number {
  let halvings = 0;
  let small = x;
  while (small < -0.01) {
    small /= 2;
    halvings += 1;
  }
  let term = 1;
  let sum = 1;
  for (let k = 1; k <= 8; k += 1) {
    term = (term * small) / k;
    sum += term;
  }
  for (let k = 0; k < halvings; k += 1) sum *= sum;
  return sum;
}

/** ln x for x > 0: scaled into [√½, √2) by powers of two, then 2·artanh((x − 1)/(x + 1)). */
function naturalLog(x: number): number {
  let scaled = x;
  let twos = 0;
  for (; scaled < 0.7071067811865476; scaled *= 2) twos -= 1;
  for (; scaled >= 1.4142135623730951; scaled /= 2) twos += 1;
  const ratio = (scaled - 1) / (scaled + 1);
  let power = ratio;
  let sum = ratio;
  for (let k = 3; k <= 41; k += 2) {
    power *= ratio * ratio;
    sum += power / k;
  }
  return twos * LN_2 + 2 * sum;
}

function sine(angle: number): number {
  const turned = angle > Math.PI ? angle - TWO_PI : angle;
  let term = turned;
  let sum = turned;
  for (let k = 1; k <= 15; k += 1) {
    term = (-term * turned * turned) / (2 * k * (2 * k + 1));
    sum += term;
  }
  return sum;
}

/** Weights 1/rank^exponent for ranks 1…ranks. */
export function zipfWeights(ranks: number, exponent: number): number[] {
  assert(ranks >= 1 && ranks <= MAX_RANKS, `zipf with ${ranks} ranks`);
  return Array.from({ length: ranks }, (_, rank) => exponential(-exponent * naturalLog(rank + 1)));
}

/** The first rank of each span, from 0, and the number of ranks at the end: spans grow with the rank. */
export function zipfSpans(ranks: number): number[] {
  assert(ranks >= 1 && ranks <= MAX_ZIPF_RANKS, `zipf with ${ranks} ranks`);
  const starts: number[] = [];
  for (let start = 0; start < ranks; start += Math.max(1, Math.floor((start + 1) / SPANS_EACH_DOUBLING)))
    starts.push(start);
  return [...starts, ranks];
}

/** First rank and length of each span: n firsts, then n lengths. */
export function zipfSpanTable(ranks: number): Uint32Array {
  const starts = zipfSpans(ranks);
  const lengths = starts.slice(1).map((end, span) => end - (starts[span] ?? 0));
  return Uint32Array.from([...starts.slice(0, -1), ...lengths]);
}

/** What the ranks of each span weigh together, as many times its middle: wrong by a few millionths. */
export function zipfSpanWeights(ranks: number, exponent: number): number[] {
  const starts = zipfSpans(ranks);
  return starts.slice(1).map((end, span) => {
    const start = starts[span] ?? 0;
    return (end - start) * exponential(-exponent * naturalLog((start + 1 + end) / 2));
  });
}

/** By how much bits of an offset in 32 bits are shifted up to reach all of a span of whole numbers. */
export function boundsShift(bounds: readonly number[]): number {
  const span = (bounds.at(-1) ?? 0) - (bounds[0] ?? 0) + 1;
  let shift = 0;
  while (span / 2 ** shift >= 2 ** 32) shift += 1;
  return shift;
}

/**
 * n buckets between n + 1 ascending bounds: where each begins behind the first bound, then how long each is, in units
 * of 2^shift. The last bucket has its upper bound in it, as far as the unit is 1.
 */
export function boundsTable(bounds: readonly number[]): Uint32Array {
  const [first, unit] = [bounds[0] ?? 0, 2 ** boundsShift(bounds)];
  const ends = bounds.map((bound, index) => {
    const isLast = index === bounds.length - 1;
    return Math.floor((bound - first) / unit) + (isLast && unit === 1 ? 1 : 0);
  });
  const lengths = ends.slice(1).map((end, bucket) => end - (ends[bucket] ?? 0));
  return Uint32Array.from([...ends.slice(0, -1), ...lengths]);
}

/** 1/cos at latitudes from south to north, in millionths of a degree, within ±85 degrees: in the middle of each cell. */
export function secantTable(south: number, north: number): Uint32Array {
  return Uint32Array.from({ length: SECANT_CELLS }, (_, cell) => {
    const latitude = (south + ((cell + 0.5) * (north - south)) / SECANT_CELLS) / 1e6;
    return Math.round(SECANT_ONE / sine((TWO_PI * (90 - Math.abs(latitude))) / 360));
  });
}

/**
 * The alias table of a weighted choice (Walker 1977, Vose 1991): n thresholds of 2^-32, then n aliases. Cell i
 * is taken as i when 32 further random bits are below its threshold, else as its alias.
 */
export function aliasTable(weights: readonly number[]): Uint32Array {
  const count = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  assert(count > 0 && total > 0, `${count} weights with the sum ${total}`);
  const load = weights.map((weight) => (weight * count) / total);
  const table = new Uint32Array(2 * count);
  for (let cell = 0; cell < count; cell += 1) table[count + cell] = cell;

  const small: number[] = [];
  const large: number[] = [];
  load.forEach((share, cell) => (share < 1 ? small : large).push(cell));
  while (small.length > 0 && large.length > 0) {
    const poor = small.pop() ?? 0;
    const rich = large.pop() ?? 0;
    table[poor] = Math.min(Math.round((load[poor] ?? 0) * 2 ** 32), 2 ** 32 - 1);
    table[count + poor] = rich;
    load[rich] = (load[rich] ?? 0) - (1 - (load[poor] ?? 0));
    ((load[rich] ?? 0) < 1 ? small : large).push(rich);
  }
  // What is left over is full but for rounding, and is its own alias already: the threshold does not matter.
  return table;
}
