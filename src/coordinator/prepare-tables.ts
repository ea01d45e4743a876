/**
 * The tables of a run, made ready before the first worker: looked at and checked all together, then said, and only
 * then dropped or created as the plan says. What is refused is refused before anything has changed.
 */
import { TargetError, UsageError } from '../base/errors.ts';
import { OWN_SCHEMA, formatTable, grantOn, quoteTable } from '../base/sql.ts';
import { formatExact } from '../base/units.ts';
import type { AskOptions } from '../cratedb/ask.ts';
import type { CrateClient } from '../cratedb/client.ts';
import { type TableState, describeTable, isKeyed, mayInsert, runDdl } from '../cratedb/introspect.ts';
import { type Share, countRun, countTable, refresh } from '../cratedb/statements.ts';
import { type RunPlan, type TablePlan, tablesOf } from '../plan/run-plan.ts';
import { sourceSetting } from '../plan/schema-source.ts';
import { createTableSql, insertColumns } from '../rows/ddl.ts';
import { hasRunColumns } from '../rows/schema.ts';
import { type Wanted, answered } from './target-hints.ts';
import { type SeenTable, productionSigns, surveyTarget, touchLines } from './target-survey.ts';

/** For one question before the run. */
export const PREPARE_TIMEOUT_MS = 10_000;

export interface TableParts {
  readonly plan: RunPlan;
  /** A stop that comes now ends the questions. */
  readonly signal: AbortSignal;
  readonly isResumed: boolean;
  readonly note: (level: 'info' | 'warning', event: string, message: string) => void;
}

/** A table as it stands before the first row. */
export interface ReadyTable {
  readonly primaryKey: readonly string[];
  /** A resend is exact: its key is (run_id, seq), and rows carry both. */
  readonly keyed: boolean;
  /** Rows in it before the run, where they cannot be counted by run_id; else null. */
  readonly rowsBefore: number | null;
}

/** The statement that creates the table, or would. */
export function ddlOf({ schema, name, key, shards, replicas }: TablePlan): string {
  return createTableSql(schema, { table: name, key, shards, replicas, ifNotExists: true });
}

/** A table that nobody looks at: what a target without tables takes. */
export function unseenTable({ schema, key }: TablePlan): ReadyTable {
  return { primaryKey: ['run_id', 'seq'], keyed: key && hasRunColumns(schema), rowsBefore: null };
}

export async function lookAtTables(parts: TableParts, client: CrateClient): Promise<readonly SeenTable[]> {
  return await Promise.all(
    tablesOf(parts.plan).map(async (plan) => ({ plan, there: await describe(parts, client, plan) })),
  );
}

/** `nodes`: of the cluster, or null. Throws a TargetError or UsageError; nothing was changed by a refusal. */
export async function prepareTables(
  parts: TableParts,
  client: CrateClient,
  known: { readonly tables: readonly SeenTable[]; readonly nodes: number | null },
): Promise<readonly ReadyTable[]> {
  const checked: (SeenTable & { readonly rowsBefore: number | null })[] = [];
  for (const table of known.tables)
    checked.push({ ...table, rowsBefore: await checkTable(parts, client, table) });
  await sayWhatIsTouched(parts, client, known);
  const ready: ReadyTable[] = [];
  for (const { rowsBefore, ...table } of checked)
    ready.push({ ...(await makeReady(parts, client, table)), rowsBefore });
  return ready;
}

/** Before anything changes: the table may be used as it is, or may be made. Its rows where only their number tells. */
async function checkTable(
  parts: TableParts,
  client: CrateClient,
  { plan, there }: SeenTable,
): Promise<number | null> {
  const isCounted = !hasRunColumns(plan.schema);
  if (!there.exists) {
    if (plan.create) return isCounted ? 0 : null;
    throw new TargetError(`the table ${formatTable(plan.name)} does not exist`, {
      hint: 'Leave out --no-create to have it created; a user without privileges on it does not see it.',
    });
  }
  if (plan.recreate) return isCounted ? 0 : null;
  checkFits(parts, plan, there);
  await Promise.all([checkMayInsert(parts, client, plan), checkEmptyOfRun(parts, client, plan)]);
  if (!isCounted) return null;
  const rows = await rowsIn(parts, client, plan);
  checkConfirmed(parts, plan, rows);
  return rows;
}

async function makeReady(
  parts: TableParts,
  client: CrateClient,
  { plan, there }: SeenTable,
): Promise<Omit<ReadyTable, 'rowsBefore'>> {
  const isKept = there.exists && !plan.recreate;
  const { primaryKey, partitionedBy } = isKept ? there : await create(parts, client, plan, there);
  const keyed = hasRunColumns(plan.schema) && isKeyed(primaryKey, partitionedBy);
  if (!keyed && plan.key) parts.note('warning', 'notKeyed', notKeyedWarning(parts.plan, plan, primaryKey));
  return { primaryKey, keyed };
}

async function create(
  parts: TableParts,
  client: CrateClient,
  plan: TablePlan,
  there: TableState,
): Promise<Extract<TableState, { exists: true }>> {
  const name = formatTable(plan.name);
  const change = { signal: parts.signal };
  if (there.exists)
    answered(
      await runDdl(client, `DROP TABLE IF EXISTS ${quoteTable(plan.name)}`, change),
      `${name} cannot be dropped`,
      wanted(parts, plan),
    );
  answered(
    await runDdl(client, ddlOf(plan), change),
    `the table ${name} cannot be created`,
    wanted(parts, plan),
  );
  const made = await describe(parts, client, plan);
  if (made.exists) return made;
  throw new TargetError(`the table ${name} was created but cannot be seen`, {
    hint: `Missing: ${grantOn(plan.name.schema, 'DQL', parts.plan.target.username)}`,
  });
}

async function describe(parts: TableParts, client: CrateClient, { name }: TablePlan): Promise<TableState> {
  return answered(await describeTable(client, name, ask(parts)), `${formatTable(name)} cannot be looked at`);
}

/** Before anything in the target changes. Throws when the target looks like production and `--yes` was not given. */
async function sayWhatIsTouched(
  parts: TableParts,
  client: CrateClient,
  { tables, nodes }: { readonly tables: readonly SeenTable[]; readonly nodes: number | null },
): Promise<void> {
  const { plan } = parts;
  const survey = await surveyTarget(client, { plan, tables, nodes }, ask(parts));
  const rows = new Map(survey.tables.map((table) => [table.name, table.rows]));
  const lines = tables.flatMap((table) =>
    touchLines(table.plan, table.there, rows.get(formatTable(table.plan.name)) ?? null),
  );
  const signs = productionSigns(survey);
  if (signs.length > 0 && !plan.safety.isConfirmed) {
    const what = lines.map(({ message }) => message).join('; ');
    throw new UsageError(
      [`${client.nodes.join(', ')} looks like production: ${signs.join('; ')}`, `this run ${what}`],
      { hint: 'Nothing was changed. If that is what you want, say so with --yes.' },
    );
  }
  for (const { event, message } of lines)
    parts.note(event === 'willDrop' ? 'warning' : 'info', event, message);
}

/** The existing table must take this schema's rows; what it has beyond them is its own business. */
function checkFits(parts: TableParts, plan: TablePlan, there: Extract<TableState, { exists: true }>): void {
  const name = formatTable(plan.name);
  const columns = new Set(there.columns.map((column) => column.name));
  const missing = insertColumns(plan.schema).filter((column) => !columns.has(column));
  if (missing.length > 0) {
    const another = plan === parts.plan.table ? '--table SCHEMA.TABLE' : '--also NAME@SCHEMA.TABLE';
    throw new TargetError(`the table ${name} exists and has no column ${missing.join(', ')}`, {
      hint: `Choose another table with ${another}; crategen schema ddl ${sourceSetting(plan.source)[1]} prints what the rows need.`,
    });
  }
  there.problems.forEach((problem) => parts.note('warning', 'tableProblem', `${name}: ${problem}`));
}

/** Who made the table may fill it; who did not may be allowed only to look at it. */
async function checkMayInsert(parts: TableParts, client: CrateClient, { name }: TablePlan): Promise<void> {
  if ((await mayInsert(client, name, ask(parts))) !== false) return;
  throw new TargetError(`${formatTable(name)} takes no rows from this user`, {
    hint: `Missing: ${grantOn(name.schema, 'DML', parts.plan.target.username)}`,
  });
}

/** What the table holds already: without run_id only the difference to it can be counted. */
async function rowsIn(parts: TableParts, client: CrateClient, table: TablePlan): Promise<number> {
  const name = formatTable(table.name);
  answered(
    await refresh(client, table.name, ask(parts)),
    `${name} cannot be refreshed`,
    wanted(parts, table),
  );
  return answered(
    await countTable(client, table.name, ask(parts)),
    `the rows of ${name} cannot be counted`,
    wanted(parts, table),
  );
}

/** Rows that carry no run id are not ours: they get others among them only when that was said twice. */
function checkConfirmed({ plan, isResumed }: TableParts, table: TablePlan, rows: number): void {
  if (rows === 0 || isResumed || plan.safety.isConfirmed || table.name.schema === OWN_SCHEMA) return;
  const name = formatTable(table.name);
  throw new UsageError(
    `${name} holds ${formatExact(rows)} rows that are not crategen's: expected --yes as well`,
    {
      hint: `Without ${table === plan.table ? '--table ' : '@'}${name} the rows go to a table of their own.`,
    },
  );
}

/** Rows of this run id would be counted as ours. */
async function checkEmptyOfRun(parts: TableParts, client: CrateClient, table: TablePlan): Promise<void> {
  const { plan } = parts;
  if (parts.isResumed || !hasRunColumns(table.schema)) return;
  const name = formatTable(table.name);
  answered(
    await refresh(client, table.name, ask(parts)),
    `${name} cannot be refreshed`,
    wanted(parts, table),
  );
  const rows = { table: table.name, runId: plan.runId, range: null, share: shareOf(plan) };
  const stored = answered(
    await countRun(client, rows, ask(parts)),
    `the rows of ${name} cannot be counted`,
    wanted(parts, table),
  );
  if (stored === 0) return;
  throw new UsageError(
    `--run-id ${plan.runId}: ${name} already holds ${formatExact(stored)} rows of this run`,
    {
      hint: `Choose another id, or go on with --resume ${plan.runId}`,
    },
  );
}

/** This machine's part of the run's batches; null for all of them. */
export function shareOf({ load, machine }: RunPlan): Share | null {
  const { procs, batchSize } = load;
  const { index, count } = machine;
  if (count === 1) return null;
  return { batchSize, workers: procs * count, from: (index - 1) * procs, to: index * procs };
}

function notKeyedWarning({ also }: RunPlan, { name }: TablePlan, primaryKey: readonly string[]): string {
  const key = primaryKey.length === 0 ? 'no primary key' : `the primary key (${primaryKey.join(', ')})`;
  return `${formatTable(name)} has ${key}: batches whose answer is lost${also.length === 0 ? '' : ', of all tables of the run,'} cannot be sent again, their rows stay unknown`;
}

function wanted({ plan }: TableParts, { name }: TablePlan): Wanted {
  return { schema: name.schema, user: plan.target.username };
}

export function ask({ signal }: Pick<TableParts, 'signal'>): AskOptions {
  return { timeoutMs: PREPARE_TIMEOUT_MS, signal };
}
