/** The server's measures as curves: what was not measured is a gap, not a line from before to after. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toRunFile } from '../../src/report/run-file.ts';
import { serverCurves } from '../../src/report/server-curves.ts';
import { FACTS, sampleResult, sampleServer } from './samples.ts';

/** Moments and values of the first node's CPU, sampled at these times. */
function cpuAt(timesMs: readonly number[]): readonly (readonly [number | undefined, number | null])[] {
  const server = sampleServer(timesMs.length);
  const samples = server.samples.map((sample, index) => ({ ...sample, tMs: timesMs[index] ?? 0 }));
  const run = toRunFile(sampleResult({ server: { ...server, samples } }), FACTS);
  const cpu = serverCurves(run).find(({ id }) => id === 'server-cpu')?.curves;
  return (cpu?.curves[0]?.values ?? []).map((value, index) => [cpu?.atMs[index], value]);
}

test('a server that was silent for a while has a gap there', () => {
  assert.deepEqual(cpuAt([0, 2000, 19_000, 21_000, 23_000]), [
    [0, 388],
    [2000, 388],
    [10_500, null],
    [19_000, 388],
    [21_000, 388],
    [23_000, 388],
  ]);
});

test('a sample that is somewhat late makes no gap, nor do samples that are few', () => {
  assert.equal(cpuAt([0, 2000, 4000, 9500, 11_500]).length, 5);
  assert.equal(cpuAt([0, 9000]).length, 2);
  assert.equal(cpuAt([500]).length, 1);
});
