/** The workers of one run against each other, as an HTML page with the small charts of the report. */
import { workersFigure } from '../html/curve-figures.ts';
import { documentOf } from '../html/document.ts';
import { table, timeFrame } from '../html/figure.ts';
import { html } from '../html/markup.ts';
import { section } from '../html/sections.ts';
import type { RunFile } from '../run-file-schema.ts';
import { type ComparedWorker, WORKER_HEADERS, workerCells, workersText } from './by-worker.ts';

export function renderHtmlWorkers(run: RunFile, workers: readonly ComparedWorker[]): string {
  const frame = timeFrame(run);
  const title = workersText(workers);
  const body = html`<header>
      <p class="kicker">crategen compare --by-worker · ${run.run.id}</p>
      <h1>${title.slice(0, 1).toUpperCase() + title.slice(1)}</h1>
    </header>
    <main>
      ${section('numbers', 'Each worker against the others', table('Workers', WORKER_HEADERS, workers.map(workerCells)))}
      ${section('over-time', 'Over time', workersFigure(run, frame))}
    </main>`;
  return documentOf(`crategen ${run.run.id}: ${title}`, body, null);
}
