/**
 * The insertion loop: request slots that each carry one batch at a time from the pacer's grant to its final
 * state. It knows nodes, retries and the ledger; it knows neither the coordinator nor where bytes come from.
 */
import type { Clock } from '../base/clock.ts';
import { assert } from '../base/errors.ts';
import type { NodeGreeting } from '../cratedb/greeting.ts';
import type { AttemptOutcome, Failure } from '../cratedb/outcome.ts';
import { createHistogram, record } from '../metrics/histogram.ts';
import {
  type BatchCounts,
  type Ledger,
  type RowCounts,
  EMPTY_LEDGER,
  NO_ROWS,
  addBatches,
  addLedgers,
  addRows,
  assertBalanced,
  settledRows,
  NO_BATCHES,
} from '../metrics/ledger.ts';
import { sumOf } from '../metrics/node-counts.ts';
import { type AnswerTimes, type Snapshot, NO_ANSWERS, addAnswers } from '../metrics/snapshot.ts';
import { type Assignment, rowDueMs, rowsOfBatch } from '../plan/assignment.ts';
import { type TableMix, type TableRange, mixOf, tableRange } from '../plan/table-mix.ts';
import type { Resume, WorkerEnd, WorkerLimits } from '../protocol/messages.ts';
import type { InsertForm } from '../rows/insert-form.ts';
import { type CounterWriter, type SlotCounters, emptySlot } from './counter-file.ts';
import { createErrorTally } from './error-tally.ts';
import { inFlight, waitingRows } from './inherited.ts';
import { type NodeBooks, createNodeBooks } from './node-books.ts';
import { type NodeSet, createNodeSet } from './node-set.ts';
import { type Grant, type Pacer, createPacer } from './pacer.ts';
import type { UseReader } from './process-use.ts';
import { backoffMs, createRetryBudget, decide, learn } from './retry.ts';
import { type TurnBudget, createTurnBudget } from './turn-budget.ts';

/** A batch that is refused whole is searched for its bad rows with at most this many requests. */
const MAX_REQUESTS_PER_BATCH = 64;

/** The way to the nodes; never rejects. */
export interface InsertPort {
  /** Sends one request body and says what came of it. */
  insert(node: number, body: Uint8Array, request: InsertRequest): Promise<AttemptOutcome>;
  /** Asks a node who it is. */
  greet(node: number, options: { readonly timeoutMs: number }): Promise<NodeGreeting>;
}

export interface InsertRequest {
  readonly rows: number;
  readonly keyed: boolean;
  /** What the body is of. */
  readonly form: InsertForm;
  readonly contentEncoding: 'gzip' | 'deflate' | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called before the first byte is written to the socket. */
  readonly onHandedOver: () => void;
}

/** Writes rows as a complete request body into a buffer of its own; the result is valid until the next call. */
export interface BodyWriter {
  write(firstRow: number, rows: number): Uint8Array;
}

/** One of the tables that the loop fills. */
export interface LoopTable {
  readonly form: InsertForm;
  readonly weight: number;
  /** Rows that surely fit into one request body; a batch with more is sent as several requests. */
  readonly rowsPerRequest: number;
}

export interface LoopConfig {
  readonly assignment: Assignment;
  readonly limits: WorkerLimits;
  readonly keyed: boolean;
  readonly tables: readonly LoopTable[];
  readonly resume: Resume | null;
  readonly nodeCount: number;
}

export interface LoopParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly port: InsertPort;
  /** For each slot one for each table. */
  readonly bodies: readonly (readonly BodyWriter[])[];
  readonly compress: ((body: Uint8Array) => Promise<Uint8Array>) | null;
  readonly counters: CounterWriter;
  readonly readUse: UseReader;
  /** Told about each batch when it is settled; for `single --verbose`. */
  readonly onBatch: ((trace: BatchTrace) => void) | null;
}

export interface BatchTrace {
  readonly batch: number;
  readonly range: TableRange;
  readonly attempts: number;
  readonly rows: RowCounts;
  readonly elapsedMs: number;
}

export interface InsertionLoop {
  /** Runs until the assignment or its time is over, or until stopped. Resolves when nothing is in flight. */
  run(startAtNs: bigint): Promise<void>;
  /** Starts nothing new; what is in flight may finish. */
  stopOffering(): void;
  /** Gives up what is in flight: waiting batches at once, handed-over ones as unknown. */
  abandon(): void;
  /** Why the loop should be ended from outside: it has waited longer than it may. */
  impatience(): Extract<WorkerEnd, 'outage' | 'blocked'> | null;
  /** All counts so far; how much memory is used may be a second old, but not in the last snapshot. */
  snapshot(which?: 'last'): Snapshot;
}

interface Slot {
  readonly index: number;
  /** For each table. */
  readonly books: readonly SlotCounters[];
  /** Those of the table that it serves now. */
  counters: SlotCounters;
  readonly bodies: readonly BodyWriter[];
  /** The range whose bytes are in its table's body, ready to be sent again. */
  written: { range: TableRange; bytes: Uint8Array } | null;
  /** Its batch was in flight when a predecessor died: until an answer says otherwise, rows may be stored. */
  isInherited: boolean;
  /** Which nodes have acknowledged how many rows of a batch that may be sent again whole. */
  acknowledgedBy: { readonly node: number; readonly rows: number }[];
}

export function createInsertionLoop(config: LoopConfig, parts: LoopParts): InsertionLoop {
  return new Loop(config, parts);
}

class Loop implements InsertionLoop {
  readonly #config: LoopConfig;
  readonly #parts: LoopParts;
  readonly #mix: TableMix;
  readonly #slots: readonly Slot[];
  /** Of all slots. */
  readonly #books: readonly SlotCounters[];
  readonly #nodes: NodeSet;
  readonly #turns: TurnBudget;
  readonly #budget = createRetryBudget();
  readonly #stopping = new AbortController();
  readonly #abandoning = new AbortController();
  /** Aborted with the stop, and when the last row is taken: nobody waits for a turn that brings nothing. */
  readonly #allTaken = new AbortController();
  readonly #responseTime = createHistogram();
  readonly #errors = createErrorTally();
  readonly #nodeBooks: NodeBooks;
  /** Aborted and renewed when the target recovers: those who wait to try again need not wait longer. */
  #recovery = new AbortController();
  /** Aborted and renewed when retries did well: those who wait for budget look again. */
  #refill = new AbortController();
  #startAtNs = 0n;
  /** Null until the common start is known. */
  #pacer: Pacer | null = null;
  #nextBatch: number;
  #resendTaken = 0;
  /** For each table, rows of the batches to send again that are not taken yet. */
  readonly #untaken: Ledger[];
  #largestBodyBytes = 0;
  /** Until then the rows that were begun are what the schedule asked for. */
  #askedUntilMs = 0;
  #lateRows = 0;
  #droppedRows = 0;
  #sequence = 0;
  #answers: AnswerTimes = NO_ANSWERS;

  constructor(config: LoopConfig, parts: LoopParts) {
    this.#config = config;
    this.#parts = parts;
    this.#turns = createTurnBudget(parts.clock);
    this.#mix = mixOf(config.tables);
    this.#nextBatch = config.resume?.nextBatch ?? config.assignment.globalIndex;
    this.#untaken = [...waitingRows(config.resume?.resend ?? [], config.assignment, this.#mix)];
    this.#nodeBooks = createNodeBooks(config.nodeCount);
    this.#nodes = createNodeSet({
      nodeCount: config.nodeCount,
      firstNode: config.assignment.globalIndex,
      clock: parts.clock,
      random: parts.random,
      greet: (node, timeoutMs) => parts.port.greet(node, { timeoutMs }),
      onOutage: (node, why) => {
        if (why === null) this.#nodeBooks.cameBack(node, this.#elapsedMs());
        else this.#nodeBooks.wentOut(node, this.#elapsedMs(), why);
      },
    });
    this.#nodes.onRecovery(() => {
      const before = this.#recovery;
      this.#recovery = new AbortController();
      before.abort();
    });
    assert(parts.bodies.length === config.limits.inFlight, 'every slot has its bodies');
    this.#slots = parts.bodies.map((bodies, index) => {
      const books = bodies.map((_, table) => emptySlot(table));
      const [counters] = books;
      assert(counters !== undefined && books.length === config.tables.length, 'every table has its body');
      return { index, books, counters, bodies, written: null, isInherited: false, acknowledgedBy: [] };
    });
    this.#books = this.#slots.flatMap(({ books }) => books);
  }

  async run(startAtNs: bigint): Promise<void> {
    const { assignment, limits, resume } = this.#config;
    this.#startAtNs = startAtNs;
    const servedUntilMs = resume === null ? -Infinity : Number(resume.servedUntilNs - startAtNs) / 1e6;
    const pacer = createPacer(assignment, limits.inFlight, servedUntilMs);
    this.#pacer = pacer;
    await this.#parts.clock.sleep(Math.max(0, -this.#elapsedMs()), this.#stopping.signal);
    await Promise.all(this.#slots.map((slot) => this.#runSlot(slot, pacer)));
    // Five batches that are due two seconds apart are the rows of ten seconds, not of eight and an answer.
    const restMs = this.#askedUntilMs - this.#elapsedMs();
    if (restMs > 0) await this.#parts.clock.sleep(restMs, this.#stopping.signal);
    // A stop ends the schedule where it stands: only arrivals until then were dropped by being busy.
    this.#countDropped();
  }

  stopOffering(): void {
    if (this.#stopping.signal.aborted) return;
    this.#countDropped();
    this.#stopping.abort();
    this.#allTaken.abort();
  }

  abandon(): void {
    this.stopOffering();
    this.#abandoning.abort();
  }

  impatience(): Extract<WorkerEnd, 'outage' | 'blocked'> | null {
    const waiting = this.#nodes.waiting();
    if (waiting === null) return null;
    const waitedMs = Number(this.#parts.clock.monotonicNs() - waiting.sinceNs) / 1e6;
    const { outageTimeoutMs, blockTimeoutMs } = this.#config.limits;
    if (waiting.cause === 'outage' && waitedMs >= outageTimeoutMs) return 'outage';
    return waiting.cause === 'blocked' && waitedMs >= blockTimeoutMs ? 'blocked' : null;
  }

  async #runSlot(slot: Slot, pacer: Pacer): Promise<void> {
    while (!this.#stopping.signal.aborted && this.#hasWork()) {
      const freeSinceMs = this.#elapsedMs();
      if (this.#turns.isSpent()) await this.#turns.nextTurn();
      const grant = pacer.next(slot.index, this.#elapsedMs(), freeSinceMs);
      if (grant.kind === 'end') return;
      if (grant.waitMs > 0) await this.#parts.clock.sleep(grant.waitMs, this.#allTaken.signal);
      if (this.#stopping.signal.aborted || !this.#hasWork()) return;
      await this.#carry(slot, grant);
      const pauseMs = this.#config.limits.batchIntervalMs;
      if (pauseMs > 0) await this.#parts.clock.sleep(pauseMs, this.#allTaken.signal);
    }
  }

  /** When the schedule asks for more than so many rows, but not beyond its end; 0 in the closed loop. */
  #askedUntil(rows: number): number {
    const { pace, durationMs } = this.#config.assignment;
    return pace.kind === 'closed' ? 0 : Math.min(durationMs ?? Infinity, rowDueMs(pace, rows));
  }

  #hasWork(): boolean {
    return this.#hasRows() && (this.#hasResends() || this.#fitsBudget());
  }

  /** Whether anything is left to begin. */
  #hasRows(): boolean {
    return this.#hasResends() || rowsOfBatch(this.#config.assignment, this.#nextBatch) > 0;
  }

  #hasResends(): boolean {
    return this.#resendTaken < (this.#config.resume?.resend.length ?? 0);
  }

  /** Whether one more body, and those that are being written, stay within the budget if none is larger than so far. */
  #fitsBudget(): boolean {
    const { bodyBytesBudget } = this.#config.limits;
    if (bodyBytesBudget === null) return true;
    const sent = this.#books.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    const open = this.#slots.filter(({ counters }) => counters.phase === 'begun').length;
    return sent + (open + 1) * this.#largestBodyBytes <= bodyBytesBudget && sent < bodyBytesBudget;
  }

  /** The next batch of this worker: first what a dead predecessor left in flight, then its own sequence. */
  #takeBatch(): { batch: number; isResend: boolean } {
    const resend = this.#config.resume?.resend[this.#resendTaken];
    const batch = resend ?? this.#nextBatch;
    if (resend === undefined) this.#nextBatch += this.#config.assignment.globalCount;
    else this.#takeResend(resend);
    if (!this.#hasRows()) this.#allTaken.abort();
    return { batch, isResend: resend !== undefined };
  }

  #takeResend(batch: number): void {
    this.#resendTaken += 1;
    const { table } = this.#mix.placeOf(batch);
    const rows = rowsOfBatch(this.#config.assignment, batch);
    this.#untaken[table] = addLedgers(this.#untaken[table] ?? EMPTY_LEDGER, inFlight(-rows));
  }

  /** One batch from its begin to its final state. */
  async #carry(slot: Slot, grant: Extract<Grant, { kind: 'start' }>): Promise<void> {
    this.#countDropped();
    const { batch, isResend } = this.#takeBatch();
    const range = tableRange(this.#mix, this.#config.assignment, batch);
    const beganAtMs = this.#elapsedMs();
    if (grant.late) this.#lateRows += range.rows;
    this.#askedUntilMs = Math.max(this.#askedUntilMs, this.#askedUntil(grant.rowsAhead + range.rows));
    const counters = slot.books[range.table];
    assert(counters !== undefined, `batch ${batch} is of a table of the plan`);
    slot.counters = counters;
    // Without a key only what surely nobody stored is sent again.
    slot.isInherited = isResend && this.#config.keyed;
    Object.assign(counters, {
      phase: restPhase(slot),
      batch,
      batchRows: range.rows,
      attempts: 0,
      settled: NO_ROWS,
    });
    counters.resendTaken = this.#resendTaken;
    counters.lastByteAtMs = this.#parts.clock.monotonicMs();
    this.#count(slot, { begun: 1, retried: isResend ? 1 : 0 });
    this.#save(slot);

    await this.#settleBatch(slot, range);

    const rows = counters.settled;
    assert(
      settledRows(rows) === range.rows,
      () => `batch ${batch} ends with all its rows in a state: ${JSON.stringify(rows)}`,
    );
    const isMeasured = beganAtMs >= this.#config.assignment.warmUpMs;
    const elapsedMs = this.#elapsedMs();
    if (isMeasured) {
      record(this.#responseTime, (elapsedMs - grant.intendedMs) * 1000);
      counters.measuredRows += rows.acknowledged;
    }
    this.#finish(slot, batch, rows);
    this.#parts.onBatch?.({
      batch,
      range,
      attempts: counters.attempts,
      rows,
      elapsedMs: elapsedMs - beganAtMs,
    });
  }

  #finish(slot: Slot, batch: number, rows: RowCounts): void {
    const { counters } = slot;
    const endedBadly = rows.failed + rows.unknown > 0;
    // Listed before the slot is freed: a kill in between leaves the batch named twice, never not at all.
    if (endedBadly)
      this.#parts.counters.appendException({ batch, ...rows, lastByteAtMs: counters.lastByteAtMs });
    for (const each of slot.acknowledgedBy) this.#nodeBooks.acknowledged(each.node, each.rows);
    slot.acknowledgedBy = [];
    counters.rows = addRows(counters.rows, rows);
    counters.settled = NO_ROWS;
    counters.batchRows = 0;
    counters.phase = 'idle';
    this.#count(slot, { completed: 1, failed: endedBadly ? 1 : 0 });
    this.#save(slot);
  }

  /** Sends a batch in as many requests as its size and its bad rows need; `slot.counters.settled` collects. */
  async #settleBatch(slot: Slot, whole: TableRange): Promise<void> {
    const pending = piecesOf(whole, this.#tableOf(whole).rowsPerRequest).reverse();
    let requestsLeft = MAX_REQUESTS_PER_BATCH - pending.length;
    for (let range = pending.pop(); range !== undefined; range = pending.pop()) {
      const end = await this.#settleRange(slot, range);
      if (end !== 'split') {
        this.#settle(slot, end);
      } else if (requestsLeft >= 2) {
        requestsLeft -= 2;
        this.#count(slot, { retried: 2 });
        const half = Math.ceil(range.rows / 2);
        pending.push(
          { ...range, firstRow: range.firstRow + half, rows: range.rows - half },
          { ...range, rows: half },
        );
      } else {
        this.#settle(slot, { ...NO_ROWS, rejected: range.rows });
        this.#errors.add([
          {
            class: 'refusedWithBatch',
            code: null,
            rows: range.rows,
            example: 'refused together with a bad row of the same batch',
          },
        ]);
      }
      // What the last piece came to is written with the end of the batch.
      if (pending.length > 0) this.#save(slot);
    }
  }

  #settle(slot: Slot, rows: RowCounts): void {
    slot.counters.settled = addRows(slot.counters.settled, rows);
    slot.counters.phase = restPhase(slot);
  }

  /** Attempts until the rows of `range` are settled, or are to be split. */
  async #settleRange(slot: Slot, range: TableRange): Promise<RowCounts | 'split'> {
    const { keyed, limits } = this.#config;
    let known: RowCounts | null = slot.isInherited ? { ...NO_ROWS, unknown: range.rows } : null;
    for (let retriesSpent = 0; ;) {
      const attempt = await this.#attempt(slot, range, known);
      if (attempt === null) return known ?? { ...NO_ROWS, failed: range.rows };
      const { node, outcome } = attempt;
      const decision = decide(outcome, {
        rows: range.rows,
        keyed,
        retriesLeft: limits.retries - retriesSpent,
      });
      if (decision.kind === 'split') return 'split';
      if (decision.kind === 'settled' && retriesSpent > 0 && outcome.condition === 'good')
        this.#rewardBudget();
      const before = known?.acknowledged ?? 0;
      known = learn(known, outcome.rows, range.rows);
      this.#noteAcknowledged(slot, node, known.acknowledged - before);
      if (decision.kind === 'settled' || this.#abandoning.signal.aborted) return known;
      if (decision.spendsRetry) {
        retriesSpent += 1;
        this.#count(slot, { retried: 1 });
        await this.#waitToRetry(retriesSpent, outcome.retryAfterMs);
      }
    }
  }

  #noteAcknowledged(slot: Slot, node: number, rows: number): void {
    if (this.#config.keyed) slot.acknowledgedBy.push({ node, rows });
    else this.#nodeBooks.acknowledged(node, rows);
  }

  /** One send of `range`; null when the loop was told to give up before a node was free. */
  async #attempt(
    slot: Slot,
    range: TableRange,
    known: RowCounts | null,
  ): Promise<{ readonly node: number; readonly outcome: AttemptOutcome } | null> {
    const { counters } = slot;
    const lease = await this.#nodes.acquire(this.#abandoning.signal);
    if (lease === null) return null;
    const isFirst = counters.attempts === 0;
    if (isFirst) this.#budget.earn();
    counters.attempts += 1;
    // Once any attempt may have stored rows, the record says so until all of them are settled.
    const mayBeStored = known !== null && known.failed < range.rows;
    counters.phase = mayBeStored ? 'handedOver' : 'begun';
    if (!isFirst) this.#save(slot);
    const bytes = await this.#bytesOf(slot, range);
    const outcome = await this.#parts.port.insert(lease.node, bytes, {
      rows: range.rows,
      keyed: this.#config.keyed,
      form: this.#tableOf(range).form,
      contentEncoding: this.#config.limits.compression === 'none' ? null : this.#config.limits.compression,
      timeoutMs: this.#config.limits.timeoutMs,
      signal: this.#abandoning.signal,
      onHandedOver: () => {
        counters.phase = 'handedOver';
        counters.lastByteAtMs = this.#parts.clock.monotonicMs();
        counters.bodyBytes += bytes.byteLength;
        this.#largestBodyBytes = Math.max(this.#largestBodyBytes, bytes.byteLength);
        this.#save(slot);
      },
    });
    // A request that got no answer may have been on its way until its connection was cut.
    if (outcome.handedOver) counters.lastByteAtMs = this.#parts.clock.monotonicMs();
    counters.replyBytes += outcome.replyBytes;
    this.#nodes.release(lease, outcome);
    this.#errors.add(outcome.failures);
    if (!mayBeStored && outcome.alreadyThere > 0) this.#errors.add([alreadyThere(outcome.alreadyThere)]);
    const isMeasured = this.#elapsedMs() >= this.#config.assignment.warmUpMs;
    this.#nodeBooks.ended(lease.node, outcome, isMeasured);
    this.#countAnswer(outcome);
    return { node: lease.node, outcome };
  }

  #tableOf({ table }: TableRange): LoopTable {
    const found = this.#config.tables[table];
    assert(found !== undefined, `table ${table} is one of ${this.#config.tables.length}`);
    return found;
  }

  async #bytesOf(slot: Slot, range: TableRange): Promise<Uint8Array> {
    const { written } = slot;
    if (written !== null && isSame(written.range, range)) return written.bytes;
    const writer = slot.bodies[range.table];
    assert(writer !== undefined, `table ${range.table} has a body`);
    const body = writer.write(range.firstRow, range.rows);
    const bytes = this.#parts.compress === null ? body : await this.#parts.compress(body);
    slot.written = { range, bytes };
    return bytes;
  }

  /** Back-off, then budget; a recovery of the target, or giving up, ends the wait at once. */
  async #waitToRetry(retry: number, retryAfterMs: number | null): Promise<void> {
    const { clock, random } = this.#parts;
    const wake = AbortSignal.any([this.#abandoning.signal, this.#recovery.signal]);
    await clock.sleep(retryAfterMs ?? backoffMs(retry, random()), wake);
    while (!wake.aborted) {
      const spent = this.#budget.spend(clock.monotonicMs());
      if (spent.granted) return;
      await clock.sleep(Math.max(1, spent.waitMs), AbortSignal.any([wake, this.#refill.signal]));
    }
  }

  #rewardBudget(): void {
    this.#budget.reward();
    const before = this.#refill;
    this.#refill = new AbortController();
    before.abort('refilled');
  }

  #elapsedMs(): number {
    return Number(this.#parts.clock.monotonicNs() - this.#startAtNs) / 1e6;
  }

  /** The schedule ends with the rows, or where a stop finds it: what would have come later is not dropped. */
  #countDropped(): void {
    if (this.#pacer === null || this.#stopping.signal.aborted || !this.#hasWork()) return;
    this.#droppedRows = this.#pacer.droppedArrivals(this.#elapsedMs()) * this.#config.assignment.batchSize;
  }

  #countAnswer({ serviceTimeUs, serverTimeUs }: AttemptOutcome): void {
    if (serviceTimeUs === null) return;
    this.#answers = addAnswers(this.#answers, {
      requests: 1,
      serviceUs: serviceTimeUs,
      toldServiceUs: serverTimeUs === null ? 0 : serviceTimeUs,
      // Two clocks: the server's time is a part of the whole.
      serverUs: Math.min(serverTimeUs ?? 0, serviceTimeUs),
    });
  }

  #count(slot: Slot, more: Partial<SlotCounters['batches']>): void {
    slot.counters.batches = addBatches(slot.counters.batches, { ...NO_BATCHES, ...more });
  }

  #save(slot: Slot): void {
    this.#parts.counters.writeSlot(slot.index, slot.counters);
  }

  snapshot(which?: 'last'): Snapshot {
    this.#countDropped();
    this.#sequence += 1;
    const untakenBatches = (this.#config.resume?.resend.length ?? 0) - this.#resendTaken;
    const sums = sumOfBooks(this.#books, {
      tableCount: this.#config.tables.length,
      untaken: this.#untaken,
      untakenBatches,
      keyed: this.#config.keyed,
    });
    const ledger = sums.tables.reduce(addLedgers, EMPTY_LEDGER);
    assertBalanced(ledger, 'insertion loop');
    const nodes = this.#nodeBooks.counts();
    return {
      sequence: this.#sequence,
      atMs: this.#pacer === null ? 0 : Math.max(0, this.#elapsedMs()),
      ledger,
      ...sums,
      nextBatch: this.#nextBatch,
      lateRows: this.#lateRows,
      droppedRows: this.#droppedRows,
      // Of a single node it is the node's own: one object, so that it goes over the line once.
      serviceTime: sumOf(nodes.map(({ serviceTime }) => serviceTime)),
      responseTime: this.#responseTime,
      answers: this.#answers,
      errors: this.#errors.list(),
      nodes,
      waiting: this.#nodes.waiting(),
      use: this.#parts.readUse(which === 'last' ? 'fresh' : 'recent'),
    };
  }
}

/** Nobody but this run should write its rows: it is told, and by no means sent again. */
function alreadyThere(rows: number): Failure {
  return {
    class: 'alreadyThere',
    code: null,
    rows,
    example: 'the table had the key before it was sent first',
  };
}

/** What the record says of a batch that is in no request now. */
function restPhase(slot: Slot): SlotCounters['phase'] {
  return slot.isInherited ? 'handedOver' : 'begun';
}

type Mutable<Fields> = { -readonly [Name in keyof Fields]: Fields[Name] };

/**
 * What the slots' books come to, the ledger of each table apart. In one pass and without an object for each book: four
 * times a second, and for its first minutes as code that is not compiled.
 */
function sumOfBooks(
  books: readonly SlotCounters[],
  {
    tableCount,
    untaken,
    untakenBatches,
    keyed,
  }: {
    readonly tableCount: number;
    /** What is begun and in none of the books: its rows for each table, and batches. */
    readonly untaken: readonly Ledger[];
    readonly untakenBatches: number;
    readonly keyed: boolean;
  },
): Pick<Snapshot, 'tables' | 'batches' | 'measuredRows' | 'bodyBytes' | 'replyBytes'> {
  const tables = Array.from({ length: tableCount }, (_, table): Mutable<Ledger> => ({
    ...(untaken[table] ?? EMPTY_LEDGER),
  }));
  const batches: Mutable<BatchCounts> = { ...NO_BATCHES, begun: untakenBatches };
  let [measuredRows, bodyBytes, replyBytes] = [0, 0, 0];
  for (const book of books) {
    const ledger = tables[book.table];
    assert(ledger !== undefined, 'a book is of one of the tables');
    const { rows } = book;
    // With a key a batch is sent again whole when its worker dies: what a part of it came to counts when it is over.
    const settled = keyed ? NO_ROWS : book.settled;
    ledger.acknowledged += rows.acknowledged + settled.acknowledged;
    ledger.rejected += rows.rejected + settled.rejected;
    ledger.failed += rows.failed + settled.failed;
    ledger.unknown += rows.unknown + settled.unknown;
    ledger.inFlight += book.batchRows - settledRows(settled);
    ledger.offered += settledRows(rows) + book.batchRows;
    batches.begun += book.batches.begun;
    batches.completed += book.batches.completed;
    batches.retried += book.batches.retried;
    batches.failed += book.batches.failed;
    measuredRows += book.measuredRows;
    bodyBytes += book.bodyBytes;
    replyBytes += book.replyBytes;
  }
  return { tables, batches, measuredRows, bodyBytes, replyBytes };
}

/** Cuts a range into requests of at most `rowsPerRequest` rows. */
function piecesOf(range: TableRange, rowsPerRequest: number): TableRange[] {
  const pieces: TableRange[] = [];
  for (let offset = 0; offset < range.rows; offset += rowsPerRequest) {
    const rows = Math.min(rowsPerRequest, range.rows - offset);
    pieces.push({ ...range, firstRow: range.firstRow + offset, rows });
  }
  return pieces;
}

function isSame(one: TableRange, other: TableRange): boolean {
  return one.table === other.table && one.firstRow === other.firstRow && one.rows === other.rows;
}
