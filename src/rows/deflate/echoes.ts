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
  /** Of each entry, at most. */
  readonly maxBits: { readonly lead: number; readonly length: number; readonly tail: number };
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
  const maxBits = { lead: 0, length: 0, tail: 0 };
  for (const [index, text] of texts.entries()) {
    const { at, from, length } = echoes[index] ?? NONE;
    const parts = length === 0 ? halvesOf(writer, text) : [text.subarray(0, at), text.subarray(at + length)];
    const [lead, tail, ...more] = parts;
    if (lead === undefined || tail === undefined || more.length > 0) return null;
    if (code.textBits(lead) > ENTRY_BITS || code.textBits(tail) > ENTRY_BITS) return null;
    maxBits.lead = Math.max(maxBits.lead, code.textBits(lead));
    maxBits.length = Math.max(maxBits.length, length === 0 ? 0 : code.length(length).length);
    maxBits.tail = Math.max(maxBits.tail, code.textBits(tail));
    const place = index << ECHO.bytesLog2;
    table.setBigUint64(place + ECHO.lead, writer.textEntries(lead)[0] ?? 0n, true);
    table.setBigUint64(place + ECHO.length, length === 0 ? 0n : writer.lengthEntry(length), true);
    table.setBigUint64(place + ECHO.tail, writer.textEntries(tail)[0] ?? 0n, true);
    table.setInt32(place + ECHO.offset, from, true);
  }
  return { address: writer.image.place(new Uint8Array(table.buffer)), maxBits };
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
  { address, maxBits }: EchoTable,
  { index, began, most }: EchoPlace,
): void {
  const { out, values } = writer;
  const record = values.frame.locals.add('i32');
  const distance = { local: values.frame.locals.add('i32'), most };
  out.get(index).i32(ECHO.bytesLog2).do('i32.shl').set(record);
  out.get(record).memory('i64.load', address + ECHO.lead);
  writer.entry(maxBits.lead);
  writer.pushPosition();
  out
    .get(began)
    .do('i32.sub')
    .get(record)
    .memory('i32.load', address + ECHO.offset)
    .do('i32.sub')
    .set(distance.local);
  out
    .get(record)
    .memory('i64.load', address + ECHO.length)
    .i64(0n)
    .do('i64.ne');
  writer.choose(
    () => {
      writer.match(distance, maxBits.length, () => {
        out.get(record).memory('i64.load', address + ECHO.length);
      });
    },
    () => undefined,
  );
  out.get(record).memory('i64.load', address + ECHO.tail);
  writer.entry(maxBits.tail);
}
