/**
 * Integers as digits without a loop: up to 8 digits at a time in one word, three of them from a table at once; leading
 * zeros are counted and shifted away.
 */
import { assert } from '../../base/errors.ts';
import type { TextWriter } from './text-writer.ts';
import type { Code } from './wasm-assembler.ts';

const ASCII_ZEROS = 0x3030303030303030n;
const TEN_8 = 100_000_000n;
/** The most digits of a 64-bit integer. */
const MAX_DIGITS = 20;

/** A number on its way to text: its i64 local, the most digits it has and the fewest that are written. */
interface Digits {
  readonly value: number;
  readonly maxDigits: number;
  readonly minDigits: number;
}

/** Writes the unsigned integer on the stack with at least `minDigits` digits; it has at most `maxDigits`. */
export function writeWhole(out: TextWriter, maxDigits: number, minDigits: number): void {
  const value = out.values.frame.locals.add('i64');
  out.code.set(value);
  wholeOf(out, { value, maxDigits: Math.min(maxDigits, MAX_DIGITS), minDigits: Math.max(minDigits, 1) });
}

/** The same for value · 10^-scale: at least one digit stands before the point. */
export function writeDecimal(out: TextWriter, maxDigits: number, minDigits: number, scale: number): void {
  if (scale === 0) return writeWhole(out, maxDigits, minDigits);
  const fewest = Math.max(minDigits, scale + 1);
  const most = Math.max(Math.min(maxDigits, MAX_DIGITS), fewest);
  if (most <= 8) return writeShortDecimal(out, most, fewest, scale);
  const { code } = out;
  const value = out.values.frame.locals.add('i64');
  const whole = out.values.frame.locals.add('i64');
  const unit = 10n ** BigInt(scale);
  code.tee(value).i64(unit).do('i64.div_u').tee(whole).i64(unit).do('i64.mul').set(out.values.frame.scratch);
  code.get(value).get(out.values.frame.scratch).do('i64.sub').set(value);
  wholeOf(out, { value: whole, maxDigits: most - scale, minDigits: fewest - scale });
  out.literal(Uint8Array.of(POINT));
  fixedOf(out, value, scale);
}

/** Writes the integer on the stack, below 10^digits, with leading zeros. */
export function writeFixed(out: TextWriter, digits: number): void {
  const value = out.values.frame.locals.add('i64');
  out.code.set(value);
  fixedOf(out, value, digits);
}

const POINT = 46;

function wholeOf(out: TextWriter, { value, maxDigits, minDigits }: Digits): void {
  if (minDigits >= maxDigits) return fixedOf(out, value, minDigits);
  if (maxDigits <= 8) {
    out.code.get(value);
    return writeTrimmed(out, maxDigits, minDigits);
  }
  const { code } = out;
  const high = out.values.frame.locals.add('i64');
  const isShort = minDigits <= 8;
  out.settle();
  if (isShort) {
    code.get(value).i64(TEN_8).do('i64.lt_u').if().get(value);
    writeTrimmed(out, 8, minDigits);
    out.settle();
    code.else();
  }
  code.get(value).i64(TEN_8).do('i64.div_u').set(high);
  code.get(value).get(high).i64(TEN_8).do('i64.mul', 'i64.sub').set(value);
  wholeOf(out, { value: high, maxDigits: maxDigits - 8, minDigits: Math.max(minDigits - 8, 1) });
  fixedOf(out, value, 8);
  out.settle();
  if (isShort) code.end();
}

function fixedOf(out: TextWriter, value: number, digits: number): void {
  const { code } = out;
  if (digits > MAX_DIGITS) {
    out.literal(new Uint8Array(digits - MAX_DIGITS).fill(0x30));
    return fixedOf(out, value, MAX_DIGITS);
  }
  if (digits > 8) {
    const high = out.values.frame.locals.add('i64');
    code.get(value).i64(TEN_8).do('i64.div_u').set(high);
    fixedOf(out, high, digits - 8);
    out.pushPointer();
    code.get(value).get(high).i64(TEN_8).do('i64.mul', 'i64.sub');
    spreadDigits(out, 8);
    code.i64(ASCII_ZEROS).do('i64.or');
    out.store('i64.store');
    return out.advance(8);
  }
  out.pushPointer();
  code.get(value);
  if (digits === 1) code.i64(0x30n).do('i64.or');
  else {
    const width = spreadDigits(out, digits);
    code.i64(ASCII_ZEROS).do('i64.or');
    const unused = width - digits;
    if (unused > 0) code.i64(BigInt(8 * unused)).do('i64.shr_u');
  }
  out.store('i64.store');
  out.advance(digits);
}

/** Writes the integer below 10^maxDigits ≤ 10^8 on the stack without leading zeros, but with `minDigits` digits. */
function writeTrimmed(out: TextWriter, maxDigits: number, minDigits: number): void {
  const { code } = out;
  const { locals } = out.values.frame;
  const digits = locals.add('i64');
  const zeros = locals.add('i32');
  const width = spreadDigits(out, maxDigits);
  code.set(digits);
  trimmedZeros(out, digits, width - minDigits);
  code.set(zeros);
  out.pushPointer();
  code.get(digits).i64(ASCII_ZEROS).do('i64.or').get(zeros).do('i64.extend_i32_u', 'i64.shr_u');
  out.store('i64.store');
  code.get(zeros).i32(3).do('i32.shr_u');
  out.advanceLessStack(width);
}

/** Bits of leading zeros, an i32, in a word of digits, of which at most `most` digits go. */
function trimmedZeros(out: TextWriter, digits: number, most: number): void {
  out.code
    .get(digits)
    .i64(1n << BigInt(8 * most))
    .do('i64.or', 'i64.ctz', 'i32.wrap_i64')
    .i32(0x38)
    .do('i32.and');
}

/** The decimal on the stack as one word of digits: all up to the point, then the point and the rest over it. */
function writeShortDecimal(out: TextWriter, maxDigits: number, minDigits: number, scale: number): void {
  assert(scale <= 7, `${scale} places in a word`);
  const { code } = out;
  const { locals } = out.values.frame;
  const digits = locals.add('i64');
  const zeros = locals.add('i32');
  const width = spreadDigits(out, maxDigits);
  code.set(digits);
  trimmedZeros(out, digits, width - minDigits);
  code.set(zeros);
  code.get(digits).i64(ASCII_ZEROS).do('i64.or').set(digits);
  out.pushPointer();
  code.get(digits).get(zeros).do('i64.extend_i32_u', 'i64.shr_u');
  out.store('i64.store');
  code.get(zeros).i32(3).do('i32.shr_u');
  out.advanceLessStack(width - scale);
  out.pushPointer();
  code.get(digits);
  // The last `scale` digits behind one byte for the point.
  if (scale < 7) {
    code
      .i64(BigInt(8 * (width - scale)))
      .do('i64.shr_u')
      .i64(8n)
      .do('i64.shl');
  } else code.i64(~0xffn).do('i64.and');
  code.i64(BigInt(POINT)).do('i64.or');
  out.store('i64.store');
  out.advance(scale + 1);
}

/**
 * The integer on the stack, below 10^digits ≤ 10^8, as a word with a digit in each byte, the first lowest: three from
 * a table at a time. Reciprocals are exact in these ranges: ⌊x / 1000⌋ = x · 137438954 >> 37 below 2^27, x · 1073742 >>
 * 30 below 2^20 and x · 134218 >> 27 below 2^17. Returns how many digits the word has.
 */
function spreadDigits(out: TextWriter, digits: number): 3 | 6 | 8 {
  const { code } = out;
  const { locals } = out.values.frame;
  const table = out.image.once('digits of 0 to 999', digitsOfThousand);
  const pushThree = (): Code => {
    code.do('i32.wrap_i64').i32(2).do('i32.shl');
    return code.memory('i64.load32_u', table);
  };
  /** Leaves the quotient; the remainder's digits are for `pushRest`. */
  const divide = (factor: bigint, bits: bigint): { pushRest: () => Code } => {
    const [value, quotient] = [locals.add('i64'), locals.add('i64')];
    code.tee(value).i64(factor).do('i64.mul').i64(bits).do('i64.shr_u').tee(quotient);
    const pushRest = (): Code => {
      code.get(value).get(quotient).i64(1000n).do('i64.mul', 'i64.sub');
      return pushThree();
    };
    return { pushRest };
  };
  if (digits <= 3) {
    pushThree();
    return 3;
  }
  if (digits <= 6) {
    const last = divide(1_073_742n, 30n);
    pushThree();
    last.pushRest().i64(24n).do('i64.shl', 'i64.or');
    return 6;
  }
  const last = divide(137_438_954n, 37n);
  const middle = divide(134_218n, 27n);
  pushThree().i64(8n).do('i64.shr_u');
  middle.pushRest().i64(16n).do('i64.shl', 'i64.or');
  last.pushRest().i64(40n).do('i64.shl', 'i64.or');
  return 8;
}

/** Three digits of each number below 1000, in the lower bytes of 4. */
function digitsOfThousand(): Uint8Array {
  return Uint8Array.from({ length: 4000 }, (_, place) => {
    const number = Math.floor(place / 4);
    return [Math.floor(number / 100), Math.floor(number / 10) % 10, number % 10][place % 4] ?? 0;
  });
}
