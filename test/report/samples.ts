/** Runs to render: one that is easy to read, varied by what a test is about. Numbers are made, not measured. */
import type { ProcessCost, RunResult, WorkerResult } from '../../src/coordinator/run-result.ts';
import type { RunPhase, RunState, ServerView, WorkerState } from '../../src/coordinator/run-state.ts';
import { type Histogram, createHistogram, record } from '../../src/metrics/histogram.ts';
import { type Ledger, EMPTY_LEDGER, addBatches, addLedgers, NO_BATCHES } from '../../src/metrics/ledger.ts';
import { type Snapshot, emptySnapshot } from '../../src/metrics/snapshot.ts';
import type { ServerTelemetry } from '../../src/metrics/telemetry.ts';
import { tablesOf } from '../../src/plan/run-plan.ts';
import type { TextView } from '../../src/report/styled-text.ts';
import { samplePlan } from '../support/sample-plan.ts';

export const STARTED_AT_MS = Date.UTC(2026, 10, 24, 15, 30, 12, 345);
const MIB = 2 ** 20;

export function view(columns: number, facts: Partial<TextView> = {}): TextView {
  return { columns, colour: false, unicode: true, ...facts };
}

/** Service times around 60 ms with a tail to 812 ms. */
export function sampleLatencies(samples: number): Histogram {
  const histogram = createHistogram();
  for (let sample = 0; sample < samples; sample += 1) {
    const tail = sample % 100 === 99 ? 180_000 : 0;
    record(histogram, 50_000 + ((sample * 7919) % 22_000) + tail);
  }
  if (samples > 0) record(histogram, 812_000);
  return histogram;
}

export function sampleCost(changes: Partial<ProcessCost> = {}): ProcessCost {
  return {
    cpu: { userSeconds: 24.1, systemSeconds: 3.2, percentMean: 9, percentMax: 14, lowerBound: false },
    memory: { residentBytesMax: 104 * MIB, heapUsedBytesMax: 31 * MIB, proportionalBytesMax: 62 * MIB },
    eventLoopUtilization: 0.04,
    eventLoopDelayP99Ms: 1.4,
    gcMs: 820,
    contextSwitches: { voluntary: 41_000, involuntary: 1200 },
    coreWaitMs: 2100,
    ...changes,
  };
}

export function sampleWorker(index: number, changes: Partial<WorkerResult> = {}): WorkerResult {
  const rows = 2_150_000;
  return {
    index,
    pids: [8121 + index],
    sentBytes: 122_000_000,
    receivedBytes: 4_100_000,
    ledger: { ...EMPTY_LEDGER, offered: rows, acknowledged: rows },
    tables: [{ ...EMPTY_LEDGER, offered: rows, acknowledged: rows }],
    batches: { begun: 2150, completed: 2150, retried: 0, failed: 0, next: 17_200 + index, exceptions: [] },
    earlier: { offered: 0, acknowledged: 0 },
    restarts: 0,
    exit: { code: 0, signal: null },
    ...sampleCost(),
    ...changes,
  };
}

/** Three nodes that are busy; each sample is two seconds later. */
export function sampleServer(samples = 3): ServerTelemetry {
  const names = ['db-1', 'db-2', 'db-3'];
  return {
    nodes: names.map((name) => ({ name, version: '6.4.3', cores: 4, heapMaxBytes: 2 ** 30 })),
    samples: Array.from({ length: samples }, (_, at) => ({
      tMs: 2000 * (at + 1),
      nodes: names.map((_name, node) => ({
        node,
        cpuPercent: 388 - node,
        load1: 3.5,
        heapUsedBytes: 640 * MIB,
        heapMaxBytes: 2 ** 30,
        writeActive: 4,
        writeQueue: 12,
        writeRejected: 0,
        diskUsedBytes: 40 * 2 ** 30,
        diskTotalBytes: 100 * 2 ** 30,
      })),
      insertsPerSecond: 57,
      insertMeanMs: 55,
      translogBytes: 80 * MIB,
      health: 'GREEN',
    })),
    overhead: { queries: samples, meanMs: 3.1 },
    note: '',
  };
}

/** A run that went well, summed from its workers. */
export function sampleResult(changes: Partial<RunResult> = {}): RunResult {
  const workers = changes.workers ?? Array.from({ length: 8 }, (_, index) => sampleWorker(index));
  const ledger = workers.reduce<Ledger>((sum, worker) => addLedgers(sum, worker.ledger), EMPTY_LEDGER);
  const latencies = sampleLatencies(20_000);
  const plan = changes.plan ?? samplePlan({ load: { ...samplePlan().load, procs: workers.length } });
  const verification = {
    method: 'count',
    stored: ledger.acknowledged,
    verdict: 'match',
    detail: '',
  } as const;
  return {
    plan,
    startedAtMs: STARTED_AT_MS,
    endedAtMs: STARTED_AT_MS + 303_000,
    runningMs: 302_000,
    measuredMs: 302_000,
    endReason: 'rows',
    endDetail: '',
    signal: null,
    host: { cores: 8, cgroupCores: 8, memoryBytes: 16 * 2 ** 30, samples: [] },
    target: {
      kind: 'cratedb',
      version: '6.4.3',
      nodes: ['http://db-1:4200', 'http://db-2:4200', 'http://db-3:4200'],
      keyed: true,
    },
    tables: tablesOf(plan).map((table, position) => ({
      plan: table,
      statement:
        'INSERT INTO "crategen"."records" ("run_id","seq") VALUES (?,?) ON CONFLICT ("run_id","seq") DO NOTHING',
      ddl: 'CREATE TABLE IF NOT EXISTS "crategen"."records" ("run_id" TEXT)',
      poolsHash: '8f1c',
      ledger: position === 0 ? (changes.ledger ?? ledger) : EMPTY_LEDGER,
      verification: changes.verification ?? verification,
    })),
    rowFormat: 1,
    ledger: { ...ledger, notOffered: 0 },
    resolved: { stored: 0, absent: 0 },
    batches: workers.reduce((sum, worker) => addBatches(sum, worker.batches), NO_BATCHES),
    pacer: { lateRows: 0, droppedRows: 0 },
    verification,
    measuredRows: ledger.acknowledged,
    bodyBytes: ledger.offered * 244,
    serviceTime: latencies,
    responseTime: latencies,
    nodes: [],
    workers,
    coordinator: { pid: 8118, ...sampleCost({ eventLoopUtilization: 0.01 }) },
    server: sampleServer(),
    errors: [],
    bottleneck: {
      verdict: 'cluster',
      evidence: ['its CPUs are 97 % busy, these processes take 72 of 800 %'],
    },
    series: [
      {
        tMs: 250,
        rows: 14_000,
        p50Ms: 61,
        p99Ms: null,
        errors: 0,
        workers: [{ index: 0, pid: 8121, rows: 1800, cpuPercent: null, residentBytes: 80 * MIB }],
      },
    ],
    warnings: [],
    events: [],
    ...changes,
  };
}

export const FACTS = {
  exitCode: 0,
  crategenVersion: '0.1.0',
  nodeVersion: '24.21.0',
  fakerVersion: '10.6.0',
};

export function sampleSnapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    ...emptySnapshot(303),
    ledger: { ...EMPTY_LEDGER, offered: 306_000, acknowledged: 302_000, inFlight: 4000 },
    batches: { begun: 306, completed: 302, retried: 0, failed: 0 },
    measuredRows: 302_000,
    bodyBytes: 74_000_000,
    replyBytes: 2_400_000,
    use: {
      userCpuUs: 3_100_000,
      systemCpuUs: 700_000,
      residentBytes: 104 * MIB,
      residentBytesMax: 108 * MIB,
      heapUsedBytes: 31 * MIB,
      eventLoopUtilization: 0.04,
      eventLoopActiveMs: 1700,
      eventLoopDelayP99Ms: 1.4,
      gcMs: 120,
      voluntarySwitches: 5000,
      involuntarySwitches: 210,
      coreWaitMs: 340,
    },
    ...changes,
  };
}

export function sampleWorkerState(index: number, changes: Partial<WorkerState> = {}): WorkerState {
  return {
    index,
    pid: 8121 + index,
    phase: 'running',
    restarts: 0,
    total: sampleSnapshot(),
    rowsPerSecond: 7150 + index * 10,
    outside: { cpuPercent: 9, residentBytes: 104 * MIB },
    ...changes,
  };
}

/** A cluster of three nodes that has answered. */
export function sampleServerView(): ServerView {
  const { nodes, samples } = sampleServer();
  return { nodes, latest: samples.at(-1) ?? null, note: '' };
}

/** A run in full swing after 42 seconds. */
export function sampleState(workers: number, changes: Partial<RunState> = {}): RunState {
  const states = Array.from({ length: workers }, (_, index) => sampleWorkerState(index));
  const total = states.reduce<Snapshot>(
    (sum, { total: each }) => ({
      ...sum,
      ledger: addLedgers(sum.ledger, each.ledger),
      batches: addBatches(sum.batches, each.batches),
      bodyBytes: sum.bodyBytes + each.bodyBytes,
      measuredRows: sum.measuredRows + each.measuredRows,
    }),
    { ...sampleSnapshot(), ledger: EMPTY_LEDGER, batches: NO_BATCHES, bodyBytes: 0, measuredRows: 0 },
  );
  const plan = samplePlan();
  return {
    plan: { ...plan, load: { ...plan.load, procs: workers } },
    phase: 'running' satisfies RunPhase,
    target: { kind: 'cratedb', version: '6.4.3', nodes: plan.target.nodes, keyed: true },
    elapsedMs: 42_000,
    plannedRows: Math.max(17_200_000, 1_000_000 * workers),
    earlierRows: 0,
    workers: states,
    total,
    window: {
      rowsPerSecond: 7185 * workers,
      bodyBytesPerSecond: 1_760_000 * workers,
      p50Ms: 61,
      p99Ms: 240,
      maxMs: 812,
    },
    coordinator: {
      pid: 8118,
      outside: { cpuPercent: 2, residentBytes: 81 * MIB },
      eventLoopUtilization: 0.01,
    },
    server: sampleServerView(),
    host: null,
    verdict: { verdict: 'cluster', evidence: ['its CPUs are 97 % busy'] },
    recentRowsPerSecond: Array.from({ length: 42 }, (_, second) => 50_000 + ((second * 3571) % 9000)),
    ...changes,
  };
}
