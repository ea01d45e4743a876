/** Any run there can be, for properties: balanced ledgers, hostile texts, nulls, extreme numbers. */
import fc from 'fast-check';
import type {
  NodeResult,
  ProcessCost,
  RunMoment,
  RunResult,
  WorkerResult,
} from '../../src/coordinator/run-result.ts';
import { RUN_PHASES, type RunState, type WorkerState } from '../../src/coordinator/run-state.ts';
import type { Ledger } from '../../src/metrics/ledger.ts';
import type { Verdict } from '../../src/metrics/bottleneck.ts';
import type { ErrorCount } from '../../src/metrics/node-counts.ts';
import type {
  HostSample,
  ServerNode,
  ServerNodeSample,
  ServerSample,
  ServerTelemetry,
} from '../../src/metrics/telemetry.ts';
import type { Snapshot } from '../../src/metrics/snapshot.ts';
import type { RunPlan } from '../../src/plan/run-plan.ts';
import { sampleLatencies, sampleResult, sampleSnapshot, sampleState } from './samples.ts';
import { samplePlan } from '../support/sample-plan.ts';

/** What a server, a file or a name may contain: escape codes, carriage returns, wide and combining characters. */
export const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom(
    '\u001b[31mred\u001b[0m',
    'a\r\nb',
    '\u202eevil',
    '表の名前が長い',
    '👩‍👩‍👧 x',
    'e\u0301'.repeat(40),
    '</script>',
  ),
);

/** Plain objects only: those with a null prototype are never equal to what JSON gives back. */
function record<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const rows = fc.oneof(fc.nat(5), fc.nat(2_000_000_000));
const amount = fc.double({ min: 0, max: 1e13, noNaN: true });
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

export const ledgers: fc.Arbitrary<Ledger> = record({
  acknowledged: rows,
  rejected: rows,
  failed: rows,
  unknown: rows,
  inFlight: rows,
}).map((states) => ({
  ...states,
  offered: states.acknowledged + states.rejected + states.failed + states.unknown + states.inFlight,
}));

const batches = record({ begun: rows, completed: rows, retried: rows, failed: rows });
const errors: fc.Arbitrary<readonly ErrorCount[]> = fc.array(
  record({
    class: fc.oneof(fc.constantFrom('constraint', 'timeout', 'closed'), hostileText),
    code: orNull(fc.nat(9999)),
    rows,
    batches: rows,
    example: hostileText,
  }),
  { maxLength: 20 },
);

const costs: fc.Arbitrary<ProcessCost> = record({
  cpu: record({
    userSeconds: orNull(amount),
    systemSeconds: orNull(amount),
    percentMean: orNull(amount),
    percentMax: orNull(fc.oneof(amount, fc.constantFrom(NaN, Infinity))),
    lowerBound: fc.boolean(),
  }),
  memory: record({
    residentBytesMax: orNull(rows),
    heapUsedBytesMax: orNull(rows),
    proportionalBytesMax: orNull(rows),
  }),
  eventLoopUtilization: orNull(fc.double({ min: 0, max: 1, noNaN: true })),
  eventLoopDelayP99Ms: orNull(fc.oneof(amount, fc.constantFrom(NaN, Infinity))),
  gcMs: orNull(amount),
  coreWaitMs: orNull(amount),
  contextSwitches: orNull(record({ voluntary: rows, involuntary: rows })),
});

const exceptions = fc.array(
  record({ batch: rows, acknowledged: rows, rejected: rows, failed: rows, unknown: rows }),
  {
    maxLength: 3,
  },
);

const workerResults: fc.Arbitrary<WorkerResult> = fc
  .tuple(
    costs,
    record({
      index: fc.nat(2000),
      pids: fc.array(fc.nat(4_000_000), { maxLength: 3 }),
      sentBytes: rows,
      receivedBytes: rows,
      ledger: ledgers,
      batches: fc
        .tuple(batches, rows, exceptions)
        .map(([counts, next, list]) => ({ ...counts, next, exceptions: list })),
      restarts: fc.nat(20),
      exit: orNull(
        record({ code: orNull(fc.nat(255)), signal: orNull(fc.constantFrom('SIGKILL', 'SIGTERM')) }),
      ),
    }),
  )
  .map(([cost, worker]) => ({
    ...worker,
    tables: [worker.ledger],
    ...cost,
    earlier: { offered: 0, acknowledged: 0 },
  }));

const nodes = fc.array(hostileText, { maxLength: 4 });

export const plans: fc.Arbitrary<RunPlan> = record({
  command: fc.constantFrom('cluster' as const, 'single' as const),
  runId: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
  seed: fc.nat(2 ** 31 - 1),
  table: fc.stringMatching(/^[a-z][a-z0-9_]{0,30}$/),
  nodes,
  kind: fc.constantFrom('urls' as const, 'embedded' as const),
  verify: fc.boolean(),
  rows: orNull(rows),
  durationMs: orNull(rows),
  rowsPerSecond: orNull(fc.integer({ min: 1, max: 1e9 })),
  batchSize: fc.integer({ min: 1, max: 100_000 }),
  inFlight: fc.integer({ min: 1, max: 1000 }),
  warmUpMs: fc.nat(1e6),
  startAtMs: orNull(fc.nat(2e12)),
  replicas: orNull(hostileText),
  username: orNull(hostileText),
  machine: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(9)),
  maxFailed: fc.oneof(
    rows.map((count) => ({ kind: 'rows' as const, rows: count })),
    fc.double({ min: 0, max: 1, noNaN: true }).map((share) => ({ kind: 'share' as const, share })),
  ),
  failOn: fc.array(
    record({
      metric: fc.constantFrom('p99' as const, 'rows/s' as const, 'rejected' as const),
      operator: fc.constantFrom('>' as const, '<=' as const),
      value: amount,
      text: hostileText,
    }),
    { maxLength: 2 },
  ),
}).map((draw) => {
  const base = samplePlan();
  return {
    ...base,
    command: draw.command,
    runId: draw.runId,
    seed: draw.seed,
    target: {
      ...base.target,
      kind: draw.kind,
      nodes: draw.nodes,
      username: draw.username,
      tls: { ...base.target.tls, verify: draw.verify },
    },
    table: { ...base.table, name: { schema: 'doc', table: draw.table }, replicas: draw.replicas },
    bounds: { rows: draw.rows, durationMs: draw.durationMs },
    load: {
      ...base.load,
      batchSize: draw.batchSize,
      inFlight: draw.inFlight,
      rowsPerSecond: draw.rowsPerSecond,
      warmUpMs: draw.warmUpMs,
    },
    safety: { ...base.safety, maxFailed: draw.maxFailed },
    machine: { index: draw.machine[0], count: draw.machine[0] + draw.machine[1] },
    startAtMs: draw.startAtMs,
    failOn: draw.failOn,
  };
});

const targets = record({
  kind: fc.constantFrom('cratedb' as const, 'sandbox' as const, 'discard' as const),
  version: orNull(hostileText),
  nodes,
  keyed: fc.boolean(),
});

const nodeResults: fc.Arbitrary<NodeResult> = record({
  origin: hostileText,
  requests: rows,
  acknowledged: rows,
  errors,
  serviceTime: fc.constantFrom(0, 1, 1500).map(sampleLatencies),
  outages: fc.array(record({ fromMs: rows, toMs: orNull(rows), why: hostileText }), { maxLength: 30 }),
});

const hostSamples: fc.Arbitrary<HostSample> = record({
  tMs: amount,
  busyPercent: orNull(amount),
  throttledMs: orNull(amount),
  receivedBytes: orNull(rows),
  sentBytes: orNull(rows),
});

const serverNodeSamples: fc.Arbitrary<ServerNodeSample> = record({
  node: fc.nat(9),
  cpuPercent: orNull(amount),
  load1: orNull(amount),
  heapUsedBytes: orNull(rows),
  heapMaxBytes: orNull(rows),
  writeActive: orNull(rows),
  writeQueue: orNull(rows),
  writeRejected: orNull(rows),
  diskUsedBytes: orNull(rows),
  diskTotalBytes: orNull(rows),
});

const serverNodes: fc.Arbitrary<ServerNode> = record({
  name: hostileText,
  version: orNull(hostileText),
  cores: orNull(fc.nat(512)),
  heapMaxBytes: orNull(rows),
});

const serverSamples: fc.Arbitrary<ServerSample> = record({
  tMs: amount,
  nodes: fc.array(serverNodeSamples, { maxLength: 4 }),
  insertsPerSecond: orNull(amount),
  insertMeanMs: orNull(amount),
  translogBytes: orNull(rows),
  health: fc.constantFrom('GREEN', 'YELLOW', 'RED', null),
});

const servers: fc.Arbitrary<ServerTelemetry> = record({
  nodes: fc.array(serverNodes, { maxLength: 4 }),
  samples: fc.array(serverSamples, { maxLength: 4 }),
  overhead: record({ queries: rows, meanMs: orNull(amount) }),
  note: hostileText,
});

const events: fc.Arbitrary<readonly RunMoment[]> = fc.array(
  record({
    tMs: amount,
    level: fc.constantFrom('info', 'warning', 'error'),
    event: fc.oneof(
      fc.constantFrom('workerDied', 'blocked', 'outage', 'recovered', 'nodeOut', 'signal'),
      hostileText,
    ),
    message: hostileText,
  }),
  { maxLength: 20 },
);

const verdicts: fc.Arbitrary<Verdict> = record({
  verdict: fc.constantFrom('client', 'network', 'cluster', 'rate', 'unclear'),
  evidence: fc.array(hostileText, { maxLength: 3 }),
});

export const results: fc.Arbitrary<RunResult> = record({
  plan: plans,
  startedAtMs: fc.nat(4e12),
  endedAtMs: fc.nat(4e12),
  runningMs: fc.oneof(fc.constant(0), fc.nat(1e9)),
  measuredMs: fc.oneof(fc.constant(0), fc.nat(1e9)),
  endReason: fc.constantFrom(
    'rows',
    'duration',
    'signal',
    'outage',
    'blocked',
    'maxFailed',
    'workers',
    'killed',
    'error',
  ),
  endDetail: hostileText,
  signal: fc.constantFrom(null, 'SIGINT', 'SIGTERM', 'SIGHUP'),
  host: record({
    cores: fc.integer({ min: 1, max: 512 }),
    cgroupCores: orNull(fc.constantFrom(0.5, 2, 7.5)),
    memoryBytes: rows,
    samples: fc.array(hostSamples, { maxLength: 3 }),
  }),
  server: orNull(servers),
  bottleneck: verdicts,
  target: targets,
  ledger: fc.tuple(ledgers, rows).map(([ledger, notOffered]) => ({ ...ledger, notOffered })),
  resolved: record({ stored: rows, absent: rows }),
  batches,
  pacer: record({ lateRows: orNull(rows), droppedRows: orNull(rows) }),
  verification: record({
    method: fc.constantFrom('count' as const, 'delta' as const, 'rows' as const, 'none' as const),
    stored: orNull(rows),
    verdict: fc.constantFrom('match', 'mismatch', 'advisory', 'unavailable', 'skipped'),
    detail: hostileText,
  }),
  measuredRows: rows,
  bodyBytes: rows,
  serviceTime: fc.constantFrom(0, 1, 15, 12_000).map(sampleLatencies),
  nodes: fc.array(nodeResults, { maxLength: 30 }),
  workers: fc.array(workerResults, { maxLength: 40 }),
  coordinator: fc.tuple(costs, fc.nat(4_000_000)).map(([cost, pid]) => ({ ...cost, pid })),
  errors,
  warnings: fc.array(hostileText, { maxLength: 3 }),
  events,
} satisfies { [Key in keyof RunResult]?: fc.Arbitrary<RunResult[Key]> }).map((draw) => sampleResult(draw));

const waiting = orNull(
  record({
    cause: fc.constantFrom('outage', 'blocked', 'overload'),
    detail: hostileText,
    sinceNs: fc.bigInt({ min: 0n, max: 10n ** 15n }),
  }),
);

const snapshots: fc.Arbitrary<Snapshot> = record({
  ledger: ledgers,
  batches,
  bodyBytes: rows,
  replyBytes: rows,
  measuredRows: rows,
  errors,
  waiting,
}).map((draw) => sampleSnapshot(draw));

const workerStates: fc.Arbitrary<WorkerState> = record({
  index: fc.nat(2000),
  pid: orNull(fc.nat(4_000_000)),
  phase: fc.constantFrom('spawning', 'ready', 'running', 'draining', 'exited'),
  restarts: fc.nat(20),
  total: snapshots,
  rowsPerSecond: amount,
  outside: record({ cpuPercent: orNull(amount), residentBytes: orNull(rows) }),
});

export const states: fc.Arbitrary<RunState> = record({
  plan: plans,
  phase: fc.constantFrom(...RUN_PHASES),
  target: orNull(targets),
  elapsedMs: fc.oneof(fc.constant(0), fc.nat(1e9)),
  plannedRows: orNull(rows),
  earlierRows: rows,
  workers: fc.array(workerStates, { maxLength: 40 }),
  total: snapshots,
  window: record({
    rowsPerSecond: amount,
    bodyBytesPerSecond: amount,
    p50Ms: orNull(amount),
    p99Ms: orNull(amount),
    maxMs: orNull(amount),
  }),
  server: orNull(
    record({
      nodes: fc.array(serverNodes, { maxLength: 9 }),
      latest: orNull(serverSamples),
      note: hostileText,
    }),
  ),
  host: orNull(hostSamples),
  verdict: orNull(verdicts),
  recentRowsPerSecond: fc.array(amount, { maxLength: 60 }),
} satisfies { [Key in keyof RunState]?: fc.Arbitrary<RunState[Key]> }).map((draw) => sampleState(0, draw));
