/**
 * All workers of a run: started together when all are ready, replaced when they die, stopped by the ladder of
 * signals and deadlines. Whatever ends the run first is its reason.
 */
import type { Clock } from '../base/clock.ts';
import { durationFlag, formatBytes, formatDuration, formatExact } from '../base/units.ts';
import { missingRows } from '../metrics/ledger.ts';
import { reasonOf } from '../metrics/node-counts.ts';
import type { ResumedBooks } from '../plan/plan-file.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { WorkerEnd } from '../protocol/messages.ts';
import type { Monitor } from './monitor.ts';
import type { EndReason } from './run-result.ts';
import type { StopControl } from './stop-control.ts';
import { type Death, type InitTemplate, WorkerSlot, describeDeath } from './worker-slot.ts';
import type { SpawnWorker } from './worker-process.ts';
import type { Snapshot } from '../metrics/snapshot.ts';

const MAX_DEATHS_IN_WINDOW = 5;
const DEATH_WINDOW_MS = 10_000;
const MAX_DEATHS = 20;
/** After the drain deadline a worker only has to say its last word. */
const LAST_WORD_MS = 1000;
const TERM_TO_KILL_MS = 2000;
/** A forced end takes at most two seconds in all, the summary included. */
const FORCED_KILL_MS = 700;
/** When the target is out or blocked there is little to wait for. */
const HOPELESS_DRAIN_MS = 2000;
/** The default tolerance of 0 ends a run early only when nothing works at all. */
const HOPELESS_ROWS = 10_000;
const MIN_ROWS_FOR_SHARE = 10_000;
/** Who never began has nothing to drain; a signal before the first batch ends within 5 s. */
const UNSTARTED_DRAIN_MS = 1000;
/** From fork to `ready`: for one worker, and for each that starts at the same time on a host of few cores. */
const READY_TIMEOUT_MS = 10_000;
const READY_TIMEOUT_PER_WORKER_MS = 1000;
/** The common start lies this far ahead, so that every worker has heard of it. */
const START_AHEAD_MS = 2;

export interface CrewEnd {
  readonly reason: EndReason;
  readonly detail: string;
}

export interface CrewParts {
  readonly plan: RunPlan;
  readonly clock: Clock;
  readonly stop: StopControl;
  readonly monitor: Monitor;
  readonly spawn: SpawnWorker;
  readonly templates: readonly InitTemplate[];
  readonly counterFileOf: (workerIndex: number, incarnation: number) => string;
  readonly onBatchLine: (line: string) => void;
  /** Per worker: where an earlier part of this run stopped. Null for a new run. */
  readonly resumed: readonly ResumedBooks[] | null;
}

export class Crew {
  readonly slots: readonly WorkerSlot[];
  readonly #parts: CrewParts;
  readonly #deaths: { index: number; atMs: number }[] = [];
  readonly #allReady = Promise.withResolvers<void>();
  readonly #allExited = Promise.withResolvers<void>();
  readonly #over = new AbortController();
  /** Aborted with the first cause to end. */
  readonly #stopping = new AbortController();
  #end: CrewEnd | null = null;
  #hasStarted = false;
  /** What all wait for, and the nodes that are out and since when: each is told once. */
  #waited = '';
  #out: ReadonlyMap<number, number> = new Map();

  constructor(parts: CrewParts) {
    this.#parts = parts;
    this.slots = parts.templates.map(
      (template, position) =>
        new WorkerSlot({
          clock: parts.clock,
          spawn: parts.spawn,
          template,
          counterFileOf: (incarnation) => parts.counterFileOf(template.workerIndex, incarnation),
          readyTimeoutMs: READY_TIMEOUT_MS + parts.templates.length * READY_TIMEOUT_PER_WORKER_MS,
          resumed: parts.resumed?.[position] ?? null,
          events: {
            onReady: () => this.#checkReady(),
            onDrained: (slot, end, detail) => this.#onDrained(slot, end, detail),
            onDeath: (slot, death) => this.#onDeath(slot, death),
            onBatchLine: parts.onBatchLine,
            onExited: () => this.#checkExited(),
          },
        }),
    );
  }

  /** From the first fork to the last exit. Never rejects. */
  async run(): Promise<CrewEnd> {
    const { stop, monitor } = this.#parts;
    monitor.enter('starting');
    this.slots.forEach((slot, position) => slot.launch(this.#parts.resumed?.[position] ?? null));
    monitor.watch(this.slots, () => this.#check());
    onAbort(stop.graceful, () => this.#stopForSignal());
    onAbort(stop.forced, () => void this.#force());
    await Promise.race([this.#allReady.promise, this.#allExited.promise]);
    if (this.#end === null) await this.#startTogether();
    await this.#allExited.promise;
    this.#over.abort();
    monitor.ended();
    return this.#end ?? this.#naturalEnd();
  }

  /** Said in one line, then a drain as after a signal. */
  stopEarly(reason: EndReason, detail: string): void {
    if (this.#end !== null) return;
    this.#parts.monitor.note({ level: 'error', event: reason, message: `stopping: ${detail}` });
    this.#stopFor(reason, detail, this.#parts.plan.safety.drainTimeoutMs);
  }

  #stopForSignal(): void {
    const { stop, monitor, plan } = this.#parts;
    // The screen and the log show it as the next phase.
    const message = `${stop.cause()?.signal ?? 'a signal'}: no new batches are begun`;
    if (this.#end === null) monitor.record({ level: 'warning', event: 'signal', message });
    this.#stopFor('signal', '', plan.safety.drainTimeoutMs);
  }

  async #startTogether(): Promise<void> {
    const { clock, plan, monitor } = this.#parts;
    const waitMs = plan.startAtMs === null ? 0 : plan.startAtMs - clock.wallMs();
    if (waitMs > 0) {
      monitor.note({
        level: 'info',
        event: 'waiting',
        message: `all workers are ready; starting in ${durationFlag(Math.ceil(waitMs / 1000) * 1000)}`,
      });
      await clock.sleep(waitMs, this.#stopping.signal);
    } else if (waitMs < 0) {
      monitor.note({
        level: 'warning',
        event: 'startedLate',
        message: `--start-at was ${formatDuration(-waitMs)} ago when the workers were ready: they begin at once`,
      });
    }
    if (this.#end !== null) return;
    const startAtNs = clock.monotonicNs() + BigInt(START_AHEAD_MS * 1e6);
    this.#hasStarted = true;
    monitor.started(startAtNs);
    this.slots.forEach((slot) => slot.start(startAtNs));
    monitor.enter(plan.load.warmUpMs > 0 ? 'warmingUp' : 'running');
  }

  #checkReady(): void {
    if (!this.#hasStarted && this.slots.every(({ phase }) => phase === 'ready')) this.#allReady.resolve();
  }

  #checkExited(): void {
    if (this.slots.every(({ phase }) => phase === 'exited')) this.#allExited.resolve();
  }

  #onDrained(slot: WorkerSlot, end: WorkerEnd, detail: string): void {
    // What a process needs to end, on a full host seconds, is no time in which rows were sent.
    if (this.slots.every(({ hasSaidLast }) => hasSaidLast)) this.#parts.monitor.ended();
    // The first one ends the run, and speaks for all.
    if ((end === 'outage' || end === 'blocked') && this.#end === null) {
      this.#parts.monitor.note({
        level: 'error',
        event: end,
        message: `worker ${slot.index} gave up waiting: ${detail}`,
      });
      this.#stopFor(end, detail, HOPELESS_DRAIN_MS);
    }
  }

  /** Whether the dead worker is replaced. */
  #onDeath(slot: WorkerSlot, death: Death): boolean {
    const { clock, monitor } = this.#parts;
    if (this.#end !== null) return false;
    const nowMs = clock.monotonicMs();
    this.#deaths.push({ index: slot.index, atMs: nowMs });
    const recent = this.#deaths.filter(
      ({ index, atMs }) => index === slot.index && nowMs - atMs <= DEATH_WINDOW_MS,
    );
    const said = `worker ${slot.index} died (${describeDeath(death)})`;
    if (recent.length >= MAX_DEATHS_IN_WINDOW || this.#deaths.length >= MAX_DEATHS) {
      monitor.note({
        level: 'error',
        event: 'workersKeepDying',
        message: `${said}; ${this.#deaths.length} deaths in this run, not replaced any more`,
      });
      this.#stopFor('workers', said, this.#parts.plan.safety.drainTimeoutMs);
      return false;
    }
    const again =
      death.resends > 0
        ? `, ${death.resends} ${death.resends === 1 ? 'batch is' : 'batches are'} sent again`
        : '';
    const lost = death.lostRows > 0 ? `, ${formatExact(death.lostRows)} rows were in flight` : '';
    monitor.note({ level: 'warning', event: 'workerDied', message: `${said}: replaced${again}${lost}` });
    return true;
  }

  /** Starts nothing new; after `drainMs` what is in flight is abandoned; then TERM, then KILL. */
  #stopFor(reason: EndReason, detail: string, drainMs: number): void {
    if (this.#end !== null) return;
    this.#end = { reason, detail };
    this.#stopping.abort();
    const { clock, monitor } = this.#parts;
    monitor.enter('draining');
    const allowedMs = this.#hasStarted ? drainMs : Math.min(drainMs, UNSTARTED_DRAIN_MS);
    const deadlineNs = clock.monotonicNs() + BigInt(Math.round(allowedMs * 1e6));
    this.slots.forEach((slot) => slot.drain(reason, deadlineNs));
    this.#allReady.resolve();
    this.#checkExited();
    void this.#climb(allowedMs + LAST_WORD_MS);
  }

  async #climb(untilTermMs: number): Promise<void> {
    const { clock } = this.#parts;
    await clock.sleep(untilTermMs, this.#over.signal);
    if (this.#over.signal.aborted) return;
    this.slots.forEach((slot) => slot.kill('SIGTERM'));
    await clock.sleep(TERM_TO_KILL_MS, this.#over.signal);
    if (!this.#over.signal.aborted) this.slots.forEach((slot) => slot.kill('SIGKILL'));
  }

  async #force(): Promise<void> {
    const { clock } = this.#parts;
    this.slots.forEach((slot) => slot.drain('forced', clock.monotonicNs()));
    await clock.sleep(FORCED_KILL_MS, this.#over.signal);
    if (!this.#over.signal.aborted) this.slots.forEach((slot) => slot.kill('SIGKILL'));
  }

  /** What follows from the workers' reports while they run. */
  #check(): void {
    const { monitor, plan } = this.#parts;
    if (!this.#hasStarted || this.#over.signal.aborted) return;
    if (monitor.phase === 'warmingUp' && monitor.elapsedMs() >= plan.load.warmUpMs) monitor.enter('running');
    const total = monitor.total();
    this.#waited = this.#announceWaiting(total, this.#waited);
    this.#out = this.#announceOutages(total, this.#out);
    this.#checkTolerance(total);
  }

  /** One line when the target lets nobody in, and one when it does again; not one per worker or probe. */
  #announceWaiting({ waiting }: Snapshot, before: string): string {
    const { monitor, plan } = this.#parts;
    const now = waiting?.cause ?? '';
    if (now === before || this.#end !== null) return before;
    if (waiting === null) {
      monitor.note({ level: 'info', event: 'recovered', message: 'the target takes rows again' });
    } else if (waiting.cause === 'blocked') {
      const limit = durationFlag(plan.safety.blockTimeoutMs);
      monitor.note({
        level: 'warning',
        event: 'blocked',
        message: `the table is blocked: ${waiting.detail}; paused, asking every 5 s for at most ${limit}`,
      });
    } else if (waiting.cause === 'outage') {
      const limit = durationFlag(plan.safety.outageTimeoutMs);
      monitor.note({
        level: 'warning',
        event: 'outage',
        message: `no node takes rows: ${waiting.detail}; paused, asking every second for at most ${limit}`,
      });
    } else {
      monitor.note({
        level: 'warning',
        event: 'overload',
        message: `the target asks for less: ${waiting.detail}; backing off`,
      });
    }
    return now;
  }

  /** One line when a node of several is out, and one when no worker sees it out any more; `before`: since when. */
  #announceOutages({ nodes }: Snapshot, before: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
    const origins = this.#parts.templates[0]?.access.nodes ?? [];
    if (origins.length < 2 || this.#end !== null) return before;
    const { monitor } = this.#parts;
    const now = new Map<number, number>();
    nodes.forEach(({ outages }, node) => {
      const last = outages.at(-1);
      if (last?.toMs !== null) return;
      now.set(node, before.get(node) ?? last.fromMs);
      if (before.has(node)) return;
      const origin = origins[node] ?? '';
      const message = `${origin}: ${reasonOf(origin, last.why)}; it rests, the other nodes take its share`;
      monitor.note({ level: 'warning', event: 'nodeOut', message });
    });
    for (const [node, sinceMs] of before) {
      if (now.has(node)) continue;
      const seconds = Math.round((monitor.elapsedMs() - sinceMs) / 100) / 10;
      const message = `${origins[node]} takes requests again, ${seconds} s after it went out`;
      monitor.note({ level: 'info', event: 'nodeBack', message });
    }
    return now;
  }

  #checkTolerance({ ledger }: Snapshot): void {
    const { maxFailed, stopsAtMaxFailed } = this.#parts.plan.safety;
    const bad = missingRows(ledger);
    if (!stopsAtMaxFailed) {
      if (bad >= HOPELESS_ROWS && ledger.acknowledged === 0)
        this.stopEarly('maxFailed', `none of the first ${formatExact(bad)} rows was acknowledged`);
      return;
    }
    const limit = maxFailed.kind === 'rows' ? maxFailed.rows : maxFailed.share * ledger.offered;
    const counts = maxFailed.kind === 'rows' || ledger.offered >= MIN_ROWS_FOR_SHARE;
    if (counts && bad > limit) {
      this.stopEarly(
        'maxFailed',
        `${formatExact(bad)} of ${formatExact(ledger.offered)} rows were rejected, failed or unknown`,
      );
    }
  }

  #naturalEnd(): CrewEnd {
    const { monitor, plan } = this.#parts;
    const { bounds } = plan;
    const { maxBytes } = plan.safety;
    const exhausted = this.slots.every(
      (slot) => bounds.rows !== null && slot.total().nextBatch * slot.assignment.batchSize >= bounds.rows,
    );
    if (maxBytes !== null && !exhausted && monitor.elapsedMs() < (bounds.durationMs ?? Infinity)) {
      const sent = formatBytes(monitor.total().bodyBytes);
      return { reason: 'rows', detail: `${sent} of request bodies were sent, --max-bytes allows no more` };
    }
    return { reason: exhausted || bounds.durationMs === null ? 'rows' : 'duration', detail: '' };
  }
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}
