/** Values are distributed as their generators say: fixed seeds, so that a failure is a change and never chance. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  EXPONENTIAL_ONE,
  NORMAL_ONE,
  QUANTILE_CELLS,
  SINE_ONE,
  SINE_STEPS,
  TAIL_CELLS,
  TAIL_PARTS,
  aliasTable,
  exponentialTable,
  normalTable,
  sineTable,
  zipfWeights,
} from '../../src/rows/distributions.ts';
import type { Generator } from '../../src/rows/schema.ts';
import { assertNear, chiSquareScore, countsOf, meanOf, shareOf } from './statistics.ts';
import { planOf, rowsOf, tableOf, valuesOf } from './support.ts';

const ROWS = 60_000;

const numbers = async (generator: Generator): Promise<readonly number[]> =>
  (await valuesOf({ type: { kind: 'double' }, generator }, ROWS)).map(Number);

/** The share of all draws whose value is above `value`: straight lines between the nodes, as rows have them. */
function shareAbove(table: Uint32Array, value: number): number {
  const cellsAbove = (first: number, cells: number): number => {
    let sum = 0;
    for (let node = first; node < first + cells; node += 1) {
      const [outer, inner] = [table[node] ?? 0, table[node + 1] ?? 0];
      if (outer > value) sum += Math.min(1, (outer - value) / (outer - inner));
    }
    return sum;
  };
  const tail = cellsAbove(QUANTILE_CELLS + 1, TAIL_CELLS * TAIL_PARTS) / TAIL_PARTS;
  return (tail + cellsAbove(TAIL_CELLS, QUANTILE_CELLS - TAIL_CELLS)) / QUANTILE_CELLS;
}

describe('the tables', () => {
  it('hold the quantiles of the standard normal', () => {
    // z with P(|Z| > z) = share, from tables of the normal distribution.
    for (const [node, z] of [
      [1024, 0],
      [512, 0.67448975],
      [256, 1.15034938],
      [32, 2.15387469],
    ] as const)
      assertNear((normalTable()[node] ?? 0) / NORMAL_ONE, z, 1e-6);
    for (const [node, z] of [
      [4096, 2.41755902],
      [256, 3.29719334],
      [1, 4.62123],
    ] as const)
      assertNear((normalTable()[1025 + node] ?? 0) / NORMAL_ONE, z, 1e-5);
  });

  it('of quantiles descend, and meet where the tail begins', () => {
    for (const table of [normalTable(), exponentialTable()]) {
      const [coarse, tail] = [table.subarray(0, 1025), table.subarray(1025)];
      for (const part of [coarse, tail])
        part.forEach((value, node) => assert.ok(node === 0 || value < (part[node - 1] ?? 0)));
      for (let cell = 1; cell <= 16; cell += 1) assertNear(coarse[cell] ?? 0, tail[cell * 256] ?? 0, 2);
    }
  });

  it('hold the quantiles of the exponential', () => {
    const table = exponentialTable();
    for (const node of [1, 16, 512, 1000, 1024])
      assertNear((table[node] ?? 0) / EXPONENTIAL_ONE, -Math.log(node / 1024), 1e-7);
    for (const node of [1, 700, 4096])
      assertNear((table[1025 + node] ?? 0) / EXPONENTIAL_ONE, -Math.log(node / 262_144), 1e-7);
  });

  it('leave as much of a normal and of an exponential beyond a point as there is, to 0.5 %', () => {
    for (const [deviations, share] of [
      [1, 0.3173105079],
      [2, 0.0455002639],
      [3, 0.0026997961],
      [4, 0.0000633425],
    ] as const)
      assertNear(shareAbove(normalTable(), deviations * NORMAL_ONE) / share, 1, 0.005);
    for (const means of [0.01, 1, 3, 5, 8])
      assertNear(shareAbove(exponentialTable(), means * EXPONENTIAL_ONE) / Math.exp(-means), 1, 0.005);
  });

  it('hold one turn of the sine', () => {
    sineTable().forEach((value, step) => {
      const sine = Math.sin((2 * Math.PI * step) / SINE_STEPS);
      assertNear(value, ((sine + 1) * SINE_ONE) / 2, 0.51);
    });
  });

  it('of weights give each choice exactly its share', () => {
    for (const weights of [[1], [1, 1], [60, 20, 12, 6, 2], [0, 1, 0], zipfWeights(1000, 1.1)]) {
      const count = weights.length;
      const table = aliasTable(weights);
      const mass = new Array<number>(count).fill(0);
      for (let cell = 0; cell < count; cell += 1) {
        const alias = table[count + cell] ?? -1;
        const own = alias === cell ? 1 : (table[cell] ?? 0) / 2 ** 32;
        mass[cell] = (mass[cell] ?? 0) + own / count;
        mass[alias] = (mass[alias] ?? 0) + (1 - own) / count;
      }
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      weights.forEach((weight, index) => assertNear(mass[index] ?? 0, weight / total, 2 ** -30));
    }
  });

  it('of ranks fall as a power of the rank', () => {
    zipfWeights(500, 1.3).forEach((weight, rank) => assertNear(weight, (rank + 1) ** -1.3, 1e-9));
  });
});

describe('values', () => {
  it('of an integer column are alike', async () => {
    const values = await numbers({ kind: 'integer', min: 0, max: 98 });
    assert.ok(chiSquareScore(countsOf(values, 99), new Array<number>(99).fill(1)) < 5);
  });

  it('of a wide integer column reach both ends of their range', async () => {
    const [min, max] = [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
    const values = (
      await valuesOf({ type: { kind: 'bigint' }, generator: { kind: 'integer', min, max } }, ROWS)
    ).map(Number);
    const cells = values.map((value) => Math.floor(((value / max + 1) / 2) * 64));
    assert.ok(chiSquareScore(countsOf(cells, 64), new Array<number>(64).fill(1)) < 5);
  });

  it('of a normal column have its mean, deviation and tails', async () => {
    const values = await numbers({ kind: 'normal', mean: 5000, deviation: 1_000_000, scale: 0 });
    const distances = values.map((value) => Math.abs(value - 5000) / 1_000_000);
    assertNear(meanOf(values), 5000, (4 * 1_000_000) / Math.sqrt(ROWS));
    assertNear(Math.sqrt(meanOf(distances.map((z) => z * z))), 1, 0.02);
    for (const [z, share] of [
      [1, 0.3173105],
      [2, 0.0455003],
      [3, 0.0026998],
    ] as const) {
      const found = shareOf(distances, (distance) => Number(distance) > z);
      assertNear(found, share, 4 * Math.sqrt(share / ROWS));
    }
  });

  it('of an exponential column have its mean and tail', async () => {
    const values = await numbers({ kind: 'exponential', min: 100, mean: 7950, scale: 0 });
    assertNear(meanOf(values), 8050, (4 * 7950) / Math.sqrt(ROWS));
    assertNear(
      shareOf(values, (value) => Number(value) > 100 + 3 * 7950),
      Math.exp(-3),
      0.004,
    );
    assert.ok(values.every((value) => value >= 100));
  });

  it('of a zipf column fall with their rank', async () => {
    const values = await numbers({ kind: 'zipf', ranks: 50, exponent: 1.1, from: 0 });
    assert.ok(chiSquareScore(countsOf(values, 50), zipfWeights(50, 1.1)) < 5);
  });

  it('of a weighted choice follow the weights', async () => {
    const weights = [60, 20, 12, 6, 2];
    const options = weights.map((weight, value) => ({ value, weight }));
    const values = await numbers({ kind: 'choice', options });
    assert.ok(chiSquareScore(countsOf(values, 5), weights) < 5);
  });

  it('are true and null as often as was asked for', async () => {
    const found = await valuesOf(
      { type: { kind: 'boolean' }, nulls: 0.25, generator: { kind: 'boolean', trueShare: 0.9 } },
      ROWS,
    );
    assertNear(
      shareOf(found, (value) => value === null),
      0.25,
      0.01,
    );
    assertNear(
      shareOf(found, (value) => value === true),
      0.75 * 0.9,
      0.01,
    );
  });

  it('of random characters and bits use all of them alike', async () => {
    const [texts, bits] = [
      await valuesOf(
        {
          type: { kind: 'text' },
          generator: { kind: 'characters', alphabet: 'base62', minLength: 0, maxLength: 20 },
        },
        10_000,
      ),
      await valuesOf({ type: { kind: 'bit', length: 130 }, generator: { kind: 'bits' } }, 2000),
    ];
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    const characters = texts.flatMap((text) =>
      String(text)
        .split('')
        .map((character) => alphabet.indexOf(character)),
    );
    assert.ok(chiSquareScore(countsOf(characters, 62), new Array<number>(62).fill(1)) < 5);
    const lengths = texts.map((text) => String(text).length);
    assert.ok(chiSquareScore(countsOf(lengths, 21), new Array<number>(21).fill(1)) < 5);
    for (let place = 0; place < 130; place += 1)
      assertNear(
        shareOf(bits, (text) => String(text)[place] === '1'),
        0.5,
        0.06,
      );
  });

  it('never repeat a uuid', async () => {
    const values = await valuesOf({ type: { kind: 'uuid' }, generator: { kind: 'uuid' } }, 20_000);
    assert.equal(new Set(values).size, 20_000);
  });

  it('of two columns do not depend on each other, nor neighbouring elements of an array', async () => {
    const half: Generator = { kind: 'integer', min: 0, max: 7 };
    const plan = await planOf(
      tableOf([
        { name: 'a', type: { kind: 'integer' }, generator: half },
        { name: 'b', type: { kind: 'integer' }, generator: half },
        {
          name: 'c',
          type: { kind: 'array', of: { kind: 'integer' } },
          generator: { kind: 'array', minLength: 2, maxLength: 2, of: half },
        },
      ]),
    );
    const rows = rowsOf(plan, 0, 30_000) as readonly (readonly [number, number, readonly [number, number]])[];
    const even = new Array<number>(64).fill(1);
    assert.ok(
      chiSquareScore(
        countsOf(
          rows.map(([a, b]) => a * 8 + b),
          64,
        ),
        even,
      ) < 5,
    );
    assert.ok(
      chiSquareScore(
        countsOf(
          rows.map(([, , [first, second]]) => first * 8 + second),
          64,
        ),
        even,
      ) < 5,
    );
    assert.ok(
      chiSquareScore(
        countsOf(
          rows.map(([a], row) => a * 8 + (rows[row + 1]?.[0] ?? 0)),
          64,
        ),
        even,
      ) < 5,
    );
  });

  it('of a series stay in their range and move slowly', async () => {
    const generator: Generator = {
      kind: 'series',
      level: { min: 100, max: 900 },
      day: 50,
      noise: [{ amplitude: 400, ticks: 100 }],
      jitter: 5,
    };
    const values = (
      await valuesOf({ type: { kind: 'integer' }, generator }, 20_000, {
        axis: { entities: 10, stepMs: 60_000 },
      })
    ).map(Number);
    assert.ok(Math.min(...values) >= 100 && Math.max(...values) <= 900 + 50 + 400 + 5);
    const differences = (lag: number): number =>
      meanOf(values.slice(lag * 10).map((value, index) => Math.abs(value - (values[index] ?? 0))));
    assert.ok(differences(1) < 8, `neighbours differ by ${differences(1)}`);
    assert.ok(differences(500) > 5 * differences(1), `far ones differ by ${differences(500)}`);
  });
});
