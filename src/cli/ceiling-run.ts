/** `ceiling --run RUN`: the plan of a finished run, and the run to hold against the ceiling that comes of it. */
import { UsageError } from '../base/errors.ts';
import { ceilingSettings } from '../plan/ceiling.ts';
import { parseCeilingPlan } from '../plan/parse-ceiling-plan.ts';
import type { ParsedRunPlan } from '../plan/plan-input.ts';
import type { RawSettings } from '../plan/settings.ts';
import { runPlanOf } from '../report/run-file.ts';
import type { RunFile } from '../report/run-file-schema.ts';
import { openRun } from './finished-runs/run-argument.ts';
import { planFacts } from './run-command.ts';
import { settingReader } from './target-access.ts';

export interface OpenedYardstick {
  readonly parsed: ParsedRunPlan;
  readonly problems: readonly string[];
  readonly run: RunFile;
}

/** Throws a UsageError for a run that says nothing about a server: a ceiling, or another that went nowhere. */
export async function openYardstick(reference: string, given: RawSettings): Promise<OpenedYardstick> {
  const { file } = await openRun(reference);
  const id = file.run.id;
  if (file.target.kind === 'discard') {
    const measured = file.measuredFor?.runId;
    throw new UsageError(`run ${id} is a ceiling itself: its target discarded every row`, {
      hint:
        measured === undefined
          ? 'crategen runs lists the others.'
          : `It was measured for another: crategen ceiling --run ${measured}`,
    });
  }
  const found = await settingReader(given);
  const { flags, config, problems } = ceilingSettings(given, found.config);
  const input = { flags, config, env: process.env, facts: planFacts() };
  return {
    parsed: parseCeilingPlan(input, runPlanOf(file)),
    problems: [...found.problems, ...problems],
    run: file,
  };
}
