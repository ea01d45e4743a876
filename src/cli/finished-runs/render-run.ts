/** The formats of a report, each render loaded only when its format is asked for. */
import type { SettingReader } from '../../plan/setting-reader.ts';
import { textViewOf } from '../../report/terminal.ts';
import { runFileText } from '../../report/run-file.ts';
import type { RunFile } from '../../report/run-file-schema.ts';

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

/** One of `formats`: as `--json` or `--format` say, else what the name given to `--out` ends in, else text. */
export function readFormat<Format extends ReportFormat>(
  reader: SettingReader,
  formats: readonly Format[],
): Format | 'json' | 'text' {
  const usual = reader.switch('json', false) ? 'json' : 'text';
  if (usual === 'json' || reader.isSpelledOut('format'))
    return reader.choice<Format | 'json' | 'text'>('format', formats, usual);
  checkEnding(reader, formats, ', or --format beside it');
  return formatOfFile(reader.text('out')?.value ?? null, formats) ?? usual;
}

/** Nobody wants text in a file that is called `.pdf`: an ending that stands for no format is a problem. */
export function checkEnding(reader: SettingReader, formats: readonly ReportFormat[], orElse = ''): void {
  const out = reader.text('out');
  if (out === null || endingOf(out.value) === null || formatOfFile(out.value, formats) !== null) return;
  const known = Object.keys(ENDINGS).filter((ending) => formats.some((each) => each === ENDINGS[ending]));
  reader.problem(out, `expected a name that ends in ${known.map((each) => `.${each}`).join(', ')}${orElse}`);
}

/** What a file's name says about what should be in it; null when it says nothing, or nothing of `formats`. */
export function formatOfFile<Format extends ReportFormat>(
  path: string | null,
  formats: readonly Format[],
): Format | null {
  const format = ENDINGS[(path === null ? null : endingOf(path)) ?? ''];
  return formats.find((each) => each === format) ?? null;
}

/** `a/result.HTML` → `html`; null where there is none. A number at the end is a date or a count. */
function endingOf(path: string): string | null {
  return /\.([a-z][a-z0-9]*)$/i.exec(path)?.[1]?.toLowerCase() ?? null;
}

/** The run in a format; `path` is where its run file is, for the text. */
export async function renderRun(run: RunFile, format: ReportFormat, path: string | null): Promise<string> {
  switch (format) {
    case 'text': {
      const { renderSummary } = await import('../../report/summary/summary.ts');
      return renderSummary(run, textViewOf(process.stdout, process.env), { file: path });
    }
    case 'json':
      return runFileText(run);
    case 'csv': {
      const { renderSeriesCsv } = await import('../../report/csv.ts');
      return renderSeriesCsv(run);
    }
    case 'md': {
      const { renderMarkdown } = await import('../../report/markdown.ts');
      return renderMarkdown(run);
    }
    case 'html': {
      const [{ renderHtmlReport }, { readZoomLibrary }] = await Promise.all([
        import('../../report/html/document.ts'),
        import('../../report/html/zoom-library.ts'),
      ]);
      return renderHtmlReport(run, await readZoomLibrary());
    }
  }
}
