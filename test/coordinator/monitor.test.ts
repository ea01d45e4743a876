/** When the monitor looks, under a virtual clock. What it says of workers, `crew` and `simulation` test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../../src/base/clock.ts';
import { Monitor, TICK_MS } from '../../src/coordinator/monitor.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { NO_SAMPLER, PLAN } from './support.ts';

const TICKS = 40;
/** Of virtual time. */
const LIMIT_MS = 60_000;

/** Times in ms after the start of the ticks of a crew that is started after `startMs`. */
async function ticksOf(clock: Clock, startMs: number): Promise<{ atMs: number[]; weighedAtMs: number[] }> {
  const atMs: number[] = [];
  const monitor = new Monitor({
    plan: PLAN,
    clock,
    observer: (event) => {
      if (event.kind === 'tick') atMs.push(event.state.elapsedMs);
    },
    host: { cores: 2, cgroupCores: null, memoryBytes: 2 ** 33 },
    readHost: () => ({ busyMs: 0, throttledMs: null, receivedBytes: null, sentBytes: null }),
    readUse: null,
    sampler: NO_SAMPLER,
  });
  const enough = Promise.withResolvers<void>();
  monitor.watch([], () => {
    if (atMs.length >= TICKS) enough.resolve();
  });
  await clock.sleep(startMs);
  atMs.length = 0;
  monitor.started(clock.monotonicNs());
  await enough.promise;
  await monitor.close();
  return { atMs, weighedAtMs: monitor.hostSamples().map(({ tMs }) => tMs) };
}

test('once the workers run, each look comes ten milliseconds after their reports, however late or early a timer is', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.double({ min: -1, max: 60, noNaN: true }), { minLength: TICKS, maxLength: TICKS }),
      async (startMs, lateness) => {
        const clock = createVirtualClock();
        let sleeps = 0;
        const unsteady: Clock = {
          ...clock,
          sleep: (ms, signal) =>
            clock.sleep(ms === startMs ? ms : ms + (lateness[sleeps++ % TICKS] ?? 0), signal),
        };
        const { atMs } = await clock.runUntil(ticksOf(unsteady, startMs), LIMIT_MS);
        // The first one was asked for before the start.
        const looks = atMs.slice(1).map((ms) => Math.round((ms - 10) / TICK_MS));
        for (const [position, ms] of atMs.slice(1).entries()) {
          const offMs = ms - 10 - (looks[position] ?? 0) * TICK_MS;
          assert.ok(offMs >= -1.001 && offMs <= 60.001, `${ms} ms after the start`);
        }
        assert.deepEqual(
          looks,
          looks.map((_, position) => (looks[0] ?? 0) + position),
          'none is left out, and none comes twice',
        );
      },
    ),
  );
});

test('the host is looked at when the first reports are in, and then every two seconds', async () => {
  const clock = createVirtualClock();
  const { weighedAtMs } = await clock.runUntil(ticksOf(clock, 100), LIMIT_MS);
  const [first = Number.NaN] = weighedAtMs;
  assert.ok(first <= TICK_MS);
  assert.deepEqual(
    weighedAtMs.slice(2).map((ms, position) => ms - (weighedAtMs[position + 1] ?? 0)),
    weighedAtMs.slice(2).map(() => 8 * TICK_MS),
  );
  assert.ok(weighedAtMs.length >= 4);
});
