/** Memory of what depends on a row's entity alone: a record of an entity has a line in each of some blocks. */
import type { Interval } from '../intervals.ts';
import type { MemoryImage } from './memory-image.ts';
import type { Code } from './wasm-assembler.ts';

/** An entity's record has one cache line for each of its blocks. */
export const RECORD_BYTES = 64;
/** More entities than this have no records: they would not stay in a cache. */
const MAX_RECORDS = 16_384;
const MAX_RECORD_BLOCKS = 8;

/** Where a value stands: behind the start of the record that it is read from. */
export interface Field {
  readonly offset: number;
  readonly width: 8 | 16 | 32 | 64;
}

/** A part of all records: what rows seldom read does not stand in the lines that they read. */
interface Block {
  readonly address: number;
  readonly isRare: boolean;
  usedBytes: number;
}

export class EntityRecords {
  readonly #image: MemoryImage;
  readonly #entities: number;
  readonly #blocks: Block[] = [];

  constructor(image: MemoryImage, entities: number) {
    this.#image = image;
    this.#entities = entities;
  }

  /** A place in all records, or null if there is none; `isRare` for what rows seldom read. */
  add(width: Field['width'], isRare: boolean): Field | null {
    if (this.#entities > MAX_RECORDS) return null;
    const bytes = width / 8;
    let block = this.#blocks.find(
      (of) => of.isRare === isRare && aligned(of.usedBytes, bytes) + bytes <= RECORD_BYTES,
    );
    if (block === undefined) {
      if (this.#blocks.length === MAX_RECORD_BLOCKS) return null;
      block = { address: this.#image.reserve(this.#entities * RECORD_BYTES), isRare, usedBytes: 0 };
      this.#blocks.push(block);
    }
    const start = aligned(block.usedBytes, bytes);
    block.usedBytes = start + bytes;
    return { offset: block.address + start, width };
  }
}

/** Leaves the field of the record whose start is on the stack. */
export function loadField(code: Code, { offset, width }: Field): void {
  code.memory(LOADS[width], offset);
}

/** Stores what is on the stack, with the start of the record below it. */
export function storeField(code: Code, { offset, width }: Field): void {
  code.memory(STORES[width], offset);
}

const LOADS = { 8: 'i64.load8_u', 16: 'i64.load16_u', 32: 'i64.load32_u', 64: 'i64.load' } as const;
const STORES = { 8: 'i64.store8', 16: 'i64.store16', 32: 'i64.store32', 64: 'i64.store' } as const;

/** How wide a field has to be for unsigned numbers; negative ones take all 64 bits. */
export function widthOf({ min, max }: Interval): Field['width'] {
  if (min < 0n || max > 0xffffffffn) return 64;
  return max <= 0xffn ? 8 : max <= 0xffffn ? 16 : 32;
}

function aligned(offset: number, to: number): number {
  return Math.ceil(offset / to) * to;
}
