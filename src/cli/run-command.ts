/**
 * What `cluster` and `single` share: from the command line to a plan with all its problems at once, and from the
 * plan to a summary and an exit code.
 */
import { randomInt } from 'node:crypto';
import { BugError } from '../base/errors.ts';
import { readHostFacts, usableCores } from '../base/host.ts';
import type { ConfigFile } from '../plan/config-file.ts';
import { canGenerateFast } from '../rows/row-generator.ts';
import { alsoFiles } from '../plan/parse-also.ts';
import type { OutputPlan } from '../plan/parse-output.ts';
import { parseRunPlan } from '../plan/parse-run-plan.ts';
import type { ParsedRunPlan, PlanFacts } from '../plan/plan-input.ts';
import { schemaFilePath } from '../plan/parse-table.ts';
import type { ResumedBooks } from '../plan/plan-file.ts';
import { NO_SECRETS } from '../plan/parse-target.ts';
import {
  type DraftPlan,
  type RunCommandName,
  type RunPlan,
  type TablePlan,
  type TargetAccess,
  tablesOf,
} from '../plan/run-plan.ts';
import { ceilingSettings } from '../plan/ceiling.ts';
import { type NamedFile, type ResolvedSchema, withSchema } from '../plan/schema-source.ts';
import type { TableSchema } from '../rows/schema.ts';
import type { RawSettings } from '../plan/settings.ts';
import { type Arguments, BaseCommand } from './base-command.ts';
import type { CarriedOut, CarryOutParts } from './carry-out.ts';
import { readAccess } from './secrets.ts';
import { settingReader, tlsWarnings } from './target-access.ts';

/** A command line that makes a run. */
export interface ReadyRun {
  readonly plan: RunPlan;
  readonly output: OutputPlan;
  readonly access: TargetAccess;
}

/** Enough to see what the rows are like. */
const SHOWN_ROWS = 5;

const RUN_ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

export abstract class RunCommand extends BaseCommand {
  /** Reads flags, environment, config file and secrets. Throws one UsageError with every problem there is. */
  protected async readRun(command: RunCommandName, read: Arguments): Promise<ReadyRun> {
    const found = await settingReader(read.flags);
    const { flags, config, problems } =
      command === 'ceiling'
        ? ceilingSettings(read.flags, found.config)
        : { flags: read.flags, config: found.config, problems: [] };
    const schemaFile = await readNamedSchema(flags, config);
    const input = {
      command,
      flags,
      env: process.env,
      config,
      schemaFile,
      alsoFiles: await readAlsoFiles(flags, config),
      facts: planFacts(),
    };
    return await this.finishRun(
      parseRunPlan(input),
      [...read.problems, ...found.problems, ...problems],
      read.warnings,
    );
  }

  /** Reads the secrets of a parsed plan and says its warnings; throws a UsageError with all problems. */
  protected async finishRun(
    parsed: ParsedRunPlan,
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
    this.keepSecrets(read.access.password, read.access.token, ...secretHeaders(parsed.output));
    for (const warning of [...warnings, ...parsed.warnings, ...tlsWarnings(process.env)])
      this.warning(warning);
    if (!read.access.tls.verify) this.insecureWarning();
    const { schema, notes } = await schemaFor(parsed.plan, read.access);
    const plan = withSchema(parsed.plan, schema);
    if (parsed.notes !== null && !parsed.output.quiet)
      for (const [position, table] of tablesOf(plan).entries()) {
        const found = position === 0 ? notes : [];
        await this.#showExisting(table, [...(parsed.notes[position] ?? []), ...found]);
      }
    return { plan, output: parsed.output, access: read.access };
  }

  /** What would be created and sent; not a byte is written to any server. */
  async #showPlanned(plan: RunPlan, asJson: boolean): Promise<void> {
    const { sampleOf } = await import('./schema/sample.ts');
    const samples = await Promise.all(tablesOf(plan).map((table) => sampleOf(plan, table, SHOWN_ROWS)));
    const [main, ...also] = samples;
    if (asJson) return this.printJson({ plan, ...main, ...(also.length === 0 ? {} : { also }) });
    const texts = samples.map(({ ddl, statement, rows }) => [ddl, statement, rows.join('\n')]);
    this.print(texts.flat().join('\n\n'));
  }

  /** Before the first row of a table that crategen did not invent: what each column gets, and what may go wrong. */
  async #showExisting(table: TablePlan, notes: readonly string[]): Promise<void> {
    const { source } = table;
    if (source.kind !== 'like' && source.kind !== 'ddl') return;
    const { existingLines } = await import('./schema/existing-lines.ts');
    process.stderr.write(`${existingLines(table, notes).join('\n')}\n`);
  }

  /**
   * Carries the plan out, shows its summary, sets the exit code; with `--dry-run` only shows what it would do. The run
   * that a ceiling is measured for is held against it.
   */
  protected async carryOutAndTell(
    ready: ReadyRun,
    resumed: readonly ResumedBooks[] | null = null,
    measuredFor: CarryOutParts['measuredFor'] = null,
  ): Promise<void> {
    if (ready.output.dryRun) return await this.#showPlanned(ready.plan, ready.output.json);
    const done = await this.#carryOut(ready, resumed, measuredFor);
    const { renderSummary } = await import('../report/summary/summary.ts');
    const { textViewOf } = await import('../report/terminal.ts');
    process.stderr.write(
      renderSummary(done.run, textViewOf(process.stderr, process.env), { file: done.file }),
    );
    if (ready.output.json) this.printJson(done.run);
    process.exitCode = done.exitCode;
  }

  /** Forks first: what it needs itself is loaded while Node starts in its workers. */
  async #carryOut(
    { plan, output, access }: ReadyRun,
    resumed: CarryOutParts['resumed'],
    measuredFor: CarryOutParts['measuredFor'],
  ): Promise<CarriedOut> {
    const host = readHostFacts();
    const { startProcesses } = await import('./run-processes.ts');
    const processes = await startProcesses(plan, host);
    try {
      const { carryOut } = await import('./carry-out.ts');
      const { ownRunsFolder } = await import('./finished-runs/run-argument.ts');
      const { versionsOf } = await import('./versions.ts');
      return await carryOut(plan, output, access, {
        runs: ownRunsFolder(),
        host,
        versions: versionsOf(this.config.version),
        processes,
        resumed,
        measuredFor,
      });
    } finally {
      await processes.end();
    }
  }
}

/** Values of headers that are long enough to be a secret; hiding every `1` or `prod` would make failures unreadable. */
function secretHeaders({ otlp }: OutputPlan): readonly string[] {
  return Object.values(otlp?.headers ?? {}).filter((value) => value.length >= 8);
}

/** What this host and this moment put into a plan. */
export function planFacts(): PlanFacts {
  return {
    availableParallelism: usableCores(readHostFacts()),
    generators: canGenerateFast() ? ['fast', 'reference'] : ['reference'],
    nowMs: Date.now(),
    randomId: Array.from({ length: 4 }, () => RUN_ID_LETTERS[randomInt(RUN_ID_LETTERS.length)]).join(''),
    randomSeed: randomInt(2 ** 32),
  };
}

/** What the file of `--schema` or `--ddl` came to, before there is a plan; null without one. Loaded only when there is one. */
async function readNamedSchema(
  flags: RawSettings,
  config: ConfigFile | null,
): Promise<ResolvedSchema | null> {
  const named = schemaFilePath(flags, config);
  return named === null ? null : await readNamedFile(named);
}

/** The same for each `--also` that names a file. */
async function readAlsoFiles(
  flags: RawSettings,
  config: ConfigFile | null,
): Promise<ReadonlyMap<string, ResolvedSchema>> {
  const files = new Map<string, ResolvedSchema>();
  for (const named of alsoFiles(flags, config)) files.set(named.value, await readNamedFile(named));
  return files;
}

async function readNamedFile(named: NamedFile): Promise<ResolvedSchema> {
  if (named.setting === 'ddl') {
    const { readDdlFile } = await import('./schema/ddl-file.ts');
    return await readDdlFile(named.name, named.value);
  }
  const { readSchemaFile } = await import('../plan/schema-file/schema-file.ts');
  return await readSchemaFile(named.value, `${named.name} ${named.value}`);
}

/** The one place where a schema is still missing that only the target can tell. */
async function schemaFor(draft: DraftPlan, access: TargetAccess): Promise<FoundSchema> {
  const { schema, source, name } = draft.table;
  const { rows } = draft.bounds;
  if (schema !== null) return { schema, notes: [] };
  if (source.kind !== 'like') throw new BugError('the plan has no schema');
  const { schemaOfTable } = await import('../coordinator/existing-table.ts');
  return await schemaOfTable({ source, target: name, access, nowMs: Date.now(), rows });
}

interface FoundSchema {
  readonly schema: TableSchema;
  readonly notes: readonly string[];
}
