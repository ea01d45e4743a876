/** Which exit code a run gets when several things are true of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  BugError,
  MismatchError,
  OutputError,
  TargetError,
  UsageError,
  WorkersError,
} from '../../src/base/errors.ts';
import { type RunEnd, exitCodeOf, exitCodeOfError } from '../../src/cli/exit-codes.ts';

const GOOD: RunEnd = {
  endReason: 'rows',
  signal: null,
  verdict: 'match',
  ledger: { offered: 1000, rejected: 0, failed: 0, unknown: 0 },
  maxFailed: { kind: 'rows', rows: 0 },
  thresholdsMissed: 0,
  isWritten: true,
};

/** One cause each, in the order in which they win. */
const CAUSES: readonly (readonly [number, Partial<RunEnd>])[] = [
  [6, { verdict: 'mismatch' }],
  [1, { isWritten: false }],
  [7, { endReason: 'workers' }],
  [143, { signal: 'SIGTERM' }],
  [4, { ledger: { offered: 1000, rejected: 0, failed: 0, unknown: 1 } }],
  [5, { thresholdsMissed: 1 }],
];

describe('the exit code of a run', () => {
  it('is 0 where the bound was reached and the count is right, advisory or not wanted', () => {
    for (const verdict of ['match', 'advisory', 'skipped'] as const)
      assert.equal(exitCodeOf({ ...GOOD, verdict }), 0);
    assert.equal(exitCodeOf({ ...GOOD, endReason: 'duration' }), 0);
  });

  it('is that of the first cause in the order 6, 1, 7, signal, 4, 5', () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 }), (chosen) => {
        const end = chosen.reduce((facts, index) => ({ ...facts, ...CAUSES[index]?.[1] }), GOOD);
        assert.equal(exitCodeOf(end), CAUSES[Math.min(...chosen)]?.[0]);
      }),
    );
  });

  it('names the signal', () => {
    const codes = (['SIGHUP', 'SIGINT', 'SIGTERM'] as const).map((signal) =>
      exitCodeOf({ ...GOOD, endReason: 'signal', signal }),
    );
    assert.deepEqual(codes, [129, 130, 143]);
  });

  it('is the signal of a finished run whose verification was cut short', () => {
    assert.equal(exitCodeOf({ ...GOOD, verdict: 'skipped', signal: 'SIGINT' }), 130);
  });

  it('is 4 when an outage, a block, the limit of failures or a missing count ended it', () => {
    for (const endReason of ['outage', 'blocked', 'maxFailed'] as const)
      assert.equal(exitCodeOf({ ...GOOD, endReason }), 4);
    assert.equal(exitCodeOf({ ...GOOD, verdict: 'unavailable' }), 4);
  });

  it('tolerates as many rows as --max-failed says, and not one more', () => {
    const ledger = { offered: 1000, rejected: 2, failed: 2, unknown: 1 };
    assert.equal(exitCodeOf({ ...GOOD, ledger, maxFailed: { kind: 'rows', rows: 5 } }), 0);
    assert.equal(exitCodeOf({ ...GOOD, ledger, maxFailed: { kind: 'rows', rows: 4 } }), 4);
    assert.equal(exitCodeOf({ ...GOOD, ledger, maxFailed: { kind: 'share', share: 0.005 } }), 0);
    assert.equal(exitCodeOf({ ...GOOD, ledger, maxFailed: { kind: 'share', share: 0.004 } }), 4);
  });

  it('is 1 for a bug in the middle of it', () => {
    assert.equal(exitCodeOf({ ...GOOD, endReason: 'error' }), 1);
  });
});

describe('the exit code of an error', () => {
  it('follows its class, and is 1 for anything unforeseen', () => {
    const errors = [
      new UsageError('u'),
      new TargetError('t'),
      new MismatchError('m'),
      new WorkersError('w'),
      new OutputError('o'),
      new BugError('b'),
      new Error('?'),
      'text',
      null,
    ];
    assert.deepEqual(errors.map(exitCodeOfError), [2, 3, 6, 7, 1, 1, 1, 1, 1]);
  });
});
