/** The seeding is frozen: other constants would be other rows. What it must be able to do is checked beside it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  ELEMENT_STEP,
  FINISH_FACTOR,
  MIX_FIRST,
  MIX_SECOND,
  ROW_STEP,
  finish64,
  keyOf,
  mix64,
  seedOf,
} from '../../src/rows/hashing.ts';

const SAMPLES = 2048;
const ANY64 = fc.bigInt(0n, (1n << 64n) - 1n);
const cut = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The number that `odd` multiplies to 1: Newton's iteration doubles the right bits, and begins with three. */
function inverseOf(odd: bigint): bigint {
  let inverse = odd;
  for (let bits = 3; bits < 64; bits *= 2) inverse = cut(inverse * (2n - odd * inverse));
  return inverse;
}

/** z of z ^ (z >> bits): each turn brings `bits` more of them. */
function unfold(folded: bigint, bits: bigint): bigint {
  let z = folded;
  for (let known = bits; known < 64n; known += bits) z = folded ^ (z >> bits);
  return z;
}

function unmix(value: bigint): bigint {
  const second = unfold(cut(unfold(value, 31n) * inverseOf(MIX_SECOND)), 27n);
  return unfold(cut(second * inverseOf(MIX_FIRST)), 30n);
}

function unfinish(value: bigint): bigint {
  const second = unfold(cut(unfold(value, 32n) * inverseOf(FINISH_FACTOR)), 32n);
  return unfold(cut(second * inverseOf(FINISH_FACTOR)), 32n);
}

/** Per input bit, the mean share of output bits that it turns over, over the same samples in every run. */
function turnedShares(mixing: (value: bigint) => bigint): number[] {
  const flips = new Array<number>(64).fill(0);
  for (let sample = 0n; sample < SAMPLES; sample += 1n) {
    const value = mix64(sample * ROW_STEP + 0x5eedn);
    const image = mixing(value);
    flips.forEach((_, bit) => {
      const turned = image ^ mixing(value ^ (1n << BigInt(bit)));
      flips[bit] = (flips[bit] ?? 0) + turned.toString(2).replaceAll('0', '').length;
    });
  }
  return flips.map((count) => count / (64 * SAMPLES));
}

describe('the seeding', () => {
  // Worked out by a second implementation in another language, so that both would have to be wrong alike.
  it('mixes and finishes to known answers', () => {
    for (const [value, mixed, finished] of [
      [0n, 0n, 0n],
      [1n, 0x5692161d100b05e5n, 0x4179b061e0c0e0d0n],
      [0x0123456789abcdefn, 0xb2c058e4ebb5112cn, 0x3efdea49c590f4ecn],
      [0xffffffffffffffffn, 0xb4d055fcf2cbbd7bn, 0x448e29ced4103459n],
    ] as const) {
      assert.equal(mix64(value), mixed);
      assert.equal(finish64(value), finished);
    }
  });

  it('gives names and seeds known keys', () => {
    assert.equal(keyOf(''), 0xf52a15e9a9b5e89bn);
    assert.equal(keyOf('cpu_user'), 0xcad3278db24fd090n);
    assert.equal(keyOf('größe'), 0xbe9079c1b7e5afe8n);
    assert.equal(keyOf("user['name']"), 0xd7e86c1aa0dad04bn);
    assert.equal(seedOf(1, 'metrics'), 0x592dd27134bc5169n);
    assert.equal(seedOf(-1, 'metrics'), 0xa6d22d8ecb43ae97n);
    assert.equal(seedOf(Number.MAX_SAFE_INTEGER, 'records'), 0x26ac4a83e6f8ca2fn);
  });

  it('makes known draws of rows, elements and blocks from its steps', () => {
    const rowKey = (row: bigint): bigint => mix64(seedOf(1, 'metrics') + (row + 1n) * ROW_STEP);
    const draw = (key: bigint, name: string): bigint => finish64(key + keyOf(name));
    assert.equal(draw(rowKey(0n), 'cpu_user'), 0xbdb70d52087e48d7n);
    assert.equal(draw(rowKey(12_345n), 'cpu_user'), 0x726e59a8bd45ebe1n);
    assert.equal(draw(rowKey(2n ** 44n - 1n), 'cpu_user'), 0xc802e17cb026aae4n);
    assert.equal(draw(finish64(rowKey(7n) + 5n * ELEMENT_STEP), 'tags'), 0x5acd8f8b25ca33a5n);
    assert.equal(finish64(draw(rowKey(7n), 'request_id') + 3n * ELEMENT_STEP), 0x9c91432345d297d5n);
  });

  it('never takes two values to one: both functions can be undone', () => {
    fc.assert(
      fc.property(ANY64, (value) => {
        assert.equal(unmix(mix64(value)), value);
        assert.equal(unfinish(finish64(value)), value);
      }),
      { numRuns: 1000 },
    );
  });

  it('turns over half of the output for each bit of the input', () => {
    for (const mixing of [mix64, finish64])
      turnedShares(mixing).forEach((share, bit) => {
        assert.ok(
          share > 0.45 && share < 0.55,
          `${mixing.name}: bit ${bit} turns over ${share} of the output`,
        );
      });
  });
});
