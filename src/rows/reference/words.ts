/**
 * Unsigned 64-bit arithmetic as two 32-bit halves, for the reference generator: BigInt allocates for every
 * step. All functions work on the accumulator, words[0] (high half) and words[1] (low half).
 */
import { FINISH_FACTOR, MIX_FIRST, MIX_SECOND } from '../hashing.ts';

/** Places in the words of a generator: the accumulator, then the key that draws are made from. */
export const HIGH = 0;
export const LOW = 1;
export const KEY_HIGH = 2;
export const KEY_LOW = 3;

export const highHalf = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));
export const lowHalf = (value: bigint): number => Number(BigInt.asIntN(32, value));

const MIX_FIRST_HIGH = highHalf(MIX_FIRST);
const MIX_FIRST_LOW = lowHalf(MIX_FIRST);
const MIX_SECOND_HIGH = highHalf(MIX_SECOND);
const MIX_SECOND_LOW = lowHalf(MIX_SECOND);
const FINISH_HIGH = highHalf(FINISH_FACTOR);
const FINISH_LOW = lowHalf(FINISH_FACTOR);

/** High 32 bits of the product of two unsigned 32-bit integers. */
export function multiplyHigh32(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (other >>> 16)) >>> 0;
}

/** accumulator := accumulator · factor. */
export function multiply(words: Int32Array, factorHigh: number, factorLow: number): void {
  const high = words[HIGH] ?? 0;
  const low = words[LOW] ?? 0;
  words[HIGH] = multiplyHigh32(low, factorLow) + Math.imul(high, factorLow) + Math.imul(low, factorHigh);
  words[LOW] = Math.imul(low, factorLow);
}

/** accumulator := accumulator + term. */
export function add(words: Int32Array, termHigh: number, termLow: number): void {
  const sum = ((words[LOW] ?? 0) + termLow) | 0;
  const carry = sum >>> 0 < termLow >>> 0 ? 1 : 0;
  words[LOW] = sum;
  words[HIGH] = (words[HIGH] ?? 0) + termHigh + carry;
}

/** accumulator := high 64 bits of accumulator · factor, all unsigned. */
export function multiplyHigh(words: Int32Array, factorHigh: number, factorLow: number): void {
  const high = words[HIGH] ?? 0;
  const low = words[LOW] ?? 0;
  // Schoolbook: the four products of halves, summed by columns of 32 bits; every sum is below 2^53.
  const second =
    multiplyHigh32(low, factorLow) + (Math.imul(high, factorLow) >>> 0) + (Math.imul(low, factorHigh) >>> 0);
  const third =
    multiplyHigh32(high, factorLow) +
    multiplyHigh32(low, factorHigh) +
    (Math.imul(high, factorHigh) >>> 0) +
    Math.floor(second / 2 ** 32);
  words[LOW] = third;
  words[HIGH] = multiplyHigh32(high, factorHigh) + Math.floor(third / 2 ** 32);
}

/** accumulator := accumulator >> bits, 0 ≤ bits ≤ 63, filled with zeros. */
export function shiftRight(words: Int32Array, bits: number): void {
  const high = words[HIGH] ?? 0;
  if (bits >= 32) {
    words[LOW] = high >>> (bits - 32);
    words[HIGH] = 0;
  } else if (bits > 0) {
    words[LOW] = ((words[LOW] ?? 0) >>> bits) | (high << (32 - bits));
    words[HIGH] = high >>> bits;
  }
}

/** accumulator := accumulator << bits, 0 ≤ bits ≤ 63. */
export function shiftLeft(words: Int32Array, bits: number): void {
  const low = words[LOW] ?? 0;
  if (bits >= 32) {
    words[HIGH] = low << (bits - 32);
    words[LOW] = 0;
  } else if (bits > 0) {
    words[HIGH] = ((words[HIGH] ?? 0) << bits) | (low >>> (32 - bits));
    words[LOW] = low << bits;
  }
}

/** accumulator := accumulator ^ (accumulator >> bits), for 0 < bits < 32. */
function foldRight(words: Int32Array, bits: number): void {
  const high = words[HIGH] ?? 0;
  const low = words[LOW] ?? 0;
  words[LOW] = low ^ ((low >>> bits) | (high << (32 - bits)));
  words[HIGH] = high ^ (high >>> bits);
}

/** accumulator := mix64(accumulator). */
export function mix(words: Int32Array): void {
  foldRight(words, 30);
  multiply(words, MIX_FIRST_HIGH, MIX_FIRST_LOW);
  foldRight(words, 27);
  multiply(words, MIX_SECOND_HIGH, MIX_SECOND_LOW);
  foldRight(words, 31);
}

/** accumulator := finish64(accumulator). */
export function finish(words: Int32Array): void {
  words[LOW] = (words[LOW] ?? 0) ^ (words[HIGH] ?? 0);
  multiply(words, FINISH_HIGH, FINISH_LOW);
  words[LOW] = (words[LOW] ?? 0) ^ (words[HIGH] ?? 0);
  multiply(words, FINISH_HIGH, FINISH_LOW);
  words[LOW] = (words[LOW] ?? 0) ^ (words[HIGH] ?? 0);
}

/** The accumulator as an unsigned BigInt. */
export function toBigInt(words: Int32Array): bigint {
  return (BigInt((words[HIGH] ?? 0) >>> 0) << 32n) | BigInt((words[LOW] ?? 0) >>> 0);
}

/** accumulator := the low 64 bits of a safe integer, negative ones as two's complement. */
export function setNumber(words: Int32Array, value: number): void {
  words[HIGH] = Math.floor(value / 2 ** 32);
  words[LOW] = value;
}

/** The accumulator as a number, read as two's complement; exact within ±(2^53 − 1). */
export function toNumber(words: Int32Array): number {
  return (words[HIGH] ?? 0) * 2 ** 32 + ((words[LOW] ?? 0) >>> 0);
}
