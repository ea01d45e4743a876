/** The one interface between a row plan and what is sent: bytes into a buffer. */
export interface RowGenerator {
  /** Proven upper bound of one row's bytes, without the comma after it. */
  readonly maxRowBytes: number;
  /**
   * Writes rows `[firstRow, firstRow + rows)` as comma-separated JSON arrays (`[…],[…]`, no outer brackets) into
   * `target` from `offset` on and returns the end offset. The caller provides `rows × (maxRowBytes + 1)` bytes.
   */
  writeRows(target: Uint8Array, offset: number, firstRow: number, rows: number): number;
}
