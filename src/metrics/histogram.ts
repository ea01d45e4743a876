/**
 * Latency histogram: log-linear buckets over whole microseconds (16 per octave, at most 3.2 % wide beside the
 * value), cumulative counts in one typed array, so that recording is an increment and merging an addition.
 */
import { assert } from '../base/errors.ts';

/** 2^4 buckets an octave: the relative error of a percentile is at most 1/32 with the bucket's middle. */
const SUB_BUCKET_BITS = 4;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
/** Values up to 2^36 µs, 19 hours; a longer one is counted in the last bucket, and `maxUs` keeps it exactly. */
const MAX_OCTAVE = 36;

export const HISTOGRAM_BUCKETS = (MAX_OCTAVE - SUB_BUCKET_BITS + 1) * SUB_BUCKETS;

/** Plain data: crosses processes, adds up, subtracts. */
export interface Histogram {
  readonly counts: Uint32Array;
  count: number;
  sumUs: number;
  maxUs: number;
}

export function createHistogram(): Histogram {
  return { counts: new Uint32Array(HISTOGRAM_BUCKETS), count: 0, sumUs: 0, maxUs: 0 };
}

/** Counts one value in microseconds; negative ones count as 0. */
export function record(histogram: Histogram, valueUs: number): void {
  const value = valueUs > 0 ? valueUs : 0;
  const bucket = bucketOf(value);
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.count += 1;
  histogram.sumUs += value;
  if (value > histogram.maxUs) histogram.maxUs = value;
}

function bucketOf(valueUs: number): number {
  if (valueUs >= 2 ** 31) return wideBucketOf(valueUs);
  const whole = valueUs | 0;
  if (whole < SUB_BUCKETS) return whole;
  const octave = 31 - Math.clz32(whole);
  return ((octave - SUB_BUCKET_BITS) << SUB_BUCKET_BITS) + (whole >>> (octave - SUB_BUCKET_BITS));
}

/** Values over 35 minutes do not fit in 31 bits: their bucket is that of a 32nd of them, five octaves further. */
function wideBucketOf(valueUs: number): number {
  return bucketOf(Math.min(valueUs, 2 ** MAX_OCTAVE - 1) / 2 ** 5) + 5 * SUB_BUCKETS;
}

/** Lower bound in µs of a bucket; the upper bound is the next bucket's. */
export function bucketLowerUs(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const octave = (bucket >> SUB_BUCKET_BITS) + SUB_BUCKET_BITS - 1;
  return ((bucket & (SUB_BUCKETS - 1)) + SUB_BUCKETS) * 2 ** (octave - SUB_BUCKET_BITS);
}

/** The middle in µs of the bucket that begins at `lowerUs`: what its values are taken for. */
export function bucketMiddleUs(lowerUs: number): number {
  return middleOf(bucketOf(lowerUs));
}

function middleOf(bucket: number): number {
  return (bucketLowerUs(bucket) + bucketLowerUs(bucket + 1)) / 2;
}

/** Adds `from` into `into`. */
export function mergeInto(into: Histogram, from: Histogram): void {
  assert(into.counts.length === from.counts.length, 'histograms of one kind merge');
  // Beyond its largest value nothing was counted.
  const last = bucketOf(from.maxUs);
  for (let bucket = 0; bucket <= last; bucket += 1) {
    into.counts[bucket] = (into.counts[bucket] ?? 0) + (from.counts[bucket] ?? 0);
  }
  into.count += from.count;
  into.sumUs += from.sumUs;
  into.maxUs = Math.max(into.maxUs, from.maxUs);
}

/**
 * What was recorded between two cumulative states. The exact maximum of a window is not known: its upper bound
 * is that of the highest bucket that grew, but never above the later state's maximum.
 */
export function windowOf(later: Histogram, earlier: Histogram): Histogram {
  const counts = new Uint32Array(HISTOGRAM_BUCKETS);
  let highest = -1;
  for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket += 1) {
    counts[bucket] = (later.counts[bucket] ?? 0) - (earlier.counts[bucket] ?? 0);
    if ((counts[bucket] ?? 0) > 0) highest = bucket;
  }
  return {
    counts,
    count: later.count - earlier.count,
    sumUs: later.sumUs - earlier.sumUs,
    maxUs: highest < 0 ? 0 : Math.min(bucketLowerUs(highest + 1), later.maxUs),
  };
}

/**
 * The value in µs that a share `quantile` (0..1) of the values does not exceed: the middle of its bucket, at
 * most the maximum. Null when fewer than ten values lie beyond it: such a percentile would be made of luck.
 */
export function quantileUs(histogram: Histogram, quantile: number): number | null {
  // 100 × (1 − 0.9) is 9.999… in binary.
  if (histogram.count === 0 || histogram.count * (1 - quantile) < 10 - 1e-6) return null;
  const rank = Math.ceil(histogram.count * quantile);
  let seen = 0;
  for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket += 1) {
    seen += histogram.counts[bucket] ?? 0;
    if (seen >= rank) return Math.min(middleOf(bucket), histogram.maxUs);
  }
  return histogram.maxUs;
}

/**
 * How many values lie below each of the bounds, in µs and rising. Exact for bounds where a bucket begins, as all
 * powers of two do; values within another bucket are counted as if they were at its beginning.
 */
export function countsBelow(histogram: Histogram, boundsUs: readonly number[]): number[] {
  const below = boundsUs.map(() => 0);
  let seen = 0;
  let bucket = 0;
  for (const [index, boundUs] of boundsUs.entries()) {
    for (; bucket < HISTOGRAM_BUCKETS && bucketLowerUs(bucket) < boundUs; bucket += 1)
      seen += histogram.counts[bucket] ?? 0;
    below[index] = seen;
  }
  return below;
}
