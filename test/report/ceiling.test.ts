/** What a ceiling says: its figures, whose limit it was, and which share of it a run reached. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ceilingTexts, meaningOf } from '../../src/report/ceiling.ts';
import { renderHtmlReport } from '../../src/report/html/document.ts';
import { splitEvidence } from '../../src/report/limit.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { measuredRun } from '../../src/report/measured-run.ts';
import { toRunFile } from '../../src/report/run-file.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { renderSummary } from '../../src/report/summary/summary.ts';
import { samplePlan } from '../support/sample-plan.ts';
import { FACTS, sampleResult, view } from './samples.ts';

const REAL = toRunFile(sampleResult(), FACTS);

function withRate(run: RunFile, rowsPerSecond: number | null): RunFile {
  return { ...run, throughput: { ...run.throughput, acknowledgedRowsPerSecond: rowsPerSecond } };
}

function ceilingFile(rowsPerSecond: number | null, changes: Partial<RunFile> = {}): RunFile {
  const base = samplePlan();
  const plan = {
    ...base,
    command: 'ceiling',
    target: { ...base.target, kind: 'embedded', nodes: [] },
  } as const;
  const target = { kind: 'discard', version: '6.4.3', nodes: ['http://127.0.0.1:1'], keyed: true } as const;
  const bottleneck = { verdict: 'client', evidence: [] } as const;
  const file = toRunFile(sampleResult({ plan, target, bottleneck }), FACTS);
  return { ...withRate(file, rowsPerSecond), ...changes };
}

/** A ceiling that was measured for a run at this rate. */
function measured(ceiling: number | null, rate: number | null, changes: Partial<RunFile> = {}): RunFile {
  const file = ceilingFile(ceiling);
  return { ...file, measuredFor: measuredRun(file, { ...withRate(REAL, rate), ...changes }) };
}

const textOf = (run: RunFile): string =>
  ceilingTexts(run)
    .map(({ text }) => text)
    .join('\n');

describe('the share of a ceiling', () => {
  test('is what the run did per second, of what the client can do', () => {
    const run = measured(287_000, 118_000);
    assert.equal(run.measuredFor?.share, 118 / 287);
    assert.match(textOf(run), /reached 41 % of what this client can do here: 118 k of 287 k rows\/s/);
    assert.match(textOf(run), /far below: not the client limited it/);
    assert.match(textOf(measured(578_000, 2560)), /reached less than 1 % of what this client can do here/);
    assert.match(textOf(measured(578_000, 0)), /reached 0 % of what/);
  });

  test('is no number where one of the rates is unknown, and never one that is not finite', () => {
    const rate = fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }));
    fc.assert(
      fc.property(rate, rate, (ceiling, reached) => {
        const share = measured(ceiling, reached).measuredFor?.share;
        if (ceiling === null || reached === null || ceiling === 0) assert.equal(share, null);
        else assert.equal(share, reached / ceiling);
      }),
    );
    assert.match(textOf(measured(5, null)), /none: run .* has no rate/);
    for (const ceiling of [null, 0])
      assert.match(textOf(measured(ceiling, 5)), /^none: the run ended before it had a rate/);
  });

  test('means one thing in each of its ranges', () => {
    const meaning = (
      share: number,
      limitedBy: 'cluster' | 'rate' | 'client' = 'client',
      lower = false,
    ): string => meaningOf(share, { limitedBy }, lower).split(/[:,]/)[0] ?? '';
    assert.deepEqual(
      [0.2, 0.49, 0.5, 0.79, 0.8, 1.05, 1.06].map((share) => meaning(share)),
      [
        'far below',
        'far below',
        'between',
        'between',
        'near the ceiling',
        'near the ceiling',
        'more than the ceiling',
      ],
    );
    assert.equal(meaning(0.3, 'rate'), 'the run went at the rate that was asked for');
    assert.equal(meaning(0.9, 'cluster', true), 'at most');
  });

  test('is doubted where host or versions differ, field by field', () => {
    const run = measured(200, 100, { host: { ...REAL.host, cores: 64 } });
    assert.deepEqual(run.measuredFor?.hostDiffers, [`cores ${REAL.host.cores} here, 64 there`]);
    assert.match(textOf(run), /cores .* here, 64 there: the share compares two machines/);
    assert.doesNotMatch(textOf(measured(200, 100)), /two machines/);
  });
});

describe('a ceiling as it is shown', () => {
  test('says what its target took and that this bounds it from below, or that the target was the limit', () => {
    assert.match(textOf(ceilingFile(5)), /lower bound of what the client can do alone/);
    const limited = { bottleneck: { verdict: 'cluster' as const, evidence: [] } };
    assert.match(textOf(ceilingFile(5, limited)), /and was the limit: this client can do more/);
    assert.match(textOf(ceilingFile(5, { server: null })), /its CPU was not measured/);
  });

  test('says what other programs took of the host, as the client could not have that either', () => {
    const sample = { tMs: 1000, throttledMs: null, receivedBytes: null, sentBytes: null };
    const busy = (busyPercent: number): string => {
      const run = ceilingFile(5, { server: null });
      return textOf({ ...run, host: { ...run.host, samples: [{ ...sample, busyPercent }] } });
    };
    assert.match(busy(500), /; other programs took \d+ %: measure again when this host rests/);
    assert.doesNotMatch(busy(1), /other programs/);
  });

  test('never says that a row is stored, and ends with the real run', () => {
    const summary = renderSummary(ceilingFile(287_000), view(100), { file: null });
    assert.doesNotMatch(summary, /\d rows stored/);
    assert.match(summary, /rows sent to a target that stores nothing/);
    assert.match(summary, /\nceiling +287 k rows\/s · .* CPU s per million rows/);
    assert.match(summary, /\nreal run +crategen cluster --url http:\/\/YOUR-CRATEDB:4200( --procs 8)?\n/);
    assert.match(summary, /\nagain +crategen ceiling --rows 17\.2m/);
    assert.doesNotMatch(summary, /--sandbox|crategen verify/);
  });

  test('names the run again, and its own command, where it was measured for one', () => {
    const summary = renderSummary(measured(287_000, 118_000), view(100), { file: null });
    assert.match(summary, new RegExp(`\nagain +crategen ceiling --run ${REAL.run.id} --rows 17\\.2m\n`));
    assert.match(summary, /\nreal run +crategen cluster --rows 17\.2m --url http:\/\/db-1:4200/);
  });

  test('stands in the page and in the comment of a pull request too', () => {
    const run = measured(287_000, 118_000);
    assert.match(renderMarkdown(run), /reached 41 % of what this client can do here/);
    assert.match(
      renderHtmlReport(run, { script: '', style: '' }),
      /reached 41 % of what this client can do here/,
    );
  });
});

describe('what to try next', () => {
  const advice = (changes: Partial<RunFile>): string =>
    splitEvidence({ ...REAL, ...changes }).advice.join('\n');
  const verdict = (name: RunFile['bottleneck']['verdict']) => ({
    bottleneck: { verdict: name, evidence: [] },
  });

  test('names the ceiling where the client was the limit, or may have been', () => {
    for (const name of ['client', 'unclear'] as const)
      assert.match(advice(verdict(name)), new RegExp(`^crategen ceiling --run ${REAL.run.id},`));
    for (const name of ['cluster', 'network', 'rate'] as const) assert.equal(advice(verdict(name)), '');
  });

  test('does not name it where it would be refused or say nothing', () => {
    const client = verdict('client');
    assert.equal(advice({ ...client, target: { ...REAL.target, kind: 'discard' } }), '');
    assert.equal(advice({ ...client, plan: { ...REAL.plan, insertPath: 'pg' } }), '');
    assert.equal(
      advice({ ...client, throughput: { ...REAL.throughput, acknowledgedRowsPerSecond: null } }),
      '',
    );
  });
});
