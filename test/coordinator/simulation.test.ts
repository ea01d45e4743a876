/**
 * The coordinator and its workers as state machines in one process, under a virtual clock and a seeded source of
 * chance: outages, storms, blocks, lost answers, stops at any moment. Whatever happens, the books balance with
 * what the simulated target really holds. A failing seed replays exactly.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../src/base/seeded-random.ts';
import { counterFolderAt } from '../../src/coordinator/counter-folder.ts';
import { Crew } from '../../src/coordinator/crew.ts';
import { Monitor } from '../../src/coordinator/monitor.ts';
import { assignmentsOf, plannedRowsOf } from '../../src/coordinator/shares.ts';
import { createStopControl } from '../../src/coordinator/stop-control.ts';
import { localSpawner } from '../../src/coordinator/local-worker.ts';
import { EMPTY_LEDGER, addLedgers, settledRows } from '../../src/metrics/ledger.ts';
import type { RunPlan } from '../../src/plan/run-plan.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { type TargetFaults, createSimulatedTarget, rowsOfBody } from '../worker/simulated-target.ts';
import { NO_SAMPLER, PLAN, templateOf } from './support.ts';
import { folderFor } from '../support/folder.ts';

const folder = folderFor({ after });
let runs = 0;

const DAY_MS = 86_400_000;

const schedules = fc.record({
  seed: fc.integer(),
  keyed: fc.boolean(),
  procs: fc.integer({ min: 1, max: 5 }),
  rows: fc.integer({ min: 1, max: 1500 }),
  durationMs: fc.option(fc.integer({ min: 10, max: 3000 })),
  rate: fc.option(fc.integer({ min: 200, max: 20_000 })),
  retries: fc.integer({ min: 0, max: 4 }),
  trouble: fc.constantFrom(0, 0.05, 0.4),
  constraint: fc.integer({ min: -1, max: 16 }),
  windows: fc.array(
    fc
      .record({
        kind: fc.constantFrom('down', 'blocked', 'overloaded'),
        fromMs: fc.nat(1500),
        lengthMs: fc.nat(200_000),
      })
      .map(
        ({ lengthMs, ...window }) =>
          ({ ...window, node: null, toMs: window.fromMs + lengthMs }) as TargetFaults['windows'][number],
      ),
    { maxLength: 2 },
  ),
  /** Moments in ms at which somebody asks for a stop. */
  stops: fc.array(fc.nat(20_000), { maxLength: 3 }),
});

test('a whole crew in any schedule of faults and stops: it ends, with a reason, and its books are true', async () => {
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const clock = createVirtualClock(4);
      const random = seededRandom(schedule.seed);
      const target = createSimulatedTarget(
        clock,
        random,
        { ...schedule, poison: [] },
        schedule.keyed,
        rowsOfBody,
      );
      const plan: RunPlan = {
        ...PLAN,
        bounds: { rows: schedule.rows, durationMs: schedule.durationMs },
        load: { ...PLAN.load, procs: schedule.procs, batchSize: 20, rowsPerSecond: schedule.rate },
        safety: { ...PLAN.safety, retries: schedule.retries, drainTimeoutMs: 15_000, timeoutMs: 5000 },
      };
      const counters = counterFolderAt(mkdtempSync(join(folder, `run-${runs++}-`)));
      const stop = createStopControl(clock);
      const phases: string[] = [];
      const monitor = new Monitor({
        plan,
        clock,
        observer: (event) => event.kind === 'phase' && phases.push(event.state.phase),
        host: { cores: 2, cgroupCores: null, memoryBytes: 2 ** 33 },
        readHost: () => ({ busyMs: null, throttledMs: null, receivedBytes: null, sentBytes: null }),
        readUse: null,
        sampler: NO_SAMPLER,
      });
      const crew = new Crew({
        plan,
        clock,
        stop,
        monitor,
        spawn: localSpawner({
          clock,
          random,
          connect: async () => ({
            insert: (node, body, request) => target.insert(node, body, request),
            greet: (node, options) => target.greet(node, options),
            destroy: () => Promise.resolve(),
          }),
        }),
        templates: assignmentsOf(plan).map((assignment, index) => ({
          ...templateOf(plan, assignment, index),
          keyed: schedule.keyed,
        })),
        counterFileOf: (workerIndex, incarnation) => counters.fileOf(workerIndex, incarnation),
        onBatchLine: () => undefined,
        resumed: null,
      });
      for (const atMs of schedule.stops) void clock.sleep(atMs).then(() => stop.request('SIGTERM'));
      const end = await clock.runUntil(crew.run(), DAY_MS);
      await clock.runUntil(Promise.all([monitor.close(), target.settle()]), DAY_MS);

      const ledger = crew.slots.map((slot) => slot.total().ledger).reduce(addLedgers, EMPTY_LEDGER);
      assert.equal(ledger.inFlight, 0);
      assert.equal(ledger.offered, settledRows(ledger));
      const stored = [...target.stored.values()].reduce((sum, copies) => sum + copies, 0);
      assert.ok(
        ledger.acknowledged <= stored && stored <= ledger.acknowledged + ledger.unknown,
        JSON.stringify({ ledger, stored }),
      );
      if (!schedule.keyed) assert.ok([...target.stored.values()].every((copies) => copies === 1));
      if (end.reason === 'rows') assert.equal(ledger.offered, plannedRowsOf(plan));
      if (end.reason === 'signal') assert.ok(schedule.stops.length > 0);
      if (end.reason === 'duration') assert.ok(schedule.durationMs !== null);
      assert.ok(
        ['rows', 'duration', 'signal', 'outage', 'blocked', 'maxFailed'].includes(end.reason),
        end.detail,
      );
      assert.ok(phases.filter((phase) => phase === 'draining').length <= 1);
      const listed = crew.slots.flatMap((slot) => slot.exceptions);
      assert.equal(
        listed.reduce((sum, batch) => sum + batch.failed + batch.unknown, 0),
        ledger.failed + ledger.unknown,
      );
    }),
    { numRuns: Number(process.env['CRATEGEN_SCHEDULES'] ?? 100), endOnFailure: true },
  );
});
