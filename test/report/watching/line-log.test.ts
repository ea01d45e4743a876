/** The run as lines: complete, greppable, and free of anything that moves a cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RunEvent, RunState } from '../../../src/coordinator/run-state.ts';
import { createLineLog, renderHeader, renderLine } from '../../../src/report/watching/line-log.ts';
import { renderStatusLine } from '../../../src/report/watching/status-line.ts';
import { plans, states } from '../arbitraries.ts';
import { sampleState } from '../samples.ts';
import { samplePlan } from '../../support/sample-plan.ts';

test('a run is told as its plan, its target, its phases, its progress every ten seconds and its notes', () => {
  const at = (elapsedMs: number, changes: Partial<RunState> = {}): RunEvent => ({
    kind: 'tick',
    state: sampleState(2, { elapsedMs, ...changes }),
  });
  const lines = log('text', [
    { kind: 'phase', state: sampleState(0, { phase: 'preparing', target: null, elapsedMs: 0 }) },
    { kind: 'phase', state: sampleState(2, { phase: 'starting', elapsedMs: 0 }) },
    ...[250, 9_750, 10_250, 10_500, 19_999].map((ms) => at(ms)),
    { kind: 'note', level: 'warning', event: 'workerDied', message: 'worker 3 died\u001b[31m', atMs: 20_100 },
    at(31_000),
    at(39_000),
    at(40_000, { phase: 'draining' }),
  ]);
  assert.deepEqual(lines.slice(5), [
    'phase=preparing',
    'target kind=cratedb server="CrateDB 6.4.3" version=6.4.3 nodes=http://db-1:4200,http://db-2:4200,http://db-3:4200 keyed=yes',
    'phase=starting',
    't=0s phase=running',
    't=10s rows=612000 rows/s=54342 acked=604000 rejected=0 failed=0 unknown=0 inflight=8000 p99=240.0ms cpu=18% rss=208MiB server=1161% queue=36 limited=cluster',
    't=20s warning workerDied: worker 3 died␛[31m',
    't=31s rows=612000 rows/s=54342 acked=604000 rejected=0 failed=0 unknown=0 inflight=8000 p99=240.0ms cpu=18% rss=208MiB server=1161% queue=36 limited=cluster',
    't=40s phase=draining',
    't=40s rows=612000 rows/s=54342 acked=604000 rejected=0 failed=0 unknown=0 inflight=8000 p99=240.0ms cpu=18% rss=208MiB server=1161% queue=36 limited=cluster',
  ]);
});

test('the header holds every setting of the plan by the name of its flag', () => {
  const text = renderHeader(
    samplePlan({ failOn: [{ metric: 'p99', operator: '>', value: 200, text: 'p99 > 200ms' }] }),
  ).join('\n');
  assert.equal(
    text,
    `crategen cluster run-id=20261124-1530-x7k2 seed=42 time-origin=2026-11-24T15:00:00Z machine=1/1 start-at=-
plan url=http://db-1:4200,http://db-2:4200,http://db-3:4200 discover=no username=- tls-verified=yes ca-cert-file=- system-ca=- cert-file=- key-file=-
plan preset=records table=crategen.records weight=1 also=- create=yes recreate=no shards=- replicas=- key=yes
plan rows=17200000 duration=- procs=8 batch-size=1000 in-flight=4 in-flight-total=32 batch-interval=0s rate=- ramp-up=0s warm-up=0s insert-path=bulk-args compress=none generator=fast max-body=16777216
plan timeout=90s retries=3 drain-timeout=15s outage-timeout=2m block-timeout=1m max-failed=0 stops-at-max-failed=no max-bytes=- stop-at-disk=watermark fail-on="p99 > 200ms" verify=count`,
  );
});

test('a table without all of its shards is told of in each line, a whole one is not', () => {
  const { server } = sampleState(0);
  const withHealth = (health: 'GREEN' | 'YELLOW' | 'RED' | null): string =>
    renderLine(
      sampleState(0, {
        server: server?.latest ? { ...server, latest: { ...server.latest, health } } : null,
      }),
    );
  assert.match(withHealth('RED'), / queue=36 health=RED limited=/);
  assert.match(withHealth('YELLOW'), / health=YELLOW /);
  for (const health of ['GREEN', null] as const) assert.doesNotMatch(withHealth(health), /health/);
});

test('what was not measured is a dash in text and null in JSON, never 0', () => {
  const state = sampleState(0, {
    window: { rowsPerSecond: 0, bodyBytesPerSecond: 0, p50Ms: null, p99Ms: null, maxMs: null },
    server: null,
    verdict: null,
  });
  assert.match(renderLine(state), / p99=- cpu=- rss=-$/);
  const [line = ''] = log('json', [{ kind: 'tick', state }]).slice(-1);
  const { p99Ms, cpuPercent, residentBytes } = JSON.parse(line);
  assert.deepEqual([p99Ms, cpuPercent, residentBytes], [null, null, null]);
});

test('every JSON line is one object that names its event', () => {
  fc.assert(
    fc.property(fc.array(states, { maxLength: 5 }), (runStates) => {
      const events: RunEvent[] = [
        ...runStates.map((state) => ({ kind: 'tick', state }) as const),
        { kind: 'note', level: 'error', event: 'x', message: '\u0085\u202e"\n', atMs: null },
      ];
      for (const line of log('json', events)) {
        assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
        assert.match(JSON.parse(line).event, /^(plan|target|phase|progress|note)$/);
      }
    }),
    { numRuns: 50 },
  );
});

test('no text line holds a control character, whatever the names in it', () => {
  fc.assert(
    fc.property(states, plans, (state, plan) => {
      const lines = log('text', [{ kind: 'tick', state: { ...state, plan, elapsedMs: 50_000 } }]);
      assert.ok(lines.length >= 7);
      for (const line of [...lines, renderStatusLine(state)]) {
        assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
      }
    }),
    { numRuns: 80 },
  );
});

test('the status line says which run stands where', () => {
  assert.equal(
    renderStatusLine(sampleState(8)),
    'crategen 20261124-1530-x7k2 pid=8118 running 14% crategen.records at http://db-1:4200 +2 nodes: ' +
      't=42s rows=2448000 rows/s=54342 acked=2416000 rejected=0 failed=0 unknown=0 inflight=32000 p99=240.0ms cpu=72% rss=832MiB server=1161% queue=36 limited=cluster',
  );
});

function log(format: 'text' | 'json', events: readonly RunEvent[]): string[] {
  const lines: string[] = [];
  const observer = createLineLog({ write: (line) => lines.push(line), format, everyMs: 10_000 });
  events.forEach(observer);
  return lines;
}
