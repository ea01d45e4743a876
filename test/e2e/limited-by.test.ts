/** What limited a run, on runs where that was planted: the verdict names it, and the summary says so in words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLANTED_LIMITS, runPlanted } from '../support/planted-limits.ts';

const SECONDS = 4;
/** Where the host takes the CPU away, that is the limit, whatever was planted beside it. */
const TAKEN_AWAY = /^the container was stopped at its CPU limit|^they waited for a core/;

for (const planted of PLANTED_LIMITS) {
  test(`${planted.name}: limited by the ${planted.verdict}`, async (context) => {
    const { bottleneck, server, host } = await runPlanted(context, planted, SECONDS);
    const taken =
      bottleneck.verdict === 'client' && bottleneck.evidence.find((each) => TAKEN_AWAY.test(each));
    if (typeof taken === 'string') return context.skip(taken);
    assert.equal(bottleneck.verdict, planted.verdict, bottleneck.evidence.join('\n'));
    assert.match(bottleneck.evidence.at(-1) ?? '', /^try /);
    assert.ok((server?.samples.length ?? 0) > 0, 'the server was asked meanwhile');
    assert.ok(host.samples.length > 0, 'and so was the host');
  });
}
