/**
 * WebAssembly modules from TypeScript: functions are written instruction by instruction and put together into a
 * module that imports its memory. No toolchain, no text format; only what generated code needs. Encodings are
 * those of the WebAssembly core specification 2.0, chapter 5.
 */
import { assert } from '../../base/errors.ts';

const VALUE_TYPES = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof VALUE_TYPES;

/** Instructions without immediates. */
const PLAIN = {
  return: [0x0f],
  drop: [0x1a],
  select: [0x1b],
  'i32.eqz': [0x45],
  'i32.eq': [0x46],
  'i32.ne': [0x47],
  'i32.lt_u': [0x49],
  'i32.ge_u': [0x4f],
  'i64.eqz': [0x50],
  'i64.eq': [0x51],
  'i64.ne': [0x52],
  'i64.lt_s': [0x53],
  'i64.lt_u': [0x54],
  'i64.gt_u': [0x56],
  'i64.ge_u': [0x5a],
  'i32.clz': [0x67],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'i32.mul': [0x6c],
  'i32.div_u': [0x6e],
  'i32.rem_u': [0x70],
  'i32.and': [0x71],
  'i32.or': [0x72],
  'i32.xor': [0x73],
  'i32.shl': [0x74],
  'i32.shr_u': [0x76],
  'i64.clz': [0x79],
  'i64.ctz': [0x7a],
  'i64.add': [0x7c],
  'i64.sub': [0x7d],
  'i64.mul': [0x7e],
  'i64.div_u': [0x80],
  'i64.rem_u': [0x82],
  'i64.and': [0x83],
  'i64.or': [0x84],
  'i64.xor': [0x85],
  'i64.shl': [0x86],
  'i64.shr_s': [0x87],
  'i64.shr_u': [0x88],
  'i32.wrap_i64': [0xa7],
  'i64.extend_i32_u': [0xad],
  'i64.trunc_f64_u': [0xb1],
  'i8x16.swizzle': [0xfd, 14],
  'i64x2.splat': [0xfd, 18],
  'i8x16.eq': [0xfd, 35],
  'v128.and': [0xfd, 78],
  'v128.or': [0xfd, 80],
  'i8x16.shr_u': [0xfd, 109],
  'i8x16.sub': [0xfd, 113],
} as const satisfies Record<string, readonly number[]>;
export type PlainInstruction = keyof typeof PLAIN;

/** Loads and stores; the alignment is always given as 1, which costs nothing where unaligned access is free. */
const MEMORY = {
  'i32.load': [0x28],
  'i64.load': [0x29],
  'i32.load8_u': [0x2d],
  'i32.load16_u': [0x2f],
  'i64.load8_u': [0x31],
  'i64.load16_u': [0x33],
  'i64.load32_u': [0x35],
  'i32.store': [0x36],
  'i64.store': [0x37],
  'i32.store8': [0x3a],
  'i32.store16': [0x3b],
  'i64.store8': [0x3c],
  'i64.store16': [0x3d],
  'i64.store32': [0x3e],
  'v128.load': [0xfd, 0],
  'v128.store': [0xfd, 11],
} as const satisfies Record<string, readonly number[]>;
export type MemoryInstruction = keyof typeof MEMORY;

const EMPTY_BLOCK = 0x40;
const END = 0x0b;

/** Bytes that grow, with the encodings of the format. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  append(bytes: ArrayLike<number>): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** LEB128 of an unsigned integer below 2^53. */
  unsigned(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `${value} is no unsigned integer`);
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** LEB128 of a signed integer of up to 64 bits. */
  signed(value: bigint): void {
    let rest = value;
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.unsigned(bytes.length);
    this.append(bytes);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(by: number): void {
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + by));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** The locals of one function: parameters first. Several pieces of code of a function share one. */
export class Locals {
  readonly parameters: readonly ValueType[];
  readonly #types: ValueType[];

  constructor(parameters: readonly ValueType[]) {
    this.parameters = parameters;
    this.#types = [...parameters];
  }

  /** A new local of this type, 0 at the start of each call; its index. */
  add(type: ValueType): number {
    return this.#types.push(type) - 1;
  }

  /** The declared locals behind the parameters, as the format wants them: runs of equal types. */
  write(to: ByteWriter): void {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#types.slice(this.parameters.length)) {
      const last = runs.at(-1);
      if (last?.type === type) last.count += 1;
      else runs.push({ type, count: 1 });
    }
    to.unsigned(runs.length);
    for (const { type, count } of runs) {
      to.unsigned(count);
      to.byte(VALUE_TYPES[type]);
    }
  }
}

/** A sequence of instructions. Every method appends one; blocks are closed by `end`. */
export class Code {
  readonly #bytes = new ByteWriter();

  do(...instructions: readonly PlainInstruction[]): this {
    for (const instruction of instructions) {
      const [first, second] = PLAIN[instruction] as readonly number[];
      this.#bytes.byte(first ?? 0);
      if (second !== undefined) this.#bytes.unsigned(second);
    }
    return this;
  }

  /** Reads or writes at the address on the stack plus `offset`. */
  memory(instruction: MemoryInstruction, offset = 0): this {
    const [first, second] = MEMORY[instruction] as readonly number[];
    this.#bytes.byte(first ?? 0);
    if (second !== undefined) this.#bytes.unsigned(second);
    this.#bytes.byte(0);
    this.#bytes.unsigned(offset);
    return this;
  }

  /** memory.copy: destination, source and number of bytes are on the stack. */
  memoryCopy(): this {
    this.#bytes.append([0xfc, 10, 0, 0]);
    return this;
  }

  i32(value: number): this {
    this.#bytes.byte(0x41);
    this.#bytes.signed(BigInt(value | 0));
    return this;
  }

  /** Any integer; its last 64 bits are taken. */
  i64(value: bigint): this {
    this.#bytes.byte(0x42);
    this.#bytes.signed(BigInt.asIntN(64, value));
    return this;
  }

  /** Picks 16 of the 32 bytes of the two values on the stack. */
  shuffle(lanes: readonly number[]): this {
    assert(lanes.length === 16, `${lanes.length} lanes for a shuffle`);
    this.#bytes.append([0xfd, 13]);
    this.#bytes.append(lanes);
    return this;
  }

  /** Stores one lane of the value on the stack. */
  storeLane(width: 8 | 16 | 32 | 64, offset: number, lane: number): this {
    this.#bytes.append([0xfd, { 8: 88, 16: 89, 32: 90, 64: 91 }[width], 0]);
    this.#bytes.unsigned(offset);
    this.#bytes.byte(lane);
    return this;
  }

  get(local: number): this {
    return this.#indexed(0x20, local);
  }

  set(local: number): this {
    return this.#indexed(0x21, local);
  }

  tee(local: number): this {
    return this.#indexed(0x22, local);
  }

  call(functionIndex: number): this {
    return this.#indexed(0x10, functionIndex);
  }

  block(): this {
    this.#bytes.append([0x02, EMPTY_BLOCK]);
    return this;
  }

  loop(): this {
    this.#bytes.append([0x03, EMPTY_BLOCK]);
    return this;
  }

  if(): this {
    this.#bytes.append([0x04, EMPTY_BLOCK]);
    return this;
  }

  else(): this {
    this.#bytes.byte(0x05);
    return this;
  }

  end(): this {
    this.#bytes.byte(END);
    return this;
  }

  branch(depth: number): this {
    return this.#indexed(0x0c, depth);
  }

  branchIf(depth: number): this {
    return this.#indexed(0x0d, depth);
  }

  append(other: Code): this {
    this.#bytes.append(other.bytes());
    return this;
  }

  get length(): number {
    return this.#bytes.length;
  }

  bytes(): Uint8Array {
    return this.#bytes.bytes();
  }

  #indexed(opcode: number, index: number): this {
    this.#bytes.byte(opcode);
    this.#bytes.unsigned(index);
    return this;
  }
}

export interface WasmFunction {
  /** Null: only called from within. */
  readonly exportName: string | null;
  readonly locals: Locals;
  readonly results: readonly ValueType[];
  readonly code: Code;
}

/** The bytes of a module with these functions; it imports its memory as `env.memory`. */
export function assembleModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const module = new ByteWriter();
  module.append([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  section(module, 1, functions, (to, { locals, results }) => {
    to.byte(0x60);
    for (const types of [locals.parameters, results]) {
      to.unsigned(types.length);
      to.append(types.map((type) => VALUE_TYPES[type]));
    }
  });
  section(module, 2, ['memory'], (to, name) => {
    to.text('env');
    to.text(name);
    // A memory of at least 0 pages, without a limit of its own.
    to.append([0x02, 0x00, 0x00]);
  });
  section(module, 3, functions, (to, _function, index) => to.unsigned(index));
  const exported = functions.flatMap(({ exportName }, index) =>
    exportName === null ? [] : [{ exportName, index }],
  );
  section(module, 7, exported, (to, { exportName, index }) => {
    to.text(exportName);
    to.byte(0x00);
    to.unsigned(index);
  });
  section(module, 10, functions, (to, { locals, code }) => {
    const body = new ByteWriter();
    locals.write(body);
    body.append(code.bytes());
    body.byte(END);
    to.unsigned(body.length);
    to.append(body.bytes());
  });
  return module.bytes();
}

function section<T>(
  module: ByteWriter,
  id: number,
  entries: readonly T[],
  write: (to: ByteWriter, entry: T, index: number) => void,
): void {
  const content = new ByteWriter();
  content.unsigned(entries.length);
  entries.forEach((entry, index) => write(content, entry, index));
  module.byte(id);
  module.unsigned(content.length);
  module.append(content.bytes());
}
