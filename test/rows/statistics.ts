/** Whether values are distributed as they should be: the tests' own arithmetic. */
import assert from 'node:assert/strict';

/** How many standard deviations chi-square lies from its mean: beyond 5 is no chance. */
export function chiSquareScore(counts: readonly number[], expected: readonly number[]): number {
  const total = expected.reduce((sum, share) => sum + share, 0);
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const sum = counts.reduce((chi, count, index) => {
    const mean = ((expected[index] ?? 0) / total) * rows;
    return chi + (count - mean) ** 2 / mean;
  }, 0);
  const freedom = counts.length - 1;
  return Math.abs(sum - freedom) / Math.sqrt(2 * freedom);
}

export function countsOf(values: readonly number[], cells: number): number[] {
  const counts = new Array<number>(cells).fill(0);
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  assert.equal(counts.length, cells, 'a value lies outside');
  return counts;
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
export const shareOf = (values: readonly unknown[], holds: (value: unknown) => boolean): number =>
  values.filter(holds).length / values.length;

export function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);
}

/** Pearson's, of pairs. */
export function correlationOf(pairs: readonly (readonly [number, number])[]): number {
  const [left, right] = [meanOf(pairs.map(([a]) => a)), meanOf(pairs.map(([, b]) => b))];
  const sum = (of: (a: number, b: number) => number): number =>
    pairs.reduce((total, [a, b]) => total + of(a - left, b - right), 0);
  return sum((a, b) => a * b) / Math.sqrt(sum((a) => a * a) * sum((_, b) => b * b));
}
