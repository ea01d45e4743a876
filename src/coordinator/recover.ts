/**
 * The totals of a run whose coordinator was killed: its workers drain by themselves and leave their counter
 * files; from these, and by asking the server, the run gets the same books it would have got.
 */
import { existsSync, readFileSync } from 'node:fs';
import { UsageError, WorkersError } from '../base/errors.ts';
import { startTicksOf } from '../base/process-start.ts';
import { createHistogram } from '../metrics/histogram.ts';
import {
  EMPTY_LEDGER,
  NO_BATCHES,
  type BatchCounts,
  type Ledger,
  addBatches,
  addLedgers,
  addTables,
} from '../metrics/ledger.ts';
import type { Assignment } from '../plan/assignment.ts';
import type { PlanFile, TableFacts } from '../plan/plan-file.ts';
import { type TablePlan, type TargetAccess, tablesOf } from '../plan/run-plan.ts';
import { mixOf } from '../plan/table-mix.ts';
import { createClient } from '../cratedb/client.ts';
import { type ExceptionRecord, type LastWord, readCounterFile } from '../worker/counter-file.ts';
import { tableResults } from './assemble-result.ts';
import { type CounterFolder, counterFolderAt, listCounterFiles } from './counter-folder.ts';
import { closeBooks, estateOf } from './incarnations.ts';
import { keptExceptions, resumedWarnings, toException } from './resume.ts';
import type { RunEnvironment } from './run-environment.ts';
import { type RunResult, type WorkerResult, COST_NOT_MEASURED } from './run-result.ts';
import { type WorkerBooks, settle } from './settle.ts';
import { assignmentsOf, plannedRowsOf } from './shares.ts';

/** Beyond the drain limit a worker has its last words to say. */
const GRACE_MS = 5000;
const POLL_MS = 100;
const QUESTIONS_AT_ONCE = 2;

export type RecoverEnvironment<Saved> = Pick<RunEnvironment, 'clock' | 'stop' | 'host'> & {
  readonly note: (message: string) => void;
  /** Puts the result on disk; only then the counter files go. */
  readonly save: (result: RunResult) => Promise<Saved>;
};

/** Throws a UsageError when the run still lives, a WorkersError when its workers do not end. */
export async function recoverRun<Saved>(
  planFile: PlanFile,
  access: TargetAccess,
  env: RecoverEnvironment<Saved>,
): Promise<Saved> {
  const { plan, facts } = planFile;
  if (isOurs(facts.coordinatorPid, facts.coordinatorStartTicks)) {
    throw new UsageError(`run ${plan.runId} is still going: its process ${facts.coordinatorPid} lives`, {
      hint: `Stop it with: kill ${facts.coordinatorPid}`,
    });
  }
  const folder = counterFolderAt(facts.counterFolder);
  if (!existsSync(folder.path)) {
    throw new UsageError(
      `run ${plan.runId} cannot be recovered: its counter files are gone (${folder.path})`,
      {
        hint: 'They are kept in memory where there is one, and a restart of the host empties it. What the server stores of the run is unharmed.',
      },
    );
  }
  await waitForWorkers(folder, plan.safety.drainTimeoutMs + GRACE_MS, env);
  const workers = assignmentsOf(plan).map((assignment, index) =>
    booksOf(planFile, folder, assignment, index, env.clock.monotonicMs()),
  );
  const client = createClient(access, { connectionsPerNode: QUESTIONS_AT_ONCE });
  try {
    const target = {
      state: { ...facts.target, keyed: facts.keyed },
      client,
      tables: tableFactsOf(planFile),
    };
    const settlement = await settle(workers, {
      plan,
      target,
      clock: env.clock,
      stop: env.stop,
      isOutage: false,
      onResolving: (rows) => env.note(`looking up ${rows} rows whose answer was lost`),
      onVerifying: () => env.note('counting the rows of the run'),
    });
    const result = resultOf(planFile, workers, settlement, env);
    const saved = await env.save(result);
    folder.remove();
    return saved;
  } finally {
    await client.destroy();
  }
}

/** What the plan file knows of each table, in the order of the plan. */
function tableFactsOf({ plan, facts }: PlanFile): readonly (TableFacts & { readonly plan: TablePlan })[] {
  return tablesOf(plan).flatMap((table, position) => {
    const known = [facts, ...facts.also][position];
    return known === undefined ? [] : [{ ...known, plan: table }];
  });
}

/** One worker's books, read from the files of its incarnations. */
interface RecoveredWorker {
  readonly index: number;
  readonly ledger: Ledger;
  readonly tables: readonly Ledger[];
  readonly batches: BatchCounts;
  readonly exceptions: readonly ExceptionRecord[];
  /** Rows of an earlier, stopped part of the run. */
  readonly earlier: Pick<Ledger, 'offered' | 'acknowledged'>;
  readonly nextBatch: number;
  readonly words: readonly LastWord[];
}

function booksOf(
  { plan, facts }: PlanFile,
  folder: CounterFolder,
  assignment: Assignment,
  index: number,
  nowMs: number,
): RecoveredWorker {
  const words = wordsOf(folder, index);
  const base = facts.resumed?.[index] ?? null;
  const mix = mixOf(tablesOf(plan));
  let inherited = base?.resend ?? [];
  let books = {
    ledger: base?.ledger ?? EMPTY_LEDGER,
    tables: base?.tables ?? [],
    batches: base?.batches ?? NO_BATCHES,
    exceptions: base === null ? [] : keptExceptions(base, nowMs),
  };
  words.forEach((word, position) => {
    const estate = estateOf(word, inherited, facts.keyed);
    const hasSuccessor = position < words.length - 1;
    const { timeoutMs } = plan.safety;
    const closed = closeBooks(word, estate, { assignment, mix, hasSuccessor, nowMs, timeoutMs });
    books = {
      ledger: addLedgers(books.ledger, closed.ledger),
      tables: addTables(books.tables, closed.tables),
      batches: addBatches(books.batches, closed.batches),
      exceptions: [...books.exceptions, ...closed.exceptions],
    };
    inherited = estate.resend;
  });
  return {
    index,
    ...books,
    earlier: base?.ledger ?? EMPTY_LEDGER,
    nextBatch: words.at(-1)?.nextBatch ?? base?.nextBatch ?? assignment.globalIndex,
    words,
  };
}

function wordsOf(folder: CounterFolder, index: number): LastWord[] {
  return listCounterFiles(folder)
    .filter(({ workerIndex }) => workerIndex === index)
    .flatMap(
      ({ workerIndex, incarnation }) => readCounterFile(folder.fileOf(workerIndex, incarnation)) ?? [],
    );
}

async function waitForWorkers(
  folder: CounterFolder,
  limitMs: number,
  env: RecoverEnvironment<unknown>,
): Promise<void> {
  const living = (): number[] =>
    listCounterFiles(folder)
      .flatMap(
        ({ workerIndex, incarnation }) =>
          readCounterFile(folder.fileOf(workerIndex, incarnation))?.header ?? [],
      )
      .filter(({ pid, startTicks }) => isOurs(pid, startTicks))
      .map(({ pid }) => pid);
  const deadlineMs = env.clock.monotonicMs() + limitMs;
  if (living().length > 0) env.note(`waiting for ${living().length} worker processes to end`);
  while (living().length > 0) {
    if (env.stop.graceful.aborted || env.clock.monotonicMs() >= deadlineMs) {
      throw new WorkersError(`worker processes of this run still live: ${living().join(', ')}`, {
        hint: `End them with kill ${living().join(' ')}, then recover again.`,
      });
    }
    await env.clock.sleep(POLL_MS, env.stop.graceful);
  }
}

/**
 * A process id is used again by strangers, so its start is looked at where the system shows it and it was noted, else its
 * name.
 */
function isOurs(pid: number, startTicks: number | null): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const ticks = startTicksOf(pid);
  try {
    if (startTicks !== null && ticks !== null) return ticks === startTicks && !isZombie(pid);
    return /crategen|node/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) && !isZombie(pid);
  } catch {
    // No /proc here: a living process of that number is taken for ours.
    return process.platform !== 'linux';
  }
}

function isZombie(pid: number): boolean {
  return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

function resultOf(
  planFile: PlanFile,
  workers: readonly RecoveredWorker[],
  settlement: Awaited<ReturnType<typeof settle>>,
  env: RecoverEnvironment<unknown>,
): RunResult {
  const { plan, facts } = planFile;
  const ledger = settlement.workers.reduce<Ledger>(
    (sum, worker) => addLedgers(sum, worker.ledger),
    EMPTY_LEDGER,
  );
  const planned = plannedRowsOf(plan);
  const words = workers.flatMap((worker) => worker.words);
  return {
    plan,
    startedAtMs: facts.startedAtMs,
    endedAtMs: env.clock.wallMs(),
    // When the first batch began and the last one ended died with the coordinator.
    runningMs: null,
    measuredMs: null,
    endReason: 'killed',
    endDetail: "the coordinator was killed; these totals were recovered from its workers' counter files",
    signal: null,
    host: { ...env.host, samples: [] },
    target: { ...facts.target, keyed: facts.keyed },
    tables: tableResults(tableFactsOf(planFile), settlement),
    rowFormat: facts.rowFormat,
    ledger: { ...ledger, notOffered: planned === null ? 0 : planned - ledger.offered },
    resolved: settlement.resolved,
    batches: workers.reduce((sum, worker) => addBatches(sum, worker.batches), NO_BATCHES),
    pacer: { lateRows: null, droppedRows: null },
    verification: settlement.verification,
    measuredRows: words.reduce((sum, word) => sum + word.measuredRows, 0),
    bodyBytes: words.reduce((sum, word) => sum + word.bodyBytes, 0),
    serviceTime: createHistogram(),
    responseTime: createHistogram(),
    workers: workers.map((worker, position) =>
      workerResult(worker, settlement.workers[position] ?? { ...worker, exceptions: [] }),
    ),
    coordinator: {
      pid: facts.coordinatorPid,
      cpu: { userSeconds: null, systemSeconds: null, percentMean: null, percentMax: null, lowerBound: true },
      ...COST_NOT_MEASURED,
    },
    nodes: [],
    server: null,
    errors: [],
    bottleneck: { verdict: 'unclear', evidence: ['what was measured was lost with the coordinator'] },
    series: [],
    events: [],
    warnings: [
      'Recovered after the coordinator was killed: times, latencies and errors by class were lost with it; rows are exact.',
      ...settlement.doubts,
      ...resumedWarnings(facts.resumed),
    ],
  };
}

function workerResult(worker: RecoveredWorker, { ledger, tables, exceptions }: WorkerBooks): WorkerResult {
  const headers = worker.words.map((word) => word.header);
  const sum = (of: (header: LastWord['header']) => number): number =>
    headers.reduce((total, header) => total + of(header), 0);
  const residentBytesMax = Math.max(0, ...headers.map((header) => header.residentBytesMax));
  return {
    index: worker.index,
    pids: headers.map((header) => header.pid),
    sentBytes: worker.words.reduce((sum, word) => sum + word.bodyBytes, 0),
    receivedBytes: worker.words.reduce((sum, word) => sum + word.replyBytes, 0),
    ledger,
    tables,
    batches: { ...worker.batches, next: worker.nextBatch, exceptions: exceptions.map(toException) },
    earlier: { offered: worker.earlier.offered, acknowledged: worker.earlier.acknowledged },
    restarts: Math.max(0, headers.length - 1),
    exit: null,
    cpu: {
      userSeconds: sum((header) => header.userCpuUs) / 1e6,
      systemSeconds: sum((header) => header.systemCpuUs) / 1e6,
      percentMean: null,
      percentMax: null,
      lowerBound: true,
    },
    ...COST_NOT_MEASURED,
    memory: { ...COST_NOT_MEASURED.memory, residentBytesMax: residentBytesMax || null },
  };
}
