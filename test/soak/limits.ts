/**
 * `node test/soak/limits.ts [ROUNDS]`: the verdict on runs whose limit was planted, each as often as there are rounds
 * (5, which makes 20 runs). Needs a build. Says each verdict that is wrong with its evidence; exit 1 when there is one.
 */
import { PLANTED_LIMITS, runPlanted } from '../support/planted-limits.ts';

const SECONDS = 4;

const rounds = Number(process.argv[2] ?? '5');
let [right, all] = [0, 0];
for (let round = 1; round <= rounds; round += 1) {
  for (const planted of PLANTED_LIMITS) {
    const cleanups: (() => unknown)[] = [];
    const scope = {
      after: (cleanup?: unknown) => void (typeof cleanup === 'function' && cleanups.push(() => cleanup())),
    };
    const { bottleneck } = await runPlanted(scope, planted, SECONDS);
    for (const cleanup of cleanups.toReversed()) await cleanup();
    all += 1;
    if (bottleneck.verdict === planted.verdict) right += 1;
    else
      process.stdout.write(`${planted.name}: ${bottleneck.verdict}\n  ${bottleneck.evidence.join('\n  ')}\n`);
  }
  process.stdout.write(`round ${round}: ${right} of ${all} right\n`);
}
process.exitCode = right === all ? 0 : 1;
