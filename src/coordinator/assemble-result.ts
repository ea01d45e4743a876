/** Puts together what a run came to, from the slots' books, the settlement and the monitor's readings. */
import { EMPTY_LEDGER, NO_BATCHES, type Ledger, addBatches, addLedgers } from '../metrics/ledger.ts';
import { notVerified } from '../audit/verification.ts';
import type { TargetKind } from '../base/target-kind.ts';
import { formatExact } from '../base/units.ts';
import { createHistogram } from '../metrics/histogram.ts';
import { maxOfKnown, meanByTime } from '../metrics/measured.ts';
import { mergeSnapshots } from '../metrics/merge.ts';
import { type ErrorCount, noNodeCounts } from '../metrics/node-counts.ts';
import type { ProcessUse } from '../metrics/snapshot.ts';
import { type RunPlan, tablesOf } from '../plan/run-plan.ts';
import { statementOf } from '../rows/insert-form.ts';
import { type RowPlan, ROW_FORMAT } from '../rows/row-format.ts';
import type { CrewEnd } from './crew.ts';
import type { Monitor } from './monitor.ts';
import type { PreparedTable, PreparedTarget } from './prepare-target.ts';
import { resumedWarnings, toException } from './resume.ts';
import type { RunEnvironment } from './run-environment.ts';
import { plannedRowsOf } from './shares.ts';
import {
  type ContextSwitches,
  type ProcessCost,
  type RunResult,
  type TableResult,
  type WorkerResult,
  COST_NOT_MEASURED,
} from './run-result.ts';
import type { Settlement, WorkerBooks } from './settle.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** Inside and outside readings of CPU time may differ by this share before it is said. */
const CPU_TOLERANCE = 0.05;
/** Shorter runs are a few clock ticks long: nothing to compare. */
const CPU_COMPARED_AFTER_MS = 10_000;

export interface ResultParts {
  readonly plan: RunPlan;
  readonly env: RunEnvironment;
  readonly monitor: Monitor;
  readonly startedAtMs: number;
  readonly end: CrewEnd;
  readonly slots: readonly WorkerSlot[];
  readonly settlement: Settlement;
  readonly target: PreparedTarget;
  readonly rowPlans: readonly RowPlan[];
}

export function assembleResult(parts: ResultParts): RunResult {
  const { plan, env, monitor, slots, settlement, target, rowPlans, end } = parts;
  const total = mergeSnapshots(slots.map((slot) => slot.total()));
  const ledger = settlement.workers.reduce<Ledger>(
    (sum, worker) => addLedgers(sum, worker.ledger),
    EMPTY_LEDGER,
  );
  const planned = plannedRowsOf(plan);
  const runningMs = monitor.elapsedMs();
  return {
    plan,
    startedAtMs: parts.startedAtMs,
    endedAtMs: env.clock.wallMs(),
    runningMs,
    measuredMs: Math.max(0, runningMs - plan.load.warmUpMs),
    endReason: end.reason,
    endDetail: end.detail,
    signal: env.stop.cause()?.signal ?? null,
    host: { ...env.host, samples: monitor.hostSamples() },
    target: target.state,
    tables: tableResults(
      target.tables.map((table, position) => knownTable(table, rowPlans[position])),
      settlement,
    ),
    rowFormat: ROW_FORMAT,
    ledger: { ...ledger, notOffered: planned === null ? 0 : planned - ledger.offered },
    resolved: settlement.resolved,
    batches: slots.reduce((sum, slot) => addBatches(sum, slot.total().batches), NO_BATCHES),
    pacer: { lateRows: total.lateRows, droppedRows: total.droppedRows },
    verification: settlement.verification,
    measuredRows: total.measuredRows,
    bodyBytes: total.bodyBytes,
    serviceTime: total.serviceTime,
    responseTime: total.responseTime,
    workers: slots.map((slot, position) =>
      workerResult(
        slot,
        { books: settlement.workers[position], earlier: env.resumed?.[position]?.ledger },
        monitor,
        plan,
      ),
    ),
    coordinator: coordinatorCost(monitor),
    nodes: target.state.nodes.map((origin, node) => ({ origin, ...(total.nodes[node] ?? noNodeCounts()) })),
    server: monitor.serverTelemetry(),
    errors: [...total.errors.filter((error) => !isForeign(error)), ...deathsOf(slots)],
    bottleneck: monitor.verdict(target.state),
    series: monitor.points(),
    events: monitor.events(),
    warnings: warningsOf(parts),
  };
}

type KnownTable = Omit<TableResult, 'ledger' | 'verification'>;

function knownTable({ plan, insert, ddl }: PreparedTable, rowPlan: RowPlan | undefined): KnownTable {
  return { plan, statement: statementOf(insert), ddl, poolsHash: rowPlan?.pools.hash ?? '' };
}

/** The tables of a run, in its order, each with its part of what was settled. */
export function tableResults(
  known: readonly KnownTable[],
  { tables, verification }: Pick<Settlement, 'tables' | 'verification'>,
): TableResult[] {
  return known.map(({ plan, statement, ddl, poolsHash }, position) => ({
    plan,
    statement,
    ddl,
    poolsHash,
    ledger: tables[position]?.ledger ?? EMPTY_LEDGER,
    verification: tables[position]?.verification ?? verification,
  }));
}

function workerResult(
  slot: WorkerSlot,
  {
    books,
    earlier,
  }: { books: WorkerBooks | undefined; earlier: Pick<Ledger, 'offered' | 'acknowledged'> | undefined },
  monitor: Monitor,
  plan: RunPlan,
): WorkerResult {
  const total = slot.total();
  const seen = slot.pids.map((pid) => monitor.sampler.historyOf(pid));
  return {
    index: slot.index,
    pids: slot.pids,
    sentBytes: total.bodyBytes,
    receivedBytes: total.replyBytes,
    ledger: books?.ledger ?? total.ledger,
    tables: books?.tables ?? total.tables,
    batches: {
      ...total.batches,
      next: total.nextBatch,
      exceptions: (books?.exceptions ?? []).map(toException),
    },
    earlier: { offered: earlier?.offered ?? 0, acknowledged: earlier?.acknowledged ?? 0 },
    restarts: slot.restarts,
    exit:
      plan.command === 'single' || slot.lastExit === null
        ? null
        : { code: slot.lastExit.code, signal: slot.lastExit.signal },
    cpu: {
      userSeconds: total.use.userCpuUs / 1e6,
      systemSeconds: total.use.systemCpuUs / 1e6,
      percentMean: meanByTime(
        seen.map(({ percentMean, watchedMs }) => ({ mean: percentMean, ms: watchedMs })),
      ),
      percentMax: maxOfKnown(seen.map(({ percentMax }) => percentMax)),
      lowerBound: slot.isLowerBound,
    },
    ...COST_NOT_MEASURED,
    ...(total.sequence === 0 ? {} : unrestOf(total.use)),
    memory: {
      proportionalBytesMax: maxOfKnown(seen.map(({ proportionalBytesMax }) => proportionalBytesMax)),
      residentBytesMax: slot.residentBytesMax || null,
      heapUsedBytesMax: slot.heapUsedBytesMax || null,
    },
  };
}

/** In `single` the coordinator is the worker's process: its cost is told there, once. */
function coordinatorCost(monitor: Monitor): RunResult['coordinator'] {
  const use = monitor.ownUse();
  if (use === null) return unmeasuredCoordinator();
  const seen = monitor.sampler.historyOf(process.pid);
  return {
    pid: process.pid,
    cpu: {
      userSeconds: use.userCpuUs / 1e6,
      systemSeconds: use.systemCpuUs / 1e6,
      percentMean: seen.percentMean,
      percentMax: seen.percentMax,
      lowerBound: false,
    },
    memory: {
      proportionalBytesMax: seen.proportionalBytesMax,
      residentBytesMax: use.residentBytesMax,
      heapUsedBytesMax: use.heapUsedBytes,
    },
    ...unrestOf(use),
  };
}

function unmeasuredCoordinator(): RunResult['coordinator'] {
  return {
    pid: process.pid,
    cpu: { userSeconds: null, systemSeconds: null, percentMean: null, percentMax: null, lowerBound: false },
    ...COST_NOT_MEASURED,
  };
}

/** What a process cost beside CPU time and memory, as it says itself. */
function unrestOf(use: ProcessUse): Omit<ProcessCost, 'cpu' | 'memory'> {
  return {
    eventLoopUtilization: use.eventLoopUtilization,
    eventLoopDelayP99Ms: use.eventLoopDelayP99Ms,
    gcMs: use.gcMs,
    contextSwitches: switchesOf(use),
    coreWaitMs: use.coreWaitMs,
  };
}

/** A process that has run was switched at least once: 0 is a system that does not count. */
function switchesOf({ voluntarySwitches, involuntarySwitches }: ProcessUse): ContextSwitches | null {
  return voluntarySwitches + involuntarySwitches === 0
    ? null
    : { voluntary: voluntarySwitches, involuntary: involuntarySwitches };
}

/** Deaths belong to the errors: they cost rows or time. */
function deathsOf(slots: readonly WorkerSlot[]): ErrorCount[] {
  const deaths = slots.flatMap((slot) => slot.deaths.map((death) => ({ slot, death })));
  const [first] = deaths;
  if (first === undefined) return [];
  const rows = deaths.reduce((sum, { death }) => sum + death.lostRows, 0);
  const batches = deaths.reduce((sum, { death }) => sum + death.resends, 0);
  return [
    {
      class: 'workerDied',
      code: null,
      rows,
      batches,
      example: `worker ${first.slot.index}: ${first.death.said}`,
    },
  ];
}

function warningsOf(parts: ResultParts): string[] {
  const { plan, target, slots, monitor, env } = parts;
  const warnings: string[] = [];
  if (target.state.kind === 'sandbox')
    warnings.push('The target was the sandbox, not CrateDB: its speed says nothing about a cluster.');
  if (target.state.kind === 'discard')
    warnings.push(
      'The target discards rows: the figures are the ceiling of this client, nothing was stored.',
    );
  if (!plan.target.tls.verify) warnings.push('TLS certificates were not verified (--insecure).');
  if (env.environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0')
    warnings.push(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 is set: it switches off certificate checks where a program does not decide itself.',
    );
  if (plan.load.generator === 'reference')
    warnings.push(
      'The reference generator wrote the rows: the same bytes as the fast one, at 20 to 200 times its CPU.',
    );
  const usable = Math.min(env.host.cores, env.host.cgroupCores ?? Infinity);
  if (plan.load.procs > usable)
    warnings.push(`${plan.load.procs} worker processes shared ${usable} ${usable === 1 ? 'core' : 'cores'}.`);
  const foreign = mergeSnapshots(slots.map((slot) => slot.total()))
    .errors.filter(isForeign)
    .reduce((sum, { rows }) => sum + rows, 0);
  if (foreign > 0)
    warnings.push(
      `${formatExact(foreign)} rows were in the table when they were sent first: another run with this id writes them too (--machine tells machines apart), or a node repeated writes of its own.`,
    );
  const refused = slots.reduce((sum, slot) => sum + slot.refusedMessages, 0);
  if (refused > 0)
    warnings.push(`${refused} messages of worker processes were refused; their senders were replaced.`);
  return [
    ...warnings,
    ...parts.settlement.doubts,
    ...resumedWarnings(env.resumed),
    ...monitor.cpuDifferences(CPU_TOLERANCE, CPU_COMPARED_AFTER_MS),
  ];
}

/** Rows of this run that its workers did not write: no error of theirs, but to be known before any figure. */
function isForeign(error: ErrorCount): boolean {
  return error.class === 'alreadyThere';
}

const NEVER_BEGAN = 'the run was stopped before its first row';

/** Nobody was asked what it is. */
function kindMeant({ command, target }: RunPlan): TargetKind {
  if (command === 'ceiling') return 'discard';
  return target.kind === 'embedded' ? 'sandbox' : 'cratedb';
}

/** The result of a run that was stopped before its first worker: nothing was offered, and that is known. */
export function stoppedBeforeStart(plan: RunPlan, env: RunEnvironment, startedAtMs: number): RunResult {
  const signal = env.stop.cause()?.signal ?? null;
  return {
    plan,
    startedAtMs,
    endedAtMs: env.clock.wallMs(),
    runningMs: 0,
    measuredMs: 0,
    endReason: 'signal',
    endDetail: '',
    signal,
    host: { ...env.host, samples: [] },
    target: {
      kind: kindMeant(plan),
      version: null,
      nodes: plan.target.nodes,
      keyed: plan.table.key,
    },
    tables: tablesOf(plan).map((table) => ({
      plan: table,
      statement: '',
      ddl: '',
      poolsHash: '',
      ledger: EMPTY_LEDGER,
      verification: notVerified(NEVER_BEGAN),
    })),
    rowFormat: 0,
    ledger: { ...EMPTY_LEDGER, notOffered: plannedRowsOf(plan) ?? 0 },
    resolved: { stored: 0, absent: 0 },
    batches: NO_BATCHES,
    pacer: { lateRows: 0, droppedRows: 0 },
    verification: notVerified(NEVER_BEGAN),
    measuredRows: 0,
    bodyBytes: 0,
    serviceTime: createHistogram(),
    responseTime: createHistogram(),
    workers: [],
    coordinator: unmeasuredCoordinator(),
    nodes: [],
    server: null,
    errors: [],
    bottleneck: { verdict: 'unclear', evidence: [NEVER_BEGAN] },
    series: [],
    events: [],
    warnings: [],
  };
}
