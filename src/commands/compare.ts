/** `crategen compare A B …`: runs, or the workers inside one run, side by side, with intervals and in words. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { openRun } from '../cli/finished-runs/run-argument.ts';

const MISSING = 'RUN: expected at least two runs, or one with --by-worker; crategen runs lists them';

export default class Compare extends BaseCommand {
  static override summary =
    'Compare runs, or the workers of one run: what is different, and what is only noise';
  static override description =
    'A side is a run, or repeats of one plan: joined by commas, or all whose ids begin with PREFIX (PREFIX*). More than two single runs are pooled by their plans.';
  static override examples = [
    '$ crategen compare 20261124-1530-x7k2 latest',
    '$ crategen compare a-1,a-2,a-3 b-1,b-2,b-3',
    "$ crategen compare 'before*' 'after*' --format html --out compare.html",
    '$ crategen compare latest --by-worker',
  ];
  static override usage = 'compare RUN [RUN...] [flags]';
  static override args = {
    run: Args.string({
      name: 'run',
      multiple: true,
      ignoreStdin: true,
      description: 'run ids, paths of run files, latest; repeats joined by commas, or PREFIX*',
    }),
  };
  static override flags = {
    'by-worker': Flags.boolean({ summary: 'Compare the worker processes of one run with each other' }),
    format: Flags.string({
      helpValue: 'FORMAT',
      summary: "text, md, html or json (text, or what --out's name ends in)",
    }),
    out: Flags.string({ helpValue: 'FILE', summary: 'Write it there instead of standard output' }),
    json: Flags.boolean({ summary: 'Same as --format json' }),
  };

  async run(): Promise<void> {
    const { flags, problems, words } = await this.readArguments();
    const [{ SettingReader }, { COMPARE_FORMATS, compareReferences, renderComparisonAs }, { readFormat }] =
      await Promise.all([
        import('../plan/setting-reader.ts'),
        import('../cli/finished-runs/compare-runs.ts'),
        import('../cli/finished-runs/render-run.ts'),
      ]);
    const reader = new SettingReader(flags, null);
    const out = reader.text('out')?.value ?? null;
    const byWorker = reader.switch('by-worker', false);
    const format = readFormat(reader, COMPARE_FORMATS);
    const isTooFew = words.length < (byWorker ? 1 : 2) && !words.some((word) => /[,*]/.test(word));
    const all = [
      ...problems,
      ...reader.problems,
      ...(isTooFew ? [MISSING] : []),
      ...(byWorker && words.length > 1 ? ['--by-worker: expected with one run'] : []),
    ];
    if (all.length > 0) throw this.usageError(all);
    const text = byWorker
      ? await this.#workers(words[0] ?? '', format)
      : await renderComparisonAs(await compareReferences(words), format);
    if (out === null) return this.print(text);
    const { writeFileAtomically } = await import('../report/files.ts');
    await writeFileAtomically(out, text);
    this.note(`written to ${out}`);
  }

  async #workers(reference: string, format: 'text' | 'md' | 'html' | 'json'): Promise<string> {
    const { file } = await openRun(reference);
    const { renderWorkersAs } = await import('../cli/finished-runs/compare-workers.ts');
    return await renderWorkersAs(file, format);
  }
}
