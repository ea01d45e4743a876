/**
 * A run from its plan to its exit code: folders, signals and observers around the coordinator, files and summary
 * behind it.
 */
import { rm, rmdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { type CrategenError, OutputError, messageOf } from '../base/errors.ts';
import type { HostFacts } from '../base/host.ts';
import { verifiedTogether } from '../audit/verification.ts';
import { formatTable } from '../base/sql.ts';
import { printable } from '../base/text.ts';
import { cacheFolder } from '../base/user-folders.ts';
import type { RunResult } from '../coordinator/run-result.ts';
import type { RunState } from '../coordinator/run-state.ts';
import { runPlan } from '../coordinator/run.ts';
import { type StopControl, createStopControl } from '../coordinator/stop-control.ts';
import type { OutputPlan } from '../plan/parse-output.ts';
import type { ResumedBooks } from '../plan/plan-file.ts';
import { type RunPlan, type TargetAccess, tablesOf } from '../plan/run-plan.ts';
import { makeFolder, testWritable, writeFileAtomically } from '../report/files.ts';
import { renderNote } from '../report/watching/line-log.ts';
import { chooseObserver } from '../report/watching/observers.ts';
import { runFileText, toRunFile } from '../report/run-file.ts';
import type { RunFile } from '../report/run-file-schema.ts';
import { runFiles, runFolder } from '../report/runs-folder.ts';
import { judge } from '../report/thresholds.ts';
import { renderStatusLine } from '../report/watching/status-line.ts';
import { hasRunColumns } from '../rows/schema.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { type Onlookers, openOnlookers } from './onlookers.ts';
import type { RunProcesses } from './run-processes.ts';
import { stopOnSignals } from './stop-signals.ts';
import type { Versions } from './versions.ts';

export interface CarryOutParts {
  readonly runs: string;
  readonly host: HostFacts;
  readonly versions: Versions;
  readonly processes: RunProcesses;
  readonly resumed: readonly ResumedBooks[] | null;
  /** For `ceiling --run`: holds the run that it was measured for against it. */
  readonly measuredFor: ((ceiling: RunFile) => RunFile['measuredFor']) | null;
}

export interface CarriedOut {
  readonly exitCode: number;
  readonly run: RunFile;
  /** Where the run file is; null when it could not be written. */
  readonly file: string | null;
}

/**
 * Runs a plan. Throws UsageError, TargetError or OutputError when nothing began; afterwards everything, a run file
 * that cannot be written included, is in the returned value.
 */
export async function carryOut(
  plan: RunPlan,
  output: OutputPlan,
  access: TargetAccess,
  parts: CarryOutParts,
): Promise<CarriedOut> {
  const onlookers = await openOnlookers(output, parts.versions.crategen);
  let carriedOut: CarriedOut | null = null;
  try {
    carriedOut = await carryOutWatched(plan, output, access, parts, onlookers);
    return carriedOut;
  } finally {
    await onlookers.end(carriedOut?.run ?? null);
    tellNews(onlookers);
  }
}

async function carryOutWatched(
  plan: RunPlan,
  output: OutputPlan,
  access: TargetAccess,
  parts: CarryOutParts,
  onlookers: Onlookers,
): Promise<CarriedOut> {
  // Otherwise the observer of the run tells it.
  if (output.quiet || output.live === 'off') tellNews(onlookers);
  const folder = runFolder(parts.runs, plan.runId);
  const files = runFiles(parts.runs, plan.runId);
  let removeCounters = (): void => undefined;
  const result = await observedRun(plan, output, access, parts, {
    folder,
    ...files,
    keepCounters: (remove) => (removeCounters = remove),
    onlookers,
  });
  const run = fileOf(result, parts, true);
  const failure = await saveRun(run, [files.runFile, ...(output.out === null ? [] : [output.out])]);
  removeCounters();
  if (failure === null) return { exitCode: run.run.exitCode, run, file: output.out ?? files.runFile };
  const unwritten = fileOf(result, parts, false);
  process.stderr.write(
    `crategen: ${printable(failure.message)}; the run file follows\n${runFileText(unwritten)}`,
  );
  return { exitCode: EXIT.unexpected, run: unwritten, file: null };
}

function tellNews(onlookers: Onlookers): void {
  for (const note of onlookers.news()) process.stderr.write(`${renderNote(note)}\n`);
}

/** The thresholds are judged by the file itself: a later report must come to the same. */
function fileOf(
  result: RunResult,
  { versions, measuredFor }: Pick<CarryOutParts, 'versions' | 'measuredFor'>,
  isWritten: boolean,
): RunFile {
  const { crategen, node, faker } = versions;
  const facts = { crategenVersion: crategen, nodeVersion: node, fakerVersion: faker };
  const draft = toRunFile(result, { exitCode: EXIT.ok, ...facts });
  const { endReason, signal, verification, ledger, plan } = result;
  const exitCode = exitCodeOf({
    endReason,
    signal,
    verdict: verification.verdict,
    ledger,
    maxFailed: plan.safety.maxFailed,
    thresholdsMissed: judge(plan.failOn, draft).filter(({ isMissed }) => isMissed).length,
    isWritten,
  });
  return {
    ...draft,
    run: { ...draft.run, exitCode },
    measuredFor: measuredFor === null ? null : measuredFor(draft),
  };
}

interface RunPlaces {
  readonly folder: string;
  readonly planFile: string;
  readonly runFile: string;
  readonly keepCounters: (remove: () => void) => void;
  readonly onlookers: Onlookers;
}

async function observedRun(
  plan: RunPlan,
  output: OutputPlan,
  access: TargetAccess,
  parts: CarryOutParts,
  places: RunPlaces,
): Promise<RunResult> {
  makeFolder(places.folder);
  const stop = createStopControl(systemClock);
  const endSignals = stopOnSignals(stop, output.out !== null);
  try {
    await testWritable(places.runFile);
    if (output.out !== null) await testWritable(output.out);
    const { live, logFormat, quiet } = output;
    const watching = chooseObserver(
      { live, stderr: process.stderr, env: process.env, logFormat, quiet },
      () => stop.request('SIGINT'),
    );
    const status = statusOnSignal((line) => watching.print(line));
    try {
      const result = await runPlan(plan, access, {
        clock: systemClock,
        observer: (event) => {
          if (event.kind !== 'note') status.remember(event.state);
          watching.observer(event);
          places.onlookers.observer(event);
          for (const note of places.onlookers.news()) watching.observer(note);
        },
        stop,
        host: parts.host,
        environment: process.env,
        runFolder: places.folder,
        savePlan: async (text) => {
          await writeFileAtomically(places.planFile, text);
          // It would make this run look finished. Not earlier: a resumed run's books are in one of the two.
          await rm(places.runFile, { force: true });
        },
        versions: parts.versions,
        poolsFolder: join(cacheFolder(process.env, homedir()), 'pools'),
        ...parts.processes,
        onBatchLine: output.verbose ? (line) => watching.print(line) : null,
        resumed: parts.resumed,
        keepCounters: places.keepCounters,
      });
      return await withRowsCompared(result, access, parts, stop);
    } finally {
      status.end();
      watching.close();
    }
  } catch (error) {
    await removeIfEmpty(places.folder);
    // After a run its signals stay caught: one that comes while its result is written must not cost the result.
    endSignals();
    throw error;
  }
}

/** `--verify rows` looks at what the count could not see. A count that contradicts the ledger needs no second opinion. */
async function withRowsCompared(
  result: RunResult,
  access: TargetAccess,
  parts: CarryOutParts,
  stop: StopControl,
): Promise<RunResult> {
  const { verdict } = result.verification;
  const isWanted = result.plan.verify === 'rows' && (verdict === 'match' || verdict === 'advisory');
  const canBe = tablesOf(result.plan).every(({ schema }) => hasRunColumns(schema));
  if (!isWanted || !canBe || stop.cause() !== null) return result;
  const { verifyEndedRun } = await import('./finished-runs/verify-run.ts');
  const opened = { ...access, nodes: result.target.nodes };
  const compared = await verifyEndedRun(fileOf(result, parts, true), opened, stop.graceful);
  const tables = result.tables.map((table, position) => ({
    ...table,
    verification: compared[position] ?? table.verification,
  }));
  const verification = verifiedTogether(
    tables.map((table) => ({ name: formatTable(table.plan.name), verification: table.verification })),
  );
  return { ...result, tables, verification, signal: stop.cause()?.signal ?? result.signal };
}

/** SIGUSR2 prints one line about where the run is. */
function statusOnSignal(print: (line: string) => void): {
  remember: (state: RunState) => void;
  end: () => void;
} {
  let last: RunState | null = null;
  const listener = (): void => {
    print(last === null ? 'crategen: starting' : renderStatusLine(last));
  };
  process.on('SIGUSR2', listener);
  return {
    remember: (state) => {
      last = state;
    },
    end: () => process.off('SIGUSR2', listener),
  };
}

/** A command that never began a run leaves no trace of one. */
async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch {
    // Not empty: an earlier run of this id, or the plan of this one, stays.
  }
}

/** Null when all copies are written, else the first failure. */
async function saveRun(run: RunFile, paths: readonly string[]): Promise<CrategenError | null> {
  const text = runFileText(run);
  let failure: CrategenError | null = null;
  for (const path of paths) {
    try {
      await writeFileAtomically(path, text);
    } catch (error) {
      failure ??= error instanceof OutputError ? error : new OutputError(messageOf(error), { cause: error });
    }
  }
  return failure;
}
