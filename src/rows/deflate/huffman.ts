/**
 * The codes of a DEFLATE block (RFC 1951): from the frequencies of its symbols to code words that are ready to be
 * written, lowest bit first, and the block's header that tells them to whoever inflates it.
 */
import { assert } from '../../base/errors.ts';

/** Up to 53 bits in the order of the stream: the first is the lowest. */
export interface BitText {
  readonly bits: number;
  readonly length: number;
}

export const NO_BITS: BitText = { bits: 0, length: 0 };

/** How often each symbol is expected; 0 is taken as a little more than never, since any row may come. */
export interface SymbolCounts {
  /** 256 bytes, the end of the block, 29 lengths. */
  readonly literals: Float64Array;
  readonly distances: Float64Array;
}

export const MIN_MATCH = 3;
export const MAX_MATCH = 258;
export const MAX_DISTANCE = 32_768;
export const END_OF_BLOCK = 256;
const LITERALS = 286;
const DISTANCES = 30;
/** Below what the format allows: a distance with its extra bits takes 27 bits, three digits take 42. */
const MAX_CODE_BITS = 14;
/** The order in which the header has the lengths of the code that it is written in. */
const HEADER_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;

/** Least length or distance of each symbol, and the extra bits behind it. */
interface Ranges {
  readonly bases: readonly number[];
  readonly extraBits: readonly number[];
}

export function newCounts(): SymbolCounts {
  return { literals: new Float64Array(LITERALS), distances: new Float64Array(DISTANCES) };
}

export class DeflateCode {
  /** The block's first bits: last block, dynamic codes, and the codes. */
  readonly header: ByteText;
  readonly #literals: readonly BitText[];
  readonly #distances: readonly BitText[];
  readonly #literalBits: Uint8Array;

  constructor(counts: SymbolCounts) {
    const literalLengths = codeLengths(counts.literals, MAX_CODE_BITS);
    const distanceLengths = codeLengths(counts.distances, MAX_CODE_BITS);
    this.#literals = codeWords(literalLengths);
    this.#literalBits = literalLengths;
    this.#distances = codeWords(distanceLengths);
    this.header = headerOf([...literalLengths], [...distanceLengths]);
  }

  literal(byte: number): BitText {
    return wordOf(this.#literals, byte);
  }

  get endOfBlock(): BitText {
    return wordOf(this.#literals, END_OF_BLOCK);
  }

  /** A length of 3…258 with its extra bits. */
  length(length: number): BitText {
    const { symbol, extra } = rangedSymbol(LENGTHS, length);
    return joinBits(wordOf(this.#literals, 257 + symbol), extra);
  }

  /** A distance of 1…32,768 with its extra bits. */
  distance(distance: number): BitText {
    const { symbol, extra } = rangedSymbol(DISTANCE_RANGES, distance);
    return joinBits(wordOf(this.#distances, symbol), extra);
  }

  /** The least distance of each symbol, its code word, and how many extra bits stand behind that. */
  get distanceSymbols(): (BitText & { readonly base: number; readonly extra: number })[] {
    return DISTANCE_RANGES.bases.map((base, symbol) => {
      const extra = DISTANCE_RANGES.extraBits[symbol] ?? 0;
      return { base, extra, ...wordOf(this.#distances, symbol) };
    });
  }

  /** The symbols of a block that was written with this code; `bytes` start with its header. */
  countSymbols(bytes: Uint8Array): SymbolCounts {
    const counts = newCounts();
    const [literals, distances] = [lookupOf(this.#literals), lookupOf(this.#distances)];
    const reader = new BitReader(bytes, 8 * this.header.bytes.length + this.header.rest.length);
    const read = (lookup: Uint16Array, into: Float64Array): number => {
      const found = lookup[reader.peek(MAX_CODE_BITS)] ?? 0;
      reader.skip(found & 0xf);
      const symbol = found >> 4;
      into[symbol] = (into[symbol] ?? 0) + 1;
      return symbol;
    };
    for (;;) {
      const symbol = read(literals, counts.literals);
      if (symbol === END_OF_BLOCK) return counts;
      if (symbol < END_OF_BLOCK) continue;
      reader.skip(LENGTHS.extraBits[symbol - 257] ?? 0);
      reader.skip(DISTANCE_RANGES.extraBits[read(distances, counts.distances)] ?? 0);
    }
  }

  /** How many bits these bytes take without a match. */
  textBits(bytes: Uint8Array): number {
    let bits = 0;
    for (const byte of bytes) bits += this.#literalBits[byte] ?? 0;
    return bits;
  }
}

/** Bits behind bits; together at most 53. */
export function joinBits(first: BitText, second: BitText): BitText {
  return { bits: first.bits + second.bits * 2 ** first.length, length: first.length + second.length };
}

/** Whole bytes, and what is left of the last one. */
export interface ByteText {
  readonly bytes: Uint8Array;
  readonly rest: BitText;
}

/** Bits behind the bytes and bits of `before`. */
export function appendBits(before: ByteText, parts: Iterable<BitText>): ByteText {
  const bytes = [...before.bytes];
  let { bits, length } = before.rest;
  for (const part of parts) {
    bits += part.bits * 2 ** length;
    length += part.length;
    for (; length >= 8; length -= 8) {
      bytes.push(bits % 256);
      bits = Math.floor(bits / 256);
    }
  }
  return { bytes: Uint8Array.from(bytes), rest: { bits, length } };
}

/** Bases and extra bits that grow by one bit each `perStep` symbols after the first `flat`. */
function growingRanges(first: number, count: number, flat: number, perStep: number): Ranges {
  const [bases, extraBits]: [number[], number[]] = [[], []];
  let base = first;
  for (let symbol = 0; symbol < count; symbol += 1) {
    const extra = symbol < flat ? 0 : Math.floor((symbol - flat) / perStep) + 1;
    bases.push(base);
    extraBits.push(extra);
    base += 2 ** extra;
  }
  return { bases, extraBits };
}

const LENGTHS = lengthRanges();
const DISTANCE_RANGES = growingRanges(1, DISTANCES, 4, 2);

/** The longest match has a symbol of its own. */
function lengthRanges(): Ranges {
  const { bases, extraBits } = growingRanges(MIN_MATCH, 28, 8, 4);
  return { bases: [...bases, MAX_MATCH], extraBits: [...extraBits, 0] };
}

function rangedSymbol({ bases, extraBits }: Ranges, value: number): { symbol: number; extra: BitText } {
  const symbol = bases.findLastIndex((base) => base <= value);
  const [base, length] = [bases[symbol], extraBits[symbol]];
  assert(base !== undefined && length !== undefined, `no symbol for ${value}`);
  return { symbol, extra: { bits: value - base, length } };
}

class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Up to 16 bits, 0 behind the end. */
  peek(bits: number): number {
    const byte = this.#at >> 3;
    assert(byte < this.#bytes.length, 'the block has an end');
    const [first = 0, second = 0, third = 0] = this.#bytes.subarray(byte, byte + 3);
    return ((first | (second << 8) | (third << 16)) >> (this.#at & 7)) & (2 ** bits - 1);
  }

  skip(bits: number): void {
    this.#at += bits;
  }
}

/** For every sequence of bits the symbol that it starts with (× 16) and the length of its word. */
function lookupOf(words: readonly BitText[]): Uint16Array {
  const lookup = new Uint16Array(2 ** MAX_CODE_BITS);
  words.forEach(({ bits, length }, symbol) => {
    for (let at = bits; at < lookup.length; at += 2 ** length) lookup[at] = (symbol << 4) | length;
  });
  return lookup;
}

function wordOf(words: readonly BitText[], symbol: number): BitText {
  const word = words[symbol];
  assert(word !== undefined, `no symbol ${symbol}`);
  return word;
}

/**
 * Lengths of an optimal prefix code in which no word is longer than `maxBits` (package-merge: Larmore and
 * Hirschberg 1990). Every symbol gets a word.
 */
function codeLengths(counts: Float64Array, maxBits: number): Uint8Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const least = Math.max(total / 2 ** 20, 1e-9);
  const single = Array.from(counts, (count, symbol) => ({
    weight: Math.max(count, least),
    symbols: [symbol],
  }));
  single.sort((a, b) => a.weight - b.weight);
  let packages = single;
  for (let bit = 1; bit < maxBits; bit += 1) {
    const pairs: typeof single = [];
    for (let at = 0; at + 1 < packages.length; at += 2) {
      const [first, second] = [packages[at], packages[at + 1]];
      if (first === undefined || second === undefined) break;
      const symbols = first.symbols.concat(second.symbols);
      pairs.push({ weight: first.weight + second.weight, symbols });
    }
    packages = [...single, ...pairs].sort((a, b) => a.weight - b.weight);
  }
  const lengths = new Uint8Array(counts.length);
  for (const { symbols } of packages.slice(0, 2 * counts.length - 2)) {
    for (const symbol of symbols) lengths[symbol] = (lengths[symbol] ?? 0) + 1;
  }
  return lengths;
}

/** Canonical code words, turned round: the format has their highest bit first. */
function codeWords(lengths: Uint8Array): BitText[] {
  const words: BitText[] = Array.from(lengths, () => NO_BITS);
  let code = 0;
  for (let length = 1; length <= 15; length += 1) {
    lengths.forEach((each, symbol) => {
      if (each !== length) return;
      words[symbol] = { bits: reversed(code, length), length };
      code += 1;
    });
    code <<= 1;
  }
  return words;
}

function reversed(code: number, length: number): number {
  let bits = 0;
  for (let bit = 0; bit < length; bit += 1) bits = (bits << 1) | ((code >> bit) & 1);
  return bits;
}

/** RFC 1951, 3.2.7, without the symbols for repeats: they would save 50 bytes a body. */
function headerOf(literalLengths: readonly number[], distanceLengths: readonly number[]): ByteText {
  const lengths = [...literalLengths, ...distanceLengths];
  const counts = new Float64Array(HEADER_ORDER.length);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  const headerLengths = codeLengths(counts, 7);
  const words = codeWords(headerLengths);
  const field = (value: number, length: number): BitText => ({ bits: value, length });
  return appendBits({ bytes: new Uint8Array(), rest: NO_BITS }, [
    field(1, 1),
    field(2, 2),
    field(LITERALS - 257, 5),
    field(DISTANCES - 1, 5),
    field(HEADER_ORDER.length - 4, 4),
    ...HEADER_ORDER.map((symbol) => field(headerLengths[symbol] ?? 0, 3)),
    ...lengths.map((length) => wordOf(words, length)),
  ]);
}
