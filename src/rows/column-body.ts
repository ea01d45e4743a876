/**
 * Request bodies of columns, for UNNEST: each column is written into a room of its own in the slot's buffer, and
 * the columns are then moved together. A column is moved as a whole, so this costs little beside the writing.
 */
import { assert } from '../base/errors.ts';
import { type BatchBody, BETWEEN_COLUMNS, frameOf } from './batch-body.ts';
import type { InsertForm } from './insert-form.ts';
import type { ColumnGenerator } from './row-generator.ts';

/** So many slots for requests of up to `maxRows` rows. */
export function createColumnBodies(
  form: InsertForm,
  generator: ColumnGenerator,
  maxRows: number,
  count: number,
): BatchBody[] {
  const frame = frameOf(form, 1);
  const [head, tail] = [frame.before, frame.behind].map((text) => new TextEncoder().encode(text));
  const between = new TextEncoder().encode(BETWEEN_COLUMNS);
  assert(head !== undefined && tail !== undefined, 'a body has a head and a tail');
  const { starts, end } = roomsFor(generator, head.length, maxRows);
  const maxBodyBytes = end + tail.length;
  return generator.createBuffers(count, maxBodyBytes).map((buffer) => {
    buffer.set(head);
    return {
      maxBodyBytes,
      write(firstRow, rows) {
        assert(rows >= 1 && rows <= maxRows, `${rows} rows for a slot of ${maxRows}`);
        const ends = generator.writeColumns(buffer, starts, firstRow, rows);
        let at = head.length;
        ends.forEach((columnEnd, column) => {
          const start = starts[column] ?? 0;
          assert(columnEnd <= (starts[column + 1] ?? end), `column ${column} is longer than its bound`);
          if (column > 0) {
            buffer.set(between, at);
            at += between.length;
          }
          // Without the comma behind the last value.
          buffer.copyWithin(at, start, columnEnd - 1);
          at += columnEnd - 1 - start;
        });
        buffer.set(tail, at);
        return buffer.subarray(0, at + tail.length);
      },
    };
  });
}

/** Where the columns begin, and where the last ends at most: the first stands where it stays. */
function roomsFor(
  { maxColumnBytes, slackBytes }: ColumnGenerator,
  firstStart: number,
  maxRows: number,
): { starts: number[]; end: number } {
  const starts: number[] = [];
  let end = firstStart;
  for (const bytes of maxColumnBytes) {
    // The separator before a column must not reach into it before it is moved.
    const start = starts.length === 0 ? end : end + BETWEEN_COLUMNS.length;
    starts.push(start);
    end = start + maxRows * (bytes + 1) + slackBytes;
  }
  return { starts, end };
}
