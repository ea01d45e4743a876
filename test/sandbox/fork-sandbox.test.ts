/** The sandbox's own process: up, deaf to signals, stopped, and gone when its parent is. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { TargetError, UsageError } from '../../src/base/errors.ts';
import { forkSandbox } from '../../src/sandbox/fork-sandbox.ts';
import { insert, TABLE, wire } from './support.ts';
import { faults, query } from '../support/sandbox.ts';
import { isAlive } from '../support/processes.ts';
import { until } from '../support/until.ts';

describe('a forked sandbox', () => {
  test('serves, ignores signals to its group, and is gone once stop has resolved', async () => {
    const sandbox = await forkSandbox({ faults: faults('429#1', 'reset@10h..') });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(sandbox.pid, signal);
    await query(sandbox.url, TABLE);
    assert.deepEqual(
      [(await insert(sandbox.url, [1])).status, (await insert(sandbox.url, [1])).status],
      [429, 200],
    );
    const idle = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
    await once(idle, 'connect');
    await Promise.all([sandbox.stop(), sandbox.stop(), once(idle, 'close')]);
    assert.equal(isAlive(sandbox.pid), false);
  });

  test('says why it cannot start, as the error it is', async () => {
    await assert.rejects(forkSandbox({ dataFile: '/nowhere/at/all.db' }), UsageError);
    const first = await forkSandbox();
    await assert.rejects(forkSandbox({ port: Number(new URL(first.url).port) }), TargetError);
    await first.stop();
  });

  test('outlives a killed parent for as long as a client is connected, and no longer', async () => {
    const parent = fork(join(import.meta.dirname, 'parent-of-sandbox.ts'), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const [message] = (await once(parent, 'message')) as [{ readonly url: string; readonly pid: number }];
    const client = connect(Number(new URL(message.url).port), '127.0.0.1');
    const asked = async (): Promise<void> => {
      client.write(wire({ stmt: 'SELECT 1 AS one' }));
      const [answer] = (await once(client, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 200/);
    };
    // A connection that the kernel has made need not be known to the sandbox yet; one that is answered is.
    await asked();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await asked();
    client.destroy();
    await until(() => !isAlive(message.pid));
  });
});
