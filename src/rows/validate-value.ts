/**
 * Ready values (constants, pools, choices) that a column's type can surely not take. Texts are cast by the server in
 * more forms than are told apart here: what is only doubtful is let through.
 */
import type { ColumnType, Generator, JsonValue, PoolSource } from './schema.ts';
import { wholeLimits } from './type-limits.ts';

/** Why a value that stands ready in the generator does not fit the type, if one does not: the first of them. */
export function readyValueProblem(generator: Generator, type: ColumnType): string | null {
  for (const value of readyValues(generator)) {
    const why = misfitOf(value, type);
    if (why !== null) return `the value ${shortened(value)} is no ${why}`;
  }
  return null;
}

function readyValues(generator: Generator): readonly JsonValue[] {
  switch (generator.kind) {
    case 'constant':
      return [generator.value];
    case 'choice':
      return generator.options.map(({ value }) => value);
    case 'pool':
      return poolValues(generator.pool);
    case 'ranked':
      return generator.values ?? [];
    default:
      return [];
  }
}

/** Pools of faker and of records are texts of no form: one stands for all. */
const poolValues = (source: PoolSource): readonly JsonValue[] =>
  source.from === 'values' ? source.values : ['text'];

const MAX_CHARACTERS = 40;

function shortened(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS - 1)}…` : text;
}

const WHOLE = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const UUID = /^[\da-f]{8}(-?[\da-f]{4}){3}-?[\da-f]{12}$/i;
const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[\da-f:.]*:[\da-f:.]*)$/i;
/** A date, or milliseconds. */
const TIME = /^[+-]?\d/;

/** What the value would have to be, if it is not; null may stand anywhere. */
function misfitOf(value: JsonValue, type: ColumnType): string | null {
  if (value === null) return null;
  const orNull = (isFitting: boolean, what: string = type.kind): string | null => (isFitting ? null : what);
  switch (type.kind) {
    case 'boolean':
      return orNull(typeof value === 'boolean' || isText(value, /^(t|f|true|false)$/i));
    case 'byte':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return orNull(isWholeWithin(value, type));
    case 'real':
    case 'double':
    case 'numeric':
      return orNull(typeof value === 'number' || isText(value, DECIMAL));
    case 'timestamptz':
    case 'timestamp':
      return orNull(typeof value === 'number' || isText(value, TIME));
    case 'uuid':
      return orNull(isText(value, UUID));
    case 'ip':
      return orNull(isText(value, ADDRESS));
    case 'bit':
      return orNull(isText(value, /^[01]+$/) && value.length === type.length, `bit(${type.length})`);
    case 'geo_point':
      return orNull(isPlace(value) || isText(value, /^\s*POINT/i));
    case 'geo_shape':
      return orNull(typeof value === 'string' || isRecord(value));
    case 'float_vector':
      return orNull(isVector(value, type.dimensions), `float_vector(${type.dimensions})`);
    case 'object':
      return orNull(isRecord(value) || isText(value, /^\s*\{/));
    case 'array':
      return isList(value) ? firstMisfit(value, type.of) : 'array';
    default:
      return null;
  }
}

const isText = (value: JsonValue, pattern: RegExp): value is string =>
  typeof value === 'string' && pattern.test(value);
const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);
const isRecord = (value: JsonValue): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isWholeWithin(value: JsonValue, type: ColumnType): boolean {
  if (typeof value !== 'number' && !isText(value, WHOLE)) return false;
  // Beyond 2^53 a text may still be a bigint.
  if (type.kind === 'bigint') return true;
  const { min, max } = wholeLimits(type);
  return Number(value) >= min && Number(value) < max + 1;
}

function isPlace(value: JsonValue): boolean {
  if (!isList(value) || value.length !== 2) return false;
  const [lon, lat] = value;
  return typeof lon === 'number' && typeof lat === 'number' && Math.abs(lon) <= 180 && Math.abs(lat) <= 90;
}

const isVector = (value: JsonValue, dimensions: number): boolean =>
  isList(value) && value.length === dimensions && value.every((part) => typeof part === 'number');

function firstMisfit(values: readonly JsonValue[], type: ColumnType): string | null {
  for (const value of values) {
    const misfit = misfitOf(value, type);
    if (misfit !== null) return `array of ${misfit}`;
  }
  return null;
}
