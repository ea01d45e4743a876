/** A comparison as text for a terminal and as Markdown: the judgement first, in words, then both values and intervals. */
import { median, orDash } from '../quantities.ts';
import { escapeMarkdown, codeSpan, markdownTable } from '../markdown.ts';
import { type Line, type Style, type TextView, plain, renderLine, styled, wrap } from '../styled-text.ts';
import { type TableColumn, type TableRow, tableLines } from '../table.ts';
import { METRICS } from './figures.ts';
import type { ComparedSide, Comparison, FieldDifference } from './comparison.ts';
import { type Difference, differenceText, isBetter } from './judge.ts';

/** Run ids that are listed; of more the number is enough. */
const MAX_IDS = 6;

const SIDE_COLUMNS: readonly TableColumn[] = [
  { header: 'side', align: 'left', rank: 1 },
  { header: 'runs', align: 'right', rank: 1 },
  { header: 'run ids', align: 'left', rank: 2 },
];

/** One sentence a side: what is clearly different, or that nothing is. */
export function judgementText(label: string, differences: readonly Difference[]): string {
  const clear = differences.filter((difference) => isBetter(difference) !== null);
  if (differences.every(({ a, b }) => a === null || b === null))
    return `${label} and A have no metric in common`;
  if (differences.every(({ ratio }) => ratio === null)) return `too short to tell A and ${label} apart`;
  if (clear.length === 0) return `no clear difference between A and ${label}`;
  return `${label} against A: ${clear.map(differenceText).join('; ')}`;
}

/** Lines ended by `\n`, none wider than the view. */
export function renderComparison(comparison: Comparison, view: TextView): string {
  const { sides, fields, warnings, against } = comparison;
  const paragraph = (text: string, style: Style): Line[] =>
    wrap(text, view.columns - 2).map((line, index) => [plain(index === 0 ? '' : '  '), styled(style, line)]);
  const sections: Line[][] = [
    against.flatMap(({ label, differences }) => paragraph(judgementText(label, differences), 'bold')),
    warnings.flatMap((warning) => paragraph(warning, 'yellow')),
    tableLines(SIDE_COLUMNS, sides.map(sideRow), { cells: view.columns, indent: 0 }),
    fieldLines(fields, sides, view),
    ...(against.length === 0 ? [spreadLines(sides, view)] : []),
    ...against.map(({ label, differences }) => differenceLines(label, differences, view)),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.map((line) => renderLine(line, view)).join('\n')}\n`)
    .join('\n');
}

export function renderComparisonMarkdown(comparison: Comparison): string {
  const { sides, fields, warnings, against } = comparison;
  const parts = [
    ...against.map(
      ({ label, differences }) => `### ${escapeMarkdown(capital(judgementText(label, differences)))}`,
    ),
    ...warnings.map((warning) => `> ⚠ ${escapeMarkdown(warning)}`),
    markdownTable(
      ['side', 'runs', 'run ids'],
      sides.map(({ label, runs }) => [label, String(runs.length), idsOf(runs).map(codeSpan).join(' ')]),
    ),
    fields.length === 0
      ? ''
      : markdownTable(
          ['differs', ...sides.map(({ label }) => label)],
          fields.map(({ about, field, values }) => [`${about}: ${codeSpan(field)}`, ...values.map(codeSpan)]),
        ),
    ...against.map(({ label, differences }) =>
      markdownTable(
        ['metric', 'A', label, `${label} against A (99 %)`],
        differences.map((difference) => [
          METRICS[difference.metric].title,
          ...valuesOf(difference),
          escapeMarkdown(differenceText(difference)),
        ]),
      ),
    ),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Both typical values, with their unit. */
export function valuesOf({ metric, a, b }: Difference): [string, string] {
  const { format } = METRICS[metric];
  return [orDash(a, format), orDash(b, format)];
}

/** The ids of a side, of many the first ones and how many more. */
export function idsOf(runs: ComparedSide['runs']): string[] {
  const ids = runs.slice(0, MAX_IDS).map(({ id }) => id);
  return runs.length > MAX_IDS ? [...ids, `and ${runs.length - MAX_IDS} more`] : ids;
}

/** Lowest, typical and highest of each metric: what repeats of one plan show. */
export function spreadsOf({
  runs,
}: ComparedSide): { metric: keyof typeof METRICS; low: string; typical: string; high: string }[] {
  return (Object.keys(METRICS) as (keyof typeof METRICS)[]).flatMap((metric) => {
    const values = runs.map(({ figures }) => figures[metric].value).filter((value) => value !== null);
    const sorted = values.toSorted((x, y) => x - y);
    const { format } = METRICS[metric];
    const [low, high, middle] = [sorted[0], sorted.at(-1), median(values)];
    if (low === undefined || high === undefined || middle === null) return [];
    return [{ metric, low: format(low), typical: format(middle), high: format(high) }];
  });
}

function sideRow({ label, runs }: ComparedSide): TableRow {
  return { cells: [label, String(runs.length), idsOf(runs).join(' ')] };
}

function fieldLines(
  fields: readonly FieldDifference[],
  sides: readonly ComparedSide[],
  view: TextView,
): Line[] {
  if (fields.length === 0) return [];
  const columns: TableColumn[] = [
    { header: 'differs', align: 'left', rank: 1 },
    ...sides.map(({ label }): TableColumn => ({ header: label, align: 'left', rank: 2 })),
  ];
  const rows = fields.map(({ about, field, values }): TableRow => {
    return {
      cells: [about === 'plan' ? field : `${about}: ${field}`, ...values],
      ...(about === 'plan' ? {} : { style: 'yellow' as const }),
    };
  });
  return tableLines(columns, rows, { cells: view.columns, indent: 0 });
}

function differenceLines(label: string, differences: readonly Difference[], view: TextView): Line[] {
  const columns: readonly TableColumn[] = [
    { header: 'metric', align: 'left', rank: 1 },
    { header: 'A', align: 'right', rank: 2 },
    { header: label, align: 'right', rank: 2 },
    { header: `${label} against A, 99 % interval`, align: 'right', rank: 1 },
  ];
  const rows = differences.map((difference): TableRow => {
    const better = isBetter(difference);
    const style = better === null ? 'plain' : better ? 'green' : 'red';
    return {
      cells: [METRICS[difference.metric].title, ...valuesOf(difference), differenceText(difference)],
      cellStyles: { 3: style },
    };
  });
  return tableLines(columns, rows, { cells: view.columns, indent: 0 });
}

function spreadLines(sides: readonly ComparedSide[], view: TextView): Line[] {
  const columns: readonly TableColumn[] = [
    { header: 'metric', align: 'left', rank: 1 },
    { header: 'lowest', align: 'right', rank: 2 },
    { header: 'median', align: 'right', rank: 1 },
    { header: 'highest', align: 'right', rank: 2 },
  ];
  const rows = sides.flatMap(spreadsOf).map(({ metric, low, typical, high }): TableRow => {
    return { cells: [METRICS[metric].title, low, typical, high] };
  });
  return tableLines(columns, rows, { cells: view.columns, indent: 0 });
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
