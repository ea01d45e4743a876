/** How far the median of a few samples can be trusted: the bootstrap, with draws that are the same every time. */

const RESAMPLES = 10_000;
const SEED = 1;

/**
 * The interval that the median lies in with a probability of 95 %, as [low, high]: the middle of the medians of
 * 10,000 draws with replacement (the percentile method of B. Efron, "Bootstrap Methods", 1979). The same samples
 * give the same interval. Throws on no samples.
 */
export function medianInterval(samples: readonly number[]): readonly [number, number] {
  if (samples.length === 0) throw new RangeError('no samples');
  const random = createRandom(SEED);
  const values = Float64Array.from(samples);
  const drawn = new Float64Array(values.length);
  const medians = new Float64Array(RESAMPLES);
  for (let resample = 0; resample < RESAMPLES; resample += 1) {
    for (let at = 0; at < drawn.length; at += 1)
      drawn[at] = values[Math.floor(random() * values.length)] ?? Number.NaN;
    medians[resample] = medianOf(drawn);
  }
  medians.sort();
  const at = (share: number): number => medians[Math.round(share * (RESAMPLES - 1))] ?? Number.NaN;
  return [at(0.025), at(0.975)];
}

/** Sorts what it is given. */
function medianOf(values: Float64Array): number {
  values.sort();
  const [low, high] = [values[(values.length - 1) >> 1], values[values.length >> 1]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** Numbers from 0 to 1, without 1: mulberry32, 32 bits of state. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
