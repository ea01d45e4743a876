/** The plan file keeps everything that recover and --resume need, and nothing else passes for one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../src/base/errors.ts';
import { type StartFacts, parsePlanFile, planFileText } from '../../src/plan/plan-file.ts';
import { planned } from './parse-input.ts';

const STARTED: StartFacts = {
  startedAtMs: Date.UTC(2026, 10, 24, 15, 30),
  counterFolder: '/dev/shm/crategen-x',
  coordinatorPid: 100,
  coordinatorStartTicks: 4242,
  workerPids: [101, 102],
  target: { kind: 'cratedb', version: '6.4.3', nodes: ['http://db:4200'] },
  keyed: true,
  statement: 'INSERT …',
  ddl: 'CREATE …',
  poolsHash: 'abc',
  rowsBefore: null,
  also: [],
  rowFormat: 1,
  versions: { crategen: '0.1.0', node: '24.0.0', faker: '10.6.0' },
  resumed: [
    {
      ledger: { offered: 3, acknowledged: 1, rejected: 1, failed: 0, unknown: 1, inFlight: 0 },
      tables: [{ offered: 3, acknowledged: 1, rejected: 1, failed: 0, unknown: 1, inFlight: 0 }],
      batches: { begun: 2, completed: 1, retried: 0, failed: 1 },
      nextBatch: 4,
      resend: [2],
      exceptions: [{ batch: 0, acknowledged: 0, rejected: 0, failed: 0, unknown: 1 }],
    },
  ],
};

describe('a plan file', () => {
  it('gives back the plan and the facts it was made of', () => {
    const { plan } = planned({
      machine: '1/1',
      rate: '5k',
      'max-failed': '1%',
      'fail-on': ['p99>1s'],
      duration: '1m',
    });
    assert.deepEqual(parsePlanFile(planFileText(plan, STARTED), 'plan.json'), { plan, facts: STARTED });
  });

  it('has its own format, the id and the start where a listing looks for them', () => {
    const text = planFileText(planned({ 'run-id': 'r1' }).plan, STARTED);
    const { format, run } = JSON.parse(text) as { format: string; run: unknown };
    assert.deepEqual(
      [format, run],
      ['crategen.plan/1', { id: 'r1', seed: 4711, startedAt: '2026-11-24T15:30:00.000Z' }],
    );
    assert.ok(!text.includes('crategen.run/1'));
  });

  it('holds no secret', () => {
    const { plan } = planned({ url: ['http://me:canary-9@db'] });
    assert.ok(!planFileText(plan, STARTED).includes('canary-9'));
  });

  it('is refused by place where a value is not what it must be', () => {
    const good = JSON.parse(planFileText(planned({}).plan, STARTED)) as Record<
      string,
      Record<string, unknown>
    >;
    const spoiled = [
      [{ ...good, format: 'crategen.run/1' }, /format/],
      [{ ...good, plan: { ...good['plan'], runId: '../../etc' } }, /plan\.runId/],
      [{ ...good, plan: { ...good['plan'], bounds: { rows: -1, durationMs: null } } }, /plan\.bounds\.rows/],
      [{ ...good, facts: { ...good['facts'], coordinatorPid: 0 } }, /facts\.coordinatorPid/],
    ] as const;
    for (const [value, place] of spoiled) {
      assert.throws(
        () => parsePlanFile(JSON.stringify(value), 'p.json'),
        (error) => error instanceof UsageError && place.test(error.message),
      );
    }
  });

  it('never passes for one by accident', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        assert.throws(() => parsePlanFile(text, 'p.json'), UsageError);
      }),
    );
  });
});
