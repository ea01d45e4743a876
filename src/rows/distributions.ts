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
