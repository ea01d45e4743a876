/** When the monitor looks, under a virtual clock. What it says of workers, `crew` and `simulation` test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../../src/base/clock.ts';
import { Monitor, TICK_MS } from '../../src/coordinator/monitor.ts';
import { assignmentsOf } from '../../src/coordinator/shares.ts';
import { WorkerSlot } from '../../src/coordinator/worker-slot.ts';
import { EMPTY_LEDGER } from '../../src/metrics/ledger.ts';
import { emptySnapshot } from '../../src/metrics/snapshot.ts';
import { localLinks } from '../../src/protocol/link.ts';
import { type DownMessage, type UpMessage, PROTOCOL_VERSION } from '../../src/protocol/messages.ts';
import { packSnapshot } from '../../src/protocol/packed-snapshot.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { NO_SAMPLER, PLAN, templateOf } from './support.ts';

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

/** When a report is read, and when it was made; the last one ends the run. */
const LATE_REPORTS = [
  [250, 250],
  [500, 500],
  [750, 750],
  [1000, 1000],
  [6200, 2000],
  [6201, 5000],
  [6250, 6250],
  [6500, 6500],
  [9000, 7000],
] as const;

test('a report is of the moment when it was made, however late it is read', async () => {
  const clock = createVirtualClock(3);
  const rates: number[] = [];
  const monitor = new Monitor({
    plan: PLAN,
    clock,
    observer: (event) => {
      if (event.kind === 'tick') rates.push(event.state.window.rowsPerSecond);
    },
    host: { cores: 2, cgroupCores: null, memoryBytes: 2 ** 33 },
    readHost: () => ({ busyMs: 0, throttledMs: null, receivedBytes: null, sentBytes: null }),
    readUse: null,
    sampler: NO_SAMPLER,
  });
  const { parent, child } = localLinks<DownMessage, UpMessage>();
  const [assignment] = assignmentsOf(PLAN);
  assert.ok(assignment);
  const ready = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const slot = new WorkerSlot({
    clock,
    spawn: () => ({ pid: 4242, link: parent, kill: () => undefined, exited: new Promise(() => undefined) }),
    template: templateOf(PLAN, assignment, 0),
    counterFileOf: () => '/nowhere',
    events: {
      onReady: () => ready.resolve(),
      onDrained: () => over.resolve(),
      onDeath: () => assert.fail('it does not die'),
      onBatchLine: () => undefined,
      onExited: () => undefined,
    },
    readyTimeoutMs: 60_000,
    resumed: null,
  });
  const sender = { workerIndex: 0, incarnation: 0 };
  const hello = { protocolVersion: PROTOCOL_VERSION, pid: 4242, nodeVersion: 'v24.0.0' };

  await clock.runUntil(
    (async () => {
      slot.launch(null);
      await child.send({ type: 'ready', ...sender, ...hello });
      await ready.promise;
      const startAtNs = clock.monotonicNs();
      monitor.watch([slot], () => undefined);
      monitor.started(startAtNs);
      slot.start(startAtNs);
      for (const [position, [readAtMs, atMs]] of LATE_REPORTS.entries()) {
        await clock.sleep(readAtMs - monitor.elapsedMs());
        const ledger = { ...EMPTY_LEDGER, offered: atMs, acknowledged: atMs };
        const snapshot = packSnapshot({ ...emptySnapshot(0), sequence: position + 1, atMs, ledger });
        const isLast = position === LATE_REPORTS.length - 1;
        await child.send(
          isLast
            ? { type: 'drained', ...sender, end: 'done', detail: '', snapshot }
            : { type: 'progress', ...sender, snapshot },
        );
      }
      await over.promise;
      monitor.ended();
      await monitor.close();
    })(),
    LIMIT_MS,
  );

  assert.equal(monitor.elapsedMs(), 7000);
  assert.ok(Math.max(...rates) <= 1001, `${Math.max(...rates)} rows/s of a worker that makes 1,000`);
  assert.deepEqual(
    monitor.points().map(({ tMs, rows }) => [tMs, rows]),
    [500, 750, 1000, 6250, 6500].map((ms) => [ms, ms]),
  );
});
