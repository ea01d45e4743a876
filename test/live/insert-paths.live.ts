/**
 * The same rows by every way into a real CrateDB: all stored, or all but those that break a CHECK, and a worker
 * killed on the way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { home, run } from '../support/built-command.ts';
import {
  PATHS,
  assertWholeAfterDeath,
  by,
  cluster,
  contentOf,
  partitioned,
  sql,
  storedIn,
  tableFor,
  withKilledWorker,
} from './support.ts';

const IDENTITY = ['--seed', '7', '--run-id', 'paths', '--time-origin', '2026-01-01T00:00:00Z'];
/** Every twentieth row breaks it. */
const CHECK = 'CONSTRAINT "no_threes" CHECK ("seq" % 20 <> 3)';
const PLANTED = Array.from({ length: 20 }, (_, index) => index * 20 + 3);

test('the same rows come by every way, and read back equal', async (context) => {
  const place = await home(context);
  const contents = new Set<string>();
  for (const path of PATHS) {
    const table = tableFor(context);
    const ended = await run(cluster(table, '--rows', '600', ...by(path, 100), ...IDENTITY), place);
    assert.equal(ended.code, 0, ended.stderr);
    const { ledger, verification, plan } = ended.run();
    assert.deepEqual([ledger.acknowledged, verification.verdict, plan.insertPath], [600, 'match', path]);
    contents.add(await contentOf(table));
  }
  assert.equal(contents.size, 1);
});

test('a column of every type goes by values and by pg, and each row is as it was sent', async (context) => {
  const place = await home(context);
  for (const path of ['values', 'pg'] as const) {
    const args = cluster(tableFor(context), '--preset', 'everything', '--rows', '60', '--shards', '1');
    const ended = await run([...args, ...by(path, 20), '--verify', 'rows'], place);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual([ended.run().verification.method, ended.run().verification.verdict], ['rows', 'match']);
  }
});

test('what UNNEST cannot carry is refused by name, and no table is made', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  const ended = await run(cluster(table, '--preset', 'everything', '--insert-path', 'unnest'), place);
  assert.equal(ended.code, 2);
  assert.match(ended.stderr, /cannot carry the column integers, an array/);
  await assert.rejects(storedIn(table), /4041|4045/);
});

for (const path of PATHS) {
  for (const place of ['one table', 'a partitioned table'] as const) {
    test(`${path}, ${place}: of rows of which a twentieth breaks a CHECK exactly the others are acknowledged`, async (context) => {
      const [folder, table] = [await home(context), tableFor(context)];
      const ddl = await run(['schema', 'ddl', 'records', '--table', table], folder);
      const checked = ddl.stdout.replace('(\n', `(\n  ${CHECK},\n`).replace(/;\s*$/, '');
      await sql(place === 'one table' ? checked : partitioned(checked));
      const others = place === 'one table' ? 0 : await makePartitions(table);
      const ended = await run(cluster(table, '--rows', '400', '--no-create', ...by(path, 100)), folder);
      assert.equal(ended.code, 4, ended.stderr);
      const { ledger, verification } = ended.run();
      assert.equal(ledger.acknowledged, 380, JSON.stringify(ledger));
      assert.equal(ledger.rejected + ledger.failed, 20);
      assert.equal(ledger.unknown, 0);
      assert.equal(verification.verdict, 'match');
      assert.deepEqual(await storedIn(table), { rows: 380 + others, distinct: 380 + others });
      assert.deepEqual(await missingFrom(table, 400), PLANTED);
    });
  }

  test(`${path}: a worker killed with SIGKILL is replaced, and every row is stored once`, async (context) => {
    const table = tableFor(context);
    const load = ['--rows', '1000', '--rate', '200', ...by(path, 50)];
    const ended = await withKilledWorker(cluster(table, ...load), await home(context), {
      table,
      atRows: 200,
    });
    await assertWholeAfterDeath(ended, table, 1000);
  });
}

/** Which of the first rows of the run are not there, looked up one by one in the list of those that are. */
async function missingFrom(table: string, rows: number): Promise<readonly number[]> {
  const { rows: stored } = await sql(`SELECT seq FROM ${table} WHERE run_id <> 'other' LIMIT 10000`);
  const seqs = new Set(stored.map(([seq]) => seq));
  return Array.from({ length: rows }, (_, seq) => seq).filter((seq) => !seqs.has(seq));
}

/**
 * A row of another run in each partition: a CHECK that a row of a new partition breaks refuses the whole request, on
 * every path. How many they are.
 */
async function makePartitions(table: string): Promise<number> {
  const states = ['active', 'new', 'paused', 'closed', 'blocked'];
  for (const [index, status] of states.entries())
    await sql(
      `INSERT INTO ${table} (run_id, seq, ts, status) VALUES ('other', ${1_000_000 + index * 20}, 0, '${status}')`,
    );
  await sql(`REFRESH TABLE ${table}`);
  return states.length;
}
