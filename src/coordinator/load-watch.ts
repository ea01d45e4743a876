/**
 * How busy both sides were in a stretch of the run: readings of cumulative counters every two seconds, and the facts
 * between two of them, from which the verdict is made. The whole run is such a stretch, and so are the last seconds.
 */
import { type HostFacts, isLoopback, usableCores } from '../base/host.ts';
import type { HostUse } from '../base/host-use.ts';
import {
  type HoldCause,
  type LoadFacts,
  type ServerLoad,
  type Verdict,
  judge,
} from '../metrics/bottleneck.ts';
import { settledRows } from '../metrics/ledger.ts';
import { meanOfKnown, sumOfKnown } from '../metrics/measured.ts';
import { type Series, createSeries } from '../metrics/series.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { type HostSample, type ServerTelemetry, underLoad } from '../metrics/telemetry.ts';
import { rowsDueBy } from '../plan/assignment.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { TargetState } from './run-state.ts';

/** The live verdict is over so many seconds: long enough for the server's samples, short enough to follow. */
const RECENT_READINGS = 6;
const MAX_HOST_SAMPLES = 1200;
const MAX_BACKLOGS = 120;

/** Everything that only grows, at one moment. */
export interface LoadReading {
  /** Of parent and host, after the common start. */
  readonly atMs: number;
  /** Over all workers, with a time of its own; its histograms are not looked at. */
  readonly total: Snapshot;
  readonly parentCpuUs: number;
  readonly host: HostUse;
}

/** A reading, and for how long the target had let no row in until then. */
interface WatchedReading extends LoadReading {
  readonly heldMs: Readonly<Record<HoldCause, number>>;
}

export interface LoadWatchParts {
  readonly plan: RunPlan;
  readonly host: HostFacts;
}

/** Of a schedule at one moment, in rows of this machine. */
interface Backlog {
  readonly due: number;
  /** Due, and neither settled nor dropped. */
  readonly waiting: number;
}

export class LoadWatch {
  readonly #parts: LoadWatchParts;
  readonly #samples: Series<HostSample> = createSeries(MAX_HOST_SAMPLES, (earlier, later) => ({
    ...later,
    busyPercent: meanOfKnown([earlier.busyPercent, later.busyPercent]),
  }));
  readonly #backlogs: Series<Backlog> = createSeries(MAX_BACKLOGS, (_earlier, later) => later);
  #recent: readonly WatchedReading[] = [];
  #first: WatchedReading | null = null;
  #latestSample: HostSample | null = null;

  constructor(parts: LoadWatchParts) {
    this.#parts = parts;
  }

  /** Takes a reading, every two seconds while workers run. */
  take(reading: LoadReading): void {
    const before = this.#recent.at(-1);
    const watched = watchedAfter(before ?? null, reading);
    this.#first ??= watched;
    this.#recent = [...this.#recent, watched].slice(-RECENT_READINGS);
    this.#latestSample = hostSample(reading, before ?? null, this.#first);
    this.#samples.offer(this.#latestSample);
    const backlog = backlogOf(this.#parts.plan, reading);
    if (backlog !== null) this.#backlogs.offer(backlog);
  }

  get latestSample(): HostSample | null {
    return this.#latestSample;
  }

  hostSamples(): readonly HostSample[] {
    return this.#samples.points();
  }

  /** Of the last seconds; null before there are any. */
  recentVerdict(target: TargetState | null, server: ServerTelemetry | null): Verdict | null {
    const [from, to] = [this.#recent[0], this.#recent.at(-1)];
    if (from === undefined || to === undefined || from === to) return null;
    const backlogs = this.#recent.map((reading) => backlogOf(this.#parts.plan, reading));
    return judge(this.#facts([from, to], backlogs, target, server));
  }

  /** Of the whole run up to `end`. */
  verdict(last: LoadReading, target: TargetState, server: ServerTelemetry | null): Verdict {
    const end = watchedAfter(this.#recent.at(-1) ?? null, last);
    const backlogs = this.#backlogs.points();
    // Its first half fills the request slots, and the caches of both sides.
    const settled = backlogs.slice(Math.floor(backlogs.length / 2));
    return judge(this.#facts([this.#first ?? end, end], settled, target, server));
  }

  #facts(
    [from, to]: readonly [WatchedReading, WatchedReading],
    backlogs: readonly (Backlog | null)[],
    target: TargetState | null,
    server: ServerTelemetry | null,
  ): LoadFacts {
    const { load } = this.#parts.plan;
    // Reports may be older than the look at the host: each is held against its own time.
    const elapsedMs = to.total.atMs - from.total.atMs;
    const watchedMs = to.atMs - from.atMs;
    const grown = (of: (reading: LoadReading) => number): number => Math.max(0, of(to) - of(from));
    const perTime = (amount: number | null, ms: number): number | null =>
      amount === null || ms <= 0 ? null : amount / ms;
    const workersCpuMs = grown(({ total }) => (total.use.userCpuUs + total.use.systemCpuUs) / 1000);
    const parentCpuMs = grown(({ parentCpuUs }) => parentCpuUs / 1000);
    const inPercent = (share: number | null): number | null => (share === null ? null : share * 100);
    const isAlone = this.#parts.plan.command === 'single';
    const workersCpu = perTime(workersCpuMs, elapsedMs);
    // In `single` the parent is the worker.
    const parentCpu = isAlone ? 0 : perTime(parentCpuMs, watchedMs);
    const offered = grown(({ total }) => total.ledger.offered);
    const dropped = grown(({ total }) => total.droppedRows);
    return {
      elapsedMs,
      processes: load.procs,
      cores: usableCores(this.#parts.host),
      slots: load.procs * load.inFlight,
      loopBusy: shareOrNull(
        grown(({ total }) => total.use.eventLoopActiveMs),
        elapsedMs * load.procs,
      ),
      workersCpuPercent: inPercent(workersCpu),
      clientCpuPercent: inPercent(sumOfKnown([workersCpu, parentCpu])),
      hostBusyPercent: inPercent(perTime(difference(to.host.busyMs, from.host.busyMs), watchedMs)),
      coreWaitShare: shareOrNull(
        difference(to.total.use.coreWaitMs, from.total.use.coreWaitMs),
        elapsedMs * load.procs,
      ),
      throttledShare: perTime(difference(to.host.throttledMs, from.host.throttledMs), watchedMs),
      requests: grown(({ total }) => total.answers.requests),
      serviceUs: grown(({ total }) => total.answers.serviceUs),
      toldServiceUs: grown(({ total }) => total.answers.toldServiceUs),
      serverUs: grown(({ total }) => total.answers.serverUs),
      sentBytesPerSecond:
        (perTime(
          grown(({ total }) => total.bodyBytes),
          elapsedMs,
        ) ?? 0) * 1000,
      schedule:
        load.rowsPerSecond === null
          ? null
          : {
              askedRowsPerSecond: load.rowsPerSecond,
              droppedShare: offered + dropped === 0 ? 0 : dropped / (offered + dropped),
              backlogShare: backlogShare(backlogs, load.procs * load.batchSize),
            },
      pauseMs: load.batchIntervalMs,
      held: heldBetween(from, to),
      server: target === null ? null : serverLoad(target, server, this.#parts, [from.atMs, to.atMs]),
    };
  }
}

/** The stretch before a reading counts as held where its workers wait at its end. */
function watchedAfter(before: WatchedReading | null, reading: LoadReading): WatchedReading {
  const cause = reading.total.waiting?.cause ?? 'overload';
  const heldMs = before?.heldMs ?? { outage: 0, blocked: 0 };
  if (before === null || cause === 'overload') return { ...reading, heldMs };
  return { ...reading, heldMs: { ...heldMs, [cause]: heldMs[cause] + reading.atMs - before.atMs } };
}

/** By the cause that held more of it; null where none did. */
function heldBetween(from: WatchedReading, to: WatchedReading): LoadFacts['held'] {
  const ofCause = (cause: HoldCause): number => to.heldMs[cause] - from.heldMs[cause];
  const cause: HoldCause = ofCause('blocked') > ofCause('outage') ? 'blocked' : 'outage';
  const heldMs = ofCause(cause);
  return heldMs <= 0 ? null : { cause, share: Math.min(1, heldMs / (to.atMs - from.atMs)) };
}

/** Null without a schedule, and when it is over: what waits then does not grow. */
function backlogOf({ load, machine, bounds }: RunPlan, { total }: LoadReading): Backlog | null {
  const { rowsPerSecond, rampUpMs } = load;
  const { atMs } = total;
  if (rowsPerSecond === null || atMs >= (bounds.durationMs ?? Infinity)) return null;
  const due = rowsDueBy({ rowsPerSecond, rampUpMs }, atMs) / machine.count;
  if (due >= (bounds.rows ?? Infinity) / machine.count) return null;
  return { due, waiting: due - settledRows(total.ledger) - total.droppedRows };
}

/** `granularity`: rows that may wait or not by chance, since they come in batches. */
function backlogShare(backlogs: readonly (Backlog | null)[], granularity: number): number | null {
  const known = backlogs.filter((backlog) => backlog !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || last.due <= first.due) return null;
  return Math.max(0, last.waiting - first.waiting - granularity) / (last.due - first.due);
}

function serverLoad(
  target: TargetState,
  telemetry: ServerTelemetry | null,
  { plan, host }: LoadWatchParts,
  [fromMs, toMs]: readonly [number, number],
): ServerLoad {
  const isOnThisHost = target.nodes.length > 0 && target.nodes.every(isLoopback);
  const samples = underLoad(telemetry?.samples ?? []).filter(({ tMs }) => tMs >= fromMs && tMs <= toMs);
  const cores = sumOfKnown((telemetry?.nodes ?? []).map((node) => node.cores));
  const rejected = samples.map((sample) => sumOfKnown(sample.nodes.map((node) => node.writeRejected)));
  return {
    kind: target.kind,
    isOnThisHost,
    isOwn: plan.target.kind === 'embedded',
    cpuPercent: meanOfKnown(samples.map((sample) => sumOfKnown(sample.nodes.map((node) => node.cpuPercent)))),
    // Several nodes on one host each count all of its cores.
    cores: cores === null ? null : isOnThisHost ? Math.min(cores, host.cores) : cores,
    writeQueue: meanOfKnown(samples.map((sample) => sumOfKnown(sample.nodes.map((node) => node.writeQueue)))),
    rejected: difference(rejected.at(-1) ?? null, rejected[0] ?? null),
    redShare: meanOfKnown(samples.map(({ health }) => (health === null ? null : Number(health === 'RED')))),
  };
}

function hostSample(reading: LoadReading, before: LoadReading | null, first: LoadReading): HostSample {
  const busyMs = before === null ? null : difference(reading.host.busyMs, before.host.busyMs);
  return {
    tMs: Math.round(reading.atMs),
    busyPercent:
      busyMs === null || before === null || reading.atMs <= before.atMs
        ? null
        : (busyMs / (reading.atMs - before.atMs)) * 100,
    throttledMs: difference(reading.host.throttledMs, first.host.throttledMs),
    receivedBytes: difference(reading.host.receivedBytes, first.host.receivedBytes),
    sentBytes: difference(reading.host.sentBytes, first.host.sentBytes),
  };
}

/** Counters that fell began anew: what they had before is not known. */
function difference(later: number | null, earlier: number | null): number | null {
  return later === null || earlier === null ? null : Math.max(0, later - earlier);
}

function shareOrNull(amount: number | null, whole: number): number | null {
  return amount === null || whole <= 0 ? null : Math.min(1, amount / whole);
}
