/** The verdict on runs whose limit was planted, each as often as there are rounds: every one has to be right. */
import { PLANTED_LIMITS, runPlanted } from '../support/planted-limits.ts';
import type { Finding } from './long-run.ts';

const SECONDS = 4;

/** One finding a run; a wrong verdict says its evidence. */
export async function plantedLimits(rounds: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const planted of PLANTED_LIMITS) {
      const cleanups: (() => unknown)[] = [];
      const after = (cleanup?: unknown): void => {
        if (typeof cleanup === 'function') cleanups.push(() => cleanup() as unknown);
      };
      const { bottleneck } = await runPlanted({ after }, planted, SECONDS);
      for (const cleanup of cleanups.toReversed()) await cleanup();
      findings.push({
        what: planted.name,
        says: [bottleneck.verdict, ...bottleneck.evidence].join('; '),
        isGood: bottleneck.verdict === planted.verdict,
      });
    }
  }
  return findings;
}
