/**
 * Measures in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format), by its conventions for names:
 * base units as suffixes, `_total` behind counters. Pure.
 */
import type { HistogramPoint, Labels, Measure, MeasureUnit } from './measures.ts';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const SUFFIXES: Readonly<Record<MeasureUnit, string>> = {
  s: '_seconds',
  By: '_bytes',
  '1': '',
  '{row}': '',
  '{batch}': '',
  '{request}': '',
  '{restart}': '',
  '{attempt}': '',
};

/** The whole page, one family of metrics behind the other, with a line feed at the end. */
export function prometheusText(measures: readonly Measure[]): string {
  return measures.map(familyText).join('');
}

function familyText(measure: Measure): string {
  const name = prometheusName(measure);
  const lines =
    measure.kind === 'histogram'
      ? measure.points.flatMap((point) => histogramLines(name, measure.bounds, point))
      : measure.points.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`);
  return [`# HELP ${name} ${escapeHelp(measure.help)}`, `# TYPE ${name} ${measure.kind}`, ...lines, ''].join(
    '\n',
  );
}

/** `rows.acknowledged` → `crategen_rows_acknowledged_total`. */
function prometheusName({ name, unit, kind }: Measure): string {
  const isRatio = name.endsWith('.utilization');
  const total = kind === 'counter' ? '_total' : '';
  return `crategen_${name.replaceAll('.', '_')}${isRatio ? '_ratio' : SUFFIXES[unit]}${total}`;
}

/** Buckets are cumulative here: each holds all values up to its bound. */
function histogramLines(name: string, bounds: readonly number[], point: HistogramPoint): string[] {
  const { labels, counts, count, sum } = point;
  let below = 0;
  const buckets = bounds.map((bound, index) => {
    below += counts[index] ?? 0;
    return `${name}_bucket${labelText([...labels, ['le', String(bound)]])} ${below}`;
  });
  return [
    ...buckets,
    `${name}_bucket${labelText([...labels, ['le', '+Inf']])} ${count}`,
    `${name}_sum${labelText(labels)} ${sum}`,
    `${name}_count${labelText(labels)} ${count}`,
  ];
}

function labelText(labels: Labels): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`;
}

function escapeLabel(value: string): string {
  return escapeHelp(value).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  // A lone surrogate is no UTF-8, and a carriage return ends a line for some readers.
  return text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', ' ');
}
