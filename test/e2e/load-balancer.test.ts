/** Behind something that closes idle connections: no row is lost, failed or counted twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idleCutter } from '../support/idle-cutter.ts';
import { cluster, home, run } from '../support/built-command.ts';
import { sandboxFor, storedRows } from '../support/sandbox.ts';

for (const how of ['end', 'reset'] as const) {
  test(`a load balancer that closes idle connections (${how}) costs no row`, async (context) => {
    const [place, sandbox] = [await home(context), await sandboxFor(context)];
    // Each connection is idle for about as long as the proxy lets it be: requests and cuts cross on the way.
    const proxy = await idleCutter(context, sandbox.url, { idleMs: 100, how });
    const load = ['--rows', '6k', '--batch-size', '50', '--in-flight', '2', '--batch-interval', '100ms'];
    const ended = await run(cluster(proxy, ...load), place);
    assert.equal(ended.code, 0, ended.stderr);
    const { ledger, verification } = ended.run();
    assert.deepEqual(
      [ledger.offered, ledger.acknowledged, ledger.failed, ledger.unknown],
      [6000, 6000, 0, 0],
    );
    assert.equal(verification.verdict, 'match');
    assert.equal(storedRows(sandbox), 6000);
    assert.ok(proxy.cut() > 5, `${proxy.cut()} connections were cut`);
  });
}
