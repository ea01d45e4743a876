/**
 * One worker slot as a state machine: spawning → ready → running → draining → exited, over any number of
 * incarnations. An event that is illegal in a state means that the process is none of ours: it is ended and
 * replaced like one that died.
 */
import type { Clock } from '../base/clock.ts';
import { assert, messageOf } from '../base/errors.ts';
import { printable } from '../base/text.ts';
import { EMPTY_LEDGER, type Ledger, NO_BATCHES, addLedgers, settledRows } from '../metrics/ledger.ts';
import { meanByTime } from '../metrics/measured.ts';
import { mergeSnapshots, newer } from '../metrics/merge.ts';
import { endOutages } from '../metrics/node-counts.ts';
import { type Snapshot, emptySnapshot } from '../metrics/snapshot.ts';
import type { Assignment } from '../plan/assignment.ts';
import type { ResumedBooks } from '../plan/plan-file.ts';
import { type TableMix, mixOf } from '../plan/table-mix.ts';
import {
  type InitMessage,
  PROTOCOL_VERSION,
  type ReadUpMessage,
  type Resume,
  type WorkerEnd,
} from '../protocol/messages.ts';
import { parseUpMessage } from '../protocol/parse-message.ts';
import { type ExceptionRecord, type LastWord, readCounterFile, silentWord } from '../worker/counter-file.ts';
import { waitingRows } from '../worker/inherited.ts';
import { type Estate, closeBooks, estateOf } from './incarnations.ts';
import { baseSnapshot, keptExceptions } from './resume.ts';
import type { WorkerPhase } from './run-state.ts';
import type { SpawnWorker, WorkerExit, WorkerProcess } from './worker-process.ts';

/** What every incarnation of this slot is told; the rest of its init message depends on its predecessor. */
export type InitTemplate = Omit<InitMessage, 'incarnation' | 'counterFile' | 'resume'>;

export interface SlotEvents {
  onReady(slot: WorkerSlot): void;
  /** It ended its assignment or was told to; no replacement follows. */
  onDrained(slot: WorkerSlot, end: WorkerEnd, detail: string): void;
  /** It is gone without a last word. Return true to have it replaced. */
  onDeath(slot: WorkerSlot, death: Death): boolean;
  onBatchLine(line: string): void;
  /** A slot reached `exited` for good. */
  onExited(slot: WorkerSlot): void;
}

export interface Death {
  readonly pid: number | null;
  readonly exit: WorkerExit;
  /** What it did wrong before it was ended by us, or ''. */
  readonly why: string;
  readonly wasReady: boolean;
  readonly resends: number;
  readonly lostRows: number;
}

interface Incarnation {
  readonly number: number;
  readonly process: WorkerProcess;
  readonly counterFile: string;
  readonly inherited: readonly number[];
  snapshot: Snapshot;
  drained: { end: WorkerEnd; detail: string } | null;
  wasReady: boolean;
  /** Why it is being ended by force. */
  faulted: string;
  readonly readyTimer: AbortController;
}

export class WorkerSlot {
  readonly index: number;
  readonly pids: number[] = [];
  phase: WorkerPhase = 'exited';
  restarts = 0;
  refusedMessages = 0;
  lastExit: WorkerExit | null = null;
  /** A killed incarnation's last CPU reading is up to a report interval old. */
  isLowerBound = false;
  residentBytesMax = 0;
  heapUsedBytesMax = 0;
  readonly exceptions: ExceptionRecord[] = [];
  readonly deaths: { readonly said: string; readonly resends: number; readonly lostRows: number }[] = [];
  readonly #clock: Clock;
  readonly #spawn: SpawnWorker;
  readonly #template: InitTemplate;
  readonly #mix: TableMix;
  readonly #counterFileOf: (incarnation: number) => string;
  readonly #events: SlotEvents;
  readonly #readyTimeoutMs: number;
  /** Final snapshots of incarnations that are gone. */
  readonly #closed: Snapshot[] = [];
  /** The last sum, and what it was made of. */
  #sum: { readonly current: Snapshot | null; readonly closed: number; readonly total: Snapshot } | null =
    null;
  #current: Incarnation | null = null;
  #startAtNs: bigint | null = null;
  /** It was told to drain, by us. */
  #isTold = false;

  constructor(parts: {
    readonly clock: Clock;
    readonly spawn: SpawnWorker;
    readonly template: InitTemplate;
    readonly counterFileOf: (incarnation: number) => string;
    readonly events: SlotEvents;
    /** From fork to `ready`. */
    readonly readyTimeoutMs: number;
    /** What an earlier, stopped part of the same run came to. */
    readonly resumed: ResumedBooks | null;
  }) {
    this.index = parts.template.workerIndex;
    this.#clock = parts.clock;
    this.#spawn = parts.spawn;
    this.#template = parts.template;
    this.#mix = mixOf(parts.template.tables);
    this.#counterFileOf = parts.counterFileOf;
    this.#events = parts.events;
    this.#readyTimeoutMs = parts.readyTimeoutMs;
    if (parts.resumed !== null) {
      this.#closed.push(baseSnapshot(parts.resumed));
      this.#list(keptExceptions(parts.resumed, parts.clock.monotonicMs()));
    }
  }

  get pid(): number | null {
    return this.#current?.process.pid ?? null;
  }

  /** What the living incarnation said last about its cost; null when none lives or has reported. */
  currentUse(): Snapshot['use'] | null {
    const snapshot = this.#current?.snapshot;
    return snapshot === undefined || snapshot.sequence === 0 ? null : snapshot.use;
  }

  get assignment(): Assignment {
    return this.#template.assignment;
  }

  /** Sum over all incarnations; what it costs now is the living one's. The same object until something is new. */
  total(): Snapshot {
    const current = this.#current?.snapshot ?? null;
    if (this.#sum?.current !== current || this.#sum.closed !== this.#closed.length)
      this.#sum = { current, closed: this.#closed.length, total: this.#addUp() };
    return this.#sum.total;
  }

  #addUp(): Snapshot {
    const current = this.#current === null ? [] : [this.#current.snapshot];
    // Of a first incarnation all is as it says itself.
    if (this.#closed.length === 0 && current[0] !== undefined) return current[0];
    const merged = mergeSnapshots([...this.#closed, ...current]);
    const latest = current[0] ?? this.#closed.at(-1);
    const use = {
      ...merged.use,
      residentBytesMax: this.residentBytesMax,
      eventLoopUtilization: loopShare([...this.#closed, ...current]),
    };
    return {
      ...merged,
      use,
      nextBatch: latest?.nextBatch ?? this.assignment.globalIndex,
      waiting: current[0]?.waiting ?? null,
    };
  }

  /** Starts an incarnation; a first one may resume what an earlier run left, a later one what its predecessor left. */
  launch(resume: { nextBatch: number; resend: readonly number[] } | null, servedUntilNs = 0n): void {
    assert(this.phase === 'exited', `worker ${this.index} is launched only when none lives`);
    const number = this.#closed.length;
    const process = this.#spawn();
    const incarnation: Incarnation = {
      number,
      process,
      counterFile: this.#counterFileOf(number),
      inherited: resume?.resend ?? [],
      snapshot: this.#inheritance(resume ?? { nextBatch: this.assignment.globalIndex, resend: [] }),
      drained: null,
      wasReady: false,
      faulted: '',
      readyTimer: new AbortController(),
    };
    this.#current = incarnation;
    this.phase = 'spawning';
    if (process.pid !== null) this.pids.push(process.pid);
    process.link.onMessage((raw) => this.#receive(incarnation, raw));
    void process.exited.then((exit) => this.#bury(incarnation, exit));
    void this.#clock.sleep(this.#readyTimeoutMs, incarnation.readyTimer.signal).then(() => {
      if (!incarnation.wasReady && this.#current === incarnation)
        this.#fault(incarnation, `it was not ready within ${this.#readyTimeoutMs / 1000} s`);
    });
    this.#sendInit(
      incarnation,
      resume === null ? null : { nextBatch: resume.nextBatch, resend: resume.resend, servedUntilNs },
    );
  }

  /** What is known of an incarnation before it has reported: what it is to send again waits for it. */
  #inheritance({ nextBatch, resend }: { nextBatch: number; resend: readonly number[] }): Snapshot {
    const tables = waitingRows(resend, this.assignment, this.#mix);
    const batches = { ...NO_BATCHES, begun: resend.length };
    return { ...emptySnapshot(nextBatch), tables, batches, ledger: sumOfTables(tables) };
  }

  #sendInit(incarnation: Incarnation, resume: Resume | null): void {
    if (incarnation.process.pid === null) return;
    const message: InitMessage = {
      ...this.#template,
      limits: this.#limitsLeft(),
      incarnation: incarnation.number,
      counterFile: incarnation.counterFile,
      resume,
    };
    // A line that breaks means that the process is ending: #bury hears of it with code and signal.
    incarnation.process.link.send(message).catch(() => undefined);
  }

  /** What predecessors have sent is no longer in the budget. */
  #limitsLeft(): InitMessage['limits'] {
    const { limits } = this.#template;
    if (limits.bodyBytesBudget === null) return limits;
    const sent = this.#closed.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    return { ...limits, bodyBytesBudget: Math.max(0, limits.bodyBytesBudget - sent) };
  }

  /** Lets a ready worker begin. A replacement begins at once when it is ready. */
  start(startAtNs: bigint): void {
    this.#startAtNs = startAtNs;
    if (this.phase !== 'ready' || this.#current === null) return;
    this.phase = 'running';
    this.#current.process.link.send({ type: 'start', startAtNs }).catch(() => undefined);
  }

  /** It has nothing in flight, and nobody will go on where it stopped. */
  get hasSaidLast(): boolean {
    return this.phase === 'exited' || (this.#current !== null && this.#isDone(this.#current));
  }

  /** It has ended its work. One that a SIGTERM of somebody else drained has not: its share goes on. */
  #isDone({ drained }: Incarnation): boolean {
    return drained !== null && (drained.end !== 'drained' || this.#isTold);
  }

  drain(reason: string, deadlineNs: bigint): void {
    if (this.#current === null || this.phase === 'exited') return;
    this.phase = 'draining';
    this.#isTold = true;
    this.#current.process.link.send({ type: 'drain', reason, deadlineNs }).catch(() => undefined);
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#current?.process.kill(signal);
  }

  #receive(incarnation: Incarnation, raw: unknown): void {
    if (this.#current !== incarnation || incarnation.faulted !== '') return;
    const parsed = parseUpMessage(raw);
    if (!parsed.ok) return this.#refuse(incarnation, parsed.why);
    const { message } = parsed;
    if (
      message.type !== 'failed' &&
      (message.workerIndex !== this.index || message.incarnation !== incarnation.number)
    ) {
      return this.#refuse(
        incarnation,
        `it speaks for worker ${message.workerIndex}, incarnation ${message.incarnation}`,
      );
    }
    this.#accept(incarnation, message);
  }

  #accept(incarnation: Incarnation, message: ReadUpMessage): void {
    switch (message.type) {
      case 'ready':
        if (incarnation.wasReady) return this.#refuse(incarnation, 'it was ready twice');
        return this.#becomeReady(incarnation, message.protocolVersion, message.pid);
      case 'progress':
        return this.#take(incarnation, message.snapshot);
      case 'drained':
        incarnation.drained = { end: message.end, detail: message.detail };
        this.phase = 'draining';
        this.#take(incarnation, message.snapshot);
        return this.#events.onDrained(this, message.end, message.detail);
      case 'failed':
        this.#fault(incarnation, printable(`${message.error.name}: ${message.error.message}`));
        return;
      case 'batch':
        return this.#events.onBatchLine(message.line);
    }
  }

  #becomeReady(incarnation: Incarnation, protocolVersion: number, pid: number): void {
    if (protocolVersion !== PROTOCOL_VERSION)
      return this.#refuse(incarnation, `it speaks protocol ${protocolVersion}`);
    if (pid !== incarnation.process.pid) return this.#refuse(incarnation, `it says its pid is ${pid}`);
    incarnation.wasReady = true;
    incarnation.readyTimer.abort();
    if (this.phase !== 'spawning') return;
    this.phase = 'ready';
    this.#events.onReady(this);
    if (this.#startAtNs !== null) this.start(this.#startAtNs);
  }

  /** The pair of the worker's own check: what arrives balances, or its sender is not to be believed. */
  #take(incarnation: Incarnation, snapshot: Snapshot): void {
    const { ledger, tables } = snapshot;
    const isWhole = tables.length === 0 || sumOfTables(tables).offered === ledger.offered;
    if (ledger.offered !== settledRows(ledger) + ledger.inFlight || !isWhole)
      return this.#refuse(incarnation, 'its ledger does not balance');
    incarnation.snapshot = newer(incarnation.snapshot, snapshot);
    this.#remember(snapshot.use.residentBytesMax, snapshot.use.heapUsedBytes);
  }

  #refuse(incarnation: Incarnation, why: string): void {
    this.refusedMessages += 1;
    this.#fault(incarnation, `it sent what it may not: ${why}`);
  }

  #fault(incarnation: Incarnation, why: string): void {
    incarnation.faulted = why;
    incarnation.process.kill('SIGKILL');
  }

  /** The process is gone: its last word becomes this slot's, and somebody goes on where it stopped. */
  #bury(incarnation: Incarnation, exit: WorkerExit): void {
    assert(this.#current === incarnation, `worker ${this.index} is buried once`);
    incarnation.readyTimer.abort();
    incarnation.process.link.disconnect();
    this.lastExit = exit;
    this.#current = null;
    this.phase = 'exited';
    // Without a counter file it died before it could begin anything.
    const word = readCounterFile(incarnation.counterFile) ?? silentWord(incarnation.snapshot.nextBatch);
    const estate = estateOf(word, incarnation.inherited, this.#template.keyed);
    if (this.#isDone(incarnation)) {
      this.#close(incarnation, word, estate, false);
      return this.#events.onExited(this);
    }
    const { drained } = incarnation;
    const death: Death = {
      pid: incarnation.process.pid,
      exit,
      why: drained === null ? incarnation.faulted : `somebody ended it with ${drained.detail}`,
      wasReady: incarnation.wasReady,
      resends: estate.resend.length,
      lostRows: estate.lost.reduce((sum, batch) => sum + batch.unknown + batch.failed, 0),
    };
    this.deaths.push({ said: describeDeath(death), resends: death.resends, lostRows: death.lostRows });
    const isReplaced = this.#events.onDeath(this, death);
    this.isLowerBound ||= incarnation.wasReady && drained === null;
    this.#close(incarnation, word, estate, isReplaced);
    if (!isReplaced) return this.#events.onExited(this);
    this.restarts += 1;
    this.launch({ nextBatch: estate.nextBatch, resend: estate.resend }, this.#clock.monotonicNs());
  }

  /** Ledger and batches are the counter file's; what it does not hold is the last snapshot's. */
  #close(incarnation: Incarnation, word: LastWord, estate: Estate, isReplaced: boolean): void {
    const last = incarnation.snapshot;
    const { userCpuUs, systemCpuUs, residentBytesMax } = word.header;
    this.#remember(residentBytesMax, 0);
    const books = closeBooks(word, estate, {
      assignment: this.assignment,
      mix: this.#mix,
      hasSuccessor: isReplaced,
      nowMs: this.#clock.monotonicMs(),
      timeoutMs: this.#template.limits.timeoutMs,
    });
    this.#list(books.exceptions);
    this.#closed.push({
      ...last,
      // Of one that was killed all is told that it did until its death was seen.
      atMs: incarnation.drained === null ? this.#elapsedMs() : last.atMs,
      ledger: books.ledger,
      tables: books.tables,
      batches: books.batches,
      measuredRows: books.measuredRows,
      bodyBytes: books.bodyBytes,
      replyBytes: books.replyBytes,
      nodes: endOutages(last.nodes, this.#elapsedMs()),
      nextBatch: word.nextBatch,
      waiting: null,
      use: { ...last.use, residentBytes: 0, heapUsedBytes: 0, userCpuUs, systemCpuUs },
    });
  }

  /** Since the common start; 0 before it. */
  #elapsedMs(): number {
    if (this.#startAtNs === null) return 0;
    return Math.max(0, Number(this.#clock.monotonicNs() - this.#startAtNs) / 1e6);
  }

  /** One by one: as the arguments of a call, a hundred thousand are too many for the stack. */
  #list(exceptions: readonly ExceptionRecord[]): void {
    for (const exception of exceptions) this.exceptions.push(exception);
  }

  #remember(residentBytes: number, heapUsedBytes: number): void {
    this.residentBytesMax = Math.max(this.residentBytesMax, residentBytes);
    this.heapUsedBytesMax = Math.max(this.heapUsedBytesMax, heapUsedBytes);
  }
}

/** Of processes that were one after the other; 0 before any has said. */
function loopShare(snapshots: readonly Snapshot[]): number {
  const parts = snapshots.map(({ use: { eventLoopActiveMs, eventLoopUtilization } }) => ({
    mean: eventLoopUtilization,
    ms: eventLoopUtilization > 0 ? eventLoopActiveMs / eventLoopUtilization : 0,
  }));
  return Math.min(1, meanByTime(parts) ?? 0);
}

function sumOfTables(tables: Snapshot['tables']): Ledger {
  return tables.reduce(addLedgers, EMPTY_LEDGER);
}

/** For a message to people: `code 1, signal null`, and what it said last. */
export function describeDeath(death: Death): string {
  const { code, signal, lastWords } = death.exit;
  const how = signal !== null ? signal : `exit code ${String(code)}`;
  const why = death.why !== '' ? death.why : lastWords;
  return `pid ${death.pid ?? '–'}, ${how}${why === '' ? '' : `: ${messageOf(why)}`}`;
}
