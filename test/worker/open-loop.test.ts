/** The open loop's schedule where a run does not go straight from its start to its end. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NO_USE } from '../../src/metrics/snapshot.ts';
import type { Assignment } from '../../src/plan/assignment.ts';
import type { Resume } from '../../src/protocol/messages.ts';
import { createCounterFile } from '../../src/worker/counter-file.ts';
import { type InsertPort, type InsertionLoop, createInsertionLoop } from '../../src/worker/insertion-loop.ts';
import { type VirtualClock, createVirtualClock } from '../support/virtual-clock.ts';
import { rangeBody, storedAll } from './simulated-target.ts';
import { bulkForm } from '../../src/rows/insert-form.ts';
import { folderFor } from '../support/folder.ts';

const folder = folderFor({ after });
let files = 0;

const IN_FLIGHT = 2;

/** A batch of 10 rows is due every 10 ms. */
function assignmentOf(rows: number | null, durationMs: number | null): Assignment {
  const pace = { kind: 'open', rampUpMs: 0, rowsPerSecond: 1000 } as const;
  return { globalIndex: 0, globalCount: 1, batchSize: 10, rows, durationMs, pace, warmUpMs: 0 };
}

const GREETING = {
  ok: true,
  kind: 'cratedb',
  version: '6.4.3',
  clusterName: 'c',
  name: 'n',
} as const;

/** Takes every row, each request in `serviceMs`. */
function slowTarget(clock: VirtualClock, serviceMs: number): InsertPort {
  return {
    greet: () => Promise.resolve(GREETING),
    async insert(_node, _body, { rows, onHandedOver }) {
      onHandedOver();
      await clock.sleep(serviceMs);
      return storedAll(rows, serviceMs * 1000);
    },
  };
}

function loopOf(
  clock: VirtualClock,
  assignment: Assignment,
  serviceMs: number,
  resume: Resume | null,
  batchIntervalMs = 0,
): InsertionLoop {
  const header = { workerIndex: 0, incarnation: 0, pid: 1, firstBatch: 0, globalCount: 1 };
  const counters = createCounterFile(join(folder, `worker-${files++}`), {
    ...header,
    slots: IN_FLIGHT,
    tables: 1,
  });
  const limits = {
    inFlight: IN_FLIGHT,
    batchIntervalMs,
    compression: 'none',
    maxBodyBytes: 1 << 20,
    bodyBytesBudget: null,
    timeoutMs: 5000,
    retries: 3,
    outageTimeoutMs: 120_000,
    blockTimeoutMs: 60_000,
    drainTimeoutMs: 15_000,
  } as const;
  return createInsertionLoop(
    {
      assignment,
      limits,
      keyed: true,
      tables: [{ form: bulkForm(''), weight: 1, rowsPerRequest: 10 }],
      resume,
      nodeCount: 1,
    },
    {
      clock,
      random: () => 0.5,
      port: slowTarget(clock, serviceMs),
      bodies: Array.from({ length: limits.inFlight }, () => [rangeBody()]),
      compress: null,
      counters,
      readUse: () => NO_USE,
      onBatch: null,
    },
  );
}

test('a replacement goes on with the schedule where its predecessor died, and owes nothing of before', async () => {
  const clock = createVirtualClock();
  const startAtNs = clock.monotonicNs();
  await clock.runUntil(clock.sleep(60_000), 100_000);
  const resume = { nextBatch: 6000, resend: [], servedUntilNs: clock.monotonicNs() };
  const loop = loopOf(clock, assignmentOf(null, 61_000), 1, resume);
  await clock.runUntil(loop.run(startAtNs), 100_000);
  const { droppedRows, lateRows, responseTime, ledger } = loop.snapshot();
  assert.deepEqual([droppedRows, lateRows], [0, 0]);
  // One second at 1,000 rows/s; the arrival of the very moment of death was the predecessor's.
  assert.equal(ledger.acknowledged, 990);
  assert.ok(responseTime.maxUs < 10_000, `${responseTime.maxUs} µs are no response time of this target`);
});

test('arrivals between a death and its replacement wait as far as there is room, and are dropped beyond', async () => {
  const clock = createVirtualClock();
  const startAtNs = clock.monotonicNs();
  await clock.runUntil(clock.sleep(1000), 10_000);
  const resume = { nextBatch: 50, resend: [], servedUntilNs: startAtNs + 500_000_000n };
  const loop = loopOf(clock, assignmentOf(null, 1005), 1, resume);
  await clock.runUntil(loop.run(startAtNs), 10_000);
  // Due after 500 ms and until 1,000 ms: 50 batches, of which two found room.
  assert.equal(loop.snapshot().droppedRows, 480);
  assert.equal(loop.snapshot().ledger.acknowledged, 20);
});

test('the schedule ends with the rows: while the last batches are answered nothing is dropped', async () => {
  const clock = createVirtualClock();
  const loop = loopOf(clock, assignmentOf(20, null), 5000, null);
  await clock.runUntil(loop.run(clock.monotonicNs()), 10_000);
  const { droppedRows, ledger } = loop.snapshot();
  assert.equal(ledger.acknowledged, 20);
  assert.equal(droppedRows, 0);
});

test('a loop that is stopped before the common start has dropped nothing', async () => {
  const clock = createVirtualClock();
  await clock.runUntil(clock.sleep(3_600_000), 4_000_000);
  const loop = loopOf(clock, assignmentOf(null, null), 1, null);
  loop.stopOffering();
  assert.equal(loop.snapshot().droppedRows, 0);
});

/** Milliseconds from the common start to the end of the loop, as its last report says. */
async function lastsMs(assignment: Assignment, batchIntervalMs = 0): Promise<number> {
  const clock = createVirtualClock();
  const loop = loopOf(clock, assignment, 1, null, batchIntervalMs);
  await clock.runUntil(loop.run(clock.monotonicNs()), 10_000);
  return Math.round(loop.snapshot('last').atMs);
}

test('a schedule lasts as long as its rows ask for, be it few batches or many', async () => {
  assert.equal(await lastsMs(assignmentOf(10, null)), 10);
  assert.equal(await lastsMs(assignmentOf(30, null)), 30);
  assert.equal(await lastsMs(assignmentOf(35, null)), 35, 'the last batch is a short one');
  assert.equal(await lastsMs(assignmentOf(null, 35)), 35);
  assert.equal(await lastsMs(assignmentOf(1000, 35)), 35);
  assert.equal(await lastsMs({ ...assignmentOf(40, null), globalIndex: 1, globalCount: 2 }), 40);
});

test('a schedule that is stopped does not last any longer', async () => {
  const clock = createVirtualClock();
  const loop = loopOf(
    clock,
    { ...assignmentOf(10, null), pace: { kind: 'open', rampUpMs: 0, rowsPerSecond: 1 } },
    1,
    null,
  );
  const running = loop.run(clock.monotonicNs());
  await clock.runUntil(clock.sleep(5), 100);
  loop.stopOffering();
  await clock.runUntil(running, 100);
  assert.equal(Math.round(loop.snapshot('last').atMs), 5);
});

test('a pause that no batch follows is not waited for', async () => {
  const pace = { kind: 'closed', rampUpMs: 0 } as const;
  // Two slots: the first two batches, a pause, the third one.
  assert.equal(await lastsMs({ ...assignmentOf(30, null), pace }, 1000), 1002);
});
