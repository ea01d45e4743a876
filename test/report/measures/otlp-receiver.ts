/**
 * A small OpenTelemetry collector: takes OTLP/HTTP metrics as JSON and holds them against the structure that the
 * protocol prescribes (opentelemetry-proto metrics/v1/metrics.proto, JSON mapping of the OTLP specification 1.x).
 */
import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as v from 'valibot';

/** 64-bit integers are texts in JSON. */
const integer = v.pipe(v.string(), v.regex(/^\d{1,20}$/));
const attributes = v.pipe(
  v.array(
    v.strictObject({
      key: v.pipe(v.string(), v.minLength(1)),
      value: v.strictObject({ stringValue: v.string() }),
    }),
  ),
  v.check((list) => new Set(list.map(({ key }) => key)).size === list.length, 'keys are unique'),
);
const head = { attributes, startTimeUnixNano: integer, timeUnixNano: integer };
const isInOrder = (point: { startTimeUnixNano: string; timeUnixNano: string }): boolean =>
  BigInt(point.startTimeUnixNano) > 0n && BigInt(point.startTimeUnixNano) <= BigInt(point.timeUnixNano);

const numberPoint = v.pipe(
  v.union([
    v.strictObject({ ...head, asInt: v.pipe(v.string(), v.regex(/^-?\d{1,19}$/)) }),
    v.strictObject({ ...head, asDouble: v.pipe(v.number(), v.finite()) }),
  ]),
  v.check((point) => isInOrder(point), 'starts before it is told'),
);
const histogramPoint = v.pipe(
  v.strictObject({
    ...head,
    count: integer,
    sum: v.pipe(v.number(), v.minValue(0)),
    bucketCounts: v.array(integer),
    explicitBounds: v.array(v.number()),
  }),
  v.check((point) => isInOrder(point), 'starts before it is told'),
  v.check(
    ({ bucketCounts, explicitBounds }) => bucketCounts.length === explicitBounds.length + 1,
    'one more count',
  ),
  v.check(
    ({ bucketCounts, count }) => bucketCounts.reduce((sum, each) => sum + BigInt(each), 0n) === BigInt(count),
    'counts add up',
  ),
  v.check(
    ({ explicitBounds }) =>
      explicitBounds.every((bound, index) => index === 0 || bound > (explicitBounds[index - 1] ?? 0)),
    'bounds rise',
  ),
);
/** AGGREGATION_TEMPORALITY_DELTA, _CUMULATIVE */
const temporality = v.picklist([1, 2]);
const named = {
  name: v.pipe(v.string(), v.regex(/^[a-zA-Z][a-zA-Z0-9_./-]{0,254}$/)),
  description: v.string(),
  unit: v.pipe(v.string(), v.maxLength(63)),
};
const someNumbers = v.pipe(v.array(numberPoint), v.minLength(1));
const metric = v.union([
  v.strictObject({ ...named, gauge: v.strictObject({ dataPoints: someNumbers }) }),
  v.strictObject({
    ...named,
    sum: v.strictObject({
      aggregationTemporality: temporality,
      isMonotonic: v.boolean(),
      dataPoints: someNumbers,
    }),
  }),
  v.strictObject({
    ...named,
    histogram: v.strictObject({ aggregationTemporality: temporality, dataPoints: v.array(histogramPoint) }),
  }),
]);
export const metricsRequest = v.strictObject({
  resourceMetrics: v.array(
    v.strictObject({
      resource: v.strictObject({ attributes }),
      scopeMetrics: v.array(
        v.strictObject({ scope: v.strictObject({ name: v.string() }), metrics: v.array(metric) }),
      ),
    }),
  ),
});

export interface Pushed {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly request: v.InferOutput<typeof metricsRequest>;
}

export interface OtlpReceiver {
  readonly url: string;
  /** In the order in which they came. Grows. */
  readonly pushed: readonly Pushed[];
  close(): Promise<void>;
}

/** What is answered: a status and a body, or nothing at all. */
export type OtlpAnswer =
  { readonly status: number; readonly body: string; readonly location?: string } | 'silence';

export async function startOtlpReceiver(
  answer: OtlpAnswer = { status: 200, body: '{}' },
): Promise<OtlpReceiver> {
  const pushed: Pushed[] = [];
  const server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      assert.equal(request.method, 'POST');
      pushed.push({
        path: request.url ?? '',
        headers: request.headers,
        request: v.parse(metricsRequest, JSON.parse(text)),
      });
      if (answer === 'silence') return;
      response.writeHead(answer.status, answer.location === undefined ? {} : { Location: answer.location });
      response.end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pushed,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
