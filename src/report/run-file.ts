/**
 * From a run's result to its run file, and from the text of a run file back to what the renders and the other
 * commands need. Pure; reading and writing files is in `files.ts`.
 */
import * as v from 'valibot';
import { UsageError, assert, messageOf } from '../base/errors.ts';
import { type TableName, formatTable, parseTableName } from '../base/sql.ts';
import { printable } from '../base/text.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { type Histogram, bucketLowerUs, quantileUs } from '../metrics/histogram.ts';
import type { Ledger } from '../metrics/ledger.ts';
import { sumOfKnown } from '../metrics/measured.ts';
import type { ServerTelemetry } from '../metrics/telemetry.ts';
import { cpuSecondsOf } from './costs.ts';
import type { NodeResult, ProcessCost, RunResult, WorkerResult } from '../coordinator/run-result.ts';
import {
  type RunFile,
  type RunFileLatency,
  type RunFileNode,
  type RunFileWorker,
  RUN_FILE_FORMAT,
  runFileSchema,
} from './run-file-schema.ts';

/** What the result does not know about the run. */
export interface RunFileFacts {
  readonly exitCode: number;
  readonly crategenVersion: string;
  readonly nodeVersion: string;
  readonly fakerVersion: string;
}

/** 128 workers over 1,200 points are 15 MiB; what is larger was not written by crategen. */
export const MAX_RUN_FILE_BYTES = 256 * 2 ** 20;

/** More problems than this in one file say no more. */
const MAX_PROBLEMS = 5;

/** The run file of a result. Rows that were still in flight at the end count as unknown: nobody will tell. */
export function toRunFile(result: RunResult, facts: RunFileFacts): RunFile {
  const ledger = closedLedger(result.ledger);
  const perSecond = (amount: number, ms: number | null): number | null =>
    ms === null || ms === 0 ? null : finite((amount / ms) * 1000);
  // Times and costs are of this part of the run alone; so are the rows that they are held against.
  const earlier = result.workers.reduce(
    (sum, worker) => ({
      offered: sum.offered + worker.earlier.offered,
      acknowledged: sum.acknowledged + worker.earlier.acknowledged,
    }),
    { offered: 0, acknowledged: 0 },
  );
  return {
    format: RUN_FILE_FORMAT,
    run: {
      id: result.plan.runId,
      seed: result.plan.seed,
      startedAt: isoTime(result.startedAtMs),
      endedAt: isoTime(result.endedAtMs),
      runningMs: result.runningMs,
      measuredMs: result.measuredMs,
      endReason: result.endReason,
      endDetail: result.endDetail,
      signal: result.signal,
      exitCode: facts.exitCode,
    },
    versions: { crategen: facts.crategenVersion, node: facts.nodeVersion, faker: facts.fakerVersion },
    host: { ...result.host, samples: result.host.samples.map((sample) => ({ ...sample })) },
    target: {
      kind: result.target.kind,
      version: result.target.version,
      nodes: [...result.target.nodes],
      table: formatTable(result.plan.table.name),
      keyed: result.target.keyed,
    },
    plan: planSection(result),
    ledger: { ...ledger, notOffered: result.ledger.notOffered },
    resolved: result.resolved,
    batches: result.batches,
    pacer: result.pacer,
    verification: result.verification,
    tables: result.tables.map((table) => ({
      table: formatTable(table.plan.name),
      weight: table.plan.weight,
      ledger: closedLedger(table.ledger),
      verification: table.verification,
    })),
    throughput: {
      acknowledgedRowsPerSecond: perSecond(result.measuredRows, result.measuredMs),
      bodyBytesPerSecond: perSecond(result.bodyBytes, result.runningMs),
      offeredRowsPerSecond: perSecond(ledger.offered - earlier.offered, result.runningMs),
    },
    latencyMs: { service: latencySection(result.serviceTime), response: latencySection(result.responseTime) },
    cost: {
      cpuSecondsPerMillionRows: perRow(
        millionfold(totalCpuSeconds(result)),
        ledger.acknowledged - earlier.acknowledged,
      ),
      bodyBytesPerRow: perRow(result.bodyBytes, ledger.acknowledged - earlier.acknowledged),
    },
    workers: result.workers.map(workerSection),
    coordinator: { pid: result.coordinator.pid, ...costSection(result.coordinator) },
    server: serverSection(result.server),
    nodes: result.nodes.map(nodeSection),
    errors: result.errors.map((error) => ({ ...error })),
    bottleneck: { verdict: result.bottleneck.verdict, evidence: [...result.bottleneck.evidence] },
    measuredFor: null,
    warnings: [...result.warnings],
    events: result.events.map((event) => ({ ...event })),
    series: result.series.map((point) => ({
      ...point,
      workers: point.workers.map((sample) => ({ ...sample })),
    })),
  };
}

/** The text of a run file, as it is written: small enough to diff, series last. */
export function runFileText(run: RunFile): string {
  return `${JSON.stringify(run, null, 1)}\n`;
}

/**
 * Reads the text of a run file; `path` is only named in errors. Throws a UsageError that says what is wrong
 * where: no JSON, another format, a missing or impossible value, a ledger that does not balance.
 */
export function parseRunFile(text: string, path = 'the run file'): RunFile {
  const where = printable(path, 1000);
  if (text.length > MAX_RUN_FILE_BYTES) throw tooLarge(where);
  const json = parseJson(text, where);
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined;
  if (format !== RUN_FILE_FORMAT) throw wrongFormat(where, format);
  const parsed = v.safeParse(runFileSchema, json);
  if (!parsed.success) {
    const problems = parsed.issues.slice(0, MAX_PROBLEMS).map((issue) => {
      return `${where}: ${printable(v.getDotPath(issue) ?? 'the file')}: ${printable(issue.message)}`;
    });
    throw new UsageError(problems, { hint: 'The file is damaged, or was edited by hand.' });
  }
  for (const [whose, ledger] of [['ledger', parsed.output.ledger] as const, ...partLedgers(parsed.output)]) {
    if (isBalanced(ledger)) continue;
    throw new UsageError(`${where}: ${whose}: offered is not acknowledged + rejected + failed + unknown`, {
      hint: 'The file is damaged, or was edited by hand.',
    });
  }
  return parsed.output;
}

/** The error for a file that is too large to be a run file. */
export function tooLarge(where: string): UsageError {
  return new UsageError(`${where}: larger than ${MAX_RUN_FILE_BYTES / 2 ** 20} MiB, which no run file is`);
}

/** The plan of a finished run, from its run file alone: to repeat it, to verify its rows, to go on with it. */
export function runPlanOf(run: RunFile): RunPlan {
  const { plan } = run;
  const [index = 1, machines = 1] = plan.machine.split('/').map(Number);
  return {
    command: plan.command,
    runId: run.run.id,
    seed: run.run.seed,
    timeOriginMs: Date.parse(plan.timeOrigin),
    target: plan.target,
    table: { name: tableNameOf(run.target.table), source: plan.source, schema: plan.schema, ...plan.table },
    also: plan.also.map(({ table: name, source, schema, weight }) => ({
      ...plan.table,
      name: tableNameOf(name),
      source,
      schema,
      weight,
    })),
    bounds: { rows: plan.rows, durationMs: plan.durationMs },
    load: {
      procs: plan.procs,
      batchSize: plan.batchSize,
      inFlight: plan.inFlight,
      batchIntervalMs: plan.batchIntervalMs,
      rowsPerSecond: plan.rowsPerSecond,
      rampUpMs: plan.rampUpMs,
      warmUpMs: plan.warmUpMs,
      insertPath: plan.insertPath,
      compression: plan.compression,
      generator: plan.generator,
      maxBodyBytes: plan.maxBodyBytes,
    },
    safety: {
      timeoutMs: plan.timeoutMs,
      retries: plan.retries,
      drainTimeoutMs: plan.drainTimeoutMs,
      outageTimeoutMs: plan.outageTimeoutMs,
      blockTimeoutMs: plan.blockTimeoutMs,
      maxFailed: plan.maxFailed,
      stopsAtMaxFailed: plan.stopsAtMaxFailed,
      maxBytes: plan.maxBytes,
      stopAtDisk: plan.stopAtDisk,
      isConfirmed: plan.isConfirmed,
    },
    machine: { index, count: machines },
    startAtMs: plan.startAt === null ? null : Date.parse(plan.startAt),
    failOn: plan.failOn,
    verify: plan.verify,
  };
}

function tableNameOf(text: string): TableName {
  const parsed = parseTableName(text);
  if (parsed.ok) return parsed.name;
  throw new UsageError(`the run file's table ${printable(text)}: ${parsed.why}`);
}

function planSection(result: RunResult): RunFile['plan'] {
  const { plan } = result;
  const { source, schema, weight, create, recreate, shards, replicas, key } = plan.table;
  const [main, ...also] = result.tables;
  const { kind, nodes, discover, pgPort, username, tls } = plan.target;
  return {
    command: plan.command,
    procs: plan.load.procs,
    batchSize: plan.load.batchSize,
    inFlight: plan.load.inFlight,
    rows: plan.bounds.rows,
    durationMs: plan.bounds.durationMs,
    source,
    schema,
    statement: main?.statement ?? '',
    ddl: main?.ddl ?? '',
    timeOrigin: isoTime(plan.timeOriginMs),
    poolsHash: main?.poolsHash ?? '',
    rowFormat: result.rowFormat,
    machine: `${plan.machine.index}/${plan.machine.count}`,
    table: { weight, create, recreate, shards, replicas, key },
    also: also.map(({ plan: table, statement, ddl, poolsHash }) => ({
      table: formatTable(table.name),
      weight: table.weight,
      source: table.source,
      schema: table.schema,
      statement,
      ddl,
      poolsHash,
    })),
    batchIntervalMs: plan.load.batchIntervalMs,
    rowsPerSecond: plan.load.rowsPerSecond,
    rampUpMs: plan.load.rampUpMs,
    warmUpMs: plan.load.warmUpMs,
    insertPath: plan.load.insertPath,
    compression: plan.load.compression,
    generator: plan.load.generator,
    maxBodyBytes: plan.load.maxBodyBytes,
    ...plan.safety,
    failOn: plan.failOn.map((threshold) => ({ ...threshold })),
    verify: plan.verify,
    startAt: plan.startAtMs === null ? null : isoTime(plan.startAtMs),
    target: { kind, nodes: [...nodes], discover, pgPort, username, tls },
  };
}

function workerSection(worker: WorkerResult): RunFileWorker {
  return {
    index: worker.index,
    pids: [...worker.pids],
    sentBytes: worker.sentBytes,
    receivedBytes: worker.receivedBytes,
    ledger: closedLedger(worker.ledger),
    tables: worker.tables.length < 2 ? [] : worker.tables.map(closedLedger),
    batches: {
      ...worker.batches,
      exceptions: worker.batches.exceptions.map((exception) => ({ ...exception })),
    },
    earlierRows: worker.earlier.acknowledged,
    restarts: worker.restarts,
    exit: worker.exit,
    ...costSection(worker),
  };
}

function nodeSection(node: NodeResult): RunFileNode {
  return {
    origin: node.origin,
    requests: node.requests,
    rows: node.acknowledged,
    errors: node.errors.map((error) => ({ ...error })),
    serviceMs: latencySection(node.serviceTime),
    outages: node.outages.map(({ fromMs, toMs, why }) => ({ fromMs, toMs: toMs ?? fromMs, why })),
  };
}

function serverSection(server: ServerTelemetry | null): RunFile['server'] {
  if (server === null) return null;
  return {
    nodes: server.nodes.map((each) => ({ ...each })),
    samples: server.samples.map((sample) => ({
      ...sample,
      nodes: sample.nodes.map((each) => ({ ...each })),
    })),
    overhead: { ...server.overhead },
    note: server.note,
  };
}

type RunFileCost = Pick<
  RunFileWorker,
  | 'cpu'
  | 'memory'
  | 'eventLoopUtilization'
  | 'eventLoopDelayP99Ms'
  | 'gcMs'
  | 'contextSwitches'
  | 'coreWaitMs'
>;

function costSection(cost: ProcessCost): RunFileCost {
  return {
    cpu: {
      userSeconds: finite(cost.cpu.userSeconds),
      systemSeconds: finite(cost.cpu.systemSeconds),
      lowerBound: cost.cpu.lowerBound,
      percentMean: finite(cost.cpu.percentMean),
      percentMax: finite(cost.cpu.percentMax),
    },
    memory: cost.memory,
    eventLoopUtilization: finite(cost.eventLoopUtilization),
    eventLoopDelayP99Ms: finite(cost.eventLoopDelayP99Ms),
    gcMs: finite(cost.gcMs),
    contextSwitches: cost.contextSwitches,
    coreWaitMs: finite(cost.coreWaitMs),
  };
}

function latencySection(histogram: Histogram): RunFileLatency {
  const quantileMs = (quantile: number): number | null => {
    const us = quantileUs(histogram, quantile);
    return us === null ? null : us / 1000;
  };
  const buckets: Record<string, number> = {};
  histogram.counts.forEach((samples, bucket) => {
    if (samples > 0) buckets[String(bucketLowerUs(bucket))] = samples;
  });
  return {
    samples: histogram.count,
    mean: histogram.count > 0 ? histogram.sumUs / histogram.count / 1000 : null,
    p50: quantileMs(0.5),
    p90: quantileMs(0.9),
    p95: quantileMs(0.95),
    p99: quantileMs(0.99),
    p999: quantileMs(0.999),
    max: histogram.count > 0 ? histogram.maxUs / 1000 : null,
    histogram: buckets,
  };
}

/** Workers and parent; a null is a process that is counted in another one. Null when nothing was measured. */
function totalCpuSeconds(result: RunResult): number | null {
  return sumOfKnown([result.coordinator, ...result.workers].map(cpuSecondsOf));
}

function closedLedger(ledger: Ledger): RunFile['workers'][number]['ledger'] {
  const { inFlight, ...closed } = ledger;
  const balanced = { ...closed, unknown: ledger.unknown + inFlight };
  assert(isBalanced(balanced), `the ledger of a result balances: ${JSON.stringify(ledger)}`);
  const { offered, acknowledged, rejected, failed, unknown } = balanced;
  return { offered, acknowledged, rejected, failed, unknown };
}

function isBalanced(ledger: RunFile['workers'][number]['ledger']): boolean {
  return ledger.offered === ledger.acknowledged + ledger.rejected + ledger.failed + ledger.unknown;
}

function partLedgers(run: RunFile): (readonly [string, RunFileWorker['ledger']])[] {
  return [
    ...run.workers.map((worker) => [`workers.${worker.index}.ledger`, worker.ledger] as const),
    ...run.tables.map(({ ledger }, table) => [`tables.${table}.ledger`, ledger] as const),
  ];
}

function perRow(amount: number | null, rows: number): number | null {
  return amount !== null && rows > 0 ? finite(amount / rows) : null;
}

function millionfold(amount: number | null): number | null {
  return amount === null ? null : amount * 1e6;
}

/** JSON has no NaN and no Infinity: what cannot be written was not measured. */
function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new UsageError(`${where}: not JSON: ${printable(messageOf(thrown))}`);
  }
}

function wrongFormat(where: string, format: unknown): UsageError {
  const got =
    typeof format === 'string'
      ? `its format is ${JSON.stringify(printable(format, 60))}`
      : 'it names no format';
  return new UsageError(`${where}: not a run file: ${got}, expected "${RUN_FILE_FORMAT}"`, {
    hint: 'Run "crategen runs" to see the runs there are.',
  });
}
