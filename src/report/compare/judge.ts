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
  /** b / a, and the interval around it; null when a side was not measured. */
  readonly ratio: { readonly value: number; readonly low: number; readonly high: number } | null;
  readonly verdict: Verdict;
  /** Whether the spread between runs was assumed, because a side is a single run. */
  readonly isAssumed: boolean;
}

interface Side {
  readonly mean: number;
  readonly se: number | null;
  readonly count: number;
  /** Standard error within the one run, where its series tells; 0 where it does not. */
  readonly within: number;
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
export function differenceText({ metric, ratio, verdict }: Difference): string {
  if (ratio === null) return 'not measured on both sides';
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
  if (sideA === null || sideB === null) {
    const [left, right] = [typical(sideA), typical(sideB)];
    return { metric, a: left, b: right, ratio: null, verdict: 'notMeasured', isAssumed: false };
  }
  const reach = reachOf(sideA, sideB);
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
  const slices = runs.length === 1 ? (runs[0]?.figures[metric].slices ?? []) : [];
  const mean = slices.length === 0 ? 0 : meanOf(slices);
  const within = mean > 0 ? (blockStandardError(slices, random) ?? 0) / mean : 0;
  return { mean: meanOf(logs), se: standardError(logs, random), count: logs.length, within };
}

/** Half the width of the interval. */
function reachOf(a: Side, b: Side): number {
  if (a.se !== null && b.se !== null) {
    const freedom = welchFreedom({ se: a.se, count: a.count }, { se: b.se, count: b.count });
    return studentT(CONFIDENCE, freedom) * Math.hypot(a.se, b.se);
  }
  // A single run shows its own unrest, not how another one of the same plan would have gone.
  const spread = spreadOf(a) ?? spreadOf(b) ?? ASSUMED_SPREAD;
  const errors = [a, b].map((side) => side.se ?? Math.hypot(spread, side.within));
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
