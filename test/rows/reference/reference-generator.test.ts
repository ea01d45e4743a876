/** The reference generator against an independent reading of the plan, in pieces, and within its bound. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { extentOf } from '../../../src/rows/extents.ts';
import { PRESET_NAMES } from '../../../src/rows/presets.ts';
import { createReferenceGenerator } from '../../../src/rows/reference/reference-generator.ts';
import { type RowPlan, MAX_ROWS } from '../../../src/rows/row-format.ts';
import type { Column, TableSchema } from '../../../src/rows/schema.ts';
import { anyPlan } from '../arbitrary-plan.ts';
import { anySchema } from '../arbitrary-schema.ts';
import { oracleRows } from '../oracle.ts';
import { bytesOf, planOf, preset, sha256 } from '../support.ts';

/** Row numbers, also the last ones. */
const anyFirst = fc.oneof(fc.nat(1000), fc.nat(2 ** 31), fc.constant(MAX_ROWS - 20));

/** Rows written in pieces, each by a generator of its own, into a buffer of exactly the room that is asked for. */
function inPieces(plan: RowPlan, first: number, pieces: readonly number[]): string {
  const texts: string[] = [];
  let row = first;
  for (const rows of pieces) {
    texts.push(bytesOf(plan, row, rows).toString('utf8'));
    row += rows;
  }
  return texts.join(',');
}

/** Numbers lie in their extent, places on the earth. */
function assertWithin({ name, type, generator }: Column, value: unknown, { columns }: TableSchema): void {
  if (value === null || generator === null) return;
  const extent = extentOf(generator, type, columns);
  if (extent !== null) {
    const units = Number(value) * 10 ** extent.scale;
    assert.ok(units >= extent.min - 0.1 && units <= extent.max + 0.1, `${name}: ${JSON.stringify(value)}`);
  }
  if (type.kind === 'geo_point') {
    const [lon, lat] = value as [number, number];
    assert.ok(Math.abs(lon) <= 180 && Math.abs(lat) <= 85, `${lon} ${lat}`);
  }
}

describe('the reference generator', () => {
  it('writes what the language of plans means, for random plans over all of it', () => {
    fc.assert(
      fc.property(anyPlan, anyFirst, (plan, first) => {
        assert.equal(bytesOf(plan, first, 4).toString('utf8'), oracleRows(plan, first, 4));
      }),
      { numRuns: 1500 },
    );
  });

  it('writes what the language of plans means for tables of any columns: JSON whose numbers are where they belong', async () => {
    await fc.assert(
      fc.asyncProperty(anySchema, anyFirst, async (schema, first) => {
        const plan = await planOf(schema);
        const text = bytesOf(plan, first, 4).toString('utf8');
        assert.equal(text, oracleRows(plan, first, 4));
        for (const row of JSON.parse(`[${text}]`) as unknown[][]) {
          assert.equal(row.length, schema.columns.length);
          schema.columns.forEach((column, index) => assertWithin(column, row[index], schema));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('writes what the language of plans means, for the presets', async () => {
    for (const name of PRESET_NAMES) {
      const plan = await planOf(preset(name));
      assert.equal(bytesOf(plan, 0, 100).toString('utf8'), oracleRows(plan, 0, 100), name);
      assert.equal(bytesOf(plan, MAX_ROWS - 3, 3).toString('utf8'), oracleRows(plan, MAX_ROWS - 3, 3), name);
    }
  });

  it('never writes more than its bound, and reaches it where every value has its longest form', () => {
    const longest: RowPlan['columns'] = [
      {
        name: 'a',
        writes: [{ op: 'decimal', value: { op: 'constant', value: -5n }, scale: 3, signed: true, digits: 9 }],
      },
      { name: 'b', writes: [{ op: 'hex', value: { op: 'row' }, digits: 16 }] },
    ];
    fc.assert(
      fc.property(anyPlan, anyFirst, (plan, first) => {
        const { maxRowBytes } = createReferenceGenerator(plan);
        for (let row = first; row < first + 3; row += 1)
          assert.ok(bytesOf(plan, row, 1).length <= maxRowBytes);
        const fixed = { ...plan, prologue: [], columns: longest, locals: 0 };
        assert.equal(bytesOf(fixed, first, 1).length, createReferenceGenerator(fixed).maxRowBytes);
      }),
      { numRuns: 300 },
    );
  });

  it('writes the same bytes however a run is cut into batches', async () => {
    for (const name of PRESET_NAMES) {
      const plan = await planOf(preset(name));
      fc.assert(
        fc.property(
          anyFirst,
          fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
          (first, cuts) => {
            const rows = Math.min(
              cuts.reduce((sum, cut) => sum + cut, 0),
              MAX_ROWS - first,
            );
            fc.pre(first + cuts.reduce((sum, cut) => sum + cut, 0) <= MAX_ROWS);
            assert.equal(inPieces(plan, first, cuts), bytesOf(plan, first, rows).toString('utf8'));
          },
        ),
        { numRuns: 8 },
      );
    }
  });

  it('writes from the offset on and touches nothing before it and after its end', async () => {
    const plan = await planOf(preset('records'));
    const generator = createReferenceGenerator(plan);
    const target = Buffer.alloc(7 + 5 * (generator.maxRowBytes + 1), '~');
    const end = generator.writeRows(target, 7, 3, 5);
    assert.equal(target.toString('utf8', 0, 7), '~'.repeat(7));
    assert.deepEqual(target.subarray(7, end), bytesOf(plan, 3, 5));
    assert.match(target.toString('utf8', end), /^~+$/);
  });

  it('refuses rows past the last one', async () => {
    const plan = await planOf(preset('records'));
    assert.throws(() => bytesOf(plan, MAX_ROWS - 1, 2), /past the last row/);
    assert.throws(() => bytesOf(plan, -1, 1), /past the last row/);
  });
});

/** Written rows are compared with rows made again: these may change only together with ROW_FORMAT. */
const GOLDEN = {
  records: '538a94443e77bc19142de4a31247a4263ffd44d445029e6844960ae37157e971',
  metrics: 'cbfae4c1760c8ed09aeba873d5c2f274fca10ee6ca450305305afd25dc371090',
  everything: 'fe9e037c6f4a66aceb3871f48750fc52e599a25f20a5904ebf5e816f72c1b565',
} as const;

describe('the first 10,000 rows', () => {
  for (const name of PRESET_NAMES) {
    it(`of ${name} are the same for ever`, async () => {
      assert.equal(sha256(bytesOf(await planOf(preset(name)), 0, 10_000)), GOLDEN[name]);
    });
  }
});
