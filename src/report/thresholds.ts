/**
 * Judging `--fail-on`: conditions over what a run file says was measured, so that a report shown later judges as the run
 * did. What was not measured counts as 0, as in k6, and is said: nothing is not too slow, and it is too few.
 */
import { sumOfKnown } from '../metrics/measured.ts';
import type { Threshold } from '../plan/run-plan.ts';
import { cpuSecondsOf } from './costs.ts';
import { orDash } from './quantities.ts';
import type { RunFile } from './run-file-schema.ts';

export interface Judgement {
  readonly threshold: Threshold;
  /** In the threshold's unit; null when it was not measured. */
  readonly measured: number | null;
  readonly isMissed: boolean;
}

/** One judgement per condition, in the order given. */
export function judge(thresholds: readonly Threshold[], run: RunFile): readonly Judgement[] {
  return thresholds.map((threshold) => {
    const measured = valueOf(threshold.metric, run);
    return { threshold, measured, isMissed: isTrue(measured ?? 0, threshold) };
  });
}

/** `--fail-on "p99>200ms" is true: p99 was 412 ms`, and the same of one that was met or had nothing to go by. */
export function judgementText({ threshold, measured, isMissed }: Judgement): string {
  const { metric, text } = threshold;
  const verdict = isMissed ? 'is true' : 'is not true';
  return measured === null
    ? `--fail-on "${text}" ${verdict}: ${metric} was not measured, which counts as 0`
    : `--fail-on "${text}" ${verdict}: ${metric} was ${orDash(measured, (value) => formatMeasured(metric, value))}`;
}

function valueOf(metric: Threshold['metric'], run: RunFile): number | null {
  switch (metric) {
    case 'rows/s':
      return run.throughput.acknowledgedRowsPerSecond;
    case 'cpu':
      return workersCpuPercent(run);
    case 'rejected':
    case 'failed':
    case 'unknown':
      return run.ledger[metric];
    default:
      return run.latencyMs.response[metric];
  }
}

/** Of all workers, from their common start to their end, 100 = one core. */
function workersCpuPercent({ workers, run }: RunFile): number | null {
  const seconds = sumOfKnown(workers.map(cpuSecondsOf));
  if (seconds === null || run.runningMs === null || run.runningMs === 0) return null;
  return (seconds / run.runningMs) * 1e5;
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
