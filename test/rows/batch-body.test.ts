/** A batch's body is the whole request, in a buffer that is used again and never too small. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type BatchBody, bodyBytesFor, createBatchBodies, rowsThatFit } from '../../src/rows/batch-body.ts';
import { bulkForm } from '../../src/rows/insert-form.ts';
import { createReferenceGenerator } from '../../src/rows/reference/reference-generator.ts';
import type { RowGenerator } from '../../src/rows/row-generator.ts';
import { planOf, preset, rowsOf } from './support.ts';

const STATEMENT = 'INSERT INTO "a""b"."c" ("Zürich") VALUES (?)';
const FORM = bulkForm(STATEMENT);

/** Rows that are always as long as their bound. */
const longest = (maxRowBytes: number): RowGenerator => ({
  maxRowBytes,
  createBuffers: (count, bytes) => Array.from({ length: count }, () => new Uint8Array(bytes)),
  writeRows(target, offset, _firstRow, rows) {
    const text = Array.from({ length: rows }, () => `[${'1'.repeat(maxRowBytes - 2)}]`).join(',');
    target.set(Buffer.from(text), offset);
    return offset + text.length;
  },
});

function bodyOf(generator: RowGenerator, maxRows: number): BatchBody {
  const [body] = createBatchBodies(FORM, generator, maxRows, 1);
  assert.ok(body);
  return body;
}

describe('a batch body', () => {
  it('is one JSON document of the statement and the rows', async () => {
    const plan = await planOf(preset('everything'));
    const body = bodyOf(createReferenceGenerator(plan), 50);
    for (const [first, rows] of [
      [0, 50],
      [7, 1],
      [123_456, 13],
    ] as const) {
      const request = JSON.parse(Buffer.from(body.write(first, rows)).toString('utf8')) as object;
      assert.deepEqual(Object.keys(request), ['stmt', 'bulk_args']);
      assert.deepEqual(request, { stmt: STATEMENT, bulk_args: rowsOf(plan, first, rows) });
    }
  });

  it('is a view of one buffer, which a further batch writes over', async () => {
    const body = bodyOf(createReferenceGenerator(await planOf(preset('records'))), 10);
    const [first, second] = [body.write(0, 10), body.write(10, 10)];
    assert.equal(first.buffer, second.buffer);
    assert.equal(second.buffer.byteLength, body.maxBodyBytes);
  });

  it('takes exactly the room that was reckoned, and as many rows as fit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 50 }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(49),
        (rowBytes, rows, spare) => {
          const generator = longest(rowBytes);
          const body = bodyOf(generator, rows);
          assert.equal(body.write(0, rows).length, body.maxBodyBytes);
          assert.equal(body.maxBodyBytes, bodyBytesFor(FORM, rowBytes, rows));
          assert.equal(rowsThatFit(FORM, rowBytes, body.maxBodyBytes + (spare % (rowBytes + 1))), rows);
          assert.equal(rowsThatFit(FORM, rowBytes, body.maxBodyBytes - 1), rows - 1);
        },
      ),
    );
    assert.equal(rowsThatFit(FORM, 10, 5), 0);
  });

  it('refuses more rows than its slot was made for', () => {
    const body = bodyOf(longest(10), 3);
    assert.throws(() => body.write(0, 4), /4 rows for a slot of 3/);
    assert.throws(() => body.write(0, 0), /0 rows for a slot of 3/);
  });
});
