/** Judging `--fail-on`: conditions over what a run measured. A condition without a measurement is not true. */
import { type Histogram, quantileUs } from '../metrics/histogram.ts';
import type { Threshold } from '../plan/run-plan.ts';

/** What conditions are about. */
export interface Measured {
  /** From the intended start of a batch to its final outcome. */
  readonly responseTime: Histogram;
  /** Acknowledged rows and the time they took, without the warm-up. */
  readonly measuredRows: number;
  readonly measuredMs: number | null;
  readonly ledger: { readonly rejected: number; readonly failed: number; readonly unknown: number };
  /** Of all workers, from their common start to their end. */
  readonly workerCpuSeconds: number;
  readonly runningMs: number | null;
}

export interface Judgement {
  readonly threshold: Threshold;
  /** In the threshold's unit; null when it was not measured. */
  readonly measured: number | null;
  readonly isMissed: boolean;
}

const QUANTILES: Readonly<Record<string, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 };

/** One judgement per condition, in the order given. */
export function judge(thresholds: readonly Threshold[], measured: Measured): readonly Judgement[] {
  return thresholds.map((threshold) => {
    const value = valueOf(threshold.metric, measured);
    return { threshold, measured: value, isMissed: value !== null && isTrue(value, threshold) };
  });
}

function perMs(amount: number, ms: number | null): number | null {
  return ms === null || ms === 0 ? null : amount / ms;
}

function valueOf(metric: Threshold['metric'], measured: Measured): number | null {
  const { responseTime, ledger } = measured;
  switch (metric) {
    case 'rows/s':
      return perMs(measured.measuredRows * 1000, measured.measuredMs);
    case 'cpu':
      return perMs(measured.workerCpuSeconds * 1e5, measured.runningMs);
    case 'rejected':
    case 'failed':
    case 'unknown':
      return ledger[metric];
    case 'max':
      return responseTime.count > 0 ? responseTime.maxUs / 1000 : null;
    default: {
      const us = quantileUs(responseTime, QUANTILES[metric] ?? 0.5);
      return us === null ? null : us / 1000;
    }
  }
}

function isTrue(value: number, { operator, value: limit }: Threshold): boolean {
  switch (operator) {
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
  }
}

/** `p99>200ms was true: 412`, or why a condition could not be judged; null for one that was met. */
export function judgementLine({ threshold, measured, isMissed }: Judgement): string | null {
  const name = `--fail-on "${threshold.text}"`;
  if (measured === null) return `${name} could not be judged: too few samples`;
  if (!isMissed) return null;
  return `${name} is true: ${threshold.metric} was ${formatMeasured(threshold.metric, measured)}`;
}

function formatMeasured(metric: Threshold['metric'], value: number): string {
  const text = Number.isInteger(value) ? String(value) : value.toFixed(1);
  switch (metric) {
    case 'rows/s':
    case 'rejected':
    case 'failed':
    case 'unknown':
      return text;
    case 'cpu':
      return `${text} %`;
    default:
      return `${text} ms`;
  }
}
