/** The one interface between a row plan and what is sent: bytes into a buffer. */
export interface RowGenerator {
  /** Proven upper bound of one row's bytes, without the comma after it. */
  readonly maxRowBytes: number;
  /** Buffers of exactly `bytes` bytes that `writeRows` of this generator can write into. */
  createBuffers(count: number, bytes: number): Uint8Array[];
  /**
   * Writes rows `[firstRow, firstRow + rows)` as comma-separated JSON arrays (`[…],[…]`, no outer brackets; or in
   * other brackets that the generator was made with) into `target`, one of the generator's buffers, from `offset` on and returns the end offset. The caller leaves room
   * for `rows × (maxRowBytes + 1)` bytes; those behind the end may be overwritten.
   */
  writeRows(target: Uint8Array, offset: number, firstRow: number, rows: number): number;
}

/** The other way to write rows: each column's values together. */
export interface ColumnGenerator {
  /** Proven upper bound of one value's bytes in each column, without the comma behind it. */
  readonly maxColumnBytes: readonly number[];
  /** Bytes behind a column's last value that may be overwritten. */
  readonly slackBytes: number;
  /** Buffers of exactly `bytes` bytes that `writeColumns` of this generator can write into. */
  createBuffers(count: number, bytes: number): Uint8Array[];
  /**
   * Writes the values of rows `[firstRow, firstRow + rows)`, rows ≥ 1, each with a comma behind it, column c's from
   * `starts[c]` on; the result is where each column ends.
   */
  writeColumns(
    target: Uint8Array,
    starts: readonly number[],
    firstRow: number,
    rows: number,
  ): readonly number[];
}

/** What stands before and behind a row's values. */
export interface RowBrackets {
  readonly before: string;
  readonly behind: string;
}

/** A row as a JSON array, and its values alone. */
export const IN_BRACKETS: RowBrackets = { before: '[', behind: ']' };
export const WITHOUT_BRACKETS: RowBrackets = { before: '', behind: '' };

/** A module whose only function returns a vector. */
const VECTOR_MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00, 0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b],
);

/** Whether this process can run generated code: not under `--jitless`, nor on a processor without vectors. */
export function canGenerateFast(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(VECTOR_MODULE);
}
