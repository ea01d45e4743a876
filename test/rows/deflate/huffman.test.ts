/** The codes of a DEFLATE block, as zlib reads them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { type BitText, DeflateCode, appendBits, newCounts } from '../../../src/rows/deflate/huffman.ts';

const anyCode = fc
  .array(fc.tuple(fc.nat(285), fc.oneof(fc.nat(5), fc.integer({ min: 1, max: 2 ** 40 }))), { maxLength: 60 })
  .map((weights) => {
    const counts = newCounts();
    for (const [symbol, weight] of weights) {
      counts.literals[symbol] = weight;
      counts.distances[symbol % 30] = weight;
    }
    return new DeflateCode(counts);
  });

type Step = { readonly byte: number } | { readonly length: number; readonly distance: number };

const anySteps = fc.array(
  fc.oneof(
    fc.record({ byte: fc.nat(255) }),
    fc.record({ length: fc.integer({ min: 3, max: 258 }), distance: fc.integer({ min: 1, max: 32_768 }) }),
  ),
  { maxLength: 80 },
);

/** The text that steps stand for, and their bits; matches that reach before the start are left out. */
function written(code: DeflateCode, steps: readonly Step[]): { text: number[]; parts: BitText[] } {
  const text: number[] = [];
  const parts: BitText[] = [];
  for (const step of steps) {
    if ('byte' in step) {
      text.push(step.byte);
      parts.push(code.literal(step.byte));
    } else if (step.distance <= text.length) {
      parts.push(code.length(step.length), code.distance(step.distance));
      for (let at = 0; at < step.length; at += 1) text.push(text[text.length - step.distance] ?? 0);
    }
  }
  return { text, parts: [...parts, code.endOfBlock] };
}

describe('the code of a DEFLATE block', () => {
  it('is read by zlib, whatever frequencies it was made for', () => {
    fc.assert(
      fc.property(anyCode, anySteps, fc.nat(400), (code, steps, distance) => {
        // Bytes before it, so that there is something to match.
        const before: Step[] = Array.from({ length: distance }, (_, at) => ({ byte: at % 256 }));
        const { text, parts } = written(code, [...before, ...steps]);
        const { bytes } = appendBits(code.header, [...parts, { bits: 0, length: 7 }]);
        assert.deepEqual([...inflateRawSync(bytes)], text);
      }),
      { numRuns: 200 },
    );
  });

  it('has words of at most 14 bits, shorter ones for what is frequent', () => {
    const counts = newCounts();
    counts.literals.forEach((_, symbol) => (counts.literals[symbol] = 2 ** (symbol % 40)));
    const code = new DeflateCode(counts);
    for (let byte = 0; byte < 256; byte += 1) assert.ok(code.literal(byte).length <= 14);
    assert.ok(code.literal(39).length < code.literal(0).length);
    assert.equal(code.textBits(Uint8Array.of(39, 0)), code.literal(39).length + code.literal(0).length);
  });

  it('counts the symbols of what was written with it', () => {
    const code = new DeflateCode(newCounts());
    const { parts } = written(code, [{ byte: 65 }, { byte: 65 }, { byte: 66 }, { length: 258, distance: 2 }]);
    const { literals, distances } = code.countSymbols(
      appendBits(code.header, [...parts, { bits: 0, length: 7 }]).bytes,
    );
    assert.deepEqual(
      [literals[65], literals[66], literals[256], literals[285], distances[1]],
      [2, 1, 1, 1, 1],
    );
    assert.equal(
      literals.reduce((sum, count) => sum + count, 0),
      5,
    );
  });
});
