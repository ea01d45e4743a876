/**
 * A worker's life on its side of the line: init → ready → start → progress … → drained. The same code runs in a
 * forked child and, for `single`, in the command's own process; what differs comes in as parts.
 */
import { promisify } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { assert, messageOf, unreachable } from '../base/errors.ts';
import { formatShort } from '../base/units.ts';
import { emptySnapshot } from '../metrics/snapshot.ts';
import type { ConnectOptions } from '../cratedb/connect-target.ts';
import type { Compression, TargetAccess } from '../plan/run-plan.ts';
import type { Link } from '../protocol/link.ts';
import { type InitMessage, PROTOCOL_VERSION, type UpMessage, type WorkerEnd } from '../protocol/messages.ts';
import { packSnapshot } from '../protocol/packed-snapshot.ts';
import { parseDownMessage } from '../protocol/parse-message.ts';
import { readRowsFile } from '../protocol/rows-file.ts';
import { type BatchBody, rowsThatFit } from '../rows/batch-body.ts';
import { type BodySource, openRowSource } from '../rows/row-source.ts';
import { type CounterWriter, createCounterFile } from './counter-file.ts';
import {
  type BatchTrace,
  type InsertPort,
  type InsertionLoop,
  type LoopTable,
  createInsertionLoop,
} from './insertion-loop.ts';
import { createUseReader } from './process-use.ts';

/** The first greeting of the target opens a connection; longer than this it does not hold up the start. */
const GREETING_TIMEOUT_MS = 5000;

export interface WorkerParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Opens the target; a parameter so that a simulation can stand in for the network. */
  readonly connect: (access: TargetAccess, options: ConnectOptions) => Promise<TargetClient>;
}

/** What a worker needs of the target. */
export interface TargetClient extends InsertPort {
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
  return new RunningWorker(link, parts);
}

class RunningWorker implements Worker {
  readonly #link: Link<UpMessage>;
  readonly #parts: WorkerParts;
  readonly #ended = Promise.withResolvers<'well' | 'failed'>();
  /** Aborted at the end, so that no timer keeps the process. */
  readonly #over = new AbortController();
  /** Set with the init message; what comes while it opens waits for it. */
  #opening: Promise<Session> | null = null;
  #session: Session | null = null;
  #terminations = 0;

  constructor(link: Link<UpMessage>, parts: WorkerParts) {
    this.#link = link;
    this.#parts = parts;
    link.onMessage((raw) => {
      this.#handle(raw).catch((error: unknown) => this.#fail(error));
    });
    link.onClose(() => {
      // The coordinator is gone: nobody would hear of more rows.
      if (this.#opening === null) return this.#ended.resolve('well');
      this.#whenOpen((session) => this.#drain(session, 'orphaned', '', session.init.limits.drainTimeoutMs));
    });
  }

  get ended(): Promise<'well' | 'failed'> {
    return this.#ended.promise;
  }

  terminate(): void {
    this.#terminations += 1;
    if (this.#opening === null) return this.#link.disconnect();
    const isFirst = this.#terminations === 1;
    this.#whenOpen((session) => {
      this.#drain(session, 'drained', 'SIGTERM', isFirst ? session.init.limits.drainTimeoutMs : 0);
    });
  }

  #whenOpen(act: (session: Session) => void): void {
    this.#opening?.then(act).catch((error: unknown) => this.#fail(error));
  }

  async #handle(raw: unknown): Promise<void> {
    const parsed = parseDownMessage(raw);
    if (!parsed.ok) throw new Error(parsed.why);
    const { message } = parsed;
    const session = this.#session;
    switch (message.type) {
      case 'init':
        if (this.#opening !== null) throw new Error('a second init message');
        return await this.#prepare(message);
      case 'start':
        if (session === null || session.isStarted) throw new Error('a start message out of turn');
        return await this.#work(session, message.startAtNs);
      case 'drain':
        if (this.#opening === null) throw new Error('a drain message before init');
        return this.#drain(await this.#opening, 'drained', message.reason, this.#untilMs(message.deadlineNs));
      default:
        return unreachable(message);
    }
  }

  #untilMs(deadlineNs: bigint): number {
    return Number(deadlineNs - this.#parts.clock.monotonicNs()) / 1e6;
  }

  async #prepare(init: InitMessage): Promise<void> {
    const opening = openRows(init).then((sources) =>
      openSession(init, sources, this.#parts, (trace) => this.#sendTrace(init, trace)),
    );
    this.#opening = opening;
    const session = await opening;
    this.#session = session;
    // Opens first connections while the other workers start. What the target says, the first batch hears again,
    // but for the versions: the client reads answers by them. Only the node that is first in turn is waited for: the
    // rest may be out.
    const greetings = init.access.nodes.map((_origin, node) =>
      session.client.greet(node, { timeoutMs: GREETING_TIMEOUT_MS }),
    );
    await greetings[init.assignment.globalIndex % greetings.length];
    // Told to stop while the target was greeted: the last word is already said.
    if (session.end !== null) return;
    const { pid, version: nodeVersion } = process;
    await this.#link.send({
      type: 'ready',
      ...sender(init),
      protocolVersion: PROTOCOL_VERSION,
      pid,
      nodeVersion,
    });
  }

  async #work(session: Session, startAtNs: bigint): Promise<void> {
    session.isStarted = true;
    const reporting = this.#reportProgress(session, startAtNs);
    await session.loop.run(startAtNs);
    this.#over.abort();
    await reporting;
    await this.#finish(session);
  }

  /**
   * Cumulative snapshots, one at a time: while the last is not on the wire no other is made. All workers make theirs at
   * the same moments after the common start: they tell of one moment, and wake the coordinator once.
   */
  async #reportProgress(session: Session, startAtNs: bigint): Promise<void> {
    const { reportIntervalMs } = session.init;
    let isSending = false;
    for (let due = 1; ; due += 1) {
      const elapsedMs = -this.#untilMs(startAtNs);
      due = Math.max(due, Math.ceil(elapsedMs / reportIntervalMs));
      await this.#parts.clock.sleep(due * reportIntervalMs - elapsedMs, this.#over.signal);
      if (this.#over.signal.aborted) return;
      const impatience = session.loop.impatience();
      const snapshot = session.loop.snapshot();
      if (impatience !== null) this.#drain(session, impatience, snapshot.waiting?.detail ?? '', 0);
      session.counters.writeUse(snapshot.use);
      if (isSending) continue;
      isSending = true;
      this.#link
        .send({ type: 'progress', ...sender(session.init), snapshot: packSnapshot(snapshot) })
        // A closed line is told by onClose; there is nothing else to do about a report that nobody takes.
        .catch(() => undefined)
        .finally(() => (isSending = false));
    }
  }

  #drain(session: Session, reason: WorkerEnd, detail: string, drainMs: number): void {
    session.end ??= { reason, detail };
    session.loop.stopOffering();
    if (!session.isStarted) {
      session.isStarted = true;
      this.#finish(session).catch((error: unknown) => this.#fail(error));
    } else if (drainMs <= 0) {
      session.loop.abandon();
    } else {
      void this.#parts.clock.sleep(drainMs, this.#over.signal).then(() => session.loop.abandon());
    }
  }

  async #finish(session: Session): Promise<void> {
    this.#over.abort();
    const snapshot = session.loop.snapshot('last');
    session.counters.writeUse(snapshot.use);
    session.counters.close();
    const { reason: end, detail } = session.end ?? { reason: 'done', detail: '' };
    // Awaited before anything ends: a message still queued when a process exits is lost.
    if (end !== 'orphaned')
      await this.#link.send({
        type: 'drained',
        ...sender(session.init),
        end,
        detail,
        snapshot: packSnapshot(snapshot),
      });
    await session.client.destroy();
    this.#link.disconnect();
    this.#ended.resolve('well');
  }

  #sendTrace(init: InitMessage, trace: BatchTrace): void {
    this.#link
      .send({ type: 'batch', ...sender(init), line: traceLine(init, trace) })
      .catch((error: unknown) => this.#fail(error));
  }

  /** A bug, or a line that broke: says so if anybody listens, and ends. */
  #fail(error: unknown): void {
    this.#over.abort();
    const session = this.#session;
    const from = session === null ? { workerIndex: 0, incarnation: 0 } : sender(session.init);
    const name = error instanceof Error ? error.name : 'Error';
    const snapshot = packSnapshot(session?.loop.snapshot('last') ?? emptySnapshot(0));
    session?.loop.abandon();
    void this.#link
      .send({ type: 'failed', ...from, error: { name, message: messageOf(error) }, snapshot })
      .catch(() => undefined)
      .then(() => session?.client.destroy())
      .finally(() => {
        this.#link.disconnect();
        this.#ended.resolve('failed');
      });
  }
}

function sender(init: InitMessage): { workerIndex: number; incarnation: number } {
  return { workerIndex: init.workerIndex, incarnation: init.incarnation };
}

/** One for each table. */
async function openRows({ rowsFile, tables }: InitMessage): Promise<BodySource[]> {
  const sources = readRowsFile(rowsFile);
  return await Promise.all(
    tables.map(({ insert }, table) => {
      const source = sources[table];
      assert(source !== undefined, `rows of ${sources.length} tables are there for ${tables.length}`);
      return openRowSource(source, insert);
    }),
  );
}

async function openSession(
  init: InitMessage,
  /** One for each table. */
  sources: readonly BodySource[],
  parts: WorkerParts,
  onBatch: (trace: BatchTrace) => void,
): Promise<Session> {
  if (init.protocolVersion !== PROTOCOL_VERSION) {
    throw new Error(
      `the coordinator speaks protocol ${init.protocolVersion}, this worker ${PROTOCOL_VERSION}`,
    );
  }
  const { assignment, limits } = init;
  const [first] = init.tables;
  assert(first !== undefined, 'a worker fills at least one table');
  // All tables are filled in the same way.
  const client = await parts.connect(init.access, {
    connectionsPerNode: limits.inFlight,
    path: first.insert.path,
  });
  const tables = sources.map((source, table) => loopTable(init, source, table));
  const firstBatch = init.resume?.nextBatch ?? assignment.globalIndex;
  const counters = createCounterFile(init.counterFile, {
    ...sender(init),
    pid: process.pid,
    slots: limits.inFlight,
    tables: tables.length,
    firstBatch,
    globalCount: assignment.globalCount,
  });
  const config = {
    assignment,
    limits,
    keyed: init.keyed,
    tables: tables.map(({ loop }) => loop),
    resume: init.resume,
    nodeCount: init.access.nodes.length,
  };
  const loop = createInsertionLoop(config, {
    clock: parts.clock,
    random: parts.random,
    port: client,
    bodies: Array.from({ length: limits.inFlight }, (_, slot) =>
      tables.flatMap(({ bodies }) => bodies[slot] ?? []),
    ),
    compress: sources.some(({ encoding }) => encoding === null) ? compressor(limits.compression) : null,
    counters,
    readUse: createUseReader(),
    onBatch: init.tracesBatches ? onBatch : null,
  });
  return { init, client, counters, loop, end: null, isStarted: false };
}

/** What the loop knows of a table, and a body for each of its slots: a module writes only into memory of its own. */
function loopTable(
  { tables, limits, assignment }: InitMessage,
  source: BodySource,
  table: number,
): { readonly loop: LoopTable; readonly bodies: readonly BatchBody[] } {
  const told = tables[table];
  assert(told !== undefined, `table ${table} is one of ${tables.length}`);
  const { insert: form, weight } = told;
  const fitting = rowsThatFit(form, source.maxRowBytes, limits.maxBodyBytes);
  const rowsPerRequest = Math.max(1, Math.min(assignment.batchSize, fitting));
  return {
    loop: { form, weight, rowsPerRequest },
    bodies: source.createBodies(rowsPerRequest, limits.inFlight),
  };
}

/**
 * Level 1: five sixths of the gain at a quarter of the time. Null sends plain bodies. What compresses is loaded by those
 * who need it: it takes 8 ms of every start.
 */
function compressor(compression: Compression): ((body: Uint8Array) => Promise<Uint8Array>) | null {
  switch (compression) {
    case 'none':
      return null;
    case 'gzip':
      return async (body) => promisify((await import('node:zlib')).gzip)(body, { level: 1 });
    case 'deflate':
      return async (body) => promisify((await import('node:zlib')).deflate)(body, { level: 1 });
  }
}

function traceLine({ tables }: InitMessage, trace: BatchTrace): string {
  const { rows, range } = trace;
  const table = tables.length === 1 ? '' : `  ${tables[range.table]?.name ?? ''}`;
  const last = range.firstRow + range.rows - 1;
  const states = Object.entries(rows).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []));
  const attempts = trace.attempts === 1 ? '' : ` after ${trace.attempts} attempts`;
  return `batch ${trace.batch}${table}  rows ${range.firstRow}..${last}  ${states.join(', ')}${attempts}  ${formatShort(trace.elapsedMs)} ms`;
}
