/** What is read from a CREATE TABLE statement is what stands in it, and what does not fit is told with its place. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createTableSql } from '../../../src/rows/ddl.ts';
import { type TableDefinition, parseDdl } from '../../../src/rows/existing/parse-ddl.ts';
import type { Column, ColumnType } from '../../../src/rows/schema.ts';
import answers from '../../fixtures/introspection.json' with { type: 'json' };
import { TABLE } from './arbitrary-table.ts';

function definitionOf(sql: string): TableDefinition {
  const parsed = parseDdl(sql);
  if (!parsed.ok) assert.fail(`${sql}\n${JSON.stringify(parsed.problems)}`);
  return parsed.definition;
}

/** `line:column message` of each problem. */
function problemsOf(sql: string): string[] {
  const parsed = parseDdl(sql);
  assert.ok(!parsed.ok, 'it was read');
  return parsed.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const typeIn = (type: string): ColumnType | undefined =>
  definitionOf(`CREATE TABLE t (c ${type})`).columns[0]?.type;
const columnIn = (column: string): Column | undefined =>
  definitionOf(`CREATE TABLE t (${column})`).columns[0];

describe('a CREATE TABLE statement', () => {
  it('that was made from a schema reads as that schema', () => {
    fc.assert(
      fc.property(TABLE, (schema) => {
        const table = { schema: 'The "schema"', table: "t'able" };
        const sql = createTableSql(schema, {
          table,
          key: true,
          shards: null,
          replicas: null,
          ifNotExists: true,
        });
        const { name, leftOut, shards, ...read } = definitionOf(sql);
        const {
          name: _name,
          description: _description,
          axis: _axis,
          shards: planned = null,
          ...wanted
        } = schema;
        assert.deepEqual({ ...read, shards }, { ...wanted, shards: planned });
        assert.deepEqual(name, table);
        assert.deepEqual(leftOut, []);
      }),
      { numRuns: 300 },
    );
  });

  it('of a real CrateDB reads whole: the table with every type', () => {
    const answer = answers.answers.find(({ name }) => name === 'SHOW CREATE TABLE');
    const text = answer?.rows?.[0]?.[0];
    assert.ok(typeof text === 'string');
    const definition = definitionOf(text);
    assert.equal(definition.columns.length, 24);
    assert.deepEqual(definition.name, { schema: 'conf2', table: 't' });
    assert.deepEqual(definition.primaryKey, ['id', 'month']);
    assert.deepEqual([definition.clusteredBy, definition.shards], ['id', 12]);
    assert.deepEqual(definition.partitionedBy, ['month']);
    assert.deepEqual(definition.checks, [{ name: 'd_pos', sql: '"d" >= 0' }]);
    assert.deepEqual(definition.leftOut, []);
    assert.deepEqual(definition.settings, {
      codec: 'best_compression',
      column_policy: 'strict',
      'mapping.total_fields.limit': 2000,
      number_of_replicas: '0',
      refresh_interval: 0,
      'translog.durability': 'ASYNC',
      'translog.sync_interval': 5000,
      'write.wait_for_active_shards': '1',
    });
    const column = (name: string): Column | undefined => definition.columns.find((one) => one.name === name);
    assert.deepEqual(column('month'), {
      name: 'month',
      type: { kind: 'timestamptz' },
      generator: null,
      generatedAs: `date_trunc('month', "ts")`,
      notNull: true,
    });
    assert.deepEqual(column('events')?.type, {
      kind: 'array',
      of: {
        kind: 'object',
        policy: 'strict',
        columns: [{ name: 'k', type: { kind: 'text' }, generator: null }],
      },
    });
    assert.deepEqual(column('blob'), {
      name: 'blob',
      type: { kind: 'text' },
      generator: null,
      index: { kind: 'off' },
      columnStore: false,
    });
  });

  it('may be written by hand: lower case, comments, short names of types, constraints behind columns', () => {
    const definition = definitionOf(`-- what we have
      create table Shop.Orders (
        id long primary key, /* the number */
        n int default 3 not null check (n > 0),
        at timestamp with time zone constraint "In time" check (at > '2024-01-01'),
        tags string[][] null, month timestamptz generated always as date_trunc('month', at) /* cut */ storage with (columnstore = false)
      ) clustered into 3 shards partitioned by (month) with (a.b = -2, c = false, d = word, e = null);`);
    assert.deepEqual(definition.name, { schema: 'shop', table: 'orders' });
    assert.deepEqual(definition.primaryKey, ['id']);
    assert.deepEqual(definition.checks, [
      { name: 'orders_check_1', sql: 'n > 0' },
      { name: 'In time', sql: `at > '2024-01-01'` },
    ]);
    assert.deepEqual(definition.settings, { 'a.b': -2, c: false, d: 'word' });
    assert.deepEqual(definition.columns[1], {
      name: 'n',
      type: { kind: 'integer' },
      generator: null,
      default: '3',
      notNull: true,
    });
    assert.equal(definition.columns[4]?.generatedAs, "date_trunc('month', at)");
  });

  it('may use any name of a type', () => {
    const names: readonly (readonly [string, ColumnType])[] = [
      ['INT', { kind: 'integer' }],
      ['int8', { kind: 'bigint' }],
      ['SHORT', { kind: 'smallint' }],
      ['double precision', { kind: 'double' }],
      ['FLOAT', { kind: 'real' }],
      ['float(53)', { kind: 'double' }],
      ['TIMESTAMP', { kind: 'timestamp' }],
      ['TIMESTAMP WITH TIME ZONE', { kind: 'timestamptz' }],
      ['CHARACTER VARYING(7)', { kind: 'varchar', length: 7 }],
      ['VARCHAR', { kind: 'text' }],
      ['char', { kind: 'char', length: 1 }],
      ['"char"', { kind: 'byte' }],
      ['DECIMAL(5)', { kind: 'numeric', precision: 5, scale: 0 }],
      ['bit(3)', { kind: 'bit', length: 3 }],
      ['OBJECT', { kind: 'object', policy: 'dynamic', columns: [] }],
      ['ARRAY(TEXT[])', { kind: 'array', of: { kind: 'array', of: { kind: 'text' } } }],
    ];
    for (const [name, type] of names) assert.deepEqual(typeIn(name), type, name);
  });

  it('keeps an expression as it stands, up to what follows it', () => {
    assert.equal(columnIn('a TEXT DEFAULT b IS NOT NULL NOT NULL')?.default, 'b IS NOT NULL');
    assert.equal(columnIn("a TEXT DEFAULT 'x''y)' INDEX OFF")?.default, "'x''y)'");
    assert.equal(columnIn('a INT GENERATED ALWAYS AS (b) + (c)')?.generatedAs, '(b) + (c)');
    assert.equal(columnIn('a INT AS ((b + c))')?.generatedAs, '(b + c)');
  });

  it('reads names of constraints as SHOW CREATE TABLE writes them, without quotes', () => {
    const { checks } = definitionOf('CREATE TABLE t (a INT, CONSTRAINT My rule, no 2 CHECK(("a" + 1) > 2))');
    assert.deepEqual(checks, [{ name: 'My rule, no 2', sql: '("a" + 1) > 2' }]);
  });

  it('says what a copy would not have', () => {
    const definition = definitionOf(
      `CREATE TABLE t (a TEXT, g GEO_SHAPE INDEX USING QUADTREE WITH (precision = '1km'), h GEO_SHAPE INDEX USING GEOHASH,
       INDEX ft USING FULLTEXT (a, o['b']) WITH (analyzer = 'english'), o OBJECT AS (b TEXT INDEX USING PLAIN))`,
    );
    assert.deepEqual(definition.leftOut, [
      'the index of g (quadtree with precision)',
      "the index ft (fulltext) over a, o['b']",
    ]);
  });

  it('has keys in objects', () => {
    const sql =
      "CREATE TABLE t (o OBJECT AS (id INT PRIMARY KEY, m TEXT)) CLUSTERED BY (o['id']) PARTITIONED BY (\"o\"['m'])";
    const { primaryKey, clusteredBy, partitionedBy } = definitionOf(sql);
    assert.deepEqual([primaryKey, clusteredBy, partitionedBy], [["o['id']"], "o['id']", ["o['m']"]]);
  });

  it('that cannot be read is refused with line and column, every type at once', () => {
    assert.deepEqual(problemsOf('CREATE TABLE t (\n  a FOO(1),\n  b DATE,\n  c NUMERIC\n)'), [
      '2:5 foo: no type that a column of CrateDB 6.4 can have',
      '3:5 date: no type that a column of CrateDB 6.4 can have',
      '4:5 numeric: a column needs its precision and scale',
    ]);
    assert.deepEqual(problemsOf('CREATE TABLE t (a INT,, b TEXT)'), ['1:23 expected a column, found ,']);
    assert.deepEqual(problemsOf('CREATE TABLE t (a OBJECT(odd))'), [
      '1:26 odd: expected dynamic, strict or ignored',
    ]);
    assert.deepEqual(problemsOf('CREATE TABLE t (a INT'), ['1:22 expected ), found the end']);
    assert.deepEqual(problemsOf('CREATE TABLE t (a INT) WITH (x = [1])'), [
      '1:34 expected a text, a number, true or false, found [',
    ]);
    assert.deepEqual(problemsOf('CREATE TABLE t (a INT); DROP TABLE t'), [
      '1:25 expected the end of the statement, found DROP',
    ]);
    assert.deepEqual(problemsOf("CREATE TABLE t (a TEXT DEFAULT 'open)"), [
      "1:32 expected an expression, found '",
    ]);
    assert.deepEqual(problemsOf('DROP TABLE t'), ['1:1 expected CREATE, found DROP']);
    assert.deepEqual(problemsOf('CREATE TABLE t (LIKE u)'), [
      '1:17 expected columns: LIKE does not say what they are, found LIKE',
    ]);
  });

  it('never makes the reader fail, whatever it is', () => {
    const valid = 'CREATE TABLE "t" (a OBJECT(STRICT) AS (b TEXT DEFAULT \'x\'), CHECK (a > 1)) WITH (x = 1)';
    fc.assert(
      fc.property(
        fc.nat(valid.length),
        fc.nat(valid.length),
        fc.string({ unit: 'binary' }),
        (from, to, text) => {
          const parsed = parseDdl(valid.slice(0, from) + text + valid.slice(to));
          assert.ok(parsed.ok || parsed.problems.length > 0);
        },
      ),
      { numRuns: 500 },
    );
    assert.deepEqual(parseDdl(`CREATE TABLE t (a ${'OBJECT AS (a '.repeat(5000)}`).ok, false);
    assert.deepEqual(parseDdl(`CREATE TABLE t (a ${'ARRAY('.repeat(50_000)}`).ok, false);
    assert.deepEqual(parseDdl('CREATE TABLE t (a INT) '.padEnd(2 ** 21)).ok, false);
  });
});
