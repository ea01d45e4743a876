/** Arithmetic of row plans as code: each function takes what is on the stack and leaves an i64 there. */
import { assert } from '../../base/errors.ts';
import type { Interval } from '../intervals.ts';
import { FINISH_FACTOR, MIX_FIRST, MIX_SECOND } from '../hashing.ts';
import type { Expression } from '../row-format.ts';
import type { Code, Locals } from './wasm-assembler.ts';

/** Where arithmetic is written: the code of a function, and its locals. */
export interface Bench {
  readonly locals: Locals;
  code: Code;
  /** An i64 whose value lives only between two neighbouring instructions. */
  readonly scratch: number;
}

export const LOW_HALF = 0xffffffffn;

/** x := finish(x). */
export function finish(bench: Bench): void {
  finishHighHalf(bench);
  foldHigh(bench);
}

/** The same, of which only the high half is right: the last step leaves it as it is. */
export function finishHighHalf(bench: Bench): void {
  foldHigh(bench);
  bench.code.i64(FINISH_FACTOR).do('i64.mul');
  foldHigh(bench);
  bench.code.i64(FINISH_FACTOR).do('i64.mul');
}

/** x := mix(x). */
export function mix(bench: Bench): void {
  foldHigh(bench, 30n);
  bench.code.i64(MIX_FIRST).do('i64.mul');
  foldHigh(bench, 27n);
  bench.code.i64(MIX_SECOND).do('i64.mul');
  foldHigh(bench, 31n);
}

/** x ^ (x >> bits). */
function foldHigh({ code, scratch }: Bench, bits = 32n): void {
  code.tee(scratch).get(scratch).i64(bits).do('i64.shr_u', 'i64.xor');
}

/** Spreads 64 random bits over 0…size − 1. */
export function spread(bench: Bench, size: bigint): void {
  const { code, scratch } = bench;
  if (isPowerOfTwo(size)) {
    assert(size > 1n, 'of one number none is drawn');
    code.i64(BigInt(65 - size.toString(2).length)).do('i64.shr_u');
  } else if (size <= 1n << 16n) {
    code.i64(32n).do('i64.shr_u').i64(size).do('i64.mul').i64(32n).do('i64.shr_u');
  } else if (size < 1n << 32n) {
    code.tee(scratch).i64(32n).do('i64.shr_u').i64(size).do('i64.mul');
    code.get(scratch).i64(LOW_HALF).do('i64.and').i64(size).do('i64.mul').i64(32n).do('i64.shr_u');
    code.do('i64.add').i64(32n).do('i64.shr_u');
  } else highProduct(bench, size);
}

/** The high 64 bits of the product with a constant, from four products of halves. */
function highProduct({ code, locals }: Bench, factor: bigint): void {
  const [high, low] = [factor >> 32n, factor & LOW_HALF];
  const whole = locals.add('i64');
  const middle = locals.add('i64');
  const lowOf = (local: number): Code => code.get(local).i64(LOW_HALF).do('i64.and');
  const highOf = (local: number): Code => code.get(local).i64(32n).do('i64.shr_u');
  code.set(whole);
  lowOf(whole).i64(low).do('i64.mul').i64(32n).do('i64.shr_u');
  highOf(whole).i64(low).do('i64.mul', 'i64.add').set(middle);
  highOf(whole).i64(high).do('i64.mul');
  highOf(middle).do('i64.add');
  lowOf(whole).i64(high).do('i64.mul');
  lowOf(middle).do('i64.add').i64(32n).do('i64.shr_u', 'i64.add');
}

/** Whether `spread` reads only the high half. */
export function readsHighHalf(size: bigint): boolean {
  return size <= 1n << 16n || (isPowerOfTwo(size) && size <= 1n << 32n);
}

/**
 * The factor and the shift that divide numbers of an interval by a constant, or null if one is not below 2^31: of N
 * bits by d exactly, since 0 < factor · d − 2^bits ≤ d ≤ 2^(bits − N) (Granlund and Montgomery 1994, theorem 4.2).
 */
export function reciprocalOf(
  { min, max }: Interval,
  by: Expression,
): { factor: bigint; bits: bigint } | null {
  const isShort = by.op === 'constant' && by.value >= 2n && by.value < 1n << 31n;
  if (!isShort || min < 0n || max >= 1n << 31n) return null;
  const bits = bitLength(max) + bitLength(by.value - 1n);
  return { factor: (1n << bits) / by.value + 1n, bits };
}

function bitLength(value: bigint): bigint {
  return value === 0n ? 0n : BigInt(value.toString(2).length);
}

/** Whether all numbers of the interval are unsigned ones of 32 bits. */
export function isU32({ min, max }: Interval): boolean {
  return min >= 0n && max <= LOW_HALF;
}

function isPowerOfTwo(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n;
}
