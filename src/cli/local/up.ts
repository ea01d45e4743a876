/**
 * `crategen up`: a local CrateDB, bound to loopback only, that answers when this returns. What was started is
 * written down before it is waited for, so that `down` finds it whatever happens to this process.
 */
import { chownSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { TargetError, UsageError, systemCodeOf } from '../../base/errors.ts';
import { makeFolders } from '../../base/make-folder.ts';
import { printable } from '../../base/text.ts';
import { formatDuration } from '../../base/units.ts';
import { askRows } from '../../cratedb/ask.ts';
import { createClient } from '../../cratedb/client.ts';
import { containerLog, isContainerRunning, startContainer } from './container.ts';
import { stopCluster } from './down.ts';
import {
  type LocalCluster,
  type LocalNode,
  claimCluster,
  makeEphemeral,
  newClusterId,
  readCluster,
  saveCluster,
} from './local-cluster.ts';
import { type LocalPlan, transportPort } from './local-plan.ts';
import { type Runtime, findRuntime } from './runtimes.ts';
import { type RunAs, isRunning, lookUpUser, startProcess } from './server-process.ts';
import { DEFAULT_PG_PORT } from '../../plan/parse-target.ts';

export interface UpParts {
  /** Where records, logs and data of local clusters lie. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Who this process is; null where there are no users. */
  readonly uid: number | null;
  readonly note: (line: string) => void;
  /** Ends the waiting; what was started is stopped then. */
  readonly signal: AbortSignal;
}

export interface UpResult {
  readonly cluster: LocalCluster;
  readonly version: string;
  readonly wasRunning: boolean;
}

const ASK_EVERY_MS = 500;
const ASK_TIMEOUT_MS = 2000;
const SAY_EVERY_MS = 10_000;
const LOG_LINES = 5;

/**
 * Starts and waits; null when the signal came before the server answered. Throws UsageError or TargetError. Nothing of
 * the start is left running then.
 */
export async function up(plan: LocalPlan, parts: UpParts): Promise<UpResult | null> {
  const running = await runningCluster(parts);
  if (running !== null) return running;
  const runtime = await findRuntime(plan, parts.env);
  checkNodes(plan, runtime);
  const runAs = await userFor(plan, runtime, parts.uid);
  await checkPorts(plan, runtime);
  const id = newClusterId();
  const cluster: LocalCluster = {
    format: 'crategen.local/1',
    id,
    startedAt: new Date(parts.clock.wallMs()).toISOString(),
    runtime: runtime.kind,
    program: runtime.program,
    port: plan.port,
    pgPort: plan.pgPort,
    urls: Array.from({ length: plan.nodes }, (_, at) => `http://127.0.0.1:${plan.port + at}`),
    data: dataOf(plan, runtime, { folder: parts.folder, id }),
    isEphemeral: plan.data.kind === 'ephemeral',
    nodes: [],
  };
  claimCluster(parts.folder, cluster);
  try {
    const started = await startAndWait(plan, runtime, { cluster, runAs }, parts);
    if (started === null) await stopStarted(cluster, parts);
    return started;
  } catch (error) {
    await stopStarted(cluster, parts);
    throw error;
  }
}

async function stopStarted(cluster: LocalCluster, parts: UpParts): Promise<void> {
  parts.note('stopping what was started');
  await stopCluster(readCluster(parts.folder) ?? cluster, parts);
}

async function startAndWait(
  plan: LocalPlan,
  runtime: Runtime,
  start: { readonly cluster: LocalCluster; readonly runAs: RunAs | null },
  parts: UpParts,
): Promise<UpResult | null> {
  let { cluster } = start;
  parts.note(`starting CrateDB with ${runtime.program}${isContainer(runtime) ? ` and ${plan.image}` : ''}`);
  if (isContainer(runtime) && plan.data.kind !== 'ephemeral')
    parts.note(`rows are kept in ${cluster.data ?? ''}`);
  for (let at = 0; at < plan.nodes; at += 1) {
    const node = await startNode(plan, runtime, { ...start, cluster, at }, parts);
    cluster = { ...cluster, nodes: [...cluster.nodes, node] };
    await saveCluster(parts.folder, cluster);
  }
  const version = await answers(cluster, plan.timeoutMs, parts);
  return version === null ? null : { cluster, version, wasRunning: false };
}

/** One that was started before and answers. One that is gone is cleared away. */
async function runningCluster(parts: UpParts): Promise<UpResult | null> {
  const cluster = readCluster(parts.folder);
  if (cluster === null) return null;
  const alive = await Promise.all(cluster.nodes.map((node) => isAlive(cluster, node)));
  if (!alive.includes(true)) {
    await stopCluster(cluster, parts);
    return null;
  }
  const version = await versionOf(cluster.urls, parts.signal);
  if (version !== null) return { cluster, version, wasRunning: true };
  throw new TargetError(`the CrateDB that was started ${cluster.startedAt} runs and does not answer`, {
    hint: 'crategen down stops it.',
  });
}

async function isAlive(cluster: LocalCluster, node: LocalNode): Promise<boolean> {
  return node.kind === 'process' ? await isRunning(node) : await isContainerRunning(cluster.program, node);
}

function isContainer({ kind }: Runtime): boolean {
  return kind === 'docker' || kind === 'podman';
}

function checkNodes(plan: LocalPlan, runtime: Runtime): void {
  if (plan.nodes > 1 && isContainer(runtime))
    throw new UsageError(`--nodes ${plan.nodes}: expected 1 with ${runtime.kind}`, {
      hint: 'A cluster of several nodes is started from an unpacked CrateDB: --tarball DIR.',
    });
}

/** CrateDB refuses root; changing to somebody else is only done when asked for. */
async function userFor(plan: LocalPlan, runtime: Runtime, uid: number | null): Promise<RunAs | null> {
  if (isContainer(runtime)) return null;
  if (plan.runAs !== null && uid !== 0)
    throw new UsageError('--run-as: expected only when root starts it', { hint: 'Leave it out.' });
  if (uid !== 0) return null;
  if (plan.runAs !== null) return await lookUpUser(plan.runAs);
  throw new UsageError('CrateDB refuses to run as root', {
    hint: 'Run crategen up as another user, or name the user that the server is to run as with --run-as NAME.',
  });
}

async function checkPorts(plan: LocalPlan, runtime: Runtime): Promise<void> {
  const problems: string[] = [];
  for (let at = 0; at < plan.nodes; at += 1) {
    const wanted = [
      ['--port', plan.port + at],
      ['--pg-port', plan.pgPort + at],
      ...(isContainer(runtime) ? [] : [['--port', transportPort(plan.port + at)]]),
    ] as const;
    for (const [flag, port] of wanted)
      if (!(await isFree(Number(port)))) problems.push(`${flag}: 127.0.0.1:${port} is in use`);
  }
  if (problems.length > 0)
    throw new UsageError(problems, {
      hint: 'Choose others with --port and --pg-port, or stop what listens there.',
    });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = systemCodeOf(error);
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function dataOf(
  plan: LocalPlan,
  runtime: Runtime,
  { folder, id }: { readonly folder: string; readonly id: string },
): string | null {
  switch (plan.data.kind) {
    case 'folder':
      return plan.data.path;
    case 'ephemeral':
      return isContainer(runtime) ? null : makeEphemeral(folder, id);
    case 'kept':
      return isContainer(runtime) ? 'crategen-local' : join(folder, 'data');
  }
}

async function startNode(
  plan: LocalPlan,
  runtime: Runtime,
  start: { readonly cluster: LocalCluster; readonly runAs: RunAs | null; readonly at: number },
  parts: UpParts,
): Promise<LocalNode> {
  const { cluster, runAs, at } = start;
  const name = `crategen-${at + 1}`;
  const common = ['-Ccluster.name=crategen-local', `-Cnode.name=${name}`, ...discovery(plan)];
  const { heap } = plan;
  if (isContainer(runtime)) {
    const { port, pgPort, image } = plan;
    const { id, data } = cluster;
    return await startContainer({
      program: runtime.program,
      id,
      image,
      port,
      pgPort,
      heap,
      data,
      settings: common,
    });
  }
  const data = join(cluster.data ?? parts.folder, name);
  for (const folder of [data, join(data, 'logs')]) makeOwned(folder, runAs);
  return await startProcess({
    program: runtime.program,
    folder: dirname(dirname(runtime.program)),
    args: [
      ...common,
      '-Cnetwork.host=127.0.0.1',
      `-Cpath.data=${data}`,
      `-Cpath.logs=${join(data, 'logs')}`,
      `-Chttp.port=${plan.port + at}`,
      `-Cpsql.port=${plan.pgPort + at}`,
      `-Ctransport.tcp.port=${transportPort(plan.port + at)}`,
    ],
    log: join(parts.folder, `${name}.log`),
    heap,
    runAs,
  });
}

function discovery({ nodes, port }: LocalPlan): readonly string[] {
  if (nodes === 1) return ['-Cdiscovery.type=single-node'];
  const all = Array.from({ length: nodes }, (_, at) => at);
  return [
    `-Cdiscovery.seed_hosts=${all.map((at) => `127.0.0.1:${transportPort(port + at)}`).join(',')}`,
    `-Ccluster.initial_master_nodes=${all.map((at) => `crategen-${at + 1}`).join(',')}`,
  ];
}

/** Made for the server's user. A folder that was there belongs to whom it belongs. */
function makeOwned(folder: string, runAs: RunAs | null): void {
  makeFolders(folder);
  if (runAs !== null) chownSync(folder, runAs.uid, runAs.gid);
}

/**
 * Waits until every node answers a SELECT, and says so every ten seconds; the version, or null when the signal came
 * first. Throws TargetError.
 */
async function answers(cluster: LocalCluster, timeoutMs: number, parts: UpParts): Promise<string | null> {
  const { clock, signal, note } = parts;
  const beganMs = clock.monotonicMs();
  let saidMs = beganMs;
  for (;;) {
    const version = await versionOf(cluster.urls, signal);
    if (version !== null) return version;
    if (signal.aborted) return null;
    for (const node of cluster.nodes)
      if (!(await isAlive(cluster, node)))
        throw new TargetError(`CrateDB ended before it answered: ${await lastWords(cluster, node)}`);
    const nowMs = clock.monotonicMs();
    if (nowMs - beganMs >= timeoutMs) {
      const said = await Promise.all(cluster.nodes.map((node) => lastWords(cluster, node)));
      throw new TargetError(
        `CrateDB did not answer within ${formatDuration(timeoutMs)}: ${said.join(' · ')}`,
        {
          hint: 'A longer --timeout waits longer.',
        },
      );
    }
    if (nowMs - saidMs >= SAY_EVERY_MS) {
      saidMs = nowMs;
      note(`waiting for ${cluster.urls.join(', ')}: ${formatDuration(nowMs - beganMs)}`);
    }
    await clock.sleep(ASK_EVERY_MS, signal);
  }
}

/** The version when all nodes greet and answer a SELECT, else null. */
async function versionOf(urls: readonly string[], signal: AbortSignal): Promise<string | null> {
  const tls = { verify: true, ca: null, cert: null, key: null };
  const access = {
    nodes: urls,
    pgPorts: urls.map(() => DEFAULT_PG_PORT),
    username: 'crate',
    password: null,
    token: null,
    tls,
  };
  const client = createClient(access, { connectionsPerNode: 1 });
  try {
    const options = { timeoutMs: ASK_TIMEOUT_MS, signal };
    const greetings = await Promise.all(urls.map((_, node) => client.greet(node, options)));
    const selected = await askRows(client, 'SELECT count(*) FROM sys.nodes', [], options);
    const isWhole = selected.ok && selected.value[0]?.[0] === urls.length;
    const [first] = greetings;
    return first?.ok === true && isWhole && greetings.every(({ ok }) => ok) ? first.version : null;
  } finally {
    await client.destroy();
  }
}

async function lastWords(cluster: LocalCluster, node: LocalNode): Promise<string> {
  if (node.kind === 'container') return await containerLog(cluster.program, node);
  const lines = logOf(node.log).trim().split('\n').slice(-LOG_LINES);
  return `${printable(lines.join(' · '), 1000)} (${node.log})`;
}

function logOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The reason is then only known to the server.
    return 'it left no log';
  }
}
