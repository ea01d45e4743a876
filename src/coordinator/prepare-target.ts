/**
 * Everything that happens once, before the first worker: the target is reached and named, the tables are there or
 * are made, what is in them stays, and the statements are known. Nothing is dropped that was not told to be dropped.
 */
import { TargetError } from '../base/errors.ts';
import { grantOn } from '../base/sql.ts';
import { type CrateClient, createClient } from '../cratedb/client.ts';
import { isPast } from '../cratedb/cluster-state.ts';
import { discoverNodes } from '../cratedb/discover.ts';
import { type ServerFacts, serverFacts } from '../cratedb/introspect.ts';
import { type RunPlan, type TablePlan, type TargetAccess, tablesOf } from '../plan/run-plan.ts';
import { insertForm } from '../rows/ddl.ts';
import type { InsertForm } from '../rows/insert-form.ts';
import { type DiskLimit, type DiskState, diskText, lookAtDisks } from './disk-watch.ts';
import {
  PREPARE_TIMEOUT_MS,
  type ReadyTable,
  type TableParts,
  ask,
  ddlOf,
  lookAtTables,
  prepareTables,
  unseenTable,
} from './prepare-tables.ts';
import type { TargetState } from './run-state.ts';
import { answered, pgHint } from './target-hints.ts';

/** A few at once for the questions before and after a run; workers have their own. */
const CONNECTIONS = 4;

/** One of the run's tables, ready for its rows. */
export interface PreparedTable {
  readonly plan: TablePlan;
  readonly insert: InsertForm;
  /** What created the table, or would have. */
  readonly ddl: string;
  /** Rows in the table before the run, where they cannot be counted by run_id; else null. */
  readonly rowsBefore: number | null;
}

export interface PreparedTarget {
  readonly state: TargetState;
  readonly access: TargetAccess;
  readonly client: CrateClient;
  /** In the order of the plan. */
  readonly tables: readonly PreparedTable[];
  /** The user may not read sys.*, and that was said. */
  readonly isSystemHidden: boolean;
  /** How full the fullest disk may get; null when nobody looks. */
  readonly diskLimit: DiskLimit | null;
}

export interface PrepareParts extends TableParts {
  readonly access: TargetAccess;
  /** Called when the target answered and before anything in it changes; throws when this host cannot carry the plan. */
  readonly checkHost: (nodes: number) => Promise<void>;
}

/** Throws a TargetError or UsageError that says what to do; nothing was created then. */
export async function prepareTarget(parts: PrepareParts): Promise<PreparedTarget> {
  const { plan } = parts;
  const { facts, access, client } = await reachNodes(parts);
  try {
    const isDiscard = facts.kind === 'discard';
    const [disk, seen] = await Promise.all([
      isDiscard ? ({ kind: 'off' } as const) : lookAtDisks(client, plan.safety.stopAtDisk, ask(parts)),
      isDiscard ? null : lookAtTables(parts, client),
      parts.checkHost(access.nodes.length),
    ]);
    checkDisk(parts, disk, isSystemSaidHidden(parts, facts));
    if (plan.load.insertPath === 'pg') await checkPgPorts(parts, access, facts.kind);
    const nodes = facts.clusterNodes.ok ? facts.clusterNodes.value.length : null;
    const ready =
      seen === null
        ? tablesOf(plan).map(unseenTable)
        : await prepareTables(parts, client, { tables: seen, nodes });
    const keyed = ready.every((table) => table.keyed);
    const state: TargetState = { kind: facts.kind, version: facts.version, nodes: access.nodes, keyed };
    const isSystemHidden = !facts.clusterNodes.ok;
    const diskLimit = disk.kind === 'watched' ? disk.limit : null;
    const tables = tablesOf(plan).flatMap((table, position): PreparedTable[] => {
      const found = ready[position];
      return found === undefined ? [] : [preparedTable(plan, table, found, keyed)];
    });
    return { state, access, client, tables, isSystemHidden, diskLimit };
  } catch (error) {
    await client.destroy();
    throw error;
  }
}

/** Where one table has no key, no batch is sent again: then all are filled by a plain INSERT. */
function preparedTable(
  { load }: RunPlan,
  plan: TablePlan,
  { primaryKey, rowsBefore }: ReadyTable,
  keyed: boolean,
): PreparedTable {
  const conflictColumns = keyed ? primaryKey : [];
  const insert = insertForm(plan.schema, plan.name, { conflictColumns, path: load.insertPath });
  return { plan, insert, ddl: ddlOf(plan), rowsBefore };
}

/** Who is there, and the way to all nodes that are to be used: the named ones, and with `--discover` the others. */
async function reachNodes(
  parts: PrepareParts,
): Promise<{ facts: ServerFacts; access: TargetAccess; client: CrateClient }> {
  const { plan, access, signal } = parts;
  const client = createClient(access, { connectionsPerNode: CONNECTIONS });
  try {
    const answer = await serverFacts(client, ask(parts));
    const isNamed = !answer.ok && access.nodes.some((node) => answer.message.startsWith(node));
    const facts = answered(answer, `${isNamed ? 'the target' : access.nodes.join(', ')} cannot be used`);
    noteSilentNodes(parts, facts.greetings);
    if (isSystemSaidHidden(parts, facts)) parts.note('info', 'systemHidden', systemHidden(access.username));
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
      hint: 'Choose another path, or a CrateDB.',
    });
  const { createPgClient } = await import('../cratedb/pg-client.ts');
  const client = createPgClient(access);
  const answers = await Promise.all(
    access.nodes.map((_, node) => client.greet(node, { timeoutMs: PREPARE_TIMEOUT_MS })),
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

/** With `--discover` it is no note: nothing could be discovered, and the run is refused. */
function isSystemSaidHidden({ plan }: PrepareParts, { clusterNodes }: ServerFacts): boolean {
  return !clusterNodes.ok && !plan.target.discover;
}

/** A disk that is past its limit already: not a row is sent. `isSaid`: one line has told all that the user may not see. */
function checkDisk(parts: PrepareParts, disk: DiskState, isSaid: boolean): void {
  const isSpelledOut = parts.plan.safety.stopAtDisk.kind === 'share';
  if (disk.kind === 'unseen' && (isSpelledOut || !isSaid)) {
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
      hint: 'Make room, or go further with --stop-at-disk PERCENT; the server itself blocks tables at its flood stage.',
    });
  if (limit.warnAt !== null && isPast(fullest, limit.warnAt))
    parts.note('warning', 'diskLow', `${diskText(fullest)}: the run stops at ${limit.name}`);
}

function systemHidden(user: string | null): string {
  return `this user may not read the schema sys: the run goes on without the state of shards and jobs and without the load of the server, rows whose answer is lost are settled after 65 s instead of 2 s, and it does not stop before the disks are full; ${grantOn('sys', 'DQL', user)} would let it`;
}

function noteSilentNodes(
  parts: PrepareParts,
  greetings: readonly { origin: string; greeting: { ok: boolean; message?: string } }[],
): void {
  for (const { origin, greeting } of greetings) {
    if (!greeting.ok)
      parts.note('warning', 'nodeSilent', `${origin} does not answer now: ${greeting.message ?? ''}`);
  }
}
