/** `cluster --resume RUN`: the plan and the books of a run that was stopped, checked before anything goes on. */
import { UsageError } from '../base/errors.ts';
import { printable } from '../base/text.ts';
import { type StoppedWorker, resumeOf } from '../coordinator/resume.ts';
import { parseResumePlan } from '../plan/parse-resume-plan.ts';
import type { ParsedRunPlan } from '../plan/plan-input.ts';
import type { ResumedBooks } from '../plan/plan-file.ts';
import { type RunPlan, tablesOf } from '../plan/run-plan.ts';
import type { RawSettings } from '../plan/settings.ts';
import { mixOf } from '../plan/table-mix.ts';
import type { RunFile } from '../report/run-file-schema.ts';
import { runPlanOf } from '../report/run-file.ts';
import { checkSameRows } from './finished-runs/run-rows.ts';
import { openRun } from './finished-runs/run-argument.ts';
import { settingReader } from './target-access.ts';
import { planFacts } from './run-command.ts';

export interface OpenedResume {
  readonly parsed: ParsedRunPlan;
  /** Per worker, in order. */
  readonly books: readonly ResumedBooks[];
}

/** Throws a UsageError when the run cannot go on: it is complete, or this version makes other rows. */
export async function openResume(reference: string, flags: RawSettings): Promise<OpenedResume> {
  const { file } = await openRun(reference);
  const stored = remaining(runPlanOf(file), file);
  const mix = mixOf(tablesOf(stored));
  const books = file.workers.map((worker) => resumeOf(stoppedWorker(worker), file.target.keyed, mix));
  if (isComplete(file, books)) {
    throw new UsageError(
      `--resume ${printable(reference)}: run ${file.run.id} reached its bound, so there is nothing to go on with`,
      {
        hint: `crategen report ${file.run.id} shows its result.`,
      },
    );
  }
  await checkSameRows(file);
  const { config, problems } = await settingReader(flags);
  if (problems.length > 0) throw new UsageError(problems);
  return { parsed: parseResumePlan({ flags, env: process.env, config, facts: planFacts() }, stored), books };
}

/** A finished worker has nothing in flight, and its file says nothing about it. */
function stoppedWorker({ ledger, tables, batches }: RunFile['workers'][number]): StoppedWorker {
  const byTable = tables.length === 0 ? [ledger] : tables;
  return {
    ledger: { ...ledger, inFlight: 0 },
    tables: byTable.map((each) => ({ ...each, inFlight: 0 })),
    batches,
  };
}

function isComplete(file: RunFile, books: readonly ResumedBooks[]): boolean {
  const { endReason, endDetail } = file.run;
  // A budget has a detail: it ended the run before its bound.
  const reachedBound = (endReason === 'rows' || endReason === 'duration') && endDetail === '';
  return reachedBound && books.every((worker) => worker.resend.length === 0);
}

/** A run bounded by time goes on for what is left of it. */
function remaining(plan: RunPlan, file: RunFile): RunPlan {
  if (plan.bounds.durationMs === null) return plan;
  const durationMs = Math.max(1, Math.round(plan.bounds.durationMs - (file.run.runningMs ?? 0)));
  return { ...plan, bounds: { ...plan.bounds, durationMs } };
}
