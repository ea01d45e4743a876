/** Draws that go by tables: ranks, other tables' rows and numbers between bounds. Fixed seeds, so no chance. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { zipfSpanWeights, zipfSpans, zipfWeights } from '../../../src/rows/distributions.ts';
import type { Column, ColumnType, Generator, RankedGenerator, Skew } from '../../../src/rows/schema.ts';
import { assertNear, chiSquareScore, countsOf, shareOf } from '../statistics.ts';
import { planOf, rowsOf, tableOf, valuesOf } from '../support.ts';

const ROWS = 60_000;

const made = async (kind: 'bigint' | 'text' | 'double', generator: Generator): Promise<readonly unknown[]> =>
  await valuesOf({ type: { kind }, generator }, ROWS);
const numbers = async (generator: Generator): Promise<readonly number[]> =>
  (await made('bigint', generator)).map(Number);

/** The values by how often they come, most often first. */
function byFrequency(values: readonly unknown[]): (readonly [unknown, number])[] {
  const counts = new Map<unknown, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a);
}

describe('ranks beyond one table', () => {
  it('are drawn by spans that hold all of them once', () => {
    for (const ranks of [1, 511, 512, 100_000, 2 ** 32]) {
      const starts = zipfSpans(ranks);
      assert.deepEqual([starts[0], starts.at(-1)], [0, ranks]);
      assert.ok(starts.every((start, span) => span === 0 || start > (starts[span - 1] ?? 0)));
      assert.ok(starts.length < 10_000);
    }
  });

  it('weigh as much as one by one, to a hundred-thousandth', () => {
    for (const exponent of [0, 0.8, 1.1, 2]) {
      const [ranks, exact] = [60_000, zipfWeights(60_000, exponent)];
      const starts = zipfSpans(ranks);
      zipfSpanWeights(ranks, exponent).forEach((weight, span) => {
        const sum = exact.slice(starts[span], starts[span + 1]).reduce((total, one) => total + one, 0);
        assertNear(weight / sum, 1, 1e-5);
      });
    }
  });

  it('fall with their rank, to the last one', async () => {
    const ranks = 2 ** 32;
    const values = await numbers({ kind: 'zipf', ranks, exponent: 1, from: 0 });
    const first = values.filter((value) => value < 20);
    assert.ok(chiSquareScore(countsOf(first, 20), zipfWeights(20, 1)) < 5);
    // With exponent 1 as much lies between 2^k and 2^(k + 1) for every k.
    const doublings = values
      .filter((value) => value >= 2 ** 12)
      .map((value) => Math.floor(Math.log2(value)) - 12);
    assert.ok(chiSquareScore(countsOf(doublings, 20), new Array<number>(20).fill(1)) < 5);
    assert.ok(Math.max(...values) < ranks && new Set(values.map((value) => value % 2)).size === 2);
  });
});

describe('buckets', () => {
  it('hold as many values each, all of them alike', async () => {
    const bounds = [-10, 0, 4, 5, 1000];
    const values = await numbers({ kind: 'buckets', bounds, scale: 0 });
    const bucketOf = (value: number): number => bounds.slice(1, -1).filter((bound) => value >= bound).length;
    assert.ok(chiSquareScore(countsOf(values.map(bucketOf), 4), [1, 1, 1, 1]) < 5);
    const inFirst = values.filter((value) => value < 0).map((value) => value + 10);
    assert.ok(chiSquareScore(countsOf(inFirst, 10), new Array<number>(10).fill(1)) < 5);
    assert.deepEqual([Math.min(...values), Math.max(...values)], [-10, 1000]);
  });

  it('of one value are that value, and wide ones have all last digits', async () => {
    const values = await numbers({ kind: 'buckets', bounds: [7, 7, 7, 2 ** 52], scale: 0 });
    const wide = values.filter((value) => value > 7);
    assertNear(
      shareOf(values, (value) => value === 7),
      2 / 3,
      0.01,
    );
    assert.ok(
      chiSquareScore(
        countsOf(
          wide.map((value) => value % 16),
          16,
        ),
        new Array<number>(16).fill(1),
      ) < 5,
    );
    assertNear(
      shareOf(wide, (value) => Number(value) < 2 ** 51),
      0.5,
      0.02,
    );
  });
});

describe('ranked values', () => {
  const weights = [0.3, 0.15, 0.05];
  const ranked = (more: Partial<RankedGenerator>): Generator => ({
    kind: 'ranked',
    distinct: 200,
    weights,
    of: { kind: 'text', prefix: 'v', width: 3 },
    ...more,
  });

  it('have the shares of their ranks, and the others share the rest alike', async () => {
    const found = byFrequency(await made('text', ranked({})));
    assert.equal(found.length, 200);
    assert.deepEqual(
      found.slice(0, 3).map(([value]) => value),
      ['v000', 'v001', 'v002'],
    );
    weights.forEach((weight, rank) => assertNear((found[rank]?.[1] ?? 0) / ROWS / weight, 1, 0.05));
    const others = found.slice(3).map(([, count]) => count);
    assert.ok(chiSquareScore(others, new Array<number>(197).fill(1)) < 5);
  });

  it('are other values of other ranks, spread as the bounds say', async () => {
    const bounds = [0, 1000, 1_000_000];
    const values = await numbers(ranked({ of: { kind: 'quantiles', bounds, scale: 0 } }));
    const found = byFrequency(values);
    assert.equal(found.length, 200);
    weights.forEach((weight, rank) => assertNear((found[rank]?.[1] ?? 0) / ROWS / weight, 1, 0.05));
    assert.equal(found.filter(([value]) => Number(value) < 1000).length, 100);
  });

  it('are ready ones where some are given', async () => {
    const values = ['one "', 'two', 'three'];
    const found = byFrequency(await made('text', ranked({ values, distinct: 5 })));
    assert.equal(found[0]?.[0], 'one "');
    assert.deepEqual(new Set(found.map(([value]) => value)), new Set([...values, 'v003', 'v004']));
  });

  it('may be as many as there are weights', async () => {
    const found = byFrequency(await made('text', ranked({ distinct: 3, weights: [3 / 4, 1 / 4, 0] })));
    assert.deepEqual(
      found.map(([value]) => value),
      ['v000', 'v001'],
    );
  });
});

/** Columns of another table, one inside an object, that can be referred to. */
const KEYS: readonly (Column & { readonly generator: Generator })[] = [
  { name: 'number', type: { kind: 'bigint' }, generator: { kind: 'sequence', start: 5, step: 3 } },
  { name: 'seq', type: { kind: 'bigint' }, generator: { kind: 'seq' } },
  { name: 'uuid', type: { kind: 'uuid' }, generator: { kind: 'uuid' } },
  {
    name: 'integer',
    type: { kind: 'integer' },
    generator: { kind: 'integer', min: -(10 ** 9), max: 10 ** 9 },
  },
  {
    name: 'normal',
    type: { kind: 'double' },
    generator: { kind: 'normal', mean: 0, deviation: 10 ** 6, scale: 3 },
  },
  {
    name: 'text',
    type: { kind: 'text' },
    generator: {
      kind: 'template',
      parts: [
        {
          kind: 'pool',
          pool: { from: 'values', values: ['a', 'bb', 'ccc'] },
          pick: { by: 'draw', draw: 'both' },
        },
        { kind: 'sequence', start: 1, step: 1, width: 4 },
        { kind: 'characters', alphabet: 'base62', minLength: 2, maxLength: 12 },
      ],
    },
  },
  {
    name: 'choice',
    type: { kind: 'text' },
    generator: {
      kind: 'choice',
      options: [
        { value: 'x', weight: 2 },
        { value: 'y', weight: 1 },
      ],
    },
  },
];

describe('a reference', () => {
  const customers = tableOf(
    [
      ...KEYS,
      { name: 'o', type: { kind: 'object', policy: 'strict', columns: KEYS }, generator: { kind: 'object' } },
    ],
    { name: 'customers' },
  );

  async function referredTo(
    path: string,
    key: { type: ColumnType; generator: Generator },
    rows: number,
    skew: Skew,
  ) {
    const { type, generator } = key;
    const reference: Generator = { kind: 'reference', schemaName: 'customers', path, generator, rows, skew };
    const array: Generator = { kind: 'array', minLength: 1, maxLength: 3, of: reference };
    const plan = await planOf(
      tableOf([
        { name: 'plain', type, generator: reference },
        { name: 'many', type: { kind: 'array', of: type }, generator: array },
      ]),
    );
    return rowsOf(plan, 1000, 2000).flat(2);
  }

  it('has the values that the other table has in those rows, and all of them', async () => {
    const rows = rowsOf(await planOf(customers), 0, 30);
    for (const [column, key] of KEYS.entries()) {
      for (const path of [key.name, `o.${key.name}`]) {
        const inRow = (row: readonly unknown[]): unknown =>
          path === key.name ? row[column] : (row[KEYS.length] as Record<string, unknown>)[key.name];
        const found = await referredTo(path, key, 30, { kind: 'uniform' });
        assert.deepEqual(new Set(found), new Set(rows.map(inRow)), path);
      }
    }
  });

  it('means the first rows most often, if it is skewed', async () => {
    const [key] = KEYS;
    assert.ok(key !== undefined);
    const values = await referredTo('number', key, 20, { kind: 'zipf', exponent: 1 });
    const rows = values.map((value) => (Number(value) - 5) / 3);
    assert.ok(chiSquareScore(countsOf(rows, 20), zipfWeights(20, 1)) < 5);
  });

  it('of an order agrees with what the customer has, whatever the seed is', async () => {
    const [, , key] = KEYS;
    assert.ok(key !== undefined);
    const generator: Generator = {
      kind: 'reference',
      schemaName: 'customers',
      path: 'uuid',
      generator: key.generator,
      rows: 1,
      skew: { kind: 'uniform' },
    };
    for (const seed of [1, 77]) {
      const [[customer]] = [rowsOf(await planOf(customers, { seed }), 0, 1).map((row) => row[2])];
      const orders = rowsOf(
        await planOf(tableOf([{ name: 'customer', type: key.type, generator }]), { seed }),
        5,
        1,
      );
      assert.deepEqual(orders, [[customer]]);
    }
  });
});
