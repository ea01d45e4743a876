/** Numbers that follow from the row or from its neighbours: sequences, bounds, series. Fixed seeds, so no chance. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnExtent } from '../../../src/rows/extents.ts';
import type { Column, Generator, SeriesGenerator, TypeKind } from '../../../src/rows/schema.ts';
import { assertNear, correlationOf, meanOf, shareOf } from '../statistics.ts';
import { planOf, rowsOf, tableOf, valuesOf } from '../support.ts';

const DAY_MS = 86_400_000;

type PlainKind = Exclude<
  TypeKind,
  'numeric' | 'varchar' | 'char' | 'bit' | 'float_vector' | 'object' | 'array'
>;
const column = (name: string, kind: PlainKind, generator: Generator): Column => ({
  name,
  type: { kind },
  generator,
});
const sequence = (start: number, step: number, wrap?: number): Generator => ({
  kind: 'sequence',
  start,
  step,
  ...(wrap === undefined ? {} : { wrap }),
});

describe('a sequence', () => {
  it('counts the rows, down as well, and begins again where it is told to', async () => {
    const plan = await planOf(
      tableOf([
        column('up', 'bigint', sequence(1, 1)),
        column('down', 'integer', sequence(10, -4)),
        column('around', 'smallint', sequence(0, 5, 3)),
        column('text', 'text', {
          kind: 'template',
          parts: ['user-', { kind: 'sequence', start: 7, step: 1, width: 4 }],
        }),
      ]),
    );
    assert.deepEqual(rowsOf(plan, 0, 4), [
      [1, 10, 0, 'user-0007'],
      [2, 6, 5, 'user-0008'],
      [3, 2, 10, 'user-0009'],
      [4, -2, 0, 'user-0010'],
    ]);
    // From 10 down to −2^31 by 4 are 536_870_915 rows.
    assert.deepEqual(rowsOf(plan, 10 ** 9, 1), [
      [10 ** 9 + 1, 10 - 4 * (10 ** 9 % 536_870_915), 5, 'user-1000000007'],
    ]);
  });

  it('begins again where its type ends', async () => {
    const plan = await planOf(
      tableOf([column('byte', 'byte', sequence(100, 10)), column('real', 'real', sequence(2 ** 24, 1))]),
    );
    assert.deepEqual(rowsOf(plan, 0, 5), [
      [100, 2 ** 24],
      [110, 2 ** 24],
      [120, 2 ** 24],
      [100, 2 ** 24],
      [110, 2 ** 24],
    ]);
  });
});

describe('bounds', () => {
  it('are what lies outside of them, and change nothing inside', async () => {
    const normal = { kind: 'normal', mean: -100, deviation: 100, scale: 1 } as const;
    const values = async (generator: Generator): Promise<readonly number[]> =>
      (await valuesOf({ type: { kind: 'double' }, generator }, 20_000)).map(Number);
    const [free, bound] = [await values(normal), await values({ ...normal, min: -200, max: 50 })];
    assert.deepEqual(
      bound,
      free.map((value) => Math.min(Math.max(value, -20), 5)),
    );
    assertNear(
      shareOf(bound, (value) => value === -20),
      0.1587,
      0.01,
    );
    const waits = await values({ kind: 'exponential', min: -5, mean: 10, scale: 0, max: 20 });
    assert.deepEqual([Math.min(...waits), Math.max(...waits)], [-5, 20]);
    assertNear(
      shareOf(waits, (value) => value === 20),
      Math.exp(-2.5),
      0.01,
    );
  });

  it('on one side of all values are the only value', async () => {
    const generator: Generator = { kind: 'normal', mean: 0, deviation: 1, scale: 0, min: 500 };
    assert.deepEqual(new Set(await valuesOf({ type: { kind: 'smallint' }, generator }, 100)), new Set([500]));
  });
});

describe('a series', () => {
  const series = (more: Partial<SeriesGenerator>): Generator => ({
    kind: 'series',
    level: { min: 0, max: 0 },
    ...more,
  });

  it('may lie below zero', async () => {
    const generator = series({ level: { min: -300, max: -100 }, scale: 1, jitter: 20 });
    const values = (
      await valuesOf({ type: { kind: 'double' }, generator }, 5000, { axis: { entities: 500, stepMs: 0 } })
    ).map(Number);
    assert.ok(Math.min(...values) >= -30 && Math.min(...values) < -29 && Math.max(...values) <= -8);
    assertNear(meanOf(values), -19, 0.5);
  });

  it('is highest in the middle of the week and lowest when it ends', async () => {
    const values = (
      await valuesOf({ type: { kind: 'integer' }, generator: series({ week: 1000 }) }, 14, {
        axis: { entities: 1, stepMs: DAY_MS / 2 },
      })
    ).map(Number);
    // The first row is a Thursday's midnight, the eighth a Sunday's noon.
    const wednesdayNoon = 13;
    assert.equal(values.indexOf(Math.max(...values)), wednesdayNoon);
    assert.equal(values.indexOf(Math.min(...values)), 6);
    assert.ok((values[wednesdayNoon] ?? 0) >= 995 && (values[6] ?? 1000) <= 5);
  });

  it('has a level for each value of the column that it is told to', async () => {
    const plan = await planOf(
      tableOf(
        [
          column('customer', 'integer', { kind: 'integer', min: 1, max: 50 }),
          column('city', 'text', {
            kind: 'pool',
            pool: { from: 'values', values: ['a', 'b', 'c'] },
            pick: { by: 'entity' },
          }),
          column('load', 'integer', series({ per: 'customer', level: { min: 0, max: 10 ** 6 } })),
          column('heat', 'integer', series({ per: 'city', level: { min: 0, max: 10 ** 6 } })),
        ],
        { axis: { entities: 7, stepMs: 1000 } },
      ),
    );
    const rows = rowsOf(plan, 0, 3000);
    const pairs = (a: number, b: number): Set<string> =>
      new Set(rows.map((row) => `${String(row[a])} ${String(row[b])}`));
    assert.equal(pairs(0, 2).size, 50);
    assert.equal(pairs(1, 3).size, 3);
    assert.equal(new Set(rows.map((row) => row[2])).size, 50);
  });

  it('follows another column as far as it is told to, up or down', async () => {
    const followers = (name: string, share: number): Column =>
      column(
        name,
        'double',
        series({ level: { min: 500, max: 500 }, scale: 1, jitter: 100, follows: { column: 'a', share } }),
      );
    const plan = await planOf(
      tableOf([
        { ...column('a', 'integer', { kind: 'integer', min: -100, max: 300 }), nulls: 0.5 },
        followers('up', 0.5),
        followers('down', -0.25),
        column(
          'chain',
          'integer',
          series({ level: { min: 0, max: 0 }, follows: { column: 'up', share: 1 } }),
        ),
      ]),
    );
    const rows = rowsOf(plan, 0, 20_000).filter(([a]) => a !== null) as unknown as readonly [
      number,
      number,
      number,
      number,
    ][];
    // Uniform over 400 · share, beside 10 of jitter: the correlation is share · 400 / √((share · 400)² + 10²).
    assertNear(correlationOf(rows.map(([a, up]) => [a, up])), 0.9988, 0.001);
    assertNear(correlationOf(rows.map(([a, , down]) => [a, down])), -0.995, 0.002);
    for (const [a, up, down, chain] of rows.slice(0, 500)) {
      assert.ok(up >= 50 + (a - 100) / 2 - 0.1 && up <= 60 + (a - 100) / 2 + 0.1, `${a} ${up}`);
      assert.ok(down >= 50 - (a - 100) / 4 - 0.1 && down <= 60 - (a - 100) / 4 + 0.1, `${a} ${down}`);
      assert.ok(Math.abs(chain - (up - 55)) <= 1, `${up} ${chain}`);
    }
    assert.equal(rowsOf(plan, 0, 1000).filter(([a]) => a === null).length > 400, true);
  });

  it('stays within its extent when it follows a tiny share of large numbers', async () => {
    const share = 1e-6;
    const followed = column('large', 'bigint', { kind: 'integer', min: 0, max: 2 ** 50 });
    const follower = column(
      'tiny',
      'double',
      series({ level: { min: 0, max: 0 }, follows: { column: 'large', share } }),
    );
    const extent = columnExtent('tiny', [followed, follower]);
    assert.ok(extent !== null);
    const values = rowsOf(await planOf(tableOf([followed, follower])), 0, 20_000).map(([, tiny]) =>
      Number(tiny),
    );
    assert.ok(Math.max(...values) <= extent.max && Math.min(...values) >= extent.min);
    assert.ok(Math.max(...values) > 0.99 * extent.max && Math.min(...values) < 0.99 * extent.min);
  });
});

describe('time', () => {
  it('is late in a share of the rows, by up to as much as is said', async () => {
    const generator: Generator = {
      kind: 'time',
      jitterMs: 0,
      late: { share: 0.1, upToMs: 60_000 },
      stepMs: 10,
      startMs: 10 ** 12,
    };
    const values = (await valuesOf({ type: { kind: 'timestamptz' }, generator }, 20_000)).map(Number);
    const delays = values.map((value, row) => 10 ** 12 + 10 * row - value);
    assertNear(
      shareOf(delays, (delay) => delay !== 0),
      0.1,
      0.01,
    );
    const late = delays.filter((delay) => delay !== 0);
    assert.ok(Math.min(...late) >= 1 && Math.max(...late) <= 60_000);
    assertNear(meanOf(late), 30_000, 1500);
  });

  it('before 1970 is negative', async () => {
    const generator: Generator = { kind: 'time', jitterMs: 0, late: { share: 1, upToMs: 1 }, startMs: 0 };
    const [first] = await valuesOf({ type: { kind: 'timestamp' }, generator }, 1);
    assert.equal(first, -1);
  });
});
