/**
 * Request bodies as the server's JSON reader takes them: integers of any size, doubles told apart from integers,
 * comments allowed, duplicate keys and `NaN` refused, nothing after the closing brace looked at.
 */

/** A double without a fraction (`1.0`, `1e3`, `-0.0`), which JavaScript cannot tell from an integer. */
export class JavaDouble {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * A number without a fraction is an integer, with one (or infinite) a double; integers beyond ±2^53 are bigint.
 */
export type Json = null | boolean | number | bigint | string | JavaDouble | readonly Json[] | JsonObject;

/** The text is no JSON that the server would read. */
export class JsonSyntaxError extends Error {}

/** Jackson's default, beyond which it refuses to go deeper. */
const MAX_DEPTH = 1000;

/** Numbers of which the JavaScript value alone does not say how they were written, or that it rounds to an integer. */
const AMBIGUOUS_NUMBER =
  /[[,:]\s*(?:-?(?:\d{16}|\d{9,}\.|\d+(?:\.\d*)?[eE]|\d+\.(?:0+(?!\d)|0{6}|9{6}))|-0(?![.\d]))/;

export function isJsonObject(value: Json): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JavaDouble)
  );
}

export function isJsonArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** True for every JSON number that Java would read as Double. */
export function isDouble(value: Json): value is number | JavaDouble {
  return value instanceof JavaDouble || (typeof value === 'number' && !Number.isInteger(value));
}

/** Reads one JSON value. Throws JsonSyntaxError. */
export function parseJson(text: string): Json {
  return parseQuickly(text) ?? new Reader(text).read();
}

/** The engine's own parser, wherever it cannot differ from the server's; null elsewhere. */
function parseQuickly(text: string): Json | null {
  if (AMBIGUOUS_NUMBER.test(text)) return null;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return null; // the careful reader decides, since it takes comments and trailing text
  }
  return hasUniqueKeys(text, value) ? value : null;
}

/** The engine keeps the last of two equal keys; the server refuses them. Counting keys and colons finds them. */
function hasUniqueKeys(text: string, value: Json): boolean {
  if (!text.includes('{')) return true;
  let colons = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) {
    let next = at + 1;
    let code = text.charCodeAt(next);
    while (code === 32 || (code >= 9 && code <= 13)) code = text.charCodeAt(++next);
    if (code === 58) colons += 1;
  }
  return colons === countKeys(value, 0);
}

function countKeys(value: Json, depth: number): number {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return 0;
  let keys = 0;
  if (isJsonArray(value)) {
    for (const item of value) if (typeof item === 'object') keys += countKeys(item, depth + 1);
    return keys;
  }
  if (isJsonObject(value)) {
    for (const key of Object.keys(value)) keys += 1 + countKeys(value[key] ?? null, depth + 1);
  }
  return keys;
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const LITERALS: readonly (readonly [string, null | boolean])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Digits of the longest integer that a JavaScript number holds without loss. */
const SAFE_DIGITS = 15;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Json {
    return this.#value(0);
  }

  #value(depth: number): Json {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError('too deep');
    this.#skipBlanks();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(depth: number): JsonObject {
    const result: Record<string, Json> = {};
    this.#at += 1;
    for (let first = true; !this.#skipIf('}'); first = false) {
      if (!first) this.#expect(',');
      this.#skipBlanks();
      const key = this.#string();
      if (Object.hasOwn(result, key)) throw new JsonSyntaxError('duplicate key');
      this.#expect(':');
      const value = this.#value(depth + 1);
      // An own property even for `__proto__`, as JSON.parse makes it.
      Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true });
    }
    return result;
  }

  #array(depth: number): readonly Json[] {
    const result: Json[] = [];
    this.#at += 1;
    for (let first = true; !this.#skipIf(']'); first = false) {
      if (!first) this.#expect(',');
      result.push(this.#value(depth + 1));
    }
    return result;
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') throw new JsonSyntaxError('no string');
    let result = '';
    let from = this.#at + 1;
    for (let at = from; at < this.#text.length; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === 34) {
        this.#at = at + 1;
        return result + this.#text.slice(from, at);
      }
      if (code < 32) throw new JsonSyntaxError('control character');
      if (code !== 92) continue;
      result += this.#text.slice(from, at);
      const escape = this.#text[at + 1] ?? '';
      if (escape === 'u') {
        const digits = this.#text.slice(at + 2, at + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new JsonSyntaxError('bad escape');
        result += String.fromCharCode(Number.parseInt(digits, 16));
        at += 5;
      } else {
        if (!'"\\/bfnrt'.includes(escape) || escape === '') throw new JsonSyntaxError('bad escape');
        result += ESCAPES[escape] ?? escape;
        at += 1;
      }
      from = at + 1;
    }
    throw new JsonSyntaxError('open string');
  }

  #scalar(): Json {
    for (const [word, value] of LITERALS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw new JsonSyntaxError('no value');
    this.#at += match[0].length;
    if (/[\w.]/.test(this.#text[this.#at] ?? '')) throw new JsonSyntaxError('bad number');
    if (match[1] !== undefined || match[2] !== undefined) return toDouble(Number(match[0]));
    return toInteger(match[0]);
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 32 || code === 9 || code === 10 || code === 13) this.#at += 1;
      else if (code === 47) this.#skipComment();
      else return;
    }
  }

  #skipComment(): void {
    const block = this.#text[this.#at + 1] === '*';
    if (!block && this.#text[this.#at + 1] !== '/') throw new JsonSyntaxError('no comment');
    const end = this.#text.indexOf(block ? '*/' : '\n', this.#at + 2);
    if (end === -1 && block) throw new JsonSyntaxError('open comment');
    this.#at = end === -1 ? this.#text.length : end + (block ? 2 : 1);
  }

  #skipIf(character: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#skipIf(character)) throw new JsonSyntaxError(`no ${character}`);
  }
}

/** A double in the form that keeps it one: plain when it has a fraction, wrapped when it has none. */
export function toDouble(value: number): number | JavaDouble {
  return Number.isInteger(value) ? new JavaDouble(value) : value;
}

function toInteger(digits: string): number | bigint {
  if (digits.length <= SAFE_DIGITS) return Number(digits) + 0;
  return shrink(BigInt(digits));
}

/** A bigint as a plain number wherever that loses nothing. */
export function shrink(value: bigint): number | bigint {
  const plain = Number(value);
  return Number.isSafeInteger(plain) ? plain : value;
}
