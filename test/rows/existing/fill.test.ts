/** Generators for tables that are there: every row meets the CHECKs, keys are unique, doubts are said. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FilledTable, NO_FACTS, fillTable, growingColumn } from '../../../src/rows/existing/fill.ts';
import { type TableDefinition, parseDdl } from '../../../src/rows/existing/parse-ddl.ts';
import { shapesOf } from '../../../src/rows/existing/shape.ts';
import { insertColumns } from '../../../src/rows/ddl.ts';
import type { Generator } from '../../../src/rows/schema.ts';
import { validateSchema } from '../../../src/rows/validate-schema.ts';
import { planOf, rowsOf } from '../support.ts';

const NOW = Date.UTC(2026, 10, 27);

function definitionOf(sql: string): TableDefinition {
  const parsed = parseDdl(sql);
  if (!parsed.ok) assert.fail(JSON.stringify(parsed.problems));
  return parsed.definition;
}

function filled(sql: string, largest: ReadonlyMap<string, number> = new Map()): FilledTable {
  const table = fillTable(definitionOf(sql), { ...NO_FACTS, nowMs: NOW, largest });
  assert.deepEqual(validateSchema(table.schema), []);
  return table;
}

function generatorIn(sql: string, column: string): Generator | null | undefined {
  return filled(sql).schema.columns.find(({ name }) => name === column)?.generator;
}

/** Rows as objects. */
async function rowsIn({ schema }: FilledTable, count: number): Promise<readonly Record<string, unknown>[]> {
  const names = insertColumns(schema);
  const rows = rowsOf(await planOf(schema), 0, count);
  return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])));
}

describe('a table that is there', () => {
  it('gets rows that meet each CHECK that is understood', async () => {
    const table = filled(`CREATE TABLE t (
      a INT, b TEXT, c DOUBLE PRECISION, d TEXT, e TEXT, f NUMERIC(6, 2), g TIMESTAMP, h BOOLEAN, i ARRAY(INT), j BYTE,
      k VARCHAR(5), l REAL, m OBJECT AS (n INT), amount DOUBLE PRECISION, o BIGINT,
      CHECK (a > 5 AND a <= 9 AND a <> 7), CHECK (b IN ('x', 'y''z')), CHECK (c BETWEEN 0.25 AND 0.75), CHECK (length(d) = 3),
      CHECK (e LIKE 'AB-%_'), CHECK (f < 0), CHECK (g BETWEEN '2024-01-01' AND '2024-02-01T00:00:00Z'), CHECK (NOT h),
      CHECK (array_length(i, 1) >= 4), CHECK (j >= 100), CHECK (length(k) > 2), CHECK (l > 1e6), CHECK (m['n'] > 1000000000),
      CHECK (amount >= 10), CHECK (o IN (1, 2, 3) AND o > 1))`);
    assert.deepEqual(
      table.notes.filter((note) => note.includes('not understood')),
      [],
    );
    const [from, to] = [Date.UTC(2024, 0, 1), Date.UTC(2024, 1, 1)];
    for (const row of await rowsIn(table, 2000)) {
      const [a, c, f, g, j, l] = ['a', 'c', 'f', 'g', 'j', 'l'].map((name) => Number(row[name]));
      const [d, e, k] = ['d', 'e', 'k'].map((name) => String(row[name]));
      assert.ok([6, 8, 9].includes(a ?? 0), `a ${a}`);
      assert.ok(row['b'] === 'x' || row['b'] === "y'z");
      assert.ok(c !== undefined && c >= 0.25 && c <= 0.75, `c ${c}`);
      assert.equal(d?.length, 3);
      assert.match(e ?? '', /^AB-.+$/);
      assert.ok((f ?? 0) < 0, `f ${f}`);
      assert.ok((g ?? 0) >= from && (g ?? 0) <= to, `g ${g}`);
      assert.equal(row['h'], false);
      assert.ok(Array.isArray(row['i']) && row['i'].length >= 4);
      assert.ok((j ?? 0) >= 100 && (j ?? 0) <= 127);
      assert.ok((k?.length ?? 0) > 2 && (k?.length ?? 9) <= 5, k);
      assert.ok((l ?? 0) > 1e6, `l ${l}`);
      assert.ok(Number((row['m'] as Record<string, unknown>)['n']) > 1e9);
      assert.ok(Number(row['amount']) >= 10);
      assert.ok([2, 3].includes(Number(row['o'])));
    }
  });

  it('is said to refuse rows where a CHECK is not understood, or no value of ours meets it', () => {
    const { notes } = filled(
      `CREATE TABLE t (a INT, b INT, w TEXT, p GEO_POINT, CHECK (a + b > 2), CONSTRAINT low CHECK (w >= 'a'), CHECK (p IS NOT NULL))`,
    );
    assert.deepEqual(notes, [
      'the CHECK t_check_1 (a + b > 2) is not understood: it may reject rows',
      `the CHECK low (w >= 'a') is not understood: it may reject rows`,
    ]);
  });

  it('has the values that its statement spells out, and says so', () => {
    const { notes } = filled(`CREATE TABLE t (a TEXT CHECK (a IN ('x', 'y')), b INT)`);
    assert.deepEqual(notes, [`a has values that the statement spells out: 'x' 'y'`]);
  });

  it('fills neither generated columns nor those with a default', () => {
    const { schema } = filled(
      `CREATE TABLE t (ts TIMESTAMP, m TIMESTAMP GENERATED ALWAYS AS date_trunc('month', ts), s TEXT DEFAULT 'n/a' NOT NULL,
        o OBJECT AS (a INT DEFAULT 3, b INT))`,
    );
    assert.deepEqual(insertColumns(schema), ['ts', 'o']);
    const [, , , object] = schema.columns;
    assert.ok(object?.type.kind === 'object');
    assert.deepEqual(
      object.type.columns.map(({ generator }) => generator !== null),
      [false, true],
    );
  });

  it('gets a key that no two rows share, and that goes on behind what is there', async () => {
    const single = 'CREATE TABLE t (id INT PRIMARY KEY, v INT)';
    assert.deepEqual(generatorIn(single, 'id'), { kind: 'sequence', start: 0, step: 1 });
    assert.equal(growingColumn(definitionOf(single)), 'id');
    const after = filled(single, new Map([['id', 41]])).schema.columns[0]?.generator;
    assert.deepEqual(after, { kind: 'sequence', start: 42, step: 1 });
    assert.deepEqual(generatorIn('CREATE TABLE t (id TEXT PRIMARY KEY)', 'id'), { kind: 'uuid' });
    assert.equal(
      generatorIn('CREATE TABLE t (id TEXT DEFAULT gen_random_text_uuid() PRIMARY KEY, v INT)', 'id'),
      null,
    );
    const composite = filled(
      `CREATE TABLE t (device TEXT, ts TIMESTAMP WITH TIME ZONE, v INT, PRIMARY KEY (device, ts))`,
    );
    const rows = await rowsIn(composite, 3000);
    assert.equal(new Set(rows.map((row) => `${String(row['device'])} ${String(row['ts'])}`)).size, 3000);
    assert.match(filled('CREATE TABLE t (b BOOLEAN PRIMARY KEY)').notes.join(), /cannot be made unique/);
  });

  it('is keyed as usual when it has run_id and seq', () => {
    const { schema } = filled(
      'CREATE TABLE t (run_id TEXT, seq BIGINT, v INT, PRIMARY KEY (run_id, seq))',
      new Map([['seq', 7]]),
    );
    assert.deepEqual(
      schema.columns.map(({ generator }) => generator?.kind),
      ['runId', 'seq', 'integer'],
    );
  });

  it('gets few partitions', async () => {
    const plain = filled(
      'CREATE TABLE t (day TIMESTAMP, country TEXT, n INT) PARTITIONED BY (day, country, n)',
    );
    const rows = await rowsIn(plain, 1000);
    for (const name of ['day', 'country', 'n'])
      assert.ok(new Set(rows.map((row) => row[name])).size <= 3, name);
    const hourly = filled(
      `CREATE TABLE t (ts TIMESTAMP, h TIMESTAMP GENERATED ALWAYS AS date_trunc('hour', ts)) PARTITIONED BY (h)`,
    );
    assert.equal(hourly.schema.axis.stepMs, 20);
    const unknown = filled('CREATE TABLE t (a INT, p INT GENERATED ALWAYS AS a % 8) PARTITIONED BY (p)');
    assert.deepEqual(unknown.notes, ['how many partitions p (a % 8) makes is not known']);
  });

  it('leaves an operator’s settings where they are', () => {
    const { settings } = filled(
      `CREATE TABLE t (a INT) WITH (codec = 'default', "blocks.write" = true, "routing.allocation.enable" = 'none')`,
    ).schema;
    assert.deepEqual(settings, { codec: 'default' });
  });
});

describe('the shape of a table', () => {
  const definition = definitionOf(
    `CREATE TABLE t (city TEXT, code CHARACTER(2), n INT, x DOUBLE PRECISION, ok BOOLEAN, ip IP, kind TEXT CHECK (kind IN ('a', 'b')), pos GEO_POINT)`,
  );
  const none = { nullShare: 0, commonValues: [], commonShares: [], bounds: [] };
  const FIGURES = [
    {
      ...none,
      path: 'city',
      nullShare: 0.2,
      distinct: 3,
      commonValues: ['Vienna', 'Rome', 'Oslo'],
      commonShares: [0.5, 0.2, 0.1],
    },
    { ...none, path: 'code', distinct: 2, commonValues: ['rf', 'de'], commonShares: [0.9, 0.1] },
    {
      ...none,
      path: 'n',
      distinct: 100,
      commonValues: ['500'],
      commonShares: [0.3],
      bounds: ['12', '510', '1017'],
    },
    { ...none, path: 'x', distinct: 100_000, bounds: ['0.125', '1.5', '99.75'] },
    { ...none, path: 'ok', distinct: 2, commonValues: ['t', 'f'], commonShares: [0.75, 0.25] },
    { ...none, path: 'ip', distinct: 2, commonValues: ['10.0.0.1', '10.0.0.2'], commonShares: [0.6, 0.4] },
    { ...none, path: 'kind', distinct: 2, commonValues: ['b', 'a'], commonShares: [0.8, 0.2] },
    { ...none, path: 'pos', nullShare: 0.5, distinct: 0 },
  ];
  const shaped = (copyValues: boolean): FilledTable => {
    const shapes = shapesOf(definition, FIGURES, { rows: 100_000, copyValues, taken: new Map() });
    const table = fillTable(definition, { nowMs: NOW, largest: new Map(), shapes });
    assert.deepEqual(validateSchema(table.schema), []);
    return table;
  };

  it('is in the rows, and no text of the source is', async () => {
    const rows = await rowsIn(shaped(false), 20_000);
    const sources = new Set(['Vienna', 'Rome', 'Oslo', 'rf', 'de', '10.0.0.1', '10.0.0.2']);
    const share = (isCounted: (row: Record<string, unknown>) => boolean): number =>
      rows.filter(isCounted).length / rows.length;
    const close = (got: number, wanted: number): void =>
      assert.ok(Math.abs(got - wanted) < 0.015, `${got} ${wanted}`);
    for (const name of ['city', 'code', 'ip'])
      assert.ok(
        rows.every((row) => !sources.has(String(row[name]))),
        name,
      );
    close(
      share((row) => row['city'] === null),
      0.2,
    );
    close(
      share((row) => row['pos'] === null),
      0.5,
    );
    close(
      share((row) => row['ok'] === true),
      0.75,
    );
    close(
      share((row) => row['kind'] === 'b'),
      0.8,
    );
    close(topShare(rows.map((row) => row['city'])), 0.5);
    close(topShare(rows.map((row) => row['n'])), 0.3);
    assert.equal(new Set(rows.map((row) => row['n'])).size, 100);
    assert.ok(
      rows.every(
        ({ city, code }) => (typeof city !== 'string' || city.length <= 6) && String(code).length === 2,
      ),
    );
    close(
      share((row) => Number(row['x']) < 1.2),
      0.5,
    );
  });

  it('has the source’s common values when that is asked for', async () => {
    const rows = await rowsIn(shaped(true), 2000);
    assert.deepEqual(new Set(rows.map((row) => row['city'])), new Set(['Oslo', 'Rome', 'Vienna', null]));
    assert.ok(rows.some((row) => row['n'] === 500));
  });
});

/** How often the most common value is. */
function topShare(values: readonly unknown[]): number {
  const counts = new Map<unknown, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Math.max(...counts.values()) / values.length;
}
