/** `crategen verify` finds what somebody deleted, changed or doubled behind its back in a real CrateDB. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { home, run } from '../support/built-command.ts';
import { cluster, sql, tableFor } from './support.ts';

interface Kind {
  readonly rows: number;
  readonly seqs: readonly number[];
}

type Report = Readonly<Record<'lost' | 'duplicated' | 'altered', Kind>>;

test('deleted and changed rows are found by their numbers', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  assert.equal((await run(cluster(table, '--rows', '2000'), place)).code, 0);
  await sql(`DELETE FROM ${table} WHERE seq IN (5, 1999)`);
  await sql(`UPDATE ${table} SET city = 'Nowhere' WHERE seq = 7`);
  await sql(`UPDATE ${table} SET counters['visits'] = -1 WHERE seq = 1000`);
  await sql(`REFRESH TABLE ${table}`);
  const verified = await run(['verify', 'latest', '--json'], place);
  assert.equal(verified.code, 6, verified.stderr);
  const report = JSON.parse(verified.stdout) as Report;
  assert.deepEqual(report.lost, { rows: 2, seqs: [5, 1999] });
  assert.deepEqual(report.altered, { rows: 2, seqs: [7, 1000] });
  assert.equal(report.duplicated.rows, 0);
});

test('a doubled row is found in a table without a key', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  assert.equal((await run(cluster(table, '--rows', '1000', '--no-key'), place)).code, 0);
  await sql(`INSERT INTO ${table} (SELECT * FROM ${table} WHERE seq = 9)`);
  await sql(`REFRESH TABLE ${table}`);
  const verified = await run(['verify', 'latest', '--json'], place);
  assert.equal(verified.code, 6, verified.stderr);
  const report = JSON.parse(verified.stdout) as Report;
  assert.deepEqual(report.duplicated, { rows: 1, seqs: [9] });
  assert.deepEqual([report.lost.rows, report.altered.rows], [0, 0]);
});
