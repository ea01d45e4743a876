/** Several tables in one run against a real CrateDB: a worker is killed, and each table holds its share to the row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { home, run } from '../support/built-command.ts';
import { cluster, sql, storedIn, tableFor, withKilledWorker } from './support.ts';

test('a mix survives a killed worker: every table whole, counted and verified for itself', async (context) => {
  const place = await home(context);
  const tables = [tableFor(context), tableFor(context), tableFor(context)] as const;
  const [main, second, third] = tables;
  const also = ['--also', `metrics@${second}=2`, '--also', `records@${third}=5`];
  const load = ['--rows', '16k', '--rate', '8k', '--batch-size', '100', '--run-id', 'mixed'];
  const ended = await withKilledWorker(cluster(main, ...load, ...also), place, {
    table: third,
    atRows: 1000,
  });
  assert.equal(ended.code, 0, ended.stderr);
  const file = ended.run();
  assert.deepEqual(
    file.tables.map(({ table, ledger, verification }) => [table, ledger.acknowledged, verification.verdict]),
    [
      [main, 2000, 'match'],
      [second, 4000, 'match'],
      [third, 10_000, 'match'],
    ],
  );
  for (const { table, ledger } of file.tables)
    assert.deepEqual(await storedIn(table), { rows: ledger.acknowledged, distinct: ledger.acknowledged });

  await sql(`DELETE FROM ${second} WHERE seq = 1234`);
  const verified = await run(['verify', 'mixed'], place);
  assert.equal(verified.code, 6, verified.stderr);
  assert.match(verified.stdout, new RegExp(`in ${second}: 1 lost`));
  assert.match(verified.stdout, /seq 1234/);
  const cleaned = await run(['clean', 'mixed', '--yes'], place);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  for (const table of tables) assert.equal((await storedIn(table)).rows, 0);
});
