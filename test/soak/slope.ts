/** Whether something grows: the slope of a straight line through samples, with what is left to chance. */

export interface Slope {
  /** Units per hour. */
  readonly perHour: number;
  /** The slope is at least this with a probability of 97.5 %. */
  readonly atLeastPerHour: number;
}

/** What t is at 97.5 % for so many degrees of freedom and more; in between the next smaller holds. */
const T_VALUES = [
  [30, 2.04],
  [20, 2.09],
  [15, 2.13],
  [10, 2.23],
  [6, 2.45],
  [4, 2.78],
  [3, 3.18],
  [2, 4.3],
  [1, 12.7],
] as const;

/** Least squares; null with fewer than three points. `hours` and `value` of each point. */
export function slopeOf(points: readonly (readonly [hours: number, value: number])[]): Slope | null {
  if (points.length < 3) return null;
  const mean = (pick: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [meanHours, meanValue] = [mean(([hours]) => hours), mean(([, value]) => value)];
  const spread = points.reduce((sum, [hours]) => sum + (hours - meanHours) ** 2, 0);
  const product = points.reduce((sum, [hours, value]) => sum + (hours - meanHours) * (value - meanValue), 0);
  const perHour = product / spread;
  const residual = points.reduce(
    (sum, [hours, value]) => sum + (value - meanValue - perHour * (hours - meanHours)) ** 2,
    0,
  );
  const freedom = points.length - 2;
  const t = T_VALUES.find(([least]) => freedom >= least)?.[1] ?? 12.7;
  return { perHour, atLeastPerHour: perHour - t * Math.sqrt(residual / freedom / spread) };
}

/** The least value of each of `count` equal stretches of time: a heap is at its true size after a collection. */
export function minimaOf(
  points: readonly (readonly [hours: number, value: number])[],
  count: number,
): (readonly [number, number])[] {
  const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const width = (last - first) / count || 1;
  return Array.from({ length: count }, (_, index) =>
    points.filter(([hours]) => Math.min(count - 1, Math.floor((hours - first) / width)) === index),
  ).flatMap((stretch) =>
    stretch.length === 0 ? [] : [stretch.reduce((least, point) => (point[1] < least[1] ? point : least))],
  );
}
