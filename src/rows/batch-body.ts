/**
 * The body of one insert request, written in place: a slot owns one buffer whose head stays, and each batch is
 * generated behind it. Nothing is copied and no object is made per row.
 */
import { assert } from '../base/errors.ts';
import { type InsertForm, MAX_VALUES_ROWS, pgBodyBytes, statementOf } from './insert-form.ts';
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

/** What stands around the rows of a body. */
interface Frame {
  readonly before: string;
  readonly behind: string;
}

/** So many slots for requests of up to `maxRows` rows. The generator writes rows as the form's path wants them. */
export function createBatchBodies(
  form: InsertForm,
  generator: RowGenerator,
  maxRows: number,
  count: number,
): BatchBody[] {
  const tail = new TextEncoder().encode(frameOf(form, 1).behind);
  const heads = new Map<number, Uint8Array>();
  const headFor = (rows: number): Uint8Array => {
    // Only a statement that names its rows depends on their number, and it has few.
    const key = form.path === 'values' ? rows : 1;
    const head = heads.get(key) ?? headOf(form, rows);
    heads.set(key, head);
    return head;
  };
  const maxBodyBytes = bodyBytesFor(form, generator.maxRowBytes, maxRows);
  return generator.createBuffers(count, maxBodyBytes).map((buffer) => {
    let head: Uint8Array = new Uint8Array();
    return {
      maxBodyBytes,
      write(firstRow, rows) {
        assert(rows >= 1 && rows <= maxRows, `${rows} rows for a slot of ${maxRows}`);
        if (head !== headFor(rows)) buffer.set((head = headFor(rows)));
        const end = generator.writeRows(buffer, head.length, firstRow, rows);
        assert(end + tail.length <= buffer.length, `rows ${firstRow} + ${rows} are longer than their bound`);
        buffer.set(tail, end);
        return buffer.subarray(0, end + tail.length);
      },
    };
  });
}

/** The most bytes that a body of so many rows has. */
export function bodyBytesFor(form: InsertForm, maxRowBytes: number, rows: number): number {
  if (form.path === 'pg') return pgBodyBytes(form, maxRowBytes, rows);
  return frameBytes(form, rows) + rows * (maxRowBytes + 1) - 1;
}

/** How many rows surely fit into a body of so many bytes; 0 if not even one does. */
export function rowsThatFit(form: InsertForm, maxRowBytes: number, maxBodyBytes: number): number {
  if (form.path === 'pg') {
    const empty = pgBodyBytes(form, maxRowBytes, 0);
    const rowBytes = pgBodyBytes(form, maxRowBytes, 1) - empty;
    return Math.max(0, Math.floor((maxBodyBytes - empty) / rowBytes));
  }
  const most = form.path === 'values' ? MAX_VALUES_ROWS : Infinity;
  const room = maxBodyBytes - frameBytes(form, form.path === 'values' ? MAX_VALUES_ROWS : 1) + 1;
  return Math.max(0, Math.min(most, Math.floor(room / (maxRowBytes + 1))));
}

/** What stands before the rows, or before the values of the first column. */
export function headOf(form: InsertForm, rows = 1): Uint8Array {
  return new TextEncoder().encode(frameOf(form, rows).before);
}

/** What stands behind the values of a column that has others behind it. */
export const BETWEEN_COLUMNS = '],[';

function frameBytes(form: InsertForm, rows: number): number {
  const { before, behind } = frameOf(form, rows);
  const between = form.path === 'unnest' ? (form.columns - 1) * BETWEEN_COLUMNS.length : 0;
  return Buffer.byteLength(before) + between + behind.length;
}

/** The key of the parameters decides how the server takes them: rows for `bulk_args`, values for `args`. */
export function frameOf(form: InsertForm, rows: number): Frame {
  const statement = JSON.stringify(statementOf(form, rows));
  switch (form.path) {
    case 'bulk-args':
      return { before: `{"stmt":${statement},"bulk_args":[`, behind: ']}' };
    case 'values':
      return { before: `{"stmt":${statement},"args":[`, behind: ']}' };
    case 'unnest':
      return { before: `{"stmt":${statement},"args":[[`, behind: ']]}' };
    case 'pg':
      // Its bodies are messages, not JSON.
      return { before: '', behind: '' };
  }
}
