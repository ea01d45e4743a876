/**
 * Whether two sides differ: per metric the ratio of their typical values with an interval that holds it in 99 of 100
 * cases, and in words "no clear difference" when the interval holds 1. Pure. `docs/measurement.md` says how.
 */
import { seededRandom } from '../../base/seeded-random.ts';
import {
  blockStandardError,
  meanOf,
  standardError,
  studentT,
  welchFreedom,
} from '../../metrics/bootstrap.ts';
import { METRICS, METRIC_NAMES, type MetricName, type RunFigures } from './figures.ts';

/** Five metrics are judged at once: with 99 % each, all five are right about nothing in 95 of 100 cases. */
export const CONFIDENCE = 0.99;
/** What two runs of one plan are taken to differ by (standard deviation) where no repeat shows it. */
export const ASSUMED_SPREAD = 0.05;
/** Fewer repeats say little about their own spread. */
const TELLING_REPEATS = 3;

/** An interval that reaches half as much more again says nothing either way. */
const TELLS_NOTHING = 0.5;
/** Beyond it a number would only look like knowledge. */
const SHOWN_AT_MOST = 5;

export type Verdict = 'clearlyMore' | 'clearlyLess' | 'noClearDifference' | 'notMeasured';

/** One metric of B held against A's. */
export interface Difference {
  readonly metric: MetricName;
  /** Typical value of each side, the geometric mean of its runs. */
  readonly a: number | null;
  readonly b: number | null;
  /** b / a, and the interval around it; null when a side was not measured, or too short a time to tell. */
  readonly ratio: { readonly value: number; readonly low: number; readonly high: number } | null;
  readonly verdict: Verdict;
  /** Whether the spread between runs was assumed, because a side is a single run. */
  readonly isAssumed: boolean;
}

interface Side {
  readonly mean: number;
  readonly se: number | null;
  readonly count: number;
  /** Relative standard error within the one run; 0 for a metric without a series; null for a run too short to tell. */
  readonly within: number | null;
}

/** All metrics of side B against side A. The seed decides the resampling, nothing else. */
export function judgeSides(
  a: readonly RunFigures[],
  b: readonly RunFigures[],
  seed = 1,
): readonly Difference[] {
  return METRIC_NAMES.map((metric, index) => judgeMetric(metric, a, b, seededRandom(seed + index)));
}

/** `10 % fewer rows/s (8 to 12 %)`, or that there is no clear difference and how large it may be. */
export function differenceText({ metric, a, b, ratio, verdict }: Difference): string {
  if (ratio === null) return a === null || b === null ? 'not measured on both sides' : 'too short to tell';
  const { more, less } = METRICS[metric];
  const [low, high] = [ratio.low - 1, ratio.high - 1];
  if (verdict === 'noClearDifference') {
    const isTelling = high <= TELLS_NOTHING && low >= 1 / (1 + TELLS_NOTHING) - 1;
    if (high > SHOWN_AT_MOST) return 'no clear difference: far too uneven to tell';
    return `no clear difference${isTelling ? '' : ': too uneven to tell'} (${signed(low)} to ${signed(high)})`;
  }
  const isMore = verdict === 'clearlyMore';
  const [near, far] = isMore ? [low, high] : [-high, -low];
  return `${percent(Math.abs(ratio.value - 1))} ${isMore ? more : less} (${percent(near)} to ${percent(far)})`;
}

/** Whether a clear difference is one for the better; null when there is none. */
export function isBetter({ metric, verdict }: Difference): boolean | null {
  if (verdict !== 'clearlyMore' && verdict !== 'clearlyLess') return null;
  return (verdict === 'clearlyMore') === METRICS[metric].isMoreBetter;
}

function judgeMetric(
  metric: MetricName,
  a: readonly RunFigures[],
  b: readonly RunFigures[],
  random: () => number,
): Difference {
  const [sideA, sideB] = [sideOf(metric, a, random), sideOf(metric, b, random)];
  const typical = (side: Side | null): number | null => (side === null ? null : Math.exp(side.mean));
  const reach = sideA === null || sideB === null ? null : reachOf(sideA, sideB);
  if (sideA === null || sideB === null || reach === null) {
    const [left, right] = [typical(sideA), typical(sideB)];
    return { metric, a: left, b: right, ratio: null, verdict: 'notMeasured', isAssumed: false };
  }
  const middle = sideB.mean - sideA.mean;
  const verdict =
    middle - reach > 0 ? 'clearlyMore' : middle + reach < 0 ? 'clearlyLess' : 'noClearDifference';
  return {
    metric,
    a: typical(sideA),
    b: typical(sideB),
    ratio: { value: Math.exp(middle), low: Math.exp(middle - reach), high: Math.exp(middle + reach) },
    verdict,
    isAssumed: sideA.se === null || sideB.se === null,
  };
}

/** On the logarithm, where a ratio is a difference and half is as far as double. Null when a run lacks the metric. */
function sideOf(metric: MetricName, runs: readonly RunFigures[], random: () => number): Side | null {
  const values = runs.map(({ figures }) => figures[metric].value);
  const logs = values.filter((value) => value !== null && value > 0).map((value) => Math.log(value ?? 1));
  if (logs.length === 0 || logs.length < values.length) return null;
  const [only] = runs.length === 1 ? runs : [];
  const within = only === undefined ? 0 : unrestWithin(metric, only, random);
  return { mean: meanOf(logs), se: standardError(logs, random), count: logs.length, within };
}

/** A run whose rows/s have too few slices is too short for all its metrics: their unrest is nowhere else. */
function unrestWithin(metric: MetricName, { figures }: RunFigures, random: () => number): number | null {
  if (unrestOf(figures.rowsPerSecond.slices ?? [], random) === null) return null;
  const { slices } = figures[metric];
  return slices === null ? 0 : (unrestOf(slices, random) ?? 0);
}

/** Relative standard error of the mean; null for fewer than a dozen slices. */
function unrestOf(slices: readonly number[], random: () => number): number | null {
  const mean = slices.length === 0 ? 0 : meanOf(slices);
  // Blocks of a short series are shorter: they hold less of what lasts, and more than nothing.
  const error = blockStandardError(slices, random) ?? blockStandardError(slices, random, 1);
  return error === null || mean <= 0 ? null : error / mean;
}

/** Half the width of the interval; null when neither repeats nor the runs themselves show how uneven they are. */
function reachOf(a: Side, b: Side): number | null {
  if (a.se !== null && b.se !== null) {
    const freedom = welchFreedom({ se: a.se, count: a.count }, { se: b.se, count: b.count });
    return studentT(CONFIDENCE, freedom) * Math.hypot(a.se, b.se);
  }
  // A single run shows its own unrest, not how another one of the same plan would have gone.
  const shown = spreadOf(a) ?? spreadOf(b);
  if (shown === null && [a, b].some(({ se, within }) => se === null && within === null)) return null;
  const spread = shown ?? ASSUMED_SPREAD;
  const errors = [a, b].map((side) => side.se ?? Math.hypot(spread, side.within ?? 0));
  const freedom = Math.max(a.count, b.count) >= TELLING_REPEATS ? Math.max(a.count, b.count) - 1 : Infinity;
  return studentT(CONFIDENCE, freedom) * Math.hypot(...errors);
}

/** Standard deviation between the runs of a side that has enough of them. */
function spreadOf(side: Side): number | null {
  return side.se === null || side.count < TELLING_REPEATS ? null : side.se * Math.sqrt(side.count);
}

function signed(share: number): string {
  return `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`;
}

/** Two digits at least are told apart: 0.6 %, 12 %. */
function percent(share: number): string {
  const value = share * 100;
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} %`;
}
