/** When a run stops for the sake of a disk: which limit holds, and what a watch over a filling disk says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskLimit, lookAtDisks, watchDisks } from '../../src/coordinator/disk-watch.ts';
import type { ClusterLimits } from '../../src/cratedb/cluster-state.ts';
import { SleepingClock } from '../support/sleeping-clock.ts';
import { clientOf } from '../cratedb/support.ts';
import { accessTo } from '../support/access.ts';
import { faults, sandboxFor } from '../support/sandbox.ts';

const LIMITS: ClusterLimits = {
  heedsDisks: true,
  low: { kind: 'used', share: 0.85 },
  high: { kind: 'used', share: 0.9 },
  floodStage: { kind: 'used', share: 0.95 },
  maxShardsPerNode: 1000,
};
const UNSEEN = { ok: false, class: 'notRecovered', code: 4045, message: 'hidden', handedOver: true } as const;

test('the limit is what was spelled out, else the high watermark of a cluster that heeds it', () => {
  const heeded = { ok: true, value: LIMITS } as const;
  const ignored = { ok: true, value: { ...LIMITS, heedsDisks: false } } as const;
  assert.equal(diskLimit({ kind: 'watermark' }, heeded)?.name, 'the high watermark of 90%');
  assert.equal(diskLimit({ kind: 'watermark' }, ignored), null);
  assert.equal(diskLimit({ kind: 'watermark' }, UNSEEN), null);
  assert.deepEqual(diskLimit({ kind: 'share', share: 0.8 }, ignored), {
    stopAt: { kind: 'used', share: 0.8 },
    name: '--stop-at-disk 80%',
    warnAt: null,
  });
  assert.equal(diskLimit({ kind: 'share', share: 0.8 }, UNSEEN)?.name, '--stop-at-disk 80%');
});

test('a disk that fills up is warned of once at the low watermark and stops the run at the high one', async (context) => {
  // Only the watch itself lets time pass: it looks every five seconds.
  const clock = new SleepingClock();
  const filling = faults('disk:80', 'disk:86@9s..', 'disk:91@19s..');
  const sandbox = await sandboxFor(context, { faults: filling }, clock);
  const client = clientOf(context, accessTo(sandbox.url));
  const state = await lookAtDisks(client, { kind: 'watermark' }, {});
  assert.ok(state.kind === 'watched');
  const said: string[] = [];
  const say = (message: string): void => void said.push(`${clock.monotonicMs()} ms: ${message}`);
  await watchDisks({
    client,
    clock,
    limit: state.limit,
    signal: context.signal,
    onWarning: say,
    onFull: say,
  });
  assert.deepEqual(said, [
    '10000 ms: the disk of node sandbox is 86.0% full (14 GiB left), past the low watermark of 85%: the run stops at the high watermark of 90%',
    '20000 ms: the disk of node sandbox is 91.0% full (9 GiB left), past the high watermark of 90%',
  ]);
});

test('disks that cannot be seen are said to be unseen, and nothing is asked with off', async (context) => {
  const sandbox = await sandboxFor(context, { faults: faults('no-sys') });
  const client = clientOf(context, accessTo(sandbox.url));
  const state = await lookAtDisks(client, { kind: 'watermark' }, {});
  assert.equal(state.kind, 'unseen');
  const before = sandbox.stats().requests;
  assert.deepEqual(await lookAtDisks(client, { kind: 'off' }, {}), { kind: 'off' });
  assert.equal(sandbox.stats().requests, before);
});
