import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianInterval } from './bootstrap.ts';

test('the interval of equal samples is that one value', () => {
  assert.deepEqual(medianInterval([2, 2, 2]), [2, 2]);
});

test('the interval of 1 to 15 holds the median, reaches to neither end and is the same every time', () => {
  const samples = Array.from({ length: 15 }, (_, index) => index + 1);
  const [low, high] = medianInterval(samples);
  // Exactly, P(the median of a draw <= 4) = P(it >= 12) = 2.6 %: chance decides between 4 and 5, 11 and 12.
  assert.ok(low === 4 || low === 5, String(low));
  assert.ok(high === 11 || high === 12, String(high));
  assert.deepEqual(medianInterval(samples), [low, high]);
});

test('there is no interval without samples', () => {
  assert.throws(() => medianInterval([]), RangeError);
});
