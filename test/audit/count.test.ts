import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { COUNT_TIMES, verifyByCount, verifyByDelta } from '../../src/audit/count.ts';
import type { Verification } from '../../src/audit/verification.ts';
import { FakeServer, TABLE, rowsFrom } from './support.ts';
import { SleepingClock } from '../support/sleeping-clock.ts';

interface Facts {
  readonly unknown?: number;
  readonly keyed?: boolean;
  readonly signal?: AbortSignal;
  readonly range?: { from: number; to: number } | null;
}

function verify(
  server: FakeServer,
  clock: SleepingClock,
  acknowledged: number,
  { unknown = 0, keyed = true, signal, range = { from: 0, to: 1_000 } }: Facts = {},
): Promise<Verification> {
  const rows = { table: TABLE, runId: 'r', range, share: null };
  return verifyByCount(
    server,
    { rows, acknowledged, unknown, keyed },
    { clock, ...COUNT_TIMES, signal: signal ?? null },
  );
}

describe('verification by count', () => {
  test('The exact number matches at once.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.rows = rowsFrom(0, 100);
    assert.deepEqual(await verify(server, clock, 100), {
      method: 'count',
      stored: 100,
      verdict: 'match',
      detail: 'the server counts 100 rows of this run, 100 acknowledged',
    });
    assert.equal(clock.monotonicMs(), 0);
  });

  test('Unknown rows may be stored or not.', async () => {
    for (const [stored, verdict] of [
      [94, 'mismatch'],
      [95, 'match'],
      [100, 'match'],
      [101, 'mismatch'],
    ] as const) {
      const [server, clock] = [new FakeServer(), new SleepingClock()];
      server.rows = rowsFrom(0, stored);
      assert.equal((await verify(server, clock, 95, { unknown: 5 })).verdict, verdict);
    }
  });

  test('A mismatch is counted again for ten seconds before it is called one.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.rows = rowsFrom(0, 98);
    const verification = await verify(server, clock, 100);
    assert.equal(verification.verdict, 'mismatch');
    assert.equal(
      verification.detail,
      'the server counts 98 rows of this run, 100 acknowledged: 2 acknowledged rows are missing',
    );
    assert.equal(clock.monotonicMs(), 10_000);
    clock.at(14_000, () => (server.rows = rowsFrom(0, 100)));
    assert.equal((await verify(server, clock, 100)).verdict, 'match');
    assert.equal(clock.monotonicMs(), 14_000);
  });

  test('A copy that recovers is waited for, and only then the ten seconds begin.', async () => {
    for (const state of [
      [true, 'UNASSIGNED', 1],
      [true, 'INITIALIZING', 1],
      [false, 'RELOCATING', 1],
    ]) {
      const [server, clock] = [new FakeServer(), new SleepingClock()];
      server.rows = rowsFrom(0, 50);
      server.shards = [[true, 'STARTED', 3], state];
      clock.at(40_000, () => (server.shards = [[true, 'STARTED', 4]]));
      assert.equal((await verify(server, clock, 100)).verdict, 'mismatch');
      assert.equal(clock.monotonicMs(), 50_000);
    }
  });

  test('A replica that has no place is no reason to wait.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.shards = [
      [true, 'STARTED', 4],
      [false, 'UNASSIGNED', 4],
    ];
    assert.equal((await verify(server, clock, 1)).verdict, 'mismatch');
    assert.equal(clock.monotonicMs(), 10_000);
  });

  test('A copy that does not recover within a minute leaves the count unavailable.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.rows = rowsFrom(0, 50);
    server.shards = [[true, 'UNASSIGNED', 1]];
    const verification = await verify(server, clock, 100);
    assert.deepEqual([verification.verdict, verification.stored], ['unavailable', 50]);
    assert.match(verification.detail, /missing or on the move/);
    assert.equal(clock.monotonicMs(), 60_000);
  });

  test('When shards cannot be seen a mismatch is one after ten seconds.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.shards = null;
    assert.equal((await verify(server, clock, 1)).verdict, 'mismatch');
    assert.equal(clock.monotonicMs(), 10_000);
  });

  test('A count that cannot be had is tried for a minute and then unavailable.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.refreshes = false;
    const verification = await verify(server, clock, 0);
    assert.deepEqual(
      [verification.verdict, verification.stored, verification.detail],
      ['unavailable', null, 'the rows could not be counted: it fails'],
    );
    assert.equal(clock.monotonicMs(), 60_000);
    clock.at(70_000, () => (server.refreshes = true));
    assert.equal((await verify(server, clock, 0)).verdict, 'match');
  });

  test('Too many rows without a key are called duplicates, by their number.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.rows = [...rowsFrom(0, 100), 3, 4, 5];
    assert.match(
      (await verify(server, clock, 100, { keyed: false })).detail,
      /: 3 rows are duplicates, as the table has no key/,
    );
    assert.match(
      (await verify(server, clock, 100, { keyed: false, range: null })).detail,
      /: 3 rows are duplicates/,
    );
    server.rows = rowsFrom(0, 103);
    assert.match((await verify(server, clock, 100, { keyed: false })).detail, /: 3 rows more than can be/);
  });

  test('A signal makes it skipped.', async () => {
    const [server, clock, stop] = [new FakeServer(), new SleepingClock(), new AbortController()];
    clock.at(4_000, () => stop.abort());
    assert.deepEqual(
      [(await verify(server, clock, 100, { signal: stop.signal })).verdict, clock.monotonicMs()],
      ['skipped', 4_000],
    );
  });
});

test('Without run_id the difference to the count before is told and proves nothing.', async () => {
  const [server, clock] = [new FakeServer(), new SleepingClock()];
  server.rows = rowsFrom(0, 150);
  const run = { table: TABLE, before: 40, acknowledged: 100, unknown: 0 };
  assert.deepEqual(await verifyByDelta(server, run, { clock, ...COUNT_TIMES }), {
    method: 'delta',
    stored: 110,
    verdict: 'advisory',
    detail: 'the table has no run_id; it has 110 rows more than before, 100 acknowledged',
  });
  server.refreshes = false;
  assert.equal((await verifyByDelta(server, run, { clock, ...COUNT_TIMES })).verdict, 'unavailable');
});
