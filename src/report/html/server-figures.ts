/** The figures of the other side: what the server's nodes and this host said of themselves, on the run's time axis. */
import { formatBytes, formatExact } from '../../base/units.ts';
import { formatLatency, orDash } from '../quantities.ts';
import type { RunFile } from '../run-file-schema.ts';
import { type MeasuredCurves, hostCurves, serverCurves, serverNote } from '../server-curves.ts';
import { type TimeFrame, table, timeFigure } from './figure.ts';
import { type Markup, html } from './markup.ts';

/** All measures there are, the nodes that gave them, and in words what is missing. */
export function serverFigures(run: RunFile, frame: TimeFrame): Markup {
  const note = serverNote(run);
  return html`${note !== '' && html`<p>${note}</p>`}${serverNodes(run)}${[...serverCurves(run), ...hostCurves(run)].map((each) => figureOf(each, frame))}`;
}

function figureOf(measured: MeasuredCurves, frame: TimeFrame): Markup {
  const { id, title, note, unit, format, curves, scaleTo } = measured;
  return timeFigure(
    { id, title, note, unit, formatY: format, curves, ...(scaleTo === undefined ? {} : { scaleTo }) },
    frame,
  );
}

function serverNodes({ server }: RunFile): Markup | null {
  if (server === null || server.nodes.length === 0) return null;
  const rows = server.nodes.map(({ name, version, cores, heapMaxBytes }) => [
    name,
    version ?? orDash(null, String),
    orDash(cores, formatExact),
    orDash(heapMaxBytes, formatBytes),
  ]);
  const { queries, meanMs } = server.overhead;
  const worst = worstHealth(server.samples.map(({ health }) => health));
  return html`${table('Nodes of the server', ['node', 'version', 'cores', 'heap'], rows)}
    <p>
      ${worst} Asking took ${formatExact(queries)} statements, ${orDash(meanMs, formatLatency)} of the
      server’s time each.
    </p>`;
}

function worstHealth(healths: readonly ('GREEN' | 'YELLOW' | 'RED' | null)[]): string {
  const worst = (['RED', 'YELLOW', 'GREEN'] as const).find((health) => healths.includes(health));
  if (worst === undefined) return 'The health of the table was not measured.';
  const count = healths.filter((health) => health === worst).length;
  return worst === 'GREEN'
    ? 'The table was green in every sample.'
    : `The table was ${worst} in ${count} of ${healths.length} samples.`;
}
