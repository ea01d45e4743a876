import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUseReader } from '../../src/worker/process-use.ts';

test('memory is read once a second, CPU time every time, and the last reading is fresh', () => {
  let nowMs = 0;
  const read = createUseReader(() => nowMs);
  const first = read('recent');
  const held = Buffer.alloc(64 * 1024 * 1024, 1);
  nowMs = 999;
  const second = read('recent');
  assert.equal(second.residentBytes, first.residentBytes);
  assert.equal(second.residentBytesMax, first.residentBytesMax);
  assert.ok(second.userCpuUs + second.systemCpuUs > first.userCpuUs + first.systemCpuUs);
  const last = read('fresh');
  assert.ok(last.residentBytesMax > first.residentBytesMax);
  nowMs = 2100;
  assert.ok(read('recent').residentBytes > first.residentBytes);
  assert.equal(held.length, 64 * 1024 * 1024);
});
