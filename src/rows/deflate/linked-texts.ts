/**
 * Texts that come one after the other in a known order, as the records of entities do: what each repeats of
 * itself or of the ones shortly before it is found once, when the code is made.
 */
import type { DeflateCode } from './huffman.ts';
import { MAX_DISTANCE, MAX_MATCH } from './huffman.ts';

export type Token =
  | { readonly kind: 'literal'; readonly text: Uint8Array }
  /** Repeats what stands so far back in the same text. */
  | { readonly kind: 'own'; readonly length: number; readonly distance: number }
  /** Repeats text `source` from `offset` on; `text` is what is repeated. */
  | {
      readonly kind: 'other';
      readonly source: number;
      readonly offset: number;
      readonly text: Uint8Array;
    };

/** How the texts are searched. */
export interface LinkOptions {
  /** Bytes from the start of a text to the start of the next one, on the average. */
  readonly strideBytes: number;
  /** Texts further back are not looked at. */
  readonly maxBack: number;
}

const MIN_LENGTH = 4;
/** Places with the same four bytes that are compared. */
const MAX_CANDIDATES = 12;
const HASH_BITS = 15;

/** The tokens of each text; before the first one stands the last. */
export type Linker = (texts: readonly Uint8Array[], options: LinkOptions) => readonly (readonly Token[])[];

/** A linker that takes texts to cost what they do in this code. What it was asked before it still knows. */
export function createLinker(code: DeflateCode): Linker {
  const found = new Map<string, readonly (readonly Token[])[]>();
  return (texts, options) => {
    const key = texts.map(textKey).join('\n');
    const known = found.get(key);
    if (known !== undefined) return known;
    const search = new Search(texts, code, options);
    const tokens = texts.map((_, number) => search.tokensOf(number));
    found.set(key, tokens);
    return tokens;
  };
}

/** Equal for equal bytes. */
export function textKey({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}

interface Found {
  readonly length: number;
  readonly place: number;
  /** Bits saved. */
  readonly gain: number;
}

const NOTHING: Found = { length: 0, place: -1, gain: 0 };

class Search {
  readonly #texts: readonly Uint8Array[];
  readonly #code: DeflateCode;
  readonly #maxBack: number;
  /** All texts, and before them the last few once more. */
  readonly #bytes: Uint8Array;
  readonly #starts: Int32Array;
  /** The text that a byte is of. */
  readonly #ownerOf: Int32Array;
  readonly #heads = new Int32Array(2 ** HASH_BITS).fill(-1);
  readonly #previous: Int32Array;
  readonly #lengthBits: Uint8Array;
  /** By how many texts back. */
  readonly #distanceBits: number[];
  readonly #literalBits: Uint8Array;
  #entered = 0;

  constructor(texts: readonly Uint8Array[], code: DeflateCode, { strideBytes, maxBack }: LinkOptions) {
    this.#texts = texts;
    this.#code = code;
    // One round back stands the text itself, and where it stood is not known any more when it is written again.
    this.#maxBack = Math.min(maxBack, texts.length - 1);
    const order = [...texts.slice(texts.length - this.#maxBack), ...texts];
    this.#starts = new Int32Array(order.length + 1);
    order.forEach(({ length }, at) => (this.#starts[at + 1] = (this.#starts[at] ?? 0) + length));
    const total = this.#starts[order.length] ?? 0;
    this.#bytes = new Uint8Array(total + MIN_LENGTH);
    this.#ownerOf = new Int32Array(total);
    order.forEach((text, at) => {
      const start = this.#starts[at] ?? 0;
      this.#bytes.set(text, start);
      this.#ownerOf.fill(at, start, start + text.length);
    });
    this.#previous = new Int32Array(total).fill(-1);
    this.#lengthBits = Uint8Array.from({ length: MAX_MATCH + 1 }, (_, length) =>
      length < MIN_LENGTH ? 0 : code.length(length).length,
    );
    this.#distanceBits = Array.from({ length: this.#maxBack + 1 }, (_, back) =>
      back === 0
        ? 0
        : code.distance(Math.min(MAX_DISTANCE, Math.max(1, Math.round(back * strideBytes)))).length,
    );
    this.#literalBits = Uint8Array.from({ length: 256 }, (_, byte) => code.literal(byte).length);
  }

  tokensOf(number: number): Token[] {
    const owner = number + this.#maxBack;
    const [start = 0, end = 0] = this.#starts.subarray(owner, owner + 2);
    const tokens: Token[] = [];
    let [at, from] = [start, start];
    const literal = (): void => {
      if (at > from) tokens.push({ kind: 'literal', text: this.#bytes.subarray(from, at) });
    };
    let next: Found | null = null;
    while (at < end) {
      this.#enter(at);
      const found: Found = next ?? this.#find(at, owner, end);
      // A longer match one byte on is better.
      this.#enter(at + 1);
      next = at + 1 < end ? this.#find(at + 1, owner, end) : NOTHING;
      if (found.gain <= 0 || next.gain > found.gain) {
        at += 1;
        continue;
      }
      literal();
      tokens.push(this.#tokenOf(found, at, owner));
      at += found.length;
      from = at;
      next = null;
    }
    literal();
    return tokens;
  }

  #tokenOf({ length, place }: Found, at: number, owner: number): Token {
    const of = this.#ownerOf[place] ?? 0;
    if (of === owner) return { kind: 'own', length, distance: at - place };
    const count = this.#texts.length;
    const source = (((of - this.#maxBack) % count) + count) % count;
    const offset = place - (this.#starts[of] ?? 0);
    return { kind: 'other', source, offset, text: this.#bytes.subarray(at, at + length) };
  }

  /** Makes all places before `to` known. */
  #enter(to: number): void {
    const limit = Math.min(to, this.#previous.length);
    for (; this.#entered < limit; this.#entered += 1) {
      const hash = this.#hashAt(this.#entered);
      this.#previous[this.#entered] = this.#heads[hash] ?? -1;
      this.#heads[hash] = this.#entered;
    }
  }

  #hashAt(place: number): number {
    const bytes = this.#bytes;
    const word =
      (bytes[place] ?? 0) |
      ((bytes[place + 1] ?? 0) << 8) |
      ((bytes[place + 2] ?? 0) << 16) |
      ((bytes[place + 3] ?? 0) << 24);
    return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
  }

  #find(at: number, owner: number, end: number): Found {
    let best = NOTHING;
    let place = this.#heads[this.#hashAt(at)] ?? -1;
    for (let tries = 0; tries < MAX_CANDIDATES && place >= 0; tries += 1) {
      const of = this.#ownerOf[place] ?? 0;
      if (owner - of > this.#maxBack) break;
      const sourceEnd = of === owner ? end : (this.#starts[of + 1] ?? 0);
      const longest = Math.min(MAX_MATCH, end - at, sourceEnd - place);
      const length = longest > best.length ? this.#commonLength(place, at, longest) : 0;
      if (length >= MIN_LENGTH) {
        const gain = this.#gainOf(at, length, of === owner ? at - place : null, owner - of);
        if (gain > best.gain) best = { length, place, gain };
      }
      place = this.#previous[place] ?? -1;
    }
    return best;
  }

  #commonLength(left: number, right: number, longest: number): number {
    let length = 0;
    while (length < longest && this.#bytes[left + length] === this.#bytes[right + length]) length += 1;
    return length;
  }

  #gainOf(at: number, length: number, ownDistance: number | null, back: number): number {
    let literalBits = 0;
    for (let place = at; place < at + length; place += 1) {
      literalBits += this.#literalBits[this.#bytes[place] ?? 0] ?? 0;
    }
    const distanceBits =
      ownDistance === null ? (this.#distanceBits[back] ?? 0) : this.#code.distance(ownDistance).length;
    // What must be looked up when the row is written costs time as well.
    const penalty = ownDistance === null ? OTHER_PENALTY_BITS : 0;
    return literalBits - (this.#lengthBits[length] ?? 0) - distanceBits - penalty;
  }
}

const OTHER_PENALTY_BITS = 4;
