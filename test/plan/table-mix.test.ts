/** Which batch is whose, for any weights and any number of workers: nothing is left out and nothing comes twice. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createTableMix, tableRange, wholeWeights } from '../../src/plan/table-mix.ts';

const weights = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
/** Where in a run to look, near its begin and far behind. */
const rounds = fc.oneof(fc.nat(50), fc.integer({ min: 0, max: 2 ** 33 }));

describe('a mix of tables', () => {
  it('gives each table its exact share in each period', () => {
    fc.assert(
      fc.property(weights, rounds, (given, round) => {
        const whole = wholeWeights(given);
        const period = whole.reduce((sum, weight) => sum + weight, 0);
        const mix = createTableMix(given);
        const counts = whole.map(() => 0);
        for (let batch = round * period; batch < (round + 1) * period; batch += 1) {
          const { table } = mix.placeOf(batch);
          counts[table] = (counts[table] ?? 0) + 1;
        }
        assert.deepEqual(counts, whole);
      }),
    );
  });

  it("numbers each table's batches one after the other, without a gap", () => {
    fc.assert(
      fc.property(weights, rounds, (given, round) => {
        const period = wholeWeights(given).reduce((sum, weight) => sum + weight, 0);
        const mix = createTableMix(given);
        const next = wholeWeights(given).map((weight) => round * weight);
        for (let batch = round * period; batch < (round + 3) * period; batch += 1) {
          const place = mix.placeOf(batch);
          assert.equal(place.batch, next[place.table]);
          next[place.table] = place.batch + 1;
        }
      }),
    );
  });

  it('brings every worker of up to 64 to every table', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 64 }), (given, workers) => {
        const period = wholeWeights(given).reduce((sum, weight) => sum + weight, 0);
        const mix = createTableMix(given);
        for (let worker = 0; worker < workers; worker += 1) {
          const met = new Set<number>();
          // The rarest table is one of a period: chance alone would miss it once in e^24.
          for (let turn = 0; turn < 24 * period; turn += 1)
            met.add(mix.placeOf(worker + turn * workers).table);
          assert.equal(met.size, given.length, `worker ${worker} of ${workers}, weights ${given.join(':')}`);
        }
      }),
    );
  });

  it('spreads a table over its period instead of serving it all at once', () => {
    const mix = createTableMix([1, 2, 5]);
    const period = Array.from({ length: 8 }, (_, batch) => mix.placeOf(batch).table);
    assert.deepEqual(period, [2, 1, 2, 0, 2, 2, 1, 2]);
  });

  it('of one table is the run itself', () => {
    const mix = createTableMix([7]);
    assert.deepEqual(mix.placeOf(12_345_678), { table: 0, batch: 12_345_678 });
    assert.deepEqual(tableRange(mix, { batchSize: 10, rows: 25 }, 2), { table: 0, firstRow: 20, rows: 5 });
  });

  it('takes decimals as the same shares in whole numbers', () => {
    assert.deepEqual(wholeWeights([0.5, 1, 2.5]), [1, 2, 5]);
    assert.deepEqual(wholeWeights([1, 0.001]), [1000, 1]);
    assert.deepEqual(wholeWeights([300, 200, 100]), [3, 2, 1]);
  });
});
