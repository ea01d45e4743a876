/** The plan of a ceiling: the client's work of a run, and nothing that a server or a table decides. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ceilingPlanOf, ceilingSettings } from '../../src/plan/ceiling.ts';
import { parseCeilingPlan } from '../../src/plan/parse-ceiling-plan.ts';
import type { ParsedRunPlan } from '../../src/plan/plan-input.ts';
import type { RunPlan } from '../../src/plan/run-plan.ts';
import type { RawValue } from '../../src/plan/settings.ts';
import { samplePlan } from '../support/sample-plan.ts';
import { FACTS, parse } from './parse-input.ts';

type Values = Readonly<Record<string, RawValue>>;

/** As `crategen ceiling` parses its flags. */
function ceiling(
  flags: Values,
  config: Values | null = null,
): ParsedRunPlan & { readonly refused: readonly string[] } {
  const file = config === null ? null : { path: 'c.yaml', settings: new Map(Object.entries(config)) };
  const settings = ceilingSettings(new Map(Object.entries(flags)), file);
  const parsed = parse(Object.fromEntries(settings.flags), {
    command: 'ceiling',
    env: { CRATEDB_CLUSTER_URL: 'http://db:4200', CRATEDB_PASSWORD: 'x' },
    ...(settings.config === null ? {} : { config: Object.fromEntries(settings.config.settings) }),
  });
  return { ...parsed, refused: settings.problems };
}

function plannedOf(parsed: ParsedRunPlan): RunPlan {
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.problems.join('\n'));
  const { schema } = parsed.plan.table;
  assert.ok(schema !== null);
  return { ...parsed.plan, table: { ...parsed.plan.table, schema } };
}

function ofRun(flags: Values, stored: RunPlan): ParsedRunPlan {
  const settings = ceilingSettings(new Map(Object.entries({ run: 'latest', ...flags })), null);
  return parseCeilingPlan({ ...settings, env: {}, facts: FACTS }, stored);
}

describe('the plan of a ceiling', () => {
  test('has a target of its own whatever the environment names, and a short length of its own', () => {
    const { refused, ...parsed } = ceiling({ preset: 'metrics', procs: '3', compress: 'deflate' });
    const { command, target, bounds, load } = plannedOf(parsed);
    assert.deepEqual(refused, []);
    assert.deepEqual([command, target.kind, target.nodes], ['ceiling', 'embedded', []]);
    assert.deepEqual(bounds, { rows: null, durationMs: 10_000 });
    assert.deepEqual([load.procs, load.compression, load.warmUpMs], [3, 'deflate', 2000]);
  });

  test('has no warm-up but one that is asked for when its length is', () => {
    assert.deepEqual(plannedOf(ceiling({ rows: '20k' })).load.warmUpMs, 0);
    assert.deepEqual(plannedOf(ceiling({ duration: '1s' })).bounds, { rows: null, durationMs: 1000 });
    assert.equal(plannedOf(ceiling({ 'warm-up': '3s' })).load.warmUpMs, 3000);
  });

  test('refuses by name what a server, a table or a schedule would decide', () => {
    const { refused } = ceiling({
      url: ['http://db:4200'],
      recreate: true,
      rate: '5k',
      repeat: '3',
      verify: 'rows',
    });
    assert.deepEqual(refused, [
      '--url: not with ceiling: it starts a target of its own',
      '--recreate: not with ceiling: no table is made',
      '--rate: not with ceiling: it goes as fast as this client can, from the start',
      '--repeat: not with ceiling: it is one short run on this machine',
      '--verify: not with ceiling: nothing is stored',
    ]);
  });

  test('refuses what its target cannot answer unread: the PostgreSQL wire, and a last batch that is smaller', () => {
    const parsed = ceiling({ 'insert-path': 'pg', rows: '1500' });
    assert.deepEqual(parsed.ok ? [] : parsed.problems, [
      '--insert-path pg: expected bulk-args, unnest or values: the target of a ceiling speaks HTTP only',
      '--rows 1,500: expected whole batches of 1,000 rows: the target of a ceiling does not look into requests',
    ]);
  });

  test('takes from the config file of the real run what the client does, and neither target, rate nor length', () => {
    const config = { url: 'http://db:4200', rate: '1k', rows: '7', preset: 'everything', 'batch-size': '50' };
    const { refused, ...parsed } = ceiling({}, config);
    const { bounds, load, table } = plannedOf(parsed);
    assert.deepEqual(refused, []);
    assert.deepEqual([bounds.rows, load.rowsPerSecond, load.batchSize], [null, null, 50]);
    assert.deepEqual(table.source, { kind: 'preset', name: 'everything' });
  });

  test('does not measure other rows in silence where the config file wants those of a table', () => {
    assert.match(
      ceiling({}, { like: 'a.b' }).refused[0] ?? '',
      /^like in c\.yaml: not with ceiling: no server is asked/,
    );
    assert.deepEqual(ceiling({ preset: 'records' }, { like: 'a.b' }).refused, []);
  });
});

describe('the plan of ceiling --run', () => {
  const base = samplePlan();
  const held: RunPlan = {
    ...base,
    runId: 'held',
    load: { ...base.load, rowsPerSecond: 5000, rampUpMs: 1000, batchSize: 250, compression: 'gzip' },
    safety: { ...base.safety, maxBytes: 5000 },
    machine: { index: 2, count: 3 },
    failOn: [{ metric: 'p99', operator: '>', value: 1, text: 'p99>1ms' }],
  };

  test('is the work of the run without what held it back, under a run id of its own', () => {
    const plan = plannedOf(ofRun({}, held));
    assert.deepEqual(
      [plan.load.rowsPerSecond, plan.load.rampUpMs, plan.safety.maxBytes, plan.machine.count, plan.failOn],
      [null, 0, null, 1, []],
    );
    assert.deepEqual(
      [plan.load.batchSize, plan.load.compression, plan.load.procs],
      [250, 'gzip', held.load.procs],
    );
    assert.deepEqual([plan.seed, plan.table.schema], [held.seed, held.table.schema]);
    assert.deepEqual(plan.bounds, { rows: null, durationMs: 10_000 });
    assert.notEqual(plan.runId, held.runId);
    assert.deepEqual(ceilingPlanOf(held).target.nodes, []);
  });

  test('takes no other plan beside that of the run, but its own length and thresholds', () => {
    const refused = ofRun({ preset: 'metrics', procs: '2' }, held);
    assert.deepEqual(refused.ok ? [] : refused.problems, [
      '--preset: expected without --run, which takes the plan of that run',
      '--procs: expected without --run, which takes the plan of that run',
    ]);
    const plan = plannedOf(ofRun({ rows: '5k', 'fail-on': ['rows/s<1'] }, held));
    assert.deepEqual([plan.bounds.rows, plan.failOn.length], [5000, 1]);
  });

  test('is refused for a run over the PostgreSQL wire', () => {
    const parsed = ofRun({}, { ...held, load: { ...held.load, insertPath: 'pg' } });
    assert.match(parsed.ok ? '' : parsed.problems.join(), /--insert-path pg: expected bulk-args/);
  });
});
