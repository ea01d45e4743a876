/** A snapshot comes out of its packed form as it went in, and what is not of that form is no snapshot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { type Histogram, createHistogram, record } from '../../src/metrics/histogram.ts';
import type { ErrorCount, NodeCounts } from '../../src/metrics/node-counts.ts';
import { type Snapshot, emptySnapshot } from '../../src/metrics/snapshot.ts';
import { packSnapshot, unpackSnapshot } from '../../src/protocol/packed-snapshot.ts';

function plain<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const count = fc.oneof(fc.nat(9), fc.maxSafeNat());
const amount = fc.double({ min: 0, max: 1e300, noNaN: true }).map((value) => value + 0);
const text = fc.string({ unit: 'binary', maxLength: 20 });
const ledger = plain({
  offered: count,
  acknowledged: count,
  rejected: count,
  failed: count,
  unknown: count,
  inFlight: count,
});
const histogram: fc.Arbitrary<Histogram> = fc
  .array(fc.oneof(fc.nat(1000), fc.maxSafeNat()), { maxLength: 30 })
  .map((valuesUs) => {
    const made = createHistogram();
    valuesUs.forEach((valueUs) => record(made, valueUs));
    return made;
  });
const errors: fc.Arbitrary<ErrorCount[]> = fc.array(
  plain({ class: text, code: fc.option(fc.maxSafeInteger()), rows: count, batches: count, example: text }),
  { maxLength: 3 },
);
const nodes: fc.Arbitrary<NodeCounts[]> = fc.array(
  plain({
    requests: count,
    acknowledged: count,
    errors,
    serviceTime: histogram,
    outages: fc.array(plain({ fromMs: count, toMs: fc.option(count), why: text }), { maxLength: 3 }),
  }),
  { maxLength: 3 },
);

/** Numbers of any size, balanced or not: the form carries what it is given. */
const snapshots: fc.Arbitrary<Snapshot> = plain({
  sequence: count,
  atMs: amount,
  ledger,
  tables: fc.array(ledger, { maxLength: 3 }),
  batches: plain({ begun: count, completed: count, retried: count, failed: count }),
  nextBatch: count,
  measuredRows: count,
  bodyBytes: count,
  replyBytes: count,
  lateRows: count,
  droppedRows: count,
  serviceTime: histogram,
  responseTime: histogram,
  answers: plain({ requests: count, serviceUs: amount, toldServiceUs: amount, serverUs: amount }),
  errors,
  nodes,
  waiting: fc.option(
    plain({
      cause: fc.constantFrom('outage' as const, 'blocked' as const, 'overload' as const),
      detail: text,
      sinceNs: fc.bigInt({ min: 0n, max: 2n ** 62n }),
    }),
  ),
  use: plain({
    userCpuUs: amount,
    systemCpuUs: amount,
    residentBytes: count,
    residentBytesMax: count,
    heapUsedBytes: count,
    eventLoopUtilization: fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0),
    eventLoopActiveMs: amount,
    eventLoopDelayP99Ms: amount,
    gcMs: amount,
    voluntarySwitches: count,
    involuntarySwitches: count,
    coreWaitMs: fc.option(amount),
  }),
});

/** Over a line as that of a forked process. */
function sent(snapshot: Snapshot): unknown {
  return deserialize(serialize(packSnapshot(snapshot)));
}

test('a snapshot is read as it was packed, whatever its numbers and texts', () => {
  fc.assert(
    fc.property(snapshots, (snapshot) => assert.deepEqual(unpackSnapshot(sent(snapshot)), snapshot)),
    { numRuns: 300 },
  );
});

test('what a histogram counts after it was packed is not in the packed form', () => {
  const snapshot = emptySnapshot(0);
  const packed = packSnapshot(snapshot);
  record(snapshot.serviceTime, 5);
  assert.equal(unpackSnapshot(packed)?.serviceTime.count, 0);
});

test('the histogram of the only node, which is that of all, goes over the line once', () => {
  const serviceTime = createHistogram();
  for (let valueUs = 1; valueUs < 1e6; valueUs *= 1.1) record(serviceTime, valueUs);
  const node = { requests: 1, acknowledged: 1, errors: [], outages: [] };
  const one = { ...emptySnapshot(0), serviceTime, nodes: [{ ...node, serviceTime }] };
  const two = { ...one, nodes: [{ ...node, serviceTime: structuredClone(serviceTime) }] };
  const saved = packSnapshot(two).numbers.length - packSnapshot(one).numbers.length;
  assert.ok(saved > 200, `${saved} numbers less`);
  const read = unpackSnapshot(sent(one));
  assert.deepEqual(read, one);
  assert.equal(read?.serviceTime, read?.nodes[0]?.serviceTime);
});

test('a packed form that lost or gained a number or a text is no snapshot', () => {
  fc.assert(
    fc.property(snapshots, fc.nat(), (snapshot, anywhere) => {
      const { numbers, texts } = packSnapshot(snapshot);
      const cut = anywhere % numbers.length;
      assert.equal(unpackSnapshot({ numbers: numbers.slice(0, cut), texts }), null);
      assert.equal(unpackSnapshot({ numbers: Float64Array.of(...numbers, 0), texts }), null);
      assert.equal(unpackSnapshot({ numbers, texts: [...texts, ''] }), null);
      if (texts.length > 0) assert.equal(unpackSnapshot({ numbers, texts: texts.slice(1) }), null);
    }),
    { numRuns: 200 },
  );
});

test('a number that cannot be there, wherever it is, makes the whole no snapshot', () => {
  fc.assert(
    fc.property(snapshots, fc.nat(), (snapshot, anywhere) => {
      // Only the codes of errors may have a sign.
      const nodes = snapshot.nodes.map((node) => ({ ...node, errors: [] }));
      const { numbers, texts } = packSnapshot({ ...snapshot, nodes, errors: [] });
      for (const wrong of [-1, -0.5, Infinity, -Infinity]) {
        const spoilt = numbers.with(anywhere % numbers.length, wrong);
        assert.equal(unpackSnapshot({ numbers: spoilt, texts }), null);
      }
    }),
    { numRuns: 300 },
  );
  const { numbers, texts } = packSnapshot(emptySnapshot(0));
  for (const wrong of [1.5, 2 ** 53, Number.NaN])
    assert.equal(unpackSnapshot({ numbers: numbers.with(0, wrong), texts }), null, `sequence ${wrong}`);
});

test('lists and histograms that claim to be longer than they are end the reading at once', () => {
  const { numbers, texts } = packSnapshot(emptySnapshot(0));
  for (let at = 0; at < numbers.length; at += 1)
    for (const claim of [99_999, 2 ** 32, Number.MAX_SAFE_INTEGER])
      unpackSnapshot({ numbers: numbers.subarray(0, at + 1).with(at, claim), texts });
});

test('nothing else is a snapshot, and nothing throws', () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true, withMap: true }),
      (value) => {
        assert.equal(unpackSnapshot(value), null);
        assert.equal(unpackSnapshot({ numbers: new Float64Array(40), texts: value }), null);
        assert.equal(unpackSnapshot({ numbers: value, texts: [] }), null);
      },
    ),
    { numRuns: 500 },
  );
});
