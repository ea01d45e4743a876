/** Conditions of --fail-on are judged by what was measured, and never by what was not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Measured, judge, judgementLine } from '../../src/cli/thresholds.ts';
import { createHistogram, record } from '../../src/metrics/histogram.ts';
import type { Threshold } from '../../src/plan/run-plan.ts';

function measured(): Measured {
  const responseTime = createHistogram();
  for (let ms = 1; ms <= 2000; ms += 1) record(responseTime, ms * 1000);
  return {
    responseTime,
    measuredRows: 50_000,
    measuredMs: 2000,
    ledger: { rejected: 3, failed: 0, unknown: 0 },
    workerCpuSeconds: 3,
    runningMs: 2000,
  };
}

const condition = (
  metric: Threshold['metric'],
  operator: Threshold['operator'],
  value: number,
): Threshold => ({
  metric,
  operator,
  value,
  text: `${metric}${operator}${value}`,
});

describe('a condition', () => {
  it('is missed exactly when it is true', () => {
    const cases = [
      [condition('p50', '>', 900), true],
      [condition('p99', '>', 2100), false],
      [condition('max', '>=', 2000), true],
      [condition('rows/s', '<', 30_000), true],
      [condition('rows/s', '<=', 24_000), false],
      [condition('rejected', '>', 2), true],
      [condition('failed', '>', 0), false],
      [condition('cpu', '>', 149), true],
      [condition('cpu', '>', 150), false],
    ] as const;
    for (const [threshold, isMissed] of cases) {
      assert.equal(judge([threshold], measured())[0]?.isMissed, isMissed, threshold.text);
    }
  });

  it('without enough samples is not true, and is told', () => {
    const none = { ...measured(), responseTime: createHistogram(), measuredMs: 0 };
    for (const metric of ['p999', 'max', 'rows/s'] as const) {
      const [judgement] = judge([condition(metric, '>=', 0)], none);
      assert.equal(judgement?.isMissed, false, metric);
      assert.match(judgement === undefined ? '' : (judgementLine(judgement) ?? ''), /could not be judged/);
    }
  });

  it('that was met says nothing, one that was missed says what was measured', () => {
    const [met, missed] = judge([condition('failed', '>', 0), condition('rejected', '>', 0)], measured());
    assert.equal(met && judgementLine(met), null);
    assert.equal(missed && judgementLine(missed), '--fail-on "rejected>0" is true: rejected was 3');
  });
});
