/**
 * What `cluster` and `single` share: from the command line to a plan with all its problems at once, and from the
 * plan to a summary and an exit code.
 */
import { randomInt } from 'node:crypto';
import { readHostFacts, usableCores } from '../base/host.ts';
import { canGenerateFast } from '../rows/row-generator.ts';
import type { EmbeddedTarget } from '../coordinator/run-environment.ts';
import { type OutputPlan, type PlanFacts, type PlanInput, parseRunPlan } from '../plan/parse-run-plan.ts';
import type { ResumedBooks } from '../plan/plan-file.ts';
import { NO_SECRETS } from '../plan/parse-target.ts';
import type { RunPlan, TargetAccess } from '../plan/run-plan.ts';
import { PRESET_NAMES } from '../rows/presets.ts';
import { type Arguments, BaseCommand } from './base-command.ts';
import { schemaFileProblem } from './schema-file.ts';
import { readAccess } from './secrets.ts';
import { settingReader, tlsWarnings } from './target-access.ts';

/** A command line that makes a run. */
export interface ReadyRun {
  readonly plan: RunPlan;
  readonly output: OutputPlan;
  readonly access: TargetAccess;
}

const RUN_ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

export abstract class RunCommand extends BaseCommand {
  /** Reads flags, environment, config file and secrets. Throws one UsageError with every problem there is. */
  protected async readRun(command: 'cluster' | 'single', read: Arguments): Promise<ReadyRun> {
    const { config, problems: configProblems } = await settingReader(read.flags);
    const input: PlanInput = { command, flags: read.flags, env: process.env, config, facts: planFacts() };
    const schemaProblems = await schemaFileProblems(input);
    return await this.finishRun(
      parseRunPlan(input),
      [...read.problems, ...configProblems, ...schemaProblems],
      read.warnings,
    );
  }

  /** Reads the secrets of a parsed plan and says its warnings; throws a UsageError with all problems. */
  protected async finishRun(
    parsed: ReturnType<typeof parseRunPlan>,
    earlierProblems: readonly string[],
    warnings: readonly string[],
  ): Promise<ReadyRun> {
    // Nobody should have to type a password to hear that a flag is wrong.
    const isDoomed = !parsed.ok || earlierProblems.length > 0;
    const { password, token } = parsed.secrets;
    const isTyped = password.kind === 'stdin' || token.kind === 'stdin';
    const read = await readAccess(
      parsed.target,
      isDoomed && isTyped ? NO_SECRETS : parsed.secrets,
      process.stdin,
    );
    const problems = [
      ...earlierProblems,
      ...(parsed.ok ? [] : parsed.problems),
      ...(read.ok ? [] : read.problems),
    ];
    if (problems.length > 0 || !parsed.ok || !read.ok) throw this.usageError(problems);
    this.keepSecrets(read.access.password, read.access.token);
    for (const warning of [...warnings, ...parsed.warnings, ...tlsWarnings(process.env)])
      this.warning(warning);
    if (!read.access.tls.verify) this.insecureWarning();
    return { plan: parsed.plan, output: parsed.output, access: read.access };
  }

  /** Carries the plan out, shows its summary, sets the exit code. */
  protected async carryOutAndTell(
    ready: ReadyRun,
    resumed: readonly ResumedBooks[] | null = null,
  ): Promise<void> {
    const { carryOut, judgementLines } = await import('./carry-out.ts');
    const { ownRunsFolder } = await import('./run-argument.ts');
    const { versionsOf } = await import('./versions.ts');
    const done = await carryOut(ready.plan, ready.output, ready.access, {
      runs: ownRunsFolder(),
      host: readHostFacts(),
      versions: versionsOf(this.config.version),
      startSandbox: ready.plan.target.kind === 'embedded' ? await embeddedSandbox() : null,
      resumed,
    });
    const { renderSummary } = await import('../report/summary.ts');
    const { textViewOf } = await import('../report/terminal.ts');
    process.stderr.write(
      renderSummary(done.run, textViewOf(process.stderr, process.env), { file: done.file }),
    );
    for (const line of judgementLines(done.judgements)) this.warning(line);
    if (ready.output.json) this.printJson(done.run);
    process.exitCode = done.exitCode;
  }
}

/** What this host and this moment put into a plan. */
export function planFacts(): PlanFacts {
  return {
    availableParallelism: usableCores(readHostFacts()),
    generators: canGenerateFast() ? ['fast', 'reference'] : ['reference'],
    nowMs: Date.now(),
    randomId: Array.from({ length: 4 }, () => RUN_ID_LETTERS[randomInt(RUN_ID_LETTERS.length)]).join(''),
    randomSeed: randomInt(2 ** 32),
    presets: PRESET_NAMES,
  };
}

/** Schema files have their place on the command line already; what is missing is told apart from what is not possible. */
async function schemaFileProblems({ flags, config }: PlanInput): Promise<readonly string[]> {
  const path = flags.get('schema') ?? config?.settings.get('schema');
  if (typeof path !== 'string') return [];
  return [await schemaFileProblem('--schema', path)];
}

/** Loaded only when asked for: a run against a server needs no SQLite. */
async function embeddedSandbox(): Promise<() => Promise<EmbeddedTarget>> {
  const { forkSandbox } = await import('../sandbox/fork-sandbox.ts');
  return () => forkSandbox();
}
