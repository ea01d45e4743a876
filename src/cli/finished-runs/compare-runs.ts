/** From the arguments of `compare` to its sides, and from a comparison to the text in the format that was asked for. */
import { UsageError } from '../../base/errors.ts';
import { printable } from '../../base/text.ts';
import { type Comparison, MAX_SIDES, compareRuns, pooledByPlan } from '../../report/compare/comparison.ts';
import { startedRunIds } from '../../report/runs-folder.ts';
import type { RunFile } from '../../report/run-file-schema.ts';
import { textViewOf } from '../../report/terminal.ts';
import { openRun, ownRunsFolder } from './run-argument.ts';

export const COMPARE_FORMATS = ['text', 'md', 'html', 'json'] as const;
export type CompareFormat = (typeof COMPARE_FORMATS)[number];

/** More runs in one comparison are a mistake in a pattern. */
const MAX_RUNS = 200;

/**
 * Reads the runs behind the arguments: a run, several joined by commas, or `PREFIX*` for all runs whose id begins so.
 * Arguments that are one run each are pooled by their plans; any list or pattern is a side as it stands.
 */
export async function readSides(references: readonly string[]): Promise<readonly (readonly RunFile[])[]> {
  const named: (readonly string[])[] = [];
  for (const reference of references) named.push(await idsBehind(reference));
  if (named.flat().length > MAX_RUNS)
    throw new UsageError(`${named.flat().length} runs are too many to compare: at most ${MAX_RUNS}`);
  const groups: RunFile[][] = [];
  for (const ids of named) {
    const runs: RunFile[] = [];
    for (const id of ids) runs.push(await openSlim(id));
    groups.push(runs);
  }
  const isPlain = named.every((ids, index) => ids.length === 1 && ids[0] === references[index]);
  const pooled = isPlain && groups.length > 2 ? pooledByPlan(groups.flat()) : groups;
  if (pooled.length > MAX_SIDES)
    throw new UsageError(`${pooled.length} sides are too many to read: at most ${MAX_SIDES}`, {
      hint: 'Join repeats of one plan by commas, or name a series of repeats as PREFIX*.',
    });
  return pooled;
}

/** The comparison in a format. */
export async function renderComparisonAs(comparison: Comparison, format: CompareFormat): Promise<string> {
  switch (format) {
    case 'json':
      return `${JSON.stringify({ format: 'crategen.comparison/1', ...withoutSlices(comparison) }, null, 2)}\n`;
    case 'html': {
      const { renderHtmlComparison } = await import('../../report/compare/html-comparison.ts');
      return renderHtmlComparison(comparison);
    }
    default: {
      const { renderComparison, renderComparisonMarkdown } =
        await import('../../report/compare/render-comparison.ts');
      return format === 'md'
        ? renderComparisonMarkdown(comparison)
        : renderComparison(comparison, textViewOf(process.stdout, process.env));
    }
  }
}

/** Reads and compares; throws a UsageError for what cannot be compared. */
export async function compareReferences(references: readonly string[]): Promise<Comparison> {
  return compareRuns(await readSides(references));
}

/** The values of each run, without their series: those are in the run files. */
function withoutSlices({ sides, ...rest }: Comparison): object {
  const slim = sides.map(({ label, runs }) => ({
    label,
    runs: runs.map(({ id, figures }) => ({
      id,
      values: Object.fromEntries(Object.entries(figures).map(([metric, { value }]) => [metric, value])),
    })),
  }));
  return { sides: slim, ...rest };
}

async function idsBehind(reference: string): Promise<readonly string[]> {
  if (!reference.endsWith('*')) return reference.split(',').filter((part) => part !== '');
  const prefix = reference.slice(0, -1);
  const ids = (await startedRunIds(ownRunsFolder())).filter((id) => id.startsWith(prefix));
  if (ids.length === 0) throw new UsageError(`no run id begins with ${JSON.stringify(printable(prefix))}`);
  return ids.toReversed();
}

/** A run without what no comparison looks at: many large files would fill the memory. */
export async function openSlim(reference: string): Promise<RunFile> {
  const { file } = await openRun(reference);
  return { ...file, series: file.series.map((point) => ({ ...point, workers: [] })) };
}
