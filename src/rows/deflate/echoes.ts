/** Texts that repeat a part of another text of the same number, earlier in the row: a name in its own address. */
import type { Code } from '../fast/wasm-assembler.ts';
import { placeEntries } from './bit-fragments.ts';
import type { BitWriter } from './bit-writer.ts';
import { ENTRY_BITS, bitsOfEntry, entryOfBits } from './bit-writer.ts';
import type { BitText } from './huffman.ts';
import { MAX_MATCH, NO_BITS, joinBits } from './huffman.ts';

/**
 * Records of 32 bytes: the entry of what stands before the match and of the match's length, the entry of what stands
 * behind it, how much less than from the earlier text's start its distance is, 0 if there is no match or else −1, and
 * for a text that two entries have no room for where its entries start and end.
 */
export interface EchoTable {
  readonly address: number;
  /** Of each entry, at most. */
  readonly maxBits: { readonly lead: number; readonly tail: number };
  /** Whether there are texts with entries elsewhere. */
  readonly hasLong: boolean;
}

const ECHO = { bytesLog2: 5, lead: 0, tail: 8, offset: 16, mask: 20, from: 24, to: 28 } as const;
const MIN_LENGTH = 4;
/** A length and a short distance, about. */
const ECHO_BITS = 13;
const WORTH_BITS = 8;
const MAX_TEXT_BYTES = 64;
const MAX_TEXTS = 4096;

interface Echo {
  readonly at: number;
  readonly from: number;
  readonly length: number;
}

/** Null if little would be saved, or a text is too long for it. */
export function placeEchoes(
  writer: BitWriter,
  earlier: readonly Uint8Array[],
  texts: readonly Uint8Array[],
): EchoTable | null {
  const count = Math.min(earlier.length, texts.length);
  if (count < texts.length || count > MAX_TEXTS) return null;
  if ([...earlier, ...texts].some(({ length }) => length > MAX_TEXT_BYTES)) return null;
  const { code } = writer;
  const echoes = texts.map((text, index) => longestEcho(earlier[index] ?? new Uint8Array(), text));
  const saved = texts.reduce((sum, text, index) => {
    const { at, length } = echoes[index] ?? NONE;
    return sum + (length === 0 ? 0 : code.textBits(text.subarray(at, at + length)) - ECHO_BITS);
  }, 0);
  if (saved < WORTH_BITS * texts.length) return null;
  const records = texts.map((text, index) => recordOf(writer, text, echoes[index] ?? NONE));
  const long = texts.filter((_, index) => records[index] === null);
  const starts = placeEntries(writer, long);
  const table = new DataView(new ArrayBuffer(count << ECHO.bytesLog2));
  const maxBits = { lead: 0, tail: 0 };
  let place = 0;
  for (const [index, record] of records.entries()) {
    const at = index << ECHO.bytesLog2;
    if (record === null) {
      table.setUint32(at + ECHO.from, starts[place] ?? 0, true);
      table.setUint32(at + ECHO.to, starts[place + 1] ?? 0, true);
      place += 1;
      continue;
    }
    maxBits.lead = Math.max(maxBits.lead, bitsOfEntry(record.lead));
    maxBits.tail = Math.max(maxBits.tail, bitsOfEntry(record.tail));
    table.setBigUint64(at + ECHO.lead, record.lead, true);
    table.setBigUint64(at + ECHO.tail, record.tail, true);
    table.setInt32(at + ECHO.offset, record.offset, true);
    table.setInt32(at + ECHO.mask, record.isMatch ? -1 : 0, true);
  }
  const address = writer.image.place(new Uint8Array(table.buffer));
  return { address, maxBits, hasLong: long.length > 0 };
}

const NONE: Echo = { at: 0, from: 0, length: 0 };

interface EchoRecord {
  readonly lead: bigint;
  readonly tail: bigint;
  readonly offset: number;
  readonly isMatch: boolean;
}

/** Null if two entries have no room for the text. */
function recordOf(writer: BitWriter, text: Uint8Array, { at, from, length }: Echo): EchoRecord | null {
  const { code } = writer;
  const bitsOf = (part: Uint8Array): BitText =>
    part.reduce<BitText>((bits, byte) => joinBits(bits, code.literal(byte)), NO_BITS);
  const entry = (bits: BitText, bytes: number): bigint | null =>
    bits.length > ENTRY_BITS ? null : entryOfBits(bits, bytes);
  if (length > 0) {
    const [before, behind] = [text.subarray(0, at), text.subarray(at + length)];
    const lead = entry(joinBits(bitsOf(before), code.length(length)), at + length);
    const tail = entry(bitsOf(behind), behind.length);
    if (lead !== null && tail !== null) return { lead, tail, offset: from - at, isMatch: true };
  }
  const [lead, tail = 0n, ...more] = writer.textEntries(text);
  return lead === undefined || more.length > 0 ? null : { lead, tail, offset: 0, isMatch: false };
}

/** The longest part of `text` that stands in `earlier`; of length 0 if it is not worth a match. */
function longestEcho(earlier: Uint8Array, text: Uint8Array): Echo {
  let best = NONE;
  for (let from = 0; from < earlier.length; from += 1) {
    for (let at = 0; at < text.length; at += 1) {
      let length = 0;
      while (
        from + length < earlier.length &&
        at + length < text.length &&
        earlier[from + length] === text[at + length]
      )
        length += 1;
      if (length > best.length && length >= MIN_LENGTH && length <= MAX_MATCH) best = { at, from, length };
    }
  }
  return best;
}

/** Where a text is written that may repeat an earlier one. */
export interface EchoPlace {
  /** The text's number, an i32 local. */
  readonly index: number;
  /** An i32 local with the position where the earlier text began. */
  readonly began: number;
  /** How far back that is at most. */
  readonly most: number;
}

/** Writes a text of the table. */
export function writeEcho(
  writer: BitWriter,
  { address, maxBits, hasLong }: EchoTable,
  { index, began, most }: EchoPlace,
): void {
  const { out, values } = writer;
  const { locals } = values.frame;
  const [record, from, to] = [locals.add('i32'), locals.add('i32'), locals.add('i32')];
  const distance = { local: locals.add('i32'), most, mask: locals.add('i32') };
  out.get(index).i32(ECHO.bytesLog2).do('i32.shl').set(record);
  const load = (field: 'offset' | 'mask' | 'from' | 'to'): Code =>
    out.get(record).memory('i32.load', address + ECHO[field]);
  const writeShort = (): void => {
    writer.pushPosition();
    out.get(began).do('i32.sub');
    load('offset').do('i32.sub').set(distance.local);
    load('mask').set(distance.mask);
    out.get(record).memory('i64.load', address + ECHO.lead);
    writer.entry(maxBits.lead);
    writer.distance(distance);
    out.get(record).memory('i64.load', address + ECHO.tail);
    writer.entry(maxBits.tail);
  };
  if (!hasLong) return writeShort();
  load('to').tee(to).do('i32.eqz');
  writer.choose(writeShort, () => {
    load('from').set(from);
    writer.entries(from, to);
  });
}
