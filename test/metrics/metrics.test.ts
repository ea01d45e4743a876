/** Properties of the arithmetic that every total rests on: histogram, merge, series. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  HISTOGRAM_BUCKETS,
  bucketLowerUs,
  createHistogram,
  mergeInto,
  quantileUs,
  record,
  windowOf,
} from '../../src/metrics/histogram.ts';
import { EMPTY_LEDGER, assertBalanced } from '../../src/metrics/ledger.ts';
import { meanByTime } from '../../src/metrics/measured.ts';
import { mergeSnapshots, newer } from '../../src/metrics/merge.ts';
import { type NodeCounts, type Outage, mergeOutages } from '../../src/metrics/node-counts.ts';
import { createSeries } from '../../src/metrics/series.ts';
import { type Snapshot, emptySnapshot } from '../../src/metrics/snapshot.ts';

const values = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 5e6 }), fc.double({ min: 0, max: 2 ** 40, noNaN: true })),
  { maxLength: 300 },
);

function histogramOf(list: readonly number[]): ReturnType<typeof createHistogram> {
  const histogram = createHistogram();
  list.forEach((value) => record(histogram, value));
  return histogram;
}

test('every value falls into the bucket whose bounds enclose it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 36 - 1, noNaN: true }), (value) => {
      const bucket = histogramOf([value]).counts.indexOf(1);
      assert.ok(
        bucketLowerUs(bucket) <= value && value < bucketLowerUs(bucket + 1),
        `${value} in ${bucketLowerUs(bucket)}..${bucketLowerUs(bucket + 1)}`,
      );
    }),
    { numRuns: 5000 },
  );
});

test('bucket bounds rise, and above 16 µs no bucket is wider than a sixteenth of its value', () => {
  for (let bucket = 1; bucket < HISTOGRAM_BUCKETS - 1; bucket += 1) {
    const [lower, upper] = [bucketLowerUs(bucket), bucketLowerUs(bucket + 1)];
    assert.ok(upper > lower);
    if (lower >= 16) assert.ok((upper - lower) / lower <= 1 / 16);
  }
});

test('a quantile lies within a bucket of the exact one, and is withheld when luck would make it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1e8 }), { minLength: 1, maxLength: 400 }),
      fc.constantFrom(0.5, 0.9, 0.99),
      (list, quantile) => {
        const got = quantileUs(histogramOf(list), quantile);
        if (Math.round(list.length * (1 - quantile) * 1000) < 10_000) return assert.equal(got, null);
        const exact = list.toSorted((a, b) => a - b)[Math.ceil(list.length * quantile) - 1] ?? 0;
        assert.ok(got !== null && Math.abs(got - exact) <= Math.max(1, exact / 16));
      },
    ),
  );
});

test('merging histograms is the histogram of all values, and a window is what came in between', () => {
  fc.assert(
    fc.property(values, values, (first, second) => {
      const both = histogramOf(first);
      mergeInto(both, histogramOf(second));
      const all = histogramOf([...first, ...second]);
      assert.deepEqual(both.counts, all.counts);
      assert.deepEqual([both.count, both.maxUs], [all.count, all.maxUs]);
      assert.deepEqual(windowOf(all, histogramOf(first)).counts, histogramOf(second).counts);
    }),
  );
});

const outages = fc.array(
  fc
    .record({ fromMs: fc.nat(60_000), lengthMs: fc.option(fc.nat(10_000)), why: fc.constantFrom('a', 'b') })
    .map(({ fromMs, lengthMs, why }): Outage => ({
      fromMs,
      toMs: lengthMs === null ? null : fromMs + lengthMs,
      why,
    })),
  { maxLength: 6 },
);

const nodeCounts: fc.Arbitrary<NodeCounts> = fc
  .record({ requests: fc.nat(1e6), acknowledged: fc.nat(1e9), latency: values, outages })
  .map(({ latency, outages: times, ...counts }) => ({
    ...counts,
    errors: [{ class: 'closed', code: null, rows: 1, batches: 1, example: 'e' }],
    serviceTime: histogramOf(latency.map(Math.round)),
    outages: mergeOutages(times),
  }));

test('outages as several workers saw them are one list, apart from each other, that covers them all', () => {
  fc.assert(
    fc.property(outages, (seen) => {
      const merged = mergeOutages(seen);
      assert.deepEqual(mergeOutages(merged), merged);
      const covers = (each: Outage): boolean =>
        merged.some(
          ({ fromMs, toMs }) => fromMs <= each.fromMs && (toMs ?? Infinity) >= (each.toMs ?? Infinity),
        );
      assert.ok(seen.every(covers));
      merged.slice(1).forEach((later, index) => {
        const before = merged[index];
        assert.ok(before !== undefined && before.toMs !== null && later.fromMs - before.toMs > 2000);
      });
    }),
  );
});

const snapshots = fc
  .record({
    sequence: fc.nat(1000),
    acknowledged: fc.nat(1e6),
    unknown: fc.nat(1e6),
    inFlight: fc.nat(1e4),
    rows: fc.nat(100),
    latency: values,
    class: fc.constantFrom('closed', 'timeout'),
    nodes: fc.array(nodeCounts, { maxLength: 3 }),
  })
  .map((facts): Snapshot => {
    const ledger = {
      ...EMPTY_LEDGER,
      acknowledged: facts.acknowledged,
      unknown: facts.unknown,
      inFlight: facts.inFlight,
    };
    return {
      ...emptySnapshot(0),
      sequence: facts.sequence,
      ledger: { ...ledger, offered: facts.acknowledged + facts.unknown + facts.inFlight },
      serviceTime: histogramOf(facts.latency.map(Math.round)),
      nodes: facts.nodes,
      errors: [
        { class: facts.class, code: null, rows: facts.rows, batches: 1, example: `example ${facts.rows}` },
      ],
    };
  });

/** Order of the error list aside, which carries no meaning. */
function comparable(snapshot: Snapshot): unknown {
  const sorted = (errors: Snapshot['errors']): Snapshot['errors'] =>
    errors.toSorted((a, b) => a.class.localeCompare(b.class));
  const nodes = snapshot.nodes.map((node) => ({ ...node, errors: sorted(node.errors) }));
  return { ...snapshot, nodes, errors: sorted(snapshot.errors) };
}

test('merging snapshots is commutative and associative, and the sum balances', () => {
  fc.assert(
    fc.property(snapshots, snapshots, snapshots, (a, b, c) => {
      assert.deepEqual(comparable(mergeSnapshots([a, b, c])), comparable(mergeSnapshots([c, b, a])));
      assert.deepEqual(
        comparable(mergeSnapshots([mergeSnapshots([a, b]), c])),
        comparable(mergeSnapshots([a, mergeSnapshots([b, c])])),
      );
      assertBalanced(mergeSnapshots([a, b, c]).ledger, 'test');
    }),
  );
});

test('of the snapshots of one incarnation the newest wins in any order and however often it comes', () => {
  fc.assert(
    fc.property(fc.array(snapshots, { minLength: 1, maxLength: 8 }), (list) => {
      const numbered = list.map((snapshot, index) => ({ ...snapshot, sequence: index + 1 }));
      const last = numbered.at(-1);
      const shuffled = [...numbered, ...numbered].toReversed();
      assert.equal(shuffled.reduce(newer, emptySnapshot(0)), last);
    }),
  );
});

test('an unbalanced or fractional ledger is refused', () => {
  assert.throws(() => assertBalanced({ ...EMPTY_LEDGER, offered: 1 }, 'x'), /does not balance/);
  assert.throws(() => assertBalanced({ ...EMPTY_LEDGER, offered: 0.5, inFlight: 0.5 }, 'x'), /whole numbers/);
  assert.throws(() => assertBalanced({ ...EMPTY_LEDGER, offered: -1, inFlight: -1 }, 'x'), /whole numbers/);
});

test('a series never holds more than its capacity, keeps its last point and stays in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.constantFrom(4, 10, 120), (count, capacity) => {
      const series = createSeries<number>(capacity, (_earlier, later) => later);
      for (let point = 1; point <= count; point += 1) series.offer(point);
      const points = series.points();
      assert.ok(points.length <= capacity);
      assert.equal(points.at(-1), count);
      assert.deepEqual(
        points,
        points.toSorted((a, b) => a - b),
      );
      if (count >= capacity) assert.ok(points.length >= capacity / 2);
    }),
  );
});

test('a mean of means counts each by its time, and of nothing that was watched there is none', () => {
  assert.equal(
    meanByTime([
      { mean: 100, ms: 60_000 },
      { mean: 20, ms: 20_000 },
    ]),
    80,
  );
  assert.equal(
    meanByTime([
      { mean: 100, ms: 60_000 },
      { mean: null, ms: 0 },
    ]),
    100,
  );
  assert.equal(meanByTime([{ mean: null, ms: 0 }]), null);
  assert.equal(meanByTime([]), null);
});
