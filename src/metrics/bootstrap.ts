/**
 * How far a mean would move if everything were measured again: standard errors by resampling (Efron 1979), of single
 * values or of a series whose neighbours resemble each other (moving blocks, Künsch 1989), and Student's t to go with
 * them. Pure and seeded: the same numbers give the same answer.
 */
import { assert } from '../base/errors.ts';

/** Resamples: their number moves a standard error by about 2 %. */
const RESAMPLES = 1000;

export function meanOf(values: readonly number[]): number {
  assert(values.length > 0, 'a mean is of something');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Standard error of the mean of independent values. Resampling n values knows only n − 1 differences; the root of
 * n / (n − 1) makes up for it. Null for fewer than two.
 */
export function standardError(values: readonly number[], random: () => number): number | null {
  if (values.length < 2) return null;
  const means = resampled(RESAMPLES, () => {
    let sum = 0;
    for (let drawn = 0; drawn < values.length; drawn += 1) sum += values[pick(values.length, random)] ?? 0;
    return sum / values.length;
  });
  return deviation(means) * Math.sqrt(values.length / (values.length - 1));
}

/**
 * Standard error of the mean of a series, neighbours drawn together in blocks of about the cube root of its length
 * times `stickiness`. Null for a series too short for five blocks.
 */
export function blockStandardError(
  series: readonly number[],
  random: () => number,
  stickiness = 3,
): number | null {
  const length = Math.max(1, Math.round(stickiness * Math.cbrt(series.length)));
  const blocks = Math.floor(series.length / length);
  if (blocks < 5) return null;
  const sums = prefixSums(series);
  const means = resampled(RESAMPLES, () => {
    let sum = 0;
    for (let drawn = 0; drawn < blocks; drawn += 1) {
      const from = pick(series.length - length + 1, random);
      sum += (sums[from + length] ?? 0) - (sums[from] ?? 0);
    }
    return sum / (blocks * length);
  });
  return deviation(means) * Math.sqrt(blocks / (blocks - 1));
}

/**
 * How many standard errors to both sides hold a share `confidence` of cases: Student's t with `freedom` degrees (whole
 * or not), by the expansion of Cornish and Fisher from 3 degrees on, exactly for 1 and 2.
 */
export function studentT(confidence: number, freedom: number): number {
  assert(confidence > 0 && confidence < 1 && freedom > 0, 'a share of cases, and something free to vary');
  const tail = (1 - confidence) / 2;
  if (freedom < 1.5) return 1 / Math.tan(Math.PI * tail);
  if (freedom < 2.5) return (1 - 2 * tail) * Math.sqrt(2 / (4 * tail * (1 - tail)));
  const z = normalQuantile(1 - tail);
  const z2 = z * z;
  const terms = [
    (z * (z2 + 1)) / 4,
    (z * (5 * z2 ** 2 + 16 * z2 + 3)) / 96,
    (z * (3 * z2 ** 3 + 19 * z2 ** 2 + 17 * z2 - 15)) / 384,
    (z * (79 * z2 ** 4 + 776 * z2 ** 3 + 1482 * z2 ** 2 - 1920 * z2 - 945)) / 92_160,
  ];
  return terms.reduce((sum, term, power) => sum + term / freedom ** (power + 1), z);
}

/** Degrees of freedom of a difference of two means with unlike spreads (Welch, Satterthwaite). */
export function welchFreedom(a: { se: number; count: number }, b: { se: number; count: number }): number {
  const [va, vb] = [a.se ** 2, b.se ** 2];
  if (va + vb === 0) return a.count + b.count - 2;
  return (va + vb) ** 2 / (va ** 2 / (a.count - 1) + vb ** 2 / (b.count - 1));
}

/** The value that a share of a standard normal distribution stays below (Acklam's rational approximation, 1e-9). */
function normalQuantile(share: number): number {
  if (share < 0.5) return -normalQuantile(1 - share);
  if (share > 0.97575) {
    const q = Math.sqrt(-2 * Math.log(1 - share));
    return (
      -polynomial(
        [
          -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
          4.374664141464968, 2.938163982698783,
        ],
        q,
      ) / polynomial([7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1], q)
    );
  }
  const q = share - 0.5;
  const r = q * q;
  return (
    (polynomial(
      [
        -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
        2.506628277459239,
      ],
      r,
    ) *
      q) /
    polynomial(
      [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
      r,
    )
  );
}

/** Highest power first. */
function polynomial(coefficients: readonly number[], at: number): number {
  return coefficients.reduce((sum, coefficient) => sum * at + coefficient, 0);
}

function resampled(count: number, draw: () => number): number[] {
  return Array.from({ length: count }, draw);
}

function deviation(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

function pick(count: number, random: () => number): number {
  return Math.min(count - 1, Math.floor(random() * count));
}

function prefixSums(values: readonly number[]): Float64Array {
  const sums = new Float64Array(values.length + 1);
  values.forEach((value, index) => (sums[index + 1] = (sums[index] ?? 0) + value));
  return sums;
}
