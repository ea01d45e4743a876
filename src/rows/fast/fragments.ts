/**
 * Ready texts of which a row takes one by its number: stored so that they are copied in whole words or vectors,
 * with their length beside them. What a copy writes too much the next one overwrites.
 */
import { assert } from '../../base/errors.ts';
import type { TextWriter } from './text-writer.ts';
import { POINTER, wordOf } from './text-writer.ts';

/** The texts in their memory, and how one is copied. */
export type FragmentTable =
  /** 8 bytes each: the text, and its length in the last byte. */
  | { readonly form: 'word'; readonly address: number; readonly sameLength: number | null }
  /** `stride` bytes each: the text, and its length in the last two bytes if there are different ones. */
  | {
      readonly form: 'vectors';
      readonly address: number;
      readonly stride: number;
      readonly vectors: number;
      readonly sameLength: number | null;
    }
  /** A table of offset and length, 4 bytes each, and the texts behind it. */
  | { readonly form: 'long'; readonly address: number; readonly textAddress: number };

const VECTOR_BYTES = 16;
/** Copied without a look at the length. */
const MAX_BLIND_VECTORS = 4;
/** Texts that are nearly the same length are copied blind even if they are longer. */
const MAX_BLIND_BYTES = 1024;
const MAX_BLIND_DIFFERENCE = 64;
/** A vector of bytes that a loop over vectors copies at once. */
const LOOP_VECTORS = 2;

/** Whether texts of these lengths take a word each: then they may be many. */
export function fitsWord(lengths: readonly number[]): boolean {
  return lengths.every((length) => length < 8);
}

/** Bytes that texts of these lengths take in memory. */
export function tableBytes(lengths: readonly number[]): number {
  if (fitsWord(lengths)) return 8 * lengths.length;
  const blind = blindStride(lengths);
  return blind === null ? lengths.reduce((sum, length) => sum + 8 + length, 0) : blind * lengths.length;
}

/** Places the texts. */
export function placeFragments(out: TextWriter, texts: readonly Uint8Array[]): FragmentTable {
  assert(texts.length > 0, 'a pool has an entry');
  const lengths = texts.map(({ length }) => length);
  const longest = largestOf(lengths);
  const sameLength = lengths.every((length) => length === longest) ? longest : null;
  if (fitsWord(lengths)) {
    const table = new BigUint64Array(texts.length);
    texts.forEach((text, index) => (table[index] = wordOf(text) | (BigInt(text.length) << 56n)));
    return { form: 'word', address: out.image.place(new Uint8Array(table.buffer)), sameLength };
  }
  const stride = blindStride(lengths);
  if (stride === null) return placeLong(out, texts);
  const table = new Uint8Array(texts.length * stride);
  const view = new DataView(table.buffer);
  texts.forEach((text, index) => {
    table.set(text, index * stride);
    if (sameLength === null) view.setUint16((index + 1) * stride - 2, text.length, true);
  });
  const vectors = Math.ceil(longest / VECTOR_BYTES);
  return { form: 'vectors', address: out.image.place(table), stride, vectors, sameLength };
}

function placeLong(out: TextWriter, texts: readonly Uint8Array[]): FragmentTable {
  const entries = new Uint32Array(2 * texts.length);
  const bytes = new Uint8Array(texts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  texts.forEach((text, index) => {
    entries[2 * index] = at;
    entries[2 * index + 1] = text.length;
    bytes.set(text, at);
    at += text.length;
  });
  return {
    form: 'long',
    address: out.image.place(new Uint8Array(entries.buffer)),
    textAddress: out.image.place(bytes),
  };
}

/** Bytes an entry takes if it is copied without a look at its length, or null if that would copy too much. */
function blindStride(lengths: readonly number[]): number | null {
  const longest = largestOf(lengths);
  const shortest = lengths.reduce((least, length) => Math.min(least, length), longest);
  const isBlind =
    longest <= MAX_BLIND_VECTORS * VECTOR_BYTES ||
    (longest <= MAX_BLIND_BYTES && longest - shortest <= MAX_BLIND_DIFFERENCE);
  if (!isBlind) return null;
  const lengthBytes = longest === shortest ? 0 : 2;
  return Math.ceil((longest + lengthBytes) / VECTOR_BYTES) * VECTOR_BYTES;
}

function largestOf(lengths: readonly number[]): number {
  return lengths.reduce((largest, length) => Math.max(largest, length), 0);
}

/** Writes the text whose number, an i32, `pushIndex` leaves on the stack. */
export function writeFragment(out: TextWriter, table: FragmentTable, pushIndex: () => void): void {
  switch (table.form) {
    case 'word':
      return writeWord(out, table, pushIndex);
    case 'vectors':
      return writeVectors(out, table, pushIndex);
    case 'long':
      return writeLong(out, table, pushIndex);
  }
}

function writeWord(out: TextWriter, table: FragmentTable & { form: 'word' }, pushIndex: () => void): void {
  const { code } = out;
  const word = out.values.frame.locals.add('i64');
  pushIndex();
  code.i32(3).do('i32.shl').memory('i64.load', table.address).set(word);
  out.pushPointer();
  code.get(word);
  out.store('i64.store');
  if (table.sameLength !== null) return out.advance(table.sameLength);
  code.get(word).i64(56n).do('i64.shr_u', 'i32.wrap_i64');
  out.advanceByStack();
}

function writeVectors(
  out: TextWriter,
  { address, stride, vectors, sameLength }: FragmentTable & { form: 'vectors' },
  pushIndex: () => void,
): void {
  const { code } = out;
  const entry = out.values.frame.locals.add('i32');
  pushIndex();
  code.i32(stride).do('i32.mul').set(entry);
  for (let vector = 0; vector < vectors; vector += 1) {
    out.pushPointer();
    code.get(entry).memory('v128.load', address + vector * VECTOR_BYTES);
    out.store('v128.store', vector * VECTOR_BYTES);
  }
  if (sameLength !== null) return out.advance(sameLength);
  code.get(entry).memory('i32.load16_u', address + stride - 2);
  out.advanceByStack();
}

function writeLong(
  out: TextWriter,
  { address, textAddress }: FragmentTable & { form: 'long' },
  pushIndex: () => void,
): void {
  const { code } = out;
  const { locals } = out.values.frame;
  const [entry, from, to, end] = [locals.add('i32'), locals.add('i32'), locals.add('i32'), locals.add('i32')];
  out.settle();
  pushIndex();
  code.i32(3).do('i32.shl').tee(entry).memory('i32.load', address).set(from);
  code
    .get(POINTER)
    .tee(to)
    .get(entry)
    .memory('i32.load', address + 4)
    .do('i32.add')
    .set(end);
  const step = LOOP_VECTORS * VECTOR_BYTES;
  code.loop();
  for (let at = 0; at < step; at += VECTOR_BYTES) {
    code
      .get(to)
      .get(from)
      .memory('v128.load', textAddress + at)
      .memory('v128.store', at);
  }
  code.get(from).i32(step).do('i32.add').set(from);
  code.get(to).i32(step).do('i32.add').tee(to).get(end).do('i32.lt_u').branchIf(0).end();
  code.get(end).set(POINTER);
}
