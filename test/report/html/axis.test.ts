/** The lines of a chart's grid: round in what they are written in, and never below what is drawn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBytes } from '../../../src/base/units.ts';
import { byteAxis, valueAxis } from '../../../src/report/html/axis.ts';

test('bytes have round values of the units that they are written in', () => {
  assert.deepEqual(byteAxis(60_400_000).ticks.map(formatBytes), ['0 B', '20 MiB', '40 MiB', '60 MiB']);
  assert.deepEqual(byteAxis(900).ticks.map(formatBytes), ['0 B', '500 B', '1000 B']);
  assert.equal(valueAxis(60_400_000).ticks[1], 20_000_000);
});

test('an axis reaches what is the highest, from 0, by few steps', () => {
  const heights = fc.double({ min: 0, max: 1e15 });
  fc.assert(
    fc.property(heights, fc.constantFrom(valueAxis, byteAxis), (highest, axisTo) => {
      const { min, max, ticks } = axisTo(highest);
      assert.equal(min, 0);
      assert.ok(max >= (Number.isFinite(highest) ? highest * (1 - 1e-9) : 0));
      assert.ok(ticks.length >= 2 && ticks.length <= 8, `${ticks.length} ticks`);
      assert.equal(ticks[0], 0);
    }),
    { numRuns: 300 },
  );
});
