/** The formats of a report, each render loaded only when its format is asked for. */
import { textViewOf } from '../report/terminal.ts';
import { runFileText } from '../report/run-file.ts';
import type { RunFile } from '../report/run-file-schema.ts';

export const REPORT_FORMATS = ['text', 'md', 'html', 'json', 'csv'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

const ENDINGS: Readonly<Record<string, ReportFormat>> = {
  txt: 'text',
  md: 'md',
  html: 'html',
  htm: 'html',
  json: 'json',
  csv: 'csv',
};

/** What a file's name says about what should be in it; null when it says nothing. */
export function formatOfFile(path: string | null): ReportFormat | null {
  const ending = path === null ? '' : (/\.([a-z]+)$/i.exec(path)?.[1] ?? '').toLowerCase();
  return ENDINGS[ending] ?? null;
}

/** The run in a format; `path` is where its run file is, for the text. */
export async function renderRun(run: RunFile, format: ReportFormat, path: string | null): Promise<string> {
  switch (format) {
    case 'text': {
      const { renderSummary } = await import('../report/summary.ts');
      return renderSummary(run, textViewOf(process.stdout, process.env), { file: path });
    }
    case 'json':
      return runFileText(run);
    case 'csv': {
      const { renderSeriesCsv } = await import('../report/csv.ts');
      return renderSeriesCsv(run);
    }
    case 'md': {
      const { renderMarkdown } = await import('../report/markdown.ts');
      return renderMarkdown(run);
    }
    case 'html': {
      const [{ renderHtmlReport }, { readZoomLibrary }] = await Promise.all([
        import('../report/html/document.ts'),
        import('../report/html/zoom-library.ts'),
      ]);
      return renderHtmlReport(run, await readZoomLibrary());
    }
  }
}
