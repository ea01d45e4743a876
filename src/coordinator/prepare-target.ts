/**
 * Everything that happens once, before the first worker: the target is reached and named, the table is there or
 * is made, what is in it stays, and the statement is known. Nothing is dropped that was not told to be dropped.
 */
import { TargetError, UsageError } from '../base/errors.ts';
import { type TableName, formatTable, quoteTable } from '../base/sql.ts';
import { formatExact } from '../base/units.ts';
import type { Answer, AskOptions } from '../cratedb/ask.ts';
import { type CrateClient, createClient } from '../cratedb/client.ts';
import {
  type TableState,
  describeTable,
  isKeyed,
  mayInsert,
  runDdl,
  serverFacts,
} from '../cratedb/introspect.ts';
import { type Share, countRun, refresh } from '../cratedb/statements.ts';
import type { RunPlan, TargetAccess } from '../plan/run-plan.ts';
import { createTableSql, insertColumns, insertStatement } from '../rows/ddl.ts';
import type { TargetState } from './run-state.ts';
import { grantOn, targetHint } from './target-hints.ts';

/** A few at once for the questions before and after a run; workers have their own. */
const CONNECTIONS = 4;
const PREPARE_TIMEOUT_MS = 10_000;

export interface PreparedTarget {
  readonly state: TargetState;
  readonly access: TargetAccess;
  readonly client: CrateClient;
  readonly statement: string;
  /** What created the table, or would have. */
  readonly ddl: string;
  readonly wasCreated: boolean;
}

export interface PrepareParts {
  readonly plan: RunPlan;
  readonly access: TargetAccess;
  /** A stop that comes now ends the questions. */
  readonly signal: AbortSignal;
  readonly isResumed: boolean;
  readonly note: (level: 'info' | 'warning', event: string, message: string) => void;
  /** Called when the target answered and before anything in it changes; throws when this host cannot carry the plan. */
  readonly checkHost: () => Promise<void>;
}

/** Throws a TargetError or UsageError that says what to do; nothing was created then. */
export async function prepareTarget(parts: PrepareParts): Promise<PreparedTarget> {
  const { plan, access } = parts;
  const { schema } = plan.table;
  const client = createClient(access, { connectionsPerNode: CONNECTIONS });
  try {
    const facts = answered(
      await serverFacts(client, ask(parts)),
      `${access.nodes.join(', ')} cannot be used`,
    );
    noteSilentNodes(parts, facts.greetings);
    if (facts.kind !== 'discard' && facts.clusterNodes === null)
      parts.note('info', 'systemHidden', SYSTEM_HIDDEN);
    await parts.checkHost();
    const ddl = createTableSql(schema, {
      table: plan.table.name,
      key: plan.table.key,
      shards: plan.table.shards,
      replicas: plan.table.replicas,
      ifNotExists: true,
    });
    const found = facts.kind === 'discard' ? null : await prepareTable(parts, client, ddl);
    const keyed = found === null ? plan.table.key : isKeyed(found.primaryKey, found.partitionedBy);
    if (!keyed && plan.table.key) parts.note('warning', 'notKeyed', notKeyedWarning(plan, found));
    const state: TargetState = { kind: facts.kind, version: facts.version, nodes: access.nodes, keyed };
    const conflictColumns = keyed ? (found?.primaryKey ?? ['run_id', 'seq']) : [];
    const statement = insertStatement(schema, plan.table.name, { conflictColumns });
    return { state, access, client, statement, ddl, wasCreated: found?.wasCreated ?? false };
  } catch (error) {
    await client.destroy();
    throw error;
  }
}

interface FoundTable {
  readonly primaryKey: readonly string[];
  readonly partitionedBy: readonly string[];
  readonly wasCreated: boolean;
}

async function prepareTable(parts: PrepareParts, client: CrateClient, ddl: string): Promise<FoundTable> {
  const { plan } = parts;
  const name = formatTable(plan.table.name);
  let table = answered(
    await describeTable(client, plan.table.name, ask(parts)),
    `${name} cannot be looked at`,
  );
  if (table.exists && plan.table.recreate) {
    answered(
      await runDdl(client, `DROP TABLE ${quoteTable(plan.table.name)}`, { signal: parts.signal }),
      `${name} cannot be dropped`,
      plan.table.name,
    );
    parts.note('warning', 'tableDropped', `dropped ${name}, as --recreate says`);
    table = { exists: false };
  }
  if (!table.exists) {
    if (!plan.table.create && !plan.table.recreate)
      throw new TargetError(`the table ${name} does not exist`, {
        hint: 'leave out --no-create to have it created; a user without privileges on it does not see it',
      });
    await createTable(parts, client, ddl);
    table = answered(await describeTable(client, plan.table.name, ask(parts)), `${name} cannot be looked at`);
    if (!table.exists)
      throw new TargetError(`the table ${name} was created but cannot be seen`, {
        hint: `missing: ${grantOn(plan.table.name, 'DQL', plan.target.username)}`,
      });
    return { ...table, wasCreated: true };
  }
  checkFits(parts, table);
  await Promise.all([checkMayInsert(parts, client), checkEmptyOfRun(parts, client)]);
  return { ...table, wasCreated: false };
}

async function createTable(parts: PrepareParts, client: CrateClient, ddl: string): Promise<void> {
  const name = formatTable(parts.plan.table.name);
  answered(
    await runDdl(client, ddl, { signal: parts.signal }),
    `the table ${name} cannot be created`,
    parts.plan.table.name,
  );
  parts.note('info', 'tableCreated', `created the table ${name}`);
}

/** The existing table must take this schema's rows; what it has beyond them is its own business. */
function checkFits(parts: PrepareParts, table: Extract<TableState, { exists: true }>): void {
  const name = formatTable(parts.plan.table.name);
  const there = new Set(table.columns.map((column) => column.name));
  const missing = insertColumns(parts.plan.table.schema).filter((column) => !there.has(column));
  if (missing.length > 0) {
    throw new TargetError(`the table ${name} exists and has no column ${missing.join(', ')}`, {
      hint: `choose another table with --table SCHEMA.TABLE; crategen schema ddl ${parts.plan.table.schema.name} prints what the rows need`,
    });
  }
  table.problems.forEach((problem) => parts.note('warning', 'tableProblem', `${name}: ${problem}`));
}

/** Who made the table may fill it; who did not may be allowed only to look at it. */
async function checkMayInsert(parts: PrepareParts, client: CrateClient): Promise<void> {
  const { name } = parts.plan.table;
  if ((await mayInsert(client, name, ask(parts))) !== false) return;
  throw new TargetError(`${formatTable(name)} takes no rows from this user`, {
    hint: `missing: ${grantOn(name, 'DML', parts.plan.target.username)}`,
  });
}

/** Rows of this run id would be counted as ours. */
async function checkEmptyOfRun(parts: PrepareParts, client: CrateClient): Promise<void> {
  const { plan } = parts;
  if (parts.isResumed) return;
  const name = formatTable(plan.table.name);
  answered(
    await refresh(client, plan.table.name, ask(parts)),
    `${name} cannot be refreshed`,
    plan.table.name,
  );
  const rows = { table: plan.table.name, runId: plan.runId, range: null, share: shareOf(plan) };
  const stored = answered(
    await countRun(client, rows, ask(parts)),
    `the rows of ${name} cannot be counted`,
    plan.table.name,
  );
  if (stored === 0) return;
  throw new UsageError(
    `--run-id ${plan.runId}: ${name} already holds ${formatExact(stored)} rows of this run`,
    {
      hint: `choose another id, or go on with --resume ${plan.runId}`,
    },
  );
}

/** This machine's part of the run's batches. */
export function shareOf(plan: RunPlan): Share {
  const { procs, batchSize } = plan.load;
  const { index, count } = plan.machine;
  return { batchSize, workers: procs * count, from: (index - 1) * procs, to: index * procs };
}

const SYSTEM_HIDDEN =
  'this user may not read the schema sys: the run goes on without the state of shards and jobs, and rows whose answer is lost are settled after 65 s instead of 2 s; GRANT DQL ON SCHEMA sys would let it';

function noteSilentNodes(
  parts: PrepareParts,
  greetings: readonly { origin: string; greeting: { ok: boolean; message?: string } }[],
): void {
  for (const { origin, greeting } of greetings) {
    if (!greeting.ok)
      parts.note('warning', 'nodeSilent', `${origin} does not answer now: ${greeting.message ?? ''}`);
  }
}

function notKeyedWarning(plan: RunPlan, found: FoundTable | null): string {
  const key =
    found === null || found.primaryKey.length === 0
      ? 'no primary key'
      : `the primary key (${found.primaryKey.join(', ')})`;
  return `${formatTable(plan.table.name)} has ${key}: batches whose answer is lost cannot be sent again, their rows stay unknown`;
}

function ask(parts: PrepareParts): AskOptions {
  return { timeoutMs: PREPARE_TIMEOUT_MS, signal: parts.signal };
}

/** The answer's value, or the error that a person needs; with `table` where it was about that table. */
function answered<T>(answer: Answer<T>, what: string, table: TableName | null = null): T {
  if (answer.ok) return answer.value;
  throw new TargetError(`${what}: ${answer.message}`, { hint: targetHint(answer, table) });
}
