/** A plan and a crew for tests: real processes, a clock that may hurry, and everything that was noted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { counterFolderAt } from '../../src/coordinator/counter-folder.ts';
import { Crew, type CrewEnd } from '../../src/coordinator/crew.ts';
import type { ProcessSampler } from '../../src/coordinator/process-sampler.ts';
import { Monitor } from '../../src/coordinator/monitor.ts';
import type { RunNote } from '../../src/coordinator/run-state.ts';
import { assignmentsOf, bytesPerWorkerOf } from '../../src/coordinator/shares.ts';
import { type StopControl, createStopControl } from '../../src/coordinator/stop-control.ts';
import { forkingSpawner } from '../../src/coordinator/worker-process.ts';
import type { InitTemplate } from '../../src/coordinator/worker-slot.ts';
import { makeRowPlan } from '../../src/rows/row-plan.ts';
import type { TableSchema } from '../../src/rows/schema.ts';
import type { RunPlan } from '../../src/plan/run-plan.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts';
import { writeRowsFile } from '../../src/protocol/rows-file.ts';
import { samplePlan } from '../support/sample-plan.ts';
import { bulkForm } from '../../src/rows/insert-form.ts';
import { folderFor } from '../support/folder.ts';

const usual = samplePlan();
const rowsFolder = folderFor({ after });

export const PLAN: RunPlan = {
  ...usual,
  runId: 'test-run',
  seed: 1,
  timeOriginMs: 1_700_000_000_000,
  target: { ...usual.target, nodes: ['http://127.0.0.1:1'] },
  bounds: { rows: 10_000, durationMs: null },
  load: { ...usual.load, procs: 2, batchSize: 100, inFlight: 2 },
  safety: { ...usual.safety, drainTimeoutMs: 2000 },
};

/** Every wait takes a fraction of its time, by the factor of the moment it begins; what is measured is real. */
export function hurriedClock(factor: () => number): Clock {
  return { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / factor(), signal) };
}

/** Waits take their time, and nothing that is measured lasts: processes may come and go as slowly as a busy host has them. */
export function standingClock(): Clock {
  const nowNs = systemClock.monotonicNs();
  return { ...systemClock, monotonicNs: () => nowNs, monotonicMs: () => Number(nowNs) / 1e6 };
}

export interface CrewRun {
  readonly crew: Crew;
  readonly notes: readonly RunNote[];
  readonly stop: StopControl;
  readonly monitor: Monitor;
  readonly ended: Promise<CrewEnd>;
  close(): Promise<void>;
}

/** Starts a crew of misbehaving workers; they are told nothing they would understand. */
export function startCrew(fixture: string, plan: RunPlan, clock: Clock): CrewRun {
  const folder = mkdtempSync(join(tmpdir(), 'crategen-test-'));
  const counters = counterFolderAt(folder);
  const notes: RunNote[] = [];
  const stop = createStopControl(clock);
  const monitor = new Monitor({
    plan,
    clock,
    observer: (event) => event.kind === 'note' && notes.push(event),
    host: { cores: 2, cgroupCores: null, memoryBytes: 2 ** 33 },
    readHost: () => ({ busyMs: null, throttledMs: null, receivedBytes: null, sentBytes: null }),
    readUse: null,
    sampler: NO_SAMPLER,
  });
  const templates = assignmentsOf(plan).map((assignment, workerIndex) =>
    templateOf(plan, assignment, workerIndex),
  );
  const crew = new Crew({
    plan,
    clock,
    stop,
    monitor,
    spawn: forkingSpawner(new URL(`../fixtures/workers/${fixture}.ts`, import.meta.url)),
    templates,
    counterFileOf: (workerIndex, incarnation) => counters.fileOf(workerIndex, incarnation),
    onBatchLine: () => undefined,
    resumed: null,
  });
  const ended = crew.run();
  return {
    crew,
    notes,
    stop,
    monitor,
    ended,
    async close() {
      await monitor.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Processes nobody looks at. */
export const NO_SAMPLER: ProcessSampler = {
  sample: () => Promise.resolve(),
  historyOf: () => ({
    latest: null,
    percentMean: null,
    watchedMs: 0,
    percentMax: null,
    proportionalBytesMax: null,
  }),
  close: () => undefined,
};

/** Rows that are nothing but their number. */
const NUMBERED: TableSchema = {
  name: 'numbered',
  description: 'rows of one column, their number',
  columns: [{ name: 'seq', type: { kind: 'bigint' }, generator: { kind: 'seq' } }],
  primaryKey: [],
  clusteredBy: null,
  partitionedBy: [],
  checks: [],
  settings: {},
  axis: { entities: 1, stepMs: 1000 },
};

/** Gone with the tests of the file that asked for it. */
function numberedRows(plan: RunPlan): string {
  const pools = { bytes: new Uint8Array(), offsets: new Uint32Array(1), pools: [], tables: [], hash: '' };
  const identity = { seed: plan.seed, runId: plan.runId, timeOriginMs: plan.timeOriginMs };
  const path = join(rowsFolder, 'rows');
  writeRowsFile(path, [{ kind: 'plan', plan: makeRowPlan(NUMBERED, identity, pools) }]);
  return path;
}

export function templateOf(
  plan: RunPlan,
  assignment: InitTemplate['assignment'],
  workerIndex: number,
): InitTemplate {
  return {
    type: 'init',
    protocolVersion: PROTOCOL_VERSION,
    workerIndex,
    access: {
      nodes: plan.target.nodes,
      pgPorts: plan.target.nodes.map(() => 5432),
      username: null,
      password: null,
      token: null,
      tls: { verify: true, ca: null, cert: null, key: null },
    },
    tables: [
      {
        name: 'crategen.numbered',
        weight: 1,
        insert: bulkForm(''),
      },
    ],
    rowsFile: numberedRows(plan),
    keyed: true,
    assignment,
    limits: { ...plan.safety, ...plan.load, bodyBytesBudget: bytesPerWorkerOf(plan) },
    reportIntervalMs: 250,
    tracesBatches: false,
  };
}
