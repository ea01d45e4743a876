/** What of a run is held against another run: a few figures, and for some of them their slices over time. Pure. */
import { latencyCurves, throughputCurves } from '../curves.ts';
import { formatLatency, formatRate, formatSeconds } from '../quantities.ts';
import { formatBytes } from '../../base/units.ts';
import type { RunFile } from '../run-file-schema.ts';

export interface Figure {
  /** Null when it was not measured. */
  readonly value: number | null;
  /** The same over the run without its warm-up, one value an interval; null for what has no series. */
  readonly slices: readonly number[] | null;
}

export interface RunFigures {
  readonly id: string;
  readonly figures: Readonly<Record<MetricName, Figure>>;
}

export const METRIC_NAMES = ['rowsPerSecond', 'cpuPerMillion', 'p50', 'p99', 'residentBytes'] as const;
export type MetricName = (typeof METRIC_NAMES)[number];

export interface Metric {
  readonly title: string;
  /** Said of a value that is greater or smaller: `12 % more rows/s`. */
  readonly more: string;
  readonly less: string;
  readonly isMoreBetter: boolean;
  readonly format: (value: number) => string;
}

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  rowsPerSecond: {
    title: 'rows/s',
    more: 'more rows/s',
    less: 'fewer rows/s',
    isMoreBetter: true,
    format: formatRate,
  },
  cpuPerMillion: {
    title: 'CPU per million rows',
    more: 'more CPU a row',
    less: 'less CPU a row',
    isMoreBetter: false,
    format: (seconds) => `${formatSeconds(seconds)} s`,
  },
  p50: {
    title: 'latency p50',
    more: 'slower at p50',
    less: 'faster at p50',
    isMoreBetter: false,
    format: formatLatency,
  },
  p99: {
    title: 'latency p99',
    more: 'slower at p99',
    less: 'faster at p99',
    isMoreBetter: false,
    format: formatLatency,
  },
  residentBytes: {
    title: 'memory (sum of peaks)',
    more: 'more memory',
    less: 'less memory',
    isMoreBetter: false,
    format: formatBytes,
  },
};

export function figuresOf(run: RunFile): RunFigures {
  const { warmUpMs } = run.plan;
  const rates = throughputCurves(run);
  const latencies = latencyCurves(run);
  const slices = (curves: typeof rates, name: string): readonly number[] =>
    (curves.curves.find((curve) => curve.name === name)?.values ?? []).filter(
      (value, position): value is number => value !== null && (curves.atMs[position] ?? 0) > warmUpMs,
    );
  const resident = run.workers.map(({ memory }) => memory.residentBytesMax);
  const known = resident.filter((bytes) => bytes !== null);
  const isWhole = known.length === resident.length && known.length > 0;
  return {
    id: run.run.id,
    figures: {
      rowsPerSecond: {
        value: run.throughput.acknowledgedRowsPerSecond,
        slices: slices(rates, rates.curves[0]?.name ?? ''),
      },
      cpuPerMillion: { value: run.cost.cpuSecondsPerMillionRows, slices: null },
      p50: { value: run.latencyMs.service.p50, slices: slices(latencies, 'p50') },
      p99: { value: run.latencyMs.service.p99, slices: slices(latencies, 'p99') },
      residentBytes: { value: isWhole ? known.reduce((sum, bytes) => sum + bytes, 0) : null, slices: null },
    },
  };
}
