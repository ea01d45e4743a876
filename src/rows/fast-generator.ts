/**
 * The fast generator: a row plan compiled into a WebAssembly module of its own, which writes rows straight into
 * the buffers that are sent. The same bytes as the reference generator, at a hundredth of the cost.
 */
import { assert } from '../base/errors.ts';
import { type ModuleShape, USUAL_SHAPE, emitRowModule } from './fast/row-emitter.ts';
import { OVERSHOOT_BYTES } from './fast/text-writer.ts';
import type { RowGenerator } from './row-generator.ts';
import { MAX_ROWS } from './row-format.ts';
import type { RowPlan } from './row-plan.ts';

const PAGE_BYTES = 65_536;
/** What 32-bit addresses reach. */
const MAX_MEMORY_BYTES = 2 ** 32 - PAGE_BYTES;

type WriteRows = (pointer: number, firstRow: number, rows: number) => number;

/** A generator for the plan's rows. Throws where `canGenerateFast()` is false. */
export function createFastGenerator(plan: RowPlan, shape: ModuleShape = USUAL_SHAPE): RowGenerator {
  const { bytes, image, maxRowBytes } = emitRowModule(plan, shape);
  const module = new WebAssembly.Module(bytes);
  const writersOf = new WeakMap<ArrayBufferLike, WriteRows>();

  /** A memory of its own for so many buffers: it never grows, which would cut its buffers off. */
  function open(count: number, stride: number): Uint8Array[] {
    const memoryBytes = image.end + count * stride;
    const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / PAGE_BYTES) });
    image.writeTo(new Uint8Array(memory.buffer));
    const { prepare, writeRows } = new WebAssembly.Instance(module, { env: { memory } }).exports;
    assert(prepare !== undefined && writeRows !== undefined, 'the module has its functions');
    prepare();
    writersOf.set(memory.buffer, writeRows);
    return Array.from(
      { length: count },
      (_, index) => new Uint8Array(memory.buffer, image.end + index * stride, stride - OVERSHOOT_BYTES),
    );
  }

  return {
    maxRowBytes,
    createBuffers(count, bufferBytes) {
      const stride = Math.ceil((bufferBytes + OVERSHOOT_BYTES) / 64) * 64;
      const perMemory = Math.floor((MAX_MEMORY_BYTES - image.end) / stride);
      assert(perMemory >= 1, `a buffer of ${bufferBytes} bytes`);
      const buffers: Uint8Array[] = [];
      while (buffers.length < count)
        buffers.push(...open(Math.min(perMemory, count - buffers.length), stride));
      return buffers.map((buffer) => buffer.subarray(0, bufferBytes));
    },
    writeRows(target, offset, firstRow, rows) {
      assert(
        firstRow >= 0 && firstRow + rows <= MAX_ROWS,
        `rows ${firstRow} + ${rows} are past the last row`,
      );
      assert(offset + rows * (maxRowBytes + 1) - 1 <= target.length, 'the rows may not fit');
      const write = writersOf.get(target.buffer);
      assert(write !== undefined, 'the buffer is not of this generator');
      if (rows === 0) return offset;
      const start = target.byteOffset + offset;
      // Without the comma behind the last row. Addresses are unsigned.
      return (write(start, firstRow, rows) >>> 0) - 1 - target.byteOffset;
    },
  };
}
