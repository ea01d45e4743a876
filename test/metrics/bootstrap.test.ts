/** Standard errors by resampling, held against what is known of them, and Student's t against printed tables. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../src/base/seeded-random.ts';
import {
  blockStandardError,
  meanOf,
  standardError,
  studentT,
  welchFreedom,
} from '../../src/metrics/bootstrap.ts';

function near(actual: number | null, expected: number, share: number): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) <= share * Math.abs(expected),
    `${actual} is not ${expected}`,
  );
}

describe('resampling', () => {
  it('gives the textbook standard error of independent values', () => {
    const values = [4, 8, 15, 16, 23, 42];
    const mean = meanOf(values);
    const deviation = Math.sqrt(
      values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1),
    );
    near(standardError(values, seededRandom(1)), deviation / Math.sqrt(values.length), 0.07);
  });

  it('says nothing of a single value, and gives the same answer for the same seed', () => {
    assert.equal(standardError([1], seededRandom(1)), null);
    assert.equal(blockStandardError([1, 2, 3], seededRandom(1)), null);
    assert.equal(standardError([1, 5, 9], seededRandom(7)), standardError([1, 5, 9], seededRandom(7)));
  });

  it('sees through neighbours that resemble each other', () => {
    const random = seededRandom(3);
    let last = 0;
    const series = Array.from({ length: 600 }, () => (last = 0.8 * last + (random() - 0.5)));
    const [blocks, single] = [
      blockStandardError(series, seededRandom(1)),
      standardError(series, seededRandom(1)),
    ];
    assert.ok(blocks !== null && single !== null);
    // (1 + 0.8) / (1 − 0.8) = 9 times the variance, so three times the error; blocks find most of it.
    assert.ok(blocks > 2 * single, `${blocks} and ${single}`);
  });
});

describe("Student's t", () => {
  it('is that of the tables', () => {
    for (const [confidence, freedom, expected] of [
      [0.95, 1, 12.706],
      [0.99, 1, 63.657],
      [0.95, 2, 4.303],
      [0.99, 2, 9.925],
      [0.95, 3, 3.182],
      [0.99, 4, 4.604],
      [0.95, 10, 2.228],
      [0.99, 18, 2.878],
      [0.99, Infinity, 2.5758],
    ] as const)
      near(studentT(confidence, freedom), expected, freedom < 5 ? 0.02 : 0.001);
  });

  it('is freest when both sides are alike, and as free as the restless side alone when one is not', () => {
    near(welchFreedom({ se: 1, count: 10 }, { se: 1, count: 10 }), 18, 1e-9);
    near(welchFreedom({ se: 1, count: 10 }, { se: 1e-6, count: 10 }), 9, 1e-3);
  });
});
