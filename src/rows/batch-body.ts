/**
 * The body of one bulk request, written in place: a slot owns one buffer whose head stays, and each batch is
 * generated behind it. Nothing is copied and no object is made per row.
 */
import { assert } from '../base/errors.ts';
import type { RowGenerator } from './row-generator.ts';

export interface BatchBody {
  /** No body of this slot is longer. */
  readonly maxBodyBytes: number;
  /**
   * The complete body for rows `[firstRow, firstRow + rows)`, a view of the slot's buffer: valid until the next
   * call. At most the slot's `maxRows`.
   */
  write(firstRow: number, rows: number): Uint8Array;
}

const TAIL = ']}';

/** So many slots for requests of up to `maxRows` rows. */
export function createBatchBodies(
  statement: string,
  generator: RowGenerator,
  maxRows: number,
  count: number,
): BatchBody[] {
  const head = headOf(statement);
  const tail = new TextEncoder().encode(TAIL);
  const maxBodyBytes = bodyBytesFor(statement, generator.maxRowBytes, maxRows);
  return generator.createBuffers(count, maxBodyBytes).map((buffer) => {
    buffer.set(head);
    return {
      maxBodyBytes,
      write(firstRow, rows) {
        assert(rows >= 1 && rows <= maxRows, `${rows} rows for a slot of ${maxRows}`);
        const end = generator.writeRows(buffer, head.length, firstRow, rows);
        assert(end + tail.length <= buffer.length, `rows ${firstRow} + ${rows} are longer than their bound`);
        buffer.set(tail, end);
        return buffer.subarray(0, end + tail.length);
      },
    };
  });
}

/** The most bytes that a body of so many rows has. */
export function bodyBytesFor(statement: string, maxRowBytes: number, rows: number): number {
  return headOf(statement).length + rows * (maxRowBytes + 1) - 1 + TAIL.length;
}

/** How many rows surely fit into a body of so many bytes; 0 if not even one does. */
export function rowsThatFit(statement: string, maxRowBytes: number, maxBodyBytes: number): number {
  const room = maxBodyBytes - headOf(statement).length - TAIL.length + 1;
  return Math.max(0, Math.floor(room / (maxRowBytes + 1)));
}

/** What stands before the rows. */
export function headOf(statement: string): Uint8Array {
  return new TextEncoder().encode(`{"stmt":${JSON.stringify(statement)},"bulk_args":[`);
}
