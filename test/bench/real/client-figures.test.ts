import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientSample, clientFigures } from './client-figures.ts';

function sampleOf(stored: number, cpuSeconds: number | null): ClientSample {
  return { stored, cpuSeconds, wallSeconds: 1, treeCpuSeconds: 1, serverCpuSeconds: null };
}

test('two sizes of a run tell what a million rows more cost and what a run costs beside its rows', () => {
  const many = new Map([['crategen' as const, [sampleOf(500_000, 0.25)]]]);
  const few = new Map([['crategen' as const, [sampleOf(100_000, 0.09)]]]);
  const medians = new Map(clientFigures(many, few).map(({ name, median }) => [name, median]));
  assert.ok(Math.abs((medians.get('crategen, a million rows more') ?? 0) - 0.4) < 1e-9);
  assert.ok(Math.abs((medians.get('crategen, a run beside its rows') ?? 0) - 50) < 1e-9);
});

test('without the CPU of one of the two sizes there is neither', () => {
  const many = new Map([['crategen' as const, [sampleOf(500_000, 0.25)]]]);
  const few = new Map([['crategen' as const, [sampleOf(100_000, null)]]]);
  const names = clientFigures(many, few).map(({ name }) => name);
  assert.ok(!names.some((name) => name.includes('a million rows more')));
});
