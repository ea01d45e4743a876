/** Numbers and random characters as bits: two or three characters at a time, from tables of their codes. */
import type { Expression } from '../row-format.ts';
import { ELEMENT_STEP } from '../hashing.ts';
import { VARIANT, VERSION } from '../fast/characters.ts';
import type { BitWriter, EntryTable } from './bit-writer.ts';
import { ENTRY_BITS } from './bit-writer.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
/** The most digits of a 64-bit integer. */
const MAX_DIGITS = 20;
const TEN_9 = 1_000_000_000n;
const ZERO = 0x30;
const POINT = 46;
const DASH = 45;

/** Numbers 0 … 10^digits − 1 with all their digits. */
function paddedTable(writer: BitWriter, digits: number): EntryTable {
  return writer.sharedTable(`digits ${digits}`, () =>
    Array.from({ length: 10 ** digits }, (_, number) => encode(String(number).padStart(digits, '0'))),
  );
}

/**
 * Numbers below 1,000 with all three digits, and behind them twice those below 100 without leading zeros: where 0 is
 * nothing, and where it is 0.
 */
function groupTable(writer: BitWriter): EntryTable {
  const below = (count: number): number[] => Array.from({ length: count }, (_, number) => number);
  return writer.sharedTable('groups', () => [
    ...below(1000).map((number) => encode(String(number).padStart(3, '0'))),
    ...below(100).map((number) => encode(number === 0 ? '' : String(number))),
    ...below(100).map((number) => encode(String(number))),
  ]);
}
const WITHOUT_ZEROS = 1000;
const LAST_GROUP = 1100;

/** Writes the unsigned integer on the stack, at most `maxDigits` long, with at least `minDigits` digits. */
export function writeWholeBits(writer: BitWriter, maxDigits: number, minDigits: number): void {
  const value = writer.values.frame.locals.add('i64');
  writer.out.set(value);
  wholeOf(writer, value, Math.min(maxDigits, MAX_DIGITS), Math.max(minDigits, 1));
}

/** The same for value · 10^-scale: at least one digit stands before the point. */
export function writeDecimalBits(
  writer: BitWriter,
  maxDigits: number,
  minDigits: number,
  scale: number,
): void {
  if (scale === 0) return writeWholeBits(writer, maxDigits, minDigits);
  const { out, values } = writer;
  const [value, whole] = [values.frame.locals.add('i64'), values.frame.locals.add('i64')];
  const unit = 10n ** BigInt(scale);
  out.tee(value).i64(unit).do('i64.div_u').tee(whole);
  out.i64(unit).do('i64.mul').set(values.frame.scratch);
  out.get(value).get(values.frame.scratch).do('i64.sub').set(value);
  const [most, fewest] = [Math.min(maxDigits, MAX_DIGITS) - scale, minDigits - scale];
  wholeOf(writer, whole, Math.max(most, 1), Math.max(fewest, 1));
  writer.literal(Uint8Array.of(POINT));
  fixedOf(writer, value, scale);
}

/** Writes the integer on the stack, below 10^digits, with leading zeros. */
export function writeFixedBits(writer: BitWriter, digits: number): void {
  const value = writer.values.frame.locals.add('i64');
  writer.out.set(value);
  fixedOf(writer, value, digits);
}

function wholeOf(writer: BitWriter, value: number, maxDigits: number, minDigits: number): void {
  if (minDigits >= maxDigits) return fixedOf(writer, value, minDigits);
  if (minDigits === 1) return trimmedOf(writer, { value, maxDigits, isZeroShown: true });
  const { out, values } = writer;
  const high = values.frame.locals.add('i64');
  const unit = 10n ** BigInt(minDigits);
  out.get(value).i64(unit).do('i64.div_u').set(high);
  out.get(value).get(high).i64(unit).do('i64.mul', 'i64.sub').set(value);
  trimmedOf(writer, { value: high, maxDigits: maxDigits - minDigits, isZeroShown: false });
  fixedOf(writer, value, minDigits);
}

/** An integer in an i64 local, without leading zeros. */
interface Trimmed {
  readonly value: number;
  readonly maxDigits: number;
  /** Or nothing is written for 0. */
  readonly isZeroShown: boolean;
}

function trimmedOf(writer: BitWriter, { value, maxDigits, isZeroShown }: Trimmed): void {
  if (maxDigits <= 9) return trimmedGroups(writer, { value, maxDigits, isZeroShown });
  const { out, values } = writer;
  const high = values.frame.locals.add('i64');
  writer.settle();
  out.get(value).i64(TEN_9).do('i64.lt_u').if();
  trimmedGroups(writer, { value, maxDigits: 9, isZeroShown });
  writer.settle();
  out.else().get(value).i64(TEN_9).do('i64.div_u').set(high);
  out.get(value).get(high).i64(TEN_9).do('i64.mul', 'i64.sub').set(value);
  trimmedOf(writer, { value: high, maxDigits: maxDigits - 9, isZeroShown: false });
  fixedOf(writer, value, 9);
  writer.settle();
  out.end();
}

/** Below 10^9: groups of three digits, of which the first that is not 0 begins the number. */
function trimmedGroups(writer: BitWriter, { value, maxDigits, isZeroShown }: Trimmed): void {
  const { out } = writer;
  const groups = groupsOf(writer, value, Math.ceil(maxDigits / 3));
  groups.forEach((group, place) => {
    const below = groups.length - 1 - place;
    const table = below === 0 && isZeroShown ? LAST_GROUP : WITHOUT_ZEROS;
    writer.entryOf(groupTable(writer), () => {
      out.get(group).do('i32.wrap_i64');
      if (maxDigits <= 3 * below + 2) return void out.i32(table).do('i32.add');
      // The number has leading zeros here, or nothing but them, if it is below 100 and zeros for the groups below.
      out.get(value).i64(100n * 1000n ** BigInt(below));
      out.do('i64.lt_u').i32(table).do('i32.mul', 'i32.add');
    });
  });
}

function fixedOf(writer: BitWriter, value: number, digits: number): void {
  const { out, values } = writer;
  if (digits > MAX_DIGITS) {
    writer.literal(new Uint8Array(digits - MAX_DIGITS).fill(ZERO));
    return fixedOf(writer, value, MAX_DIGITS);
  }
  if (digits > 9) {
    const high = values.frame.locals.add('i64');
    out.get(value).i64(TEN_9).do('i64.div_u').set(high);
    out.get(value).get(high).i64(TEN_9).do('i64.mul', 'i64.sub').set(value);
    fixedOf(writer, high, digits - 9);
    return fixedOf(writer, value, 9);
  }
  groupsOf(writer, value, Math.ceil(digits / 3)).forEach((group, place) => {
    const length = place === 0 ? ((digits - 1) % 3) + 1 : 3;
    const table = length === 3 ? groupTable(writer) : paddedTable(writer, length);
    writer.entryOf(table, () => void out.get(group).do('i32.wrap_i64'));
  });
}

/**
 * I64 locals with the groups of three digits of an i64 local below 1,000^count ≤ 10^9, the highest first. The product
 * is a quotient exactly below 2^30, since 0 < 1,099,511,628 · 1,000 − 2^40 ≤ 2^10.
 */
function groupsOf(writer: BitWriter, number: number, count: number): number[] {
  const { out, values } = writer;
  const groups: number[] = [];
  let rest = number;
  for (let place = count - 1; place > 0; place -= 1) {
    const [high, low] = [values.frame.locals.add('i64'), values.frame.locals.add('i64')];
    out.get(rest).i64(1_099_511_628n).do('i64.mul').i64(40n).do('i64.shr_u').set(high);
    out.get(rest).get(high).i64(1000n).do('i64.mul', 'i64.sub').set(low);
    groups.unshift(low);
    rest = high;
  }
  return [rest, ...groups];
}

const HEX = '0123456789abcdef';

/** The value's last `digits` (≤ 16) hexadecimal digits. */
export function writeHexBits(writer: BitWriter, value: Expression, digits: number): void {
  const number = writer.values.frame.locals.add('i64');
  writer.values.push(value);
  writer.out.set(number);
  hexOf(writer, number, { from: 16 - digits, to: 16 });
}

/** The hexadecimal digits `from` … `to` − 1 of the 16 of an i64 local. */
function hexOf(writer: BitWriter, number: number, { from, to }: { from: number; to: number }): void {
  const { out } = writer;
  const pairs = writer.sharedTable('hex 2', () =>
    Array.from({ length: 256 }, (_, byte) => encode(byte.toString(16).padStart(2, '0'))),
  );
  const single = writer.sharedTable('hex 1', () => Array.from(HEX, encode));
  for (let place = from; place < to;) {
    const digits = place % 2 === 0 && place + 2 <= to ? 2 : 1;
    writer.entryOf(digits === 2 ? pairs : single, () => {
      const shift = 4 * (16 - place - digits);
      out.get(number);
      if (shift > 0) out.i64(BigInt(shift)).do('i64.shr_u');
      out
        .do('i32.wrap_i64')
        .i32(16 ** digits - 1)
        .do('i32.and');
    });
    place += digits;
  }
}

export function writeUuidBits(writer: BitWriter, draw: Expression): void {
  const { out, values } = writer;
  const { locals } = values.frame;
  const [bits, first, second] = [locals.add('i64'), locals.add('i64'), locals.add('i64')];
  values.push(draw);
  out.tee(bits).i64(VERSION.keep).do('i64.and').i64(VERSION.set).do('i64.or').set(first);
  out.get(bits);
  pushBlock(writer, 1n);
  out.i64(VARIANT.keep).do('i64.and').i64(VARIANT.set).do('i64.or').set(second);
  const parts = [
    [first, 0, 8],
    [first, 8, 12],
    [first, 12, 16],
    [second, 0, 4],
    [second, 4, 16],
  ] as const;
  parts.forEach(([half, from, to], place) => {
    if (place > 0) writer.literal(Uint8Array.of(DASH));
    hexOf(writer, half, { from, to });
  });
}

/** draw → finish(draw + block · ELEMENT_STEP), on the stack. */
function pushBlock(writer: BitWriter, block: bigint): void {
  writer.out.i64(block * ELEMENT_STEP).do('i64.add');
  writer.values.finish();
}

/** As many bits as the column is long, the lowest first. */
export function writeBitStringBits(writer: BitWriter, draw: Expression, length: number): void {
  const { out, values } = writer;
  const { locals } = values.frame;
  const [bits, word] = [locals.add('i64'), locals.add('i64')];
  const perEntry = bitsPerEntry(writer);
  values.push(draw);
  out.set(bits);
  for (let from = 0; from < length;) {
    if (from % 64 === 0) {
      out.get(bits);
      pushBlock(writer, BigInt(from / 64));
      out.set(word);
    }
    const count = Math.min(perEntry, length - from);
    writer.entryOf(bitTable(writer, count), () => {
      out
        .get(word)
        .i64(BigInt(from % 64))
        .do('i64.shr_u', 'i32.wrap_i64')
        .i32(2 ** count - 1)
        .do('i32.and');
    });
    from += count;
  }
}

function bitTable(writer: BitWriter, count: number): EntryTable {
  return writer.sharedTable(`bits ${count}`, () =>
    Array.from({ length: 2 ** count }, (_, bits) =>
      encode(bits.toString(2).padStart(count, '0').split('').reverse().join('')),
    ),
  );
}

/** 8, 4 or 2, which divide a block. */
function bitsPerEntry(writer: BitWriter): number {
  const longest = Math.max(writer.code.textBits(encode('0')), writer.code.textBits(encode('1')));
  return longest * 8 <= ENTRY_BITS ? 8 : longest * 4 <= ENTRY_BITS ? 4 : 2;
}

const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LOW_HALF = 0xffff_ffffn;

/** `length` characters (≤ the largest that its interval allows) of 0-9, A-Z, a-z. */
export function writeBase62Bits(writer: BitWriter, draw: Expression, length: Expression): void {
  const { out, values } = writer;
  const { min, max } = values.intervalOf(length);
  const bits = values.frame.locals.add('i64');
  values.push(draw);
  out.set(bits);
  if (min !== max) return writeAnyBase62(writer, bits, length);
  for (let from = 0; from < Number(max); from += 8) {
    const halves = base62Halves(writer, () => {
      out.get(bits);
      pushBlock(writer, BigInt(from / 8));
    });
    for (let place = 0; place < Math.min(8, Number(max) - from); place += 2) {
      const half = place < 4 ? halves.high : halves.low;
      base62Characters(writer, half, Math.min(2, Number(max) - from - place));
    }
  }
}

/** A length that differs from row to row: after each character it may be over. */
function writeAnyBase62(writer: BitWriter, bits: number, length: Expression): void {
  const { out, values } = writer;
  const rest = values.frame.locals.add('i32');
  values.pushI32(length);
  out.set(rest);
  writer.settle();
  out.block().get(rest).do('i32.eqz').branchIf(0).loop();
  const { high, low } = base62Halves(writer, () => {
    out.get(bits);
    values.finish();
  });
  for (let place = 0; place < 8; place += 1) {
    base62Characters(writer, place < 4 ? high : low, 1);
    writer.settle();
    out.get(rest).i32(1).do('i32.sub').tee(rest).do('i32.eqz').branchIf(1);
  }
  out.get(bits).i64(ELEMENT_STEP).do('i64.add').set(bits).branch(0).end().end();
}

/** The halves of the block that `push` leaves on the stack, in two locals. */
function base62Halves(writer: BitWriter, push: () => void): { high: number; low: number } {
  const { out, values } = writer;
  const [high, low] = [values.frame.locals.add('i64'), values.frame.locals.add('i64')];
  push();
  out.tee(low).i64(32n).do('i64.shr_u').set(high);
  out.get(low).i64(LOW_HALF).do('i64.and').set(low);
  return { high, low };
}

/** The next one or two characters of a half: the high word of (half · 62^count), going on with the low word. */
function base62Characters(writer: BitWriter, half: number, count: number): void {
  const { out } = writer;
  const characters = Array.from(BASE_62);
  const table = writer.sharedTable(`base62 ${count}`, () =>
    (count === 1 ? characters : characters.flatMap((first) => characters.map((next) => first + next))).map(
      encode,
    ),
  );
  out
    .get(half)
    .i64(62n ** BigInt(count))
    .do('i64.mul')
    .set(half);
  writer.entryOf(table, () => void out.get(half).i64(32n).do('i64.shr_u', 'i32.wrap_i64'));
  out.get(half).i64(LOW_HALF).do('i64.and').set(half);
}
