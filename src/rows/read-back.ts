/**
 * How a value that was sent stands to what a SELECT gives back: CrateDB stores many values in a form of its own
 * (floats of 32 bits, blanks behind a CHARACTER, shortened addresses), and that is no change. Measured on 6.4.3.
 */
import type { Column, ColumnType } from './schema.ts';

/** `notComparable`: the value's form does not say what must come back; only whether it is there can be checked. */
type Comparison = 'equal' | 'different' | 'notComparable';

/** Lucene keeps 360 degrees in 32 bits: a place may come back 8.4 · 10^-8 degrees away. */
const DEGREE_TOLERANCE = 1e-7;

/** Decimals with more digits than this may share a double with their neighbours. */
const EXACT_DIGITS = 15;

/**
 * Compares one value of a column as parsed from the INSERT's JSON with the same parsed from the SELECT's; integers
 * beyond 2^53 are bigint in both. The order of keys never matters, and a key that is missing is null.
 */
export function compareReadBack(column: Column, sent: unknown, got: unknown): Comparison {
  return compareValue(column.type, sent, got);
}

function compareValue(type: ColumnType, sent: unknown, got: unknown): Comparison {
  if (isNull(sent) || isNull(got)) return verdict(isNull(sent) && isNull(got));
  switch (type.kind) {
    case 'boolean':
      return typeof sent === 'boolean' ? verdict(sent === got) : 'notComparable';
    case 'byte':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return compareNumbers(sent, got, (value) => (typeof value === 'number' ? Math.trunc(value) : value));
    case 'real':
      return compareNumbers(sent, got, (value) => Math.fround(Number(value)));
    case 'double':
      return compareNumbers(sent, got, Number);
    case 'numeric':
      return compareNumeric(type.scale, sent, got);
    case 'timestamptz':
    case 'timestamp':
      // Texts have many forms, and a fraction makes a number seconds instead of milliseconds.
      return isInteger(sent) ? compareNumbers(sent, got) : 'notComparable';
    case 'text':
      return compareTexts(sent, got, (text) => text);
    case 'varchar':
      return compareTexts(sent, got, (text) => cutBlanks(text, type.length));
    case 'char':
      return compareTexts(sent, got, (text) => cutBlanks(text, type.length).padEnd(type.length));
    case 'uuid':
      return compareTexts(sent, got, plainUuid);
    case 'ip':
      return compareTexts(sent, got, plainAddress);
    case 'bit':
      return compareTexts(sent, got, (text) => `B'${text}'`);
    case 'geo_point':
      return compareElements(sent, got, (a, b) => compareDegrees(a, b));
    case 'geo_shape':
      // GeoJSON comes back as it was sent, but not collections; well-known text as GeoJSON, its rings turned.
      return isRecord(sent) && sent['type'] !== 'GeometryCollection'
        ? compareJson(sent, got)
        : 'notComparable';
    case 'float_vector':
      return compareElements(sent, got, (a, b) => compareValue({ kind: 'real' }, a, b));
    case 'array':
      return compareElements(sent, got, (a, b) => compareValue(type.of, a, b));
    case 'object':
      return compareObjects(type.columns, sent, got);
  }
}

const isNull = (value: unknown): boolean => value === null || value === undefined;
const verdict = (isSame: boolean): Comparison => (isSame ? 'equal' : 'different');

const isNumeric = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';
const isInteger = (value: unknown): boolean => typeof value === 'bigint' || Number.isInteger(value);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Both in the form that the column stores; a bigint equals a number of the same value. */
function compareNumbers(
  sent: unknown,
  got: unknown,
  stored: (value: number | bigint) => number | bigint = (value) => value,
): Comparison {
  if (!isNumeric(sent)) return 'notComparable';
  // Whatever the type of the two is, `==` compares their exact values.
  // oxlint-disable-next-line eqeqeq
  return verdict(isNumeric(got) && stored(sent) == stored(got));
}

function compareTexts(sent: unknown, got: unknown, stored: (sent: string) => string | null): Comparison {
  const text = typeof sent === 'string' ? stored(sent) : null;
  return text === null ? 'notComparable' : verdict(text === got);
}

/** Blanks beyond the column's length are cut off. */
function cutBlanks(text: string, length: number): string {
  return text.slice(length).trim() === '' ? text.slice(0, length) : text;
}

function plainUuid(text: string): string | null {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text) ? text.toLowerCase() : null;
}

/** Addresses as the server writes them: v6 shortened (RFC 5952), v4 mapped into v6 as v4. */
function plainAddress(text: string): string | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text;
  if (!/^[\da-f:.]*:[\da-f:.]*$/i.test(text) || !URL.canParse(`http://[${text}]/`)) return null;
  const short = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(short);
  if (mapped === null) return short;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function compareDegrees(sent: unknown, got: unknown): Comparison {
  return verdict(
    typeof sent === 'number' && typeof got === 'number' && Math.abs(sent - got) <= DEGREE_TOLERANCE,
  );
}

/**
 * The server rounds half up (away from zero) to the column's scale and answers with a bare number, which was
 * parsed into a double: enough to find a difference, and to be sure that there is none up to 15 digits.
 */
function compareNumeric(scale: number, sent: unknown, got: unknown): Comparison {
  const units = typeof sent === 'string' || isNumeric(sent) ? unitsOf(String(sent), scale) : null;
  if (units === null) return 'notComparable';
  if (typeof got === 'bigint') return verdict(units === got * 10n ** BigInt(scale));
  if (Number(`${units}e-${scale}`) !== got) return 'different';
  const isExact = units.toString().replace('-', '').length <= EXACT_DIGITS;
  return isExact ? 'equal' : 'notComparable';
}

/** A decimal text in units of 10^-scale, rounded; null if it is none. */
function unitsOf(text: string, scale: number): bigint | null {
  const parts = /^([+-]?)(?=\.?\d)(\d*)\.?(\d*)(?:e([+-]?\d{1,3}))?$/i.exec(text);
  if (parts === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = BigInt(`0${whole}${fraction}`);
  const shift = scale - fraction.length + Number(exponent);
  const units = shift >= 0 ? digits * 10n ** BigInt(shift) : halfUp(digits, 10n ** BigInt(-shift));
  return sign === '-' ? -units : units;
}

const halfUp = (value: bigint, divisor: bigint): bigint => (2n * value + divisor) / (2n * divisor);

type Compare = (sent: unknown, got: unknown) => Comparison;

function compareElements(sent: unknown, got: unknown, compare: Compare): Comparison {
  if (!Array.isArray(sent)) return 'notComparable';
  const back: unknown = got;
  if (!Array.isArray(back) || back.length !== sent.length) return 'different';
  return worst(sent.map((element: unknown, index) => compare(element, back[index])));
}

/** Declared keys by their types, others as JSON. Declared keys that the server fills are left out. */
function compareObjects(columns: readonly Column[], sent: unknown, got: unknown): Comparison {
  if (!isRecord(sent)) return 'notComparable';
  if (!isRecord(got)) return 'different';
  const names = new Set([...Object.keys(sent), ...Object.keys(got)]);
  const declared = new Map(columns.map((column) => [column.name, column]));
  return worst(
    [...names].map((name) => {
      const column = declared.get(name);
      if (column === undefined) return compareJson(sent[name], got[name]);
      if (column.generator === null && isNull(sent[name])) return 'equal';
      return compareValue(column.type, sent[name], got[name]);
    }),
  );
}

/**
 * Values without a declared type. In a dynamic object the first value of a key gives it a type, and later values
 * become that: another type, or a whole number where there was a fraction, is nobody's doing.
 */
function compareJson(sent: unknown, got: unknown): Comparison {
  if (isNull(sent) || isNull(got)) return verdict(isNull(sent) && isNull(got));
  if (Array.isArray(sent)) return compareElements(sent, got, compareJson);
  if (isRecord(sent)) return compareObjects([], sent, got);
  if (isNumeric(sent) && isNumeric(got)) {
    const isCut = compareNumbers(sent, got) === 'different' && got === Math.trunc(Number(sent));
    return isCut ? 'notComparable' : compareNumbers(sent, got);
  }
  return typeof sent === typeof got ? verdict(sent === got) : 'notComparable';
}

/** Of the parts of a value: one difference is enough, and so is one part that cannot be compared. */
function worst(parts: readonly Comparison[]): Comparison {
  if (parts.includes('different')) return 'different';
  return parts.includes('notComparable') ? 'notComparable' : 'equal';
}
