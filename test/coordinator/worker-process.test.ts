/** Workers as processes: those that wait for a run which never comes are no orphans. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forkAhead, forkingSpawner } from '../../src/coordinator/worker-process.ts';

test('workers forked ahead are handed out, and those that nobody took end by themselves', async () => {
  const spawned: ReturnType<ReturnType<typeof forkingSpawner>>[] = [];
  const fork = forkingSpawner();
  const stock = forkAhead(() => {
    const worker = fork();
    spawned.push(worker);
    return worker;
  }, 2);
  assert.equal(spawned.length, 2);
  const taken = stock.spawn();
  assert.equal(taken, spawned[0]);
  stock.release();
  const left = await spawned[1]?.exited;
  assert.deepEqual([left?.code, left?.signal], [0, null]);
  // Released is what nobody took; what was taken goes on until it is let go of.
  const later = stock.spawn();
  assert.equal(spawned.indexOf(later), 2);
  assert.ok(taken.pid !== null && process.kill(taken.pid, 0));
  for (const worker of [taken, later]) worker.link.disconnect();
  await Promise.all([taken.exited, later.exited]);
});
