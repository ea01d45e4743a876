/** Charts as SVG: what is drawn is where the numbers are. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type LineChart, lineChart } from '../../../src/report/html/chart.ts';

const VALUES = fc.array(fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: null }), {
  minLength: 1,
  maxLength: 300,
});

function chartOf(values: readonly (number | null)[], changes: Partial<LineChart> = {}): string {
  const last = Math.max(1, values.length - 1);
  return lineChart({
    id: 'sample',
    title: 'Sample',
    description: 'made numbers',
    x: values.map((_, position) => position),
    lines: [{ name: 'a line', values }],
    xAxis: { min: 0, max: last, ticks: [] },
    yAxis: { min: 0, max: 100, ticks: [] },
    formatX: String,
    formatY: String,
    ...changes,
  }).source;
}

/** The points of a path of `M`, `l` and `h`, in units of the drawing. */
function pointsOf(path: string): [number, number][] {
  let at: [number, number] = [0, 0];
  return [...path.matchAll(/([Mlh])([^Mlh]*)/g)].flatMap(([, command, numbers = '']) => {
    const [x = 0, y = 0] = (numbers.match(/-?(\d+\.?\d*|\.\d+)/g) ?? []).map(Number);
    if (command === 'h') return [];
    at = command === 'M' ? [x, y] : [at[0] + x, at[1] + y];
    return [at];
  });
}

describe('a line', () => {
  it('passes every value at its place to a tenth of a unit, however long it is', () => {
    fc.assert(
      fc.property(VALUES, (values) => {
        const path = / class="line c0 d0"\s+d="([^"]*)"/.exec(chartOf(values))?.[1] ?? '';
        const known = values.flatMap((value, position) => (value === null ? [] : [{ value, position }]));
        const points = pointsOf(path);
        assert.equal(points.length, known.length);
        known.forEach(({ value, position }, index) => {
          const [x, y] = points[index] ?? [NaN, NaN];
          assert.ok(Math.abs(x - (position / Math.max(1, values.length - 1)) * 720) < 0.06, path);
          assert.ok(Math.abs(y - (174 - value * 1.48)) < 0.06, path);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('has a gap where nothing was measured, and a dash between two gaps', () => {
    assert.match(chartOf([1, null, 2, null, 3, 4]), /d="M0 172\.5h-3h6M288 171h-3h6M576 169\.6l144-1\.5"/);
  });
});
