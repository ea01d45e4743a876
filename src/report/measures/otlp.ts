/**
 * Measures as an OTLP/JSON metrics request, as the OpenTelemetry Protocol 1.x has them
 * (https://opentelemetry.io/docs/specs/otlp/, opentelemetry-proto metrics/v1): 64-bit integers as texts, cumulative
 * sums and histograms, times in nanoseconds since 1970. Pure.
 */
import type { HistogramPoint, Labels, Measure, NumberPoint } from './measures.ts';

export interface OtlpTimes {
  /** When the counters were 0, milliseconds since 1970. */
  readonly startMs: number;
  readonly nowMs: number;
}

/** AGGREGATION_TEMPORALITY_CUMULATIVE */
const CUMULATIVE = 2;

/** The body of a request to `/v1/metrics`. */
export function otlpMetrics(measures: readonly Measure[], run: Labels, times: OtlpTimes): object {
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributesOf([['service.name', 'crategen'], ...run]) },
        scopeMetrics: [
          { scope: { name: 'crategen' }, metrics: measures.map((measure) => metricOf(measure, times)) },
        ],
      },
    ],
  };
}

function metricOf(measure: Measure, times: OtlpTimes): object {
  const { name, help, unit } = measure;
  return { name: `crategen.${name}`, description: help, unit, ...dataOf(measure, times) };
}

function dataOf(measure: Measure, times: OtlpTimes): object {
  switch (measure.kind) {
    case 'gauge':
      return { gauge: { dataPoints: measure.points.map((point) => numberPoint(point, times)) } };
    case 'counter':
      return {
        sum: {
          aggregationTemporality: CUMULATIVE,
          isMonotonic: true,
          dataPoints: measure.points.map((point) => numberPoint(point, times)),
        },
      };
    case 'histogram':
      return {
        histogram: {
          aggregationTemporality: CUMULATIVE,
          dataPoints: measure.points.map((point) => histogramPoint(point, measure.bounds, times)),
        },
      };
  }
}

function numberPoint({ labels, value }: NumberPoint, times: OtlpTimes): object {
  const number = Number.isSafeInteger(value) ? { asInt: String(value) } : { asDouble: value };
  return { ...headOf(labels, times), ...number };
}

function histogramPoint(point: HistogramPoint, bounds: readonly number[], times: OtlpTimes): object {
  return {
    ...headOf(point.labels, times),
    count: String(point.count),
    sum: point.sum,
    bucketCounts: point.counts.map(String),
    explicitBounds: bounds,
  };
}

function headOf(labels: Labels, { startMs, nowMs }: OtlpTimes): object {
  return {
    attributes: attributesOf(labels),
    startTimeUnixNano: nanoseconds(startMs),
    timeUnixNano: nanoseconds(nowMs),
  };
}

function attributesOf(labels: Labels): object[] {
  return labels.map(([key, value]) => ({ key, value: { stringValue: value.toWellFormed() } }));
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n);
}
