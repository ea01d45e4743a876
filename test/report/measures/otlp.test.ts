/** Metrics as an OpenTelemetry collector gets them, and what a collector that fails does to a run: nothing. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { systemClock } from '../../../src/base/clock.ts';
import { measuresOf } from '../../../src/report/measures/measures.ts';
import { otlpMetrics } from '../../../src/report/measures/otlp.ts';
import { type OtlpPush, openOtlpPush } from '../../../src/report/measures/otlp-push.ts';
import { states } from '../arbitraries.ts';
import { type OtlpAnswer, type OtlpReceiver, metricsRequest, startOtlpReceiver } from './otlp-receiver.ts';
import { sampleState } from '../samples.ts';
import { until } from '../../support/until.ts';

const SECRET = 'Bearer c4nary';

interface Pushing {
  readonly push: OtlpPush;
  readonly problems: readonly string[];
  /** Moves the clock past the interval and lets the run tick. */
  readonly tick: () => void;
}

function pushTo(url: string): Pushing {
  const problems: string[] = [];
  let aheadMs = 0;
  const push = openOtlpPush({
    url,
    headers: { authorization: SECRET },
    intervalMs: 10_000,
    crategenVersion: '0.1.0',
    clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs },
    onProblem: (message) => problems.push(message),
  });
  return {
    push,
    problems,
    tick: () => {
      aheadMs += 10_000;
      push.observer({ kind: 'tick', state: sampleState(2) });
    },
  };
}

async function receiver(context: TestContext, answer?: OtlpAnswer): Promise<OtlpReceiver> {
  const started = await startOtlpReceiver(answer);
  context.after(() => started.close());
  return started;
}

test('whatever a run is like, its metrics have the structure of the protocol', () => {
  fc.assert(
    fc.property(states, fc.nat(4e12), (state, startMs) => {
      const times = { startMs: startMs + 1, nowMs: startMs + 500 };
      const request: unknown = JSON.parse(JSON.stringify(otlpMetrics(measuresOf(state, '0.1.0'), [], times)));
      assert.deepEqual(
        v.safeParse(metricsRequest, request).issues?.map(({ message }) => message),
        undefined,
      );
    }),
    { numRuns: 30 },
  );
});

test('a push comes at each interval and one at the end, with the headers and the state of that moment', async (context) => {
  const collector = await receiver(context);
  const { push, tick, problems } = pushTo(`${collector.url}/v1/metrics`);
  push.observer({ kind: 'tick', state: sampleState(1) });
  assert.equal(collector.pushed.length, 0);
  tick();
  await until(() => collector.pushed.length === 1);
  await push.close();
  assert.equal(collector.pushed.length, 2);
  for (const { path, headers } of collector.pushed) {
    assert.equal(path, '/v1/metrics');
    assert.equal(headers.authorization, SECRET);
    assert.equal(headers['content-type'], 'application/json');
  }
  const [resource] = collector.pushed[1]?.request.resourceMetrics ?? [];
  assert.deepEqual(resource?.resource.attributes, [
    { key: 'service.name', value: { stringValue: 'crategen' } },
    { key: 'service.instance.id', value: { stringValue: '20261124-1530-x7k2' } },
  ]);
  const rows = resource?.scopeMetrics[0]?.metrics.find(({ name }) => name === 'crategen.rows.acknowledged');
  assert.ok(rows !== undefined && 'sum' in rows);
  assert.equal(rows.unit, '{row}');
  assert.equal(rows.sum.isMonotonic, true);
  assert.deepEqual(
    rows.sum.dataPoints.map((point) => [
      point.attributes[0]?.value.stringValue,
      'asInt' in point && point.asInt,
    ]),
    [
      ['0', '302000'],
      ['1', '302000'],
    ],
  );
  assert.deepEqual(problems, []);
});

test('a collector that refuses is said once, without a header and without what it answered', async (context) => {
  const collector = await receiver(context, { status: 401, body: `${SECRET} is wrong` });
  const { push, tick, problems } = pushTo(`${collector.url}/v1/metrics`);
  tick();
  await until(() => problems.length === 1);
  await push.close();
  assert.equal(collector.pushed.length, 2);
  assert.deepEqual(problems, [
    `the collector at ${collector.url} did not take the metrics: it answered 401; the run goes on, and this is said once`,
  ]);
});

test('a collector that takes a part, one that is not there and one that sends elsewhere are said so', async (context) => {
  const elsewhere = await receiver(context);
  const partial = await receiver(context, {
    status: 200,
    body: '{"partialSuccess":{"rejectedDataPoints":"3"}}',
  });
  const moved = await receiver(context, { status: 307, body: '', location: `${elsewhere.url}/v1/metrics` });
  for (const [url, why] of [
    [partial.url, /it refused 3 data points/],
    ['http://127.0.0.1:1', /ECONNREFUSED|bad port/],
    [moved.url, /unexpected redirect/],
  ] as const) {
    const { push, tick, problems } = pushTo(url);
    tick();
    await push.close();
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', why);
  }
  assert.equal(elsewhere.pushed.length, 0);
});

test('a collector that never answers gets one request at a time, and delays the end by two seconds at most', async (context) => {
  const collector = await receiver(context, 'silence');
  const { push, tick, problems } = pushTo(`${collector.url}/v1/metrics`);
  tick();
  await until(() => collector.pushed.length === 1);
  tick();
  tick();
  assert.equal(collector.pushed.length, 1);
  await push.close();
  // The one that was on its way is given up at once: the end waits for the last one alone.
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /no answer within 1\.5 s/);
});

test('a run that never had a state pushes nothing', async (context) => {
  const collector = await receiver(context);
  await pushTo(collector.url).push.close();
  assert.equal(collector.pushed.length, 0);
});
