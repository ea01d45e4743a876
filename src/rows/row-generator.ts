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

/** A module whose only function returns a vector. */
const VECTOR_MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00, 0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b],
);

/** Whether this process can run generated code: not under `--jitless`, nor on a processor without vectors. */
export function canGenerateFast(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(VECTOR_MODULE);
}
