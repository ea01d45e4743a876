/** What a run plan is made from, and what comes of making it: a plan, or every problem at once. */
import type { ConfigFile } from './config-file.ts';
import type { OutputPlan } from './parse-output.ts';
import type { Environment, SecretSources } from './parse-target.ts';
import type { DraftPlan, GeneratorChoice, RunCommandName, TargetPlan } from './run-plan.ts';
import type { ResolvedSchema } from './schema-source.ts';
import type { RawSettings } from './settings.ts';

/** What the host and the moment contribute. */
export interface PlanFacts {
  /** Cores that this process may use, container limits included. */
  readonly availableParallelism: number;
  /** Which generators this Node can run. */
  readonly generators: readonly GeneratorChoice[];
  /** Wall-clock ms. */
  readonly nowMs: number;
  /** Four characters of a-z and 0-9, for the run id. */
  readonly randomId: string;
  /** A whole number below 2^32, for the seed. */
  readonly randomSeed: number;
}

export interface PlanInput {
  readonly command: RunCommandName;
  readonly flags: RawSettings;
  readonly env: Environment;
  readonly config: ConfigFile | null;
  /** Of the file that `--schema` names; null without the flag. */
  readonly schemaFile: ResolvedSchema | null;
  /** Of the files that `--also` names, by the path as it was written. */
  readonly alsoFiles: ReadonlyMap<string, ResolvedSchema>;
  readonly facts: PlanFacts;
}

/** The target and where its secrets are come in either case, so that missing files are told with the rest. */
export type ParsedRunPlan = {
  readonly target: TargetPlan;
  readonly secrets: SecretSources;
} & (
  | {
      readonly ok: true;
      readonly plan: DraftPlan;
      readonly output: OutputPlan;
      readonly warnings: readonly string[];
      /** For each table, what to know before the first insert; null for a run that goes on, which was told. */
      readonly notes: readonly (readonly string[])[] | null;
    }
  | { readonly ok: false; readonly problems: readonly string[] }
);
