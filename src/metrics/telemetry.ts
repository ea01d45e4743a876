/**
 * What the server and this host said of themselves while a run went on, as plain data on the run's own time axis
 * (`tMs` since the workers' common start). `null` is what was not measured, never 0.
 */

/** One node of the target, as it named itself. */
export interface ServerNode {
  readonly name: string;
  readonly version: string | null;
  readonly cores: number | null;
  readonly heapMaxBytes: number | null;
}

/** One node at one moment. */
export interface ServerNodeSample {
  /** Index into the nodes of the telemetry. */
  readonly node: number;
  /** Of the server's process, 100 = one core. */
  readonly cpuPercent: number | null;
  /** Of the whole machine it runs on, over a minute. */
  readonly load1: number | null;
  readonly heapUsedBytes: number | null;
  readonly heapMaxBytes: number | null;
  readonly writeActive: number | null;
  readonly writeQueue: number | null;
  /** Since the node began. */
  readonly writeRejected: number | null;
  readonly diskUsedBytes: number | null;
  readonly diskTotalBytes: number | null;
}

/** The whole cluster at one moment. */
export interface ServerSample {
  readonly tMs: number;
  /** The nodes that answered. */
  readonly nodes: readonly ServerNodeSample[];
  /** INSERT statements of all clients since the sample before. */
  readonly insertsPerSecond: number | null;
  /** How long they took inside the server. */
  readonly insertMeanMs: number | null;
  /** Of the run's table, all shards: written and not yet committed. */
  readonly translogBytes: number | null;
  /** Of the run's table, its worst partition. */
  readonly health: 'GREEN' | 'YELLOW' | 'RED' | null;
}

export interface ServerTelemetry {
  readonly nodes: readonly ServerNode[];
  readonly samples: readonly ServerSample[];
  /** What the asking itself cost the server: statements, and their time on it each. */
  readonly overhead: { readonly queries: number; readonly meanMs: number | null };
  /** Why something is missing, or ''. */
  readonly note: string;
}

/** This host at one moment; bytes and throttling count from the start of the run. */
export interface HostSample {
  readonly tMs: number;
  /** Of all cores and all programs since the sample before, 100 = one core. */
  readonly busyPercent: number | null;
  /** Time in which the cgroup was stopped at its CPU limit. */
  readonly throttledMs: number | null;
  /** Over all interfaces, the loopback one included. */
  readonly receivedBytes: number | null;
  readonly sentBytes: number | null;
}

/** The server tells of its CPU as it was up to a second before: the first answers still tell of its rest. */
const SERVER_SETTLES_MS = 1500;

/** Those of the samples whose CPU is that of the run. */
export function underLoad<Sample extends { readonly tMs: number }>(samples: readonly Sample[]): Sample[] {
  return samples.filter(({ tMs }) => tMs >= SERVER_SETTLES_MS);
}
