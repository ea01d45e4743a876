/** What a run came to: everything the summary and the run file say, measured or null. */
import type { Verdict } from '../metrics/bottleneck.ts';
import type { BatchCounts, Ledger } from '../metrics/ledger.ts';
import type { ErrorCount, NodeCounts } from '../metrics/node-counts.ts';
import type { Histogram } from '../metrics/histogram.ts';
import type { HostSample, ServerTelemetry } from '../metrics/telemetry.ts';
import type { RunPlan, TablePlan } from '../plan/run-plan.ts';
import type { RunNote, TargetState } from './run-state.ts';

export type EndReason =
  'rows' | 'duration' | 'signal' | 'outage' | 'blocked' | 'maxFailed' | 'workers' | 'killed' | 'error';

/** A batch that did not end with all its rows acknowledged or rejected. */
export interface BatchException {
  readonly batch: number;
  readonly acknowledged: number;
  readonly rejected: number;
  readonly failed: number;
  readonly unknown: number;
}

export interface ProcessCost {
  readonly cpu: {
    /** Null where the process is already counted elsewhere: the coordinator of `single` is its worker. */
    readonly userSeconds: number | null;
    readonly systemSeconds: number | null;
    /** From pidusage, 100 = one core; null when there were no two samples. */
    readonly percentMean: number | null;
    readonly percentMax: number | null;
    /** The last moments of a killed incarnation are missing. */
    readonly lowerBound: boolean;
  };
  readonly memory: {
    readonly residentBytesMax: number | null;
    readonly heapUsedBytesMax: number | null;
    /** Pages that processes share count in parts, so that these add up (PSS); sampled rarely. */
    readonly proportionalBytesMax: number | null;
  };
  readonly eventLoopUtilization: number | null;
  /** How late the event loop was for a timer. */
  readonly eventLoopDelayP99Ms: number | null;
  /** Time in garbage collection. */
  readonly gcMs: number | null;
  readonly contextSwitches: ContextSwitches | null;
  /** Time in which it was ready to run and waited for a core. */
  readonly coreWaitMs: number | null;
}

/** How often a process gave up its core, and how often it was taken from it. */
export interface ContextSwitches {
  readonly voluntary: number;
  readonly involuntary: number;
}

/** What a process that was not looked at says about its costs. */
export const COST_NOT_MEASURED = {
  memory: { residentBytesMax: null, heapUsedBytesMax: null, proportionalBytesMax: null },
  eventLoopUtilization: null,
  eventLoopDelayP99Ms: null,
  gcMs: null,
  contextSwitches: null,
  coreWaitMs: null,
} as const satisfies Omit<ProcessCost, 'cpu'>;

export interface WorkerResult extends ProcessCost {
  readonly index: number;
  /** One per incarnation. */
  readonly pids: readonly number[];
  /** Request bodies handed over by all attempts, after compression. */
  readonly sentBytes: number;
  /** Bodies of complete replies, as they came. */
  readonly receivedBytes: number;
  readonly ledger: Ledger;
  /** The same rows by table. */
  readonly tables: readonly Ledger[];
  readonly batches: BatchCounts & { readonly next: number; readonly exceptions: readonly BatchException[] };
  /** Rows of an earlier, stopped part of the same run: in the ledger, not in times and costs. */
  readonly earlier: { readonly offered: number; readonly acknowledged: number };
  readonly restarts: number;
  /** Of the last incarnation; null when it has not exited or ran in the parent. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
}

/** One node in use, by its origin. */
export interface NodeResult extends NodeCounts {
  readonly origin: string;
}

export interface SeriesPoint {
  readonly tMs: number;
  /** Acknowledged rows, cumulative. */
  readonly rows: number;
  /** Of the service times since the previous point; null with too few samples. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Rows rejected, failed or unknown, cumulative. */
  readonly errors: number;
  readonly workers: readonly {
    readonly index: number;
    readonly pid: number;
    readonly rows: number;
    readonly cpuPercent: number | null;
    readonly residentBytes: number | null;
  }[];
}

/** Something that happened while the workers ran, as a death, a pause or a stop. */
export interface RunMoment {
  /** After the workers' common start. */
  readonly tMs: number;
  readonly level: RunNote['level'];
  /** As the note's. */
  readonly event: string;
  /** One sentence, printable and without secrets. */
  readonly message: string;
}

export interface Verification {
  readonly method: 'count' | 'delta' | 'rows' | 'none';
  /** What the server counted; null when there was no count. */
  readonly stored: number | null;
  readonly verdict: 'match' | 'mismatch' | 'advisory' | 'unavailable' | 'skipped';
  readonly detail: string;
}

/** One of the tables that the run filled. */
export interface TableResult {
  readonly plan: TablePlan;
  readonly statement: string;
  readonly ddl: string;
  readonly poolsHash: string;
  /** Its part of the run's ledger. */
  readonly ledger: Ledger;
  readonly verification: Verification;
}

export interface RunResult {
  readonly plan: RunPlan;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** From the workers' common start to the last worker's end: what throughput is divided by. Null when it
   * died with the coordinator. */
  readonly runningMs: number | null;
  /** Of it, without the warm-up. */
  readonly measuredMs: number | null;
  readonly endReason: EndReason;
  /** One sentence on why it ended, or ''. */
  readonly endDetail: string;
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | null;
  readonly host: {
    readonly cores: number;
    readonly cgroupCores: number | null;
    readonly memoryBytes: number;
    readonly samples: readonly HostSample[];
  };
  readonly target: TargetState;
  /** In the order of the plan. */
  readonly tables: readonly TableResult[];
  readonly rowFormat: number;
  readonly ledger: Ledger & { readonly notOffered: number };
  readonly resolved: { readonly stored: number; readonly absent: number };
  readonly batches: BatchCounts;
  /** Null when it died with the coordinator. */
  readonly pacer: { readonly lateRows: number | null; readonly droppedRows: number | null };
  readonly verification: Verification;
  readonly measuredRows: number;
  readonly bodyBytes: number;
  readonly serviceTime: Histogram;
  readonly responseTime: Histogram;
  readonly workers: readonly WorkerResult[];
  readonly coordinator: ProcessCost & { readonly pid: number };
  /** In the order of the target's nodes; empty when it was not measured. */
  readonly nodes: readonly NodeResult[];
  /** The server's own view of the run; null when it was not asked. */
  readonly server: ServerTelemetry | null;
  readonly errors: readonly ErrorCount[];
  readonly bottleneck: Verdict;
  readonly series: readonly SeriesPoint[];
  /** In the order of time, the first ones of very many. */
  readonly events: readonly RunMoment[];
  /** Things a reader must know, in sentences. */
  readonly warnings: readonly string[];
}
