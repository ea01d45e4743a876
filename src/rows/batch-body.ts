/**
 * Complete request bodies, `{"stmt":"…","bulk_args":[[…],[…]]}`, written in place: the head stands ready in a
 * buffer of its own, rows are generated behind it, and what is sent is a view of that buffer.
 */
import type { RowGenerator } from './row-generator.ts';

const TAIL = ']}';
/** Generators may store up to this far beyond the last row's bytes. */
const SLOP_BYTES = 256;

export interface BatchBody {
  readonly maxBodyBytes: number;
  /** The body for rows `[firstRow, firstRow + rows)`; a view that is valid until the next call. */
  write(firstRow: number, rows: number): Uint8Array;
}

/** A buffer that takes `maxRows` rows of this generator, whatever they hold. */
export function createBatchBody(statement: string, generator: RowGenerator, maxRows: number): BatchBody {
  const head = headOf(statement);
  const maxBodyBytes = head.byteLength + maxRows * (generator.maxRowBytes + 1) + TAIL.length;
  const buffer = Buffer.allocUnsafeSlow(maxBodyBytes + SLOP_BYTES);
  buffer.set(head);
  return {
    maxBodyBytes,
    write(firstRow, rows) {
      const end = generator.writeRows(buffer, head.byteLength, firstRow, rows);
      buffer.write(TAIL, end, 'latin1');
      return buffer.subarray(0, end + TAIL.length);
    },
  };
}

/** How many rows surely fit into a body of `maxBodyBytes`; 0 when not even one does. */
export function rowsThatFit(statement: string, generator: RowGenerator, maxBodyBytes: number): number {
  const room = maxBodyBytes - headOf(statement).byteLength - TAIL.length;
  return Math.max(0, Math.floor(room / (generator.maxRowBytes + 1)));
}

function headOf(statement: string): Buffer {
  return Buffer.from(`{"stmt":${JSON.stringify(statement)},"bulk_args":[`);
}
