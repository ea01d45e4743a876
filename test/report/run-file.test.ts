/** The run file: its fixed keys, what it makes of a result, and what it refuses to read. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../src/base/errors.ts';
import { parseRunFile, runFileText, runPlanOf, toRunFile } from '../../src/report/run-file.ts';
import { JSON_SCHEMA_PATH, jsonSchemaText } from '../tools/generate-json-schema.ts';
import { schemaProblems } from './json-schema-check.ts';
import { plans, results } from './arbitraries.ts';
import { FACTS, STARTED_AT_MS, sampleCost, sampleResult, sampleWorker } from './samples.ts';

/** The keys that are fixed for good: removing or renaming one breaks every reader. */
const FIXED_KEYS = {
  '': 'format run versions host target plan ledger resolved batches pacer verification throughput latencyMs cost workers coordinator server errors bottleneck series',
  run: 'id seed startedAt endedAt endReason signal exitCode',
  versions: 'crategen node faker',
  host: 'cores cgroupCores memoryBytes',
  target: 'kind version nodes table keyed',
  plan: 'procs batchSize inFlight rows schema statement timeOrigin poolsHash rowFormat machine',
  ledger: 'offered acknowledged rejected failed unknown notOffered',
  resolved: 'stored absent',
  batches: 'begun completed retried failed',
  pacer: 'lateRows droppedRows',
  verification: 'method stored verdict detail',
  throughput: 'acknowledgedRowsPerSecond bodyBytesPerSecond offeredRowsPerSecond',
  'latencyMs.service': 'p50 p90 p95 p99 p999 max histogram',
  'latencyMs.response': 'p50 p90 p95 p99 p999 max histogram',
  cost: 'cpuSecondsPerMillionRows bodyBytesPerRow',
  'workers.0': 'index pids ledger batches restarts exit cpu memory eventLoopUtilization',
  'workers.0.batches': 'next begun completed retried failed exceptions',
  'workers.0.exit': 'code signal',
  'workers.0.cpu': 'userSeconds systemSeconds percentMean percentMax lowerBound',
  'workers.0.memory': 'residentBytesMax heapUsedBytesMax',
  coordinator: 'pid cpu memory',
  'errors.0': 'class code rows batches example',
  bottleneck: 'verdict evidence',
  'series.0': 'tMs rows workers',
  'series.0.workers.0': 'index pid rows cpuPercent residentBytes',
} as const;

const ERROR = { class: 'timeout', code: null, rows: 5, batches: 1, example: 'no reply within 90 s' };

test('a run file has all the fixed keys', () => {
  const json: unknown = JSON.parse(runFileText(toRunFile(sampleResult({ errors: [ERROR] }), FACTS)));
  for (const [path, keys] of Object.entries(FIXED_KEYS)) {
    const value = at(json, path);
    for (const key of keys.split(' ')) assert.ok(Object.hasOwn(value, key), `${path}.${key} is missing`);
  }
});

test('the committed JSON Schema is the one that the parser follows', async () => {
  assert.equal(
    readFileSync(JSON_SCHEMA_PATH, 'utf8'),
    await jsonSchemaText(),
    'run node test/tools/generate-json-schema.ts',
  );
});

test('the run file of any result is valid under the JSON Schema and reads back unchanged', async () => {
  const schema = at(JSON.parse(await jsonSchemaText()), '');
  fc.assert(
    fc.property(results, (result) => {
      const run = toRunFile(result, FACTS);
      const text = runFileText(run);
      assert.deepEqual(schemaProblems(schema, JSON.parse(text)), []);
      assert.deepEqual(parseRunFile(text), run);
    }),
    { numRuns: 60 },
  );
});

test('the JSON Schema refuses a run file without its ledger', async () => {
  const { ledger: _, ...rest } = toRunFile(sampleResult(), FACTS);
  assert.notDeepEqual(schemaProblems(at(JSON.parse(await jsonSchemaText()), ''), rest), []);
});

test('the plan of a run comes back from its run file', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const run = parseRunFile(runFileText(toRunFile(sampleResult({ plan }), FACTS)));
      assert.deepEqual(runPlanOf(run), plan);
    }),
    { numRuns: 60 },
  );
});

test('rates come from the measured time, and the cost from all processes by acknowledged rows', () => {
  const run = toRunFile(
    sampleResult({ runningMs: 4000, measuredMs: 2000, measuredRows: 1_000_000, bodyBytes: 400_000_000 }),
    FACTS,
  );
  assert.equal(run.throughput.acknowledgedRowsPerSecond, 500_000);
  assert.equal(run.throughput.bodyBytesPerSecond, 100_000_000);
  assert.equal(run.throughput.offeredRowsPerSecond, 17_200_000 / 4);
  // Eight workers and the parent, 27.3 CPU seconds each.
  assert.equal(run.cost.cpuSecondsPerMillionRows?.toFixed(6), ((9 * 27.3) / 17.2).toFixed(6));
  assert.equal(run.cost.bodyBytesPerRow, 400_000_000 / 17_200_000);
  assert.equal(run.run.startedAt, new Date(STARTED_AT_MS).toISOString());
});

test('a process that is counted elsewhere adds nothing to the cost', () => {
  const uncounted = sampleCost({
    cpu: { userSeconds: null, systemSeconds: null, percentMean: null, percentMax: null, lowerBound: false },
  });
  const run = toRunFile(
    sampleResult({ workers: [sampleWorker(0)], coordinator: { pid: 8121, ...uncounted } }),
    FACTS,
  );
  assert.equal(run.cost.cpuSecondsPerMillionRows?.toFixed(6), (27.3 / 2.15).toFixed(6));
  assert.equal(run.coordinator.cpu.userSeconds, null);
});

test('what was not measured is null, never 0', () => {
  const nothing = { offered: 0, acknowledged: 0, rejected: 0, failed: 0, unknown: 0, inFlight: 0 };
  const run = toRunFile(
    sampleResult({
      runningMs: 0,
      measuredMs: 0,
      measuredRows: 0,
      ledger: { ...nothing, notOffered: 10 },
      serviceTime: { counts: new Uint32Array(528), count: 0, sumUs: 0, maxUs: 0 },
    }),
    FACTS,
  );
  assert.deepEqual(run.throughput, {
    acknowledgedRowsPerSecond: null,
    bodyBytesPerSecond: null,
    offeredRowsPerSecond: null,
  });
  assert.deepEqual(run.cost, { cpuSecondsPerMillionRows: null, bodyBytesPerRow: null });
  assert.deepEqual(run.latencyMs.service, {
    samples: 0,
    mean: null,
    p50: null,
    p90: null,
    p95: null,
    p99: null,
    p999: null,
    max: null,
    histogram: {},
  });
});

test('a percentile without ten samples beyond it is null, while the histogram keeps every sample', () => {
  const { service } = toRunFile(sampleResult(), FACTS).latencyMs;
  assert.equal(service.samples, 20_001);
  assert.notEqual(service.p999, null);
  assert.equal(service.max, 812);
  assert.equal(
    Object.values(service.histogram).reduce((sum, samples) => sum + samples, 0),
    20_001,
  );
  const counts = new Uint32Array(528);
  counts[20] = 150;
  const few = toRunFile(sampleResult({ serviceTime: { counts, count: 150, sumUs: 3000, maxUs: 20 } }), FACTS);
  assert.equal(few.latencyMs.service.p90, 0.02);
  assert.equal(few.latencyMs.service.p95, null);
  assert.deepEqual(few.latencyMs.service.histogram, { '20': 150 });
});

test('rows that were still in flight at the end are unknown', () => {
  const ledger = {
    offered: 1000,
    acknowledged: 900,
    rejected: 0,
    failed: 0,
    unknown: 10,
    inFlight: 90,
    notOffered: 0,
  };
  const run = toRunFile(sampleResult({ ledger }), FACTS);
  assert.deepEqual(run.ledger, {
    offered: 1000,
    acknowledged: 900,
    rejected: 0,
    failed: 0,
    unknown: 100,
    notOffered: 0,
  });
});

test('a file that is no run file is refused with its path, the reason and the next command', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /^runs\/a\.json: not JSON/],
    ['{"a": \u001b', /^runs\/a\.json: not JSON: [^\u001b]*$/],
    ['null', /it names no format/],
    ['{"format":"crategen.plan/1"}', /its format is "crategen.plan\/1", expected "crategen.run\/1"/],
    ['{"format":"crategen.run/1"}', /^runs\/a\.json: run: Invalid key/],
    ['['.repeat(100_000), /not JSON|no format/],
  ];
  for (const [text, expected] of cases) {
    assert.throws(
      () => parseRunFile(text, 'runs/a.json'),
      (thrown) => thrown instanceof UsageError && expected.test(thrown.message),
      text.slice(0, 40),
    );
  }
});

test('a run file with an impossible value is refused at that value', () => {
  const run = toRunFile(sampleResult(), FACTS);
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ ...run, ledger: { ...run.ledger, acknowledged: -1 } }, /ledger\.acknowledged/],
    [{ ...run, ledger: { ...run.ledger, acknowledged: 1.5 } }, /ledger\.acknowledged/],
    [{ ...run, ledger: { ...run.ledger, rejected: 7 } }, /ledger: offered is not/],
    [{ ...run, run: { ...run.run, endReason: 'bored' } }, /run\.endReason/],
    [{ ...run, series: [{ tMs: 1 }] }, /series\.0\.rows/],
  ];
  for (const [value, expected] of cases) {
    assert.throws(
      () => parseRunFile(JSON.stringify(value)),
      (thrown) => thrown instanceof UsageError && expected.test(thrown.message),
    );
  }
});

test('keys that a later version adds do not hinder reading', () => {
  const run = toRunFile(sampleResult(), FACTS);
  const later = JSON.stringify({ ...run, telemetry: { a: 1 }, run: { ...run.run, mood: 'good' } });
  assert.deepEqual(parseRunFile(later), run);
});

test('a run file from before the server was asked reads as one in which nothing of it was measured', () => {
  const { host, server: _server, workers, coordinator, ...rest } = toRunFile(sampleResult(), FACTS);
  const withoutNews = <Cost extends (typeof workers)[number] | typeof coordinator>(cost: Cost): object => {
    const { eventLoopDelayP99Ms: _delay, gcMs: _gc, contextSwitches: _switches, memory, ...old } = cost;
    const { proportionalBytesMax: _proportional, ...oldMemory } = memory;
    return { ...old, memory: oldMemory };
  };
  const { samples: _samples, ...oldHost } = host;
  const older = {
    ...rest,
    host: oldHost,
    server: null,
    workers: workers.map(withoutNews),
    coordinator: withoutNews(coordinator),
  };
  const read = parseRunFile(JSON.stringify(older));
  assert.deepEqual(read.host.samples, []);
  assert.equal(read.server, null);
  assert.equal(read.workers[0]?.gcMs, null);
  assert.equal(read.coordinator.memory.proportionalBytesMax, null);
});

test('a __proto__ key in a run file is left out and changes no object', () => {
  const run = toRunFile(sampleResult(), FACTS);
  const text = JSON.stringify(run).replace('"histogram":{', '"histogram":{"__proto__":{"polluted":1},');
  assert.deepEqual(parseRunFile(text), run);
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

function at(json: unknown, path: string): Readonly<Record<string, unknown>> {
  const found = path
    .split('.')
    .filter((key) => key !== '')
    .reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
      json,
    );
  assert.ok(typeof found === 'object' && found !== null, `${path} is no object`);
  return Object.fromEntries(Object.entries(found));
}

test('a resumed run is measured by the rows of its last part, although its ledger is of the whole', () => {
  const fresh = toRunFile(sampleResult(), FACTS);
  const half = fresh.ledger.acknowledged / 2;
  const earlier = { offered: half / 8, acknowledged: half / 8 };
  const workers = Array.from({ length: 8 }, (_, index) => sampleWorker(index, { earlier }));
  const resumed = toRunFile(sampleResult({ workers }), FACTS);
  assert.equal(resumed.ledger.acknowledged, fresh.ledger.acknowledged);
  assert.equal(resumed.cost.bodyBytesPerRow, (fresh.cost.bodyBytesPerRow ?? 0) * 2);
  assert.equal(resumed.throughput.offeredRowsPerSecond, (fresh.throughput.offeredRowsPerSecond ?? 0) / 2);
});
