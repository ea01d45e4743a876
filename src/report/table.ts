/**
 * Tables of text: columns that keep their width from frame to frame, and fold away, least needed first, when the
 * line is too narrow for all of them.
 */
import {
  type Line,
  type Span,
  type Style,
  cut,
  padEnd,
  padStart,
  plain,
  styled,
  textWidth,
} from './styled-text.ts';

export interface TableColumn {
  readonly header: string;
  /** Used when not all columns fit with their full headers. */
  readonly shortHeader?: string;
  readonly align: 'left' | 'right';
  /** Cells it takes at least, so that numbers that grow do not move their neighbours. */
  readonly minWidth?: number;
  /** 1 is dropped last; equal ones from the right. */
  readonly rank: number;
  /** What its header leaves unsaid; equal ones are said once. */
  readonly note?: string;
}

export interface TableRow {
  readonly cells: readonly string[];
  readonly style?: Style;
  /** Styles of single cells, by column. */
  readonly cellStyles?: Readonly<Record<number, Style>>;
}

interface Layout {
  readonly kept: readonly number[];
  readonly widths: readonly number[];
  readonly gap: number;
  readonly short: boolean;
}

/** The most a left-aligned cell may take: a name must not push the numbers out. */
const MAX_TEXT_WIDTH = 32;

/** Header and rows as lines of at most `cells`, each behind `indent` blanks. */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly TableRow[],
  options: { readonly cells: number; readonly indent: number },
): Line[] {
  const layout = layoutOf(columns, rows, options.cells - options.indent);
  const indent = plain(' '.repeat(options.indent));
  // A name alone says nothing: its numbers gave way.
  const telling = rows.filter(({ cells }) => {
    return layout.kept.length === 1 || layout.kept.some((column) => column > 0 && cells[column] !== '');
  });
  const header = layout.kept.map((index) => {
    const column = columnAt(columns, index);
    const text = layout.short ? (column.shortHeader ?? column.header) : column.header;
    return styled('dim', align(text, column, layout.widths[index] ?? 0));
  });
  return [
    [indent, ...spaced(header, layout.gap)],
    ...telling.map((row) => [indent, ...spaced(rowSpans(columns, row, layout), layout.gap)]),
  ];
}

/** The notes of the columns that `tableLines` shows for the same arguments. */
export function tableNotes(
  columns: readonly TableColumn[],
  rows: readonly TableRow[],
  options: { readonly cells: number; readonly indent: number },
): string[] {
  const { kept } = layoutOf(columns, rows, options.cells - options.indent);
  return [...new Set(kept.flatMap((index) => columnAt(columns, index).note ?? []))];
}

function rowSpans(columns: readonly TableColumn[], row: TableRow, layout: Layout): Span[] {
  return layout.kept.map((index) => {
    const style = row.cellStyles?.[index] ?? row.style ?? 'plain';
    return styled(style, align(row.cells[index] ?? '', columnAt(columns, index), layout.widths[index] ?? 0));
  });
}

/** Full headers, with wide or narrow gaps; short headers; then fewer columns. */
function layoutOf(columns: readonly TableColumn[], rows: readonly TableRow[], cells: number): Layout {
  const all = columns.map((_, index) => index);
  const full = columns.map((column, index) => widthOf(column, index, rows, column.header));
  for (const gap of [2, 1]) {
    if (totalWidth(all, full, gap) <= cells) return { kept: all, widths: full, gap, short: false };
  }
  const tight = columns.map((column, index) =>
    widthOf(column, index, rows, column.shortHeader ?? column.header),
  );
  let kept: readonly number[] = all;
  while (kept.length > 1 && totalWidth(kept, tight, 1) > cells) kept = withoutLeastNeeded(kept, columns);
  const gap = totalWidth(kept, tight, 2) <= cells ? 2 : 1;
  return { kept, widths: tight, gap, short: true };
}

function withoutLeastNeeded(kept: readonly number[], columns: readonly TableColumn[]): readonly number[] {
  const worst = kept.reduce((a, b) => (columnAt(columns, b).rank >= columnAt(columns, a).rank ? b : a));
  return kept.filter((index) => index !== worst);
}

function widthOf(column: TableColumn, index: number, rows: readonly TableRow[], header: string): number {
  const widest = rows.reduce(
    (width, row) => Math.max(width, textWidth(row.cells[index] ?? '')),
    textWidth(header),
  );
  const width = Math.max(widest, column.minWidth ?? 0);
  return column.align === 'left' ? Math.min(width, MAX_TEXT_WIDTH) : width;
}

function totalWidth(kept: readonly number[], widths: readonly number[], gap: number): number {
  return kept.reduce((sum, index) => sum + (widths[index] ?? 0), 0) + Math.max(0, kept.length - 1) * gap;
}

function align(text: string, column: TableColumn, cells: number): string {
  const shown = cut(text, cells);
  return column.align === 'left' ? padEnd(shown, cells) : padStart(shown, cells);
}

/** The gap takes the style of what follows, so that a row of one style is one run of characters. */
function spaced(spans: readonly Span[], gap: number): Span[] {
  return spans.flatMap((span, index) => (index === 0 ? [span] : [styled(span.style, ' '.repeat(gap)), span]));
}

function columnAt(columns: readonly TableColumn[], index: number): TableColumn {
  const column = columns[index];
  if (column === undefined) throw new RangeError(`no column ${index}`);
  return column;
}
