/** Texts that repeat a part of another text of the same number, earlier in the row: a name in its own address. */
import type { BitWriter } from './bit-writer.ts';
import { ENTRY_BITS } from './bit-writer.ts';
import { MAX_MATCH } from './huffman.ts';

/**
 * Records of 32 bytes: the entry before the match, the entry of its length (0: none), the entry behind it, and
 * how far into the earlier text the match begins.
 */
export interface EchoTable {
  readonly address: number;
}

const ECHO = { bytesLog2: 5, lead: 0, length: 8, tail: 16, offset: 24 } as const;
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
  const table = new DataView(new ArrayBuffer(count << ECHO.bytesLog2));
  for (const [index, text] of texts.entries()) {
    const { at, from, length } = echoes[index] ?? NONE;
    const parts = length === 0 ? halvesOf(writer, text) : [text.subarray(0, at), text.subarray(at + length)];
    const [lead, tail, ...more] = parts;
    if (lead === undefined || tail === undefined || more.length > 0) return null;
    if (code.textBits(lead) > ENTRY_BITS || code.textBits(tail) > ENTRY_BITS) return null;
    const place = index << ECHO.bytesLog2;
    table.setBigUint64(place + ECHO.lead, writer.textEntries(lead)[0] ?? 0n, true);
    table.setBigUint64(place + ECHO.length, length === 0 ? 0n : writer.lengthEntry(length), true);
    table.setBigUint64(place + ECHO.tail, writer.textEntries(tail)[0] ?? 0n, true);
    table.setInt32(place + ECHO.offset, from, true);
  }
  return { address: writer.image.place(new Uint8Array(table.buffer)) };
}

const NONE: Echo = { at: 0, from: 0, length: 0 };

/** A text as two entries; it may be longer than that. */
function halvesOf(writer: BitWriter, text: Uint8Array): Uint8Array[] {
  let at = text.length;
  while (at > 0 && writer.code.textBits(text.subarray(0, at)) > ENTRY_BITS) at -= 1;
  return [text.subarray(0, at), text.subarray(at)];
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

/** Writes the text whose number is in one i32 local; the earlier text began at the position in the other. */
export function writeEcho(writer: BitWriter, { address }: EchoTable, index: number, began: number): void {
  const { out, values } = writer;
  const [record, distance] = [values.frame.locals.add('i32'), values.frame.locals.add('i32')];
  out.get(index).i32(ECHO.bytesLog2).do('i32.shl').set(record);
  out.get(record).memory('i64.load', address + ECHO.lead);
  writer.entry(ENTRY_BITS);
  writer.settle();
  writer.pushPosition();
  out
    .get(began)
    .do('i32.sub')
    .get(record)
    .memory('i32.load', address + ECHO.offset)
    .do('i32.sub')
    .set(distance);
  out
    .get(record)
    .memory('i64.load', address + ECHO.length)
    .i64(0n)
    .do('i64.ne')
    .if();
  writer.match(distance, () => void out.get(record).memory('i64.load', address + ECHO.length));
  writer.settle();
  out.end();
  out.get(record).memory('i64.load', address + ECHO.tail);
  writer.entry(ENTRY_BITS);
}
