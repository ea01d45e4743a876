/**
 * One run from plan to result. This file is the table of contents of the coordinator: prepare, start, watch,
 * stop, settle, tell. `single` takes the same way with a worker in this process.
 */
import { UsageError, assert } from '../base/errors.ts';
import type { HostFacts } from '../base/host.ts';
import { createHostUseReader } from '../base/host-use.ts';
import { formatTable } from '../base/sql.ts';
import { formatBytes, formatExact } from '../base/units.ts';
import { planFileText } from '../plan/plan-file.ts';
import { createClient } from '../cratedb/client.ts';
import { type RunPlan, type TablePlan, type TargetAccess, tablesOf } from '../plan/run-plan.ts';
import { PROTOCOL_VERSION } from '../protocol/messages.ts';
import { writeRowsFile } from '../protocol/rows-file.ts';
import { bodyBytesFor, rowsThatFit } from '../rows/batch-body.ts';
import { maxRowBytesOf } from '../rows/bounds.ts';
import { fetchPools } from './kept-pools.ts';
import { insertForm } from '../rows/ddl.ts';
import { emitRowModule } from '../rows/fast/row-emitter.ts';
import { USUAL_SHAPE } from '../rows/fast/row-loop.ts';
import { type InsertForm, pathProblems, statementOf } from '../rows/insert-form.ts';
import { type RowPlan, ROW_FORMAT } from '../rows/row-format.ts';
import { makeRowPlan } from '../rows/row-plan.ts';
import { type RowSource, bracketsOf } from '../rows/row-source.ts';
import { type CounterFolder, createCounterFolder } from './counter-folder.ts';
import { Crew, type CrewEnd } from './crew.ts';
import { watchDisks } from './disk-watch.ts';
import { limitProblems, readLimitFacts } from './limits.ts';
import { Monitor, TICK_MS } from './monitor.ts';
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

/** Everything that stands before the first worker is forked. */
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
  monitor.enter('preparing');
  let prepared: Prepared | null = null;
  try {
    prepared = await prepare(plan, access, env, monitor, startedAtMs);
    return await carryOut(plan, prepared, env, monitor, startedAtMs);
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

async function prepare(
  plan: RunPlan,
  access: TargetAccess,
  env: RunEnvironment,
  monitor: Monitor,
  startedAtMs: number,
): Promise<Prepared> {
  const unfit = tablesOf(plan).flatMap((table) => unfitColumns(plan, table));
  if (unfit.length > 0) throw new UsageError(unfit);
  const identity = { seed: plan.seed, runId: plan.runId, timeOriginMs: plan.timeOriginMs };
  // The pools fill while the target starts and answers.
  const shelf = { folder: env.poolsFolder, versions: env.versions };
  const rowPlansMade = Promise.all(
    tablesOf(plan).map(async ({ schema }) => makeRowPlan(schema, identity, await fetchPools(schema, shelf))),
  );
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
        checkHost: async (nodes) => checkLimits(plan, await rowPlansMade, nodes, env.host),
      }),
    ),
  ]);
  let counters: CounterFolder | null = null;
  try {
    counters = createCounterFolder(plan.runId, env.runFolder, env.environment);
    writeRowsFile(counters.rowsFile, rows);
    await env.savePlan(planText(plan, { startedAtMs, target, rowPlans, counters }, env));
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

/** Code is made once, for all workers; what makes the less usual kinds is loaded for them. */
async function rowSourceOf(plan: RunPlan, rowPlan: RowPlan): Promise<RowSource> {
  const { generator, insertPath: path, compression } = plan.load;
  if (generator === 'reference') return { kind: 'plan', plan: rowPlan };
  if (path === 'unnest') {
    const { emitColumnModule } = await import('../rows/fast/column-emitter.ts');
    return { kind: 'columns', module: emitColumnModule(rowPlan) };
  }
  if (path === 'bulk-args' && compression === 'deflate') {
    const { deflateModuleOf } = await import('../rows/deflate/deflate-plan.ts');
    return { kind: 'deflate', module: deflateModuleOf(rowPlan) };
  }
  return { kind: 'module', module: emitRowModule(rowPlan, USUAL_SHAPE, bracketsOf({ path })) };
}

/** The INSERT before the table was looked at; what it is then is not longer by much. */
function longestForm({ load }: RunPlan, { schema, name }: TablePlan): InsertForm {
  const conflictColumns = [...new Set([...schema.primaryKey, ...schema.partitionedBy])];
  return insertForm(schema, name, { conflictColumns, path: load.insertPath });
}

/** What the path cannot carry, with the table where there are several. */
function unfitColumns(plan: RunPlan, table: TablePlan): string[] {
  const whose = plan.also.length === 0 ? '' : `${formatTable(table.name)}: `;
  return pathProblems(table.schema, longestForm(plan, table)).map((problem) => `${whose}${problem}`);
}

function checkLimits(plan: RunPlan, rowPlans: readonly RowPlan[], nodes: number, host: HostFacts): void {
  const bodyBytes = rowPlans.map((rowPlan, position) => {
    const table = tablesOf(plan)[position] ?? plan.table;
    const maxRowBytes = maxRowBytesOf(rowPlan);
    const form = longestForm(plan, table);
    const rows = Math.min(plan.load.batchSize, rowsThatFit(form, maxRowBytes, plan.load.maxBodyBytes));
    if (plan.command === 'ceiling' && rows < plan.load.batchSize)
      throw new UsageError(
        `--max-body: a batch can take ${formatBytes(bodyBytesFor(form, maxRowBytes, plan.load.batchSize))} and would be sent in parts, which the target of a ceiling cannot tell from whole ones; expected more, or batches of at most ${formatExact(rows)} rows`,
      );
    if (rows >= 1) return bodyBytesFor(form, maxRowBytes, rows);
    throw new UsageError(
      `--max-body: one row of ${table.schema.name} can take ${formatExact(maxRowBytes)} bytes and does not fit`,
    );
  });
  const problems = limitProblems(plan, bodyBytes, nodes, readLimitFacts(host.memoryBytes));
  if (problems.length > 0) throw new UsageError(problems);
}

function planText(
  plan: RunPlan,
  known: Pick<Prepared, 'rowPlans' | 'target' | 'counters'> & { readonly startedAtMs: number },
  env: RunEnvironment,
): string {
  const { kind, version, nodes, keyed } = known.target.state;
  const [main, ...also] = known.target.tables.map((table, position) => ({
    statement: statementOf(table.insert),
    ddl: table.ddl,
    poolsHash: known.rowPlans[position]?.pools.hash ?? '',
    rowsBefore: table.rowsBefore,
  }));
  assert(main !== undefined, 'a run has a table');
  return planFileText(plan, {
    startedAtMs: known.startedAtMs,
    counterFolder: known.counters.path,
    coordinatorPid: process.pid,
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

async function carryOut(
  plan: RunPlan,
  prepared: Prepared,
  env: RunEnvironment,
  monitor: Monitor,
  startedAtMs: number,
): Promise<RunResult> {
  const { target, counters } = prepared;
  const crew = new Crew({
    plan,
    clock: env.clock,
    stop: env.stop,
    monitor,
    spawn: env.workers.spawn,
    templates: initTemplates(plan, prepared, env),
    counterFileOf: (workerIndex, incarnation) => counters.fileOf(workerIndex, incarnation),
    onBatchLine: env.onBatchLine ?? (() => undefined),
    resumed: env.resumed,
  });
  const end = await whileAsking(plan, target, env, monitor, () => guardedRun(crew, target, env, monitor));
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
  const result = assembleResult({
    plan,
    env,
    monitor,
    startedAtMs,
    end,
    slots: crew.slots,
    settlement,
    ...prepared,
  });
  const remove = (): void => counters.remove();
  if (env.keepCounters === undefined) remove();
  else env.keepCounters(remove);
  return result;
}

/** Runs, and asks the server about its load meanwhile, over a connection that the run does not use. */
async function whileAsking(
  plan: RunPlan,
  target: PreparedTarget,
  env: RunEnvironment,
  monitor: Monitor,
  run: () => Promise<CrewEnd>,
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
  const end = await run();
  over.abort();
  await asking;
  await client.destroy();
  return end;
}

/** The crew's run, stopped by itself when a disk of the cluster is past its limit. */
async function guardedRun(
  crew: Crew,
  { diskLimit, client }: PreparedTarget,
  env: RunEnvironment,
  monitor: Monitor,
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
function initTemplates(plan: RunPlan, prepared: Prepared, env: RunEnvironment): InitTemplate[] {
  const { target, counters } = prepared;
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
