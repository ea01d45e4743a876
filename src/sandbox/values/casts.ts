/**
 * What becomes of a parameter on its way into a column: one cast per type, compiled once per column. These run on
 * the node that takes the request, before anything is written: one value that cannot be cast refuses the whole bulk.
 */
import { ipv4FromNumber, normaliseIp, normaliseUuid } from './addresses.ts';
import {
  asciiDigits,
  decimalText,
  digitCount,
  parseDecimal,
  roundToPrecision,
  roundToScale,
  type Decimal,
} from './decimal.ts';
import { invalid, unsupported, type SqlFailure } from '../failure.ts';
import { parseGeoPoint, shapeFromJson, shapeFromText, type Point } from './geo.ts';
import { doubleText, jsonValueText, valueText } from './java-text.ts';
import {
  isDouble,
  isJsonArray,
  isJsonObject,
  JavaDouble,
  JsonSyntaxError,
  parseJson,
  shrink,
  type Json,
} from './json.ts';
import { parsePgArray } from './pg-array.ts';
import { parseTimestamp } from './timestamps.ts';
import { objectOf, typeName, type DataType, type ObjectType } from './types.ts';

/** A value does not fit its type; `message` is set only where CrateDB names something else than the whole value. */
export class CastError extends Error {}

/** Takes the value as it came and gives it as its type holds it. Throws CastError. Never sees null. */
export type Cast = (value: Json) => Json;

/** Casts one value, null included. Throws the failure as CrateDB words it. */
export function castValue(value: Json, type: DataType, cast: Cast = compileCast(type)): Json {
  if (value === null) return null;
  try {
    return cast(value);
  } catch (error) {
    throw castFailure(error, value, type);
  }
}

/** The 400 for an error that a cast threw. Anything else passes through. */
export function castFailure(error: unknown, value: Json, type: DataType): unknown {
  if (!(error instanceof CastError)) return error;
  return invalid(error.message === '' ? cannotCast(value, type) : error.message);
}

function cannotCast(value: Json, type: DataType): string {
  return `Cannot cast value \`${valueText(value)}\` to type \`${typeName(type)}\``;
}

/** The cast into a type, without a look at the type per value. */
export function compileCast(type: DataType): Cast {
  switch (type.kind) {
    case 'undefined':
      return (value) => value;
    case 'boolean':
      return castBoolean;
    case 'byte':
      return (value) => castSmallInteger(value, 8);
    case 'smallint':
      return (value) => castSmallInteger(value, 16);
    case 'integer':
      return castInteger;
    case 'bigint':
      return castBigint;
    case 'real':
      return castReal;
    case 'double':
      return castDouble;
    case 'numeric':
      return (value) => castNumeric(value, type.precision, type.scale);
    case 'timestamptz':
      return (value) => castTimestamp(value, true);
    case 'timestamp':
      return (value) => castTimestamp(value, false);
    case 'text':
      return castText;
    case 'character':
      return (value) => castText(value).padEnd(type.length, ' ');
    case 'ip':
      return castIp;
    case 'uuid':
      return (value) =>
        typeof value === 'string' ? (normaliseUuid(value) ?? refuse()) : refuse(cannotCast(value, type));
    case 'bit':
      return (value) => (typeof value === 'string' && /^[01]*$/.test(value) ? value : refuse());
    case 'geo_point':
      return (value) => castPoint(parseGeoPoint(value));
    case 'geo_shape':
      return castShape;
    case 'float_vector':
      return castVector;
    case 'object':
      return compileObjectCast(type);
    case 'array':
      return compileArrayCast(type.element);
  }
}

function refuse(message = ''): never {
  throw new CastError(message);
}

const BOOLEAN_TEXTS: ReadonlyMap<string, boolean> = new Map([
  ...['f', 'false', 'n', 'no', 'off', '0'].map((text) => [text, false] as const),
  ...['t', 'true', 'y', 'yes', 'on', '1'].map((text) => [text, true] as const),
]);

function castBoolean(value: Json): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return BOOLEAN_TEXTS.get(value.toLowerCase()) ?? refuse();
  return isNumber(value) ? Number(numberOf(value)) > 0 : refuse();
}

type JsonNumber = number | bigint | JavaDouble;

function isNumber(value: Json): value is JsonNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof JavaDouble;
}

function numberOf(value: JsonNumber): number | bigint {
  return value instanceof JavaDouble ? value.value : value;
}

const WHOLE = /^[+-]?\d+$/;

/** Integers in a text: no blanks, no fraction, no exponent, and within the bits of the type. */
function integerOfText(text: string, bits: number): number | bigint {
  const digits = asciiDigits(text);
  if (!WHOLE.test(digits)) return refuse();
  const value = BigInt(digits.replace('+', ''));
  return BigInt.asIntN(bits, value) === value ? shrink(value) : refuse();
}

/** `Number.intValue()`: doubles are cut and saturate, integers keep their low 32 bits. */
function intValue(value: JsonNumber): number {
  const plain = numberOf(value);
  if (typeof plain === 'bigint') return Number(BigInt.asIntN(32, plain));
  if (!isDouble(value))
    return Math.abs(plain) <= 0x7fffffff ? plain : Number(BigInt.asIntN(32, BigInt(plain)));
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(plain))) + 0;
}

const INT64_MAX = 2n ** 63n - 1n;

/** `Number.longValue()`: doubles are cut and saturate, integers keep their low 64 bits. */
function longValue(value: JsonNumber): number | bigint {
  const plain = numberOf(value);
  if (typeof plain === 'bigint') return shrink(BigInt.asIntN(64, plain));
  if (!isDouble(value) || Number.isSafeInteger(plain)) return plain + 0;
  if (Math.abs(plain) < 2 ** 53) return Math.trunc(plain) + 0;
  if (plain >= 2 ** 63) return INT64_MAX;
  return plain <= -(2 ** 63) ? -INT64_MAX - 1n : shrink(BigInt(plain));
}

function castSmallInteger(value: Json, bits: number): number {
  if (typeof value === 'string') return Number(integerOfText(value, bits));
  if (!isNumber(value)) return refuse();
  const plain = intValue(value);
  return (plain << (32 - bits)) >> (32 - bits) === plain ? plain : refuse();
}

function castInteger(value: Json): number {
  if (typeof value === 'number' && (value | 0) === value) return value + 0;
  if (typeof value === 'string') return Number(integerOfText(value, 32));
  if (!isNumber(value)) return refuse();
  const plain = longValue(value);
  return typeof plain === 'number' && (plain | 0) === plain ? plain : refuse();
}

function castBigint(value: Json): number | bigint {
  if (typeof value === 'string') return integerOfText(value, 64);
  return isNumber(value) ? longValue(value) : refuse();
}

const FLOATING = /^[\0- ]*[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)[\0- ]*$/;
const HEX_FLOATING = /^[\0- ]*([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d{1,6})[fFdD]?[\0- ]*$/;

function floatingOfText(text: string): number {
  if (FLOATING.test(text)) return Number(text.trim().replace(/[fFdD]$/, ''));
  const hex = HEX_FLOATING.exec(text);
  const digits = `${hex?.[2] ?? ''}${hex?.[3] ?? ''}`;
  if (hex === null || digits === '') return refuse();
  const magnitude = Number(`0x${digits}`) * 2 ** (Number(hex[4]) - 4 * (hex[3] ?? '').length);
  return hex[1] === '-' ? -magnitude : magnitude;
}

function castDouble(value: Json): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return floatingOfText(value);
  return isNumber(value) ? Number(numberOf(value)) : refuse();
}

function castReal(value: Json): number {
  if (typeof value === 'string') return Math.fround(floatingOfText(value));
  if (!isNumber(value)) return refuse();
  const wide = Number(numberOf(value));
  const narrow = Math.fround(wide);
  return Number.isFinite(narrow) || !Number.isFinite(wide) ? narrow : refuse();
}

/** The digits of a NUMERIC, as text with its scale. Integers beyond 64 bits wrap before anything else. */
function castNumeric(value: Json, precision: number | null, scale: number | null): string {
  const text = numericText(value);
  const parsed = text === null ? null : parseDecimal(text);
  if (parsed === null) return refuse();
  const rounded: Decimal = precision === null ? parsed : roundToPrecision(parsed, precision);
  if (precision === null || scale === null) return decimalText(rounded);
  if (digitCount(rounded) - rounded.scale > precision - scale) return refuse();
  return decimalText(roundToScale(rounded, scale));
}

function numericText(value: Json): string | null {
  if (typeof value === 'string') return value;
  if (isDouble(value)) return doubleText(Number(numberOf(value)));
  return isNumber(value) ? String(longValue(value)) : null;
}

/** Anything with a fraction counts as seconds; integers are milliseconds. */
function castTimestamp(value: Json, withZone: boolean): number | bigint {
  if (typeof value === 'string') return parseTimestamp(value, withZone) ?? refuse();
  if (isDouble(value)) return longValue(new JavaDouble(Number(numberOf(value)) * 1000));
  return isNumber(value) ? longValue(value) : refuse();
}

function castText(value: Json): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (isJsonObject(value)) return jsonValueText(value);
  return isNumber(value) ? valueText(value) : refuse();
}

function castIp(value: Json): string {
  if (typeof value === 'string') return normaliseIp(value) ?? refuse();
  if (!isNumber(value)) return refuse();
  const plain = BigInt(longValue(value));
  return plain < 0n ? refuse() : ipv4FromNumber(plain);
}

/** A point with one coordinate missing becomes null, silently. */
function castPoint(point: Point): Json {
  return point === 'none' ? refuse() : point;
}

function castShape(value: Json): Json {
  if (typeof value === 'string') return shapeFromText(value) ?? refuse();
  return isJsonObject(value) ? (shapeFromJson(value) ?? refuse()) : refuse();
}

function castVector(value: Json): readonly number[] {
  if (!isJsonArray(value)) return refuse();
  return value.map((item) => {
    if (item === null) throw nullInVector();
    return isNumber(item) ? Math.fround(Number(numberOf(item))) : refuse();
  });
}

function nullInVector(): SqlFailure {
  return unsupported('null values are not allowed for float_vector');
}

/** Known keys are cast, others pass: what becomes of them is decided where the row is stored. */
function compileObjectCast(type: ObjectType): Cast {
  const casts = new Map<string, { readonly type: DataType; readonly cast: Cast }>();
  return (value) => {
    const source = typeof value === 'string' ? objectOfText(value) : value;
    if (!isJsonObject(source)) return refuse();
    const result: Record<string, Json> = Object.create(null) as Record<string, Json>;
    for (const key of Object.keys(source)) {
      const item = source[key] ?? null;
      const field = type.fields.get(key);
      if (item === null || field === undefined) {
        result[key] = item;
        continue;
      }
      // Compiled on first use: a dynamic object may learn keys between two rows.
      let known = casts.get(key);
      if (known?.type !== field.type)
        casts.set(key, (known = { type: field.type, cast: compileCast(field.type) }));
      result[key] = castChild(key, item, known.type, known.cast);
    }
    return result;
  };
}

function castChild(key: string, value: Json, type: DataType, cast: Cast): Json {
  try {
    return cast(value);
  } catch (error) {
    if (error instanceof CastError) refuse(childMessage(key, value, type));
    throw error;
  }
}

/** What is said of a key of an object whose value does not fit. */
export function childMessage(key: string, value: Json, type: DataType): string {
  return `Cannot cast object element \`${key}\` with value \`${valueText(value)}\` to type \`${typeName(type)}\``;
}

/** JSON text of an object; any other JSON is an object without keys. */
function objectOfText(text: string): Json {
  const parsed = jsonOfText(text, objectOf('dynamic'));
  return isJsonObject(parsed) ? parsed : {};
}

function jsonOfText(text: string, type: DataType): Json {
  if (text.trim() === '') return null;
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) refuse(cannotCast(text, type));
    throw error;
  }
}

function compileArrayCast(element: DataType): Cast {
  const cast = compileCast(element);
  const castElement = (value: Json): Json => (value === null ? null : cast(value));
  return (value) => {
    if (isJsonArray(value)) return value.map(castElement);
    if (isJsonObject(value)) return Object.keys(value).length === 0 ? [] : refuse();
    if (typeof value !== 'string') return refuse();
    const parsed = parsePgArray(value);
    if (parsed !== null)
      return parsed.some(isJsonArray) && element.kind !== 'array' ? refuse() : mapNested(parsed, castElement);
    const list = element.kind === 'object' ? jsonOfText(value, element) : refuse();
    return isJsonArray(list) ? list.map(castElement) : refuse();
  };
}

function mapNested(value: Json, cast: Cast): Json {
  return isJsonArray(value) ? value.map((item) => mapNested(item, cast)) : cast(value);
}
