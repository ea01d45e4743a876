/**
 * A figure of the report: a chart that is complete without script, what its lines mean, the numbers behind it as a
 * table, and the same numbers as data for the script that zooms.
 */
import { counted, formatClock, orDash } from '../quantities.ts';
import { type Curves, curveName, isMeasured, thinned } from '../curves.ts';
import type { EventMark } from '../events.ts';
import type { RunFile } from '../run-file-schema.ts';
import { type Axis, byteAxis, timeAxis, valueAxis } from './axis.ts';
import { type LineChart, lineChart, lineClass } from './chart.ts';
import { type Markup, type Piece, html, jsonBlock } from './markup.ts';

/** Moments in a table behind a chart: more than anybody reads. All of them are in the CSV. */
const TABLE_MOMENTS = 60;
/** Moments of a drawn line: more than its width has units would not be seen. */
const DRAWN_MOMENTS = 900;

export interface TimeFigure {
  readonly id: string;
  readonly title: string;
  /** What the lines are, in a sentence for everybody. */
  readonly note: Piece;
  /** Said in the place of a chart when there is not one value. */
  readonly empty?: string;
  readonly curves: Curves;
  readonly formatY: (value: number) => string;
  /** The unit of the table's cells. */
  readonly unit: string;
  /** The top of the scale at least; data above it raises it. */
  readonly scaleTo?: number;
  readonly reference?: LineChart['reference'];
}

/** What all time figures of a page share: one axis, so that moments stand above each other. */
export interface TimeFrame {
  readonly axis: Axis;
  readonly warmUpMs: number;
  readonly marks: readonly EventMark[];
}

/** From the common start to the last moment of anything that is drawn: server and host are looked at at times of their own. */
export function timeFrame(run: RunFile, marks: readonly EventMark[] = []): TimeFrame {
  const drawn = [run.series, run.server?.samples ?? [], run.host.samples];
  const endMs = Math.max(run.run.runningMs ?? 0, ...drawn.map((points) => points.at(-1)?.tMs ?? 0));
  return { axis: timeAxis(endMs), warmUpMs: run.plan.warmUpMs, marks };
}

/** Chart, legend, table and data of curves over time; a sentence where nothing was measured. */
export function timeFigure(figure: TimeFigure, frame: TimeFrame): Markup {
  const named = figure.curves.curves
    .filter(isMeasured)
    .map(({ name, values }) => ({ name: curveName(name), values }));
  if (named.length === 0)
    return emptyFigure(figure.id, figure.title, figure.empty ?? 'This was not measured in this run.');
  const curves = thinned({ atMs: figure.curves.atMs, curves: named }, DRAWN_MOMENTS);
  const top = highestOf(curves);
  const svg = lineChart({
    id: figure.id,
    title: figure.title,
    description: `${describe(curves, figure.formatY)}${marksText(frame)}`,
    x: curves.atMs,
    lines: curves.curves,
    xAxis: frame.axis,
    yAxis: (figure.unit.startsWith('bytes') ? byteAxis : valueAxis)(Math.max(top, figure.scaleTo ?? 0)),
    formatX: formatClock,
    formatY: figure.formatY,
    shadedTo: frame.warmUpMs,
    marks: frame.marks,
    ...(figure.reference === undefined ? {} : { reference: figure.reference }),
  });
  const data = {
    x: curves.atMs.map((ms) => ms / 1000),
    xMax: frame.axis.max / 1000,
    unit: figure.unit,
    lines: curves.curves.map(({ name, values }) => ({ name, values: values.map(fourDigits) })),
  };
  return html`<figure id="${figure.id}">
    <figcaption>
      <h3>${figure.title}</h3>
      <p>${figure.note}</p>
    </figcaption>
    <div class="plot">${svg}</div>
    ${legend(named.map(({ name }) => name))}${timeTable(figure, curves)}
    <script type="application/json" class="data">
      ${jsonBlock(data)}
    </script>
  </figure>`;
}

export function emptyFigure(id: string, title: string, sentence: Piece): Markup {
  return html`<figure id="${id}">
    <figcaption>
      <h3>${title}</h3>
      <p>${sentence}</p>
    </figcaption>
  </figure>`;
}

/** Line samples and names; none for a line alone, whose title says it. */
export function legend(names: readonly string[]): Markup | null {
  if (names.length < 2) return null;
  const items = names.map((name, index) => {
    return html`<li>
      <svg class="key" viewBox="0 0 28 10" aria-hidden="true">
        <path class="line ${lineClass(index)}" d="M0 5H28" /></svg
      >${name}
    </li>`;
  });
  return html`<ul class="legend">
    ${items}
  </ul>`;
}

/** A table that is folded away, scrolls by itself when it is too wide, and can be reached by keyboard. */
export function dataTable(
  summary: string,
  label: string,
  head: readonly string[],
  rows: readonly (readonly Piece[])[],
): Markup {
  return html`<details>
    <summary>${summary}</summary>
    ${table(label, head, rows)}
  </details>`;
}

/** The first cell of a row is its heading; all others are numbers or short texts, set to the right. */
export function table(label: string, head: readonly string[], rows: readonly (readonly Piece[])[]): Markup {
  const cells = rows.map(([first = '', ...others]) => {
    return html`<tr>
      <th scope="row">${first}</th>
      ${others.map((cell) => html`<td>${cell}</td>`)}
    </tr>`;
  });
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${label}">
    <table>
      <thead>
        <tr>
          ${head.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${cells}
      </tbody>
    </table>
  </div>`;
}

/** A cell's text that may be of any length and without a blank: it breaks, instead of making the table wider. */
export function longCell(text: string): Markup {
  return html`<span class="long">${text}</span>`;
}

function timeTable(figure: TimeFigure, curves: Curves): Markup {
  const all = figure.curves.atMs.length;
  const shown = thinned(curves, TABLE_MOMENTS);
  const count = shown.atMs.length;
  const rows = shown.atMs.map((ms, position) => [
    formatMoment(ms),
    ...shown.curves.map(({ values }) => orDash(values[position] ?? null, figure.formatY)),
  ]);
  const which =
    count < all
      ? `${count} of ${all} moments, lowest and highest kept; all are in the CSV`
      : `${count} moments`;
  return dataTable(
    `Numbers: ${which}`,
    `${figure.title}: numbers`,
    ['time', ...shown.curves.map(({ name }) => name)],
    rows,
  );
}

/** As on the axis; in the first minute to the millisecond. */
export function formatMoment(ms: number): string {
  return `${formatClock(ms)}${ms < 60_000 ? `.${String(Math.floor(ms % 1000)).padStart(3, '0')}` : ''}`;
}

function highestOf(curves: Curves): number {
  return curves.curves.reduce(
    (most, { values }) => values.reduce<number>((top, value) => Math.max(top, value ?? 0), most),
    0,
  );
}

/** For listeners: lowest, typical and highest of each line. */
function describe(curves: Curves, format: (value: number) => string): string {
  const described = curves.curves.slice(0, 8).map(({ name, values }) => {
    const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
    const [lowest, middle, highest] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    return `${name}: lowest ${format(lowest ?? 0)}, median ${format(middle ?? 0)}, highest ${format(highest ?? 0)}`;
  });
  const rest = curves.curves.length - described.length;
  return `${described.join('; ')}${rest > 0 ? `; and ${rest} more lines` : ''}. Over ${formatClock(curves.atMs.at(-1) ?? 0)}.`;
}

/** Where a listener finds what stands in every chart. */
function marksText({ marks }: TimeFrame): string {
  return marks.length === 0
    ? ''
    : ` ${counted(marks.length, 'event')} marked, as listed under “What happened”.`;
}

function fourDigits(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(4));
}
