/**
 * Where the generated code writes: a pointer and a displacement that is known while the code is written, so that
 * text of known length moves nothing. Stores may be wider than what they write: what follows overwrites the rest.
 */
import type { MemoryImage } from './memory-image.ts';
import { FIRST_ADDRESS } from './memory-image.ts';
import type { ValueEmitter } from './values.ts';
import type { Code, MemoryInstruction } from './wasm-assembler.ts';

/** Local 0 of every function that writes text. */
export const POINTER = 0;

/** No store reaches further than this behind the text that it belongs to. */
export const OVERSHOOT_BYTES = 256;

/** How far the pointer may be behind what is written: no more than what no text stands in at the start of memory. */
const MAX_LAG_BYTES = FIRST_ADDRESS;
const WORD_BYTES = 8;
const VECTOR_BYTES = 16;

export class TextWriter {
  readonly values: ValueEmitter;
  readonly image: MemoryImage;
  #ahead = 0;

  constructor(values: ValueEmitter, image: MemoryImage) {
    this.values = values;
    this.image = image;
  }

  get code(): Code {
    return this.values.code;
  }

  /** Bytes that are known to stand behind the pointer. */
  get ahead(): number {
    return this.#ahead;
  }

  /** A writer of the same code for another place, where the pointer will stand at first. */
  elsewhere(): TextWriter {
    return new TextWriter(this.values, this.image);
  }

  literal(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += VECTOR_BYTES) {
      this.#literalPart(bytes.subarray(from, from + VECTOR_BYTES), from);
    }
    this.#ahead += bytes.length;
  }

  #literalPart(part: Uint8Array, at: number): void {
    const { code } = this;
    if (part.length > WORD_BYTES) {
      const padded = new Uint8Array(VECTOR_BYTES);
      padded.set(part);
      code.get(POINTER);
      this.pushVector(padded);
      return this.store('v128.store', at);
    }
    code.get(POINTER);
    if (part.length > 4) {
      code.i64(wordOf(part));
      this.store('i64.store', at);
    } else {
      code.i32(Number(BigInt.asIntN(32, wordOf(part))));
      this.store(part.length === 1 ? 'i32.store8' : part.length === 2 ? 'i32.store16' : 'i32.store', at);
    }
  }

  /** 16 constant bytes: loaded, since a constant in the code takes four instructions. */
  pushVector(bytes: Uint8Array): void {
    this.code.i32(0).memory('v128.load', this.image.constant(bytes));
  }

  /** Puts the pointer on the stack, for `store`. */
  pushPointer(): void {
    this.code.get(POINTER);
  }

  /** Stores what is on the stack above the pointer, `at` bytes behind the next place. */
  store(instruction: MemoryInstruction, at = 0): void {
    this.code.memory(instruction, this.#ahead + at);
  }

  /** So many bytes are written. */
  advance(bytes: number): void {
    this.#ahead += bytes;
  }

  /** As many bytes are written as the i32 on the stack says. */
  advanceByStack(): void {
    this.code.get(POINTER).do('i32.add').set(POINTER);
  }

  /** `most` bytes are written, less as many as the i32 on the stack says: the pointer lags behind meanwhile. */
  advanceLessStack(most: number): void {
    const { code } = this;
    const less = this.values.frame.locals.add('i32');
    code.set(less).get(POINTER).get(less).do('i32.sub').set(POINTER);
    this.#ahead += most;
    if (this.#ahead > MAX_LAG_BYTES) this.settle();
  }

  /** Brings the pointer to the next place: before and after code that runs sometimes. */
  settle(): void {
    if (this.#ahead === 0) return;
    this.code.get(POINTER).i32(this.#ahead).do('i32.add').set(POINTER);
    this.#ahead = 0;
  }
}

/** Up to 8 bytes as a number, the first lowest. */
export function wordOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n);
}
