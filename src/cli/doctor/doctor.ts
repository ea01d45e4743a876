/**
 * What could spoil a run: this host's limits and the target's state, as findings with a hint each. Nothing is
 * changed, on neither side.
 */
import { execa } from 'execa';
import { systemClock } from '../../base/clock.ts';
import { childEnvironment } from '../../base/child-environment.ts';
import { OutputError, messageOf } from '../../base/errors.ts';
import { isLoopback, readHostFacts, throttledShare, usableCores } from '../../base/host.ts';
import { type TableName, formatTable, grantOn } from '../../base/sql.ts';
import { printable } from '../../base/text.ts';
import { formatBytes, formatDuration, formatExact } from '../../base/units.ts';
import { counterParent } from '../../coordinator/counter-folder.ts';
import { readLimitFacts } from '../../coordinator/host-limits.ts';
import { doctorHint } from '../../coordinator/target-hints.ts';
import type { Answer } from '../../cratedb/ask.ts';
import { type CrateClient, createClient } from '../../cratedb/client.ts';
import {
  type Privileges,
  type ServerFacts,
  type TableState,
  clockSkew,
  describeTable,
  privileges,
  serverFacts,
} from '../../cratedb/introspect.ts';
import type { QueryFailure } from '../../cratedb/query-reply.ts';
import { countTable } from '../../cratedb/statements.ts';
import type { TargetAccess } from '../../plan/run-plan.ts';
import { makeFolder, testWritable } from '../../report/files.ts';
import { canGenerateFast } from '../../rows/row-generator.ts';
import { clusterFindings, productionFindings } from './cluster.ts';
import { counterFinding, memoryFinding, usualSlotBytes } from './memory.ts';
import type { Finding } from './finding.ts';

export interface DoctorParts {
  /** The folder of all runs. */
  readonly runs: string;
  readonly table: TableName;
}

const PROBE_TIMEOUT_MS = 5000;
const QUESTION_TIMEOUT_MS = 10_000;
/** A worker needs a connection per request in flight and node; below this even the defaults get tight. */
const FEW_DESCRIPTORS = 1024;
/** Share of a cgroup's periods. */
const MUCH_THROTTLED = 0.05;
const LITTLE_SPACE_BYTES = 100 * 2 ** 20;
/** Rows carry the time of this host: a skew larger than this is visible in them. */
const SKEW_TO_MENTION_MS = 2000;
const OLDEST_KNOWN_MAJOR = 5;
const NEWEST_KNOWN_MAJOR = 6;

/** All findings, the host's first. Never throws for what it finds. */
export async function examine(access: TargetAccess, parts: DoctorParts): Promise<readonly Finding[]> {
  const [host, target] = await Promise.all([examineHost(parts.runs), examineTarget(access, parts.table)]);
  return [...host, ...target];
}

async function examineHost(runs: string): Promise<readonly Finding[]> {
  const facts = readHostFacts();
  const limits = readLimitFacts(facts.memoryBytes);
  const about = 'host' as const;
  const limited = facts.cgroupCores === null ? '' : `, limited to ${facts.cgroupCores} by the cgroup`;
  const findings: Finding[] = [
    { status: 'good', about, what: 'Node.js', detail: process.versions.node, hint: '' },
    {
      status: 'good',
      about,
      what: 'cores',
      detail: `${facts.cores}${limited}: ${usableCores(facts)} worker processes by default`,
      hint: '',
    },
    ...throttleFindings(),
    generatorFinding(),
    memoryFinding({
      procs: usableCores(facts),
      slotBytes: await usualSlotBytes(),
      freeBytes: process.availableMemory(),
    }),
    await descriptorFinding(),
    ...(limits.freeProcesses === null ? [] : [processFinding(limits.freeProcesses, usableCores(facts))]),
    await folderFinding(runs),
    counterFinding(counterParent(runs, process.env), usableCores(facts)),
    ...(await spaceFindings([runs])),
  ];
  return process.platform === 'win32' ? [...findings, windowsFinding()] : findings;
}

/** A cgroup that was stopped often so far will be stopped by a run all the more. */
function throttleFindings(): readonly Finding[] {
  const share = throttledShare();
  if (share === null || share < MUCH_THROTTLED) return [];
  return [
    {
      status: 'warning',
      about: 'host',
      what: 'throttling',
      detail: `the cgroup was stopped in ${(share * 100).toFixed(0)}% of its periods so far`,
      hint: 'Its CPU limit, not the server, may end up being measured: --procs with fewer processes, or a higher limit.',
    },
  ];
}

function generatorFinding(): Finding {
  const isFast = canGenerateFast();
  return {
    status: isFast ? 'good' : 'warning',
    about: 'host',
    what: 'generator',
    detail: isFast ? 'fast: WebAssembly with SIMD' : 'reference: this Node.js has no WebAssembly SIMD',
    hint: isFast ? '' : 'Rows cost 20 to 200 times the CPU.',
  };
}

function windowsFinding(): Finding {
  return {
    status: 'warning',
    about: 'host',
    what: 'Windows',
    detail: 'signals other than Ctrl-C do not exist here, and counters lie on disk instead of in memory',
    hint: 'Linux and macOS are supported.',
  };
}

/** Asked of a shell, which a child process would inherit its limits from. */
async function descriptorFinding(): Promise<Finding> {
  const found = await probe('sh', ['-c', 'ulimit -Sn; ulimit -Hn']);
  const [soft = '', hard = ''] = found?.split(/\s+/) ?? [];
  const isFew = /^\d+$/.test(soft) && Number(soft) < FEW_DESCRIPTORS;
  return {
    status: found === null || isFew ? 'warning' : 'good',
    about: 'host',
    what: 'open files',
    detail: found === null ? 'cannot be asked here' : `${soft} allowed, ${hard} at most`,
    hint: isFew ? `ulimit -n ${hard} before a run with many requests in flight.` : '',
  };
}

function processFinding(free: number, wanted: number): Finding {
  const isTight = free < wanted;
  return {
    status: isTight ? 'bad' : 'good',
    about: 'host',
    what: 'processes',
    detail: `about ${formatExact(free)} more may be started`,
    hint: isTight ? `--procs ${Math.max(1, free)}, or a higher pids limit of the container.` : '',
  };
}

async function folderFinding(runs: string): Promise<Finding> {
  const common = { about: 'host', what: 'run files' } as const;
  try {
    makeFolder(runs);
    await testWritable(`${runs}/probe`);
    return { ...common, status: 'good', detail: printable(runs, 1000), hint: '' };
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    return {
      ...common,
      status: 'bad',
      detail: printable(messageOf(error)),
      hint: 'XDG_STATE_HOME can name another place.',
    };
  }
}

/** Free space where run files lie, by `df -Pk`. */
async function spaceFindings(folders: readonly string[]): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    folders.map(async (folder): Promise<Finding | null> => {
      const line = (await probe('df', ['-Pk', folder]))?.split('\n')[1];
      const free = Number(line?.trim().split(/\s+/)[3]) * 1024;
      if (line === undefined || !Number.isFinite(free)) return null;
      const isLittle = free < LITTLE_SPACE_BYTES;
      return {
        status: isLittle ? 'warning' : 'good',
        about: 'host',
        what: 'free space',
        detail: `${formatBytes(free)} for ${printable(folder, 1000)}`,
        hint: isLittle ? 'A run file of a long run can take some megabytes.' : '',
      };
    }),
  );
  return findings.filter((finding) => finding !== null);
}

/** What a small program of this host prints, or null when it does not exist, fails or takes too long. */
async function probe(file: string, args: readonly string[]): Promise<string | null> {
  const { failed, stdout } = await execa(file, args, {
    reject: false,
    stdin: 'ignore',
    timeout: PROBE_TIMEOUT_MS,
    env: childEnvironment(process.env),
    extendEnv: false,
  });
  return failed ? null : stdout.trim();
}

async function examineTarget(access: TargetAccess, table: TableName): Promise<readonly Finding[]> {
  const client = createClient(access, { connectionsPerNode: 2 });
  try {
    const facts = await serverFacts(client, { timeoutMs: QUESTION_TIMEOUT_MS });
    if (!facts.ok) return [unreachableFinding(access, facts)];
    const { value } = facts;
    const head = [
      ...nodeFindings(value, await latencies(client)),
      versionFinding(value),
      ...otherNodesFinding(access, value),
      ...sameHostFindings(access),
      ...plainPasswordFindings(access),
    ];
    if (value.kind === 'discard') return head;
    const options = { timeoutMs: QUESTION_TIMEOUT_MS };
    const [skew, rights, state] = await Promise.all([
      clockSkew(client, systemClock, options),
      privileges(client, table, options),
      describeTable(client, table, options),
    ]);
    // Who is not let in learns nothing about rights.
    if (isLockedOut(state)) return [...head, tableFinding(state, table, null, rights)];
    const isThere = state.ok && state.value.exists;
    const counted = isThere ? await countTable(client, table, options) : null;
    const rows = counted?.ok === true ? counted.value : null;
    const survey = {
      name: table,
      isThisHost: access.nodes.every(isLoopback),
      nodes: value.clusterNodes.ok ? value.clusterNodes.value.length : null,
      tables: isThere ? [{ name: formatTable(table), rows, hasRunIds: hasRunIds(state) }] : [],
    };
    return [
      ...head,
      ...(skew.ok ? [skewFinding(skew.value)] : []),
      ...rightFindings(rights, table, isThere),
      ...(await clusterFindings(client, rights.user, options)),
      tableFinding(state, table, rows, rights),
      ...(await productionFindings(client, survey, options)),
    ];
  } finally {
    await client.destroy();
  }
}

function hasRunIds(state: Answer<TableState>): boolean {
  return state.ok && state.value.exists && state.value.columns.some(({ name }) => name === 'run_id');
}

/** Milliseconds of a greeting over an open connection, per node; null where it failed. */
async function latencies(client: CrateClient): Promise<readonly (number | null)[]> {
  return await Promise.all(
    client.nodes.map(async (_, node) => {
      const startMs = systemClock.monotonicMs();
      const greeting = await client.greet(node, { timeoutMs: QUESTION_TIMEOUT_MS });
      return greeting.ok ? systemClock.monotonicMs() - startMs : null;
    }),
  );
}

function sameHostFindings(access: TargetAccess): readonly Finding[] {
  if (!access.nodes.some(isLoopback)) return [];
  return [
    {
      status: 'warning',
      about: 'target',
      what: 'same host',
      detail: 'client and server share its cores and disks',
      hint: 'Figures are of both together: fine for trying out, not for what the server can do.',
    },
  ];
}

function plainPasswordFindings(access: TargetAccess): readonly Finding[] {
  const isSecret = access.password !== null || access.token !== null;
  const plain = access.nodes.filter((node) => node.startsWith('http:') && !isLoopback(node));
  if (!isSecret || plain.length === 0) return [];
  return [
    {
      status: 'warning',
      about: 'target',
      what: 'TLS',
      detail: `the secret travels to ${plain.join(', ')} without it`,
      hint: 'https:// in --url, if the server speaks it.',
    },
  ];
}

function unreachableFinding(access: TargetAccess, failure: QueryFailure): Finding {
  const { message } = failure;
  return {
    status: 'bad',
    about: 'target',
    what: 'target',
    // The message names the node that it is about, if it is about one.
    detail: access.nodes.some((node) => message.includes(node))
      ? printable(message)
      : `${access.nodes.join(', ')}: ${printable(message)}`,
    hint:
      doctorHint(failure) ?? 'Is it running, and is --url right? crategen sandbox serves one for trying out.',
  };
}

function nodeFindings(facts: ServerFacts, latencyMs: readonly (number | null)[]): readonly Finding[] {
  return facts.greetings.map(({ origin, greeting }, node) => ({
    status: greeting.ok ? 'good' : 'bad',
    about: 'target',
    what: 'node',
    detail: greeting.ok
      ? `${origin} is ${printable(greeting.name)}${answersText(latencyMs[node] ?? null)}`
      : `${origin}: ${printable(greeting.message)}`,
    hint: greeting.ok ? '' : 'Rows would go to the other nodes only.',
  }));
}

function answersText(ms: number | null): string {
  return ms === null ? '' : `, answers in ${formatDuration(ms)}`;
}

function versionFinding(facts: ServerFacts): Finding {
  const names = {
    cratedb: 'CrateDB',
    sandbox: "crategen's sandbox, as CrateDB",
    discard: 'a discarding target, as CrateDB',
  };
  const major = Number(facts.version.split('.')[0]);
  const isOld = major < OLDEST_KNOWN_MAJOR;
  const isNew = major > NEWEST_KNOWN_MAJOR;
  return {
    status: isOld || isNew ? 'warning' : 'good',
    about: 'target',
    what: 'version',
    detail: `${names[facts.kind]} ${printable(facts.version)}, cluster ${printable(facts.clusterName)}`,
    hint: isOld
      ? `Versions before ${OLDEST_KNOWN_MAJOR} are not tested.`
      : isNew
        ? `Versions after ${NEWEST_KNOWN_MAJOR} are newer than this crategen.`
        : '',
  };
}

/** More nodes than were named: they would get no requests of their own. */
function otherNodesFinding(access: TargetAccess, facts: ServerFacts): readonly Finding[] {
  const all = facts.clusterNodes.ok ? facts.clusterNodes.value.length : access.nodes.length;
  if (all <= access.nodes.length) return [];
  return [
    {
      status: 'warning',
      about: 'target',
      what: 'cluster',
      detail: `${all} nodes, of which ${access.nodes.length} ${access.nodes.length === 1 ? 'is' : 'are'} named`,
      hint: 'Every --url more spreads the requests further; --discover finds the others.',
    },
  ];
}

function skewFinding({
  skewMs,
  uncertaintyMs,
}: {
  readonly skewMs: number;
  readonly uncertaintyMs: number;
}): Finding {
  const isLarge = Math.abs(skewMs) > SKEW_TO_MENTION_MS + uncertaintyMs;
  const direction = skewMs < 0 ? 'behind' : 'ahead';
  return {
    status: isLarge ? 'warning' : 'good',
    about: 'target',
    what: 'clock',
    detail: `the server's is ${formatDuration(Math.abs(skewMs))} ${direction} (± ${formatDuration(uncertaintyMs)})`,
    hint: isLarge ? 'Times in the rows and --start-at are those of this host.' : '',
  };
}

/** DDL is wanted only where a run would have to create the table. */
function rightFindings(rights: Privileges, table: TableName, isThere: boolean): readonly Finding[] {
  const name = formatTable(table);
  const wanted = [
    [isThere || rights.createTable, `create ${name}`, 'DDL'],
    [rights.insert, `insert into ${name}`, 'DML'],
    [rights.select, `count and verify ${name}`, 'DQL'],
  ] as const;
  const user = userText(rights);
  const common = { about: 'target', what: 'privileges' } as const;
  const missing = wanted.flatMap(([may, what, privilege]): Finding[] => {
    const hint = grantOn(table.schema, privilege, rights.user);
    return may === false ? [{ ...common, status: 'bad', detail: `${user} may not ${what}`, hint }] : [];
  });
  if (missing.length > 0) return missing;
  const isKnown = wanted.every(([may]) => may !== null);
  const detail = isKnown
    ? `${user} may create, insert and count`
    : 'this server does not say what the user may do';
  return [{ ...common, status: 'good', detail, hint: '' }];
}

function userText({ user }: Privileges): string {
  return user === null ? 'the user' : printable(user);
}

function isLockedOut(state: Answer<TableState>): boolean {
  return !state.ok && state.class === 'unauthorized';
}

function tableFinding(
  state: Answer<TableState>,
  table: TableName,
  rows: number | null,
  rights: Privileges,
): Finding {
  const common = { about: 'target', what: 'table' } as const;
  const name = formatTable(table);
  if (!state.ok && isLockedOut(state))
    return {
      ...common,
      what: 'sign-in',
      status: 'bad',
      detail: printable(state.message),
      hint: doctorHint(state) ?? '',
    };
  if (!state.ok)
    return { ...common, status: 'warning', detail: `${name}: ${printable(state.message)}`, hint: '' };
  // What a user may not read does not exist for him.
  if (!state.value.exists && rights.select === false)
    return {
      ...common,
      status: 'warning',
      detail: `${name} does not exist, or ${userText(rights)} may not see it`,
      hint: '',
    };
  if (!state.value.exists)
    return { ...common, status: 'good', detail: `${name} does not exist: a run creates it`, hint: '' };
  const { problems, shards, replicas } = state.value;
  const held = rows === null ? 'rows not counted' : `${formatExact(rows)} rows`;
  const shape = `${held}, ${shards} ${shards === 1 ? 'shard' : 'shards'}, replicas ${replicas}`;
  if (problems.length === 0)
    return { ...common, status: 'good', detail: `${name} exists (${shape}) and takes rows`, hint: '' };
  return {
    ...common,
    status: 'bad',
    detail: `${name}: ${problems.join('; ')}`,
    hint: 'ALTER TABLE … RESET or OPEN, or another --table.',
  };
}
