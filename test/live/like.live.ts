/** Tables made elsewhere on a real CrateDB: filled in one command, copied, and copied by shape. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { home, run } from '../e2e/support.ts';
import { cluster, sql, tableFor } from './support.ts';

/** Every type that a column can have, with partition, generated column, CHECKs, defaults, indexes and object arrays. */
const everyType = (table: string): string => `CREATE TABLE ${table} (
  "id" BIGINT, "ts" TIMESTAMP WITH TIME ZONE NOT NULL, "host" VARCHAR(64) DEFAULT 'n/a' NOT NULL,
  "month" TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS date_trunc('month', "ts"),
  "ok" BOOLEAN, "n8" BYTE, "n16" SMALLINT, "n32" INTEGER, "r" REAL, "d" DOUBLE PRECISION, "price" NUMERIC(18, 4),
  "code" CHARACTER(3), "mask" BIT(8), "addr" IP, "pos" GEO_POINT, "area" GEO_SHAPE, "emb" FLOAT_VECTOR(8), "uid" UUID,
  "plain" TIMESTAMP WITHOUT TIME ZONE, "short" VARCHAR(5), "kind" TEXT,
  "tags" OBJECT(DYNAMIC) AS ("arch" TEXT, "n" INTEGER NOT NULL), "raw" OBJECT(IGNORED), "xs" ARRAY(DOUBLE PRECISION),
  "events" ARRAY(OBJECT(STRICT) AS ("k" TEXT)), "body" TEXT INDEX USING FULLTEXT WITH (analyzer = 'english'),
  "blob" TEXT INDEX OFF STORAGE WITH (columnstore = false),
  CONSTRAINT "d_pos" CHECK ("d" >= 0), CHECK ("kind" IN ('a', 'b')), CHECK ("n32" BETWEEN 5 AND 9), CHECK (length("short") > 2),
  CHECK ("tags"['n'] > 100), PRIMARY KEY ("id", "month")
) CLUSTERED BY ("id") INTO 2 SHARDS PARTITIONED BY ("month")
WITH (number_of_replicas = 0, column_policy = 'strict', codec = 'best_compression', "mapping.total_fields.limit" = 2000)`;

/** What must hold for each row of it; nulls included. */
const HOLDS = [
  `"d" >= 0`,
  `"kind" IN ('a', 'b')`,
  `"n32" BETWEEN 5 AND 9`,
  `length("short") BETWEEN 3 AND 5`,
  `"tags"['n'] > 100`,
  `"month" = date_trunc('month', "ts")`,
  `"host" = 'n/a'`,
  `length("code") = 3`,
  `"ok" IS NOT NULL AND "n8" IS NOT NULL AND "n16" IS NOT NULL AND "r" IS NOT NULL AND "price" IS NOT NULL`,
  `"addr" IS NOT NULL AND "pos" IS NOT NULL AND "area" IS NOT NULL AND "emb" IS NOT NULL AND "uid" IS NOT NULL`,
  `"mask" IS NOT NULL AND "raw" IS NOT NULL AND array_length("xs", 1) > 0 AND "body" IS NOT NULL AND "blob" IS NOT NULL`,
].join(' AND ');

test('a table with every type is filled in one command: no row rejected, the count right, each value within bounds', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  await sql(everyType(table));
  const ended = await run(cluster(table, '--like', table, '--rows', '2000', '--batch-size', '500'), place);
  assert.equal(ended.code, 0, ended.stderr);
  const { ledger, verification } = ended.run();
  assert.deepEqual([ledger.acknowledged, ledger.rejected, ledger.unknown], [2000, 0, 0]);
  assert.deepEqual([verification.method, verification.stored], ['delta', 2000]);
  await sql(`REFRESH TABLE ${table}`);
  const { rows } = await sql(
    `SELECT count(*), count(DISTINCT "id"), count(DISTINCT "month") <= 2, count(DISTINCT "kind") FROM ${table} WHERE ${HOLDS}`,
  );
  assert.deepEqual(rows[0], [2000, 2000, true, 2]);
});

test('a copy has the same statement, and is filled on behind what it holds', async (context) => {
  const [place, table, copy] = [await home(context), tableFor(context), tableFor(context)];
  await sql(everyType(table));
  for (const flags of [[], ['--yes']]) {
    const ended = await run(cluster(copy, '--like', table, '--rows', '500', ...flags), place);
    assert.equal(ended.code, 0, ended.stderr);
  }
  await sql(`REFRESH TABLE ${copy}`);
  assert.deepEqual((await sql(`SELECT count(*), count(DISTINCT "id") FROM ${copy}`)).rows[0], [1000, 1000]);
  const statements = await Promise.all(
    [table, copy].map(async (name) => {
      const { rows } = await sql(`SHOW CREATE TABLE ${name}`);
      return String(rows[0]?.[0]).replace(/"t[0-9a-f]{12}"/, '');
    }),
  );
  assert.equal(statements[0], statements[1]);
});

test('the shape of a skewed table: null shares, distinct counts and ranks are near the source’s, its texts are not there', async (context) => {
  const [place, table, copy] = [await home(context), tableFor(context), tableFor(context)];
  await sql(`CREATE TABLE ${table} (id BIGINT PRIMARY KEY, city TEXT, n INTEGER, opt TEXT, x DOUBLE PRECISION)
    CLUSTERED INTO 2 SHARDS WITH (number_of_replicas = 0)`);
  // Rank k of 40 has a share of about 1/k; a quarter of opt is null.
  await sql(`INSERT INTO ${table} (id, city, n, opt, x) (
    SELECT g, 'Town ' || floor(40 ^ (g % 997 / 997.0))::INTEGER::TEXT, floor(300 ^ (g % 1009 / 1009.0))::INTEGER * 7,
      CASE WHEN g % 4 = 0 THEN NULL ELSE 'o' || (g % 90)::TEXT END, (g % 20011) / 7.0 FROM generate_series(1, 30000) AS t(g))`);
  await sql(`REFRESH TABLE ${table}`);
  const ended = await run(cluster(copy, '--like', table, '--shape', '--rows', '30000'), place);
  assert.equal(ended.code, 0, ended.stderr);
  await sql(`REFRESH TABLE ${copy}`);
  const rows = 30_000;
  for (const column of ['city', 'n', 'opt']) {
    const figures = async (
      name: string,
    ): Promise<{ nulls: number; distinct: number; top: readonly number[] }> => {
      const counts = await sql(`SELECT count(*) - count(${column}), count(DISTINCT ${column}) FROM ${name}`);
      const top = await sql(
        `SELECT count(*) FROM ${name} WHERE ${column} IS NOT NULL GROUP BY ${column} ORDER BY 1 DESC LIMIT 20`,
      );
      const [nulls, distinct] = (counts.rows[0] ?? []).map(Number);
      return {
        nulls: (nulls ?? 0) / rows,
        distinct: distinct ?? 0,
        top: top.rows.map(([count]) => Number(count)),
      };
    };
    const [source, made] = [await figures(table), await figures(copy)];
    assert.ok(Math.abs(source.nulls - made.nulls) < 0.01, `${column}: ${made.nulls} null`);
    assert.ok(Math.abs(made.distinct / source.distinct - 1) < 0.1, `${column}: ${made.distinct} distinct`);
    source.top.forEach((count, rank) => {
      // Draws differ by chance: three deviations of a count of rows come on top of the tenth.
      const allowed = count * 0.1 + 3 * Math.sqrt(count);
      assert.ok(
        Math.abs((made.top[rank] ?? 0) - count) < allowed,
        `${column}, rank ${rank}: ${made.top[rank]} for ${count}`,
      );
    });
  }
  for (const column of ['city', 'opt']) {
    const { rows: shared } = await sql(
      `SELECT count(*) FROM (SELECT DISTINCT ${column} AS v FROM ${table}) AS a JOIN (SELECT DISTINCT ${column} AS v FROM ${copy}) AS b ON a.v = b.v`,
    );
    assert.equal(Number(shared[0]?.[0]), 0, column);
  }
});
