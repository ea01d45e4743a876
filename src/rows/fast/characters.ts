/** Texts made of random bits: hexadecimal digits, UUIDs, base 62 and bit strings, 8 or 16 characters at a time. */
import type { Expression } from '../row-format.ts';
import { ELEMENT_STEP } from '../hashing.ts';
import type { Code } from './wasm-assembler.ts';
import type { TextWriter } from './text-writer.ts';
import { POINTER } from './text-writer.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const HEX_DIGITS = ascii('0123456789abcdef');
const DASHES = ascii('-'.repeat(16));
const DASH = 16;
const LOW_NIBBLES = new Uint8Array(16).fill(0x0f);
/** Version 4 in the high nibble of the third group, variant 10 in the top bits of the fourth: RFC 9562. */
export const VERSION = { keep: 0xffff_ffff_ffff_0fffn, set: 0x4000n };
export const VARIANT = { keep: 0x3fff_ffff_ffff_ffffn, set: 1n << 63n };

/** The value's last `digits` (≤ 16) hexadecimal digits. */
export function writeHex(out: TextWriter, value: Expression, digits: number): void {
  out.pushPointer();
  out.values.push(value);
  spreadNibbles(out, 16 - digits);
  out.store('v128.store');
  out.advance(digits);
}

/** The digits of the i64 on the stack as a vector of characters, without the first `skipped`. */
function spreadNibbles(out: TextWriter, skipped = 0): void {
  const { code } = out;
  const bytes = out.values.frame.locals.add('v128');
  code.do('i64x2.splat').set(bytes);
  out.pushVector(HEX_DIGITS);
  code.get(bytes).i32(4).do('i8x16.shr_u');
  code.get(bytes);
  out.pushVector(LOW_NIBBLES);
  code.do('v128.and');
  const lanes = Array.from({ length: 16 }, (_, place) => {
    const digit = Math.min(place + skipped, 15);
    return 7 - Math.floor(digit / 2) + (digit % 2 === 0 ? 0 : 16);
  });
  code.shuffle(lanes).do('i8x16.swizzle');
}

export function writeUuid(out: TextWriter, draw: Expression): void {
  const { code } = out;
  const { locals } = out.values.frame;
  const [bits, first, second] = [locals.add('i64'), locals.add('v128'), locals.add('v128')];
  out.values.push(draw);
  code.tee(bits).i64(VERSION.keep).do('i64.and').i64(VERSION.set).do('i64.or');
  spreadNibbles(out);
  code.set(first).get(bits);
  pushBlock(out, 1n);
  code.i64(VARIANT.keep).do('i64.and').i64(VARIANT.set).do('i64.or');
  spreadNibbles(out);
  code.set(second);
  const part = (from: number, at: number, lanes: readonly number[]): void => {
    out.pushPointer();
    code.get(from);
    out.pushVector(DASHES);
    code.shuffle(lanes);
    out.store('v128.store', at);
  };
  part(first, 0, [0, 1, 2, 3, 4, 5, 6, 7, DASH, 8, 9, 10, 11, DASH, 12, 13]);
  part(first, 14, [12, 13, 14, 15, DASH, DASH, DASH, DASH, DASH, DASH, DASH, DASH, DASH, DASH, DASH, DASH]);
  part(second, 19, [0, 1, 2, 3, DASH, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  out.pushPointer();
  code.get(second).storeLane(8, out.ahead + 35, 15);
  out.advance(36);
}

/** draw → finish(draw + block · ELEMENT_STEP), on the stack. */
function pushBlock(out: TextWriter, block: bigint): void {
  out.code.i64(block * ELEMENT_STEP).do('i64.add');
  out.values.finish();
}

/** As many bits as the column is long, the lowest first. */
export function writeBits(out: TextWriter, draw: Expression, length: number): void {
  const { code } = out;
  const { locals } = out.values.frame;
  const [bits, bytes] = [locals.add('i64'), locals.add('v128')];
  out.values.push(draw);
  code.set(bits);
  for (let from = 0; from < length; from += 16) {
    if (from % 64 === 0) {
      code.get(bits);
      pushBlock(out, BigInt(from / 64));
      code.do('i64x2.splat').set(bytes);
    }
    const byte = (from % 64) / 8;
    out.pushPointer();
    // A bit that is set compares equal, which is −1: '0' − (−1) is '1'.
    out.pushVector(filled(0x30));
    code.get(bytes).get(bytes);
    code.shuffle(Array.from({ length: 16 }, (_, lane) => byte + (lane < 8 ? 0 : 1)));
    out.pushVector(EACH_BIT);
    code.do('v128.and');
    out.pushVector(EACH_BIT);
    code.do('i8x16.eq', 'i8x16.sub');
    out.store('v128.store', from);
  }
  out.advance(length);
}

const EACH_BIT = Uint8Array.from({ length: 16 }, (_, lane) => 1 << (lane % 8));

/** `length` characters (≤ the largest that its interval allows) of 0-9, A-Z, a-z. */
export function writeBase62(out: TextWriter, draw: Expression, length: Expression): void {
  const { code, values } = out;
  const { locals } = values.frame;
  const bits = locals.add('i64');
  const { min, max } = values.intervalOf(length);
  values.push(draw);
  code.set(bits);
  if (min === max) {
    for (let from = 0; from < Number(max); from += 8) {
      out.pushPointer();
      code.get(bits);
      pushBlock(out, BigInt(from / 8));
      pushCharacters(out);
      out.store('i64.store', from);
    }
    return out.advance(Number(max));
  }
  if (max <= 8n) {
    out.pushPointer();
    code.get(bits);
    pushBlock(out, 0n);
    pushCharacters(out);
    out.store('i64.store');
    values.pushI32(length);
    return out.advanceByStack();
  }
  const [place, end] = [locals.add('i32'), locals.add('i32')];
  out.settle();
  values.pushI32(length);
  code.get(POINTER).tee(place).do('i32.add').set(end);
  code.block().get(place).get(end).do('i32.ge_u').branchIf(0).loop();
  code.get(place).get(bits);
  values.finish();
  pushCharacters(out);
  code.memory('i64.store').get(bits).i64(ELEMENT_STEP).do('i64.add').set(bits);
  code.get(place).i32(8).do('i32.add').tee(place).get(end).do('i32.lt_u').branchIf(0).end().end();
  code.get(end).set(POINTER);
}

/** A word of 8 characters from the i64 on the stack: 4 from each half, two at a time: the high word of (half · 62²). */
function pushCharacters(out: TextWriter): void {
  const { code, image } = out;
  const [whole, rest] = [out.values.frame.locals.add('i64'), out.values.frame.locals.add('i64')];
  const pairs = image.once('pairs of base 62', pairsOfBase62);
  const pushPair = (): void => {
    code
      .i64(62n * 62n)
      .do('i64.mul')
      .tee(rest)
      .i64(32n);
    code.do('i64.shr_u', 'i32.wrap_i64').i32(1).do('i32.shl').memory('i64.load16_u', pairs);
  };
  const pushBehind = (place: bigint, before: Code): void => {
    before.i64(LOW_HALF).do('i64.and');
    pushPair();
    code.i64(16n * place).do('i64.shl', 'i64.or');
  };
  code.tee(whole).i64(32n).do('i64.shr_u');
  pushPair();
  pushBehind(1n, code.get(rest));
  pushBehind(2n, code.get(whole));
  pushBehind(3n, code.get(rest));
}

const LOW_HALF = 0xffff_ffffn;
const BASE62 = ascii('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');

/** Two characters for each number below 62². */
function pairsOfBase62(): Uint8Array {
  return Uint8Array.from({ length: 2 * 62 * 62 }, (_, place) => {
    const pair = Math.floor(place / 2);
    return BASE62[place % 2 === 0 ? Math.floor(pair / 62) : pair % 62] ?? 0;
  });
}

const filled = (value: number): Uint8Array => new Uint8Array(16).fill(value);
