/**
 * Charts as SVG that needs no script: lines over a common x axis, labels inside the plot so that all charts of a page
 * share their left edge, and bars of time. Colours come from the page's style sheet; every line also has a dash pattern
 * of its own, for eyes and printers without colour.
 */
import type { EventMark } from '../events.ts';
import type { Axis } from './axis.ts';
import { type Markup, html, joined, verbatim } from './markup.ts';
import { MARK_STRIP, type MarkedPlot, markLabels, markLines } from './marks.ts';

/** One line; x values are those of the chart. */
export interface ChartLine {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

export interface LineChart {
  /** Unique on the page, a word of letters, digits and dashes. */
  readonly id: string;
  readonly title: string;
  /** What a listener hears instead of seeing it: the gist in a sentence. */
  readonly description: string;
  readonly x: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly xAxis: Axis;
  readonly yAxis: Axis;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  /** Marked from the left, as the warm-up is; in x values. */
  readonly shadedTo?: number;
  /** A horizontal line to compare with, as the rate that was asked for. */
  readonly reference?: { readonly value: number; readonly label: string };
  /** Of a chart over time, whose x values are ms. */
  readonly marks?: readonly EventMark[];
}

/** Units of the drawing; the page scales it. */
export const WIDTH = 720;
const HEIGHT = 200;
/** Room for the topmost label, and for the labels of the x axis. */
const TOP = 26;
const BOTTOM = 26;
/** To both sides of a value without neighbours: a dot as wide as the line is looks like dust. */
const LONE = 'h-3h6';
/** Lines repeat their colours after this many, with another dash pattern. */
export const COLOURS = 6;

interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** The chart as one `<svg role="img">` with title and description. */
export function lineChart(chart: LineChart): Markup {
  const marks = chart.marks ?? [];
  const strip = marks.length > 0 ? MARK_STRIP : 0;
  const height = HEIGHT + strip;
  const box = { width: WIDTH, top: TOP + strip, bottom: height - BOTTOM };
  const scales = scalesOf(chart.xAxis, chart.yAxis, box);
  const plot = markedPlot(scales, { ...box, top: MARK_STRIP });
  const points = chart.lines.map((line) => pathOf(chart.x, line.values, scales));
  const lines = points.map((path, index) => html`<path class="line ${lineClass(index)}" d="${path}" />`);
  return drawing(
    chart,
    height,
    html`${shade(chart, scales)}${grid(chart, scales)}${markLines(marks, plot)}${lines}${reference(chart, scales)}${labels(chart, scales, box.bottom)}${markLabels(marks, plot, chart.formatX)}`,
  );
}

/** Class names that give the nth line its colour and dashes. */
export function lineClass(index: number): string {
  return `c${index % COLOURS} d${Math.floor(index / COLOURS) % 3}`;
}

/** A small line without labels, for many of a kind side by side on one scale. */
export function sparkChart(parts: {
  readonly title: string;
  readonly x: readonly number[];
  readonly values: readonly (number | null)[];
  readonly xAxis: Axis;
  readonly yAxis: Axis;
  readonly marks: readonly EventMark[];
}): Markup {
  const [width, height] = [120, 36];
  const box = { width, top: 2, bottom: height - 2 };
  const scales = scalesOf(parts.xAxis, parts.yAxis, box);
  const path = pathOf(parts.x, parts.values, scales);
  return html`<svg
    class="spark"
    viewBox="0 0 ${width} ${height}"
    preserveAspectRatio="none"
    role="img"
    aria-label="${parts.title}"
  >
    <path class="base" d="M0 ${box.bottom}H${width}" />
    ${markLines(parts.marks, markedPlot(scales, box))}
    <path class="line c0 d0" d="${path}" />
  </svg>`;
}

/** One bar of time, as a node's outage. */
export interface TimeBar {
  readonly from: number;
  readonly to: number;
}

/** Rows of bars over the time axis, one named row each. */
export function barChart(chart: {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly { readonly name: string; readonly bars: readonly TimeBar[] }[];
  readonly xAxis: Axis;
  readonly formatX: (value: number) => string;
  readonly marks: readonly EventMark[];
}): Markup {
  const rowHeight = 34;
  const bottom = chart.rows.length * rowHeight + 6;
  const scales = scalesOf(chart.xAxis, { min: 0, max: 1, ticks: [] }, { width: WIDTH, top: 0, bottom });
  const rows = chart.rows.map(({ name, bars }, index) => {
    const y = index * rowHeight + 18;
    const drawn = bars.map(({ from, to }) => {
      const [left, right] = [scales.x(from), scales.x(to)];
      // A short outage is still to be seen.
      return html`<rect
        class="bar"
        x="${left}"
        y="${y}"
        width="${round(Math.max(3, right - left))}"
        height="12"
        rx="2"
      />`;
    });
    return html`<path class="grid" d="M0 ${y + 6}H${WIDTH}" />${drawn}<text class="label" x="0" y="${y - 4}"
        >${name}</text
      >`;
  });
  return drawing(
    chart,
    bottom + BOTTOM,
    html`${markLines(chart.marks, markedPlot(scales, { width: WIDTH, top: 0, bottom }))}${rows}${xLabels(chart.xAxis, chart.formatX, scales, bottom)}`,
  );
}

/** An `<svg role="img">` of full width with title and description. */
function drawing(
  { id, title, description }: Pick<LineChart, 'id' | 'title' | 'description'>,
  height: number,
  content: Markup,
): Markup {
  return html`<svg
    class="chart"
    viewBox="0 0 ${WIDTH} ${height}"
    role="img"
    aria-labelledby="${id}-t ${id}-d"
  >
    <title id="${id}-t">${title}</title>
    <desc id="${id}-d">${description}</desc>
    ${content}
  </svg>`;
}

/** Where marks go; what happened after the last sample stands at the end. */
function markedPlot(scales: Scales, box: Omit<MarkedPlot, 'x'>): MarkedPlot {
  return { ...box, x: (ms) => Math.min(box.width, scales.x(ms)) };
}

function scalesOf(
  xAxis: Axis,
  yAxis: Axis,
  box: { readonly width: number; readonly top: number; readonly bottom: number },
): Scales {
  const share = (axis: Axis, value: number): number =>
    axis.max === axis.min ? 0 : (value - axis.min) / (axis.max - axis.min);
  return {
    x: (value) => round(share(xAxis, value) * box.width),
    y: (value) => round(box.bottom - share(yAxis, value) * (box.bottom - box.top)),
  };
}

/**
 * A path with a gap where there is no value; a value alone between two gaps is a short dash. Each point is told by its
 * distance from the one before, which is half as long as where it is; the distances are of rounded places, so that
 * no error adds up.
 */
function pathOf(x: readonly number[], values: readonly (number | null)[], scales: Scales): Markup {
  let path = '';
  let before: { readonly x: number; readonly y: number } | null = null;
  values.forEach((value, position) => {
    if (value === null || !Number.isFinite(value)) {
      before = null;
      return;
    }
    const at = { x: scales.x(x[position] ?? 0), y: scales.y(value) };
    if (before !== null) path += `l${pair(round(at.x - before.x), round(at.y - before.y))}`;
    else path += `M${pair(at.x, at.y)}${(values[position + 1] ?? null) === null ? LONE : ''}`;
    before = at;
  });
  return verbatim(path);
}

/** Two numbers of a path: a minus divides them too, and a leading 0 says nothing. */
function pair(first: number, second: number): string {
  const [left, right] = [first, second].map((value) => String(value).replace(/^(-?)0\./, '$1.'));
  return `${left}${second < 0 ? '' : ' '}${right}`;
}

function shade({ shadedTo, xAxis, yAxis }: LineChart, scales: Scales): Markup | null {
  if (shadedTo === undefined || shadedTo <= xAxis.min) return null;
  const [top, bottom] = [scales.y(yAxis.max), scales.y(yAxis.min)];
  const right = scales.x(Math.min(shadedTo, xAxis.max));
  return html`<rect class="shade" x="0" y="${top}" width="${right}" height="${bottom - top}" />`;
}

function grid({ yAxis }: LineChart, scales: Scales): Markup {
  return joined(
    yAxis.ticks.map((tick) => {
      return html`<path class="${tick === yAxis.min ? 'base' : 'grid'}" d="M0 ${scales.y(tick)}H${WIDTH}" />`;
    }),
  );
}

/** Above the lines, so that a line never hides a number: the labels have a halo of the page's colour. */
function labels({ xAxis, yAxis, formatX, formatY }: LineChart, scales: Scales, bottom: number): Markup {
  const values = yAxis.ticks.slice(1).map((tick) => {
    return html`<text class="label" x="0" y="${scales.y(tick) - 4}">${formatY(tick)}</text>`;
  });
  return html`${values}${xLabels(xAxis, formatX, scales, bottom)}`;
}

function xLabels(axis: Axis, format: (value: number) => string, scales: Scales, bottom: number): Markup {
  return joined(
    axis.ticks.map((tick, index) => {
      const x = scales.x(tick);
      // A label at an edge stays within the drawing.
      const side = x < 20 ? 'start' : x > WIDTH - 30 ? 'end' : 'mid';
      return html`<path class="tick" d="M${x} ${bottom}v5" /><text
          class="label x ${side}${index % 2 === 1 ? ' second' : ''}"
          x="${x}"
          y="${bottom + 19}"
          >${format(tick)}</text
        >`;
    }),
  );
}

function reference({ reference: line, yAxis }: LineChart, scales: Scales): Markup | null {
  if (line === undefined || line.value > yAxis.max) return null;
  const y = scales.y(line.value);
  return html`<path class="reference" d="M0 ${y}H${WIDTH}" /><text class="label end" x="${WIDTH}" y="${y - 4}"
      >${line.label}</text
    >`;
}

/** Tenths of a unit: finer is not to be seen, and makes the file larger. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
