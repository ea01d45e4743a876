/** Sums, means and extremes of what was measured; null is what was not, and of nothing measured nothing is known. */

export function sumOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

export function meanOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

export function maxOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** The mean of means that hold for times of different lengths. */
export function meanByTime(
  parts: readonly { readonly mean: number | null; readonly ms: number }[],
): number | null {
  const known = parts.flatMap(({ mean, ms }) => (mean === null || ms <= 0 ? [] : [{ mean, ms }]));
  const wholeMs = known.reduce((sum, { ms }) => sum + ms, 0);
  return wholeMs === 0 ? null : known.reduce((sum, { mean, ms }) => sum + mean * ms, 0) / wholeMs;
}
