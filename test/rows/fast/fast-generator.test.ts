/**
 * The fast generator against the reference: the same bytes for every plan, row and cut into batches.
 * CRATEGEN_PLANS and CRATEGEN_ROWS make it longer: that many random plans, so many rows each.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createReferenceGenerator } from '../../../src/rows/reference/reference-generator.ts';
import type { RowGenerator } from '../../../src/rows/row-generator.ts';
import { type RowPlan, MAX_ROWS } from '../../../src/rows/row-format.ts';
import type { Column } from '../../../src/rows/schema.ts';
import { anyHostileColumn } from '../arbitrary-hostile.ts';
import { anyPlan } from '../arbitrary-plan.ts';
import { anySchema } from '../arbitrary-schema.ts';
import { fastGeneratorOf, planOf, preset, tableOf } from '../support.ts';

const PLANS = Number(process.env['CRATEGEN_PLANS'] ?? 300);
const ROWS = Number(process.env['CRATEGEN_ROWS'] ?? 40);

/** Written around the rows, to see whether anything else is touched. */
const BEFORE = 3;
const FILLER = 0x21;

/** The bytes of rows [first, first + rows), written in batches of these sizes, over and over. */
function rowsBy(generator: RowGenerator, first: number, rows: number, batches: readonly number[]): Buffer {
  const largest = Math.max(...batches);
  const room = BEFORE + largest * (generator.maxRowBytes + 1);
  const [buffer, next] = generator.createBuffers(2, room);
  assert.ok(buffer !== undefined && next !== undefined);
  const parts: Buffer[] = [];
  for (let row = first, batch = 0; row < first + rows; batch += 1) {
    const count = Math.min(batches[batch % batches.length] ?? 1, first + rows - row);
    buffer.fill(FILLER);
    next.fill(FILLER);
    const end = generator.writeRows(buffer, BEFORE, row, count);
    assert.ok(end <= BEFORE + count * (generator.maxRowBytes + 1) - 1, `row ${row} is longer than its bound`);
    assert.ok(buffer.subarray(0, BEFORE).every((byte) => byte === FILLER));
    assert.ok(next.every((byte) => byte === FILLER));
    parts.push(Buffer.from(buffer.subarray(BEFORE, end)));
    row += count;
  }
  return Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(','), part])));
}

function assertSameRows(
  plan: RowPlan,
  { first, rows, batches }: { first: number; rows: number; batches: readonly number[] },
  fast: RowGenerator = fastGeneratorOf(plan),
): Buffer {
  const written = rowsBy(fast, first, rows, batches);
  const expected = rowsBy(createReferenceGenerator(plan), first, rows, [rows]);
  if (!written.equals(expected)) {
    const at = written.findIndex((byte, place) => byte !== expected[place]);
    const around = (bytes: Buffer): string => bytes.toString('utf8', Math.max(at - 60, 0), at + 60);
    assert.equal(around(written), around(expected), `byte ${at}`);
    assert.equal(written.length, expected.length);
  }
  return written;
}

const anyFirst = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: MAX_ROWS - ROWS }));
const anyBatches = fc.array(fc.integer({ min: 1, max: ROWS }), { minLength: 1, maxLength: 3 });

describe('the fast generator', () => {
  it('writes the same bytes as the reference for any plan, any rows and any batches', () => {
    fc.assert(
      fc.property(anyPlan, anyFirst, anyBatches, (plan, first, batches) => {
        assertSameRows(plan, { first, rows: ROWS, batches });
      }),
      { numRuns: PLANS },
    );
  });

  it('writes the same bytes for tables of any columns', async () => {
    await fc.assert(
      fc.asyncProperty(anySchema, anyFirst, anyBatches, async (schema, first, batches) => {
        assertSameRows(await planOf(schema), { first, rows: ROWS, batches });
      }),
      { numRuns: PLANS },
    );
  });

  it('writes the same bytes when a row is written by several functions', () => {
    fc.assert(
      fc.property(anyPlan, anyFirst, anyBatches, fc.nat(300), (plan, first, batches, maxPartBytes) => {
        const fast = fastGeneratorOf(plan, { minColumnsInParts: 0, maxPartBytes });
        assertSameRows(plan, { first, rows: ROWS, batches }, fast);
      }),
      { numRuns: Math.ceil(PLANS / 3) },
    );
  });

  it('writes the same bytes for every preset, at the start and far out', async () => {
    for (const name of ['records', 'metrics', 'everything']) {
      const plan = await planOf(preset(name));
      for (const first of [0, 59_990, 4_999_500, MAX_ROWS - 1000]) {
        assertSameRows(plan, { first, rows: 1000, batches: [1000, 1, 333] });
      }
    }
  });

  it('goes back and forth: a row does not depend on the rows written before', async () => {
    const plan = await planOf(preset('metrics'));
    const fast = fastGeneratorOf(plan);
    for (const first of [5_000_000, 0, 999, 1000, 360_000, 359_999, 7]) {
      assertSameRows(plan, { first, rows: 20, batches: [20] }, fast);
    }
  });

  it('keeps the digits that rows share only while they share them', async () => {
    const time = (jitterMs: number, stepMs?: number): Column['generator'] =>
      stepMs === undefined ? { kind: 'time', jitterMs } : { kind: 'time', jitterMs, stepMs };
    const columns: Column[] = [
      { name: 'seq', type: { kind: 'bigint' }, generator: { kind: 'seq' } },
      { name: 'steps', type: { kind: 'bigint' }, generator: { kind: 'sequence', start: 3, step: 900 } },
      { name: 'steady', type: { kind: 'timestamptz' }, generator: time(0) },
      { name: 'near', type: { kind: 'timestamptz' }, generator: time(400) },
      { name: 'far', type: { kind: 'timestamptz' }, generator: time(9000) },
      { name: 'slow', type: { kind: 'timestamptz' }, generator: time(1, 1) },
    ];
    for (const entities of [1, 7]) {
      const plan = await planOf(tableOf(columns, { axis: { entities, stepMs: 10 } }));
      const whole = fastGeneratorOf(plan);
      const inParts = fastGeneratorOf(plan, { minColumnsInParts: 0, maxPartBytes: 0 });
      for (const first of [99_999_900, 0, 9900, 1e12 - 100, 9900, 0, MAX_ROWS - 200, 1e8]) {
        assertSameRows(plan, { first, rows: 200, batches: [150, 1, 49] }, whole);
        assertSameRows(plan, { first, rows: 200, batches: [150, 1, 49] }, inParts);
      }
    }
  });

  it('has buffers in as many memories as they need, each with its own state', async () => {
    const plan = await planOf(preset('metrics'));
    const fast = fastGeneratorOf(plan);
    const room = 10 * (fast.maxRowBytes + 1);
    const [[first], [second]] = [fast.createBuffers(1, room), fast.createBuffers(3, room)];
    assert.ok(first !== undefined && second !== undefined);
    assert.notEqual(first.buffer, second.buffer);
    const ends = [fast.writeRows(first, 0, 70_000, 10), fast.writeRows(second, 0, 70_000, 10)];
    assert.deepEqual(first.subarray(0, ends[0]), second.subarray(0, ends[1]));
    assert.throws(() => fast.writeRows(new Uint8Array(room), 0, 0, 1), /not of this generator/);
    assert.throws(() => fast.writeRows(first, 2, 0, 10), /may not fit/);
    assert.throws(() => fast.writeRows(first, 0, MAX_ROWS, 1), /past the last row/);
    assert.equal(fast.writeRows(first, 5, 3, 0), 5);
  });
});

describe('the fast generator and hostile text', () => {
  it('writes valid JSON of exactly the values that were given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyHostileColumn, { minLength: 1, maxLength: 6 }), async (columns) => {
        const named = columns.map(({ column }, index) => ({ name: `c${index}`, ...column }));
        const rows = assertSameRows(await planOf(tableOf(named)), { first: 0, rows: 30, batches: [7] });
        for (const row of JSON.parse(`[${rows.toString('utf8')}]`) as unknown[][]) {
          columns.forEach(({ isValue }, index) => assert.ok(isValue(row[index]), JSON.stringify(row[index])));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('writes values of a mebibyte', async () => {
    const values = [1, 2 ** 20, 5].map((length) => 'a"'.repeat(length));
    const column: Column = {
      name: 'large',
      type: { kind: 'text' },
      generator: { kind: 'pool', pool: { from: 'values', values } },
    };
    const plan = await planOf(tableOf([column, { ...column, name: 'again' }]));
    const rows = assertSameRows(plan, { first: 0, rows: 9, batches: [4, 1] });
    const lengths = (JSON.parse(`[${rows.toString('utf8')}]`) as string[][])
      .flat()
      .map(({ length }) => length);
    assert.deepEqual(new Set(lengths), new Set([2, 2 ** 21, 10]));
  });

  it('writes 500 columns of every kind', async () => {
    const kinds = preset('everything').columns.filter(({ generator }) => generator !== null);
    const columns = Array.from({ length: 500 }, (_, index) => {
      const kind = kinds[index % kinds.length];
      assert.ok(kind);
      return { ...kind, name: `"c\\${index}` };
    });
    assertSameRows(await planOf(tableOf(columns)), { first: 10, rows: 30, batches: [11] });
  });
});
