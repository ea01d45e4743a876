import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadWatch } from '../../src/coordinator/load-watch.ts';
import type { RunPlan } from '../../src/plan/run-plan.ts';
import type { Verdict } from '../../src/metrics/bottleneck.ts';
import { EMPTY_LEDGER } from '../../src/metrics/ledger.ts';
import { NO_ANSWERS, type Waiting, emptySnapshot } from '../../src/metrics/snapshot.ts';
import type { ServerTelemetry } from '../../src/metrics/telemetry.ts';
import { PLAN } from './support.ts';

const HOST = { cores: 8, cgroupCores: null, memoryBytes: 2 ** 33 };
const TARGET = { kind: 'cratedb', version: '6.4.3', nodes: ['http://db-1:4200'], keyed: true } as const;
const ASKED = 2000;

/** Readings of a run of `seconds` that has settled so many rows after each of them. */
function verdictOf(
  plan: Partial<RunPlan>,
  seconds: number,
  settledAfter: (second: number) => number,
  causeAfter: (second: number) => Waiting['cause'] | null = () => null,
  server: ServerTelemetry | null = null,
): Verdict {
  const load = { ...PLAN.load, rowsPerSecond: ASKED, ...plan.load };
  const whole = { ...PLAN, bounds: { rows: null, durationMs: 60_000 }, ...plan, load };
  const watch = new LoadWatch({ plan: whole, host: HOST });
  const readings = Array.from({ length: seconds }, (_, index) => {
    const rows = settledAfter(index + 1);
    const requests = rows / load.batchSize;
    const ledger = { ...EMPTY_LEDGER, offered: rows, acknowledged: rows };
    const answers = { ...NO_ANSWERS, requests, serviceUs: requests * 1e5, toldServiceUs: requests * 1e5 };
    const cause = causeAfter(index + 1);
    const waiting = cause === null ? null : { cause, detail: 'ECONNREFUSED', sinceNs: 1n };
    return {
      atMs: (index + 1) * 1000,
      total: {
        ...emptySnapshot(0),
        sequence: index + 1,
        atMs: (index + 1) * 1000,
        ledger,
        answers,
        waiting,
      },
      parentCpuUs: 0,
      host: { busyMs: null, throttledMs: null, receivedBytes: null, sentBytes: null },
    };
  });
  for (const reading of readings) watch.take(reading);
  const last = readings.at(-1);
  assert.ok(last);
  return watch.verdict(last, TARGET, server);
}

test('a schedule whose rows are answered as they come due, however late, is the limit', () => {
  const { verdict } = verdictOf({}, 30, (second) => Math.max(0, second - 4) * ASKED);
  assert.equal(verdict, 'rate');
});

test('a schedule that the target falls behind is not, although nothing was dropped yet', () => {
  const { verdict, evidence } = verdictOf({}, 30, (second) => second * 1380);
  assert.notEqual(verdict, 'rate');
  assert.ok(
    evidence.some((each) => /^\d+ % of the 2,000 rows\/s .* came to wait longer and longer$/.test(each)),
    evidence.join('\n'),
  );
});

test('a ramp asks for less at first', () => {
  const load = { ...PLAN.load, rowsPerSecond: ASKED, rampUpMs: 60_000 };
  const due = (second: number): number => (ASKED * second * second) / 120;
  assert.equal(verdictOf({ load }, 40, due).verdict, 'rate');
  assert.notEqual(verdictOf({ load }, 40, (second) => due(second) * 0.7).verdict, 'rate');
});

test('what is answered after the schedule has ended says nothing about it', () => {
  const bounds = { rows: 20_000, durationMs: null };
  assert.equal(verdictOf({ bounds }, 40, (second) => Math.min(second * ASKED, 20_000)).verdict, 'rate');
});

test('the time in which the workers could send nothing is counted by what held them', () => {
  const load = { ...PLAN.load, rowsPerSecond: null };
  const held = (from: number, cause: Waiting['cause']): Verdict =>
    verdictOf(
      { load },
      21,
      (second) => Math.min(second, from) * 5000,
      (second) => (second > from ? cause : null),
    );
  assert.equal(held(6, 'blocked').verdict, 'cluster');
  assert.equal(held(6, 'blocked').evidence[0], 'the table took no rows 75 % of the time');
  assert.equal(held(6, 'outage').evidence[0], 'no node took rows 75 % of the time');
  assert.equal(held(16, 'outage').evidence[1], 'no node took rows 25 % of the time');
  assert.doesNotMatch(held(6, 'overload').evidence.join('; '), /of the time in which|node took rows|took no/);
});

test('looks at which the table was red are counted, of those that saw its health', () => {
  const healths = ['GREEN', 'YELLOW', 'RED', 'RED', null, 'RED', null, 'RED', 'RED'] as const;
  const samples = healths.map((health, index) => ({
    tMs: 3000 + index * 2000,
    nodes: [],
    insertsPerSecond: null,
    insertMeanMs: null,
    translogBytes: null,
    health,
  }));
  const server = { nodes: [], samples, overhead: { queries: 9, meanMs: 1 }, note: '' };
  const load = { ...PLAN.load, rowsPerSecond: null };
  const { verdict, evidence } = verdictOf({ load }, 21, () => 0, undefined, server);
  assert.equal(verdict, 'cluster');
  assert.match(evidence.join('; '), /shards of the table had no primary 71 % of the time/);
});
