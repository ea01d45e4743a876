/** The verdicts of several tables as the one of their run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Verification, verifiedTogether } from '../../src/audit/verification.ts';

const match: Verification = { method: 'count', stored: 10, verdict: 'match', detail: 'ten' };
const lost: Verification = { method: 'count', stored: 8, verdict: 'mismatch', detail: 'two are missing' };
const rough: Verification = { method: 'delta', stored: 5, verdict: 'advisory', detail: 'no run_id' };
const none: Verification = { method: 'none', stored: null, verdict: 'skipped', detail: 'as asked' };

const together = (...verifications: readonly Verification[]): Verification =>
  verifiedTogether(verifications.map((verification, at) => ({ name: `s.t${at}`, verification })));

test('one table speaks for its run', () => {
  for (const verification of [match, lost, rough, none])
    assert.deepEqual(together(verification), verification);
});

test('the worst table decides, and only those that are not well are told', () => {
  assert.deepEqual(together(match, lost, rough), {
    method: 'count',
    stored: 23,
    verdict: 'mismatch',
    detail: 's.t1: two are missing; s.t2: no run_id',
  });
  assert.equal(together(match, rough).verdict, 'advisory');
  assert.equal(together(match, { ...match, stored: 7 }).stored, 17);
});

test('what holds for all tables alike is said once', () => {
  assert.deepEqual(together(none, none), none);
});
