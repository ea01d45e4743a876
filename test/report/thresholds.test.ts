/** Conditions of --fail-on are judged by what a run file says was measured; what it does not say counts as 0, and is told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHistogram, record } from '../../src/metrics/histogram.ts';
import type { Threshold } from '../../src/plan/run-plan.ts';
import { toRunFile } from '../../src/report/run-file.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { judge, judgementText } from '../../src/report/thresholds.ts';
import { FACTS, sampleCost, sampleResult, sampleWorker } from './samples.ts';

function measured(): RunFile {
  const responseTime = createHistogram();
  for (let ms = 1; ms <= 20_000; ms += 1) record(responseTime, (ms / 10) * 1000);
  const cpu = { ...sampleCost().cpu, userSeconds: 2, systemSeconds: 1 };
  const result = sampleResult({ workers: [{ ...sampleWorker(0), cpu }] });
  return toRunFile(
    {
      ...result,
      responseTime,
      measuredRows: 50_000,
      measuredMs: 2000,
      runningMs: 2000,
      ledger: { ...result.ledger, offered: result.ledger.offered + 3, rejected: 3 },
    },
    FACTS,
  );
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
  it('is missed exactly when it is true, whatever it is about', () => {
    const cases = [
      [condition('p50', '>', 900), true],
      [condition('p90', '>', 1700), true],
      [condition('p95', '<', 1800), false],
      [condition('p99', '>', 2100), false],
      [condition('p999', '>', 1900), true],
      [condition('max', '>=', 2000), true],
      [condition('rows/s', '<', 30_000), true],
      [condition('rows/s', '<=', 24_000), false],
      [condition('rejected', '>', 2), true],
      [condition('failed', '>', 0), false],
      [condition('unknown', '>', 0), false],
      [condition('cpu', '>', 149), true],
      [condition('cpu', '>', 150), false],
    ] as const;
    for (const [threshold, isMissed] of cases) {
      assert.equal(judge([threshold], measured())[0]?.isMissed, isMissed, threshold.text);
    }
  });

  it('counts what was not measured as 0, and says so: nothing is not too slow, and it is too few', () => {
    const none = toRunFile(
      { ...sampleResult({ workers: [] }), responseTime: createHistogram(), measuredMs: 0, runningMs: 0 },
      FACTS,
    );
    for (const metric of ['p50', 'p999', 'max', 'rows/s', 'cpu'] as const) {
      const [upper, lower] = judge([condition(metric, '>', 1), condition(metric, '<', 1)], none);
      assert.deepEqual([upper?.isMissed, lower?.isMissed], [false, true], metric);
      assert.ok(upper !== undefined);
      assert.match(judgementText(upper), /is not true: \S+ was not measured, which counts as 0$/);
    }
  });

  it('says in one line what was measured', () => {
    const [met, missed] = judge([condition('failed', '>', 0), condition('rejected', '>', 0)], measured());
    assert.ok(met !== undefined && missed !== undefined);
    assert.equal(judgementText(met), '--fail-on "failed>0" is not true: failed was 0');
    assert.equal(judgementText(missed), '--fail-on "rejected>0" is true: rejected was 3');
  });
});
