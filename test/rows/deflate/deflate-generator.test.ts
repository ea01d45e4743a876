/**
 * Bodies written as DEFLATE against the plain ones: inflated, they are the same bytes, for every plan, row and cut
 * into batches. CRATEGEN_PLANS makes it longer: that many random plans.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { type BatchBody, createBatchBodies } from '../../../src/rows/batch-body.ts';
import { createDeflateBodies } from '../../../src/rows/deflate/deflate-generator.ts';
import { deflateModuleOf } from '../../../src/rows/deflate/deflate-plan.ts';
import { type ModuleShape, USUAL_SHAPE } from '../../../src/rows/fast/row-loop.ts';
import { bulkForm } from '../../../src/rows/insert-form.ts';
import { createReferenceGenerator } from '../../../src/rows/reference/reference-generator.ts';
import { type RowPlan, MAX_ROWS } from '../../../src/rows/row-format.ts';
import type { Column } from '../../../src/rows/schema.ts';
import { anyHostileColumn } from '../arbitrary-hostile.ts';
import { anyPlan } from '../arbitrary-plan.ts';
import { anySchema } from '../arbitrary-schema.ts';
import { planOf, preset, tableOf } from '../support.ts';

const PLANS = Number(process.env['CRATEGEN_PLANS'] ?? 200);
const ROWS = 40;
const FORM = bulkForm('INSERT INTO "doc"."ü" ("a") VALUES (?)');

interface Bodies {
  readonly deflated: BatchBody;
  readonly plain: BatchBody;
}

function bodiesOf(plan: RowPlan, maxRows: number, shape: ModuleShape = USUAL_SHAPE): Bodies {
  const [deflated] = createDeflateBodies(deflateModuleOf(plan, shape), FORM, maxRows, 2);
  const [plain] = createBatchBodies(FORM, createReferenceGenerator(plan), maxRows, 1);
  assert.ok(deflated !== undefined && plain !== undefined);
  return { deflated, plain };
}

/** The deflated body, once it is known to be the plain one. */
function assertSame({ deflated, plain }: Bodies, first: number, rows: number): Buffer {
  const body = Buffer.from(deflated.write(first, rows));
  assert.ok(body.length <= deflated.maxBodyBytes);
  const [found, expected] = [inflateRawSync(body), plain.write(first, rows)];
  if (!found.equals(expected)) {
    const at = found.findIndex((byte, place) => byte !== expected[place]);
    const around = (bytes: Uint8Array): string =>
      Buffer.from(bytes).toString('utf8', Math.max(at - 60, 0), at + 60);
    assert.equal(around(found), around(expected), `byte ${at}`);
    assert.equal(found.length, expected.length);
  }
  return body;
}

const anyFirst = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: MAX_ROWS - 100 * ROWS }));
const anyBatches = fc.array(fc.integer({ min: 1, max: ROWS }), { minLength: 1, maxLength: 4 });

function assertSameBatches(bodies: Bodies, first: number, batches: readonly number[]): void {
  let row = first;
  for (const rows of batches) {
    assertSame(bodies, row, rows);
    row += rows;
  }
}

describe('bodies written as DEFLATE', () => {
  it('are the plain bodies for any plan, any rows and any batches', () => {
    fc.assert(
      fc.property(anyPlan, anyFirst, anyBatches, (plan, first, batches) => {
        assertSameBatches(bodiesOf(plan, ROWS), first, batches);
      }),
      { numRuns: PLANS },
    );
  });

  it('are the plain bodies for tables of any columns', async () => {
    await fc.assert(
      fc.asyncProperty(anySchema, anyFirst, anyBatches, async (schema, first, batches) => {
        assertSameBatches(bodiesOf(await planOf(schema), ROWS), first, batches);
      }),
      { numRuns: Math.ceil(PLANS / 4) },
    );
  });

  it('are the plain bodies when a row is written by several functions', () => {
    fc.assert(
      fc.property(anyPlan, anyFirst, anyBatches, fc.nat(300), (plan, first, batches, maxPartBytes) => {
        assertSameBatches(bodiesOf(plan, ROWS, { minColumnsInParts: 0, maxPartBytes }), first, batches);
      }),
      { numRuns: Math.ceil(PLANS / 4) },
    );
  });

  it('are the plain bodies for every preset, and at least 0.8 times as small as zlib makes them', async () => {
    for (const name of ['records', 'metrics', 'everything']) {
      const bodies = bodiesOf(await planOf(preset(name)), 1000);
      let [bytes, zlibBytes] = [0, 0];
      for (const first of [0, 59_990, 4_999_500, MAX_ROWS - 1000]) {
        bytes += assertSame(bodies, first, 1000).length;
        zlibBytes += deflateRawSync(bodies.plain.write(first, 1000), { level: 1 }).length;
      }
      assert.ok(zlibBytes / bytes >= 0.8, `${name}: ${bytes} bytes, zlib ${zlibBytes}`);
    }
  });

  it('do not depend on what was written before, however much it was', async () => {
    const plan = await planOf(preset('metrics'));
    const [deflated] = createDeflateBodies(deflateModuleOf(plan), FORM, 1_000_000, 1);
    assert.ok(deflated);
    const first = Buffer.from(deflated.write(77_000, 500));
    // Positions begin again after 2 GiB of text, which a slot for so many rows counts in a few bodies.
    for (let body = 0; body < 20; body += 1) {
      deflated.write(body * 1000, 200);
      assert.deepEqual(Buffer.from(deflated.write(77_000, 500)), first);
    }
  });

  it('are the plain bodies for long texts, of which some fit into no match', async () => {
    const values = [0, 1, 3, 4, 257, 258, 259, 512, 513, 2000, 40_000].map((length) =>
      Array.from({ length }, (_, at) => String.fromCharCode(32 + ((at * at + length) % 90))).join(''),
    );
    const column: Column = {
      name: 'long',
      type: { kind: 'text' },
      generator: { kind: 'pool', pool: { from: 'values', values } },
    };
    const constant: Column = {
      ...column,
      name: 'same',
      generator: { kind: 'constant', value: 'constant '.repeat(100) },
    };
    const bodies = bodiesOf(await planOf(tableOf([column, constant, { ...column, name: 'more' }])), 100);
    assertSameBatches(bodies, 0, [100, 1, 2, 100]);
  });

  it('are the plain bodies where a text repeats the far end of one that was not written yet', async () => {
    const noise = (seed: number): string =>
      Array.from({ length: 300 }, (_, at) =>
        Math.imul(seed + at, 0x9e3779b1)
          .toString(36)
          .slice(-6),
      ).join('');
    const values = Array.from({ length: 40 }, (_, entry) => noise(1000 * entry) + noise(1e6));
    const column: Column = {
      name: 'a',
      type: { kind: 'text' },
      generator: { kind: 'pool', pool: { from: 'values', values }, pick: { by: 'entity' } },
    };
    const bodies = bodiesOf(await planOf(tableOf([column], { axis: { entities: 40, stepMs: 1 } })), 100);
    assertSameBatches(bodies, 0, [1, 100]);
  });

  it('are the plain bodies where a name stands in its own address further on than a match reaches', async () => {
    const name = (field: 'display' | 'mail'): Column => ({
      name: field,
      type: { kind: 'text' },
      generator: {
        kind: 'pool',
        pool: { from: 'records', set: 'firstNames', field },
        pick: { by: 'draw', draw: 'x' },
      },
    });
    for (const length of [100, 32_700, 32_760, 50_000]) {
      const value = Array.from({ length }, (_, at) => String.fromCharCode(97 + ((at * at) % 23))).join('');
      const between: Column = {
        name: 'between',
        type: { kind: 'text' },
        generator: { kind: 'constant', value },
      };
      const columns = [name('display'), between, name('mail')];
      assertSameBatches(bodiesOf(await planOf(tableOf(columns)), 10), 0, [1, 10]);
    }
  });

  it('are the plain bodies for hostile text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyHostileColumn, { minLength: 1, maxLength: 6 }), async (columns) => {
        const named = columns.map(({ column }, index) => ({ name: `c${index}`, ...column }));
        assertSameBatches(bodiesOf(await planOf(tableOf(named)), 30), 0, [30, 1, 7]);
      }),
      { numRuns: 20 },
    );
  });

  it('are the plain bodies for values of a mebibyte', async () => {
    const values = [1, 2 ** 20, 5].map((length) => 'a"'.repeat(length));
    const column: Column = {
      name: 'large',
      type: { kind: 'text' },
      generator: { kind: 'pool', pool: { from: 'values', values } },
    };
    assertSameBatches(
      bodiesOf(await planOf(tableOf([column, { ...column, name: 'again' }])), 9),
      0,
      [4, 1, 9],
    );
  });

  it('are the plain bodies for 500 columns of every kind', async () => {
    const kinds = preset('everything').columns.filter(({ generator }) => generator !== null);
    const columns = Array.from({ length: 500 }, (_, index) => {
      const kind = kinds[index % kinds.length];
      assert.ok(kind);
      return { ...kind, name: `"c\\${index}` };
    });
    assertSameBatches(bodiesOf(await planOf(tableOf(columns)), 30), 10, [30, 1, 7]);
  });
});
