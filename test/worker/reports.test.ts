/** When a worker reports, seen from the other end of its line. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { seededRandom } from '../../src/base/seeded-random.ts';
import { assignmentsOf } from '../../src/coordinator/shares.ts';
import { localLinks } from '../../src/protocol/link.ts';
import type { DownMessage, UpMessage } from '../../src/protocol/messages.ts';
import { parseUpMessage } from '../../src/protocol/parse-message.ts';
import { startWorker } from '../../src/worker/worker.ts';
import { PLAN, templateOf } from '../coordinator/support.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { createSimulatedTarget, rowsOfBody } from './simulated-target.ts';
import { folderFor } from '../support/folder.ts';

const folder = folderFor({ after });

const FAULTS = { trouble: 0, constraint: -1, poison: [], windows: [] };

/** Moments of its reports in ms after the common start, which lies `lateMs` before the worker hears of it. */
async function reportsOf(lateMs: number): Promise<number[]> {
  const clock = createVirtualClock(4);
  const random = seededRandom(1);
  const plan = { ...PLAN, bounds: { rows: null, durationMs: 1900 } };
  const target = createSimulatedTarget(clock, random, FAULTS, true, rowsOfBody);
  const { parent, child } = localLinks<DownMessage, UpMessage>();
  const worker = startWorker(child, {
    clock,
    random,
    connect: () => Promise.resolve({ ...target, destroy: () => Promise.resolve() }),
  });
  const startAtNs = clock.monotonicNs() - BigInt(lateMs * 1e6);
  const reports: number[] = [];
  parent.onMessage((raw) => {
    const parsed = parseUpMessage(raw);
    assert.ok(parsed.ok);
    if (parsed.message.type === 'ready') void parent.send({ type: 'start', startAtNs });
    if (parsed.message.type === 'progress') reports.push(Number(clock.monotonicNs() - startAtNs) / 1e6);
  });
  const [assignment] = assignmentsOf(plan);
  assert.ok(assignment !== undefined);
  await parent.send({
    ...templateOf(plan, assignment, 0),
    incarnation: 0,
    counterFile: join(folder, `late-${lateMs}`),
    resume: null,
  });
  assert.equal(await clock.runUntil(worker.ended, 10_000), 'well');
  return reports;
}

test('a worker reports at whole intervals after the common start, also one that begins late', async () => {
  assert.deepEqual(await reportsOf(0), [250, 500, 750, 1000, 1250, 1500, 1750]);
  assert.deepEqual(await reportsOf(610), [750, 1000, 1250, 1500, 1750]);
});
