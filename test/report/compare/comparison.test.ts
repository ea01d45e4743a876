/** Comparisons of run files: what is pooled, what is refused, what is warned of, and how it reads. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageError } from '../../../src/base/errors.ts';
import { seededRandom } from '../../../src/base/seeded-random.ts';
import { compareRuns, pooledByPlan } from '../../../src/report/compare/comparison.ts';
import { compareWorkers, renderWorkers, workersText } from '../../../src/report/compare/by-worker.ts';
import { renderHtmlComparison } from '../../../src/report/compare/html-comparison.ts';
import { renderComparison, renderComparisonMarkdown } from '../../../src/report/compare/render-comparison.ts';
import { toRunFile } from '../../../src/report/run-file.ts';
import type { RunFile } from '../../../src/report/run-file-schema.ts';
import { runWithSeries } from '../long-run.ts';
import { A, B, aRun } from './sample-runs.ts';
import { FACTS, sampleLatencies, sampleResult, view } from '../samples.ts';

describe('a comparison', () => {
  it('pools the repeats of one plan, whatever their seeds, ids and times', () => {
    const pools = pooledByPlan([A[0], B[0], A[1], B[1]].filter((run) => run !== undefined));
    assert.deepEqual(
      pools.map((runs) => runs.map(({ run }) => run.id)),
      [
        ['a1', 'a2'],
        ['b1', 'b2'],
      ],
    );
  });

  it('tells plans apart by the whole of a long setting, of which it shows the beginning', () => {
    const [a, b] = ['x', 'y'].map((last): RunFile => {
      const run = aRun(last, 50_000);
      const source: RunFile['plan']['source'] = { kind: 'ddl', path: `${'a'.repeat(300)}${last}` };
      return { ...run, plan: { ...run.plan, source } };
    });
    assert.ok(a !== undefined && b !== undefined);
    assert.equal(pooledByPlan([a, b]).length, 2);
  });

  it('says what is clearly different, and in which settings the sides differ', () => {
    const comparison = compareRuns([A, B]);
    assert.deepEqual(comparison.fields, [{ about: 'plan', field: 'batchSize', values: ['1000', '500'] }]);
    assert.deepEqual(comparison.warnings, []);
    const text = renderComparison(comparison, view(100));
    assert.match(text, /^B against A: 12 % fewer rows\/s \([\d.]+ % to \d+ %\)/);
    assert.match(text, /latency p99 .* no clear difference/);
    assert.match(text, /batchSize +1000 +500/);
  });

  it('says that there is no clear difference', () => {
    const [first, ...rest] = A;
    const text = renderComparison(compareRuns([[...rest], [first ?? aRun('x', 1)]]), view(100));
    assert.match(text, /^no clear difference between A and B/);
    assert.match(text, /One run is not a repeat: B is judged by/);
  });

  it('says of what it judges a single run by, but not of one that is too short to tell', () => {
    const short = (id: string, rowsPerSecond: number): RunFile => {
      const run = aRun(id, rowsPerSecond);
      return { ...run, series: run.series.slice(0, 5) };
    };
    const warnings = (...sides: (readonly RunFile[])[]): string => compareRuns(sides).warnings.join(' ');
    const [long] = A;
    assert.ok(long !== undefined);
    assert.doesNotMatch(warnings([short('x', 50_000)], [short('y', 40_000)]), /One run/);
    assert.match(
      warnings([long], [aRun('y', 40_000, 1000, 7)]),
      /One run is not a repeat: A and B are judged/,
    );
    assert.match(
      warnings([long], [short('x', 50_000)], [aRun('y', 40_000, 1000, 7)]),
      /One run is not a repeat: A and C are judged/,
    );
  });

  it('refuses sides of mixed plans, a run named twice or on both sides, and targets of different kinds', () => {
    const sandbox = toRunFile(
      sampleResult({ target: { kind: 'sandbox', version: '6.4.3', nodes: ['http://a:1'], keyed: true } }),
      FACTS,
    );
    for (const [groups, expected] of [
      [[[...A.slice(0, 1), ...B.slice(0, 1)], B.slice(1)], /side A: its runs differ in batchSize: 1000, 500/],
      [[[...A, ...A.slice(0, 1)], B], /side A: run a1 is named twice/],
      [[A, A.slice(1)], /run a2 is on more than one side\nrun a3 is on more than one side/],
      [[A, [sandbox]], /different kinds of target: A to cratedb, B to sandbox/],
    ] as const)
      assert.throws(
        () => compareRuns(groups),
        (thrown) => thrown instanceof UsageError && expected.test(thrown.message),
      );
  });

  it('warns of other hosts and servers, of runs that went badly, and of sides made one after the other', () => {
    const elsewhere = B.map((run): RunFile => ({
      ...run,
      host: { ...run.host, cores: 2 },
      target: { ...run.target, version: '6.3.0' },
      run: { ...run.run, exitCode: 4, startedAt: '2026-11-25T00:00:00.000Z' },
    }));
    const outages = [{ fromMs: 2000, toMs: 104_000, why: 'ECONNREFUSED' }];
    const node = { origin: 'http://db-1:4200', requests: 9, acknowledged: 9, errors: [], outages };
    const nodes = toRunFile(
      sampleResult({ nodes: [{ ...node, serviceTime: sampleLatencies(0) }] }),
      FACTS,
    ).nodes;
    const [first, ...others] = A;
    assert.ok(first !== undefined);
    const warnings = compareRuns([[{ ...first, nodes }, ...others], elsewhere]).warnings.join('\n');
    assert.match(warnings, /^In run a1 a node was out for 1m 42s: /m);
    assert.match(warnings, /differ in their host: cores\./);
    assert.match(warnings, /differ in their server: version\./);
    assert.match(warnings, /Run b1 did not end well \(exit 4\)/);
    assert.match(warnings, /crategen ab shuffles them/);
  });

  it('reads the same as Markdown and as a page of its own', () => {
    const comparison = compareRuns([A, B]);
    assert.match(renderComparisonMarkdown(comparison), /^### B against A: 12 % fewer rows\/s/);
    const page = renderHtmlComparison(comparison);
    assert.match(page, /<h1>B against A: 12 % fewer rows\/s/);
    assert.match(page, /script-src 'none'/);
    assert.match(page, /role="img"\s+aria-label="B against A\. rows\/s: 12 % fewer/);
  });

  it('shows lowest, median and highest of repeats alone', () => {
    const text = renderComparison(compareRuns([A]), view(100));
    assert.match(text, /rows\/s +49\.7 k rows\/s +50 k rows\/s +50\.5 k rows\/s/);
  });
});

/** 12 s of equal workers, of each of which one to four batches of 1,000 rows end in a quarter of a second. */
function runOfBatches(workers: number, random: () => number): RunFile {
  const run = runWithSeries(12_000, workers);
  const rows = new Array<number>(workers).fill(0);
  const series = run.series
    .filter((_, point) => point % 25 === 24)
    .map((point) => ({
      ...point,
      workers: point.workers.map((sample) => {
        const grown = (rows[sample.index] ?? 0) + 1000 * (1 + Math.floor(4 * random()));
        rows[sample.index] = grown;
        return { ...sample, rows: grown };
      }),
    }));
  return { ...run, series };
}

describe('the workers of a run', () => {
  it('are not told apart when only noise does', () => {
    const workers = compareWorkers(runWithSeries(302_000, 8));
    assert.equal(workersText(workers), 'no clear difference between the 8 workers');
  });

  it('are named when one is 10 % slower', () => {
    const run = runWithSeries(302_000, 8);
    const slowed = {
      ...run,
      series: run.series.map((point) => ({
        ...point,
        workers: point.workers.map((sample) =>
          sample.index === 3 ? { ...sample, rows: Math.round(sample.rows * 0.9) } : sample,
        ),
      })),
    };
    const workers = compareWorkers(slowed);
    assert.match(workersText(workers), /^worker 3 is \d+ % slower than the others$/);
    assert.match(renderWorkers(workers, view(120)), /3 +8124 .* slower \(−1\d\.\d % to −\d+\.\d %\)/);
  });

  it('are not told apart by chance when few batches end in each window', () => {
    const told = Array.from({ length: 100 }, (_, seed) => {
      const random = seededRandom(seed + 1);
      const workers = compareWorkers(runOfBatches(2, random), seed);
      return workers.some(({ verdict }) => verdict !== 'noClearDifference');
    });
    assert.ok(told.filter(Boolean).length <= 10, `${told.filter(Boolean).length} of 100 runs`);
  });

  it('are shown with what they sent and how long they waited for a core, which says who starved whom', () => {
    const run = runWithSeries(302_000, 2);
    const [first, second] = run.workers;
    assert.ok(first !== undefined && second !== undefined);
    const waited = { ...first, coreWaitMs: 30_200, sentBytes: 5 * 2 ** 20, receivedBytes: null };
    const text = renderWorkers(compareWorkers({ ...run, workers: [waited, second] }), view(200));
    const [header = '', row = ''] = text.split('\n').slice(2);
    const cells = row.trim().split(/ {2,}/);
    const at = (name: string): string | undefined => cells[header.trim().split(/ {2,}/).indexOf(name)];
    assert.deepEqual([at('core wait'), at('sent MiB'), at('received MiB')], ['10 %', '5', '–']);
  });
});
