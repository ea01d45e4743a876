/**
 * Text as Java writes it: doubles and floats, values inside error messages, the order of keys in a HashMap and
 * JSON strings. The recordings show these forms, so a client that compares bytes sees no difference.
 */
import { isDouble, isJsonArray, isJsonObject, JavaDouble, type Json } from './json.ts';

/** `Double.toString`: 1e20 → `1.0E20`, 0.1 → `0.1`, 100 → `100.0`. */
export function doubleText(value: number): string {
  return javaFloating(value, shortestDouble);
}

/** `Float.toString` of the nearest 32-bit float. */
export function floatText(value: number): string {
  return javaFloating(Math.fround(value), shortestFloat);
}

function javaFloating(value: number, shortest: (magnitude: number) => string): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (value === 0) return `${sign}0.0`;
  const magnitude = Math.abs(value);
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(shortest(magnitude));
  const digits = `${match?.[1] ?? '0'}${match?.[2] ?? ''}`;
  const exponent = Number(match?.[3] ?? 0);
  if (exponent < -3 || exponent >= 7)
    return `${sign}${digits[0] ?? ''}.${digits.slice(1) || '0'}E${exponent}`;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${trimZeros(digits)}`;
  const whole = digits.padEnd(exponent + 1, '0');
  return `${sign}${whole.slice(0, exponent + 1)}.${whole.slice(exponent + 1) || '0'}`;
}

/** Java takes two digits where one would do and a second brings it closer (4.9E-324). */
function shortestDouble(magnitude: number): string {
  const shortest = magnitude.toExponential();
  const twoDigits = magnitude.toExponential(1);
  if (/^\d(\.\d)?e/.test(shortest) && Number(twoDigits) === magnitude) return trimMantissa(twoDigits);
  return shortest;
}

function shortestFloat(magnitude: number): string {
  for (let digits = 1; digits < 9; digits += 1) {
    const text = magnitude.toExponential(digits);
    if (Math.fround(Number(text)) === magnitude) return trimMantissa(text);
  }
  return trimMantissa(magnitude.toExponential(9));
}

function trimMantissa(text: string): string {
  return text.replace(/(\.\d*?)0+e/, '$1e').replace('.e', 'e');
}

function trimZeros(digits: string): string {
  return digits.replace(/0+$/, '') || '0';
}

/** `String.hashCode`, spread as HashMap does. */
function spreadHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash ^ (hash >>> 16);
}

/** Capacity of `HashMap.newHashMap(size)`. */
export function presizedCapacity(size: number): number {
  return powerOfTwo(Math.ceil(size / 0.75));
}

function powerOfTwo(least: number): number {
  let capacity = 1;
  while (capacity < least) capacity *= 2;
  return capacity;
}

/** The keys in the order in which a HashMap of this first capacity gives them back. */
export function hashMapOrder(keys: readonly string[], initialCapacity = 16): readonly string[] {
  if (keys.length < 2) return keys;
  let capacity = initialCapacity;
  while (keys.length > capacity * 0.75) capacity *= 2;
  const mask = capacity - 1;
  const buckets = keys.map((key) => spreadHash(key) & mask);
  const order = keys.map((_, at) => at);
  order.sort((a, b) => (buckets[a] ?? 0) - (buckets[b] ?? 0));
  return order.map((at) => keys[at] ?? '');
}

/** `String.valueOf` of a parsed JSON value, as it stands in `Cannot cast value …`. */
export function valueText(value: Json): string {
  if (typeof value === 'string') return value;
  if (value instanceof JavaDouble) return doubleText(value.value);
  if (isDouble(value)) return doubleText(Number(value));
  if (isJsonArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (isJsonObject(value)) {
    const entries = hashMapOrder(Object.keys(value)).map((key) => `${key}=${valueText(value[key] ?? null)}`);
    return `{${entries.join(', ')}}`;
  }
  return String(value);
}

const NEEDS_ESCAPE = /[\u0000-\u001f"\\\ud800-\udfff]/;
const ESCAPED = /[\u0000-\u001f"\\\ud800-\udfff]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A JSON string; characters outside the basic plane as two escapes, like the server's writer. */
export function jsonText(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  return `"${text.replace(ESCAPED, escapeCharacter)}"`;
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return SHORT_ESCAPES[character] ?? `\\u${code}`;
}

/** A JSON value without a declared type, as the server writes it. */
export function jsonValueText(value: Json, capacityOf: (size: number) => number = () => 16): string {
  if (value === null) return 'null';
  if (value instanceof JavaDouble) return floatingJson(doubleText(value.value));
  if (typeof value === 'number')
    return Number.isInteger(value) ? String(value) : floatingJson(doubleText(value));
  if (typeof value === 'string') return jsonText(value);
  if (isJsonArray(value)) return `[${value.map((item) => jsonValueText(item, capacityOf)).join(',')}]`;
  if (isJsonObject(value)) {
    const keys = hashMapOrder(Object.keys(value), capacityOf(Object.keys(value).length));
    return `{${keys.map((key) => `${jsonText(key)}:${jsonValueText(value[key] ?? null, capacityOf)}`).join(',')}}`;
  }
  return String(value);
}

/** Java's `NaN` and `Infinity` are no JSON numbers: they are quoted. */
export function floatingJson(text: string): string {
  return text.endsWith('N') || text.endsWith('y') ? `"${text}"` : text;
}
