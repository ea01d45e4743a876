/** The verdict on what limited a run, in the words that every surface uses for it. */
import { TARGET_NAMES, type TargetKind } from '../base/target-kind.ts';
import { printable } from '../base/text.ts';
import type { LimitedBy } from '../metrics/bottleneck.ts';
import type { RunFile } from './run-file-schema.ts';

/** `limited by …`; the verdict about a target that only stands in for a cluster says so. */
export function limitName(verdict: LimitedBy, target: TargetKind): string {
  switch (verdict) {
    case 'client':
      return 'this client';
    case 'network':
      return 'the network';
    case 'cluster':
      return TARGET_NAMES[target];
    case 'rate':
      return 'the rate that was asked for';
    case 'unclear':
      return 'something that is not clear';
  }
}

/** What was seen, and what to try, printable; the advice stands without its `try`. */
export function splitEvidence(run: RunFile): {
  readonly reasons: readonly string[];
  readonly advice: readonly string[];
} {
  const isAdvice = (sentence: string): boolean => sentence.startsWith('try ');
  const evidence = run.bottleneck.evidence.map((sentence) => printable(sentence, 400));
  const yardstick = yardstickOf(run);
  return {
    reasons: evidence.filter((sentence) => !isAdvice(sentence)),
    advice: [
      ...evidence.filter(isAdvice).map((sentence) => sentence.slice('try '.length)),
      ...(yardstick === null ? [] : [yardstick]),
    ],
  };
}

/** Where the client may have been the limit: the command that tells what it can do, and which share this run reached. */
function yardstickOf({ run, plan, target, bottleneck, throughput }: RunFile): string | null {
  const isDoubtful = bottleneck.verdict === 'client' || bottleneck.verdict === 'unclear';
  const isMeasurable = target.kind !== 'discard' && plan.insertPath !== 'pg';
  if (!isDoubtful || !isMeasurable || throughput.acknowledgedRowsPerSecond === null) return null;
  return `crategen ceiling --run ${printable(run.id)}, which measures what this client can do here without a server`;
}
