/**
 * Where the generated code writes bits: an accumulator that is stored whenever its bytes could run over, and the
 * position in the text that the bits stand for, which distances are taken from. How many bits the accumulator may
 * hold is known while the code is written.
 */
import { assert } from '../../base/errors.ts';
import type { MemoryImage } from '../fast/memory-image.ts';
import type { ValueEmitter } from '../fast/values.ts';
import { POINTER } from '../fast/text-writer.ts';
import type { Code } from '../fast/wasm-assembler.ts';
import type { BitText, DeflateCode } from './huffman.ts';
import { MAX_MATCH, MIN_MATCH, NO_BITS, joinBits } from './huffman.ts';
import type { DistanceCode } from './distance-code.ts';
import { placeDistances, pushDistanceBits } from './distance-code.ts';

/**
 * Bits that are ready to be written, as one 64-bit word: how many they are (8 bits), the length of the text that
 * they stand for (12 bits), and the bits.
 */
export const ENTRY_BITS = 44;
const ENTRY_SHIFT = 20n;
const MAX_ENTRY_TEXT = 2 ** 12 - 1;
/** The accumulator keeps what makes no whole byte. */
const LEFT_BITS = 7;
const ROOM_BITS = 63;
/** Constants are put together as numbers. */
const MAX_READY_BITS = 53;
const COUNT_BITS = 8n;

/** Local indices of the accumulator and of its state: bits in the low 8, above them the position in the text. */
export interface Accumulator {
  readonly bits: number;
  readonly state: number;
}

/** How far back a match begins. */
export interface Distance {
  /** An i32 local. */
  readonly local: number;
  /** No larger one is written: what matches take, and what is held, is known by it. */
  readonly most: number;
  /** An i32 local: nothing is written where it is 0, and else it is −1. */
  readonly mask?: number;
}

/** A table of entries. */
export interface EntryTable {
  readonly address: number;
  /** From one entry to the next: texts that take several have them beside each other. */
  readonly strideBytes: number;
  /** Of an entry. */
  readonly maxBits: number;
  readonly form: EntryForm;
}

/** Short entries are 32 bits: how many there are (8 bits), the length of the text (4 bits), and the bits. */
type EntryForm = 'usual' | 'short';
const SHORT_SHIFT = 12n;
const MAX_SHORT_BITS = 20;
const MAX_SHORT_TEXT = 15;

export class BitWriter {
  readonly values: ValueEmitter;
  readonly image: MemoryImage;
  readonly code: DeflateCode;
  readonly #tables = new Map<string, EntryTable>();
  #lengthTable: number | null = null;
  readonly #distances = new Map<number, DistanceCode>();
  /** What a length takes at most. */
  readonly maxLengthBits: number;
  #cells = { address: 0, usedBytes: 64 };
  #accumulator: Accumulator = { bits: 0, state: 0 };
  #held = 0;
  #ready = NO_BITS;
  #readyText = 0;

  constructor(values: ValueEmitter, image: MemoryImage, code: DeflateCode) {
    this.values = values;
    this.image = image;
    this.code = code;
    let maxLengthBits = 0;
    for (let length = MIN_MATCH; length <= MAX_MATCH; length += 1)
      maxLengthBits = Math.max(maxLengthBits, code.length(length).length);
    this.maxLengthBits = maxLengthBits;
  }

  get out(): Code {
    return this.values.code;
  }

  /** Goes on in another function, which has the accumulator in these locals. */
  enter(accumulator: Accumulator): void {
    this.#accumulator = accumulator;
    this.#held = LEFT_BITS;
  }

  /** The address of `bytes` (4 or 8) bytes that live as long as the memory, 0 at the start. */
  cell(bytes: 4 | 8): number {
    const start = Math.ceil(this.#cells.usedBytes / bytes) * bytes;
    if (start + bytes > 64) {
      this.#cells = { address: this.image.reserve(64), usedBytes: 0 };
      return this.cell(bytes);
    }
    this.#cells.usedBytes = start + bytes;
    return this.#cells.address + start;
  }

  // --- what is known while the code is written --------------------------------------------------------------

  /** Text without a match. */
  literal(bytes: Uint8Array): void {
    for (const byte of bytes) this.#append(this.code.literal(byte), 1);
  }

  endOfBlock(): void {
    this.#append(this.code.endOfBlock, 0);
  }

  #append(bits: BitText, text: number): void {
    if (this.#ready.length + bits.length > MAX_READY_BITS) this.#writeReady();
    this.#ready = joinBits(this.#ready, bits);
    this.#readyText += text;
  }

  #takeReady(): BitText & { readonly text: number } {
    const taken = { ...this.#ready, text: this.#readyText };
    this.#ready = NO_BITS;
    this.#readyText = 0;
    return taken;
  }

  #writeReady(): void {
    const { bits, length, text } = this.#takeReady();
    if (length === 0) return;
    this.#makeRoom(length);
    this.out.i64(BigInt(bits));
    this.#addBits();
    this.out
      .get(this.#accumulator.state)
      .i64(stateOf(length, text))
      .do('i64.add')
      .set(this.#accumulator.state);
  }

  /** Nothing is pending but the bits of a last, incomplete byte: before and after code that runs sometimes. */
  settle(): void {
    this.#writeReady();
    this.flush();
  }

  /** Stores whole bytes. */
  flush(): void {
    if (this.#held <= LEFT_BITS) return;
    const { bits, state } = this.#accumulator;
    const { out } = this;
    const whole = this.values.frame.locals.add('i32');
    out.get(POINTER).get(bits).memory('i64.store');
    // 32 bits that are cut to less need no cut of the engine's own before they shift.
    out.get(POINTER).get(state).do('i32.wrap_i64').i32(0x38).do('i32.and').tee(whole);
    out.i32(3).do('i32.shr_u', 'i32.add').set(POINTER);
    out.get(bits).get(whole).do('i64.extend_i32_u', 'i64.shr_u').set(bits);
    out.get(state).i64(~0x38n).do('i64.and').set(state);
    this.#held = LEFT_BITS;
  }

  #makeRoom(bits: number): void {
    assert(bits <= ROOM_BITS - LEFT_BITS, `${bits} bits at once`);
    if (this.#held + bits > ROOM_BITS) this.flush();
    this.#held += bits;
  }

  /** Puts the bits on the stack behind those that are held. */
  #addBits(): void {
    const { bits, state } = this.#accumulator;
    this.out.get(state).do('i64.shl').get(bits).do('i64.or').set(bits);
  }

  // --- what is known when the code runs ---------------------------------------------------------------------

  /** Writes the entry on the stack, which has at most so many bits. */
  entry(maxBits: number, form: EntryForm = 'usual'): void {
    this.#writeReady();
    this.#makeRoom(maxBits);
    const shift = form === 'usual' ? ENTRY_SHIFT : SHORT_SHIFT;
    const entry = this.values.frame.locals.add('i64');
    this.out.tee(entry).i64(shift).do('i64.shr_u');
    this.#addBits();
    const { state } = this.#accumulator;
    this.out
      .get(state)
      .get(entry)
      .i64((1n << shift) - 1n)
      .do('i64.and', 'i64.add')
      .set(state);
  }

  /** Writes the entry of a table whose number, an i32, `pushIndex` leaves on the stack. */
  entryOf({ address, strideBytes, maxBits, form }: EntryTable, pushIndex: () => void): void {
    pushIndex();
    this.out
      .i32(strideBytes)
      .do('i32.mul')
      .memory(form === 'usual' ? 'i64.load' : 'i64.load32_u', address);
    this.entry(maxBits, form);
  }

  /** Writes a match, of whose length `pushLength` leaves the entry of at most so many bits on the stack. */
  match(distance: Distance, maxLengthBits: number, pushLength: () => void): void {
    this.#writeReady();
    pushLength();
    this.entry(maxLengthBits);
    this.distance(distance);
  }

  /** The same for a length that is known. */
  matchOf(distance: Distance, length: number): void {
    this.#append(this.code.length(length), length);
    this.distance(distance);
  }

  /** The distance behind a length; together with what is ready before it, if there is room for both. */
  distance({ local, most, mask }: Distance): void {
    const { out } = this;
    const { state } = this.#accumulator;
    const code = this.#distanceCode(most);
    if (this.#ready.length + code.maxBits > ROOM_BITS - LEFT_BITS) this.#writeReady();
    const { bits, length, text } = this.#takeReady();
    this.#makeRoom(length + code.maxBits);
    const count = this.values.frame.locals.add('i64');
    pushDistanceBits(this.values, code, { distance: local, count, ...(mask !== undefined && { mask }) });
    if (length > 0) out.i64(BigInt(length)).do('i64.shl').i64(BigInt(bits)).do('i64.or');
    this.#addBits();
    out.get(state).get(count).do('i64.add');
    if (length > 0) out.i64(stateOf(length, text)).do('i64.add');
    out.set(state);
  }

  #distanceCode(most: number): DistanceCode {
    const known = this.#distances.get(most);
    if (known !== undefined) return known;
    const placed = placeDistances(this.image, this.code, most);
    this.#distances.set(most, placed);
    return placed;
  }

  /** Leaves the position in the text on the stack, an i32. */
  pushPosition(): void {
    this.out.get(this.#accumulator.state).i64(COUNT_BITS).do('i64.shr_u', 'i32.wrap_i64');
    if (this.#readyText > 0) this.out.i32(this.#readyText).do('i32.add');
  }

  /** Leaves an i32 that is not 0 if a match may be so far away. */
  pushIsNear({ local, most }: Distance): void {
    this.out
      .get(local)
      .i32(most + 1)
      .do('i32.lt_u');
  }

  /**
   * Writes an if by the i32 on the stack. Both sides go on with what is held, and behind them as much may be held as
   * either leaves: a side that runs seldom settles, so that the other one need not.
   */
  choose(then: () => void, otherwise: () => void): void {
    const [held, ready, readyText] = [this.#held, this.#ready, this.#readyText];
    this.out.if();
    then();
    this.#writeReady();
    const left = this.#held;
    [this.#held, this.#ready, this.#readyText] = [held, ready, readyText];
    this.out.else();
    otherwise();
    this.#writeReady();
    this.out.end();
    this.#held = Math.max(this.#held, left);
  }

  /** Writes the entries from the address in one i32 local up to the one in the other, which the first reaches. */
  entries(from: number, to: number): void {
    const { out } = this;
    this.settle();
    out.block().get(from).get(to).do('i32.ge_u').branchIf(0).loop();
    out.get(from).memory('i64.load');
    this.entry(ENTRY_BITS);
    this.flush();
    out.get(from).i32(8).do('i32.add').tee(from).get(to).do('i32.lt_u').branchIf(0).end().end();
    this.#held = LEFT_BITS;
  }

  // --- entries ---------------------------------------------------------------------------------------------

  /** The entry of a match's length, without its distance. */
  lengthEntry(length: number): bigint {
    assert(length >= MIN_MATCH && length <= MAX_MATCH, `a match of ${length}`);
    return entryOfBits(this.code.length(length), length);
  }

  /** The entries of a text, as few as can be. */
  textEntries(text: Uint8Array): bigint[] {
    const entries: bigint[] = [];
    let [bits, length, from] = [0, 0, 0];
    for (let at = 0; at < text.length; at += 1) {
      const next = this.code.literal(text[at] ?? 0);
      if (length + next.length > ENTRY_BITS) {
        entries.push(entryOfBits({ bits, length }, at - from));
        [bits, length, from] = [0, 0, at];
      }
      bits += next.bits * 2 ** length;
      length += next.length;
    }
    return text.length === 0 ? [] : [...entries, entryOfBits({ bits, length }, text.length - from)];
  }

  /** Places texts of one entry each. */
  tableOf(texts: readonly Uint8Array[]): EntryTable {
    const entries = texts.map((text) => {
      const [entry = 0n, ...more] = this.textEntries(text);
      assert(more.length === 0, 'a text takes one entry');
      return entry;
    });
    const maxBits = mostBits(entries);
    const isShort = maxBits <= MAX_SHORT_BITS && texts.every(({ length }) => length <= MAX_SHORT_TEXT);
    if (!isShort) {
      const address = this.image.place(new Uint8Array(BigUint64Array.from(entries).buffer));
      return { address, strideBytes: 8, maxBits, form: 'usual' };
    }
    const short = Uint32Array.from(entries, (entry) =>
      Number(((entry >> ENTRY_SHIFT) << SHORT_SHIFT) | (entry & ((1n << SHORT_SHIFT) - 1n))),
    );
    return {
      address: this.image.place(new Uint8Array(short.buffer)),
      strideBytes: 4,
      maxBits,
      form: 'short',
    };
  }

  /** The same for a table that many may want, made once. */
  sharedTable(name: string, make: () => readonly Uint8Array[]): EntryTable {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = this.tableOf(make());
    this.#tables.set(name, table);
    return table;
  }

  /** A table of the entries of all lengths, by length. */
  lengthTable(): number {
    this.#lengthTable ??= this.image.place(
      new Uint8Array(
        BigUint64Array.from({ length: MAX_MATCH + 1 }, (_, length) =>
          length < MIN_MATCH ? 0n : this.lengthEntry(length),
        ).buffer,
      ),
    );
    return this.#lengthTable;
  }
}

export function entryOfBits({ bits, length }: BitText, text: number): bigint {
  assert(length <= ENTRY_BITS && text <= MAX_ENTRY_TEXT, `${length} bits for ${text} bytes`);
  return (BigInt(bits) << ENTRY_SHIFT) | stateOf(length, text);
}

/** How many bits an entry stands for. */
export function bitsOfEntry(entry: bigint): number {
  return Number(entry & 0xffn);
}

/** The most bits that one of the entries stands for. */
export function mostBits(entries: readonly bigint[]): number {
  return entries.reduce((most, entry) => Math.max(most, bitsOfEntry(entry)), 0);
}

function stateOf(bits: number, text: number): bigint {
  return BigInt(bits) | (BigInt(text) << COUNT_BITS);
}
