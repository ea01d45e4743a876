/** Tables made elsewhere on a real CrateDB: filled in one command, copied, and copied by shape. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { home, run } from '../support/built-command.ts';
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

/** What the 1,000 rows of it come to, and between which bounds: means and shares within five deviations. */
const DISTRIBUTED: readonly (readonly [sql: string, least: number, most: number])[] = [
  ['count(DISTINCT "id")', 1000, 1000],
  ['max("id") - min("id")', 999, 999],
  ['count(DISTINCT "ts")', 1000, 1000],
  ['max("ts")::BIGINT - min("ts")::BIGINT', 99_900, 99_900],
  ['max("plain")::BIGINT - min("plain")::BIGINT', 99_900, 99_900],
  ['count(DISTINCT "month")', 1, 2],
  ['avg(CASE WHEN "ok" THEN 1.0 ELSE 0.0 END)', 0.85, 0.95],
  ['avg("n8")', 4.2, 5.8],
  ['avg("n16")', 4.2, 5.8],
  ['min("n8")', 0, 0],
  ['max("n16")', 20, 100],
  ['avg("n32")', 6.75, 7.25],
  ['count(DISTINCT "n32")', 5, 5],
  ['avg("r")', 450, 550],
  ['min("r")', 0, 10],
  ['max("r")', 990, 1000],
  ['avg("d")', 450, 550],
  ['avg("price")', 66, 94],
  ['max("price")', 300, 10_000],
  ['count(DISTINCT "code")', 700, 1000],
  ['count(DISTINCT "addr")', 990, 1000],
  ['count(DISTINCT "short")', 700, 1000],
  [`avg(CASE WHEN "kind" = 'a' THEN 1.0 ELSE 0.0 END)`, 0.42, 0.58],
  ['min(longitude("pos"))', -9.5, 0],
  ['max(longitude("pos"))', 20, 30],
  ['min(latitude("pos"))', 36, 40],
  ['max(latitude("pos"))', 56, 60],
  [
    `sum(CASE WHEN within("area", 'POLYGON((-9.6 35.9, 30.1 35.9, 30.1 60.1, -9.6 60.1, -9.6 35.9))') THEN 1 ELSE 0 END)`,
    1000,
    1000,
  ],
  ['avg(array_length("xs", 1))', 1.86, 2.14],
  ['max(array_max("xs"))', 990, 1000],
  ['min(array_min("xs"))', 0, 10],
  ['avg(array_length("events", 1))', 1.86, 2.14],
  [`min("tags"['n'])`, 101, 110],
  [`count(DISTINCT "tags"['arch'])`, 50, 500],
  ['count(DISTINCT "blob")', 50, 500],
];

test('a table with every type is filled in one command: no row rejected, the count right, each value within its type, checks and distribution', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  await sql(everyType(table));
  const ended = await run(cluster(table, '--like', table, '--rows', '1000', '--batch-size', '100'), place);
  assert.equal(ended.code, 0, ended.stderr);
  const { ledger, verification } = ended.run();
  assert.deepEqual([ledger.acknowledged, ledger.rejected, ledger.unknown], [1000, 0, 0]);
  assert.deepEqual([verification.method, verification.stored], ['delta', 1000]);
  await sql(`REFRESH TABLE ${table}`);
  const { rows } = await sql(
    `SELECT count(*), ${DISTRIBUTED.map(([expression]) => expression).join(', ')} FROM ${table} WHERE ${HOLDS}`,
  );
  const [count, ...figures] = rows[0] ?? [];
  assert.equal(count, 1000);
  const outside = DISTRIBUTED.flatMap(([expression, least, most], at) => {
    const figure = Number(figures[at]);
    return figure >= least && figure <= most ? [] : [`${expression}: ${figure}, not ${least} to ${most}`];
  });
  assert.deepEqual(outside, []);
  const again = await sql(`SELECT "uid" FROM ${table} GROUP BY "uid" HAVING count(*) > 1`);
  assert.deepEqual(again.rows, []);
});

test('a table with every type lends its shape, whatever its indexes are', async (context) => {
  const [place, table, copy] = [await home(context), tableFor(context), tableFor(context)];
  await sql(everyType(table));
  for (const [into, ...flags] of [[table], [copy, '--shape']] as const) {
    const ended = await run(
      cluster(into, '--like', table, ...flags, '--rows', '300', '--batch-size', '100'),
      place,
    );
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.run().ledger.acknowledged, 300);
  }
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

/** Skewed values of every type that has a shape; rank k of them has a share of about 1/k. */
const skewed = (table: string): string => `CREATE TABLE ${table} (
  id BIGINT PRIMARY KEY, city TEXT, opt TEXT, code CHARACTER(4), short VARCHAR(20), addr IP, ok BOOLEAN, maybe BOOLEAN, n8 BYTE, n INTEGER,
  big BIGINT, r REAL, x DOUBLE PRECISION, price NUMERIC(18, 4), ts TIMESTAMP WITH TIME ZONE, plain TIMESTAMP WITHOUT TIME ZONE,
  status TEXT CHECK (status IN ('new', 'paid', 'lost')), source TEXT DEFAULT 'by hand',
  size TEXT GENERATED ALWAYS AS CASE WHEN n > 100 THEN 'large one' ELSE 'small one' END, tags OBJECT(STRICT) AS (k TEXT, n INTEGER)
) CLUSTERED INTO 2 SHARDS WITH (number_of_replicas = 0)`;

/** `g` is the row; a prime each, so that columns do not follow each other. */
const rank = (ranks: number, prime: number): string =>
  `floor(${ranks} ^ (g % ${prime} / ${prime}.0))::INTEGER`;
const filling = (table: string, from: number, to: number): string => `INSERT INTO ${table}
  (id, city, opt, code, short, addr, ok, maybe, n8, n, big, r, x, price, ts, plain, status, source, tags) (SELECT
    g, 'Town ' || ${rank(40, 997)}::TEXT, CASE WHEN g % 4 = 0 THEN NULL ELSE 'option ' || (g % 90)::TEXT END, 'c' || (100 + ${rank(200, 991)})::TEXT,
    'short ' || ${rank(3000, 983)}::TEXT, ('10.0.0.' || ${rank(60, 977)}::TEXT)::IP, g % 1000 < 127, CASE WHEN g % 10 = 3 THEN NULL ELSE g % 3 = 0 END,
    ${rank(90, 971)}, ${rank(300, 1009)} * 7, ${rank(5000, 1013)}::BIGINT * 1000000007, ${rank(80, 1019)} / 4.0, (g % 20011) / 7.0,
    ${rank(500, 1021)} * 1.25, 1700000000000 + ${rank(400, 1031)} * 3600000, 1600000000000 + g * 1000,
    CASE WHEN g % 20 = 0 THEN 'lost' WHEN g % 3 = 0 THEN 'paid' ELSE 'new' END, 'source ' || (g % 7)::TEXT,
    {k = 'key ' || ${rank(30, 1033)}::TEXT, n = ${rank(20, 1039)}} FROM generate_series(${from}, ${to}) AS t(g))`;

async function fill(table: string, rows: number): Promise<void> {
  await sql(skewed(table));
  // One statement for all of them would outlast its deadline on a slow host.
  const step = 10_000;
  for (let from = 1; from <= rows; from += step)
    await sql(filling(table, from, Math.min(rows, from + step - 1)));
  await sql(`REFRESH TABLE ${table}`);
}

interface Figures {
  readonly nulls: number;
  readonly distinct: number;
  /** Rows of the 20 most common values. */
  readonly top: readonly number[];
}

async function figuresOf(table: string, column: string, rows: number): Promise<Figures> {
  const counts = await sql(`SELECT count(${column}), count(DISTINCT ${column}) FROM ${table}`);
  const [full = 0, distinct = 0] = (counts.rows[0] ?? []).map(Number);
  const top = await sql(
    `SELECT count(*) FROM ${table} WHERE ${column} IS NOT NULL GROUP BY ${column} ORDER BY 1 DESC LIMIT 20`,
  );
  return { nulls: 1 - full / rows, distinct, top: top.rows.map(([count]) => Number(count)) };
}

/** Counts of draws differ by chance: of this many rows three deviations are 10 % already. */
const COUNTED = 900;

test('the shape of a skewed table: null shares, distinct counts and ranks are near the source’s, its texts are not there', async (context) => {
  const [place, table, copy] = [await home(context), tableFor(context), tableFor(context)];
  const rows = 30_000;
  await fill(table, rows);
  const ended = await run(cluster(copy, '--like', table, '--shape', '--rows', String(rows)), place);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /note: status has values that the statement spells out: 'new' 'paid' 'lost'/);
  assert.match(ended.stderr, /size .* by the server: .*'large one'/);
  await sql(`REFRESH TABLE ${copy}`);
  const texts = ['city', 'opt', 'code', 'short', 'addr', 'source', "tags['k']"];
  const others = [
    'ok',
    'maybe',
    'n8',
    'n',
    'big',
    'r',
    'price',
    'ts',
    'plain',
    'x',
    'status',
    "tags['n']",
    'id',
  ];
  const worst = { nulls: 0, distinct: 0, top: 0 };
  for (const column of [...texts, ...others]) {
    const [source, made] = [await figuresOf(table, column, rows), await figuresOf(copy, column, rows)];
    const nulls = Math.abs(source.nulls - made.nulls);
    const distinct = Math.abs(made.distinct / source.distinct - 1);
    assert.ok(nulls < 0.01, `${column}: ${made.nulls} null for ${source.nulls}`);
    assert.ok(distinct < 0.1, `${column}: ${made.distinct} distinct for ${source.distinct}`);
    const tops = source.top.flatMap((count, at) =>
      count < COUNTED ? [] : [Math.abs((made.top[at] ?? 0) / count - 1)],
    );
    for (const [at, top] of tops.entries())
      assert.ok(top < 0.1, `${column}, rank ${at}: ${made.top[at]} for ${source.top[at]}`);
    worst.nulls = Math.max(worst.nulls, nulls);
    worst.distinct = Math.max(worst.distinct, distinct);
    worst.top = Math.max(worst.top, ...tops);
  }
  context.diagnostic(`largest differences: ${JSON.stringify(worst)}`);
  for (const column of texts) {
    const { rows: shared } = await sql(
      `SELECT count(*) FROM (SELECT DISTINCT ${column} AS v FROM ${table}) AS a JOIN (SELECT DISTINCT ${column} AS v FROM ${copy}) AS b ON a.v = b.v`,
    );
    assert.equal(Number(shared[0]?.[0]), 0, column);
  }
  // Not even under another column's name.
  const all = (name: string): Promise<{ rows: readonly (readonly unknown[])[] }> =>
    sql(
      texts
        .map((column) => `SELECT DISTINCT ${column}::TEXT AS v FROM ${name} WHERE ${column} IS NOT NULL`)
        .join(' UNION '),
    );
  const [known, made] = [await all(table), await all(copy)];
  const secrets = new Set(known.rows.map(([text]) => text));
  assert.deepEqual(
    made.rows.filter(([text]) => secrets.has(text)),
    [],
  );
});

test('a shape that is written as a schema file makes the same distribution without the table', async (context) => {
  const [place, table, copy] = [await home(context), tableFor(context), tableFor(context)];
  const rows = 20_000;
  await fill(table, rows);
  const inferred = await run(['schema', 'infer', table, '--shape'], place);
  assert.equal(inferred.code, 0, inferred.stderr);
  assert.doesNotMatch(inferred.stderr, /does not say exactly/);
  assert.doesNotMatch(inferred.stdout, /Town |option |short \d|source \d|key \d|10\.0\.0\./);
  const file = join(place.folder, 'skewed.yaml');
  await writeFile(file, inferred.stdout);
  await sql(`DROP TABLE ${table}`);
  const ended = await run(cluster(copy, '--schema', file, '--rows', String(rows)), place);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.run().ledger.acknowledged, rows);
});
