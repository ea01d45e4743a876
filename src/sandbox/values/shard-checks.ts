/**
 * What CrateDB checks in the shard, when a value has long been cast: here one row fails and the others stay. New keys of
 * dynamic objects become columns on this way.
 */
import { CastError, childMessage } from './casts.ts';
import { SqlFailure, classCast, invalid } from '../failure.ts';
import { checkShape } from './geo.ts';
import { floatText, hashMapOrder, valueText } from './java-text.ts';
import { isDouble, isJsonArray, isJsonObject, JavaDouble, type Json, type JsonObject } from './json.ts';
import { guessColumnType, isBeyondInt64, type DataType, type Field, type ObjectType } from './types.ts';

/** Lucene's longest term; longer ones fail where the column is indexed. */
const MAX_TERM_BYTES = 32_766;
const INT64_MAX = 2n ** 63n - 1n;

export interface CheckContext {
  /** Full name of the column, as in messages: `o` or `o['a']`. */
  readonly column: string;
  /** False for TEXT INDEX OFF without column store. */
  readonly indexed: boolean;
  /** Lucene's field name in messages about long terms. */
  readonly field: string;
}

/** The check of a value before it is stored, giving the value to store; null where nothing can fail or change. */
export function compileCheck(type: DataType, context: CheckContext): ((value: Json) => Json) | null {
  switch (type.kind) {
    case 'bigint':
    case 'timestamptz':
    case 'timestamp':
      return checkLong;
    case 'text':
      return (value) => checkText(value, type.length, context);
    case 'character':
      return (value) => trimTo(valueText(value), type.length, 'character');
    case 'bit':
      return (value) => checkBits(valueText(value), type.length);
    case 'geo_point':
      return checkPoint;
    case 'geo_shape':
      return (value) => {
        if (isJsonObject(value)) checkShape(value);
        return value;
      };
    case 'float_vector':
      return (value) => checkVector(value, type.dimensions);
    case 'object':
      return compileObjectCheck(type, context);
    case 'array':
      return compileArrayCheck(type.element, context);
    default:
      return null;
  }
}

/** `POINT EMPTY` is a point until it is indexed. */
function checkPoint(value: Json): Json {
  if (isJsonArray(value) && value.some((item) => Number.isNaN(item)))
    throw invalid('invalid latitude NaN; must be between -90.0 and 90.0');
  return value;
}

function checkLong(value: Json): Json {
  if (value === INT64_MAX || value === -INT64_MAX - 1n) {
    throw invalid(`Value ${value} exceeds allowed range for column of type bigint`);
  }
  return value;
}

function checkText(value: Json, length: number | null, context: CheckContext): Json {
  const text = length === null ? valueText(value) : trimTo(valueText(value), length, 'text');
  if (context.indexed && text.length * 3 > MAX_TERM_BYTES) checkTerm(text, context.field);
  return text;
}

/** Blanks over the length are cut, anything else over it is refused. */
function trimTo(text: string, length: number, name: string): string {
  if (text.length <= length) return text;
  if (/^\p{Z}*$/u.test(text.slice(length))) return text.slice(0, length);
  const shown = text.length > 20 ? `${text.slice(0, 20)}...` : text;
  throw invalid(`'${shown}' is too long for the ${name} type of length: ${length}`);
}

function checkTerm(text: string, field: string): void {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_TERM_BYTES) return;
  const prefix = [...new Int8Array(bytes.subarray(0, 30))].join(', ');
  throw invalid(
    `Document contains at least one immense term in field="${field}" (whose UTF8 encoding is longer than the max ` +
      `length ${MAX_TERM_BYTES}), all of which were skipped.  Please correct the analyzer to not produce such terms.  ` +
      `The prefix of the first immense term is: '[${prefix}]...', original message: ` +
      `bytes can be at most ${MAX_TERM_BYTES} in length; got ${bytes.length}`,
  );
}

function checkBits(bits: string, length: number): string {
  if (bits.length === length) return bits;
  throw invalid(`bit string length ${bits.length} does not match type bit(${length})`);
}

function checkVector(value: Json, dimensions: number): Json {
  if (isJsonArray(value) && value.length !== dimensions) {
    throw invalid('The number of vector dimensions does not match the field type');
  }
  const at = isJsonArray(value) ? value.findIndex((item) => !Number.isFinite(item)) : -1;
  if (at !== -1 && isJsonArray(value))
    throw invalid(`non-finite value at vector[${at}]=${floatText(Number(value[at]))}`);
  return value;
}

function compileArrayCheck(element: DataType, context: CheckContext): ((value: Json) => Json) | null {
  const check = compileCheck(element, context);
  if (check === null) return null;
  return (value) => (isJsonArray(value) ? value.map((item) => (item === null ? null : check(item))) : value);
}

function compileObjectCheck(type: ObjectType, context: CheckContext): (value: Json) => Json {
  const checks = new Map<string, FieldCheck>();
  // Compiled on first use: a dynamic object may learn keys between two rows.
  const checkOf = (name: string, field: Field): FieldCheck => {
    const known = checks.get(name);
    if (known?.type === field.type) return known;
    const made = {
      type: field.type,
      check: compileCheck(field.type, { ...context, column: `${context.column}['${name}']` }),
    };
    checks.set(name, made);
    return made;
  };
  return (value) => (isJsonObject(value) ? checkObject(type, value, context.column, checkOf) : value);
}

interface FieldCheck {
  readonly type: DataType;
  readonly check: ((value: Json) => Json) | null;
}

function checkObject(
  type: ObjectType,
  value: JsonObject,
  column: string,
  checkOf: (name: string, field: Field) => FieldCheck,
): Json {
  const result: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const [name, field] of type.fields) {
    const given = value[name] ?? null;
    if (given === null) {
      if (field.notNull) throw invalid(`"${column}['${name}']" must not be null`);
      continue;
    }
    const sane = sanitiseChild(name, given, field.type);
    const { check } = checkOf(name, field);
    result[name] = check === null ? sane : check(sane);
  }
  for (const key of Object.keys(value)) if (!(key in result)) result[key] = storable(value[key] ?? null);
  return result;
}

/** A value that no column describes; the server cannot write integers beyond 64 bits. */
function storable(value: Json): Json {
  if (!isBeyondInt64(value)) return value;
  throw new SqlFailure(
    500,
    5000,
    'UncheckedIOException[java.io.IOException: can not write type [class java.math.BigInteger]]',
  );
}

/**
 * New keys of dynamic objects become columns here, in the order of the rows, before the row itself is looked at.
 * `addColumn` may refuse (column limit). Throws what CrateDB throws for strict objects and impossible types.
 */
export function learnColumns(type: DataType, value: Json, column: string, addColumn: () => void): void {
  if (type.kind === 'array' && isJsonArray(value)) {
    for (const item of value) learnColumns(type.element, item, column, addColumn);
  }
  if (type.kind !== 'object' || !isJsonObject(value)) return;
  for (const [name, field] of type.fields) {
    const given = value[name] ?? null;
    if (given === null) continue;
    sanitiseChild(name, given, field.type);
    learnColumns(field.type, given, `${column}['${name}']`, addColumn);
  }
  if (type.policy === 'ignored') return;
  const fresh = Object.keys(value).filter((name) => !type.fields.has(name));
  if (fresh.length === 0) return;
  for (const name of hashMapOrder(Object.keys(value))) {
    if (fresh.includes(name)) learnField(type, name, value[name] ?? null, column, addColumn);
  }
}

function learnField(
  type: ObjectType,
  name: string,
  value: Json,
  column: string,
  addColumn: () => void,
): void {
  const found = guessColumnType(value);
  if (type.policy === 'strict') throw invalid(`Cannot add column \`${name}\` to strict object \`${column}\``);
  checkKey(name);
  const sane = sanitise(value, found);
  if (!isDefinite(found)) return;
  addColumn();
  type.fields.set(name, { type: found, notNull: false });
  learnColumns(found, sane, `${column}['${name}']`, addColumn);
}

function isDefinite(type: DataType): boolean {
  return type.kind === 'array' ? isDefinite(type.element) : type.kind !== 'undefined';
}

/** Keys that cannot be column names. */
export function checkKey(name: string): void {
  const problem = name.includes('.')
    ? 'contains a dot'
    : name.includes('[')
      ? 'conflicts with subscript pattern, square brackets are not allowed'
      : /[\t\n\r]/.test(name)
        ? 'contains illegal whitespace character'
        : null;
  if (problem !== null) throw new SqlFailure(400, 4008, `InvalidColumnNameException["${name}" ${problem}]`);
}

function sanitiseChild(name: string, value: Json, type: DataType): Json {
  try {
    return sanitise(value, type);
  } catch (error) {
    if (error instanceof CastError || (error instanceof SqlFailure && error.code === 5000)) {
      throw invalid(childMessage(name, value, type));
    }
    throw error;
  }
}

const JAVA_NUMBER = 'java.lang.Number';

/**
 * A value that was cast before its column's type was known. Java's own casts decide here, so a text in a number
 * column is a ClassCastException.
 */
function sanitise(value: Json, type: DataType): Json {
  if (value === null) return null;
  switch (type.kind) {
    case 'bigint':
    case 'timestamptz':
    case 'timestamp':
    case 'byte':
    case 'smallint':
    case 'integer':
      return truncated(asNumber(value));
    case 'double':
    case 'real':
      return Number(asNumber(value));
    case 'boolean':
      return typeof value === 'boolean' ? value : Number(asNumber(value)) > 0;
    case 'text':
    case 'character':
      if (typeof value !== 'string') throw classCast(javaClass(value), 'java.lang.String');
      return value;
    case 'array':
      if (!isJsonArray(value)) throw new CastError();
      return value.map((item) => sanitise(item, type.element));
    case 'object':
      if (!isJsonObject(value)) throw new CastError();
      return sanitiseObject(value, type);
    default:
      return value;
  }
}

function sanitiseObject(value: JsonObject, type: ObjectType): Json {
  const result: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const key of Object.keys(value)) {
    const field = type.fields.get(key);
    const item = value[key] ?? null;
    result[key] = field === undefined ? item : sanitiseChild(key, item, field.type);
  }
  return result;
}

function asNumber(value: Json): number | bigint {
  if (value instanceof JavaDouble) return value.value;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  throw classCast(javaClass(value), JAVA_NUMBER);
}

function javaClass(value: Json): string {
  if (typeof value === 'string') return 'java.lang.String';
  if (typeof value === 'boolean') return 'java.lang.Boolean';
  if (isDouble(value)) return 'java.lang.Double';
  if (isJsonArray(value)) return 'java.util.ArrayList';
  if (isJsonObject(value)) return 'java.util.HashMap';
  return typeof value === 'number' && Math.abs(value) < 2 ** 31 ? 'java.lang.Integer' : 'java.lang.Long';
}

function truncated(value: number | bigint): number | bigint {
  return typeof value === 'bigint' ? value : Math.trunc(value) + 0;
}
