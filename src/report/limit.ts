/** The verdict on what limited a run, in the words that every surface uses for it. */
import { TARGET_NAMES, type TargetKind } from '../base/target-kind.ts';
import type { LimitedBy, Verdict } from '../metrics/bottleneck.ts';

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
      return 'unclear';
  }
}

/** What was seen, and what to try; the advice stands without its `try`. */
export function splitEvidence({ evidence }: Verdict): {
  readonly reasons: readonly string[];
  readonly advice: readonly string[];
} {
  const isAdvice = (sentence: string): boolean => sentence.startsWith('try ');
  return {
    reasons: evidence.filter((sentence) => !isAdvice(sentence)),
    advice: evidence.filter(isAdvice).map((sentence) => sentence.slice('try '.length)),
  };
}
