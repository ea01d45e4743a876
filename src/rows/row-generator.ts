/** The one interface between a row plan and what is sent: bytes into a buffer. */
export interface RowGenerator {
  /** Proven upper bound of one row's bytes, without the comma after it. */
  readonly maxRowBytes: number;
  /** Buffers of exactly `bytes` bytes that `writeRows` of this generator can write into. */
  createBuffers(count: number, bytes: number): Uint8Array[];
  /**
   * Writes rows `[firstRow, firstRow + rows)` as comma-separated JSON arrays (`[…],[…]`, no outer brackets) into
   * `target`, one of the generator's buffers, from `offset` on and returns the end offset. The caller leaves room
   * for `rows × (maxRowBytes + 1)` bytes; those behind the end may be overwritten.
   */
  writeRows(target: Uint8Array, offset: number, firstRow: number, rows: number): number;
}
