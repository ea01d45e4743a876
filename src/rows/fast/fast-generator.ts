/**
 * The fast generator: the WebAssembly module of a row plan, which writes rows straight into the buffers that are
 * sent. The same bytes as the reference generator, at a hundredth of the cost.
 */
import { assert } from '../../base/errors.ts';
import type { ColumnGenerator, RowGenerator } from '../row-generator.ts';
import { MAX_ROWS } from '../row-format.ts';

/**
 * A row plan made into code, as plain data that crosses a process boundary. The module imports its memory, wants
 * `chunks` in it, and exports `prepare()`, to be called once, and `writeRows(pointer: i32, firstRow: f64, rows:
 * i32): i32`, which writes rows ≥ 1 rows, each with a comma behind it, and returns the end.
 */
export interface RowModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly chunks: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  /** Addresses from here on are free for buffers; a multiple of 64. */
  readonly memoryEnd: number;
  /** What stores may reach behind the rows. */
  readonly overshootBytes: number;
  readonly maxRowBytes: number;
}

/** A module that writes the values of each column where a pointer of the column's own says. */
export interface ColumnModule extends RowModule {
  /** Address of the pointers, 32 bits each: set before a call, behind the last value after it. */
  readonly pointers: number;
  readonly maxColumnBytes: readonly number[];
}

const PAGE_BYTES = 65_536;
/** What 32-bit addresses reach. */
const MAX_MEMORY_BYTES = 2 ** 32 - PAGE_BYTES;

/** More than one kind of module has `writeRows`, each with parameters of its own behind the first three. */
type WriteRows = (pointer: number, firstRow: number, rows: number, ...more: readonly number[]) => number;

/** A module with as many memories as its buffers need. */
export interface OpenModule {
  /** Buffers of exactly `bytes` bytes; those behind a buffer's end may be overwritten. */
  readonly createBuffers: (count: number, bytes: number) => Uint8Array[];
  /** The function that writes into a buffer. Throws if the buffer is not of this module. */
  readonly writeRowsOf: (buffer: Uint8Array) => WriteRows;
  /** Brings the memory of a buffer to where it was at the start; its buffers stay as they are. */
  readonly restart: (buffer: Uint8Array) => void;
}

/** Throws where `canGenerateFast()` is false. */
export function openModule({ bytes, chunks, memoryEnd, overshootBytes }: RowModule): OpenModule {
  const module = new WebAssembly.Module(bytes);
  const instances = new WeakMap<ArrayBufferLike, { writeRows: WriteRows; prepare: () => void }>();

  function instanceOf({ buffer }: Uint8Array) {
    const instance = instances.get(buffer);
    assert(instance !== undefined, 'the buffer is not of this generator');
    return instance;
  }

  function fill(memory: ArrayBufferLike): void {
    const target = new Uint8Array(memory, 0, memoryEnd).fill(0);
    for (const chunk of chunks) target.set(chunk.bytes, chunk.address);
  }

  /** A memory of its own for so many buffers: it never grows, which would cut its buffers off. */
  function open(count: number, stride: number): Uint8Array[] {
    const memoryBytes = memoryEnd + count * stride;
    const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / PAGE_BYTES) });
    const { prepare, writeRows } = new WebAssembly.Instance(module, { env: { memory } }).exports;
    assert(prepare !== undefined && writeRows !== undefined, 'the module has its functions');
    instances.set(memory.buffer, { prepare, writeRows });
    fill(memory.buffer);
    prepare();
    return Array.from(
      { length: count },
      (_, index) => new Uint8Array(memory.buffer, memoryEnd + index * stride, stride - overshootBytes),
    );
  }

  return {
    createBuffers(count, bufferBytes) {
      const stride = Math.ceil((bufferBytes + overshootBytes) / 64) * 64;
      const perMemory = Math.floor((MAX_MEMORY_BYTES - memoryEnd) / stride);
      assert(perMemory >= 1, `a buffer of ${bufferBytes} bytes`);
      const buffers: Uint8Array[] = [];
      while (buffers.length < count)
        buffers.push(...open(Math.min(perMemory, count - buffers.length), stride));
      return buffers.map((buffer) => buffer.subarray(0, bufferBytes));
    },
    writeRowsOf: (buffer) => instanceOf(buffer).writeRows,
    restart(buffer) {
      fill(buffer.buffer);
      instanceOf(buffer).prepare();
    },
  };
}

/** A generator for the plan's rows. Throws where `canGenerateFast()` is false. */
export function createFastGenerator(module: RowModule): RowGenerator {
  const { maxRowBytes } = module;
  const { createBuffers, writeRowsOf } = openModule(module);
  return {
    maxRowBytes,
    createBuffers,
    writeRows(target, offset, firstRow, rows) {
      assertWithinRun(firstRow, rows);
      assert(offset + rows * (maxRowBytes + 1) - 1 <= target.length, 'the rows may not fit');
      const write = writeRowsOf(target);
      if (rows === 0) return offset;
      const start = target.byteOffset + offset;
      // Without the comma behind the last row. Addresses are unsigned.
      return (write(start, firstRow, rows) >>> 0) - 1 - target.byteOffset;
    },
  };
}

/** A generator for the plan's columns. Throws where `canGenerateFast()` is false. */
export function createFastColumns(module: ColumnModule): ColumnGenerator {
  const { maxColumnBytes, overshootBytes: slackBytes, pointers } = module;
  const { createBuffers, writeRowsOf } = openModule(module);
  return {
    maxColumnBytes,
    slackBytes,
    createBuffers,
    writeColumns(target, starts, firstRow, rows) {
      assertWithinRun(firstRow, rows);
      const write = writeRowsOf(target);
      const memory = new Uint32Array(target.buffer, pointers, maxColumnBytes.length);
      starts.forEach((start, column) => (memory[column] = target.byteOffset + start));
      write(0, firstRow, rows);
      return Array.from(memory, (end) => end - target.byteOffset);
    },
  };
}

function assertWithinRun(firstRow: number, rows: number): void {
  assert(firstRow >= 0 && firstRow + rows <= MAX_ROWS, `rows ${firstRow} + ${rows} are past the last row`);
}
