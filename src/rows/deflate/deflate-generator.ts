/**
 * Request bodies that are written as DEFLATE right away: the module of a row plan makes the codes, without the
 * text of the rows ever standing anywhere.
 */
import { assert } from '../../base/errors.ts';
import type { BatchBody } from '../batch-body.ts';
import { headOf } from '../batch-body.ts';
import type { RowModule } from '../fast/fast-generator.ts';
import type { InsertForm } from '../insert-form.ts';
import { openModule } from '../fast/fast-generator.ts';
import type { BitText, ByteText } from './huffman.ts';
import { MAX_DISTANCE, NO_BITS, appendBits } from './huffman.ts';

/**
 * A row plan made into code that deflates. Exports `prepare()` and `writeRows(pointer: i32, firstRow: f64, rows:
 * i32, position: i32, headBits: i32, headBitCount: i32): i32`, which goes on with the bits that the head left over
 * and writes rows ≥ 1 rows, the end of the body and of the block. `position` is where the rows begin in a text in
 * which all bodies of a memory stand, each far from the others: what is remembered of one is of no use to the next.
 */
export interface DeflateModule extends RowModule {
  readonly header: ByteText;
  /** The code of each byte. */
  readonly literals: readonly BitText[];
}

/** Positions begin again, in a memory without memories, before they could be taken for negative ones. */
const MAX_POSITION = 2 ** 31;
/** A code has at most 14 bits, and a match at least 3 bytes and at most 47 bits. */
const BITS_PER_BYTE = 16;
const TAIL_BYTES = 16;

/**
 * So many slots for requests of up to `maxRows` rows: the same bodies as `createBatchBodies`, as raw DEFLATE
 * (RFC 1951) in one block.
 */
export function createDeflateBodies(
  module: DeflateModule,
  form: InsertForm,
  maxRows: number,
  count: number,
): BatchBody[] {
  const text = headOf(form);
  const head = appendBits(
    module.header,
    Array.from(text, (byte) => module.literals[byte] ?? NO_BITS),
  );
  const maxTextBytes = maxRows * (module.maxRowBytes + 1);
  const maxBodyBytes = head.bytes.length + Math.ceil((maxTextBytes * BITS_PER_BYTE) / 8) + TAIL_BYTES;
  const { createBuffers, writeRowsOf, restart } = openModule(module);
  const buffers = createBuffers(count, maxBodyBytes);
  // What has stood nowhere yet is remembered as the position 0, and matches begin anywhere in a text.
  const firstPosition = MAX_DISTANCE + module.maxRowBytes;
  const positions = new Map(buffers.map(({ buffer }) => [buffer, firstPosition]));
  return buffers.map((buffer) => {
    buffer.set(head.bytes);
    const writeRows = writeRowsOf(buffer);
    return {
      maxBodyBytes,
      write(firstRow, rows) {
        assert(rows >= 1 && rows <= maxRows, `${rows} rows for a slot of ${maxRows}`);
        const span = text.length + maxTextBytes + MAX_DISTANCE;
        let position = (positions.get(buffer.buffer) ?? 0) + text.length;
        if (position + span > MAX_POSITION) {
          restart(buffer);
          position = firstPosition + text.length;
        }
        positions.set(buffer.buffer, position + span);
        const start = buffer.byteOffset + head.bytes.length;
        const end = writeRows(start, firstRow, rows, position, head.rest.bits, head.rest.length) >>> 0;
        assert(
          end <= buffer.byteOffset + maxBodyBytes,
          `rows ${firstRow} + ${rows} are longer than their bound`,
        );
        return buffer.subarray(0, end - buffer.byteOffset);
      },
    };
  });
}
