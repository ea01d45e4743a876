import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type OfferedBatch,
  type RowVerification,
  verdictOfRows,
  verifyRows,
} from '../../src/audit/verify-rows.ts';
import { type ColumnPlan, type RowPlan, ROW_FORMAT } from '../../src/rows/row-format.ts';
import type { Column, TableSchema } from '../../src/rows/schema.ts';
import { FakeServer, TABLE, rowsFrom } from './support.ts';

const decimal = (name: string, value: ColumnPlan['writes'][number]): ColumnPlan => ({
  name,
  writes: [value],
});

/** Rows are `["r", i, i % 7, null]`; `filler` makes them as long as it is. */
function planOf(filler: string): RowPlan {
  return {
    rowFormat: ROW_FORMAT,
    schemaName: 'test',
    identity: { seed: 1, runId: 'r', timeOriginMs: 0 },
    seed64: 1n,
    prologue: [],
    columns: [
      { name: 'run_id', writes: [{ op: 'literal', text: `"${filler}"` }] },
      decimal('seq', { op: 'decimal', value: { op: 'row' }, scale: 0, signed: false, digits: 1 }),
      decimal('v', {
        op: 'decimal',
        value: { op: 'remainder', left: { op: 'row' }, right: { op: 'constant', value: 7n } },
        scale: 0,
        signed: false,
        digits: 1,
      }),
      { name: 'shape', writes: [{ op: 'literal', text: 'null' }] },
    ],
    locals: 0,
    pools: { bytes: new Uint8Array(), offsets: new Uint32Array(1), pools: [], tables: [], hash: '' },
  };
}

const column = (name: string, kind: 'text' | 'bigint' | 'integer' | 'geo_shape'): Column => ({
  name,
  type: { kind },
  generator: { kind: 'seq' },
});

const SCHEMA: TableSchema = {
  name: 'test',
  description: '',
  columns: [
    column('run_id', 'text'),
    column('seq', 'bigint'),
    column('v', 'integer'),
    column('shape', 'geo_shape'),
    { ...column('made', 'text'), generator: null },
  ],
  primaryKey: [],
  clusteredBy: null,
  partitionedBy: [],
  checks: [],
  settings: {},
  axis: { entities: 1, stepMs: 1 },
};

function serverOf(rows: readonly number[], filler = 'r'): FakeServer {
  const server = new FakeServer();
  server.rows = [...rows];
  server.valuesOf = (seq) => [filler, seq, seq % 7, null];
  return server;
}

async function verify(
  server: FakeServer,
  batches: readonly OfferedBatch[],
  filler = 'r',
): Promise<RowVerification> {
  const run = { plan: planOf(filler), schema: SCHEMA, table: TABLE, runId: 'r', batches, share: null };
  const compare = ({ type }: Column, sent: unknown, got: unknown) =>
    type.kind === 'geo_shape' ? 'notComparable' : sent === got ? 'equal' : 'different';
  const answer = await verifyRows(server, run, { compare });
  assert.ok(answer.ok);
  return answer.value;
}

const batches = (count: number, rows = 10): OfferedBatch[] =>
  rowsFrom(0, count).map((number) => ({ firstRow: number * rows, rows, acknowledged: rows }));
const none = { rows: 0, seqs: [] };

describe('verification row by row', () => {
  test('Rows as they were sent are all checked and none is found.', async () => {
    assert.deepEqual(await verify(serverOf(rowsFrom(0, 100)), batches(10)), {
      checked: 100,
      lost: none,
      duplicated: none,
      altered: none,
      unexpected: none,
      notComparableColumns: ['shape'],
    });
  });

  test('A deleted, a doubled and a changed row are found by their number.', async () => {
    const server = serverOf([...rowsFrom(0, 42), ...rowsFrom(43, 100), 77, 77]);
    const { valuesOf } = server;
    server.valuesOf = (seq) =>
      seq === 5 ? ['r', 5, 6, null] : seq === 8 ? ['other', 8, 1, null] : valuesOf(seq);
    const found = await verify(server, batches(10));
    assert.deepEqual(
      [found.lost, found.duplicated, found.altered, found.checked],
      [{ rows: 1, seqs: [42] }, { rows: 2, seqs: [77] }, { rows: 2, seqs: [5, 8] }, 99],
    );
    assert.deepEqual(verdictOfRows(found), {
      method: 'rows',
      stored: 101,
      verdict: 'mismatch',
      detail: '99 rows compared with what was generated: 1 lost, 2 duplicated, 2 altered',
    });
  });

  test('A value without a form to compare is altered when it is there and was not sent.', async () => {
    const server = serverOf(rowsFrom(0, 10));
    server.valuesOf = (seq) => ['r', seq, seq % 7, seq === 3 ? { type: 'Point' } : null];
    assert.deepEqual((await verify(server, batches(1))).altered, { rows: 1, seqs: [3] });
  });

  test('Only acknowledged rows can be lost; which ones of a part is not known.', async () => {
    const partly = [{ firstRow: 0, rows: 10, acknowledged: 6 }];
    assert.deepEqual((await verify(serverOf(rowsFrom(0, 6)), partly)).lost, none);
    assert.deepEqual((await verify(serverOf(rowsFrom(0, 4)), partly)).lost, { rows: 2, seqs: [] });
    assert.deepEqual((await verify(serverOf([]), [{ firstRow: 0, rows: 10, acknowledged: 0 }])).lost, none);
  });

  test('The first twenty numbers are named and the rest counted.', async () => {
    const { lost } = await verify(serverOf([]), batches(10));
    assert.deepEqual([lost.rows, lost.seqs], [100, rowsFrom(0, 20)]);
  });

  test('Rows of the run that no batch offered are unexpected: between batches, after and before them.', async () => {
    const offered = [batches(10)[2], batches(10)[5]].flatMap((batch) => batch ?? []);
    const found = await verify(serverOf([3, ...rowsFrom(20, 30), 44, ...rowsFrom(50, 60), 99, 100]), offered);
    assert.equal(found.unexpected.rows, 4);
    assert.deepEqual(
      found.unexpected.seqs.toSorted((a, b) => a - b),
      [44, 99, 100],
    );
    assert.equal(found.checked, 20);
  });

  test('Very many copies of one row are counted without reading them all.', async () => {
    const server = serverOf([...rowsFrom(0, 100), ...Array.from({ length: 50_000 }, () => 17)]);
    const found = await verify(server, batches(10));
    assert.equal(found.duplicated.rows, 50_000);
    assert.equal(found.checked, 100);
    assert.ok(found.unexpected.rows === 0 && found.lost.rows === 0);
  });

  test('Long rows are read in smaller pages, and every offered row is told as progress.', async () => {
    const filler = 'x'.repeat(20_000);
    const server = serverOf(rowsFrom(0, 1_000), filler);
    const progress: number[] = [];
    const run = {
      plan: planOf(filler),
      schema: SCHEMA,
      table: TABLE,
      runId: 'r',
      batches: batches(100),
      share: null,
    };
    await verifyRows(server, run, { compare: () => 'equal', onProgress: (rows) => progress.push(rows) });
    assert.ok(progress.length >= 5, String(progress));
    assert.equal(progress.at(-1), 1_000);
  });

  test('A page that cannot be read is a failure and not a finding.', async () => {
    const server = serverOf(rowsFrom(0, 10));
    server.refreshes = false;
    const run = {
      plan: planOf('r'),
      schema: SCHEMA,
      table: TABLE,
      runId: 'r',
      batches: batches(1),
      share: null,
    };
    const answer = await verifyRows(server, run, { compare: () => 'equal' });
    assert.deepEqual([answer.ok, !answer.ok && answer.message], [false, 'it fails']);
  });

  test('Nothing offered and nothing there is a match.', async () => {
    assert.equal(verdictOfRows(await verify(serverOf([]), [])).verdict, 'match');
  });

  test('Whatever is removed, doubled or changed is found, exactly.', async () => {
    const numbers = fc.uniqueArray(fc.nat({ max: 299 }), { maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(numbers, numbers, numbers, async (removed, doubled, changed) => {
        const stored = rowsFrom(0, 300).filter((row) => !removed.includes(row));
        const server = serverOf([...stored, ...doubled.filter((row) => stored.includes(row))]);
        server.valuesOf = (seq) => ['r', seq, changed.includes(seq) ? -1 : seq % 7, null];
        const found = await verify(server, batches(30));
        const ascending = (rows: readonly number[]): number[] => rows.toSorted((a, b) => a - b);
        assert.deepEqual(found.lost.seqs, ascending(removed));
        assert.deepEqual(found.duplicated.seqs, ascending(doubled.filter((row) => stored.includes(row))));
        assert.deepEqual(found.altered.seqs, ascending(changed.filter((row) => stored.includes(row))));
      }),
      { numRuns: 100 },
    );
  });
});
