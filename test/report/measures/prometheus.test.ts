/** The measures of a run as Prometheus reads them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { createHistogram, record } from '../../../src/metrics/histogram.ts';
import { type ErrorCount, mergeErrors, noNodeCounts } from '../../../src/metrics/node-counts.ts';
import { measuresOf } from '../../../src/report/measures/measures.ts';
import { prometheusText } from '../../../src/report/measures/prometheus.ts';
import type { RunState } from '../../../src/coordinator/run-state.ts';
import { states } from '../arbitraries.ts';
import { parsePrometheus } from './prometheus-text.ts';
import { sampleServerView, sampleSnapshot, sampleState, sampleWorkerState } from '../samples.ts';

const textOf = (state: RunState): string => prometheusText(measuresOf(state, '0.1.0'));

/** The values of one metric by the values of its labels. */
function values(text: string, name: string): Record<string, number> {
  const family = parsePrometheus(text).get(name);
  return Object.fromEntries(
    (family?.samples ?? []).map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  );
}

test('each process has its rows, batches, CPU seconds and memory under its number', () => {
  const text = textOf(sampleState(2));
  assert.deepEqual(values(text, 'crategen_rows_acknowledged_total'), { 0: 302_000, 1: 302_000 });
  assert.deepEqual(values(text, 'crategen_rows_in_flight'), { 0: 4000, 1: 4000 });
  assert.deepEqual(values(text, 'crategen_batches_completed_total'), { 0: 302, 1: 302 });
  assert.deepEqual(values(text, 'crategen_worker_cpu_seconds_total'), {
    '0 user': 3.1,
    '1 user': 3.1,
    '0 system': 0.7,
    '1 system': 0.7,
  });
  assert.deepEqual(values(text, 'crategen_worker_memory_resident_bytes'), {
    0: 104 * 2 ** 20,
    1: 104 * 2 ** 20,
  });
  assert.deepEqual(values(text, 'crategen_worker_info'), { '0 8121': 1, '1 8122': 1 });
  assert.equal(values(text, 'crategen_run_phase')['running'], 1);
  assert.equal(values(text, 'crategen_run_phase')['draining'], 0);
});

test('what is not known has no value: rows of a run bounded by time, memory of a process not seen yet', () => {
  const unseen = sampleWorkerState(0, {
    pid: null,
    outside: { cpuPercent: null, residentBytes: null },
    total: sampleSnapshot({ use: { ...sampleSnapshot().use, residentBytes: 0 } }),
  });
  const families = parsePrometheus(textOf(sampleState(0, { plannedRows: null, workers: [unseen] })));
  assert.ok(!families.has('crategen_run_rows_planned'));
  assert.ok(!families.has('crategen_worker_memory_resident_bytes'));
  assert.ok(!families.has('crategen_worker_info'));
  assert.ok(families.has('crategen_rows_acknowledged_total'));
});

test('what the server says of itself stands under the name of the node', () => {
  const text = textOf(sampleState(1, { server: sampleServerView() }));
  assert.deepEqual(values(text, 'crategen_server_cpu_cores'), { 'db-1': 3.88, 'db-2': 3.87, 'db-3': 3.86 });
  assert.deepEqual(values(text, 'crategen_server_write_rejected_total'), { 'db-1': 0, 'db-2': 0, 'db-3': 0 });
  assert.ok(!parsePrometheus(textOf(sampleState(1, { server: null }))).has('crategen_server_cpu_cores'));
});

test('service times are a histogram in seconds whose counts are exact', () => {
  const serviceTime = createHistogram();
  for (const us of [100, 511, 512, 900, 70_000, 400_000_000]) record(serviceTime, us);
  const text = textOf(sampleState(1, { total: sampleSnapshot({ serviceTime }) }));
  const buckets = values(text, 'crategen_request_service_time_seconds');
  assert.equal(buckets['0.000512'], 2);
  assert.equal(buckets['0.001024'], 4);
  assert.equal(buckets['0.065536'], 4);
  assert.equal(buckets['0.131072'], 5);
  assert.equal(buckets['134.217728'], 5);
  assert.equal(buckets['+Inf'], 6);
  assert.match(text, /^crategen_request_service_time_seconds_count 6$/m);
  assert.match(text, /^crategen_request_service_time_seconds_sum 400\.072023$/m);
});

test('errors and nodes are told apart by what they are', () => {
  const total = sampleSnapshot({
    errors: [{ class: 'constraint "x"\n', code: 4000, rows: 31, batches: 9, example: 'secret example' }],
    nodes: [
      { ...noNodeCounts(), requests: 5, acknowledged: 4000 },
      { ...noNodeCounts(), outages: [{ fromMs: 1, toMs: null, why: 'ECONNREFUSED' }] },
    ],
  });
  const text = textOf(sampleState(1, { total }));
  assert.deepEqual(values(text, 'crategen_errors_rows_total'), { 'constraint "x"\n 4000': 31 });
  assert.deepEqual(values(text, 'crategen_node_out'), { 'http://db-1:4200': 0, 'http://db-2:4200': 1 });
  assert.doesNotMatch(text, /secret example/);
});

/** As the coordinator has them: each class and code once, each worker and node with a name of its own. */
function asMerged(state: RunState): RunState {
  const errors = state.total.errors.reduce<readonly ErrorCount[]>(
    (sum, error) => mergeErrors(sum, [error]),
    [],
  );
  const workers = state.workers.map((worker, index) => ({ ...worker, index }));
  const nodes = state.target?.nodes ?? [];
  const target = state.target === null ? null : { ...state.target, nodes: [...new Set(nodes)] };
  const latest = state.server?.latest ?? null;
  // Each node answers once.
  const samples = new Map(latest?.nodes.map((sample) => [sample.node, sample]));
  const server = {
    nodes: (state.server?.nodes ?? []).map((node, index) => ({ ...node, name: `${index} ${node.name}` })),
    latest: latest === null ? null : { ...latest, nodes: [...samples.values()] },
    note: '',
  };
  return { ...state, workers, target, server, total: { ...state.total, errors } };
}

test('whatever a run is like, Prometheus can read it', () => {
  fc.assert(
    fc.property(states, (state) => {
      parsePrometheus(textOf(asMerged(state)));
    }),
    { numRuns: 50 },
  );
});

test('promtool, where there is one, finds nothing to blame', (context) => {
  const checked = spawnSync('promtool', ['check', 'metrics'], {
    input: textOf(sampleState(3)),
    encoding: 'utf8',
  });
  if (checked.error !== undefined) return context.skip('there is no promtool on this host');
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  assert.equal(checked.stderr + checked.stdout, '');
});
