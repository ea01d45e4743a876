/** Two sides of three repeats each, of which the second is a tenth slower. Numbers are made, not measured. */
import type { SeriesPoint } from '../../../src/coordinator/run-result.ts';
import { toRunFile } from '../../../src/report/run-file.ts';
import type { RunFile } from '../../../src/report/run-file-schema.ts';
import { samplePlan } from '../../support/sample-plan.ts';
import { FACTS, sampleResult } from '../samples.ts';

/** A run of half a minute at a rate, of a plan with this batch size, the nth of its day. */
export function aRun(id: string, rowsPerSecond: number, batchSize = 1000, minute = 0): RunFile {
  const plan = samplePlan({ runId: id, seed: minute, load: { ...samplePlan().load, batchSize } });
  const base = sampleResult();
  const startedAtMs = base.startedAtMs + minute * 60_000;
  const measured = { runningMs: 30_000, measuredMs: 30_000, measuredRows: rowsPerSecond * 30 };
  return toRunFile({ ...base, plan, startedAtMs, ...measured, series: steadySeries(rowsPerSecond) }, FACTS);
}

/** A point a second. */
function steadySeries(rowsPerSecond: number): SeriesPoint[] {
  return Array.from({ length: 30 }, (_, second): SeriesPoint => {
    const rows = (second + 1) * rowsPerSecond;
    return { tMs: (second + 1) * 1000, rows, errors: 0, p50Ms: null, p99Ms: null, workers: [] };
  });
}

export const A = [aRun('a1', 50_000, 1000, 0), aRun('a2', 50_500, 1000, 3), aRun('a3', 49_700, 1000, 4)];
export const B = [aRun('b1', 44_000, 500, 1), aRun('b2', 44_300, 500, 2), aRun('b3', 43_800, 500, 5)];
