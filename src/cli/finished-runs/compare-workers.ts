/** The workers of one run against each other, in the formats of `compare`. */
import {
  WORKER_HEADERS,
  compareWorkers,
  renderWorkers,
  workerCells,
  workersText,
} from '../../report/compare/by-worker.ts';
import type { RunFile } from '../../report/run-file-schema.ts';
import { textViewOf } from '../../report/terminal.ts';
import type { CompareFormat } from './compare-runs.ts';

export async function renderWorkersAs(run: RunFile, format: CompareFormat): Promise<string> {
  const workers = compareWorkers(run);
  switch (format) {
    case 'json':
      return `${JSON.stringify({ format: 'crategen.workers/1', run: run.run.id, workers }, null, 2)}\n`;
    case 'text':
      return renderWorkers(workers, textViewOf(process.stdout, process.env));
    case 'md': {
      const { escapeMarkdown, markdownTable } = await import('../../report/markdown.ts');
      return `### ${escapeMarkdown(workersText(workers))}\n\n${markdownTable(WORKER_HEADERS, workers.map(workerCells))}\n`;
    }
    case 'html': {
      const { renderHtmlWorkers } = await import('../../report/compare/html-workers.ts');
      return renderHtmlWorkers(run, workers);
    }
  }
}
