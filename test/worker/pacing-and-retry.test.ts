/** Properties of shares, schedules and retry decisions: arithmetic that a run's exactness rests on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AttemptRows } from '../../src/cratedb/outcome.ts';
import { settledRows } from '../../src/metrics/ledger.ts';
import {
  type Assignment,
  assignedRows,
  batchCount,
  rowsBefore,
  rowsOfBatch,
  rowDueMs,
  rowsDueBy,
} from '../../src/plan/assignment.ts';
import { arrivalDueMs, createPacer } from '../../src/worker/pacer.ts';
import { BACKOFF_CAP_MS, backoffMs, createRetryBudget, decide, learn } from '../../src/worker/retry.ts';
import { outcomeOf } from './simulated-target.ts';

const shares = fc.record({
  rows: fc.integer({ min: 1, max: 50_000 }),
  batchSize: fc.integer({ min: 1, max: 3000 }),
  globalCount: fc.integer({ min: 1, max: 17 }),
});

function assignmentOf(
  share: { rows: number | null; batchSize: number; globalCount: number },
  globalIndex: number,
): Assignment {
  return { ...share, globalIndex, durationMs: null, pace: { kind: 'closed', rampUpMs: 0 }, warmUpMs: 0 };
}

test('the workers of a run share its rows exactly, each row once', () => {
  fc.assert(
    fc.property(shares, (share) => {
      const workers = Array.from({ length: share.globalCount }, (_, index) => assignmentOf(share, index));
      assert.equal(
        workers.reduce((sum, worker) => sum + (assignedRows(worker) ?? 0), 0),
        share.rows,
      );
      for (const worker of workers) {
        let counted = 0;
        for (
          let batch = worker.globalIndex;
          batch < batchCount(share.rows, share.batchSize) + share.globalCount;
          batch += share.globalCount
        ) {
          assert.equal(rowsBefore(worker, batch), counted);
          counted += rowsOfBatch(worker, batch);
        }
        assert.equal(assignedRows(worker), counted);
      }
    }),
  );
});

const openPace = fc.record({
  rowsPerSecond: fc.integer({ min: 1, max: 2_000_000 }),
  rampUpMs: fc.integer({ min: 0, max: 60_000 }),
});

test('arrivals never go back in time and keep the rate after the ramp, over all workers together', () => {
  fc.assert(
    fc.property(openPace, shares, fc.nat(500), (pace, share, arrival) => {
      const open = { kind: 'open', ...pace } as const;
      const due = (index: number, number: number): number =>
        arrivalDueMs(assignmentOf({ ...share, rows: null }, index), open, number);
      assert.ok(due(0, arrival + 1) >= due(0, arrival));
      if (share.globalCount > 1) assert.ok(due(1, arrival) >= due(0, arrival));
      const far = 10_000_000;
      const step = due(0, far + 1) - due(0, far);
      const expected = (share.globalCount * share.batchSize * 1000) / pace.rowsPerSecond;
      assert.ok(Math.abs(step - expected) <= expected * 1e-3 + 1e-3, `${step} instead of ${expected}`);
    }),
  );
});

test('the rows that a schedule asks for by the time when one is due are those before it', () => {
  fc.assert(
    fc.property(openPace, fc.nat(1e9), (schedule, rows) => {
      const back = rowsDueBy(schedule, rowDueMs(schedule, rows));
      assert.ok(Math.abs(back - rows) <= rows * 1e-9 + 1e-6, `${back} instead of ${rows}`);
    }),
  );
});

test('an open loop accounts for every arrival: started, or dropped, and late only when it waited', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 60 }),
      (inFlight, busyMs) => {
        const share = { rows: null, batchSize: 100, globalCount: 1 };
        const assignment: Assignment = {
          ...assignmentOf(share, 0),
          durationMs: 5000,
          pace: { kind: 'open', rampUpMs: 0, rowsPerSecond: 2000 },
        };
        const pacer = createPacer(assignment, inFlight);
        let [now, started] = [0, 0];
        for (const busy of busyMs) {
          const grant = pacer.next(0, now, now);
          if (grant.kind === 'end') break;
          started += 1;
          assert.ok(grant.late === false || now - grant.intendedMs > 10);
          assert.ok(grant.intendedMs <= now + grant.waitMs);
          now += grant.waitMs + busy;
        }
        const dropped = pacer.droppedArrivals(now);
        const due = Math.min(Math.floor(Math.min(now, 4999.999) / 50) + 1, 100);
        const waiting = due - started - dropped;
        assert.ok(
          waiting >= 0 && waiting <= inFlight,
          `${due} due = ${started} started + ${dropped} dropped + ${waiting} waiting`,
        );
      },
    ),
  );
});

test('a closed loop opens its slots along the ramp and grants nothing after the end', () => {
  const assignment: Assignment = {
    ...assignmentOf({ rows: null, batchSize: 1, globalCount: 1 }, 0),
    durationMs: 1000,
    pace: { kind: 'closed', rampUpMs: 400 },
  };
  const pacer = createPacer(assignment, 4);
  assert.deepEqual(pacer.next(2, 0, 0), {
    kind: 'start',
    waitMs: 200,
    intendedMs: 200,
    late: false,
    rowsAhead: 0,
  });
  assert.deepEqual(pacer.next(2, 900, 900), {
    kind: 'start',
    waitMs: 0,
    intendedMs: 900,
    late: false,
    rowsAhead: 0,
  });
  assert.deepEqual(pacer.next(0, 1000, 990), { kind: 'end' });
});

test('in a closed loop a slot that had to wait for its turn was meant to start when it was free', () => {
  const assignment = assignmentOf({ rows: null, batchSize: 1, globalCount: 1 }, 0);
  const pacer = createPacer({ ...assignment, pace: { kind: 'closed', rampUpMs: 400 } }, 4);
  assert.deepEqual(pacer.next(0, 930, 900), {
    kind: 'start',
    waitMs: 0,
    intendedMs: 900,
    late: false,
    rowsAhead: 0,
  });
  assert.deepEqual(pacer.next(2, 30, 0), {
    kind: 'start',
    waitMs: 170,
    intendedMs: 200,
    late: false,
    rowsAhead: 0,
  });
  assert.deepEqual(pacer.next(2, 230, 0), {
    kind: 'start',
    waitMs: 0,
    intendedMs: 200,
    late: false,
    rowsAhead: 0,
  });
});

const attempts = fc
  .tuple(fc.nat(50), fc.nat(50), fc.nat(50), fc.nat(50))
  .map(([acknowledged, rejected, notStored, unknown]): AttemptRows => ({
    acknowledged,
    rejected,
    notStored,
    unknown,
  }));

function fittedTo(rows: number, attempt: AttemptRows): AttemptRows {
  let left = rows;
  const take = (wanted: number): number => {
    const taken = Math.min(wanted, left);
    left -= taken;
    return taken;
  };
  const [acknowledged, rejected, notStored] = [
    take(attempt.acknowledged),
    take(attempt.rejected),
    take(attempt.notStored),
  ];
  return { acknowledged, rejected, notStored, unknown: left };
}

test('what is known about a batch always adds up to its rows and never forgets an acknowledgement', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 120 }),
      fc.array(attempts, { minLength: 1, maxLength: 6 }),
      (rows, list) => {
        let known: ReturnType<typeof learn> | null = null;
        for (const attempt of list.map((each) => fittedTo(rows, each))) {
          const before = known;
          known = learn(before, attempt, rows);
          assert.equal(settledRows(known), rows);
          assert.ok(known.acknowledged >= Math.max(before?.acknowledged ?? 0, attempt.acknowledged));
          const isFinal = attempt.unknown + attempt.notStored === 0;
          if (!isFinal && before !== null)
            assert.ok(known.unknown >= Math.min(before.unknown, rows - known.acknowledged));
          if (isFinal) assert.equal(known.unknown + known.failed, 0);
        }
      },
    ),
  );
});

test('without a key nothing is sent again unless every row is surely not stored', () => {
  fc.assert(
    fc.property(
      attempts,
      fc.constantFrom('good', 'troubled', 'unreachable', 'overloaded', 'blocked'),
      (rows, condition) => {
        const total = rows.acknowledged + rows.rejected + rows.notStored + rows.unknown;
        const decision = decide(outcomeOf(rows, { condition }), {
          rows: total,
          keyed: false,
          retriesLeft: 3,
        });
        if (decision.kind === 'resend') assert.equal(rows.notStored, total);
        if (total > 0 && rows.notStored === total) assert.equal(decision.kind, 'resend');
      },
    ),
  );
});

test('rows that a complete answer left out are never sent again: nothing more would be told', () => {
  const left = { acknowledged: 7, rejected: 0, notStored: 0, unknown: 3 };
  for (const keyed of [false, true])
    assert.deepEqual(decide(outcomeOf(left, { isSilent: true }), { rows: 10, keyed, retriesLeft: 3 }), {
      kind: 'settled',
    });
});

test('with a key every unsure row is sent again while retries are left, and rows nobody took cost none', () => {
  const unsure = { acknowledged: 5, rejected: 0, notStored: 0, unknown: 5 };
  assert.deepEqual(
    decide(outcomeOf(unsure, { condition: 'troubled' }), { rows: 10, keyed: true, retriesLeft: 1 }),
    { kind: 'resend', spendsRetry: true },
  );
  assert.deepEqual(
    decide(outcomeOf(unsure, { condition: 'troubled' }), { rows: 10, keyed: true, retriesLeft: 0 }),
    { kind: 'settled' },
  );
  const nobody = { acknowledged: 0, rejected: 0, notStored: 10, unknown: 0 };
  assert.deepEqual(
    decide(outcomeOf(nobody, { condition: 'unreachable' }), { rows: 10, keyed: false, retriesLeft: 0 }),
    { kind: 'resend', spendsRetry: false },
  );
});

test('a request refused whole is split down to the one row, which is rejected', () => {
  const refused = { acknowledged: 0, rejected: 10, notStored: 0, unknown: 0 };
  assert.deepEqual(
    decide(outcomeOf(refused, { refusedWhole: true }), { rows: 10, keyed: false, retriesLeft: 3 }),
    { kind: 'split' },
  );
  const one = { ...refused, rejected: 1 };
  assert.deepEqual(decide(outcomeOf(one, { refusedWhole: true }), { rows: 1, keyed: true, retriesLeft: 3 }), {
    kind: 'settled',
  });
});

test('back-off has full jitter and a cap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (retry, random) => {
        const wait = backoffMs(retry, random);
        assert.ok(wait >= 0 && wait <= BACKOFF_CAP_MS);
        assert.equal(backoffMs(retry, 0), 0);
      },
    ),
  );
});

test('when retries do well again those who wait follow in steps that double, and failing ones earn nothing', () => {
  const budget = createRetryBudget();
  while (budget.spend(0).granted);
  const grantedAt = (nowMs: number): number => {
    let granted = 0;
    while (budget.spend(nowMs).granted) granted += 1;
    return granted;
  };
  const steps = [2000, 2050, 2100, 2150, 2200].map((nowMs) => {
    const granted = grantedAt(nowMs);
    for (let retry = 0; retry < granted; retry += 1) budget.reward();
    return granted;
  });
  assert.deepEqual(steps, [1, 2, 4, 8, 16]);
  assert.equal(grantedAt(2250), 32);
  assert.equal(grantedAt(2300), 0);
});

test('retries stay within a tenth of first attempts beside the saving and one probe per two seconds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2000 }),
      fc.integer({ min: 1, max: 120_000 }),
      (firstAttempts, overMs) => {
        const budget = createRetryBudget();
        for (let attempt = 0; attempt < firstAttempts; attempt += 1) budget.earn();
        let granted = 0;
        for (let nowMs = 0; nowMs < overMs; nowMs += 500) if (budget.spend(nowMs).granted) granted += 1;
        assert.ok(granted <= 10 + firstAttempts * 0.1 + 1 + Math.ceil(overMs / 2000));
      },
    ),
  );
});
