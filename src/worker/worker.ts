/**
 * A worker's life on its side of the line: init → ready → start → progress … → drained. The same code runs in a
 * forked child and, for `single`, in the command's own process; what differs comes in as parts.
 */
import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import type { Clock } from '../base/clock.ts';
import { messageOf, unreachable } from '../base/errors.ts';
import { formatShort } from '../base/units.ts';
import { type Snapshot, emptySnapshot } from '../metrics/snapshot.ts';
import type { Compression, TargetAccess } from '../plan/run-plan.ts';
import type { Link } from '../protocol/link.ts';
import { type InitMessage, PROTOCOL_VERSION, type UpMessage, type WorkerEnd } from '../protocol/messages.ts';
import { parseDownMessage } from '../protocol/parse-message.ts';
import { createBatchBody, rowsThatFit } from '../rows/batch-body.ts';
import { createReferenceGenerator } from '../rows/reference-generator.ts';
import { type CounterWriter, createCounterFile } from './counter-file.ts';
import { type BatchTrace, type InsertPort, type InsertionLoop, createInsertionLoop } from './insertion-loop.ts';
import { createUseReader } from './process-use.ts';

/** The first greeting of the target opens a connection; longer than this it does not hold up the start. */
const GREETING_TIMEOUT_MS = 5000;

export interface WorkerParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Opens the target; a parameter so that a simulation can stand in for the network. */
  readonly connect: (access: TargetAccess, options: { connectionsPerNode: number }) => TargetClient;
}

/** What a worker needs of the target. */
export interface TargetClient extends InsertPort {
  root(node: number, options: { timeoutMs: number }): Promise<unknown>;
  destroy(): Promise<void>;
}

/** A worker that was told its assignment. */
interface Session {
  readonly init: InitMessage;
  readonly client: TargetClient;
  readonly counters: CounterWriter;
  readonly loop: InsertionLoop;
  end: { reason: WorkerEnd; detail: string } | null;
  isStarted: boolean;
}

export interface Worker {
  /** Asks it to finish: the first time what is in flight may end, the second time it is given up. */
  terminate(): void;
  /** Resolves when the worker has said its last word and let go of everything. */
  readonly ended: Promise<'well' | 'failed'>;
}

export function startWorker(link: Link<UpMessage>, parts: WorkerParts): Worker {
  let session: Session | null = null;
  let terminations = 0;
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<'well' | 'failed'>();
  /** Aborted at the end, so that no timer keeps the process. */
  const over = new AbortController();

  link.onMessage((raw) => {
    handle(raw).catch((error: unknown) => fail(error));
  });
  link.onClose(() => {
    if (session === null) return resolveEnded('well');
    // The coordinator is gone: nobody would hear of more rows.
    drain(session, 'orphaned', 'the coordinator is gone', session.init.limits.drainTimeoutMs);
  });

  async function handle(raw: unknown): Promise<void> {
    const parsed = parseDownMessage(raw);
    if (!parsed.ok) throw new Error(parsed.why);
    const { message } = parsed;
    switch (message.type) {
      case 'init':
        if (session !== null) throw new Error('a second init message');
        session = openSession(message, parts, (trace) => sendTrace(message, trace));
        await greet(session.client);
        // Told to stop while the target was greeted: the last word is already said.
        if (session.end !== null) return;
        return await link.send({ type: 'ready', ...sender(message), protocolVersion: PROTOCOL_VERSION, pid: process.pid, nodeVersion: process.version });
      case 'start':
        if (session === null || session.isStarted) throw new Error('a start message out of turn');
        session.isStarted = true;
        return await work(session, message.startAtNs);
      case 'drain':
        if (session === null) throw new Error('a drain message before init');
        return drain(session, 'drained', message.reason, Number(message.deadlineNs - parts.clock.monotonicNs()) / 1e6);
      default:
        return unreachable(message);
    }
  }

  async function work(current: Session, startAtNs: bigint): Promise<void> {
    const reporting = reportProgress(current);
    await current.loop.run(startAtNs);
    over.abort();
    await reporting;
    await finish(current);
  }

  /** Cumulative snapshots, one at a time: while the last is not on the wire no other is made. */
  async function reportProgress(current: Session): Promise<void> {
    let isSending = false;
    for (;;) {
      await parts.clock.sleep(current.init.reportIntervalMs, over.signal);
      if (over.signal.aborted) return;
      const impatience = current.loop.impatience();
      const snapshot = current.loop.snapshot();
      if (impatience !== null) drain(current, impatience, snapshot.waiting?.detail ?? '', 0);
      current.counters.writeUse(snapshot.use);
      if (isSending) continue;
      isSending = true;
      link
        .send({ type: 'progress', ...sender(current.init), snapshot })
        // A closed line is told by onClose; there is nothing else to do about a report that nobody takes.
        .catch(() => undefined)
        .finally(() => (isSending = false));
    }
  }

  function drain(current: Session, reason: WorkerEnd, detail: string, deadlineMs: number): void {
    current.end ??= { reason, detail };
    current.loop.stopOffering();
    if (!current.isStarted) {
      current.isStarted = true;
      finish(current).catch((error: unknown) => fail(error));
      return;
    }
    if (deadlineMs <= 0) return current.loop.abandon();
    void parts.clock.sleep(deadlineMs, over.signal).then(() => current.loop.abandon());
  }

  async function finish(current: Session): Promise<void> {
    over.abort();
    const snapshot = current.loop.snapshot();
    current.counters.writeUse(snapshot.use);
    current.counters.close();
    const { reason, detail } = current.end ?? { reason: 'done', detail: '' };
    // Awaited before anything ends: a message still queued when a process exits is lost.
    if (reason !== 'orphaned') await link.send({ type: 'drained', ...sender(current.init), end: reason, detail, snapshot });
    await current.client.destroy();
    link.disconnect();
    resolveEnded('well');
  }

  function sendTrace(init: InitMessage, trace: BatchTrace): void {
    link.send({ type: 'batch', ...sender(init), line: traceLine(trace) }).catch((error: unknown) => fail(error));
  }

  function fail(error: unknown): void {
    over.abort();
    const snapshot: Snapshot = session === null ? emptySnapshot(0) : session.loop.snapshot();
    const name = error instanceof Error ? error.name : 'Error';
    const from = session === null ? { workerIndex: 0, incarnation: 0 } : sender(session.init);
    session?.loop.abandon();
    link
      .send({ type: 'failed', ...from, error: { name, message: messageOf(error) }, snapshot })
      .catch(() => undefined)
      .finally(() => {
        link.disconnect();
        void (session?.client.destroy() ?? Promise.resolve()).finally(() => resolveEnded('failed'));
      });
  }

  return {
    terminate() {
      terminations += 1;
      if (session === null) return link.disconnect();
      drain(session, 'drained', 'SIGTERM', terminations > 1 ? 0 : session.init.limits.drainTimeoutMs);
    },
    ended,
  };
}

function sender(init: InitMessage): { workerIndex: number; incarnation: number } {
  return { workerIndex: init.workerIndex, incarnation: init.incarnation };
}

function openSession(init: InitMessage, parts: WorkerParts, onBatch: (trace: BatchTrace) => void): Session {
  if (init.protocolVersion !== PROTOCOL_VERSION) {
    throw new Error(`the coordinator speaks protocol ${init.protocolVersion}, this worker ${PROTOCOL_VERSION}`);
  }
  const { assignment, limits } = init;
  const client = parts.connect(init.access, { connectionsPerNode: limits.inFlight });
  const generator = createReferenceGenerator(init.rowPlan);
  const rowsPerRequest = Math.max(1, Math.min(assignment.batchSize, rowsThatFit(init.statement, generator, limits.maxBodyBytes)));
  const firstBatch = init.resume?.nextBatch ?? assignment.globalIndex;
  const counters = createCounterFile(init.counterFile, {
    ...sender(init),
    pid: process.pid,
    slots: limits.inFlight,
    firstBatch,
    globalCount: assignment.globalCount,
  });
  const config = { assignment, limits, keyed: init.keyed, resume: init.resume, nodeCount: init.access.nodes.length, rowsPerRequest };
  const loop = createInsertionLoop(config, {
    clock: parts.clock,
    random: parts.random,
    port: client,
    createBody: () => createBatchBody(init.statement, generator, rowsPerRequest),
    compress: compressor(limits.compression),
    counters,
    readUse: createUseReader(),
    onBatch: init.tracesBatches ? onBatch : null,
  });
  return { init, client, counters, loop, end: null, isStarted: false };
}

/** Opens a first connection while the others start. What the target says is heard again by the first batch. */
async function greet(client: TargetClient): Promise<void> {
  await client.root(0, { timeoutMs: GREETING_TIMEOUT_MS });
}

/** Level 1: five sixths of the gain at a quarter of the time. Null sends plain bodies. */
function compressor(compression: Compression): ((body: Uint8Array) => Promise<Uint8Array>) | null {
  switch (compression) {
    case 'none':
      return null;
    case 'gzip':
      return (body) => promisify(gzip)(body, { level: 1 });
    case 'deflate':
      return (body) => promisify(deflate)(body, { level: 1 });
  }
}

function traceLine(trace: BatchTrace): string {
  const { rows, range } = trace;
  const last = range.firstRow + range.rows - 1;
  const states = Object.entries(rows).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []));
  const attempts = trace.attempts === 1 ? '' : ` after ${trace.attempts} attempts`;
  return `batch ${trace.batch}  rows ${range.firstRow}..${last}  ${states.join(', ')}${attempts}  ${formatShort(trace.elapsedMs)} ms`;
}
