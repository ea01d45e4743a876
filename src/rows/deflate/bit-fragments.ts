/**
 * Ready texts of which a row takes one by its number, as bits: short ones as they are, long ones as a match with
 * where the same text stood last, or with what they share with the ones before.
 */
import type { Code } from '../fast/wasm-assembler.ts';
import type { BitWriter, EntryTable } from './bit-writer.ts';
import { ENTRY_BITS, entryOfBits, mostBits } from './bit-writer.ts';
import type { BitText } from './huffman.ts';
import { MAX_DISTANCE, MAX_MATCH, NO_BITS, joinBits } from './huffman.ts';
import type { Linker, Token } from './linked-texts.ts';
import { textKey } from './linked-texts.ts';

export type BitFragments =
  /** The same number of entries for every text, some of them empty. */
  | { readonly form: 'entries'; readonly tables: readonly EntryTable[] }
  /** Texts that are looked for where they stood last. */
  | {
      readonly form: 'tracked';
      readonly address: number;
      /** How many matches of the greatest length come first, 4 bytes each; null if there are none. */
      readonly moreAddress: number | null;
      readonly hasShort: boolean;
      readonly maxLengthBits: number;
    }
  /** Texts too many to come again soon. */
  | { readonly form: 'long'; readonly address: number }
  /** Texts in the order in which they come. */
  | { readonly form: 'linked'; readonly address: number };

/** What is known of a fragment's place in the rows. */
export interface FragmentUse {
  /** Whether row by row the next text is written, and after the last the first. */
  readonly isInOrder: boolean;
  /** Bytes of a row on the average. */
  readonly rowBytes: number;
  readonly link: Linker;
}

/** What a match takes, about. */
export const MATCH_BITS = 20;
/** Bits that a look-up must save on the average; more where no processor foresees how it ends. */
const WORTH_TRACKING_BITS = 8;
const WORTH_GUESSING_BITS = 12;
/** What comes again so often is foreseen. */
const FORESEEN = 0.9;
const MAX_BLIND_ENTRIES = 4;
const MIN_LINKED_BITS = 150;
const MAX_BACK = 64;

export function placeBitFragments(
  writer: BitWriter,
  texts: readonly Uint8Array[],
  { isInOrder, rowBytes, link }: FragmentUse,
): BitFragments {
  const bits = texts.map((text) => writer.code.textBits(text));
  const averageBits = bits.reduce((sum, each) => sum + each, 0) / bits.length;
  const windowRows = MAX_DISTANCE / rowBytes;
  if (isInOrder && texts.length > windowRows && averageBits >= MIN_LINKED_BITS)
    return placeLinked(writer, texts, link(texts, { strideBytes: rowBytes, maxBack: MAX_BACK }));
  const comesAgain = isInOrder
    ? Number(texts.length <= windowRows)
    : 1 - Math.exp(-windowRows / texts.length);
  const gain = comesAgain * (averageBits - MATCH_BITS);
  const worthBits = comesAgain >= FORESEEN ? WORTH_TRACKING_BITS : WORTH_GUESSING_BITS;
  if (gain >= worthBits) return placeTracked(writer, texts);
  const tables = entryTables(writer, texts);
  return tables === null ? placeLong(writer, texts) : { form: 'entries', tables };
}

function entryTables(writer: BitWriter, texts: readonly Uint8Array[]): EntryTable[] | null {
  const entries = texts.map((text) => writer.textEntries(text));
  const count = Math.max(...entries.map(({ length }) => length));
  if (count > MAX_BLIND_ENTRIES) return null;
  if (count <= 1) return [writer.tableOf(texts)];
  const table = BigUint64Array.from(
    entries.flatMap((of) => Array.from({ length: count }, (_, place) => of[place] ?? 0n)),
  );
  const address = writer.image.place(new Uint8Array(table.buffer));
  return Array.from({ length: count }, (_, place) => ({
    address: address + 8 * place,
    strideBytes: 8 * count,
    maxBits: mostBits(entries.map((of) => of[place] ?? 0n)),
    form: 'usual',
  }));
}

/** Texts as entries behind each other; where each begins, and where the last ends. */
export function placeEntries(writer: BitWriter, texts: readonly Uint8Array[]): Uint32Array {
  const entries = texts.map((text) => writer.textEntries(text));
  const address = writer.image.place(new Uint8Array(BigUint64Array.from(entries.flat()).buffer));
  const starts = new Uint32Array(texts.length + 1).fill(address);
  entries.forEach(({ length }, index) => (starts[index + 1] = (starts[index] ?? 0) + 8 * length));
  return starts;
}

function placeLong(writer: BitWriter, texts: readonly Uint8Array[]): BitFragments {
  const starts = placeEntries(writer, texts);
  return { form: 'long', address: writer.image.place(new Uint8Array(starts.buffer)) };
}

/**
 * 16 bytes for each, and one more: the entry of the match's length (0: not worth one), where the entries start, and
 * where the text stood last. The entries end where the next ones start.
 */
const TRACKED = { bytesLog2: 4, length: 0, from: 8, last: 12, to: 16 + 8 } as const;

function placeTracked(writer: BitWriter, texts: readonly Uint8Array[]): BitFragments {
  const starts = placeEntries(writer, texts);
  const records = new DataView(new ArrayBuffer((texts.length + 1) << TRACKED.bytesLog2));
  const more = new Uint32Array(texts.length);
  let [hasShort, maxLengthBits] = [false, 0];
  starts.forEach((start, index) =>
    records.setUint32((index << TRACKED.bytesLog2) + TRACKED.from, start, true),
  );
  texts.forEach((text, index) => {
    if (text.length < 4 || writer.code.textBits(text) <= MATCH_BITS) return void (hasShort = true);
    // The last match must not be too short for one.
    const first = Math.max(Math.ceil((text.length - MAX_MATCH) / (MAX_MATCH - 4)), 0);
    const rest = text.length - first * (MAX_MATCH - 4);
    more[index] = first;
    records.setBigUint64((index << TRACKED.bytesLog2) + TRACKED.length, writer.lengthEntry(rest), true);
    maxLengthBits = Math.max(maxLengthBits, writer.code.length(rest).length);
  });
  const { image } = writer;
  const moreAddress = more.some((first) => first > 0) ? image.place(new Uint8Array(more.buffer)) : null;
  const address = image.place(new Uint8Array(records.buffer));
  return { form: 'tracked', address, moreAddress, hasShort, maxLengthBits };
}

/** 32 bytes for each text: its tokens' start and end, where it stood last, and the entry behind its tokens. */
const LINKED = { bytesLog2: 5, from: 0, to: 4, last: 8, tail: 16 } as const;
/**
 * 32 bytes for each token: the entry before the match, the entry of its length, where the text that it repeats
 * stood last and how far into it, and the entries instead of the match.
 */
const TOKEN = { bytes: 32, lead: 0, length: 8, source: 16, offset: 20, from: 24, to: 28 } as const;

function placeLinked(
  writer: BitWriter,
  texts: readonly Uint8Array[],
  tokens: readonly (readonly Token[])[],
): BitFragments {
  const recordsAddress = writer.image.reserve(texts.length << LINKED.bytesLog2);
  const lists = tokens.map((of) => tokenList(writer, of));
  const instead = placeInstead(
    writer,
    lists.flatMap(({ steps }) => steps.map(({ text }) => text)),
  );
  const steps = lists.flatMap((list) => list.steps);
  const table = new DataView(new ArrayBuffer(steps.length * TOKEN.bytes));
  // Nothing ever stood there.
  const nowhere = writer.cell(4);
  steps.forEach(({ lead, match, text }, index) => {
    const at = index * TOKEN.bytes;
    const { from, to } = instead(text);
    table.setBigUint64(at + TOKEN.lead, lead, true);
    table.setBigUint64(at + TOKEN.length, match === null ? 0n : writer.lengthEntry(text.length), true);
    const source =
      match === null ? nowhere : recordsAddress + (match.source << LINKED.bytesLog2) + LINKED.last;
    table.setUint32(at + TOKEN.source, source, true);
    table.setUint32(at + TOKEN.offset, match?.offset ?? 0, true);
    table.setUint32(at + TOKEN.from, from, true);
    table.setUint32(at + TOKEN.to, to, true);
  });
  const address = writer.image.place(new Uint8Array(table.buffer));
  const records = new DataView(new ArrayBuffer(texts.length << LINKED.bytesLog2));
  let next = address;
  lists.forEach((list, index) => {
    const at = index << LINKED.bytesLog2;
    records.setUint32(at + LINKED.from, next, true);
    next += list.steps.length * TOKEN.bytes;
    records.setUint32(at + LINKED.to, next, true);
    records.setBigUint64(at + LINKED.tail, list.tail, true);
  });
  writer.image.fill(recordsAddress, new Uint8Array(records.buffer));
  return { form: 'linked', address: recordsAddress };
}

/** An entry, and behind it a match, or a text without one. */
interface Step {
  readonly lead: bigint;
  readonly match: { readonly source: number; readonly offset: number } | null;
  readonly text: Uint8Array;
}

/** Tokens as steps; what repeats the same text is in the entries, since its distance never changes. */
function tokenList(writer: BitWriter, tokens: readonly Token[]): { steps: Step[]; tail: bigint } {
  const { code } = writer;
  const steps: Step[] = [];
  let [bits, text]: [BitText, number] = [NO_BITS, 0];
  const take = (): bigint => {
    const entry = entryOfBits(bits, text);
    [bits, text] = [NO_BITS, 0];
    return entry;
  };
  const add = (more: BitText, length: number): void => {
    // A step that has no match and no text is an entry.
    if (bits.length + more.length > ENTRY_BITS)
      steps.push({ lead: take(), match: null, text: new Uint8Array() });
    bits = joinBits(bits, more);
    text += length;
  };
  for (const token of tokens) {
    if (token.kind === 'literal') {
      for (const byte of token.text) add(code.literal(byte), 1);
    } else if (token.kind === 'own') {
      add(code.length(token.length), token.length);
      add(code.distance(token.distance), 0);
    } else {
      const { source, offset } = token;
      steps.push({ lead: take(), match: { source, offset }, text: token.text });
    }
  }
  return { steps, tail: take() };
}

/** Places texts as entries, equal ones once. */
function placeInstead(
  writer: BitWriter,
  texts: readonly Uint8Array[],
): (text: Uint8Array) => { from: number; to: number } {
  const distinct = new Map(texts.map((text) => [textKey(text), text]));
  const starts = placeEntries(writer, [...distinct.values()]);
  const places = new Map([...distinct.keys()].map((key, index) => [key, index]));
  return (text) => {
    const place = places.get(textKey(text)) ?? 0;
    return { from: starts[place] ?? 0, to: starts[place + 1] ?? 0 };
  };
}

// --- the code ----------------------------------------------------------------------------------------------

/** Writes the text whose number, an i32, `pushIndex` leaves on the stack. */
export function writeBitFragment(writer: BitWriter, fragments: BitFragments, pushIndex: () => void): void {
  switch (fragments.form) {
    case 'entries':
      return writeEntries(writer, fragments.tables, pushIndex);
    case 'tracked':
      return writeTracked(writer, fragments, pushIndex);
    case 'long':
      return writeLong(writer, fragments.address, pushIndex);
    case 'linked':
      return writeLinked(writer, fragments.address, pushIndex);
  }
}

function writeEntries(writer: BitWriter, tables: readonly EntryTable[], pushIndex: () => void): void {
  const [only, ...more] = tables;
  if (only === undefined) return;
  if (more.length === 0) return writer.entryOf(only, pushIndex);
  const index = writer.values.frame.locals.add('i32');
  pushIndex();
  writer.out.set(index);
  for (const table of tables) writer.entryOf(table, () => void writer.out.get(index));
}

function writeLong(writer: BitWriter, address: number, pushIndex: () => void): void {
  const { out, values } = writer;
  const [place, from, to] = [
    values.frame.locals.add('i32'),
    values.frame.locals.add('i32'),
    values.frame.locals.add('i32'),
  ];
  pushIndex();
  out.i32(2).do('i32.shl').tee(place).memory('i32.load', address).set(from);
  out
    .get(place)
    .memory('i32.load', address + 4)
    .set(to);
  writer.entries(from, to);
}

/** Where a stretch of entries or tokens begins and ends: from two fields of a record into two i32 locals. */
function loadStretch(
  out: Code,
  { record, address, fields }: { record: number; address: number; fields: Stretch },
  to: Stretch,
): void {
  out
    .get(record)
    .memory('i32.load', address + fields.from)
    .set(to.from);
  out
    .get(record)
    .memory('i32.load', address + fields.to)
    .set(to.to);
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

function writeTracked(
  writer: BitWriter,
  { address, moreAddress, hasShort, maxLengthBits }: BitFragments & { form: 'tracked' },
  pushIndex: () => void,
): void {
  const { out, values } = writer;
  const { locals } = values.frame;
  const [record, place] = [locals.add('i32'), locals.add('i32')];
  const distance = { local: locals.add('i32'), most: MAX_DISTANCE };
  const [from, to, more] = [locals.add('i32'), locals.add('i32'), locals.add('i32')];
  pushIndex();
  out.i32(TRACKED.bytesLog2).do('i32.shl').set(record);
  writer.pushPosition();
  out
    .tee(place)
    .get(record)
    .memory('i32.load', address + TRACKED.last)
    .do('i32.sub')
    .set(distance.local);
  out
    .get(record)
    .get(place)
    .memory('i32.store', address + TRACKED.last);
  writer.pushIsNear(distance);
  if (hasShort) {
    out
      .get(record)
      .memory('i64.load', address + TRACKED.length)
      .i64(0n)
      .do('i64.ne', 'i32.and');
  }
  writer.choose(
    () => {
      if (moreAddress !== null) {
        writer.settle();
        out
          .get(record)
          .i32(TRACKED.bytesLog2 - 2)
          .do('i32.shr_u')
          .memory('i32.load', moreAddress)
          .set(more);
        out.block().get(more).do('i32.eqz').branchIf(0).loop();
        writer.matchOf(distance, MAX_MATCH - 4);
        writer.settle();
        out.get(more).i32(1).do('i32.sub').tee(more).branchIf(0).end().end();
      }
      writer.match(distance, maxLengthBits, () => {
        out.get(record).memory('i64.load', address + TRACKED.length);
      });
    },
    () => {
      loadStretch(out, { record, address, fields: TRACKED }, { from, to });
      writer.entries(from, to);
    },
  );
}

function writeLinked(writer: BitWriter, address: number, pushIndex: () => void): void {
  const { out, values } = writer;
  const { locals } = values.frame;
  const [record, token, end] = [locals.add('i32'), locals.add('i32'), locals.add('i32')];
  const distance = { local: locals.add('i32'), most: MAX_DISTANCE };
  const [from, to] = [locals.add('i32'), locals.add('i32')];
  pushIndex();
  out.i32(LINKED.bytesLog2).do('i32.shl').set(record);
  writer.settle();
  out.get(record);
  writer.pushPosition();
  out.memory('i32.store', address + LINKED.last);
  loadStretch(out, { record, address, fields: LINKED }, { from: token, to: end });
  out.block().get(token).get(end).do('i32.ge_u').branchIf(0).loop();
  out.get(token).memory('i64.load', TOKEN.lead);
  writer.entry(ENTRY_BITS);
  writer.flush();
  writer.pushPosition();
  out.get(token).memory('i32.load', TOKEN.source).memory('i32.load').do('i32.sub');
  out.get(token).memory('i32.load', TOKEN.offset).do('i32.sub').set(distance.local);
  writer.pushIsNear(distance);
  writer.choose(
    () => {
      writer.match(distance, writer.maxLengthBits, () => {
        out.get(token).memory('i64.load', TOKEN.length);
      });
      writer.settle();
    },
    () => {
      loadStretch(out, { record: token, address: 0, fields: TOKEN }, { from, to });
      writer.entries(from, to);
    },
  );
  out.get(token).i32(TOKEN.bytes).do('i32.add').tee(token).get(end).do('i32.lt_u').branchIf(0).end().end();
  out.get(record).memory('i64.load', address + LINKED.tail);
  writer.entry(ENTRY_BITS);
}
