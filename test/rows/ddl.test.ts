/** The statements are exact, and no name can become anything but a name. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createTableSql, ddlText, insertStatement, typeSql } from '../../src/rows/ddl.ts';
import { preset, tableOf } from './support.ts';

const TABLE = { schema: 'crategen', table: 'records' };
const OPTIONS = { table: TABLE, key: true, shards: null, replicas: null, ifNotExists: true };

describe('the DDL', () => {
  it('of records is this', () => {
    assert.equal(
      ddlText(preset('records'), OPTIONS),
      `CREATE TABLE IF NOT EXISTS "crategen"."records" (
  "run_id" TEXT NOT NULL,
  "seq" BIGINT NOT NULL,
  "ts" TIMESTAMP WITH TIME ZONE NOT NULL,
  "name" TEXT,
  "email" TEXT,
  "city" TEXT,
  "amount" DOUBLE PRECISION,
  "status" TEXT,
  "counters" OBJECT(STRICT) AS ("visits" INTEGER, "orders" INTEGER, "refunds" SMALLINT, "points" BIGINT),
  PRIMARY KEY ("run_id", "seq")
);`,
    );
  });

  it('of everything names each type, default, expression, index and check', () => {
    const lines = createTableSql(preset('everything'), { ...OPTIONS, shards: 6, replicas: '0-1' }).split(
      '\n',
    );
    for (const line of [
      '  "numeric_large" NUMERIC(38, 10),',
      '  "bit_value" BIT(12),',
      `  "month" TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS (date_trunc('month', "timestamptz_value")),`,
      `  "origin" TEXT DEFAULT 'crategen',`,
      `  "fulltext_value" TEXT INDEX USING FULLTEXT WITH (analyzer = 'english'),`,
      '  "unindexed_value" TEXT INDEX OFF STORAGE WITH (columnstore = false),',
      '  "vector_value" FLOAT_VECTOR(8),',
      '  "ignored_object" OBJECT(IGNORED),',
      '  "items" ARRAY(OBJECT(STRICT) AS ("sku" TEXT, "quantity" SMALLINT, "price" DOUBLE PRECISION)),',
      '  CONSTRAINT "everything_ratio" CHECK ("double_value" >= -1000000),',
    ])
      assert.ok(lines.includes(line), line);
    assert.equal(
      lines.at(-1),
      `) CLUSTERED INTO 6 SHARDS WITH ("column_policy" = 'strict', "number_of_replicas" = '0-1')`,
    );
  });

  it('has the key, the shards, the partitions and the settings that were asked for', () => {
    const schema = tableOf(
      [
        { name: 'run_id', type: { kind: 'text' }, generator: { kind: 'runId' } },
        { name: 'day', type: { kind: 'timestamptz' }, generator: { kind: 'time', jitterMs: 0 } },
      ],
      {
        primaryKey: ['run_id', 'day'],
        clusteredBy: 'run_id',
        partitionedBy: ['day'],
        settings: { number_of_replicas: 2, 'translog.durability': 'ASYNC', 'blocks.read': false },
      },
    );
    const columns = '  "run_id" TEXT,\n  "day" TIMESTAMP WITH TIME ZONE';
    const settings = `"number_of_replicas" = 2, "translog.durability" = 'ASYNC', "blocks.read" = false`;
    assert.equal(
      createTableSql(schema, OPTIONS),
      `CREATE TABLE IF NOT EXISTS "crategen"."records" (\n${columns},\n  PRIMARY KEY ("run_id", "day")\n` +
        `) CLUSTERED BY ("run_id") PARTITIONED BY ("day") WITH (${settings})`,
    );
    const bare = createTableSql(schema, { ...OPTIONS, key: false, shards: 4, ifNotExists: false });
    assert.match(bare, /^CREATE TABLE "crategen"\."records" \(\n/);
    assert.doesNotMatch(bare, /PRIMARY KEY/);
    assert.match(bare, /CLUSTERED BY \("run_id"\) INTO 4 SHARDS PARTITIONED BY/);
  });

  it('writes nested types in one line', () => {
    assert.equal(
      typeSql({
        kind: 'array',
        of: {
          kind: 'object',
          policy: 'dynamic',
          columns: [
            {
              name: 'a',
              type: { kind: 'array', of: { kind: 'char', length: 3 } },
              generator: null,
              notNull: true,
            },
          ],
        },
      }),
      'ARRAY(OBJECT(DYNAMIC) AS ("a" ARRAY(CHARACTER(3)) NOT NULL))',
    );
  });
});

describe('the INSERT', () => {
  it('names the columns that have a generator, and no others', () => {
    assert.equal(
      insertStatement(preset('records'), TABLE, { conflictColumns: null }),
      'INSERT INTO "crategen"."records" ("run_id","seq","ts","name","email","city","amount","status","counters") ' +
        'VALUES (?,?,?,?,?,?,?,?,?)',
    );
    const everything = insertStatement(preset('everything'), TABLE, { conflictColumns: [] });
    assert.doesNotMatch(everything, /"month"|"origin"|CONFLICT/);
    assert.equal(everything.match(/\?/g)?.length, 38);
  });

  it('leaves rows that are there already where the key is known', () => {
    const keyed = insertStatement(preset('records'), TABLE, { conflictColumns: ['run_id', 'seq', 'day'] });
    assert.ok(keyed.endsWith('VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT ("run_id","seq","day") DO NOTHING'));
  });
});

/** What stands in double quotes, read as the server does. */
const QUOTED = /"((?:[^"]|"")*)"/g;
const namesIn = (sql: string): string[] =>
  [...sql.matchAll(QUOTED)].map((match) => (match[1] ?? '').replaceAll('""', '"'));

describe('hostile names', () => {
  it('stay names, wherever they stand', () => {
    const hostile = fc.oneof(
      fc.constantFrom(
        'a"; DROP TABLE users; --',
        '"',
        '""',
        "'",
        '); --',
        'x" TEXT) AS ("y',
        'select',
        '\u2028',
        '?',
      ),
      fc.string({ minLength: 1 }),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (schemaName, table, name, inner) => {
        const schema = tableOf(
          [
            { name, type: { kind: 'text' }, generator: { kind: 'runId' } },
            {
              name: 'object',
              type: {
                kind: 'object',
                policy: 'strict',
                columns: [{ name: inner, type: { kind: 'text' }, generator: null }],
              },
              generator: { kind: 'object' },
            },
          ],
          { primaryKey: [name], clusteredBy: name, partitionedBy: [name], settings: { [name]: name } },
        );
        const options = { ...OPTIONS, table: { schema: schemaName, table } };
        const ddl = createTableSql(schema, options);
        const [text, shape] = [`'${name.replaceAll("'", "''")}'`, ddl.replaceAll(QUOTED, 'N')];
        assert.deepEqual(namesIn(ddl.replace(` = ${text})`, ')')), [
          schemaName,
          table,
          name,
          'object',
          inner,
          name,
          name,
          name,
          name,
        ]);
        assert.equal(
          shape.replace(/ = '[^]*'\)$/, ')'),
          'CREATE TABLE IF NOT EXISTS N.N (\n  N TEXT,\n  N OBJECT(STRICT) AS (N TEXT),\n  PRIMARY KEY (N)\n) CLUSTERED BY (N) PARTITIONED BY (N) WITH (N)',
        );
        const insert = insertStatement(schema, options.table, { conflictColumns: [name] });
        assert.equal(
          insert.replaceAll(QUOTED, 'N'),
          'INSERT INTO N.N (N,N) VALUES (?,?) ON CONFLICT (N) DO NOTHING',
        );
      }),
    );
  });
});
