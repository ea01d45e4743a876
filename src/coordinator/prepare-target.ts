/**
 * Everything that happens once, before the first worker: the target is reached and named, the table is there or
 * is made, what is in it stays, and the statement is known. Nothing is dropped that was not told to be dropped.
 */
import { TargetError, UsageError } from '../base/errors.ts';
import { type TableName, formatTable, quoteTable } from '../base/sql.ts';
import { formatExact } from '../base/units.ts';
import type { Answer, AskOptions } from '../cratedb/ask.ts';
import { type CrateClient, createClient } from '../cratedb/client.ts';
import { isPast } from '../cratedb/cluster-state.ts';
import { discoverNodes } from '../cratedb/discover.ts';
import {
  type ServerFacts,
  type TableState,
  describeTable,
  isKeyed,
  mayInsert,
  runDdl,
  serverFacts,
} from '../cratedb/introspect.ts';
import { type Share, countRun, countTable, refresh } from '../cratedb/statements.ts';
import type { RunPlan, TargetAccess } from '../plan/run-plan.ts';
import { sourceSetting } from '../plan/schema-source.ts';
import { createTableSql, insertColumns, insertForm } from '../rows/ddl.ts';
import type { InsertForm } from '../rows/insert-form.ts';
import { hasRunColumns } from '../rows/schema.ts';
import { type DiskLimit, type DiskState, diskText, lookAtDisks } from './disk-watch.ts';
import type { TargetState } from './run-state.ts';
import { grantOn, pgHint, targetHint } from './target-hints.ts';
import { productionSigns, surveyTarget, touchLines } from './target-survey.ts';

/** A few at once for the questions before and after a run; workers have their own. */
const CONNECTIONS = 4;
const PREPARE_TIMEOUT_MS = 10_000;
/** What lies in it was made by crategen. */
const OWN_SCHEMA = 'crategen';

export interface PreparedTarget {
  readonly state: TargetState;
  readonly access: TargetAccess;
  readonly client: CrateClient;
  readonly insert: InsertForm;
  /** What created the table, or would have. */
  readonly ddl: string;
  readonly wasCreated: boolean;
  /** The user may not read sys.*, and that was said. */
  readonly isSystemHidden: boolean;
  /** How full the fullest disk may get; null when nobody looks. */
  readonly diskLimit: DiskLimit | null;
  /** Rows in the table before the run, where they cannot be counted by run_id; else null. */
  readonly rowsBefore: number | null;
}

export interface PrepareParts {
  readonly plan: RunPlan;
  readonly access: TargetAccess;
  /** A stop that comes now ends the questions. */
  readonly signal: AbortSignal;
  readonly isResumed: boolean;
  readonly note: (level: 'info' | 'warning', event: string, message: string) => void;
  /** Called when the target answered and before anything in it changes; throws when this host cannot carry the plan. */
  readonly checkHost: (nodes: number) => Promise<void>;
}

/** Throws a TargetError or UsageError that says what to do; nothing was created then. */
export async function prepareTarget(parts: PrepareParts): Promise<PreparedTarget> {
  const { plan } = parts;
  const { schema } = plan.table;
  const { facts, access, client } = await reachNodes(parts);
  try {
    const isDiscard = facts.kind === 'discard';
    const [disk, there] = await Promise.all([
      isDiscard ? ({ kind: 'off' } as const) : lookAtDisks(client, plan.safety.stopAtDisk, ask(parts)),
      isDiscard ? null : describe(parts, client),
      parts.checkHost(access.nodes.length),
    ]);
    checkDisk(parts, disk);
    if (plan.load.insertPath === 'pg') await checkPgPorts(parts, access, facts.kind);
    const ddl = createTableSql(schema, {
      table: plan.table.name,
      key: plan.table.key,
      shards: plan.table.shards,
      replicas: plan.table.replicas,
      ifNotExists: true,
    });
    const nodes = facts.clusterNodes.ok ? facts.clusterNodes.value.length : null;
    const found = there === null ? null : await prepareTable(parts, client, { there, nodes, ddl });
    const tellsRows = hasRunColumns(schema);
    const isKey = found === null ? plan.table.key : isKeyed(found.primaryKey, found.partitionedBy);
    const keyed = tellsRows && isKey;
    if (!keyed && plan.table.key) parts.note('warning', 'notKeyed', notKeyedWarning(plan, found));
    const state: TargetState = { kind: facts.kind, version: facts.version, nodes: access.nodes, keyed };
    const conflictColumns = keyed ? (found?.primaryKey ?? ['run_id', 'seq']) : [];
    const path = plan.load.insertPath;
    const insert = insertForm(schema, plan.table.name, { conflictColumns, path });
    const diskLimit = disk.kind === 'watched' ? disk.limit : null;
    const rowsBefore = tellsRows || found === null ? null : await rowsIn(parts, client, found);
    const wasCreated = found?.wasCreated ?? false;
    const isSystemHidden = !facts.clusterNodes.ok;
    return { state, access, client, insert, ddl, wasCreated, isSystemHidden, diskLimit, rowsBefore };
  } catch (error) {
    await client.destroy();
    throw error;
  }
}

/** Who is there, and the way to all nodes that are to be used: the named ones, and with `--discover` the others. */
async function reachNodes(
  parts: PrepareParts,
): Promise<{ facts: ServerFacts; access: TargetAccess; client: CrateClient }> {
  const { plan, access, signal } = parts;
  const client = createClient(access, { connectionsPerNode: CONNECTIONS });
  try {
    const facts = answered(
      await serverFacts(client, ask(parts)),
      `${access.nodes.join(', ')} cannot be used`,
    );
    noteSilentNodes(parts, facts.greetings);
    if (!facts.clusterNodes.ok && !plan.target.discover) parts.note('info', 'systemHidden', SYSTEM_HIDDEN);
    if (!plan.target.discover) return { facts, access, client };
    const { found, pgPorts, leftOut } = await discoverNodes(access, facts, signal);
    for (const why of leftOut) parts.note('warning', 'nodeLeftOut', why);
    const message =
      found.length === 0
        ? `no more nodes were discovered: going on with ${access.nodes.join(', ')}`
        : `discovered ${found.length} more ${found.length === 1 ? 'node' : 'nodes'}: ${found.join(', ')}`;
    parts.note('info', 'nodesDiscovered', message);
    const all = {
      ...access,
      nodes: [...access.nodes, ...found],
      pgPorts: pgPorts.map((port) => port ?? plan.target.pgPort),
    };
    await client.destroy();
    return { facts, access: all, client: createClient(all, { connectionsPerNode: CONNECTIONS }) };
  } catch (error) {
    await client.destroy();
    throw error;
  }
}

/** Before anything is made: a run over the PostgreSQL wire needs a node that lets it in there. */
async function checkPgPorts(
  parts: PrepareParts,
  access: TargetAccess,
  kind: TargetState['kind'],
): Promise<void> {
  if (kind !== 'cratedb')
    throw new TargetError(`--insert-path pg: the ${kind} speaks HTTP only`, {
      hint: 'expected another path, or a CrateDB',
    });
  const { createPgClient } = await import('../cratedb/pg-client.ts');
  const client = createPgClient(access);
  const answers = await Promise.all(
    access.nodes.map((_, node) => client.root(node, { timeoutMs: PREPARE_TIMEOUT_MS })),
  );
  await client.destroy();
  const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer]));
  const [first] = refusals;
  if (first === undefined) return;
  if (refusals.length === answers.length)
    throw new TargetError(`--insert-path pg: ${refusals.map(({ message }) => message).join('; ')}`, {
      hint: pgHint(first),
    });
  for (const { message } of refusals) parts.note('warning', 'nodeSilent', `--insert-path pg: ${message}`);
}

interface FoundTable {
  readonly primaryKey: readonly string[];
  readonly partitionedBy: readonly string[];
  readonly wasCreated: boolean;
}

async function describe(parts: PrepareParts, client: CrateClient): Promise<TableState> {
  const { name } = parts.plan.table;
  return answered(await describeTable(client, name, ask(parts)), `${formatTable(name)} cannot be looked at`);
}

async function prepareTable(
  parts: PrepareParts,
  client: CrateClient,
  known: { readonly there: TableState; readonly nodes: number | null; readonly ddl: string },
): Promise<FoundTable> {
  const { plan } = parts;
  const { there } = known;
  const name = formatTable(plan.table.name);
  if (!there.exists && !plan.table.create)
    throw new TargetError(`the table ${name} does not exist`, {
      hint: 'leave out --no-create to have it created; a user without privileges on it does not see it',
    });
  if (there.exists && !plan.table.recreate) {
    checkFits(parts, there);
    await Promise.all([checkMayInsert(parts, client), checkEmptyOfRun(parts, client)]);
  }
  await sayWhatIsTouched(parts, client, known);
  if (there.exists && !plan.table.recreate) return { ...there, wasCreated: false };
  if (there.exists)
    answered(
      await runDdl(client, `DROP TABLE ${quoteTable(plan.table.name)}`, { signal: parts.signal }),
      `${name} cannot be dropped`,
      plan.table.name,
    );
  answered(
    await runDdl(client, known.ddl, { signal: parts.signal }),
    `the table ${name} cannot be created`,
    plan.table.name,
  );
  const made = await describe(parts, client);
  if (!made.exists)
    throw new TargetError(`the table ${name} was created but cannot be seen`, {
      hint: `missing: ${grantOn(plan.table.name, 'DQL', plan.target.username)}`,
    });
  return { ...made, wasCreated: true };
}

/** Before anything in the target changes. Throws when the target looks like production and `--yes` was not given. */
async function sayWhatIsTouched(
  parts: PrepareParts,
  client: CrateClient,
  { there, nodes }: { readonly there: TableState; readonly nodes: number | null },
): Promise<void> {
  const { plan } = parts;
  const survey = await surveyTarget(client, { plan, table: there, nodes }, ask(parts));
  const lines = touchLines(plan, there, survey.table?.rows ?? null);
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

/** A disk that is past its limit already: not a row is sent. */
function checkDisk(parts: PrepareParts, disk: DiskState): void {
  if (disk.kind === 'unseen') {
    const isSpelledOut = parts.plan.safety.stopAtDisk.kind === 'share';
    parts.note(
      isSpelledOut ? 'warning' : 'info',
      'diskUnseen',
      `the disks of the cluster cannot be seen (${disk.why}): the run does not stop before they are full`,
    );
  }
  if (disk.kind !== 'watched' || disk.fullest === null) return;
  const { limit, fullest } = disk;
  if (isPast(fullest, limit.stopAt))
    throw new TargetError(`${diskText(fullest)}, past ${limit.name}`, {
      hint: 'make room, or go further with --stop-at-disk PERCENT; the server itself blocks tables at its flood stage',
    });
  if (limit.warnAt !== null && isPast(fullest, limit.warnAt))
    parts.note('warning', 'diskLow', `${diskText(fullest)}: the run stops at ${limit.name}`);
}

/** The existing table must take this schema's rows; what it has beyond them is its own business. */
function checkFits(parts: PrepareParts, table: Extract<TableState, { exists: true }>): void {
  const name = formatTable(parts.plan.table.name);
  const there = new Set(table.columns.map((column) => column.name));
  const missing = insertColumns(parts.plan.table.schema).filter((column) => !there.has(column));
  if (missing.length > 0) {
    throw new TargetError(`the table ${name} exists and has no column ${missing.join(', ')}`, {
      hint: `choose another table with --table SCHEMA.TABLE; crategen schema ddl ${sourceSetting(parts.plan.table.source)[1]} prints what the rows need`,
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

/** What the table holds already: without run_id only the difference to it can be counted. */
async function rowsIn(parts: PrepareParts, client: CrateClient, found: FoundTable): Promise<number> {
  if (found.wasCreated) return 0;
  const { name } = parts.plan.table;
  answered(await refresh(client, name, ask(parts)), `${formatTable(name)} cannot be refreshed`, name);
  const rows = answered(
    await countTable(client, name, ask(parts)),
    `the rows of ${formatTable(name)} cannot be counted`,
    name,
  );
  checkConfirmed(parts, rows);
  return rows;
}

/** Rows that carry no run id are not ours: they get others among them only when that was said twice. */
function checkConfirmed({ plan, isResumed }: PrepareParts, rows: number): void {
  if (rows === 0 || isResumed || plan.safety.isConfirmed || plan.table.name.schema === OWN_SCHEMA) return;
  const name = formatTable(plan.table.name);
  throw new UsageError(
    `${name} holds ${formatExact(rows)} rows that are not crategen's: expected --yes as well`,
    {
      hint: `Without --table ${name} the rows go to a table of their own.`,
    },
  );
}

/** Rows of this run id would be counted as ours. */
async function checkEmptyOfRun(parts: PrepareParts, client: CrateClient): Promise<void> {
  const { plan } = parts;
  if (parts.isResumed || !hasRunColumns(plan.table.schema)) return;
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
  'this user may not read the schema sys: the run goes on without the state of shards and jobs and without the load of the server, and rows whose answer is lost are settled after 65 s instead of 2 s; GRANT DQL ON SCHEMA sys would let it';

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
export function answered<T>(answer: Answer<T>, what: string, table: TableName | null = null): T {
  if (answer.ok) return answer.value;
  throw new TargetError(`${what}: ${answer.message}`, { hint: targetHint(answer, table) });
}
