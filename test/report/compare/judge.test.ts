/**
 * The judgement of two sides, on simulated runs whose truth is known: noise between runs, noise within them that lasts,
 * and planted slowdowns.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../../src/base/seeded-random.ts';
import { type Figure, type RunFigures } from '../../../src/report/compare/figures.ts';
import { differenceText, isBetter, judgeSides } from '../../../src/report/compare/judge.ts';

/** What two runs of one plan differ by, as measured on busy hosts: their standard deviation. */
const BETWEEN_RUNS = 0.04;
const PAIRS = 100;

/** A normal draw (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** One metric of a run: a level of its own, and slices whose noise lasts for several of them. */
function figure(level: number, random: () => number): Figure {
  const value = level * Math.exp(BETWEEN_RUNS * normal(random));
  let drift = 0;
  const slices = Array.from({ length: 120 }, () => {
    drift = 0.8 * drift + 0.06 * normal(random);
    return value * Math.exp(drift);
  });
  return { value, slices };
}

function simulatedRun(slowdown: number, random: () => number): RunFigures {
  const figures = {
    rowsPerSecond: figure(50_000 * (1 - slowdown), random),
    cpuPerMillion: { ...figure(4, random), slices: null },
    p50: figure(60, random),
    p99: figure(240, random),
    residentBytes: { ...figure(8e8, random), slices: null },
  };
  return { id: 'simulated', figures };
}

function side(runs: number, slowdown: number, random: () => number): RunFigures[] {
  return Array.from({ length: runs }, () => simulatedRun(slowdown, random));
}

/** A run of which only the rate is known, the same in each of its slices. */
function exact(rowsPerSecond: number | null, seconds = 30): RunFigures {
  const slices = rowsPerSecond === null ? null : new Array<number>(seconds).fill(rowsPerSecond);
  const nothing: Figure = { value: null, slices: null };
  return {
    id: 'exact',
    figures: {
      rowsPerSecond: { value: rowsPerSecond, slices },
      cpuPerMillion: nothing,
      p50: nothing,
      p99: nothing,
      residentBytes: nothing,
    },
  };
}

describe('two sides of the same plan', () => {
  for (const runs of [1, 2, 3, 5, 10]) {
    it(`show no clear difference in any metric in at least 90 of 100 pairs, ${runs} runs each`, (context) => {
      const random = seededRandom(100 + runs);
      let clear = 0;
      for (let pair = 0; pair < PAIRS; pair += 1) {
        const differences = judgeSides(side(runs, 0, random), side(runs, 0, random));
        if (differences.some(({ verdict }) => verdict !== 'noClearDifference')) clear += 1;
      }
      context.diagnostic(`${PAIRS - clear} of ${PAIRS} without a clear difference`);
      assert.ok(clear <= 10, `${clear} of ${PAIRS} pairs were called different`);
    });
  }
});

describe('a slowdown of 10 %', () => {
  it('is found in at least 90 of 100 pairs of ten runs each, and called worse', (context) => {
    const random = seededRandom(7);
    let found = 0;
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const [rate] = judgeSides(side(10, 0, random), side(10, 0.1, random));
      assert.ok(rate !== undefined);
      if (rate.verdict === 'clearlyLess' && isBetter(rate) === false) found += 1;
    }
    context.diagnostic(`${found} of ${PAIRS} found`);
    assert.ok(found >= 90, `found in ${found} of ${PAIRS}`);
  });

  it('is not claimed from one run a side; what is too large for chance says what was assumed', () => {
    const [rate] = judgeSides([exact(100)], [exact(90)]);
    assert.equal(rate?.verdict, 'noClearDifference');
    assert.equal(rate.isAssumed, true);
    const [half] = judgeSides([exact(100)], [exact(50)]);
    assert.equal(half?.verdict, 'clearlyLess');
    assert.equal(half.isAssumed, true);
  });

  it('is not looked for in one run of a moment, unless repeats of the other side show how uneven they are', () => {
    const [rate] = judgeSides([exact(100)], [exact(50, 5)]);
    assert.ok(rate !== undefined);
    assert.equal(rate.verdict, 'notMeasured');
    assert.equal(differenceText(rate), 'too short to tell');
    const [repeated] = judgeSides(
      [100, 101, 99].map((each) => exact(each, 5)),
      [exact(50, 5)],
    );
    assert.equal(repeated?.verdict, 'clearlyLess');
  });
});

describe('a judgement', () => {
  it('is in words, with the interval', () => {
    const [rate, cpu] = judgeSides(
      [100, 101, 99].map((each) => exact(each)),
      [90, 91, 89].map((each) => exact(each)),
    );
    assert.ok(rate !== undefined && cpu !== undefined);
    assert.match(differenceText(rate), /^10 % fewer rows\/s \([\d.]+ % to 1\d %\)$/);
    assert.equal(differenceText(cpu), 'not measured on both sides');
    const [same] = judgeSides(
      [100, 110, 90].map((each) => exact(each)),
      [100, 109, 91].map((each) => exact(each)),
    );
    assert.ok(same !== undefined);
    assert.match(differenceText(same), /^no clear difference \(−\d+ % to \+\d+ %\)$/);
  });

  it('is the same for the same numbers', () => {
    const [a, b] = [[100, 104, 99].map((each) => exact(each)), [90, 97, 89].map((each) => exact(each))];
    assert.deepEqual(judgeSides(a, b), judgeSides(a, b));
  });

  it('is not made when one run of a side lacks the metric', () => {
    const [rate] = judgeSides([exact(100), exact(null)], [exact(90), exact(91)]);
    assert.equal(rate?.verdict, 'notMeasured');
  });
});
