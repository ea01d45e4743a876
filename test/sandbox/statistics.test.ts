/** ANALYZE and pg_stats of the sandbox: what a server says of the same rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, query, sandboxFor } from '../support/sandbox.ts';

test('pg_stats tells null shares, different and common values and bounds, as the last ANALYZE found them', async (context) => {
  const { url } = await sandboxFor(context);
  await query(
    url,
    'CREATE TABLE s.t (id BIGINT, t TEXT, b BOOLEAN, n INTEGER, x REAL, o OBJECT AS (k TEXT), a ARRAY(TEXT))',
  );
  const rows = Array.from({ length: 1000 }, (_, id) => [
    id,
    `t${id % 3}`,
    id % 4 === 0,
    id % 5 === 0 ? null : id % 7,
    id / 2,
    { k: `k${id % 2}` },
    ['x'],
  ]);
  const told =
    'SELECT attname, null_frac, n_distinct, most_common_vals, most_common_freqs, histogram_bounds FROM pg_catalog.pg_stats WHERE tablename = ?';
  await post(url, {
    stmt: 'INSERT INTO s.t (id, t, b, n, x, o, a) VALUES (?, ?, ?, ?, ?, ?, ?)',
    bulk_args: rows,
  });
  assert.deepEqual(await query(url, told, ['t']), []);
  await query(url, 'ANALYZE');
  await query(url, 'INSERT INTO s.t (id, t) VALUES (1, ?)', ['late']);
  const stats = await query(url, told, ['t']);
  const by = new Map(stats.map(([name, ...facts]) => [name, facts]));
  assert.deepEqual([...by.keys()], ['id', 't', 'b', 'n', 'x', "o['k']"]);
  assert.deepEqual(by.get('t'), [0, 3, ['t0', 't1', 't2'], [0.334, 0.333, 0.333], []]);
  assert.deepEqual(by.get('b'), [0, 2, ['false', 'true'], [0.75, 0.25], []]);
  assert.deepEqual(by.get('n')?.slice(0, 2), [0.2, 7]);
  assert.deepEqual(by.get("o['k']"), [0, 2, ['k0', 'k1'], [0.5, 0.5], []]);
  const [nulls, distinct, common, shares, bounds] = by.get('x') ?? [];
  assert.deepEqual([nulls, distinct, common, shares], [0, 1000, [], []]);
  assert.ok(Array.isArray(bounds));
  assert.deepEqual([bounds.length, bounds[0], bounds.at(-1)], [101, '0.0', '499.5']);
});

test('a value that is much more often than others is common, the rest lies between bounds', async (context) => {
  const { url } = await sandboxFor(context);
  await query(url, 'CREATE TABLE s.t (n INTEGER)');
  const rows = Array.from({ length: 2000 }, (_, at) => [at % 2 === 0 ? -5 : at]);
  await post(url, { stmt: 'INSERT INTO s.t (n) VALUES (?)', bulk_args: rows });
  await query(url, 'ANALYZE');
  const stats = await query(
    url,
    "SELECT n_distinct, most_common_vals, most_common_freqs, histogram_bounds[1], histogram_bounds[101] FROM pg_catalog.pg_stats WHERE schemaname = 's'",
  );
  assert.deepEqual(stats, [[1001, ['-5'], [0.5], '1', '1999']]);
});
