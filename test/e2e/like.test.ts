/** Tables that somebody else made: looked at, previewed, copied and filled, with the sandbox in the place of CrateDB. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { cluster, home, run } from '../support/built-command.ts';
import { query, sandboxFor, storedRows } from '../support/sandbox.ts';

const ORDERS = `CREATE TABLE shop.orders (
  id BIGINT, ts TIMESTAMP WITH TIME ZONE NOT NULL, month TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS date_trunc('month', ts),
  status TEXT CHECK (status IN ('new', 'paid')), city TEXT, amount NUMERIC(10, 2) CHECK (amount > 0), note VARCHAR(8) DEFAULT 'n/a',
  tags OBJECT(STRICT) AS (a INTEGER, t TEXT), items ARRAY(OBJECT(STRICT) AS (k TEXT)), PRIMARY KEY (id, month)
) CLUSTERED BY (id) INTO 2 SHARDS PARTITIONED BY (month) WITH (number_of_replicas = '0')`;

test('a table is filled in one command, told column by column before; a second time only with --yes', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  await query(sandbox.url, ORDERS);
  const args = ['--like', 'shop.orders', '--table', 'shop.orders', '--rows', '2000'];
  const ended = await run(cluster(sandbox, ...args), place);
  assert.equal(ended.code, 0, ended.stderr);
  const { ledger, verification, target, plan } = ended.run();
  assert.deepEqual([ledger.acknowledged, ledger.rejected, target.keyed], [2000, 0, false]);
  assert.deepEqual(
    [verification.method, verification.verdict, verification.stored],
    ['delta', 'advisory', 2000],
  );
  assert.equal(plan.schema.name, 'orders');
  assert.match(ended.stderr, /^like shop.orders: fills shop.orders itself$/m);
  assert.match(ended.stderr, /^ {2}month +TIMESTAMP WITH TIME ZONE +by the server: date_trunc/m);
  assert.match(ended.stderr, /^ {2}note: status has values that the statement spells out: 'new' 'paid'$/m);
  await query(sandbox.url, 'REFRESH TABLE shop.orders');
  const [facts] = await query(
    sandbox.url,
    `SELECT count(DISTINCT id), min(amount) > 0, count(DISTINCT status), count(DISTINCT month) <= 2, min(note) FROM shop.orders`,
  );
  assert.deepEqual(facts, [2000, true, 2, true, 'n/a']);

  const refused = await run(cluster(sandbox, ...args), place);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /holds 2,000 rows that are not crategen's: expected --yes as well/);
  const again = await run(cluster(sandbox, ...args, '--yes'), place);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(again.run().ledger.acknowledged, 2000);
  assert.equal(storedRows(sandbox, 'shop.orders'), 4000);
});

test('without --table the rows go to a copy in the schema crategen, with its shards, key and checks', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  await query(sandbox.url, ORDERS);
  for (const total of [500, 1000]) {
    const ended = await run(cluster(sandbox, '--like', 'shop.orders', '--rows', '500'), place);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(storedRows(sandbox, 'crategen.orders'), total);
  }
  assert.equal(storedRows(sandbox, 'shop.orders'), 0);
  const shown = await Promise.all(
    ['shop.orders', 'crategen.orders'].map(async (table) => {
      const [[text] = []] = await query(sandbox.url, `SHOW CREATE TABLE ${table}`);
      return String(text).replace(/"(shop|crategen)"/, '');
    }),
  );
  assert.equal(shown[0], shown[1]);
});

test('the shape is copied, its texts are not', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  await query(
    sandbox.url,
    `CREATE TABLE shop.people (id BIGINT PRIMARY KEY, city TEXT, age INTEGER, nick TEXT)`,
  );
  const rows = Array.from({ length: 1000 }, (_, id) => {
    const city = id % 10 < 7 ? 'Vienna' : id % 10 < 9 ? 'Graz' : 'Linz';
    return `(${id}, '${city}', ${20 + (id % 40)}, ${id % 4 === 0 ? 'NULL' : `'nick${id % 50}'`})`;
  });
  await query(sandbox.url, `INSERT INTO shop.people (id, city, age, nick) VALUES ${rows.join(', ')}`);
  const ended = await run(cluster(sandbox, '--like', 'shop.people', '--shape', '--rows', '4000'), place);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /no text of the source is copied/);
  await query(sandbox.url, 'REFRESH TABLE crategen.people');
  const cities = await query(
    sandbox.url,
    'SELECT city, count(*) FROM crategen.people GROUP BY city ORDER BY count(*) DESC',
  );
  assert.equal(cities.length, 3);
  assert.ok(cities.every(([city]) => !['Vienna', 'Graz', 'Linz'].includes(String(city))));
  assert.ok(Math.abs(Number(cities[0]?.[1]) / 4000 - 0.7) < 0.03, String(cities[0]));
  const [[nulls, nicks, ages] = []] = await query(
    sandbox.url,
    'SELECT count(*) - count(nick), count(DISTINCT nick), count(DISTINCT age) FROM crategen.people',
  );
  assert.ok(Math.abs(Number(nulls) / 4000 - 0.25) < 0.03, String(nulls));
  assert.deepEqual([nicks, ages], [50, 40]);
});

test('a statement in a file does for a table; what cannot be read in it has its line and column', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const [good, bad] = [join(place.folder, 'orders.sql'), join(place.folder, 'bad.sql')];
  await writeFile(good, `-- ours\n${ORDERS};\n`);
  await writeFile(bad, 'CREATE TABLE t (\n  a FOO,\n  b DATE\n)');
  const ended = await run(cluster(sandbox, '--ddl', good, '--rows', '300'), place);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(storedRows(sandbox, 'crategen.orders'), 300);
  const refused = await run(cluster(sandbox, '--ddl', bad), place);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /bad\.sql:2:5: foo: no type/);
  assert.match(refused.stderr, /bad\.sql:3:5: date: no type/);
  assert.equal((await run(cluster(sandbox, '--ddl', join(place.folder, 'none.sql')), place)).code, 2);
});

test('what was found is written as a schema file that makes the same rows', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  await query(sandbox.url, ORDERS);
  const inferred = await run(['schema', 'infer', 'shop.orders', '--url', sandbox.url], place);
  assert.equal(inferred.code, 0, inferred.stderr);
  assert.doesNotMatch(inferred.stderr, /does not say exactly/);
  const file = join(place.folder, 'orders.yaml');
  await writeFile(file, inferred.stdout);
  const identity = ['--rows', '500', '--seed', '1', '--run-id', 'r', '--time-origin', '2026-01-01T00:00:00Z'];
  for (const [table, source] of [
    ['crategen.a', ['--like', 'shop.orders']],
    ['crategen.b', ['--schema', file]],
  ] as const) {
    const ended = await run(cluster(sandbox, ...source, '--table', table, ...identity), place);
    assert.equal(ended.code, 0, ended.stderr);
  }
  const { tables } = sandbox.stats();
  assert.equal(tables['crategen.a']?.rows, 500);
  assert.equal(tables['crategen.a']?.contentHash, tables['crategen.b']?.contentHash);
  assert.equal((await run(['schema', 'infer', '--url', sandbox.url], place)).code, 2);
});

test('the shape that was found is written too: the same rows, and no text of the source', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  await query(
    sandbox.url,
    `CREATE TABLE shop.people (id BIGINT PRIMARY KEY, city TEXT, age INTEGER, nick TEXT)`,
  );
  const rows = Array.from({ length: 2000 }, (_, id) => {
    const city = id % 10 < 7 ? 'Vienna' : id % 10 < 9 ? 'Graz' : 'Linz';
    return `(${id}, '${city}', ${20 + (id % 40)}, ${id % 4 === 0 ? 'NULL' : `'nick${id % 1500}'`})`;
  });
  await query(sandbox.url, `INSERT INTO shop.people (id, city, age, nick) VALUES ${rows.join(', ')}`);
  const infer = async (...flags: string[]): Promise<string> => {
    const ended = await run(
      ['schema', 'infer', 'shop.people', '--shape', ...flags, '--url', sandbox.url],
      place,
    );
    assert.equal(ended.code, 0, ended.stderr);
    assert.doesNotMatch(ended.stderr, /does not say exactly/);
    return ended.stdout;
  };
  const file = join(place.folder, 'people.yaml');
  await writeFile(file, await infer());
  assert.doesNotMatch(await infer(), /Vienna|Graz|Linz|nick\d/);
  assert.match(await infer('--copy-values'), /Vienna: 0\.7,/);
  const identity = ['--rows', '500', '--seed', '1', '--run-id', 'r', '--time-origin', '2026-01-01T00:00:00Z'];
  for (const [table, source] of [
    ['crategen.a', ['--like', 'shop.people', '--shape']],
    ['crategen.b', ['--schema', file]],
  ] as const) {
    const ended = await run(cluster(sandbox, ...source, '--table', table, ...identity), place);
    assert.equal(ended.code, 0, ended.stderr);
  }
  const { tables } = sandbox.stats();
  assert.equal(tables['crategen.a']?.contentHash, tables['crategen.b']?.contentHash);
});

test('show, ddl and preview look at a table that is there, and at a statement in a file', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  await query(sandbox.url, ORDERS);
  const file = join(place.folder, 'orders.sql');
  await writeFile(file, ORDERS);
  for (const source of [
    ['--like', 'shop.orders', '--url', sandbox.url],
    ['--ddl', file],
  ]) {
    const schema = async (
      command: string,
      ...flags: string[]
    ): Promise<{ stdout: string; stderr: string }> => {
      const ended = await run(['schema', command, ...source, ...flags], place);
      assert.equal(ended.code, 0, ended.stderr);
      return ended;
    };
    const shown = await schema('show');
    assert.match(shown.stdout, /^month +TIMESTAMP WITH TIME ZONE +by the server: date_trunc/m);
    assert.match(shown.stderr, /^ {2}note: status has values that the statement spells out: 'new' 'paid'$/m);
    const { table, notes } = JSON.parse((await schema('show', '--json')).stdout) as {
      table: unknown;
      notes: string[];
    };
    assert.deepEqual([table, notes.length > 0], [{ schema: 'crategen', table: 'orders' }, true]);
    assert.match((await schema('ddl')).stdout, /^CREATE TABLE IF NOT EXISTS "crategen"\."orders" \($/m);
    assert.match((await schema('ddl', '--table', 'a.b')).stdout, /^CREATE TABLE IF NOT EXISTS "a"\."b" \($/m);
    const rows = (await schema('preview', '--rows', '2')).stdout.trimEnd().split('\n');
    assert.deepEqual(
      rows.map((row) => (JSON.parse(row) as { id: number }).id),
      [0, 1],
    );
  }
  const said = async (code: number, pattern: RegExp, ...args: string[]): Promise<void> => {
    const ended = await run(['schema', 'show', ...args], place);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, pattern);
  };
  await said(2, /expected one of: a preset .*, a schema file, --like SCHEMA\.TABLE or --ddl FILE/);
  await said(2, /expected one of: /, 'records', '--ddl', file);
  await said(2, /--shape: expected only together with --like/, 'records', '--shape');
  await said(2, /--like "a\.b\.c": expected SCHEMA\.TABLE/, '--like', 'a.b.c', '--url', sandbox.url);
  await said(3, /the table shop\.none does not exist/, '--like', 'shop.none', '--url', sandbox.url);
});

test('a dry run looks at the table and writes nothing', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  await query(sandbox.url, ORDERS);
  const ended = await run(['cluster', '--url', sandbox.url, '--like', 'shop.orders', '--dry-run'], place);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^CREATE TABLE IF NOT EXISTS "crategen"\."orders" \($/m);
  assert.match(ended.stderr, /^like shop.orders: fills crategen.orders, made if it is missing$/m);
  assert.match(ended.stdout, /INTO 2 SHARDS PARTITIONED BY \("month"\)/);
  assert.deepEqual(Object.keys(sandbox.stats().tables), ['shop.orders']);
});

test('a key whose type has fewer numbers than the run has rows is said before anything is sent', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  await query(sandbox.url, 'CREATE TABLE shop.small (id BYTE PRIMARY KEY, t TEXT)');
  const ended = await run(cluster(sandbox, '--like', 'shop.small', '--rows', '500'), place);
  assert.equal(ended.code, 2, ended.stderr);
  assert.match(ended.stderr, /^crategen: shop\.small: column id: its sequence begins again after 128 rows/m);
  assert.deepEqual(Object.keys(sandbox.stats().tables), ['shop.small']);
});

test('what cannot be is said before anything is sent', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const said = async (code: number, pattern: RegExp, ...args: string[]): Promise<void> => {
    const ended = await run(cluster(sandbox, ...args), place);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, pattern);
  };
  await said(3, /the table shop.none does not exist/, '--like', 'shop.none');
  await said(
    2,
    /--like, --preset: expected only one of them|--preset, --like: expected only one/,
    '--like',
    'a.b',
    '--preset',
    'records',
  );
  await said(2, /--shape: expected only together with --like/, '--shape');
  await said(2, /--copy-values: expected only together with --shape/, '--like', 'a.b', '--copy-values');
});
