/**
 * What a run did over time, as curves that charts, tables and CSV share: rates out of cumulative counts, gaps where
 * nothing was measured. Pure.
 */
import { printable } from '../base/text.ts';
import type { RunFile } from './run-file-schema.ts';

/** One measure over time; null is a gap. */
export interface Curve {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** Curves over the same moments, in ms after the workers' common start. */
export interface Curves {
  readonly atMs: readonly number[];
  readonly curves: readonly Curve[];
}

/** One worker's curves. */
export interface WorkerCurves {
  readonly index: number;
  readonly pids: readonly number[];
  readonly atMs: readonly number[];
  readonly rowsPerSecond: readonly (number | null)[];
  readonly cpuPercent: readonly (number | null)[];
  readonly residentBytes: readonly (number | null)[];
}

type Point = RunFile['series'][number];

/** Points nearer than this show the steps of single batches instead of a rate; short runs have no others. */
const RATE_WINDOW_MS = 1000;
const SHORT_RUN_MS = 20_000;

/** Acknowledged rows per second between a point and the one before. */
export function throughputCurves(run: RunFile): Curves {
  const points = spacedPoints(run);
  const rows = points.map((point) => point.rows);
  const values = ratesOf(points, rows, earlierRows(run));
  return curvesOf(points, [{ name: 'acknowledged rows/s', values }]);
}

/** Rows per second that ended rejected, failed or unknown; no curve when there was none in any point. */
export function errorCurves(run: RunFile): Curves {
  const points = spacedPoints(run);
  const errors = points.map((point) => point.errors);
  const values = ratesOf(points, errors, earlierRows(run) > 0 ? null : 0);
  const isClean = errors.every((count) => count === 0);
  return curvesOf(points, isClean ? [] : [{ name: 'rejected, failed or unknown rows/s', values }]);
}

/** Service times of the requests that were answered between a point and the one before, in ms. */
export function latencyCurves(run: RunFile): Curves {
  return curvesOf(
    run.series,
    [
      { name: 'p50', values: run.series.map((point) => point.p50Ms) },
      { name: 'p99', values: run.series.map((point) => point.p99Ms) },
    ].filter(isMeasured),
  );
}

/** Each worker of the run, in order; a moment in which it had no process is a gap. */
export function workerCurves(run: RunFile): readonly WorkerCurves[] {
  const points = spacedPoints(run);
  return run.workers.map((worker) => {
    const samples = points.map((point) => sampleOf(point, worker.index));
    const rows = samples.map((sample) => sample?.rows ?? null);
    return {
      index: worker.index,
      pids: worker.pids,
      atMs: points.map((point) => point.tMs),
      rowsPerSecond: ratesOf(points, rows, worker.earlierRows),
      cpuPercent: samples.map((sample) => sample?.cpuPercent ?? null),
      residentBytes: samples.map((sample) => sample?.residentBytes ?? null),
    };
  });
}

export function isMeasured(curve: Curve): boolean {
  return curve.values.some((value) => value !== null);
}

/** Shown names come from servers too: symbols for control characters, and not without end. */
export function curveName(name: string): string {
  return printable(name, 60);
}

/**
 * At most about `limit` moments: of each stretch the moments of its lowest and its highest value are kept, so that a
 * short stall stays visible. Several curves are thinned by the first one's extremes and the others' highest.
 */
export function thinned({ atMs, curves }: Curves, limit: number): Curves {
  if (atMs.length <= limit) return { atMs, curves };
  const kept = new Set<number>([0, atMs.length - 1]);
  const stretches = Math.max(1, Math.floor(limit / (curves.length + 1)));
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const from = Math.floor((stretch * atMs.length) / stretches);
    const to = Math.floor(((stretch + 1) * atMs.length) / stretches);
    curves.forEach(({ values }, position) => {
      kept.add(extremeOf(values, from, to, 1));
      if (position === 0) kept.add(extremeOf(values, from, to, -1));
    });
  }
  const positions = [...kept].toSorted((a, b) => a - b);
  return {
    atMs: positions.map((position) => atMs[position] ?? 0),
    curves: curves.map(({ name, values }) => ({
      name,
      values: positions.map((position) => values[position] ?? null),
    })),
  };
}

/** Where the highest (`sign` 1) or lowest (−1) value of a stretch is; its first moment when all are gaps. */
function extremeOf(values: readonly (number | null)[], from: number, to: number, sign: 1 | -1): number {
  let best = from;
  let bestValue: number | null = null;
  for (let position = from; position < to; position += 1) {
    const value = values[position] ?? null;
    if (value === null || (bestValue !== null && value * sign <= bestValue * sign)) continue;
    best = position;
    bestValue = value;
  }
  return best;
}

function curvesOf(points: readonly Point[], curves: readonly Curve[]): Curves {
  return { atMs: points.map((point) => point.tMs), curves };
}

/** The points of the series, without those that follow another one too closely. The last one always stays. */
function spacedPoints({ series }: RunFile): readonly Point[] {
  if ((series.at(-1)?.tMs ?? 0) < SHORT_RUN_MS) return series;
  let lastMs = 0;
  return series.filter(({ tMs }, position) => {
    const isKept = tMs - lastMs >= RATE_WINDOW_MS || position === series.length - 1;
    if (isKept) lastMs = tMs;
    return isKept;
  });
}

function sampleOf(point: Point, index: number): Point['workers'][number] | null {
  // Nearly always the worker stands at its own number.
  const direct = point.workers[index];
  return direct?.index === index ? direct : (point.workers.find((sample) => sample.index === index) ?? null);
}

/**
 * Per second, between neighbouring points; `before` is the count at the start, null when it is not known. A count that
 * falls (a killed process took its last report with it) is a gap.
 */
export function ratesOf(
  points: readonly { readonly tMs: number }[],
  counts: readonly (number | null)[],
  before: number | null,
): readonly (number | null)[] {
  let [lastMs, last] = [0, before];
  return counts.map((count, position) => {
    const atMs = points[position]?.tMs ?? 0;
    const seconds = (atMs - lastMs) / 1000;
    const grown = count === null || last === null ? null : count - last;
    [lastMs, last] = [atMs, count];
    return grown === null || grown < 0 || seconds <= 0 ? null : grown / seconds;
  });
}

/** Rows at the common start: those that an earlier part of the run had stored. */
function earlierRows(run: RunFile): number {
  return run.workers.reduce((sum, worker) => sum + worker.earlierRows, 0);
}
