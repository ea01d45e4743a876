/** The figures of what crategen itself saw: throughput, errors, latency over time and by percentile, each worker. */
import { formatDuration, formatShort } from '../../base/units.ts';
import { bucketMiddleUs } from '../../metrics/histogram.ts';
import { meanOfKnown } from '../../metrics/measured.ts';
import {
  type WorkerCurves,
  errorCurves,
  latencyCurves,
  thinned,
  throughputCurves,
  workerCurves,
} from '../curves.ts';
import {
  counted,
  formatClock,
  formatLatency,
  formatMebibytes,
  formatPercent,
  formatRate,
  median,
  orDash,
} from '../quantities.ts';
import type { RunFile, RunFileLatency } from '../run-file-schema.ts';
import { type Axis, valueAxis } from './axis.ts';
import { barChart, lineChart, sparkChart } from './chart.ts';
import {
  type TimeFrame,
  dataTable,
  emptyFigure,
  formatMoment,
  legend,
  longCell,
  timeFigure,
} from './figure.ts';
import { type Markup, html, jsonBlock } from './markup.ts';

/** Small charts of one measure; what more workers do is in the table and the CSV. */
const MAX_SMALL_CHARTS = 128;
const SMALL_CHART_POINTS = 60;
/** More lines than this hide the curve of a small chart. */
const MAX_SMALL_MARKS = 20;

export function throughputFigure(run: RunFile, frame: TimeFrame): Markup {
  const asked = run.plan.rowsPerSecond;
  return timeFigure(
    {
      id: 'throughput',
      title: 'Throughput',
      note: html`Rows acknowledged by the server, per second.${warmUpNote(run)}`,
      curves: throughputCurves(run),
      formatY: formatShort,
      unit: 'rows/s',
      ...(asked === null ? {} : { reference: { value: asked, label: `${formatRate(asked)} asked for` } }),
    },
    frame,
  );
}

export function errorFigure(run: RunFile, frame: TimeFrame): Markup {
  const curves = errorCurves(run);
  if (curves.curves.length === 0 && curves.atMs.length > 0)
    return emptyFigure(
      'errors-over-time',
      'Errors',
      'No row was rejected, failed or unknown at any moment of the series.',
    );
  return timeFigure(
    {
      id: 'errors-over-time',
      title: 'Errors',
      note: 'Rows per second that ended rejected, failed or unknown (some of these may have been found stored afterwards).',
      curves,
      formatY: formatShort,
      unit: 'rows/s',
    },
    frame,
  );
}

export function latencyFigure(run: RunFile, frame: TimeFrame): Markup {
  return timeFigure(
    {
      id: 'latency',
      title: 'Latency over time',
      empty: 'In no interval enough requests were answered for a percentile.',
      note: 'Service time, from sent to answered, of the requests answered in each interval. A percentile has a gap where fewer than ten requests lie beyond it.',
      curves: latencyCurves(run),
      formatY: formatLatency,
      unit: 'ms',
    },
    frame,
  );
}

/** Nines on the x axis: each mark to the right is ten times rarer. */
export function percentileFigure(run: RunFile): Markup {
  const { service, response } = run.latencyMs;
  const title = 'Latency by percentile';
  const shares = [...percentilesOf(Math.max(service.samples, response.samples))];
  const lines = [
    { name: 'service: sent to answered', latency: service },
    { name: 'response: due to done', latency: response },
  ]
    .filter(({ latency }) => latency.samples > 0)
    .map(({ name, latency }) => ({ name, values: quantilesOf(latency, shares) }));
  if (lines.length === 0 || shares.length < 2)
    return emptyFigure('percentiles', title, 'Too few requests were answered for percentiles.');
  const x = shares.map(ninesOf);
  const last = x.at(-1) ?? 1;
  const xAxis: Axis = {
    min: 0,
    max: last,
    ticks: [0, ninesOf(0.5), ...Array.from({ length: Math.floor(last) }, (_, index) => index + 1)].filter(
      (nines) => nines <= last,
    ),
  };
  const highest = Math.max(...lines.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const svg = lineChart({
    id: 'percentile-curve',
    title,
    description: lines
      .map(
        ({ name, values }) =>
          `${name}: half of the requests within ${orDash(values[shares.indexOf(0.5)] ?? null, formatLatency)}, the slowest shown at ${orDash(values.at(-1) ?? null, formatLatency)}`,
      )
      .join('; '),
    x,
    lines,
    xAxis,
    yAxis: valueAxis(highest),
    formatX: formatNines,
    formatY: formatLatency,
  });
  const rows = shares.map((share, position) => [
    formatPercentile(share),
    ...lines.map(({ values }) => orDash(values[position] ?? null, formatLatency)),
  ]);
  return html`<figure id="percentiles">
    <figcaption>
      <h3>${title}</h3>
      <p>
        How long the faster part of all requests took at most, of ${counted(service.samples, 'request')}. It
        ends where fewer than ten requests lie beyond.
      </p>
    </figcaption>
    <div class="plot">${svg}</div>
    ${legend(lines.map(({ name }) => name))}${dataTable(
      `Numbers: ${shares.length} percentiles`,
      `${title}: numbers`,
      ['percentile', ...lines.map(({ name }) => name)],
      rows,
    )}
  </figure>`;
}

/** One small chart a worker and measure, all of a measure on one scale. */
export function workersFigure(run: RunFile, frame: TimeFrame): Markup {
  const workers = workerCurves(run);
  const shown = workers.slice(0, MAX_SMALL_CHARTS);
  const title = 'Each worker';
  if (run.series.length === 0 || shown.length === 0)
    return emptyFigure('each-worker', title, 'No process was sampled in this run.');
  const groups = MEASURES.map((measure) => smallCharts(measure, shown, frame));
  const hidden = workers.length - shown.length;
  return html`<figure id="each-worker">
    <figcaption>
      <h3>${title}</h3>
      <p>
        The same measure has the same scale in every small chart, over the whole run. CPU and memory are the
        kernel's numbers for each
        PID.${
          hidden > 0 &&
          ` The first ${shown.length} of ${workers.length} workers are drawn; all are in the table.`
        }
      </p>
    </figcaption>
    ${groups}${workersTable(workers)}
  </figure>`;
}

/** The list of what all charts over time mark by number; nothing for a run in which nothing happened. */
export function eventsFigure({ marks }: TimeFrame): Markup | null {
  if (marks.length === 0) return null;
  const items = marks.map(({ fromMs, toMs, tone, text }) => {
    const lasted = toMs === null || toMs === fromMs ? '' : `, for ${formatDuration(toMs - fromMs)}`;
    return html`<li><b class="mark-label ${tone}">${formatMoment(fromMs)}${lasted}</b> ${text}</li>`;
  });
  const data = marks.map(({ number, fromMs, toMs, tone, name }) => ({
    label: `${number} ${name}`,
    from: fromMs / 1000,
    to: (toMs ?? fromMs) / 1000,
    tone,
  }));
  return html`<figure id="events">
    <figcaption>
      <h3>What happened</h3>
      <p>Each has its number in the charts over time; what lasted is a band there.</p>
    </figcaption>
    <div class="scroll" role="region" tabindex="0" aria-label="What happened">
      <ol class="events">
        ${items}
      </ol>
    </div>
    <script type="application/json" id="marks">
      ${jsonBlock(data)}
    </script>
  </figure>`;
}

/** When which node got no requests; nothing for a run in which none was out. */
export function outagesFigure(run: RunFile, frame: TimeFrame): Markup | null {
  const out = run.nodes.filter(({ outages }) => outages.length > 0);
  if (out.length === 0) return null;
  const count = out.reduce((sum, { outages }) => sum + outages.length, 0);
  const title = 'Nodes that were out';
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const svg = barChart({
    id: 'outage-bars',
    title,
    description: `${counted(count, 'outage')} of ${counted(out.length, 'node')}; the table has them all.`,
    rows: out.map(({ origin, outages }) => ({
      name: origin,
      bars: outages.map(({ fromMs, toMs }) => ({ from: fromMs, to: toMs })),
    })),
    xAxis: frame.axis,
    formatX: formatClock,
    marks: frame.marks,
  });
  const rows = out.flatMap(({ origin, outages }) =>
    outages.map(({ fromMs, toMs, why }) => [
      origin,
      seconds(fromMs),
      seconds(toMs),
      seconds(toMs - fromMs),
      longCell(why),
    ]),
  );
  return html`<figure id="outages">
    <figcaption>
      <h3>${title}</h3>
      <p>Bars are times in which a node got no requests, because it did not answer or answered badly.</p>
    </figcaption>
    <div class="plot">${svg}</div>
    ${dataTable(
      `Numbers: ${counted(count, 'outage')}`,
      `${title}: numbers`,
      ['node', 'from', 'to', 'length', 'why'],
      rows,
    )}
  </figure>`;
}

interface Measure {
  readonly key: 'rowsPerSecond' | 'cpuPercent' | 'residentBytes';
  readonly name: string;
  readonly format: (value: number) => string;
  /** What the scale is round in. */
  readonly unit: number;
}

const MEASURES: readonly Measure[] = [
  { key: 'rowsPerSecond', name: 'rows/s', format: formatShort, unit: 1 },
  { key: 'cpuPercent', name: 'CPU, 100 % = one core', format: formatPercent, unit: 1 },
  {
    key: 'residentBytes',
    name: 'resident memory',
    format: (bytes) => `${formatMebibytes(bytes)} MiB`,
    unit: 2 ** 20,
  },
];

function smallCharts(measure: Measure, workers: readonly WorkerCurves[], frame: TimeFrame): Markup {
  const highest = workers.reduce((most, worker) => Math.max(most, ...measuredOf(worker, measure)), 0);
  const { max } = valueAxis(highest / measure.unit, 2);
  const yAxis: Axis = { min: 0, max: max * measure.unit, ticks: [] };
  const charts = workers.map((worker) => {
    // Not the median: that is 0 for who sends a batch every few seconds.
    const mean = meanOfKnown(worker[measure.key]);
    const curve = thinned(
      { atMs: worker.atMs, curves: [{ name: '', values: worker[measure.key] }] },
      SMALL_CHART_POINTS,
    );
    const typical = orDash(mean, measure.format);
    return html`<li>
      <span class="who"><b>${worker.index}</b> ${typical}</span>${sparkChart({
        title: `Worker ${worker.index}, ${measure.name}: mean ${typical}`,
        x: curve.atMs,
        values: curve.curves[0]?.values ?? [],
        xAxis: frame.axis,
        yAxis,
        marks: frame.marks.length > MAX_SMALL_MARKS ? [] : frame.marks,
      })}
    </li>`;
  });
  return html`<h4>
      ${measure.name} <small>0 to ${measure.format(yAxis.max)} in each, mean beside the number</small>
    </h4>
    <ul class="sparks">
      ${charts}
    </ul>`;
}

function workersTable(workers: readonly WorkerCurves[]): Markup {
  const rows = workers.map((worker) => [
    String(worker.index),
    worker.pids.join(', '),
    ...MEASURES.flatMap((measure) => {
      const values = measuredOf(worker, measure);
      const [lowest, highest] = values.reduce<[number, number]>(
        ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
        [Infinity, -Infinity],
      );
      return [
        orDash(values.length === 0 ? null : lowest, measure.format),
        orDash(median(values), measure.format),
        orDash(values.length === 0 ? null : highest, measure.format),
      ];
    }),
  ]);
  const head = MEASURES.flatMap(({ name }) => ['min', 'median', 'max'].map((which) => `${name}, ${which}`));
  return dataTable(
    `Numbers: ${counted(workers.length, 'worker')}`,
    'Each worker: numbers',
    ['worker', 'pid', ...head],
    rows,
  );
}

function measuredOf(worker: WorkerCurves, measure: Measure): number[] {
  return worker[measure.key].filter((value) => value !== null);
}

function warmUpNote(run: RunFile): string {
  return run.plan.warmUpMs > 0 ? ' The shaded part is the warm-up, which rate and latency leave out.' : '';
}

/** Steps within each nine: 0.25, 0.5 … 0.9, 0.925, 0.95 … 0.99, as far as ten samples lie beyond. */
const STEPS = [0.25, 0.5, 0.6, 0.7, 0.8, 0.9];

function* percentilesOf(samples: number): Generator<number> {
  yield 0;
  for (let nines = 0; nines < 7; nines += 1) {
    for (const step of STEPS) {
      const share = 1 - 10 ** -nines * (1 - step);
      if (samples * (1 - share) < 10 - 1e-6) return;
      yield Number(share.toPrecision(12));
    }
  }
}

function ninesOf(share: number): number {
  return -Math.log10(1 - share);
}

function formatNines(nines: number): string {
  return formatPercentile(1 - 10 ** -nines);
}

/** 0.5 → `p50`, 0.999 → `p99.9`. */
function formatPercentile(share: number): string {
  return share === 0 ? 'fastest' : `p${Number((share * 100).toPrecision(9))}`;
}

/** Values at these shares, out of the histogram: the middle of the bucket, at most the maximum. */
function quantilesOf(latency: RunFileLatency, shares: readonly number[]): (number | null)[] {
  const buckets = Object.entries(latency.histogram)
    .map(([lowerUs, samples]) => ({ lowerUs: Number(lowerUs), samples }))
    .toSorted((a, b) => a.lowerUs - b.lowerUs);
  let [position, seen] = [0, buckets[0]?.samples ?? 0];
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(latency.samples * share));
    while (seen < rank && position < buckets.length - 1) {
      position += 1;
      seen += buckets[position]?.samples ?? 0;
    }
    const bucket = buckets[position];
    if (bucket === undefined) return null;
    return Math.min(bucketMiddleUs(bucket.lowerUs) / 1000, latency.max ?? Infinity);
  });
}
