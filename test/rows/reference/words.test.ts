/** Arithmetic on two halves equals BigInt's, and digits are those of the number. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { finish64, keyOf, mix64, seedOf } from '../../../src/rows/hashing.ts';
import {
  writeDecimal,
  writeFixed,
  writeLongDecimal,
  writeWhole,
} from '../../../src/rows/reference/json-digits.ts';
import * as wordOps from '../../../src/rows/reference/words.ts';

const MASK = (1n << 64n) - 1n;
const any64 = fc.oneof(
  fc.bigInt(0n, MASK),
  fc
    .tuple(fc.constantFrom(0n, 31n, 32n, 33n, 53n, 63n, 64n), fc.bigInt(-1n, 1n))
    .map(([bits, near]) => BigInt.asUintN(64, (1n << bits) + near)),
);
const halves = (value: bigint): [number, number] => [wordOps.highHalf(value), wordOps.lowHalf(value)];

/** The accumulator after a step. */
function after(value: bigint, step: (words: Int32Array) => void): bigint {
  const words = new Int32Array([...halves(value), 0, 0]);
  step(words);
  return wordOps.toBigInt(words);
}

describe('64-bit words', () => {
  it('add, multiply, shift and mix as BigInt does', () => {
    fc.assert(
      fc.property(any64, any64, fc.nat(63), (a, b, bits) => {
        const [high, low] = halves(b);
        const cut = (value: bigint): bigint => BigInt.asUintN(64, value);
        assert.equal(
          after(a, (words) => wordOps.add(words, high, low)),
          cut(a + b),
        );
        assert.equal(
          after(a, (words) => wordOps.multiply(words, high, low)),
          cut(a * b),
        );
        assert.equal(
          after(a, (words) => wordOps.multiplyHigh(words, high, low)),
          (a * b) >> 64n,
        );
        assert.equal(
          after(a, (words) => wordOps.shiftLeft(words, bits)),
          cut(a << BigInt(bits)),
        );
        assert.equal(
          after(a, (words) => wordOps.shiftRight(words, bits)),
          a >> BigInt(bits),
        );
        assert.equal(after(a, wordOps.mix), mix64(a));
        assert.equal(after(a, wordOps.finish), finish64(a));
      }),
      { numRuns: 2000 },
    );
  });

  it('hold every safe integer, negative ones as two’s complement', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const words = new Int32Array(4);
        wordOps.setNumber(words, value);
        assert.equal(wordOps.toBigInt(words), BigInt.asUintN(64, BigInt(value)));
        assert.equal(wordOps.toNumber(words) + 0, value + 0);
      }),
    );
  });
});

describe('the hashes', () => {
  it('are splitmix64 and FNV-1a, by their published values', () => {
    // The first two outputs of splitmix64 with the seed 0; FNV-1a 64 of the empty text and of "a".
    assert.equal(mix64(0x9e3779b97f4a7c15n), 0xe220a8397b1dcdafn);
    assert.equal(mix64(2n * 0x9e3779b97f4a7c15n), 0x6e789e6aa1b965f4n);
    assert.equal(keyOf(''), mix64(0xcbf29ce484222325n));
    assert.equal(keyOf('a'), mix64(0xaf63dc4c8601ec8cn));
  });

  it('give each schema and seed its own rows', () => {
    const seeds = ['records', 'metrics'].flatMap((name) =>
      [0, 1, -1, 2 ** 40].map((seed) => seedOf(seed, name)),
    );
    assert.equal(new Set(seeds).size, 8);
  });
});

/** What a writer leaves between two guard bytes. */
function written(write: (target: Uint8Array, at: number) => number): string {
  const target = Buffer.alloc(64, '~');
  const end = write(target, 1);
  assert.equal(target[0], 126);
  assert.equal(target[end], 126);
  return target.toString('latin1', 1, end);
}

describe('digits', () => {
  it('of whole numbers are those of the number, padded to a width', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.maxSafeNat()), fc.integer({ min: 0, max: 20 }), (value, digits) => {
        const text = written((target, at) => writeWhole(target, at, value, digits));
        assert.equal(text, String(value).padStart(digits, '0'));
        const width = String(value).length;
        assert.equal(
          written((target, at) => writeFixed(target, at, value, width)),
          String(value),
        );
      }),
    );
  });

  it('of decimals parse back to the number that they stand for', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.nat(15), (value, scale) => {
        const text = written((target, at) => writeDecimal(target, at, value, scale, 1));
        assert.equal(Number(text) + 0, Number(`${value}e-${scale}`) + 0);
        assert.match(text, scale === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${scale}}$`));
        assert.doesNotMatch(text, /^-?0\d/);
        if (value !== 0)
          assert.equal(
            written((target, at) => writeLongDecimal(target, at, BigInt(value), scale, 1)),
            text,
          );
      }),
    );
  });
});
