import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Resolution, type UnknownBatch, resolveUnknown, spansOf } from '../../src/audit/resolve.ts';
import { FakeServer, TABLE, rowsFrom } from './support.ts';
import { SleepingClock } from '../support/sleeping-clock.ts';

function unknownBatch(firstRow: number, facts: Partial<UnknownBatch> = {}): UnknownBatch {
  return { firstRow, rows: 10, acknowledged: 0, unknown: 10, lastByteAtMs: 0, ...facts };
}

function resolve(
  server: FakeServer,
  clock: SleepingClock,
  batches: readonly UnknownBatch[],
  budgetMs = 100_000,
  signal?: AbortSignal,
): Promise<Resolution> {
  return resolveUnknown(
    server,
    { table: TABLE, runId: 'r', batchSize: 10, batches },
    { clock, budgetMs, signal: signal ?? null },
  );
}

const totals = ({ stored, absent, stillUnknown }: Resolution): string =>
  `${stored}/${absent}/${stillUnknown}`;

describe('resolution of unknown rows', () => {
  test('Rows that the server has are stored, at once.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.rows = rowsFrom(20, 40);
    assert.equal(totals(await resolve(server, clock, [unknownBatch(20), unknownBatch(30)])), '20/0/0');
    assert.equal(clock.monotonicMs(), 0);
  });

  test('Rows that were acknowledged are not counted as found.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.rows = rowsFrom(0, 7);
    const resolution = await resolve(server, clock, [unknownBatch(0, { acknowledged: 4, unknown: 6 })]);
    assert.deepEqual(resolution.perBatch, [{ firstRow: 0, stored: 3, absent: 3, unknown: 0 }]);
  });

  test('Without a key a row that is there twice is one row.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.rows = [0, 0, 0, 1];
    assert.equal(totals(await resolve(server, clock, [unknownBatch(0)])), '2/8/0');
  });

  test('Absent rows are so when no INSERT runs, but not within two seconds of the last byte.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    assert.equal(totals(await resolve(server, clock, [unknownBatch(0)])), '0/10/0');
    assert.equal(clock.monotonicMs(), 2_000);
  });

  test('A server that stood still may take up what lies in its buffers when it answers again.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.running = null;
    clock.at(10_000, () => {
      server.running = 0;
    });
    clock.at(11_000, () => {
      server.rows = rowsFrom(0, 4);
    });
    assert.equal(totals(await resolve(server, clock, [unknownBatch(0, { lastByteAtMs: -5_000 })])), '4/6/0');
    assert.equal(clock.monotonicMs(), 12_000);
  });

  test('A row that a running job writes late is found.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.running = 1;
    clock.at(30_000, () => {
      server.rows = rowsFrom(0, 10);
      server.running = 0;
    });
    assert.equal(totals(await resolve(server, clock, [unknownBatch(0)])), '10/0/0');
    assert.equal(clock.monotonicMs(), 30_000);
  });

  test('What stays absent for 65 s is absent whatever runs, and when jobs cannot be seen.', async () => {
    for (const running of [3, null]) {
      const [server, clock] = [new FakeServer(), new SleepingClock()];
      server.running = running;
      assert.equal(totals(await resolve(server, clock, [unknownBatch(0)])), '0/10/0');
      assert.equal(clock.monotonicMs(), 65_000);
    }
  });

  test('Without the time to be sure rows stay unknown, and it is said why.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.running = 2;
    server.rows = rowsFrom(0, 4);
    const resolution = await resolve(server, clock, [unknownBatch(0)], 5_000);
    assert.equal(totals(resolution), '4/0/6');
    assert.match(resolution.detail, /^2 INSERTs into the table still run/);
    assert.equal(clock.monotonicMs(), 5_000);
    server.running = null;
    assert.match(
      (await resolve(server, clock, [unknownBatch(0, { lastByteAtMs: 5_000 })], 5_000)).detail,
      /jobs cannot be seen/,
    );
    assert.match((await resolve(server, clock, [unknownBatch(0)], 0)).detail, /no time to ask/);
  });

  test('A server that cannot be asked leaves rows unknown.', async () => {
    const [server, clock] = [new FakeServer(), new SleepingClock()];
    server.refreshes = false;
    server.rows = rowsFrom(0, 10);
    const resolution = await resolve(server, clock, [unknownBatch(0)], 3_000);
    assert.equal(totals(resolution), '0/0/10');
    assert.equal(resolution.detail, 'it fails');
  });

  test('A signal ends it with what is known.', async () => {
    const [server, clock, stop] = [new FakeServer(), new SleepingClock(), new AbortController()];
    server.running = 1;
    server.rows = rowsFrom(0, 1);
    clock.at(3_000, () => stop.abort());
    assert.equal(totals(await resolve(server, clock, [unknownBatch(0)], 100_000, stop.signal)), '1/0/9');
    assert.equal(clock.monotonicMs(), 3_000);
  });

  test('Nothing to resolve asks nothing.', async () => {
    const server = new FakeServer();
    assert.equal(totals(await resolve(server, new SleepingClock(), [])), '0/0/0');
    assert.deepEqual(server.asked, []);
  });

  test('Jobs are looked at before the refresh, and the refresh comes before the count.', async () => {
    const server = new FakeServer();
    server.rows = rowsFrom(0, 10);
    await resolve(server, new SleepingClock(), [unknownBatch(0)]);
    assert.deepEqual(
      server.asked.map((statement) => /sys\.jobs|REFRESH|GROUP BY/.exec(statement)?.[0]),
      ['sys.jobs', 'REFRESH', 'GROUP BY'],
    );
  });

  test('Whatever is stored, each row ends stored, absent or unknown, and only stored rows are found.', async () => {
    const batch = fc.record({
      number: fc.nat({ max: 400 }),
      acknowledged: fc.nat({ max: 5 }),
      unknown: fc.integer({ min: 1, max: 5 }),
      present: fc.nat({ max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(batch, { selector: ({ number }) => number, maxLength: 20 }),
        async (batches) => {
          const server = new FakeServer();
          server.rows = batches.flatMap(({ number, acknowledged, present }) =>
            rowsFrom(number * 10, number * 10 + acknowledged + present),
          );
          const given = batches.map(({ number, acknowledged, unknown }) =>
            unknownBatch(number * 10, { acknowledged, unknown, lastByteAtMs: -10_000 }),
          );
          const resolution = await resolve(server, new SleepingClock(), given);
          const expected = batches.map(({ number, unknown, present }) => {
            const stored = Math.min(present, unknown);
            return { firstRow: number * 10, stored, absent: unknown - stored, unknown: 0 };
          });
          assert.deepEqual(resolution.perBatch, expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});

test('Spans contain every batch once, do not overlap, and are few.', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 20_000 }), { minLength: 1, maxLength: 200 }), (numbers) => {
      const batches = numbers.map((number) => ({ firstRow: number * 100, rows: 100 }));
      const spans = spansOf(batches, 100);
      for (const { firstRow, rows } of batches) {
        assert.equal(spans.filter(({ from, to }) => from <= firstRow && firstRow + rows <= to).length, 1);
      }
      spans.slice(1).forEach(({ from }, index) => assert.ok(from >= (spans[index]?.to ?? 0)));
      assert.ok(spans.every(({ from, to }) => to - from <= 500_000));
    }),
  );
  assert.equal(
    spansOf(
      rowsFrom(0, 40).map((number) => ({ firstRow: number * 5_000, rows: 100 })),
      100,
    ).length,
    1,
  );
});
