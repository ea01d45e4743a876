/** Which batches a run began, told from its run file alone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { offeredBatches } from '../../../src/cli/finished-runs/run-rows.ts';
import { assignmentsOf } from '../../../src/coordinator/shares.ts';
import { rowsBefore, rowsOfBatch } from '../../../src/plan/assignment.ts';
import type { RunFile } from '../../../src/report/run-file-schema.ts';
import { toRunFile } from '../../../src/report/run-file.ts';
import { sampleResult, sampleWorker } from '../../report/samples.ts';
import { samplePlan } from '../../support/sample-plan.ts';

const FACTS = { exitCode: 0, crategenVersion: '0', nodeVersion: '24', fakerVersion: '10' };

interface Begun {
  readonly rows: number;
  readonly batchSize: number;
  readonly procs: number;
  readonly machine: { readonly index: number; readonly count: number };
  /** Batches that each worker began, at most; and rows it had rejected. */
  readonly batches: number;
  readonly rejected: number;
}

/** A run file whose workers each began so many batches of their share. */
function runFile({ rows, batchSize, procs, machine, batches, rejected }: Begun): RunFile {
  const sample = samplePlan();
  const plan = {
    ...sample,
    bounds: { rows, durationMs: null },
    machine,
    load: { ...sample.load, procs, batchSize },
  };
  const workers = assignmentsOf(plan).map((assignment, index) => {
    const next = assignment.globalIndex + batches * assignment.globalCount;
    const offered = rowsBefore(assignment, next);
    const worker = sampleWorker(index);
    const some = Math.min(rejected, offered);
    const ledger = {
      offered,
      acknowledged: offered - some,
      rejected: some,
      failed: 0,
      unknown: 0,
      inFlight: 0,
    };
    return {
      ...worker,
      ledger,
      tables: [ledger],
      batches: { begun: batches, completed: batches, retried: 0, failed: 0, next, exceptions: [] },
    };
  });
  return toRunFile(sampleResult({ plan, workers }), FACTS);
}

const begun = fc
  .record({
    rows: fc.integer({ min: 1, max: 5000 }),
    batchSize: fc.integer({ min: 1, max: 300 }),
    procs: fc.integer({ min: 1, max: 6 }),
    machines: fc.integer({ min: 1, max: 3 }),
    index: fc.nat(),
    batches: fc.integer({ min: 0, max: 40 }),
    rejected: fc.constantFrom(0, 0, 3),
  })
  .map(({ machines, index, ...rest }) => ({
    ...rest,
    machine: { index: 1 + (index % machines), count: machines },
  }));

describe('the batches of a run', () => {
  it('are ascending, without overlap, and hold exactly the offered rows', () => {
    fc.assert(
      fc.property(begun, (facts) => {
        const file = runFile(facts);
        const [found = []] = offeredBatches(file);
        const offered = file.workers.reduce((sum, worker) => sum + worker.ledger.offered, 0);
        assert.equal(
          found.reduce((sum, batch) => sum + batch.rows, 0),
          offered,
        );
        for (const [position, batch] of found.entries()) {
          const before = found[position - 1];
          assert.ok(before === undefined || before.firstRow + before.rows <= batch.firstRow);
          assert.equal(batch.rows, rowsOfBatch(facts, batch.firstRow / facts.batchSize));
        }
      }),
    );
  });

  it('count as acknowledged where no row was rejected, and as their exceptions say', () => {
    const clean = runFile({
      rows: 1000,
      batchSize: 100,
      procs: 1,
      machine: { index: 1, count: 1 },
      batches: 10,
      rejected: 0,
    });
    const [worker] = clean.workers;
    assert.ok(worker !== undefined);
    const exceptions = [{ batch: 3, acknowledged: 60, rejected: 0, failed: 40, unknown: 0 }];
    const file = { ...clean, workers: [{ ...worker, batches: { ...worker.batches, exceptions } }] };
    assert.deepEqual(
      offeredBatches(file)[0]?.map((batch) => batch.acknowledged),
      [100, 100, 100, 60, 100, 100, 100, 100, 100, 100],
    );
  });

  it('of a worker with rejected rows promise nothing each, since nobody kept in which they were', () => {
    const file = runFile({
      rows: 300,
      batchSize: 100,
      procs: 1,
      machine: { index: 1, count: 1 },
      batches: 3,
      rejected: 5,
    });
    assert.deepEqual(
      offeredBatches(file)[0]?.map((batch) => batch.acknowledged),
      [0, 0, 0],
    );
  });
});
