/** Recovering a run and writing the run file it never got to write. */
import { readFile } from 'node:fs/promises';
import { systemClock } from '../../base/clock.ts';
import { UsageError, messageOf } from '../../base/errors.ts';
import { readHostFacts } from '../../base/host.ts';
import { printable } from '../../base/text.ts';
import { recoverRun } from '../../coordinator/recover.ts';
import type { RunResult } from '../../coordinator/run-result.ts';
import { type StopControl, createStopControl } from '../../coordinator/stop-control.ts';
import { type PlanFile, parsePlanFile } from '../../plan/plan-file.ts';
import type { TargetAccess } from '../../plan/run-plan.ts';
import { writeFileAtomically } from '../../report/files.ts';
import type { RunFile } from '../../report/run-file-schema.ts';
import { runFileText, toRunFile } from '../../report/run-file.ts';
import { runFiles } from '../../report/runs-folder.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { stopOnSignals } from '../stop-signals.ts';
import { type Versions, versionsOf } from '../versions.ts';

/** Throws a UsageError that names the path. */
export async function readPlanFile(path: string): Promise<PlanFile> {
  try {
    return parsePlanFile(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${printable(path, 1000)}: ${printable(messageOf(error))}`, {
      cause: error,
    });
  }
}

export interface RecoverParts {
  readonly runs: string;
  /** Of this package. */
  readonly version: string;
  readonly note: (line: string) => void;
}

/** Recovers and writes `run.json` beside the plan. Throws what `recoverRun` throws, and an OutputError. */
export async function recoverAndSave(
  planFile: PlanFile,
  access: TargetAccess,
  parts: RecoverParts,
): Promise<{ run: RunFile; file: string }> {
  const stop = createStopControl(systemClock);
  const endSignals = stopOnSignals(stop, false);
  try {
    const file = runFiles(parts.runs, planFile.plan.runId).runFile;
    const save = async (result: RunResult): Promise<RunFile> => {
      const run = fileOf(result, stop, versionsOf(parts.version));
      await writeFileAtomically(file, runFileText(run));
      return run;
    };
    const host = readHostFacts();
    const run = await recoverRun(planFile, access, {
      clock: systemClock,
      stop,
      host,
      note: parts.note,
      save,
    });
    return { run, file };
  } finally {
    endSignals();
  }
}

function fileOf(result: RunResult, stop: StopControl, versions: Versions): RunFile {
  const exitCode = exitCodeOf({
    endReason: result.endReason,
    signal: stop.cause()?.signal ?? null,
    verdict: result.verification.verdict,
    ledger: result.ledger,
    maxFailed: result.plan.safety.maxFailed,
    thresholdsMissed: 0,
    isWritten: true,
  });
  const { crategen, node, faker } = versions;
  return toRunFile(result, { exitCode, crategenVersion: crategen, nodeVersion: node, fakerVersion: faker });
}
