/**
 * The fast generator against the reference: the same bytes for every plan, row and cut into batches.
 * CRATEGEN_PLANS and CRATEGEN_ROWS make it longer: that many random plans, so many rows each.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFastGenerator } from '../../src/rows/fast-generator.ts';
import { createReferenceGenerator } from '../../src/rows/reference-generator.ts';
import type { RowGenerator } from '../../src/rows/row-generator.ts';
import { MAX_ROWS } from '../../src/rows/row-format.ts';
import type { RowPlan } from '../../src/rows/row-plan.ts';
import { anyPlan } from './arbitrary-plan.ts';
import { planOf, preset } from './support.ts';

const PLANS = Number(process.env['CRATEGEN_PLANS'] ?? 300);
const ROWS = Number(process.env['CRATEGEN_ROWS'] ?? 40);

/** The bytes of rows [first, first + rows), written in batches of these sizes, over and over. */
function rowsBy(generator: RowGenerator, first: number, rows: number, batches: readonly number[]): Buffer {
  const largest = Math.max(...batches);
  const [buffer] = generator.createBuffers(1, 3 + largest * (generator.maxRowBytes + 1));
  assert.ok(buffer);
  const parts: Buffer[] = [];
  for (let row = first, batch = 0; row < first + rows; batch += 1) {
    const count = Math.min(batches[batch % batches.length] ?? 1, first + rows - row);
    // What an earlier batch left must not be seen.
    buffer.fill(0x21);
    const end = generator.writeRows(buffer, 3, row, count);
    parts.push(Buffer.from(buffer.subarray(3, end)));
    row += count;
  }
  return Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(','), part])));
}

function assertSameRows(plan: RowPlan, first: number, rows: number, batches: readonly number[]): void {
  const fast = rowsBy(createFastGenerator(plan), first, rows, batches);
  const reference = rowsBy(createReferenceGenerator(plan), first, rows, [rows]);
  if (!fast.equals(reference)) {
    const at = fast.findIndex((byte, place) => byte !== reference[place]);
    const from = Math.max(at - 60, 0);
    assert.equal(fast.toString('utf8', from, at + 60), reference.toString('utf8', from, at + 60), `at ${at}`);
    assert.equal(fast.length, reference.length);
  }
}

const anyFirst = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: MAX_ROWS - ROWS }));
const anyBatches = fc.array(fc.integer({ min: 1, max: ROWS }), { minLength: 1, maxLength: 3 });

describe('the fast generator', () => {
  it('writes the same bytes as the reference for any plan, any rows and any batches', () => {
    fc.assert(
      fc.property(anyPlan, anyFirst, anyBatches, (plan, first, batches) => {
        assertSameRows(plan, first, ROWS, batches);
      }),
      { numRuns: PLANS },
    );
  });
});
