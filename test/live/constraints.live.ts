/** What a real CrateDB refuses for its content is rejected, exactly, and told by class. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { home, run } from '../support/built-command.ts';
import { cluster, sql, storedIn, tableFor } from './support.ts';

for (const key of ['--key', '--no-key']) {
  test(`a CHECK that a tenth of the rows violate rejects exactly those, ${key}: exit 4`, async (context) => {
    const [place, table] = [await home(context), tableFor(context)];
    const ddl = await run(['schema', 'ddl', 'records', '--table', table], place);
    assert.equal(ddl.code, 0, ddl.stderr);
    const checked = ddl.stdout
      .replace('(\n', '(\n  CONSTRAINT "no_threes" CHECK ("seq" % 10 <> 3),\n')
      .replace(/;\s*$/, '');
    await sql(key === '--key' ? checked : checked.replace(/,\s*PRIMARY KEY \([^)]*\)/, ''));
    const ended = await run(cluster(table, '--rows', '5000', '--batch-size', '250', '--no-create'), place);
    assert.equal(ended.code, 4, ended.stderr);
    const { ledger, verification, errors, target, run: facts } = ended.run();
    assert.equal(target.keyed, key === '--key');
    assert.equal(facts.endReason, 'rows');
    assert.deepEqual(
      { ...ledger },
      { offered: 5000, acknowledged: 4500, rejected: 500, failed: 0, unknown: 0, notOffered: 0 },
    );
    assert.equal(verification.verdict, 'match');
    assert.deepEqual(
      errors.map((error) => [error.class, error.rows]),
      [['constraint', 500]],
    );
    assert.match(errors[0]?.example ?? '', /no_threes/);
    assert.deepEqual(await storedIn(table), { rows: 4500, distinct: 4500 });
    assert.equal((await sql(`SELECT count(*) FROM ${table} WHERE seq % 10 = 3`)).rows[0]?.[0], 0);
  });
}

test('rows of this run that are there already are found before the first insert', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  const args = cluster(table, '--rows', '500', '--run-id', 'twice');
  assert.equal((await run(args, place)).code, 0);
  const again = await run(args, place);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /already holds 500 rows of this run/);
  assert.deepEqual(await storedIn(table), { rows: 500, distinct: 500 });
});
