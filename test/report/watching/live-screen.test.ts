/** The live screen as text: complete at 80 columns, whole at any size. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import type { RunState, WorkerState } from '../../../src/coordinator/run-state.ts';
import { EMPTY_LEDGER } from '../../../src/metrics/ledger.ts';
import { type LiveView, renderLiveScreen, scrollRange } from '../../../src/report/watching/live-screen.ts';
import { textWidth } from '../../../src/report/styled-text.ts';
import { states } from '../arbitraries.ts';
import { sampleServerView, sampleSnapshot, sampleState, sampleWorkerState, view } from '../samples.ts';
import { samplePlan } from '../../support/sample-plan.ts';

const ERRORS = [
  { class: 'timeout', code: null, rows: 4000, batches: 4, example: 'no reply within 90 s' },
  { class: 'constraint', code: 4000, rows: 31, batches: 9, example: 'CHECK failed\u001b[31m' },
  { class: 'closed', code: null, rows: 3, batches: 1, example: 'other side closed' },
  { class: 'badReply', code: null, rows: 2, batches: 1, example: 'truncated' },
];

test('at 80 columns everything is there: target, progress, rates, each worker, totals, parent, keys', () => {
  assert.equal(
    screen(sampleState(2), 80),
    `http://db-1:4200 +2 nodes · CrateDB 6.4.3 · crategen.records      running  00:42
  ░░░░░░░░░░░░  604 k of 17.2 m rows · 14.4 k rows/s (mean 14.4 k) · ETA 05:05
  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇  p50  61 ms p99 240 ms max 812 ms · 3.36 MiB/s · 8/8 in flight

  #          pid state    rows/s   rows  batch  err in fl   cpu   MiB loop died
  0         8121 running  7.15 k  302 k    302    0     4   9 %   104  4 %    0
  1         8122 running  7.16 k  302 k    302    0     4   9 %   104  4 %    0
  all          2          14.4 k  604 k    604    0     8  18 %   208         0
  parent    8118                                            2 %    81  1 %

  server   db-1  cpu 388 % of 400 %  heap 63 %  write queue 12  rejected 0
           db-2  cpu 387 % of 400 %  heap 63 %  write queue 12  rejected 0
           db-3  cpu 386 % of 400 %  heap 63 %  write queue 12  rejected 0
  limited by the cluster: its CPUs are 97 % busy
  q stop gracefully   s sort: number   e errors   ? help`,
  );
});

test('at 60, 100 and 200 columns the table keeps what matters and spells out what fits', () => {
  assert.match(screen(sampleState(1), 60), /^ {2}#.* rows\/s .* rows .* err .* cpu /m);
  assert.match(screen(sampleState(1), 100), /batches errors in flight .* rss MiB loop restarts/);
  assert.match(screen(sampleState(1), 200), /batches {2}errors {2}in flight .* rss MiB {2}loop {2}restarts/);
});

test('with more workers than lines those in trouble stay, and the rest is counted', () => {
  const died = sampleWorkerState(77, { restarts: 1 });
  const waiting = sampleWorkerState(100, {
    total: sampleSnapshot({ waiting: { cause: 'outage', detail: 'ECONNREFUSED', sinceNs: 1n } }),
  });
  const state = sampleState(128);
  const shown = screen({ ...state, workers: state.workers.with(77, died).with(100, waiting) }, 100, {
    rows: 24,
  });
  assert.equal(shown.split('\n').length, 23);
  assert.match(shown, /^ {2}77 .* 1$/m);
  assert.match(shown, /^ {2}100 .*paused/m);
  assert.match(shown, /… 117 more workers · all 128: 7\.15 k to 8\.42 k rows\/s each/);
  assert.match(shown, /^ {2}all .* 128 /m);
});

test('any part of 128 workers can be scrolled to, and what is before and after is counted', () => {
  const state = sampleState(128, { server: null, verdict: null });
  const at = (scroll: number): string => screen(state, 100, { rows: 24, scroll });
  assert.match(at(0), /^ {2}0 /m);
  assert.match(at(0), /… 115 more workers .* · ↑ ↓ scroll$/m);
  assert.match(at(50), /^ {2}50 [^]*^ {2}62 .*\n {2}… 50 before, 65 workers after · all 128: /m);
  assert.match(at(9999), /^ {2}127 .*\n {2}… 115 workers before · all 128: /m);
  const { most, page } = scrollRange(state, { ...liveView(100), rows: 24 });
  assert.deepEqual({ most, page }, { most: 115, page: 13 });
  assert.equal(at(most), at(9999));
  assert.deepEqual(scrollRange(sampleState(8), { ...liveView(100), rows: 60 }), { most: 0, page: 8 });
});

test('help and errors that do not fit are scrolled, to their last line and no further', () => {
  const errors = Array.from({ length: 40 }, (_, code) => ({
    class: 'c',
    code,
    rows: 99 - code,
    batches: 1,
    example: `example ${code}`,
  }));
  const state = sampleState(2, { total: sampleSnapshot({ errors }) });
  assert.doesNotMatch(screen(state, 80, { rows: 24, showErrors: true }), /example 39/);
  assert.match(
    screen(state, 80, { rows: 24, showErrors: true, scroll: 9999 }),
    /example 39\n {2}… 65 lines above · ↑ ↓ scroll\n\n.*limited by/,
  );
  assert.match(
    screen(state, 80, { rows: 24, showErrors: true, scroll: 5 }),
    /… 5 above, 60 lines below · ↑ ↓ scroll/,
  );
  assert.match(screen(state, 40, { rows: 20, showHelp: true, scroll: 9999 }), /died here and were/);
});

test('help says what each key does and what each column means, as its header is written at any width', () => {
  const help = screen(sampleState(1), 100, { rows: 60, showHelp: true });
  assert.match(help, /sort the processes by number, rows\/s, cpu, memory, errors, restarts/);
  for (const columns of [40, 80, 200]) {
    const header = screen(sampleState(1), columns).match(/^ {2}#.*$/m)?.[0] ?? '';
    for (const name of header.trim().split(/ +/)) assert.ok(help.includes(name), `${columns}: ${name}`);
  }
});

test('where there is no room for a worker, the progress and the verdict stay', () => {
  assert.equal(
    screen(sampleState(8), 40, { rows: 6 }),
    `crategen.records          running  00:42
  2.42 m of 17.2 m rows · 57.5 k rows/s
  p99 240 ms max 812 ms
  limited by the cluster: its CPUs are
  97 % busy`,
  );
  assert.equal(screen(sampleState(8), 20, { rows: 1 }), 'crategen.r…  running');
});

test('a sentence that is longer than its lines says so', () => {
  const verdict = {
    verdict: 'rate' as const,
    evidence: ['the 800 rows/s that were asked for were kept, 0 % of them dropped'],
  };
  assert.match(
    screen(sampleState(8, { verdict }), 40, { rows: 20 }),
    /^ {2}limited by the rate that was asked\n {2}for: the 800 rows\/s that were asked …$/m,
  );
});

test('a row whose numbers have given way is left out', () => {
  assert.match(screen(sampleState(2), 80), /^ {2}parent/m);
  assert.doesNotMatch(screen(sampleState(2), 40), /^ {2}parent/m);
});

test('the workers stand in the order that was asked for', () => {
  const worker = (
    index: number,
    rate: number,
    cpuPercent: number | null,
    residentBytes: number,
  ): WorkerState => sampleWorkerState(index, { rowsPerSecond: rate, outside: { cpuPercent, residentBytes } });
  const state = sampleState(0, {
    workers: [worker(0, 5, 30, 1), worker(1, 9, null, 3), worker(2, 7, 60, 2)],
  });
  const orders = { index: '0 1 2', rate: '1 2 0', cpu: '2 0 1', memory: '1 2 0' } as const;
  for (const sort of ['index', 'rate', 'cpu', 'memory'] as const) {
    const shown = screen(state, 100, { sort })
      .match(/^ {2}\d+ /gm)
      ?.map((text) => text.trim());
    assert.equal(shown?.join(' '), orders[sort], sort);
  }
});

test('three errors are named under the table, and all of them on demand', () => {
  const state = sampleState(2, { total: sampleSnapshot({ errors: ERRORS }) });
  const shown = screen(state, 100);
  assert.match(shown, /4,000 × timeout: no reply within 90 s/);
  assert.match(shown, /31 × constraint 4000: CHECK failed␛\[31m/);
  assert.match(shown, /and 1 more class: press e/);
  const all = screen(state, 100, { showErrors: true });
  assert.match(all, /2 × badReply in 1 attempt\n {4}truncated/);
  assert.doesNotMatch(all, /8121/);
});

test('the server has a line a node where there is room, and the verdict stands with its evidence', () => {
  const { nodes, latest } = sampleServerView();
  const more = nodes.map((node, index) => ({ ...node, name: `db-${index + 4}` }));
  const samples = (latest?.nodes ?? []).map((sample) => ({ ...sample, node: sample.node + 3 }));
  const six = {
    nodes: [...nodes, ...more],
    latest: latest === null ? null : { ...latest, nodes: [...latest.nodes, ...samples] },
    note: '',
  };
  const verdict = { verdict: 'cluster', evidence: ['its CPUs are 97 % busy', 'more'] } as const;
  const tall = screen(sampleState(2, { server: six, verdict }), 100, { rows: 60 });
  assert.match(
    tall,
    /^ {2}server {3}db-1 {2}cpu 388 % of 400 % {2}heap 63 % {2}write queue 12 {2}rejected 0$/m,
  );
  assert.match(tall, /^ {11}db-3 {2}cpu/m);
  const single = { ...sampleServerView(), nodes: nodes.map((node) => ({ ...node, cores: 1 })) };
  assert.match(screen(sampleState(2, { server: single }), 100), /db-1 {2}cpu 388 % of one core {2}heap/);
  assert.match(tall, /^ {11}and 3 more nodes$/m);
  assert.match(tall, /^ {2}limited by the cluster: its CPUs are 97 % busy$/m);
  assert.match(screen(sampleState(2), 200, { rows: 24 }), /^ {2}server {3}db-1 .* · db-2 .* · db-3 /m);
  const unclear = screen(sampleState(2, { verdict: { verdict: 'unclear', evidence: ['x'] } }), 100);
  assert.doesNotMatch(unclear, /limited by/);
  const silent = { nodes: [], latest: null, note: 'this user may not read sys.nodes' };
  assert.match(
    screen(sampleState(2, { server: silent }), 100),
    /^ {2}server {3}this user may not read sys\.nodes$/m,
  );
});

test('a pause says who is waited for, and no ETA is invented', () => {
  const waiting = { cause: 'outage', detail: 'connect ECONNREFUSED 127.0.0.1:4200', sinceNs: 1n } as const;
  const shown = screen(sampleState(2, { total: sampleSnapshot({ waiting }) }), 100);
  assert.match(shown, /paused {2}00:42/);
  assert.match(shown, /no node takes rows; batches are held until one does · connect ECONNREFUSED/);
  assert.doesNotMatch(shown, /ETA/);
  const overload = screen(
    sampleState(2, { total: sampleSnapshot({ waiting: { ...waiting, cause: 'overload' } }) }),
    100,
  );
  assert.match(overload, /slowed {2}00:42/);
  assert.match(overload, /the server asks for less/);
});

test('each phase says what it waits for', () => {
  const expected = {
    preparing: /the table is looked at/,
    starting: /starting 2 processes: 0 ready/,
    warmingUp: /not in rates and latencies/,
    draining: /8 requests in flight may still be answered/,
    resolving: /asked for 0 rows that had no answer/,
    verifying: /counts the rows of this run/,
  } as const;
  for (const phase of ['preparing', 'starting', 'warmingUp', 'draining', 'resolving', 'verifying'] as const) {
    assert.match(screen(sampleState(2, { phase }), 100), expected[phase], phase);
  }
  assert.match(screen(sampleState(2, { phase: 'draining' }), 100), /q stop now/);
});

test('a run that reached its bound says that it waits for its last answers, and no time left', () => {
  const plan = samplePlan({ bounds: { rows: null, durationMs: 41_000 } });
  const late = screen(sampleState(2, { plan, plannedRows: null }), 100);
  assert.match(late, /ending {2}00:42 \/ 00:41/);
  assert.match(late, /^ {2}ending: nothing new is sent, 8 requests in flight may still be answered$/m);
  assert.doesNotMatch(late, /ETA/);
  const state = sampleState(2);
  const offered = screen({ ...state, plannedRows: state.total.ledger.offered }, 100);
  assert.match(offered, /^ {2}ending: nothing new is sent/m);
  const slow = samplePlan({ bounds: { rows: 604_000, durationMs: null } });
  const total = { ...state.total, ledger: { ...EMPTY_LEDGER, offered: 604_000, acknowledged: 604_000 } };
  const paced = { ...slow, load: { ...slow.load, rowsPerSecond: 10_000 } };
  const early = screen({ ...state, plan: paced, plannedRows: 604_000, total }, 100);
  assert.match(early, /^ {2}ending: all is answered before the schedule is over$/m);
});

test('the mean rate of a resumed run is of the rows that it stored itself', () => {
  const state = sampleState(2);
  const { acknowledged } = state.total.ledger;
  const own = (earlierRows: number): string => screen({ ...state, earlierRows }, 100);
  assert.match(own(0), /\(mean 14\.4 k\)/);
  assert.match(own(acknowledged), /\(mean 0\)/);
});

test('a run bounded by time shows its limit and measures its progress by it', () => {
  const plan = samplePlan({ bounds: { rows: null, durationMs: 84_000 } });
  const shown = screen(sampleState(2, { plan, plannedRows: null }), 100);
  assert.match(shown, /00:42 \/ 01:24/);
  assert.match(shown, /█{16}░{16} {2}604 k rows · .* · ETA 00:42/);
});

test('a stand-in never loses its name, and unverified TLS is said on every frame', () => {
  const plan = samplePlan({
    target: { ...samplePlan().target, tls: { ...samplePlan().target.tls, verify: false } },
  });
  const target = {
    kind: 'sandbox',
    version: '6.4.3',
    nodes: ['http://127.0.0.1:4711'],
    keyed: true,
  } as const;
  for (const columns of [70, 80, 100, 200]) {
    const shown = screen(sampleState(2, { plan, target }), columns);
    assert.match(shown, /^.*sandbox/, String(columns));
    assert.match(shown, /^.*TLS NOT VERIFIED/, String(columns));
  }
});

test('what was not measured is a dash', () => {
  const worker = sampleWorkerState(0, {
    outside: { cpuPercent: null, residentBytes: null },
    total: sampleSnapshot({ use: { ...sampleSnapshot().use, residentBytes: 0 } }),
  });
  const window = { rowsPerSecond: 1, bodyBytesPerSecond: 1, p50Ms: null, p99Ms: null, maxMs: null };
  const shown = screen(sampleState(1, { workers: [worker], window }), 100);
  assert.match(shown, /^ {2}0 .* – +– +4 % +0$/m);
  assert.match(shown, /p50 +– {2}p99 +– {2}max +–/);
});

test('keys that do not reach us are not offered', () => {
  const shown = screen(sampleState(2), 100, { hasKeys: false });
  assert.match(shown, /\n {2}Ctrl-C stop gracefully$/);
});

test('any state at any size renders, in lines that fit and hold no control character', () => {
  const views = fc.record({
    columns: fc.constantFrom(20, 40, 60, 80, 100, 200),
    rows: fc.integer({ min: 1, max: 70 }),
    colour: fc.boolean(),
    unicode: fc.boolean(),
    sort: fc.constantFrom('index' as const, 'rate' as const, 'cpu' as const, 'memory' as const),
    scroll: fc.nat(300),
    showErrors: fc.boolean(),
    showHelp: fc.boolean(),
    hasKeys: fc.boolean(),
  });
  fc.assert(
    fc.property(states, views, (state, liveView) => {
      const lines = renderLiveScreen(state, liveView);
      assert.ok(lines.length >= 1 && lines.length <= Math.max(1, liveView.rows - 1));
      for (const line of lines) {
        const shown = liveView.colour ? line.replace(/\u001b\[[0-9;]*m/g, '') : line;
        assert.doesNotMatch(shown, liveView.unicode ? /[\u0000-\u001f\u007f-\u009f\u202e]/ : /[^\x20-\x7e]/);
        assert.ok(textWidth(shown) <= liveView.columns, `${liveView.columns}: ${shown}`);
      }
    }),
    { numRuns: 150 },
  );
});

test('a screen of 80 by 24 shows eight workers with all their columns and three errors', () => {
  const shown = screen(sampleState(8, { total: sampleSnapshot({ errors: ERRORS.slice(0, 3) }) }), 80, {
    rows: 24,
  });
  assert.equal(shown.match(/^ {2}\d+ +\d+ running/gm)?.length, 8);
  assert.equal(shown.match(/ × /g)?.length, 3);
  assert.match(shown, /loop died\n/);
});

function screen(state: RunState, columns: number, changes: Partial<LiveView> = {}): string {
  const lines = renderLiveScreen(state, { ...liveView(columns), ...changes });
  return stripVTControlCharacters(lines.join('\n'));
}

function liveView(columns: number): LiveView {
  return {
    ...view(columns),
    rows: 60,
    sort: 'index',
    showErrors: false,
    showHelp: false,
    scroll: 0,
    hasKeys: true,
  };
}
