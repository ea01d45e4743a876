/**
 * What the run looks like from outside, four times a second: the workers' cumulative snapshots and the readings
 * per PID, as one RunState for observers and one bounded series for the run file. Totals never pass through
 * here; a missed tick costs a picture, not a row.
 */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../base/clock.ts';
import type { HostFacts } from '../base/host.ts';
import type { HostUse } from '../base/host-use.ts';
import type { Verdict } from '../metrics/bottleneck.ts';
import { type Histogram, createHistogram, quantileUs, windowOf } from '../metrics/histogram.ts';
import { missingRows } from '../metrics/ledger.ts';
import { maxOfKnown } from '../metrics/measured.ts';
import { mergeSnapshots } from '../metrics/merge.ts';
import { type Series, createSeries } from '../metrics/series.ts';
import type { ProcessUse, Snapshot } from '../metrics/snapshot.ts';
import type { HostSample, ServerTelemetry } from '../metrics/telemetry.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { UseReader } from '../worker/process-use.ts';
import { type LoadReading, LoadWatch } from './load-watch.ts';
import type { ProcessSampler } from './process-sampler.ts';
import type { RunMoment, SeriesPoint } from './run-result.ts';
import type {
  OutsideView,
  RunNote,
  RunObserver,
  RunPhase,
  RunState,
  TargetState,
  WindowState,
  WorkerState,
} from './run-state.ts';
import type { ServerWatch } from './server-watch.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** Workers report so often, and all is looked at so often. */
export const TICK_MS = 250;
/** What a process says of its CPU time is so old at most: that much a thread may have used since. */
const APART_MS = 250;
/** So long after the workers' common reports: what was just read is still in the cache, and a tick shows them all. */
const AFTER_REPORTS_MS = 10;
/** Rates are over this many ticks: one second. */
const WINDOW_TICKS = 4;
/** What is slow to read, of the host and of each process, is read two seconds apart. */
const SLOW_EVERY_TICKS = 8;
/** Not at once: the first sampling starts two programs, while workers wait for the word to begin. */
const FIRST_SAMPLE_TICK = 1;
/** A second later: the first reading of a process has no percentage, and a short run is to have one. */
const SECOND_SAMPLE_TICK = 5;
/** Five minutes at full resolution; longer runs merge neighbours. */
const MAX_SERIES_POINTS = 1200;
const SPARKLINE_SECONDS = 60;
/** A node that comes and goes all day would fill the memory; what began it is among the first. */
const MAX_EVENTS = 500;

const NOT_SEEN: OutsideView = { cpuPercent: null, residentBytes: null };

/**
 * What was known at a look; how old it was then, its parts say. Of a worker no more than is needed: snapshots that are
 * kept for a second outgrow the space for young objects, and the old one fills sooner.
 */
interface Moment {
  readonly total: Snapshot;
  readonly perWorker: readonly WorkerMoment[];
}

interface WorkerMoment {
  readonly atMs: number;
  readonly acknowledged: number;
}

export class Monitor {
  readonly #plan: RunPlan;
  readonly #clock: Clock;
  readonly #observer: RunObserver;
  readonly #sampler: ProcessSampler;
  readonly #series: Series<SeriesPoint> = createSeries(MAX_SERIES_POINTS, mergePoints);
  readonly #loopAtStart = performance.eventLoopUtilization();
  readonly #over = new AbortController();
  readonly #events: RunMoment[] = [];
  #slots: readonly WorkerSlot[] = [];
  #onTick: () => void = () => undefined;
  #phase: RunPhase = 'preparing';
  #target: TargetState | null = null;
  #server: ServerWatch | null = null;
  readonly #loads: LoadWatch;
  readonly #readHost: () => HostUse;
  readonly #readUse: UseReader | null;
  #verdict: Verdict | null = null;
  #plannedRows: number | null = null;
  #earlierRows = 0;
  #startAtNs: bigint | null = null;
  #end: { readonly elapsedMs: number; readonly reading: LoadReading } | null = null;
  /** How far into the run the newest point of the series reaches. */
  #seriesToMs = 0;
  #moments: Moment[] = [];
  #sum: { readonly parts: readonly Snapshot[]; readonly total: Snapshot } = {
    parts: [],
    total: mergeSnapshots([]),
  };
  #recentRates: number[] = [];
  #pointServiceTime: Histogram = createHistogram();
  /** Per PID, the newest pair of readings of its CPU time, from outside and from itself, in ms. */
  readonly #cpuPairs = new Map<number, { outsideMs: number; insideMs: number }>();
  #ticks = 0;
  #weighTick = 0;
  #ticking: Promise<void> = Promise.resolve();

  constructor(parts: {
    readonly plan: RunPlan;
    readonly clock: Clock;
    readonly observer: RunObserver;
    readonly sampler: ProcessSampler;
    readonly host: HostFacts;
    readonly readHost: () => HostUse;
    /** Of this process; null where it is the worker's to tell. */
    readonly readUse: UseReader | null;
  }) {
    this.#plan = parts.plan;
    this.#clock = parts.clock;
    this.#observer = parts.observer;
    this.#sampler = parts.sampler;
    this.#loads = new LoadWatch({ plan: parts.plan, host: parts.host });
    this.#readHost = parts.readHost;
    this.#readUse = parts.readUse;
  }

  enter(phase: RunPhase): void {
    if (this.#phase === phase && phase !== 'preparing') return;
    this.#phase = phase;
    this.#observer({ kind: 'phase', state: this.state() });
  }

  get phase(): RunPhase {
    return this.#phase;
  }

  knowsTarget(target: TargetState, plannedRows: number | null): void {
    this.#target = target;
    this.#plannedRows = plannedRows;
  }

  /** From now on the server's view of itself is part of every state. */
  asksServer(watch: ServerWatch): void {
    this.#server = watch;
  }

  /** `onTick` is called with every look at the workers. */
  watch(slots: readonly WorkerSlot[], onTick: () => void): void {
    this.#slots = slots;
    this.#onTick = onTick;
    this.#ticking = this.#tickUntilClosed();
  }

  started(startAtNs: bigint): void {
    this.#startAtNs = startAtNs;
    this.#earlierRows = this.total().ledger.acknowledged;
  }

  /**
   * No worker has anything in flight: time stops where the last of them was done, however late that is heard of, and
   * what follows is not part of the run.
   */
  ended(): void {
    if (this.#end !== null) return;
    const reading = this.#reading(this.total());
    this.#end = { elapsedMs: Math.min(reading.total.atMs, reading.atMs), reading };
  }

  note(note: Omit<RunNote, 'kind' | 'atMs'>): void {
    this.record(note);
    this.#observer({ kind: 'note', ...note, atMs: this.#startAtNs === null ? null : this.elapsedMs() });
  }

  /** For the run file alone: what observers are told in another way. Nothing before the workers' start. */
  record({ level, event, message }: Omit<RunNote, 'kind' | 'atMs'>): void {
    if (this.#startAtNs === null || this.#events.length >= MAX_EVENTS) return;
    this.#events.push({ tMs: Math.round(this.elapsedMs()), level, event, message });
  }

  events(): readonly RunMoment[] {
    return this.#events;
  }

  elapsedMs(): number {
    if (this.#startAtNs === null) return 0;
    return this.#end?.elapsedMs ?? Math.max(0, Number(this.#clock.monotonicNs() - this.#startAtNs) / 1e6);
  }

  get #isRunning(): boolean {
    return this.#startAtNs !== null && this.#end === null;
  }

  total(): Snapshot {
    return this.#merged(this.#slots.map((slot) => slot.total()));
  }

  /** Several ask in each round of reports: the sum is made once. */
  #merged(totals: readonly Snapshot[]): Snapshot {
    const { parts } = this.#sum;
    if (totals.length !== parts.length || totals.some((total, position) => total !== parts[position]))
      this.#sum = { parts: totals, total: mergeSnapshots(totals) };
    return this.#sum.total;
  }

  get sampler(): ProcessSampler {
    return this.#sampler;
  }

  /** Null when the server was not asked. */
  serverTelemetry(): ServerTelemetry | null {
    return this.#server?.telemetry() ?? null;
  }

  points(): readonly SeriesPoint[] {
    return this.#series.points();
  }

  /** Share of the run in which the coordinator's event loop was busy, 0..1. */
  eventLoopUtilization(): number {
    return performance.eventLoopUtilization(this.#loopAtStart).utilization;
  }

  /** What the coordinator has cost so far; null where its process is the worker's, which tells. */
  ownUse(): ProcessUse | null {
    return this.#readUse?.('fresh') ?? null;
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#ticking;
    this.#sampler.close();
  }

  async #tickUntilClosed(): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.#onTick();
      if (isSampled(this.#ticks)) await this.#sample();
      this.#tick();
      this.#ticks += 1;
      await this.#clock.sleep(this.#msToNextTick(), this.#over.signal);
    }
  }

  /** Reports come at whole intervals after the start. A timer that was early does not make two ticks of one. */
  #msToNextTick(): number {
    if (!this.#isRunning) return TICK_MS;
    const leftMs = TICK_MS - ((this.elapsedMs() + TICK_MS - AFTER_REPORTS_MS) % TICK_MS);
    return leftMs < TICK_MS / 2 ? leftMs + TICK_MS : leftMs;
  }

  async #sample(): Promise<void> {
    await this.#sampler.sample(this.#pids());
    for (const slot of this.#slots) {
      const pid = slot.pid;
      const outsideMs = pid === null ? undefined : this.#sampler.historyOf(pid).latest?.cpuTimeMs;
      const inside = slot.currentUse();
      if (pid !== null && outsideMs !== undefined && inside !== null) {
        this.#cpuPairs.set(pid, { outsideMs, insideMs: (inside.userCpuUs + inside.systemCpuUs) / 1000 });
      }
    }
  }

  /** Sentences for PIDs whose own CPU time and the kernel's differ by more than `tolerance`. */
  cpuDifferences(tolerance: number, afterMs: number): string[] {
    if (this.elapsedMs() < afterMs) return [];
    return [...this.#cpuPairs].flatMap(([pid, { outsideMs, insideMs }]) => {
      const isFar =
        Math.abs(outsideMs - insideMs) > Math.max(tolerance * outsideMs, APART_MS) &&
        outsideMs > afterMs * tolerance;
      return isFar
        ? [
            `pid ${pid}: its own CPU time was ${(insideMs / 1000).toFixed(2)} s when the kernel's was ${(outsideMs / 1000).toFixed(2)} s: take the CPU figures with care.`,
          ]
        : [];
    });
  }

  #pids(): number[] {
    const workers = this.#slots.flatMap((slot) => (slot.pid === null ? [] : [slot.pid]));
    return [...new Set([process.pid, ...workers])];
  }

  #tick(): void {
    const totals = this.#slots.map((slot) => slot.total());
    const moment = { total: this.#merged(totals), perWorker: totals.map(workerMoment) };
    this.#moments = [...this.#moments.slice(-WINDOW_TICKS), moment];
    if (this.#ticks >= this.#weighTick) this.#weigh(moment.total, totals);
    const state = this.#stateOf(totals);
    if (this.#ticks % WINDOW_TICKS === 0 && this.#isRunning) {
      this.#recentRates = [...this.#recentRates, state.window.rowsPerSecond].slice(-SPARKLINE_SECONDS);
    }
    // A look that came before the reports has nothing new to tell.
    if (this.#isRunning && state.total.atMs > this.#seriesToMs) this.#series.offer(this.#point(state));
    this.#observer({ kind: 'tick', state });
  }

  /** How busy both sides are. Begins when every worker has reported, so that no start-up is in it. */
  #weigh(total: Snapshot, totals: readonly Snapshot[]): void {
    if (!this.#isRunning || totals.some(({ sequence }) => sequence === 0)) return;
    this.#weighTick = this.#ticks + SLOW_EVERY_TICKS;
    this.#loads.take(this.#reading(total));
    this.#verdict = this.#loads.recentVerdict(this.#target, this.serverTelemetry());
  }

  #reading(total: Snapshot): LoadReading {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    return {
      atMs: this.elapsedMs(),
      total,
      parentCpuUs: userCPUTime + systemCPUTime,
      host: this.#readHost(),
    };
  }

  /** What limited the run as a whole. */
  verdict(target: TargetState): Verdict {
    const reading = this.#end?.reading ?? this.#reading(this.total());
    return this.#loads.verdict(reading, target, this.serverTelemetry());
  }

  hostSamples(): readonly HostSample[] {
    return this.#loads.hostSamples();
  }

  state(): RunState {
    return this.#stateOf(this.#slots.map((slot) => slot.total()));
  }

  /** `totals` of the slots, in their order. */
  #stateOf(totals: readonly Snapshot[]): RunState {
    const total = this.#moments.at(-1)?.total ?? this.#merged(totals);
    const rates = this.#rates();
    return {
      plan: this.#plan,
      phase: this.#phase,
      target: this.#target,
      elapsedMs: this.elapsedMs(),
      plannedRows: this.#plannedRows,
      earlierRows: this.#earlierRows,
      workers: this.#slots.map((slot, position) =>
        this.#workerState(slot, totals[position] ?? slot.total(), rates.perWorker[position] ?? 0),
      ),
      total,
      window: rates.window,
      coordinator: {
        pid: process.pid,
        outside: this.#outside(process.pid),
        eventLoopUtilization: this.eventLoopUtilization(),
      },
      server: this.#server?.view() ?? null,
      host: this.#loads.latestSample,
      verdict: this.#verdict,
      recentRowsPerSecond: this.#recentRates,
    };
  }

  #workerState(slot: WorkerSlot, total: Snapshot, rowsPerSecond: number): WorkerState {
    return {
      index: slot.index,
      pid: slot.pid,
      phase: slot.phase,
      restarts: slot.restarts,
      total,
      rowsPerSecond,
      outside: slot.pid === null ? NOT_SEEN : this.#outside(slot.pid),
    };
  }

  #outside(pid: number): OutsideView {
    const { latest } = this.#sampler.historyOf(pid);
    return latest === null
      ? NOT_SEEN
      : { cpuPercent: latest.cpuPercent, residentBytes: latest.residentBytes };
  }

  #rates(): { window: WindowState; perWorker: readonly number[] } {
    const [earlier, later] = [this.#moments[0], this.#moments.at(-1)];
    const seconds =
      earlier === undefined || later === undefined ? 0 : secondsBetween(earlier.total, later.total);
    if (earlier === undefined || later === undefined || seconds <= 0) {
      return {
        window: { rowsPerSecond: 0, bodyBytesPerSecond: 0, p50Ms: null, p99Ms: null, maxMs: null },
        perWorker: [],
      };
    }
    const service = windowOf(later.total.serviceTime, earlier.total.serviceTime);
    return {
      window: {
        rowsPerSecond: (later.total.ledger.acknowledged - earlier.total.ledger.acknowledged) / seconds,
        bodyBytesPerSecond: (later.total.bodyBytes - earlier.total.bodyBytes) / seconds,
        p50Ms: inMs(quantileUs(service, 0.5)),
        p99Ms: inMs(quantileUs(service, 0.99)),
        maxMs: service.count === 0 ? null : service.maxUs / 1000,
      },
      perWorker: later.perWorker.map((total, position) => rateBetween(earlier.perWorker[position], total)),
    };
  }

  #point(state: RunState): SeriesPoint {
    const service = windowOf(state.total.serviceTime, this.#pointServiceTime);
    this.#pointServiceTime = state.total.serviceTime;
    this.#seriesToMs = state.total.atMs;
    const { ledger } = state.total;
    return {
      tMs: Math.round(state.total.atMs),
      rows: ledger.acknowledged,
      p50Ms: inMs(quantileUs(service, 0.5)),
      p99Ms: inMs(quantileUs(service, 0.99)),
      errors: missingRows(ledger),
      workers: state.workers.flatMap(({ index, pid, total, outside }) =>
        pid === null
          ? []
          : [
              {
                index,
                pid,
                rows: total.ledger.acknowledged,
                cpuPercent: outside.cpuPercent,
                residentBytes: outside.residentBytes,
              },
            ],
      ),
    };
  }
}

function workerMoment({ atMs, ledger }: Snapshot): WorkerMoment {
  return { atMs, acknowledged: ledger.acknowledged };
}

function secondsBetween(earlier: { readonly atMs: number }, later: { readonly atMs: number }): number {
  return (later.atMs - earlier.atMs) / 1000;
}

/** Acknowledged rows per second of one worker; 0 while it says nothing new. */
function rateBetween(earlier: WorkerMoment | undefined, later: WorkerMoment): number {
  if (earlier === undefined || later.atMs <= earlier.atMs) return 0;
  return Math.max(0, later.acknowledged - earlier.acknowledged) / secondsBetween(earlier, later);
}

function isSampled(tick: number): boolean {
  return tick === FIRST_SAMPLE_TICK || tick % SLOW_EVERY_TICKS === SECOND_SAMPLE_TICK;
}

/** Counts are cumulative, so the later point holds both; the worse percentile stays visible. */
function mergePoints(earlier: SeriesPoint, later: SeriesPoint): SeriesPoint {
  return { ...later, p50Ms: later.p50Ms ?? earlier.p50Ms, p99Ms: maxOfKnown([earlier.p99Ms, later.p99Ms]) };
}

function inMs(us: number | null): number | null {
  return us === null ? null : us / 1000;
}
