/** The schema of a table that is there, asked of the sandbox: its shape, counted or from the statistics of the server. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { schemaOfTable } from '../../src/coordinator/existing-table.ts';
import type { Column } from '../../src/rows/schema.ts';
import { accessTo } from '../support/access.ts';
import { post, query, sandboxFor } from '../support/sandbox.ts';

const TABLE = { schema: 'shop', table: 'people' };
const CITIES = ['Vienna', 'Graz', 'Linz'];

interface Found {
  readonly columns: ReadonlyMap<string, Column>;
  readonly notes: string;
}

/** 2,000 people, 70 % of them in one city, a quarter without a nickname. */
async function shapeOf(context: TestContext, countedRows: number): Promise<Found> {
  const { url } = await sandboxFor(context);
  await query(
    url,
    'CREATE TABLE shop.people (id BIGINT PRIMARY KEY, city TEXT, age INTEGER, nick TEXT, member BOOLEAN)',
  );
  const rows = Array.from({ length: 2000 }, (_, id) => [
    id,
    CITIES[id % 10 < 7 ? 0 : id % 10 < 9 ? 1 : 2],
    20 + ((id * id) % 997),
    id % 4 === 0 ? null : `nick${id % 1500}`,
    id % 5 === 0,
  ]);
  await post(url, {
    stmt: 'INSERT INTO shop.people (id, city, age, nick, member) VALUES (?, ?, ?, ?, ?)',
    bulk_args: rows,
  });
  const { schema, notes } = await schemaOfTable({
    source: { kind: 'like', table: TABLE, shape: true, copyValues: false },
    target: null,
    access: accessTo(url),
    nowMs: 0,
    countedRows,
  });
  return { columns: new Map(schema.columns.map((column) => [column.name, column])), notes: notes.join('\n') };
}

for (const [how, countedRows, said] of [
  ['is counted', 5_000_000, /no text of the source is copied/],
  [
    'of a large table is that of a sample, after ANALYZE',
    1999,
    /^the shape is that of a sample of the rows$/m,
  ],
] as const)
  test(`the shape ${how}: shares, ranks and bounds are the source’s, its texts are not`, async (context) => {
    const { columns, notes } = await shapeOf(context, countedRows);
    assert.match(notes, said);
    const city = columns.get('city')?.generator;
    assert.ok(city?.kind === 'choice');
    assert.deepEqual(
      city.options.map(({ weight }) => weight),
      [0.7, 0.2, 0.1],
    );
    assert.ok(city.options.every(({ value }) => typeof value === 'string' && !CITIES.includes(value)));
    const nick = columns.get('nick');
    assert.equal(nick?.nulls, 0.25);
    assert.ok(nick.generator?.kind === 'ranked' && nick.generator.distinct >= 1125);
    const age = columns.get('age')?.generator;
    assert.ok(age?.kind === 'ranked' && age.of.kind === 'quantiles');
    const [first = 0, last = 0] = [age.of.bounds[0], age.of.bounds.at(-1)];
    assert.ok(first <= 20 && first >= 0 && last >= 1010 && last < 1200, `${first} to ${last}`);
    assert.deepEqual(columns.get('member')?.generator, { kind: 'boolean', trueShare: 0.2 });
  });
