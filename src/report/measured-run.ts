/** What a ceiling keeps of the run that it was measured for. Apart from how it is shown, which needs nothing of that run. */
import { usableCores } from '../base/host.ts';
import { hostDifferences } from './compare/comparison.ts';
import { repeatCommand } from './repeat-command.ts';
import { runPlanOf } from './run-file.ts';
import type { RunFile } from './run-file-schema.ts';

/** The run's rates, the share of the ceiling that they are, and what makes that doubtful. */
export function measuredRun(ceiling: RunFile, run: RunFile): NonNullable<RunFile['measuredFor']> {
  const { acknowledgedRowsPerSecond: rowsPerSecond, bodyBytesPerSecond } = run.throughput;
  return {
    runId: run.run.id,
    rowsPerSecond,
    bodyBytesPerSecond,
    share: shareOf(rowsPerSecond, ceiling.throughput.acknowledgedRowsPerSecond),
    limitedBy: run.bottleneck.verdict,
    hostDiffers: hostDifferences(ceiling, run).map(
      ({ field, values: [here = '', there = ''] }) => `${field} ${here} here, ${there} there`,
    ),
    command: repeatCommand(runPlanOf(run), 'sameTarget', usableCores(run.host)),
  };
}

/** Null where one of the rates is not known. */
function shareOf(rate: number | null, ceiling: number | null): number | null {
  return rate === null || ceiling === null || ceiling <= 0 ? null : rate / ceiling;
}
