/**
 * The nodes of a run in its summary, where there are several: what each took of the rows and how fast it answered,
 * and below them which one was out when.
 */
import { formatExact } from '../../base/units.ts';
import { printable } from '../../base/text.ts';
import { reasonOf } from '../../metrics/node-counts.ts';
import { counted, formatLatency, formatSeconds, formatShare, orDash } from '../quantities.ts';
import type { RunFile, RunFileNode } from '../run-file-schema.ts';
import { type Line, type TextView, plain, styled, wrap } from '../styled-text.ts';
import { type TableColumn, type TableRow, tableLines } from '../table.ts';

/** More nodes than a screen has lines: the rest is in the run file. */
const MAX_NODES = 24;
const MAX_OUTAGES = 24;

const COLUMNS: readonly TableColumn[] = [
  { header: 'nodes', align: 'left', rank: 1 },
  { header: 'rows', align: 'right', rank: 1 },
  { header: 'share', align: 'right', rank: 3 },
  { header: 'requests', align: 'right', rank: 4 },
  { header: 'p50', align: 'right', rank: 2 },
  { header: 'p99', align: 'right', rank: 2 },
  { header: 'max', align: 'right', rank: 5 },
  { header: 'errors', align: 'right', rank: 2 },
];

/** The lines of the table and of the outages; of a single node only its outages. */
export function nodeTable(run: RunFile, view: TextView): Line[] {
  const outages = outageLines(run, view);
  if (run.nodes.length < 2) return outages.length === 0 ? [] : [[styled('bold', 'outages')], ...outages];
  const rows = run.nodes.reduce((sum, node) => sum + node.rows, 0);
  const shown = run.nodes.slice(0, MAX_NODES).map((node) => nodeRow(node, rows));
  const hidden = run.nodes.length - shown.length;
  return [
    ...tableLines(COLUMNS, shown, { cells: view.columns, indent: 0 }),
    ...(hidden > 0 ? [note(`… ${counted(hidden, 'more node')} in the run file`)] : []),
    ...outages,
  ];
}

function nodeRow(node: RunFileNode, allRows: number): TableRow {
  // Attempts with any trouble; one that reports two classes counts in both.
  const errors = node.errors.reduce((sum, { batches }) => sum + batches, 0);
  return {
    cells: [
      `  ${printable(node.origin, 100)}`,
      formatExact(node.rows),
      orDash(allRows === 0 ? null : node.rows / allRows, formatShare),
      formatExact(node.requests),
      orDash(node.serviceMs.p50, formatLatency),
      orDash(node.serviceMs.p99, formatLatency),
      orDash(node.serviceMs.max, formatLatency),
      formatExact(errors),
    ],
    cellStyles: errors === 0 ? {} : { 7: 'yellow' },
  };
}

function outageLines({ nodes, run }: RunFile, view: TextView): Line[] {
  const outages = nodes
    .flatMap(({ origin, outages: own }) => own.map((outage) => ({ origin, ...outage })))
    .toSorted((a, b) => a.fromMs - b.fromMs);
  const lines = outages.slice(0, MAX_OUTAGES).flatMap(({ origin, fromMs, toMs, why }) => {
    const until = toMs >= (run.runningMs ?? Infinity) ? 'the end' : `${formatSeconds(toMs / 1000)} s`;
    const when = `from ${formatSeconds(fromMs / 1000)} s to ${until}`;
    const text = `${printable(origin, 100)} was out ${when}: ${printable(reasonOf(origin, why), 200)}`;
    return wrap(text, view.columns - 2).map((line): Line => [plain('  '), styled('yellow', line)]);
  });
  const hidden = outages.length - MAX_OUTAGES;
  return [...lines, ...(hidden > 0 ? [note(`… ${counted(hidden, 'more outage')} in the run file`)] : [])];
}

function note(text: string): Line {
  return [plain('  '), styled('dim', text)];
}
