/**
 * What an observer of a run sees: the state of the whole at one instant, and what happened. The live screen, the
 * line log and the recorder are made from these; the coordinator knows none of them.
 */
import type { TargetKind } from '../base/target-kind.ts';
import type { Verdict } from '../metrics/bottleneck.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import type { HostSample, ServerNode, ServerSample } from '../metrics/telemetry.ts';
import type { RunPlan } from '../plan/run-plan.ts';

/** In the order in which a run goes through them; it may skip some. */
export const RUN_PHASES = [
  'preparing',
  'starting',
  'warmingUp',
  'running',
  'draining',
  'resolving',
  'verifying',
  'done',
] as const;
export type RunPhase = (typeof RUN_PHASES)[number];

export type WorkerPhase = 'spawning' | 'ready' | 'running' | 'draining' | 'exited';

/** A process seen from outside (pidusage): 100 % = one core. Null before the first two samples. */
export interface OutsideView {
  readonly cpuPercent: number | null;
  readonly residentBytes: number | null;
}

/** One worker slot: the sum over its incarnations, and the process that is in it now. */
export interface WorkerState {
  readonly index: number;
  readonly pid: number | null;
  readonly phase: WorkerPhase;
  readonly restarts: number;
  /** Sum over incarnations, the current one's newest included. */
  readonly total: Snapshot;
  /** Over the last window (about one second): */
  readonly rowsPerSecond: number;
  readonly outside: OutsideView;
}

export interface WindowState {
  /** Acknowledged rows per second over the last second. */
  readonly rowsPerSecond: number;
  readonly bodyBytesPerSecond: number;
  /** Of service times in the last window, ms; null with too few samples. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

/** Facts about the target, known after preparation. */
export interface TargetState {
  readonly kind: TargetKind;
  readonly version: string | null;
  readonly nodes: readonly string[];
  readonly keyed: boolean;
}

export interface RunState {
  readonly plan: RunPlan;
  readonly phase: RunPhase;
  /** Null before preparation found out. */
  readonly target: TargetState | null;
  /** Milliseconds since the workers' common start; 0 before it. */
  readonly elapsedMs: number;
  /** Rows this machine is to offer, or null when only time bounds the run. */
  readonly plannedRows: number | null;
  /** Rows that an earlier, stopped part of the run had stored: in the totals, not in rates. */
  readonly earlierRows: number;
  readonly workers: readonly WorkerState[];
  readonly total: Snapshot;
  readonly window: WindowState;
  readonly coordinator: {
    readonly pid: number;
    readonly outside: OutsideView;
    readonly eventLoopUtilization: number;
  };
  /** Null while the server has not been asked for its own view. */
  readonly server: ServerView | null;
  readonly host: HostSample | null;
  /** Over the last seconds; null before there is enough to judge. */
  readonly verdict: Verdict | null;
  /** Rows per second, one value a second, oldest first, at most 60. */
  readonly recentRowsPerSecond: readonly number[];
}

/** What the server said of itself last. */
export interface ServerView {
  readonly nodes: readonly ServerNode[];
  /** Null when it has not answered yet, or never will: then the note says why. */
  readonly latest: ServerSample | null;
  readonly note: string;
}

/** Something worth a line. `message` is complete, printable and free of secrets. */
export interface RunNote {
  readonly kind: 'note';
  readonly level: 'info' | 'warning' | 'error';
  /** Stable name: `workerDied`, `workerReplaced`, `draining`, `outage`, `blocked`, `recovered`, `willCreate` … */
  readonly event: string;
  readonly message: string;
  /** Milliseconds since the workers' common start; null before it. */
  readonly atMs: number | null;
}

export type RunEvent =
  | RunNote
  | { readonly kind: 'phase'; readonly state: RunState }
  /** Four times a second while workers live. */
  | { readonly kind: 'tick'; readonly state: RunState };

export type RunObserver = (event: RunEvent) => void;
