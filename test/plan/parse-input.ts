/** A run plan's input with plain facts, for the tests of this folder. */
import type { ConfigFile } from '../../src/plan/config-file.ts';
import { parseRunPlan } from '../../src/plan/parse-run-plan.ts';
import type { ParsedRunPlan, PlanFacts } from '../../src/plan/plan-input.ts';
import type { RunCommandName, RunPlan } from '../../src/plan/run-plan.ts';
import { type ResolvedSchema, withSchema } from '../../src/plan/schema-source.ts';
import type { RawValue } from '../../src/plan/settings.ts';

export const FACTS: PlanFacts = {
  availableParallelism: 6,
  generators: ['fast', 'reference'],
  nowMs: Date.UTC(2026, 10, 24, 15, 30, 12, 345),
  randomId: 'x7k2',
  randomSeed: 4711,
};

export interface Written {
  readonly command?: RunCommandName;
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, RawValue>>;
  readonly schemaFile?: ResolvedSchema;
  readonly alsoFiles?: ReadonlyMap<string, ResolvedSchema>;
}

/** Parses flags given by name. */
export function parse(flags: Readonly<Record<string, RawValue>>, written: Written = {}): ParsedRunPlan {
  const config: ConfigFile | null =
    written.config === undefined
      ? null
      : { path: 'crategen.config.yaml', settings: new Map(Object.entries(written.config)) };
  return parseRunPlan({
    command: written.command ?? 'cluster',
    flags: new Map(Object.entries(flags)),
    env: written.env ?? {},
    config,
    schemaFile: written.schemaFile ?? null,
    alsoFiles: written.alsoFiles ?? new Map(),
    facts: FACTS,
  });
}

/** The plan, where there must be one. */
export function planned(
  flags: Readonly<Record<string, RawValue>>,
  written: Written = {},
): Extract<ParsedRunPlan, { ok: true }> & { readonly plan: RunPlan } {
  const parsed = parse(flags, written);
  if (!parsed.ok) throw new Error(`expected a plan: ${parsed.problems.join('; ')}`);
  const { schema } = parsed.plan.table;
  if (schema === null) throw new Error('expected a schema');
  return { ...parsed, plan: withSchema(parsed.plan, schema) };
}

/** The problems, where there must be some. */
export function problems(
  flags: Readonly<Record<string, RawValue>>,
  written: Written = {},
): readonly string[] {
  const parsed = parse(flags, written);
  if (parsed.ok) throw new Error('expected problems');
  return parsed.problems;
}
