/**
 * The plan of `ceiling --run`: that of a finished run, whose work is what is measured. The command line says how long,
 * and what is shown.
 */
import { DAY_MS } from '../base/units.ts';
import { ceilingPlanOf, ceilingProblems } from './ceiling.ts';
import { checkLoadAgainstBounds } from './parse-load.ts';
import { SHOWING_SETTINGS, readOutput } from './parse-output.ts';
import { readBounds, readRunId } from './parse-run-plan.ts';
import type { ParsedRunPlan, PlanInput } from './plan-input.ts';
import { NO_SECRETS } from './parse-target.ts';
import { readThresholds } from './parse-thresholds.ts';
import type { RunPlan } from './run-plan.ts';
import { SettingReader } from './setting-reader.ts';

/** What goes with `--run`. */
const CEILING_RUN_SETTINGS: ReadonlySet<string> = new Set([
  'run',
  'sandbox',
  'config',
  'rows',
  'duration',
  'warm-up',
  'fail-on',
  'run-id',
  ...SHOWING_SETTINGS,
]);

/** `input` has the settings of a ceiling; everything that does not go together is among the problems. */
export function parseCeilingPlan(
  input: Omit<PlanInput, 'command' | 'schemaFile' | 'alsoFiles'>,
  stored: RunPlan,
): ParsedRunPlan {
  const reader = new SettingReader(input.flags, input.config);
  reader.acceptOnly(CEILING_RUN_SETTINGS, 'expected without --run, which takes the plan of that run');
  const work = ceilingPlanOf(stored);
  const plan: RunPlan = {
    ...work,
    runId: readRunId(reader, input.facts),
    bounds: readBounds(reader, 'ceiling'),
    load: { ...work.load, warmUpMs: reader.durationMs('warm-up', { min: 0, max: DAY_MS }, 0) },
    failOn: readThresholds(reader),
  };
  reader.problems.push(...ceilingProblems(plan));
  checkLoadAgainstBounds(reader, plan);
  const output = readOutput(reader, input.env);
  const own = { target: plan.target, secrets: NO_SECRETS };
  if (reader.problems.length > 0) return { ok: false, ...own, problems: reader.problems };
  return { ok: true, ...own, plan, output, warnings: reader.warnings, notes: null };
}
