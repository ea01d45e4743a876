/**
 * The state of a run as measures for monitoring systems: names, units and labels once, from which both the
 * Prometheus text and the OpenTelemetry document are made. Pure.
 */
import { tablesOf } from '../../plan/run-plan.ts';
import { formatTable } from '../../base/sql.ts';
import { RUN_PHASES, type RunState, type WorkerState } from '../../coordinator/run-state.ts';
import { type Histogram, countsBelow } from '../../metrics/histogram.ts';
import type { ServerNodeSample } from '../../metrics/telemetry.ts';
import { residentBytes } from '../watching/progress.ts';

/** In the order in which they stand. Values come from servers and names too, and may hold anything. */
export type Labels = readonly (readonly [name: string, value: string])[];

/** As UCUM has them, which OpenTelemetry asks for; what stands in braces is no unit but says what is counted. */
export type MeasureUnit = 's' | 'By' | '1' | '{row}' | '{batch}' | '{request}' | '{restart}' | '{attempt}';

export interface NumberPoint {
  readonly labels: Labels;
  readonly value: number;
}

/** Values counted by size: `counts` has one number per bound, and one more for what is beyond the last. */
export interface HistogramPoint {
  readonly labels: Labels;
  readonly counts: readonly number[];
  readonly count: number;
  /** In the unit of the measure. */
  readonly sum: number;
}

interface MeasureHead {
  /** With dots and without a unit: `rows.acknowledged`. */
  readonly name: string;
  readonly help: string;
  readonly unit: MeasureUnit;
}

export type Measure = MeasureHead &
  (
    | { readonly kind: 'counter' | 'gauge'; readonly points: readonly NumberPoint[] }
    | {
        readonly kind: 'histogram';
        /** In the unit of the measure, rising. */
        readonly bounds: readonly number[];
        readonly points: readonly HistogramPoint[];
      }
  );

/**
 * Powers of two from 0.5 ms to 134 s: there a bucket of the run's own histograms begins, so no count is an
 * estimate.
 */
const BOUNDS_US = Array.from({ length: 19 }, (_, power) => 2 ** (power + 9));

/** All measures of a run. A measure without points is left out. */
export function measuresOf(state: RunState, crategenVersion: string): Measure[] {
  return [
    ...runMeasures(state, crategenVersion),
    ...workerMeasures(state.workers),
    ...errorMeasures(state),
    ...nodeMeasures(state),
    ...serverMeasures(state),
    ...coordinatorMeasures(state),
    latency('request.service_time', 'Hand-over of a request to the end of its reply, after the warm-up', [
      state.total.serviceTime,
    ]),
    latency('batch.response_time', 'Intended start of a batch to its final outcome, after the warm-up', [
      state.total.responseTime,
    ]),
  ].filter((measure) => measure.points.length > 0);
}

function runMeasures(state: RunState, crategenVersion: string): Measure[] {
  const { plan, target, phase, elapsedMs, plannedRows } = state;
  const labels: Labels = [
    ['run_id', plan.runId],
    ['command', plan.command],
    [
      'table',
      tablesOf(plan)
        .map(({ name }) => formatTable(name))
        .join(','),
    ],
    ['target', target?.kind ?? 'unknown'],
    ['target_version', target?.version ?? ''],
    ['crategen_version', crategenVersion],
  ];
  const phases = RUN_PHASES.map((each) => point(each === phase ? 1 : 0, [['phase', each]]));
  return [
    gauge('run.info', 'What runs; always 1', '1', [point(1, labels)]),
    gauge('run.phase', 'The phase that the run is in is 1, all others 0', '1', phases),
    gauge('run.elapsed', 'Time since the common start of the workers', 's', [point(elapsedMs / 1000)]),
    gauge(
      'run.rows.planned',
      'Rows that this machine is to offer; missing when only time bounds the run',
      '{row}',
      plannedRows === null ? [] : [point(plannedRows)],
    ),
  ];
}

/** Every number of a process has its worker as a label: their sum is the run's. */
function workerMeasures(workers: readonly WorkerState[]): Measure[] {
  const each = (valueOf: (worker: WorkerState) => number | null, more: Labels = []): NumberPoint[] =>
    workers.flatMap((worker) => {
      const value = valueOf(worker);
      return value === null ? [] : [point(value, [['worker', String(worker.index)], ...more])];
    });
  const rows = (
    name: 'offered' | 'acknowledged' | 'rejected' | 'failed' | 'unknown',
    help: string,
  ): Measure =>
    counter(
      `rows.${name}`,
      help,
      '{row}',
      each(({ total }) => total.ledger[name]),
    );
  const batches = (name: 'begun' | 'completed' | 'retried' | 'failed', help: string): Measure =>
    counter(
      `batches.${name}`,
      help,
      '{batch}',
      each(({ total }) => total.batches[name]),
    );
  const pids = workers.flatMap(({ index, pid }) =>
    pid === null
      ? []
      : [
          point(1, [
            ['worker', String(index)],
            ['pid', String(pid)],
          ]),
        ],
  );
  return [
    rows('offered', 'Rows of batches that were begun'),
    rows('acknowledged', 'Rows that the server said are stored'),
    rows('rejected', 'Rows that the server refused'),
    rows('failed', 'Rows that are surely not stored, and were given up'),
    rows('unknown', 'Rows that were sent, and no answer says what became of them'),
    gauge(
      'rows.in_flight',
      'Rows that were begun and are in no final state',
      '{row}',
      each(({ total }) => total.ledger.inFlight),
    ),
    batches('begun', 'Batches begun'),
    batches('completed', 'Batches whose rows are all in a final state, whichever'),
    batches('retried', 'Attempts beyond the first of each batch, but for those that nobody let in'),
    batches('failed', 'Completed batches with a row that failed or is unknown'),
    counter(
      'request.body',
      'Request bodies handed over by all attempts, after compression',
      'By',
      each(({ total }) => total.bodyBytes),
    ),
    counter(
      'reply.body',
      'Bodies of complete replies to these requests',
      'By',
      each(({ total }) => total.replyBytes),
    ),
    counter('worker.cpu', 'CPU time of the process, as it says itself', 's', [
      ...each(({ total }) => total.use.userCpuUs / 1e6, [['mode', 'user']]),
      ...each(({ total }) => total.use.systemCpuUs / 1e6, [['mode', 'system']]),
    ]),
    gauge(
      'worker.memory.resident',
      'Resident memory; shared pages count in every process',
      'By',
      each(residentBytes),
    ),
    gauge(
      'worker.event_loop.utilization',
      'Share of time in which the event loop was busy',
      '1',
      each(({ total }) => total.use.eventLoopUtilization),
    ),
    counter(
      'worker.restarts',
      'Processes that died and were replaced',
      '{restart}',
      each(({ restarts }) => restarts),
    ),
    gauge(
      'worker.waiting',
      '1 while the worker waits for the target',
      '1',
      each(({ total }) => (total.waiting === null ? 0 : 1)),
    ),
    gauge('worker.info', 'The process that is this worker now; always 1', '1', pids),
  ];
}

function errorMeasures(state: RunState): Measure[] {
  const points = (valueOf: (error: { rows: number; batches: number }) => number): NumberPoint[] =>
    state.total.errors.map((error) =>
      point(valueOf(error), [
        ['class', error.class],
        ['code', error.code === null ? '' : String(error.code)],
      ]),
    );
  return [
    counter(
      'errors.attempts',
      'Attempts that reported an error of this class',
      '{attempt}',
      points(({ batches }) => batches),
    ),
    counter(
      'errors.rows',
      'Rows that an attempt reported in this class; a retried row counts again',
      '{row}',
      points(({ rows }) => rows),
    ),
  ];
}

function nodeMeasures(state: RunState): Measure[] {
  const nodes = state.total.nodes.map((counts, index) => ({
    counts,
    labels: [['node', state.target?.nodes[index] ?? String(index)]] satisfies Labels,
  }));
  return [
    counter('node.requests', 'Attempts that were given to the node', '{request}', [
      ...nodes.map(({ counts, labels }) => point(counts.requests, labels)),
    ]),
    counter('node.rows.acknowledged', 'Rows that the node said are stored', '{row}', [
      ...nodes.map(({ counts, labels }) => point(counts.acknowledged, labels)),
    ]),
    gauge('node.out', '1 while the node gets no requests', '1', [
      ...nodes.map(({ counts, labels }) =>
        point(counts.outages.some(({ toMs }) => toMs === null) ? 1 : 0, labels),
      ),
    ]),
  ];
}

/** The server's own view, as it was last heard. */
function serverMeasures({ server }: RunState): Measure[] {
  const each = (valueOf: (sample: ServerNodeSample) => number | null): NumberPoint[] =>
    (server?.latest?.nodes ?? []).flatMap((sample) => {
      const value = valueOf(sample);
      const name = server?.nodes[sample.node]?.name ?? String(sample.node);
      return value === null ? [] : [point(value, [['node', name]])];
    });
  return [
    gauge(
      'server.cpu.cores',
      'Cores that the process of the node uses',
      '1',
      each(({ cpuPercent }) => (cpuPercent === null ? null : cpuPercent / 100)),
    ),
    gauge(
      'server.heap.used',
      'Heap that the node uses',
      'By',
      each(({ heapUsedBytes }) => heapUsedBytes),
    ),
    gauge(
      'server.write.queue',
      'Writes that wait in the pool of the node',
      '1',
      each(({ writeQueue }) => writeQueue),
    ),
    counter(
      'server.write.rejected',
      'Writes that the pool of the node refused since it began',
      '1',
      each(({ writeRejected }) => writeRejected),
    ),
    gauge(
      'server.disk.used',
      'Disk that the node uses',
      'By',
      each(({ diskUsedBytes }) => diskUsedBytes),
    ),
  ];
}

function coordinatorMeasures({ coordinator }: RunState): Measure[] {
  const { residentBytes: resident } = coordinator.outside;
  return [
    gauge('coordinator.memory.resident', 'Resident memory of the parent', 'By', [
      ...(resident === null ? [] : [point(resident)]),
    ]),
    gauge(
      'coordinator.event_loop.utilization',
      "Share of time in which the parent's event loop was busy",
      '1',
      [point(coordinator.eventLoopUtilization)],
    ),
  ];
}

function latency(name: string, help: string, histograms: readonly Histogram[]): Measure {
  return {
    name,
    help,
    unit: 's',
    kind: 'histogram',
    bounds: BOUNDS_US.map((us) => us / 1e6),
    points: histograms.map((histogram) => {
      const below = countsBelow(histogram, BOUNDS_US);
      const counts = [...below, histogram.count].map((count, index) => count - (below[index - 1] ?? 0));
      return { labels: [], counts, count: histogram.count, sum: histogram.sumUs / 1e6 };
    }),
  };
}

function counter(name: string, help: string, unit: MeasureUnit, points: readonly NumberPoint[]): Measure {
  return { name, help, unit, kind: 'counter', points };
}

function gauge(name: string, help: string, unit: MeasureUnit, points: readonly NumberPoint[]): Measure {
  return { name, help, unit, kind: 'gauge', points };
}

function point(value: number, labels: Labels = []): NumberPoint {
  return { labels, value };
}
