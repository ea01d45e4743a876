/**
 * Events in a chart over time: a thin line at the moment of each, a light band over what lasted, and above the plot
 * their numbers in the list of events, with the name where there is room for it.
 */
import type { EventMark, MarkTone } from '../events.ts';
import { type Markup, html, joined, verbatim } from './markup.ts';

/** Height of the labels above a plot. */
export const MARK_STRIP = 16;
/** Marks nearer than this share a label; the label of a phone must fit between two. */
const LABEL_GAP = 64;
/** About the width of a letter in a label. */
const LETTER = 5.6;
/** Events that a label spells out when it is pointed at. */
const MAX_SPELT = 3;

const TONES: readonly MarkTone[] = ['pause', 'loss', 'stop'];

/** Where a plot is; `x` and `y` in units of the drawing. */
export interface MarkedPlot {
  readonly x: (ms: number) => number;
  readonly width: number;
  readonly top: number;
  readonly bottom: number;
}

/** Lines and bands, for behind the curves; one path a tone, so that hundreds weigh little. */
export function markLines(marks: readonly EventMark[], { x, top, bottom }: MarkedPlot): Markup {
  const pieces = TONES.flatMap((tone) => {
    const own = marks.filter((mark) => mark.tone === tone);
    const lines = [...new Set(own.map(({ fromMs }) => `M${x(fromMs)} ${top}V${bottom}`))].join('');
    const bands = own.flatMap(({ fromMs, toMs }) => {
      const [left, right] = [x(fromMs), x(toMs ?? fromMs)];
      return right > left ? [`M${left} ${top}H${right}V${bottom}H${left}Z`] : [];
    });
    return [
      bands.length > 0 && html`<path class="band ${tone}" d="${verbatim(bands.join(''))}" />`,
      lines !== '' && html`<path class="mark ${tone}" d="${verbatim(lines)}" />`,
    ];
  });
  return joined(pieces);
}

/** The labels above the plot, told in full when they are pointed at. */
export function markLabels(
  marks: readonly EventMark[],
  plot: MarkedPlot,
  format: (ms: number) => string,
): Markup {
  const labels = labelsOf(marks, plot).map(({ x, numbers, name, marks: own }) => {
    const spelt = own.slice(0, MAX_SPELT).map(({ fromMs, text }) => `${format(fromMs)} ${text}`);
    const rest = own.length - spelt.length;
    const tone = own.every((mark) => mark.tone === own[0]?.tone) ? (own[0]?.tone ?? '') : '';
    return html`<text
      class="label mark-label ${tone}${x > plot.width - LABEL_GAP ? ' end' : ''}"
      x="${x}"
      y="11"
      ><title>${spelt.join('\n')}${rest > 0 && `\nand ${rest} more`}</title>${numbers}${
        name !== '' && html`<tspan class="mark-name"> ${name}</tspan>`
      }</text
    >`;
  });
  return joined(labels);
}

export interface MarkLabel {
  readonly x: number;
  /** `3`, or `3–7` for those that share it. */
  readonly numbers: string;
  /** '' where it would run into the next label, or where those that share it differ. */
  readonly name: string;
  readonly marks: readonly EventMark[];
}

/** Each mark is in one label; labels do not overlap. */
export function labelsOf(marks: readonly EventMark[], { x, width }: MarkedPlot): readonly MarkLabel[] {
  const groups: EventMark[][] = [];
  for (const mark of marks) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    if (first !== undefined && x(mark.fromMs) - x(first.fromMs) < LABEL_GAP) group?.push(mark);
    else groups.push([mark]);
  }
  const starts = groups.map((group) => x(group[0]?.fromMs ?? 0));
  // From the right, where a label reaches leftwards to stay in the drawing.
  let taken = width;
  return groups
    .map((group, position) => ({ group, start: starts[position] ?? 0, before: starts[position - 1] ?? 0 }))
    .toReversed()
    .map(({ group, start, before }): MarkLabel => {
      const isAtEnd = start > width - LABEL_GAP;
      const room = isAtEnd ? start - before - LABEL_GAP : taken - start;
      const [from, to] = [group[0]?.number ?? 0, group.at(-1)?.number ?? 0];
      const numbers = from === to ? String(from) : `${from}–${to}`;
      const common = group.every(({ name }) => name === group[0]?.name) ? (group[0]?.name ?? '') : '';
      const widthWith = (numbers.length + 1 + common.length) * LETTER + 8;
      const name = widthWith <= room ? common : '';
      taken = isAtEnd ? start - (name === '' ? LABEL_GAP : widthWith) : start;
      return { x: start, numbers, name, marks: group };
    })
    .toReversed();
}
