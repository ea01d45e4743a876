import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUseReader } from '../../src/worker/process-use.ts';

test('memory and delays are read every two seconds, CPU time every time, and the last reading is fresh', () => {
  let nowMs = 0;
  const read = createUseReader({ nowMs: () => nowMs });
  const first = read('recent');
  const held = Buffer.alloc(64 * 1024 * 1024, 1);
  nowMs = 1999;
  const second = read('recent');
  assert.equal(second.residentBytes, first.residentBytes);
  assert.equal(second.residentBytesMax, first.residentBytesMax);
  assert.ok(second.userCpuUs + second.systemCpuUs > first.userCpuUs + first.systemCpuUs);
  const last = read('fresh');
  assert.ok(last.residentBytesMax > first.residentBytesMax);
  nowMs = 4100;
  assert.ok(read('recent').residentBytes > first.residentBytes);
  assert.equal(held.length, 64 * 1024 * 1024);
});

test('what a process waited for a core before it is measured is not counted', () => {
  let waitedMs: number | null = 800;
  const read = createUseReader({ waitedMs: () => waitedMs });
  waitedMs = 830;
  assert.equal(read('fresh').coreWaitMs, 30);
  waitedMs = null;
  assert.equal(read('fresh').coreWaitMs, null);
});

test('garbage collection, a late event loop and context switches are told', async () => {
  const read = createUseReader();
  let garbage: unknown[] = [];
  const untilMs = performance.now() + 700;
  while (performance.now() < untilMs) {
    const busyMs = performance.now() + 150;
    while (performance.now() < busyMs) garbage = Array.from({ length: 10_000 }, (_, at) => ({ at }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const use = read('fresh');
  assert.equal(garbage.length, 10_000);
  assert.ok(use.gcMs > 0);
  assert.ok(use.eventLoopDelayP99Ms >= 30, `${use.eventLoopDelayP99Ms} ms late`);
  assert.ok(use.eventLoopActiveMs >= 300);
  if (process.platform !== 'linux') return;
  assert.ok(use.voluntarySwitches + use.involuntarySwitches > 0);
  assert.ok(use.coreWaitMs === null || use.coreWaitMs >= 0);
});
