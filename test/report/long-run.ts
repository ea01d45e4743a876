/** Runs with a series, of any length: made numbers with a stall, an error burst, restarts of nobody, and a busy server. */
import type { NodeResult, RunMoment, RunResult, SeriesPoint } from '../../src/coordinator/run-result.ts';
import type { HostSample, ServerSample } from '../../src/metrics/telemetry.ts';
import { toRunFile } from '../../src/report/run-file.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { FACTS, sampleLatencies, sampleResult, sampleWorker } from './samples.ts';
import { samplePlan } from '../support/sample-plan.ts';

const MIB = 2 ** 20;
/** As many as a run file holds at most. */
const POINTS = 1200;

/** Between 0 and 1, the same for the same numbers. */
function noise(...parts: readonly number[]): number {
  const mixed = parts.reduce((sum, part) => Math.imul(sum ^ part, 0x9e3779b1) + 0x7f4a7c15, 0x2545f491);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

/** A run of `durationMs` with its full series, `workers` processes and three nodes. */
export function runWithSeries(
  durationMs: number,
  workers: number,
  changes: Partial<RunResult> = {},
): RunFile {
  const stepMs = durationMs / POINTS;
  let [rows, errors] = [0, 0];
  const ofWorkers = new Array<number>(workers).fill(0);
  const series = Array.from({ length: POINTS }, (_, point): SeriesPoint => {
    const isStalled = point > 700 && point < 712;
    for (let index = 0; index < workers; index += 1) {
      const grown = Math.round(stepMs * (isStalled ? 0 : 7 + noise(point, index)));
      ofWorkers[index] = (ofWorkers[index] ?? 0) + grown;
      rows += grown;
    }
    if (point > 400 && point < 420) errors += 40;
    return {
      tMs: Math.round((point + 1) * stepMs),
      rows,
      errors,
      p50Ms: isStalled ? null : 40 + 10 * noise(point, 91),
      p99Ms: isStalled ? null : 180 + 90 * noise(point, 92) + (point > 712 && point < 730 ? 900 : 0),
      workers: ofWorkers.map((own, index) => ({
        index,
        pid: 8121 + index,
        rows: own,
        cpuPercent: isStalled ? 1 : 8 + 3 * noise(point, index, 5),
        residentBytes: Math.round((84 + 20 * noise(index, 7) + point / 400) * MIB),
      })),
    };
  });
  return toRunFile(
    sampleResult({
      plan: samplePlan({
        load: { ...samplePlan().load, procs: workers, warmUpMs: Math.round(durationMs / 20) },
      }),
      workers: Array.from({ length: workers }, (_, index) => sampleWorker(index)),
      runningMs: durationMs,
      measuredMs: durationMs * 0.95,
      series,
      serviceTime: sampleLatencies(200_000),
      responseTime: sampleLatencies(100_000),
      host: { cores: 8, cgroupCores: 8, memoryBytes: 16 * 2 ** 30, samples: hostSamples(durationMs) },
      server: {
        nodes: ['db-1', 'db-2', 'db-3'].map((name) => ({
          name,
          version: '6.4.3',
          cores: 2,
          heapMaxBytes: 512 * MIB,
        })),
        samples: serverSamples(durationMs),
        overhead: { queries: 4800, meanMs: 1.9 },
        note: '',
      },
      nodes: ['http://db-1:4200', 'http://db-2:4200', 'http://db-3:4200'].map((origin, index) =>
        nodeResult(origin, index, durationMs),
      ),
      errors: [
        {
          class: 'overloaded',
          code: null,
          rows: 760,
          batches: 19,
          example: 'EsRejectedExecutionException[rejected execution of …]',
        },
      ],
      events: sampleEvents(durationMs),
      ...changes,
    }),
    FACTS,
  );
}

function sampleEvents(durationMs: number): RunMoment[] {
  const at = (share: number): number => Math.round(share * durationMs);
  const warning = { level: 'warning', event: 'blocked' } as const;
  return [
    {
      tMs: at(0.2),
      level: 'warning',
      event: 'workerDied',
      message: 'worker 3 died (pid 8124, SIGKILL): replaced, 4 batches are sent again',
    },
    {
      tMs: at(0.203),
      level: 'warning',
      event: 'workerDied',
      message: 'worker 5 died (pid 8126, SIGKILL): replaced',
    },
    { ...warning, tMs: at(0.33), message: 'the table is blocked: 4037 disk full; paused, asking every 5 s' },
    { tMs: at(0.35), level: 'info', event: 'recovered', message: 'the target takes rows again' },
    { ...warning, tMs: at(0.999), event: 'signal', message: 'SIGINT: no new batches are begun' },
  ];
}

function hostSamples(durationMs: number): HostSample[] {
  return Array.from({ length: POINTS }, (_, point) => ({
    tMs: Math.round(((point + 1) * durationMs) / POINTS),
    busyPercent: 90 + 40 * noise(point, 31),
    throttledMs: 0,
    receivedBytes: point * 40_000,
    sentBytes: point * 12_000_000,
  }));
}

function serverSamples(durationMs: number): ServerSample[] {
  return Array.from({ length: POINTS }, (_, point) => ({
    tMs: Math.round(((point + 1) * durationMs) / POINTS),
    nodes: [0, 1, 2].map((node) => ({
      node,
      cpuPercent: 170 + 25 * noise(point, node, 11),
      load1: 2.1,
      heapUsedBytes: Math.round((200 + 120 * noise(Math.floor(point / 9), node, 12)) * MIB),
      heapMaxBytes: 512 * MIB,
      writeActive: 2,
      writeQueue: Math.round(12 * noise(point, node, 13)),
      writeRejected: node === 1 && point > 400 ? Math.min(point - 400, 19) : 0,
      diskUsedBytes: (40 + point / 100) * 2 ** 30,
      diskTotalBytes: 100 * 2 ** 30,
    })),
    insertsPerSecond: 50 + 9 * noise(point, 14),
    insertMeanMs: 30 + 9 * noise(point, 15),
    translogBytes: Math.round(400 * MIB * noise(Math.floor(point / 40), 16)),
    health: point > 700 && point < 712 ? 'YELLOW' : 'GREEN',
  }));
}

function nodeResult(origin: string, index: number, durationMs: number): NodeResult {
  const outages = [{ fromMs: durationMs * 0.58, toMs: durationMs * 0.595, why: 'connection refused' }];
  return {
    origin,
    requests: 6000,
    acknowledged: 5_700_000,
    errors: [],
    serviceTime: sampleLatencies(12_000),
    outages: index === 1 ? outages : [],
  };
}
