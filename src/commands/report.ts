/** `crategen report RUN`: a run file, rendered again, for a terminal, a pull request, a browser or a program. */
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { RUN_ARGS, RUN_MISSING, openRun } from '../cli/finished-runs/run-argument.ts';

export default class Report extends BaseCommand {
  static override summary = 'Show the result of a run again, as text, HTML, Markdown, CSV or JSON';
  static override examples = [
    '$ crategen report latest',
    '$ crategen report latest --format html',
    '$ crategen report latest --format md >> comment.md',
    '$ crategen report 20261124-1530-x7k2 --out result.csv',
  ];
  static override usage = 'report RUN [flags]';
  static override args = RUN_ARGS;
  static override flags = {
    format: Flags.string({
      helpValue: 'FORMAT',
      summary: "text, md, html, json or csv (text, or what --out's name ends in)",
    }),
    out: Flags.string({
      helpValue: 'FILE',
      summary: 'Write it there (html on a terminal: beside the run file; all else: standard output)',
    }),
    json: Flags.boolean({ summary: 'Same as --format json' }),
  };

  async run(): Promise<void> {
    const { flags, args, problems } = await this.readArguments();
    const [{ SettingReader }, { REPORT_FORMATS, readFormat, renderRun }] = await Promise.all([
      import('../plan/setting-reader.ts'),
      import('../cli/finished-runs/render-run.ts'),
    ]);
    const reader = new SettingReader(flags, null);
    const out = reader.text('out')?.value ?? null;
    const format = readFormat(reader, REPORT_FORMATS);
    const reference = args.get('run');
    const missing = reference === undefined ? [RUN_MISSING] : [];
    const all = [...problems, ...reader.problems, ...missing];
    if (all.length > 0 || reference === undefined) throw this.usageError(all);
    const { file, found } = await openRun(reference);
    const text = await renderRun(file, format, found.runFile);
    const isPage = format === 'html' && process.stdout.isTTY && found.runFile !== null;
    const path = out ?? (isPage ? `${found.runFile.replace(/\.json$/, '')}.html` : null);
    if (path === null) return this.print(text);
    const { writeFileAtomically } = await import('../report/files.ts');
    await writeFileAtomically(path, text);
    this.note(`written to ${path}`);
  }
}
