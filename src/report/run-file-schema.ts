/**
 * The shape of a run file, `crategen.run/1`: everything a run came to, as JSON that later versions still read.
 * The committed JSON Schema is generated from here. `null` always means: not measured.
 */
import * as v from 'valibot';
import { DEFAULT_PG_PORT } from '../plan/parse-target.ts';
import { THRESHOLD_METRICS, THRESHOLD_OPERATORS } from '../plan/run-plan.ts';
import { SCHEMA_SOURCE, TABLE_SCHEMA } from '../plan/schema-shape.ts';
import { INSERT_PATHS } from '../rows/insert-form.ts';

export const RUN_FILE_FORMAT = 'crategen.run/1';

/** Rows, batches, bytes, samples: whole numbers from 0 on. */
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Measured quantities: rates, seconds, percent. */
const quantity = v.pipe(v.number(), v.minValue(0));
const measured = v.nullable(quantity);
const text = v.string();
/** Wall-clock time, for people only: `2026-11-24T10:00:00.000Z`. */
const instant = v.pipe(v.string(), v.isoTimestamp());

/** Rows by the state they ended in; offered is the sum of the other four. */
const ledger = v.object({
  offered: count,
  acknowledged: count,
  rejected: count,
  failed: count,
  unknown: count,
});

const batchCounts = v.object({ begun: count, completed: count, retried: count, failed: count });

const cpu = v.object({
  userSeconds: v.pipe(
    measured,
    v.description('null where the process is counted elsewhere (the parent of single)'),
  ),
  systemSeconds: measured,
  percentMean: v.pipe(measured, v.description('100 = one core')),
  percentMax: v.pipe(measured, v.description('100 = one core')),
  lowerBound: v.pipe(v.boolean(), v.description('a killed incarnation took its last moments with it')),
});

const memory = v.object({
  residentBytesMax: v.nullable(count),
  heapUsedBytesMax: v.nullable(count),
  proportionalBytesMax: v.pipe(
    v.optional(v.nullable(count), null),
    v.description('PSS: pages that processes share count in parts, so that these add up'),
  ),
});

/** What a process costs beside CPU time and memory; missing in files of older versions. */
const unrest = {
  eventLoopUtilization: v.pipe(measured, v.description('0..1')),
  eventLoopDelayP99Ms: v.pipe(
    v.optional(measured, null),
    v.description('how late the event loop was for a timer'),
  ),
  gcMs: v.pipe(v.optional(measured, null), v.description('time in garbage collection')),
  contextSwitches: v.optional(v.nullable(v.object({ voluntary: count, involuntary: count })), null),
  coreWaitMs: v.pipe(
    v.optional(measured, null),
    v.description(
      'time in which it was ready to run and waited for a core, without the start of its program',
    ),
  ),
};

const latency = v.object({
  samples: count,
  mean: measured,
  p50: v.pipe(measured, v.description('null when fewer than ten samples lie beyond a percentile')),
  p90: measured,
  p95: measured,
  p99: measured,
  p999: measured,
  max: measured,
  histogram: v.pipe(
    v.record(v.string(), count),
    v.description(
      'samples by the lower bound of their bucket in whole microseconds; empty buckets are left out; 16 buckets an octave from 16 µs on, one per microsecond below',
    ),
  ),
});

const threshold = v.object({
  metric: v.picklist(THRESHOLD_METRICS),
  operator: v.picklist(THRESHOLD_OPERATORS),
  value: v.number(),
  text,
});

/** The effective settings, all of them, without secrets. */
const plan = v.object({
  command: v.picklist(['cluster', 'single', 'ceiling']),
  procs: count,
  batchSize: v.pipe(count, v.minValue(1)),
  inFlight: v.pipe(count, v.description('requests in flight per process')),
  rows: v.pipe(
    v.nullable(count),
    v.description('rows over all machines; null when only time bounds the run'),
  ),
  durationMs: v.nullable(count),
  source: SCHEMA_SOURCE,
  schema: TABLE_SCHEMA,
  statement: text,
  ddl: text,
  timeOrigin: instant,
  poolsHash: text,
  rowFormat: count,
  machine: v.pipe(v.string(), v.regex(/^[1-9]\d*\/[1-9]\d*$/), v.description('I/N, this machine of all')),
  table: v.object({
    weight: v.optional(v.pipe(v.number(), v.minValue(0.001)), 1),
    create: v.boolean(),
    recreate: v.boolean(),
    shards: v.nullable(count),
    replicas: v.nullable(text),
    key: v.boolean(),
  }),
  also: v.pipe(
    v.optional(
      v.array(
        v.object({
          table: text,
          weight: v.pipe(v.number(), v.minValue(0.001)),
          source: SCHEMA_SOURCE,
          schema: TABLE_SCHEMA,
          statement: text,
          ddl: text,
          poolsHash: text,
        }),
      ),
      [],
    ),
    v.description('further tables of the run, --also; created like the main one, which stands beside it'),
  ),
  batchIntervalMs: count,
  rowsPerSecond: v.pipe(v.nullable(count), v.description('over all processes; null is the closed loop')),
  rampUpMs: count,
  warmUpMs: count,
  insertPath: v.optional(v.picklist(INSERT_PATHS), 'bulk-args'),
  compression: v.picklist(['none', 'deflate', 'gzip']),
  generator: v.picklist(['fast', 'reference']),
  maxBodyBytes: count,
  timeoutMs: count,
  retries: count,
  drainTimeoutMs: count,
  outageTimeoutMs: count,
  blockTimeoutMs: count,
  maxFailed: v.variant('kind', [
    v.object({ kind: v.literal('rows'), rows: count }),
    v.object({ kind: v.literal('share'), share: quantity }),
  ]),
  stopsAtMaxFailed: v.boolean(),
  maxBytes: v.pipe(v.nullable(count), v.description('--max-bytes: body bytes that may be sent')),
  stopAtDisk: v.pipe(
    v.variant('kind', [
      v.object({ kind: v.literal('watermark') }),
      v.object({ kind: v.literal('share'), share: quantity }),
      v.object({ kind: v.literal('off') }),
    ]),
    v.description("how full a disk of the cluster may get; watermark is the cluster's own high one"),
  ),
  isConfirmed: v.pipe(v.boolean(), v.description('--yes was given')),
  failOn: v.array(threshold),
  verify: v.picklist(['count', 'rows', 'none']),
  startAt: v.nullable(instant),
  target: v.object({
    kind: v.picklist(['urls', 'embedded']),
    nodes: v.pipe(v.array(text), v.description('as they were named; target.nodes are those in use')),
    discover: v.optional(v.boolean(), false),
    pgPort: v.optional(count, DEFAULT_PG_PORT),
    username: v.nullable(text),
    tls: v.object({
      verify: v.boolean(),
      caCertFile: v.nullable(text),
      systemCa: v.optional(v.boolean(), false),
      certFile: v.nullable(text),
      keyFile: v.nullable(text),
    }),
  }),
});

const worker = v.object({
  index: count,
  pids: v.pipe(v.array(count), v.description('one per incarnation')),
  sentBytes: v.pipe(
    v.optional(v.nullable(count), null),
    v.description('request bodies of all attempts, after compression'),
  ),
  receivedBytes: v.pipe(
    v.optional(v.nullable(count), null),
    v.description('bodies of complete replies, as they came'),
  ),
  ledger,
  tables: v.pipe(
    v.optional(v.array(ledger), []),
    v.description('the ledger by table, in the order of tables; empty for a run of one table'),
  ),
  batches: v.object({
    ...batchCounts.entries,
    next: v.pipe(count, v.description('number of the first batch of this worker that was not begun')),
    exceptions: v.pipe(
      v.array(
        v.object({ batch: count, acknowledged: count, rejected: count, failed: count, unknown: count }),
      ),
      v.description('begun batches that did not end with all rows acknowledged or rejected'),
    ),
  }),
  earlierRows: v.pipe(
    count,
    v.description('acknowledged by an earlier, stopped part of the same run: not in times and costs'),
  ),
  restarts: count,
  exit: v.nullable(v.object({ code: v.nullable(v.number()), signal: v.nullable(text) })),
  cpu,
  memory,
  ...unrest,
});

const errorCount = v.object({
  class: text,
  code: v.nullable(v.number()),
  rows: v.pipe(count, v.description('once per attempt that reported the class')),
  batches: v.pipe(count, v.description('attempts')),
  example: text,
});

const node = v.object({
  origin: text,
  requests: v.pipe(count, v.description('attempts that were given to the node')),
  rows: v.pipe(count, v.description('acknowledged by replies of this node')),
  errors: v.array(errorCount),
  serviceMs: latency,
  outages: v.pipe(
    v.array(v.object({ fromMs: count, toMs: count, why: text })),
    v.description('times in which it got no requests, after the common start; the end of the run ends them'),
  ),
});

const verification = v.object({
  method: v.picklist(['count', 'delta', 'rows', 'none']),
  stored: v.nullable(count),
  verdict: v.picklist(['match', 'mismatch', 'advisory', 'unavailable', 'skipped']),
  detail: text,
});

const table = v.object({
  table: text,
  weight: v.pipe(
    v.number(),
    v.minValue(0.001),
    v.description("its share of the batches, beside the others' weights"),
  ),
  ledger,
  verification,
});

const point = v.object({
  tMs: quantity,
  rows: v.pipe(count, v.description('acknowledged, cumulative')),
  p50Ms: measured,
  p99Ms: measured,
  errors: v.pipe(count, v.description('rows rejected, failed or unknown, cumulative')),
  workers: v.array(
    v.object({
      index: count,
      pid: count,
      rows: count,
      cpuPercent: measured,
      residentBytes: v.nullable(count),
    }),
  ),
});

/** What the server said of itself, on the time axis of the series. */
const server = v.object({
  nodes: v.array(
    v.object({ name: text, version: v.nullable(text), cores: measured, heapMaxBytes: v.nullable(count) }),
  ),
  samples: v.array(
    v.object({
      tMs: quantity,
      nodes: v.array(
        v.object({
          node: v.pipe(count, v.description('index into the nodes')),
          cpuPercent: v.pipe(measured, v.description("of the server's process, 100 = one core")),
          load1: v.pipe(measured, v.description('of the whole machine it runs on')),
          heapUsedBytes: v.nullable(count),
          heapMaxBytes: v.nullable(count),
          writeActive: v.nullable(count),
          writeQueue: v.nullable(count),
          writeRejected: v.pipe(v.nullable(count), v.description('since the node began')),
          diskUsedBytes: v.nullable(count),
          diskTotalBytes: v.nullable(count),
        }),
      ),
      insertsPerSecond: v.pipe(
        measured,
        v.description('INSERT statements of all clients since the sample before'),
      ),
      insertMeanMs: v.pipe(measured, v.description('how long they took inside the server')),
      translogBytes: v.pipe(v.nullable(count), v.description("of the run's table: not yet committed")),
      health: v.pipe(
        v.nullable(v.picklist(['GREEN', 'YELLOW', 'RED'])),
        v.description("of the run's table, its worst partition"),
      ),
    }),
  ),
  overhead: v.pipe(
    v.object({ queries: count, meanMs: measured }),
    v.description('what the asking cost the server: statements, and their time on it each'),
  ),
  note: v.pipe(text, v.description("why something is missing, or ''")),
});

const hostSample = v.object({
  tMs: quantity,
  busyPercent: v.pipe(
    measured,
    v.description('of all cores and all programs since the sample before, 100 = one core'),
  ),
  throttledMs: v.pipe(
    measured,
    v.description('time since the start in which the cgroup was stopped at its CPU limit'),
  ),
  receivedBytes: v.pipe(v.nullable(count), v.description('since the start, over all interfaces')),
  sentBytes: v.pipe(v.nullable(count), v.description('since the start, over all interfaces')),
});

/** Something that happened while the workers ran. */
const event = v.object({
  tMs: quantity,
  level: v.picklist(['info', 'warning', 'error']),
  event: v.pipe(
    text,
    v.description('a stable name: workerDied, blocked, outage, recovered, nodeOut, signal …'),
  ),
  message: text,
});

export const runFileSchema = v.object({
  format: v.literal(RUN_FILE_FORMAT),
  run: v.object({
    id: text,
    seed: v.number(),
    startedAt: instant,
    endedAt: instant,
    runningMs: v.pipe(
      v.nullable(quantity),
      v.description('from the common start until the last worker had nothing in flight any more, monotonic'),
    ),
    measuredMs: v.pipe(v.nullable(quantity), v.description('of it without the warm-up')),
    endReason: v.picklist([
      'rows',
      'duration',
      'signal',
      'outage',
      'blocked',
      'maxFailed',
      'workers',
      'killed',
      'error',
    ]),
    endDetail: text,
    signal: v.nullable(v.picklist(['SIGINT', 'SIGTERM', 'SIGHUP'])),
    exitCode: count,
  }),
  versions: v.object({ crategen: text, node: text, faker: text }),
  host: v.object({
    cores: quantity,
    cgroupCores: measured,
    memoryBytes: count,
    samples: v.optional(v.array(hostSample), []),
  }),
  target: v.object({
    kind: v.picklist(['cratedb', 'sandbox', 'discard']),
    version: v.nullable(text),
    nodes: v.array(text),
    table: text,
    keyed: v.boolean(),
  }),
  plan,
  ledger: v.pipe(
    v.object({ ...ledger.entries, notOffered: count }),
    v.description('rows, after the resolution of unknown ones'),
  ),
  resolved: v.pipe(
    v.object({ stored: count, absent: count }),
    v.description('rows that were unknown and were asked for at the end'),
  ),
  batches: batchCounts,
  pacer: v.object({ lateRows: v.nullable(count), droppedRows: v.nullable(count) }),
  verification,
  tables: v.pipe(
    v.optional(v.array(table), []),
    v.description('the tables of the run, the main one first, each with its part of the ledger'),
  ),
  throughput: v.object({
    acknowledgedRowsPerSecond: v.pipe(measured, v.description('without the warm-up')),
    bodyBytesPerSecond: v.pipe(measured, v.description('request bodies of all attempts, after compression')),
    offeredRowsPerSecond: measured,
  }),
  latencyMs: v.object({
    service: v.pipe(
      latency,
      v.description('hand-over of a request to the end of its reply, answered attempts'),
    ),
    response: v.pipe(latency, v.description('intended start of a batch to its final outcome')),
  }),
  cost: v.pipe(
    v.object({ cpuSecondsPerMillionRows: measured, bodyBytesPerRow: measured }),
    v.description('workers and parent, by acknowledged rows'),
  ),
  workers: v.array(worker),
  coordinator: v.object({ pid: count, cpu, memory, ...unrest }),
  server: v.nullable(server),
  nodes: v.pipe(
    v.optional(v.array(node), []),
    v.description('what each node of the target did, in the order of target.nodes; empty: not measured'),
  ),
  errors: v.array(errorCount),
  bottleneck: v.object({
    verdict: v.picklist(['client', 'network', 'cluster', 'rate', 'unclear']),
    evidence: v.array(text),
  }),
  measuredFor: v.pipe(
    v.optional(
      v.nullable(
        v.object({
          runId: text,
          rowsPerSecond: v.pipe(measured, v.description('of that run')),
          bodyBytesPerSecond: measured,
          share: v.pipe(measured, v.description('of this ceiling that the run reached, by rows/s')),
          limitedBy: v.picklist(['client', 'network', 'cluster', 'rate', 'unclear']),
          hostDiffers: v.pipe(
            v.array(text),
            v.description('facts of host and versions that are not the same'),
          ),
          command: v.pipe(text, v.description('that makes the run again')),
        }),
      ),
      null,
    ),
    v.description('crategen ceiling --run: the run that is held against this ceiling; else null'),
  ),
  warnings: v.array(text),
  events: v.pipe(
    v.optional(v.array(event), []),
    v.description('what happened after the common start, in the order of time; the first 500'),
  ),
  series: v.array(point),
});

/** A run file as it was read or is about to be written. */
export type RunFile = v.InferOutput<typeof runFileSchema>;
export type RunFileNode = RunFile['nodes'][number];
export type RunFileWorker = RunFile['workers'][number];
export type RunFileLatency = RunFile['latencyMs']['service'];
