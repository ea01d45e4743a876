/** What doctor says of memory and of the place for counters: good, tight or not enough, with what would fit. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { counterFinding, memoryFinding, usualSlotBytes } from '../../../src/cli/doctor/memory.ts';
import { folderFor } from '../../support/folder.ts';

const GIB = 2 ** 30;
const SLOTS = 2 ** 20;

test('memory is compared with what a run takes, and the processes that fit are named', () => {
  const finding = (procs: number, freeBytes: number): readonly string[] => {
    const { status, detail, hint } = memoryFinding({ procs, slotBytes: SLOTS, freeBytes });
    return [status, detail, hint];
  };
  assert.deepEqual(finding(2, 8 * GIB), [
    'good',
    '8 GiB free; 2 processes with 4 requests of 1000 rows in flight take about 267 MiB',
    '',
  ]);
  assert.deepEqual(finding(8, GIB)[0], 'warning');
  assert.match(finding(8, GIB)[2] ?? '', /^--procs 5, or fewer rows in flight/);
  assert.deepEqual(finding(64, GIB)[0], 'bad');
  assert.match(finding(1, 2 ** 20)[2] ?? '', /^--procs 1,/);
});

test('the slots of a run are its largest bodies: some hundred kilobytes each', async () => {
  const bytes = await usualSlotBytes();
  assert.ok(bytes > 4 * 100_000 && bytes < 4 * 2_000_000, String(bytes));
});

test('the place of the counters is written to, left as it was, and told when it is none', (context) => {
  const folder = folderFor(context);
  assert.equal(counterFinding(folder, 4).status, 'good');
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(counterFinding(folder, 2 ** 40).status, 'bad');
  const missing = counterFinding(join(folder, 'missing'), 1);
  assert.deepEqual([missing.status, missing.hint], ['bad', 'XDG_RUNTIME_DIR can name another place.']);
});
