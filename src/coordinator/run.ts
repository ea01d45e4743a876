/**
 * One run from plan to result. This file is the table of contents of the coordinator: prepare, start, watch,
 * stop, settle, tell. `single` takes the same way with a worker in this process.
 */
import { UsageError, assert } from '../base/errors.ts';
import { createHostUseReader } from '../base/host-use.ts';
import { startTicksOf } from '../base/process-start.ts';
import { formatTable } from '../base/sql.ts';
import { planFileText } from '../plan/plan-file.ts';
import { createClient } from '../cratedb/client.ts';
import type { RunPlan, TargetAccess } from '../plan/run-plan.ts';
import { PROTOCOL_VERSION } from '../protocol/messages.ts';
import { writeRowsFile } from '../protocol/rows-file.ts';
import { statementOf } from '../rows/insert-form.ts';
import { type RowPlan, ROW_FORMAT } from '../rows/row-format.ts';
import { type CounterFolder, createCounterFolder } from './counter-folder.ts';
import { Crew, type CrewEnd } from './crew.ts';
import { watchDisks } from './disk-watch.ts';
import { limitProblems, readLimitFacts } from './host-limits.ts';
import { Monitor, TICK_MS } from './monitor.ts';
import { largestBodies, makeRowPlans, rowSourceOf, unfitColumns } from './prepare-rows.ts';
import { createProcessSampler } from './process-sampler.ts';
import { createServerWatch } from './server-watch.ts';
import { type PreparedTarget, prepareTarget } from './prepare-target.ts';
import { createUseReader } from '../worker/process-use.ts';
import { assembleResult, stoppedBeforeStart } from './assemble-result.ts';
import type { RunResult } from './run-result.ts';
import type { RunEnvironment } from './run-environment.ts';
import { assignmentsOf, bytesPerWorkerOf, plannedRowsOf } from './shares.ts';
import { type WorkerBooks, settle } from './settle.ts';
import type { InitTemplate } from './worker-slot.ts';

/** One run on its way, as each of its steps needs it. */
interface Run {
  readonly plan: RunPlan;
  readonly env: RunEnvironment;
  readonly monitor: Monitor;
  readonly startedAtMs: number;
}

/** Everything that stands before the first worker is told to begin. */
interface Prepared {
  /** One for each table, in the order of the plan. */
  readonly rowPlans: readonly RowPlan[];
  readonly target: PreparedTarget;
  readonly counters: CounterFolder;
}

/**
 * Runs a plan to its end. Throws UsageError or TargetError when no run could begin; whatever happens later is
 * part of the result.
 */
export async function runPlan(plan: RunPlan, access: TargetAccess, env: RunEnvironment): Promise<RunResult> {
  const startedAtMs = env.clock.wallMs();
  const monitor = new Monitor({
    plan,
    clock: env.clock,
    observer: env.observer,
    sampler: createProcessSampler(),
    host: env.host,
    readHost: createHostUseReader(),
    readUse: plan.command === 'single' ? null : createUseReader(),
  });
  const run: Run = { plan, env, monitor, startedAtMs };
  monitor.enter('preparing');
  let prepared: Prepared | null = null;
  try {
    prepared = await prepare(run, access);
    return await insertAndSettle(run, prepared);
  } catch (error) {
    // A stop while the target was asked looks like a failure of the question.
    if (prepared === null && env.stop.graceful.aborted && !(error instanceof UsageError))
      return stoppedBeforeStart(plan, env, startedAtMs);
    throw error;
  } finally {
    await monitor.close();
    await prepared?.target.client.destroy();
  }
}

async function prepare(run: Run, access: TargetAccess): Promise<Prepared> {
  const { plan, env, monitor } = run;
  const unfit = unfitColumns(plan);
  if (unfit.length > 0) throw new UsageError(unfit);
  // The pools fill while the target starts and answers.
  const rowPlansMade = makeRowPlans(plan, env);
  const [rowPlans, rows, target] = await Promise.all([
    rowPlansMade,
    rowPlansMade.then((made) => Promise.all(made.map((rowPlan) => rowSourceOf(plan, rowPlan)))),
    reachable(access, env.sandbox).then((opened) =>
      prepareTarget({
        plan,
        access: opened,
        signal: env.stop.graceful,
        isResumed: env.resumed !== null,
        note: (level, event, message) => monitor.note({ level, event, message }),
        checkHost: async (nodes) => checkHost(run, await rowPlansMade, nodes),
      }),
    ),
  ]);
  let counters: CounterFolder | null = null;
  try {
    counters = createCounterFolder(plan.runId, env.runFolder, env.environment);
    writeRowsFile(counters.rowsFile, rows);
    await env.savePlan(planText(run, { target, rowPlans, counters }));
    monitor.knowsTarget(target.state, plannedRowsOf(plan));
    return { rowPlans, target, counters };
  } catch (error) {
    counters?.remove();
    await target.client.destroy();
    throw error;
  }
}

async function reachable(access: TargetAccess, sandbox: RunEnvironment['sandbox']): Promise<TargetAccess> {
  return sandbox === null ? access : { ...access, nodes: [(await sandbox).url] };
}

function checkHost({ plan, env }: Run, rowPlans: readonly RowPlan[], nodes: number): void {
  const facts = readLimitFacts(env.host.memoryBytes);
  const problems = limitProblems(plan, largestBodies(plan, rowPlans), nodes, facts);
  if (problems.length > 0) throw new UsageError(problems);
}

function planText({ plan, env, startedAtMs }: Run, { target, rowPlans, counters }: Prepared): string {
  const { kind, version, nodes, keyed } = target.state;
  const [main, ...also] = target.tables.map((table, position) => ({
    statement: statementOf(table.insert),
    ddl: table.ddl,
    poolsHash: rowPlans[position]?.pools.hash ?? '',
    rowsBefore: table.rowsBefore,
  }));
  assert(main !== undefined, 'a run has a table');
  return planFileText(plan, {
    startedAtMs,
    counterFolder: counters.path,
    coordinatorPid: process.pid,
    coordinatorStartTicks: startTicksOf(process.pid),
    workerPids: [],
    target: { kind, version, nodes },
    keyed,
    ...main,
    also,
    rowFormat: ROW_FORMAT,
    versions: env.versions,
    resumed: env.resumed,
  });
}

async function insertAndSettle(run: Run, prepared: Prepared): Promise<RunResult> {
  const { plan, env, monitor } = run;
  const { target, counters } = prepared;
  const crew = new Crew({
    plan,
    clock: env.clock,
    stop: env.stop,
    monitor,
    spawn: env.workers.spawn,
    templates: initTemplates(run, prepared),
    counterFileOf: (workerIndex, incarnation) => counters.fileOf(workerIndex, incarnation),
    onBatchLine: env.onBatchLine ?? (() => undefined),
    resumed: env.resumed,
  });
  const end = await whileAsking(run, target, () => guarded(run, target, crew));
  const books = crew.slots.map((slot): WorkerBooks => ({
    index: slot.index,
    ledger: slot.total().ledger,
    tables: slot.total().tables,
    exceptions: [...slot.exceptions],
  }));
  const settlement = await settle(books, {
    plan,
    target,
    clock: env.clock,
    stop: env.stop,
    isOutage: end.reason === 'outage',
    onResolving: () => monitor.enter('resolving'),
    onVerifying: () => monitor.enter('verifying'),
  });
  monitor.enter('done');
  const result = assembleResult({ ...run, ...prepared, end, slots: crew.slots, settlement });
  const remove = (): void => counters.remove();
  if (env.keepCounters === undefined) remove();
  else env.keepCounters(remove);
  return result;
}

/** Inserts, and asks the server about its load meanwhile, over a connection that the run does not use. */
async function whileAsking(
  { plan, env, monitor }: Run,
  target: PreparedTarget,
  insert: () => Promise<CrewEnd>,
): Promise<CrewEnd> {
  const over = new AbortController();
  const client = createClient(target.access, { connectionsPerNode: 1 });
  const watch = createServerWatch({
    client,
    clock: env.clock,
    table: plan.table.name,
    user: target.access.username,
    kind: target.state.kind,
    version: target.state.version,
    elapsedMs: () => monitor.elapsedMs(),
    onNote: (message) => {
      if (!target.isSystemHidden) monitor.note({ level: 'info', event: 'serverUnseen', message });
    },
  });
  monitor.asksServer(watch);
  const asking = watch.run(over.signal);
  const end = await insert();
  over.abort();
  await asking;
  await client.destroy();
  return end;
}

/** The crew's run, stopped by itself when a disk of the cluster is past its limit. */
async function guarded(
  { env, monitor }: Run,
  { diskLimit, client }: PreparedTarget,
  crew: Crew,
): Promise<CrewEnd> {
  const over = new AbortController();
  const watching =
    diskLimit === null
      ? null
      : watchDisks({
          client,
          clock: env.clock,
          limit: diskLimit,
          signal: over.signal,
          onWarning: (message) => monitor.note({ level: 'warning', event: 'diskLow', message }),
          onFull: (message) => crew.stopEarly('blocked', message),
        });
  const end = await crew.run();
  over.abort();
  await watching;
  return end;
}

/** What each worker is told: its share, and everything they have in common. */
function initTemplates({ plan, env }: Run, { target, counters }: Prepared): InitTemplate[] {
  const { load, safety } = plan;
  return assignmentsOf(plan).map((assignment, workerIndex) => ({
    type: 'init',
    protocolVersion: PROTOCOL_VERSION,
    workerIndex,
    access: target.access,
    tables: target.tables.map(({ plan: { name, weight }, insert }) => ({
      name: formatTable(name),
      weight,
      insert,
    })),
    rowsFile: counters.rowsFile,
    keyed: target.state.keyed,
    assignment,
    limits: {
      inFlight: load.inFlight,
      batchIntervalMs: load.batchIntervalMs,
      compression: load.compression,
      maxBodyBytes: load.maxBodyBytes,
      bodyBytesBudget: bytesPerWorkerOf(plan),
      timeoutMs: safety.timeoutMs,
      retries: safety.retries,
      outageTimeoutMs: safety.outageTimeoutMs,
      blockTimeoutMs: safety.blockTimeoutMs,
      drainTimeoutMs: safety.drainTimeoutMs,
    },
    reportIntervalMs: TICK_MS,
    tracesBatches: env.onBatchLine !== null,
  }));
}
