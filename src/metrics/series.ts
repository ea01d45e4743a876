/** A series over time with a fixed size: when it is full, neighbours merge and the step doubles. */

export interface Series<Point> {
  /** Offers a point; most are kept back until the step has passed. */
  offer(point: Point): void;
  points(): readonly Point[];
}

/** `merge(earlier, later)` makes one point of two neighbours. At most `capacity` points, an even number. */
export function createSeries<Point>(
  capacity: number,
  merge: (earlier: Point, later: Point) => Point,
): Series<Point> {
  let points: Point[] = [];
  let step = 1;
  let held: { point: Point; count: number } | null = null;
  return {
    offer(point) {
      held = held === null ? { point, count: 1 } : { point: merge(held.point, point), count: held.count + 1 };
      if (held.count < step) return;
      points.push(held.point);
      held = null;
      if (points.length < capacity) return;
      points = points.flatMap((each, index) => {
        const next = points[index + 1];
        return index % 2 === 1 ? [] : [next === undefined ? each : merge(each, next)];
      });
      step *= 2;
    },
    points: () => (held === null ? [...points] : [...points, held.point]),
  };
}
