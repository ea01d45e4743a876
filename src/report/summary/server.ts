/**
 * The server in a summary, beside the processes that loaded it: one line a node with its CPU, heap and write pool over
 * the run, as it told them itself.
 */
import { formatCores, formatExact } from '../../base/units.ts';
import { printable } from '../../base/text.ts';
import { maxOfKnown, meanOfKnown } from '../../metrics/measured.ts';
import { underLoad } from '../../metrics/telemetry.ts';
import { counted, formatMebibytes, formatPercent, formatShare, orDash } from '../quantities.ts';
import type { RunFile } from '../run-file-schema.ts';
import { type Line, type TextView, plain, styled, wrap } from '../styled-text.ts';
import { type TableColumn, type TableRow, tableLines } from '../table.ts';

type Server = NonNullable<RunFile['server']>;
type NodeSample = Server['samples'][number]['nodes'][number];

/** More nodes than a screen has lines: the rest is in the run file. */
const MAX_NODES = 24;

const COLUMNS: readonly TableColumn[] = [
  { header: 'server', align: 'left', rank: 1 },
  { header: 'cpu mean', shortHeader: 'cpu', align: 'right', rank: 1 },
  { header: 'cpu max', shortHeader: 'max', align: 'right', rank: 3 },
  { header: 'heap max', shortHeader: 'heap', align: 'right', rank: 2 },
  { header: 'heap MiB', align: 'right', rank: 6 },
  { header: 'writes queued', shortHeader: 'queued', align: 'right', rank: 2 },
  { header: 'most queued', shortHeader: 'max', align: 'right', rank: 4 },
  { header: 'refused', align: 'right', rank: 2 },
];

/** The lines of the table, with what could not be had; none when the server was not asked. */
export function serverTable(run: RunFile, view: TextView): Line[] {
  const { server } = run;
  if (server === null || (server.nodes.length === 0 && server.note === '')) return [];
  const note = wrap(printable(server.note, 400), view.columns - 2).map((line): Line => [
    plain('  '),
    styled('dim', line),
  ]);
  const shown = server.nodes.slice(0, MAX_NODES).map((_node, index) => nodeRow(server, index));
  const hidden = server.nodes.length - shown.length;
  return [
    ...(shown.length === 0
      ? [[styled('bold', 'server')]]
      : tableLines(COLUMNS, shown, { cells: view.columns, indent: 0 })),
    ...(hidden > 0
      ? [[plain('  '), styled('dim', `… ${counted(hidden, 'more node')} in the run file`)] satisfies Line]
      : []),
    ...(server.note === '' ? [] : note),
  ];
}

function nodeRow(server: Server, index: number): TableRow {
  const node = server.nodes[index];
  const known = (of: (sample: NodeSample) => number | null, samples = server.samples): number[] =>
    samples
      .flatMap(({ nodes }) => nodes.filter((each) => each.node === index).map(of))
      .filter((value) => value !== null);
  const cpu = known(({ cpuPercent }) => cpuPercent, underLoad(server.samples));
  const heap = known(({ heapUsedBytes }) => heapUsedBytes);
  const queue = known(({ writeQueue }) => writeQueue);
  const refused = known(({ writeRejected }) => writeRejected);
  const heapMax = node?.heapMaxBytes ?? null;
  const refusedHere = refused.length < 2 ? null : Math.max(0, (refused.at(-1) ?? 0) - (refused[0] ?? 0));
  return {
    cells: [
      `  ${printable(node?.name ?? '', 100)}`,
      cpuText(meanOfKnown(cpu), node?.cores ?? null),
      orDash(maxOfKnown(cpu), formatPercent),
      orDash(
        heapMax === null || heapMax === 0 || heap.length === 0 ? null : Math.max(...heap) / heapMax,
        formatShare,
      ),
      orDash(heapMax, formatMebibytes),
      orDash(meanOfKnown(queue), (value) => formatExact(Math.round(value))),
      orDash(maxOfKnown(queue), formatExact),
      orDash(refusedHere, formatExact),
    ],
    cellStyles: refusedHere === null || refusedHere === 0 ? {} : { 7: 'red' },
  };
}

/** `59 % of 200 %`, `59 % of one core`: 100 is one core, as everywhere. */
function cpuText(mean: number | null, cores: number | null): string {
  return `${orDash(mean, formatPercent)}${cores === null ? '' : ` of ${formatCores(cores)}`}`;
}
