/**
 * The mixing functions that every draw is made of, in BigInt: used while a plan is made, for constants. The
 * generators have their own, faster form; a test holds them equal. Arithmetic is modulo 2^64.
 */

const MASK = (1n << 64n) - 1n;

/** Odd, 2^64 divided by the golden ratio: the step between the states of two rows. */
export const ROW_STEP = 0x9e3779b97f4a7c15n;

/** Odd: the step between the keys of two elements of an array, and between two blocks of a long text. */
export const ELEMENT_STEP = 0xd1342543de82ef95n;

export const MIX_FIRST = 0xbf58476d1ce4e5b9n;
export const MIX_SECOND = 0x94d049bb133111ebn;
export const FINISH_FACTOR = 0xd6e8feb86659fd93n;

/** The output function of splitmix64 (Steele, Lea, Flood 2014): a bijection of 64 bits. */
export function mix64(value: bigint): bigint {
  let z = value & MASK;
  z = ((z ^ (z >> 30n)) * MIX_FIRST) & MASK;
  z = ((z ^ (z >> 27n)) * MIX_SECOND) & MASK;
  return z ^ (z >> 31n);
}

/**
 * The finisher of a draw: also a bijection of 64 bits. One round would leave bits 0 and 32 of two draws of a row
 * alike more often than not.
 */
export function finish64(value: bigint): bigint {
  let z = value & MASK;
  z = ((z ^ (z >> 32n)) * FINISH_FACTOR) & MASK;
  z = ((z ^ (z >> 32n)) * FINISH_FACTOR) & MASK;
  return z ^ (z >> 32n);
}

const UTF8 = new TextEncoder();

/**
 * The key of a name: FNV-1a over its UTF-8 bytes, mixed. Equal names have equal keys in every run. In two halves of
 * 32 bits, since a schema has thousands of names: the prime is 2^40 + 0x1b3.
 */
export function keyOf(name: string): bigint {
  let [high, low] = [0xcbf29ce4, 0x84222325];
  for (const byte of UTF8.encode(name)) {
    const folded = (low ^ byte) >>> 0;
    const product = folded * 0x1b3;
    low = product >>> 0;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (folded << 8)) >>> 0;
  }
  return mix64((BigInt(high) << 32n) | BigInt(low));
}

/** The 64-bit seed of a schema's rows. */
export function seedOf(seed: number, schemaName: string): bigint {
  return BigInt.asUintN(64, BigInt(seed)) ^ keyOf(`table:${schemaName}`);
}
