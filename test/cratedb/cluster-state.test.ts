/** What the cluster says about disks, limits and other tables, and what is made of it when it says nothing. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { CrateClient } from '../../src/cratedb/client.ts';
import {
  clusterHealth,
  clusterLimits,
  isPast,
  nodeDisks,
  parseWatermark,
  tablesOfOthers,
} from '../../src/cratedb/cluster-state.ts';
import { faults, sandboxFor } from '../support/sandbox.ts';
import { clientOf } from './support.ts';
import { accessTo } from '../support/access.ts';

const TARGET = { schema: 'crategen', table: 'records' };

async function clientFor(context: TestContext, ...kinds: string[]): Promise<CrateClient> {
  const sandbox = await sandboxFor(context, { faults: faults(...kinds) });
  return clientOf(context, accessTo(sandbox.url));
}

test('a watermark is a share that is used, or bytes that are left', () => {
  assert.deepEqual(parseWatermark('85%'), { kind: 'used', share: 0.85 });
  assert.deepEqual(parseWatermark('0.9'), { kind: 'used', share: 0.9 });
  assert.deepEqual(parseWatermark('500mb'), { kind: 'left', bytes: 500 * 2 ** 20 });
  for (const other of ['', '101%', '7', 'all', null, undefined, {}, '5xb'])
    assert.equal(parseWatermark(other), null, JSON.stringify(other));
});

test('a disk is past a mark exactly when no byte more than allowed is left', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (size, share) => {
        const disk = { node: 'n', sizeBytes: size, availableBytes: Math.floor(size * share) };
        const left = { kind: 'left', bytes: disk.availableBytes } as const;
        assert.ok(isPast(disk, left));
        assert.ok(!isPast({ ...disk, availableBytes: disk.availableBytes + 1 }, left));
        assert.equal(isPast(disk, { kind: 'used', share: 0 }), true);
      },
    ),
  );
});

test('disks and limits are read from a server that shows them', async (context) => {
  const client = await clientFor(context, 'disk:92');
  const disks = await nodeDisks(client);
  assert.ok(disks.ok);
  assert.equal(disks.value.length, 1);
  assert.ok(disks.value.every((disk) => isPast(disk, { kind: 'used', share: 0.919 })));
  const limits = await clusterLimits(client);
  assert.ok(limits.ok);
  assert.deepEqual(limits.value, {
    heedsDisks: true,
    low: { kind: 'used', share: 0.85 },
    high: { kind: 'used', share: 0.9 },
    floodStage: { kind: 'used', share: 0.95 },
    maxShardsPerNode: 1000,
  });
  const health = await clusterHealth(client);
  assert.ok(health.ok);
  assert.deepEqual(health.value, {
    health: 'GREEN',
    missingShards: 0,
    underreplicatedShards: 0,
    pendingTasks: 0,
  });
});

test('a server that hides sys is a failure for each question, not an empty answer', async (context) => {
  const client = await clientFor(context, 'no-sys');
  for (const answer of [
    await nodeDisks(client),
    await clusterLimits(client),
    await clusterHealth(client),
    await tablesOfOthers(client, [TARGET]),
  ])
    assert.ok(!answer.ok && answer.code === 4045, JSON.stringify(answer));
});

test('tables of others are those with rows that are not made for rows of crategen', async (context) => {
  const client = await clientFor(context);
  const run = async (statement: string): Promise<void> => {
    const reply = await client.query(statement, [], { timeoutMs: 5000 });
    assert.ok(reply.ok, statement);
  };
  for (const table of ['doc.orders', 'doc.empty', 'crategen.own'])
    await run(`CREATE TABLE ${table} (x INT) WITH (number_of_replicas = '1')`);
  await run('CREATE TABLE doc.elsewhere (run_id TEXT, seq BIGINT)');
  await run('INSERT INTO doc.orders (x) VALUES (1), (2), (3)');
  await run('INSERT INTO crategen.own (x) VALUES (1)');
  await run("INSERT INTO doc.elsewhere (run_id, seq) VALUES ('a', 1)");
  for (const table of ['doc.orders', 'crategen.own', 'doc.elsewhere']) await run(`REFRESH TABLE ${table}`);
  const others = await tablesOfOthers(client, [TARGET]);
  assert.ok(others.ok);
  assert.deepEqual(others.value, [{ name: 'doc.orders', rows: 3, replicas: '1' }]);
});
