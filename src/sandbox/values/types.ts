/**
 * CrateDB's column types: their names in messages and in `information_schema`, their ids in `col_types`, and which
 * one wins where two meet. https://cratedb.com/docs/crate/reference/en/latest/general/ddl/data-types.html
 */
import { isDouble, isJsonArray, isJsonObject, type Json, type JsonObject } from './json.ts';
import { SqlFailure, invalid } from '../failure.ts';

export type SimpleKind =
  | 'undefined'
  | 'boolean'
  | 'byte'
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'real'
  | 'double'
  | 'timestamptz'
  | 'timestamp'
  | 'ip'
  | 'uuid'
  | 'geo_point'
  | 'geo_shape';

export type ColumnPolicy = 'dynamic' | 'strict' | 'ignored';

export interface Field {
  readonly type: DataType;
  readonly notNull: boolean;
}

export type DataType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'numeric'; readonly precision: number | null; readonly scale: number | null }
  | { readonly kind: 'text'; readonly length: number | null }
  | { readonly kind: 'character'; readonly length: number }
  | { readonly kind: 'bit'; readonly length: number }
  | { readonly kind: 'float_vector'; readonly dimensions: number }
  | ObjectType
  | { readonly kind: 'array'; readonly element: DataType };

export interface ObjectType {
  readonly kind: 'object';
  readonly policy: ColumnPolicy;
  /** In order of declaration; a dynamic object of a column grows here as rows bring new keys. */
  readonly fields: Map<string, Field>;
}

export type Kind = DataType['kind'];

export const TEXT: DataType = { kind: 'text', length: null };
export const BOOLEAN: DataType = { kind: 'boolean' };
export const INTEGER: DataType = { kind: 'integer' };
export const BIGINT: DataType = { kind: 'bigint' };
export const DOUBLE: DataType = { kind: 'double' };
export const UNDEFINED: DataType = { kind: 'undefined' };
export const TIMESTAMPTZ: DataType = { kind: 'timestamptz' };

export function arrayOf(element: DataType): DataType {
  return { kind: 'array', element };
}

export function objectOf(
  policy: ColumnPolicy,
  fields: Iterable<readonly [string, DataType]> = [],
): ObjectType {
  return {
    kind: 'object',
    policy,
    fields: new Map([...fields].map(([name, type]) => [name, { type, notNull: false }])),
  };
}

/** Name in SQL, answer id, and rank where types meet (the higher one wins). */
const FACTS: Readonly<Record<Kind, { readonly name: string; readonly id: number; readonly rank: number }>> = {
  undefined: { name: 'undefined', id: 0, rank: 1 },
  text: { name: 'text', id: 4, rank: 2 },
  character: { name: 'character', id: 27, rank: 3 },
  byte: { name: 'byte', id: 2, rank: 4 },
  boolean: { name: 'boolean', id: 3, rank: 5 },
  smallint: { name: 'smallint', id: 8, rank: 6 },
  integer: { name: 'integer', id: 9, rank: 8 },
  timestamptz: { name: 'timestamp with time zone', id: 11, rank: 14 },
  timestamp: { name: 'timestamp without time zone', id: 15, rank: 15 },
  uuid: { name: 'uuid', id: 29, rank: 16 },
  bigint: { name: 'bigint', id: 10, rank: 17 },
  ip: { name: 'ip', id: 5, rank: 18 },
  real: { name: 'real', id: 7, rank: 19 },
  double: { name: 'double precision', id: 6, rank: 20 },
  numeric: { name: 'numeric', id: 22, rank: 21 },
  array: { name: 'array', id: 100, rank: 22 },
  geo_point: { name: 'geo_point', id: 13, rank: 24 },
  object: { name: 'object', id: 12, rank: 25 },
  geo_shape: { name: 'geo_shape', id: 14, rank: 27 },
  bit: { name: 'bit', id: 25, rank: 28 },
  float_vector: { name: 'float_vector', id: 28, rank: 28 },
};

/** The bare name: `numeric`, `text_array`, `timestamp with time zone`. */
export function baseName(type: DataType): string {
  return type.kind === 'array' ? `${baseName(type.element)}_array` : FACTS[type.kind].name;
}

/** The name inside messages, with its parameters where CrateDB writes them: `numeric(18,4)`, `bit(8)`, `text(3)`. */
export function typeName(type: DataType): string {
  switch (type.kind) {
    case 'numeric':
      if (type.precision === null) return 'numeric';
      return type.scale === null ? `numeric(${type.precision})` : `numeric(${type.precision},${type.scale})`;
    case 'text':
      return type.length === null ? 'text' : `text(${type.length})`;
    case 'character':
      return `text(${type.length})`;
    case 'bit':
      return `bit(${type.length})`;
    default:
      return baseName(type);
  }
}

/** The answer's `col_types` entry; arrays nest. */
export function typeId(type: DataType): number | readonly [number, unknown] {
  return type.kind === 'array' ? [FACTS.array.id, typeId(type.element)] : FACTS[type.kind].id;
}

const TEXTS: readonly Kind[] = ['text', 'character'];
const NUMBER_TARGETS: readonly Kind[] = [
  'byte',
  'smallint',
  'integer',
  'bigint',
  'real',
  'double',
  'numeric',
  'boolean',
  'text',
  'character',
  'ip',
  'timestamptz',
  'timestamp',
];
const TEXT_TARGETS: readonly Kind[] = [...NUMBER_TARGETS, 'geo_shape', 'geo_point', 'object', 'bit'];

/** What the analyzer lets a value of one type become without being asked, beside its own type. */
const CONVERSIONS: Readonly<Record<Kind, readonly Kind[]>> = {
  undefined: [],
  byte: NUMBER_TARGETS,
  smallint: NUMBER_TARGETS,
  integer: NUMBER_TARGETS,
  bigint: NUMBER_TARGETS,
  real: NUMBER_TARGETS,
  double: NUMBER_TARGETS,
  numeric: NUMBER_TARGETS,
  boolean: TEXTS,
  text: [...TEXT_TARGETS, 'uuid'],
  character: TEXT_TARGETS,
  ip: TEXTS,
  timestamptz: ['double', 'bigint', 'text', 'timestamp', 'character'],
  timestamp: ['double', 'bigint', 'text', 'timestamptz', 'character'],
  uuid: TEXTS,
  bit: ['bit'],
  geo_point: ['array'],
  geo_shape: ['object'],
  object: ['geo_shape', 'object'],
  float_vector: ['float_vector'],
  array: ['undefined', 'geo_point', 'float_vector'],
};

/** Whether the analyzer lets a value of type `from` stand where `to` is wanted. */
export function isConvertible(from: DataType, to: DataType): boolean {
  if (from.kind === 'undefined') return true;
  if (from.kind === 'array' && to.kind === 'array') return isConvertible(from.element, to.element);
  if (from.kind === 'object' && innermost(to).kind === 'undefined') return true;
  return from.kind === to.kind || CONVERSIONS[from.kind].includes(to.kind);
}

function innermost(type: DataType): DataType {
  return type.kind === 'array' ? innermost(type.element) : type;
}

/** The type that holds values of both. Throws 4000 when there is none. */
export function mergeTypes(left: DataType, right: DataType): DataType {
  const [higher, lower] = FACTS[left.kind].rank > FACTS[right.kind].rank ? [left, right] : [right, left];
  if (higher.kind === 'array' && lower.kind === 'array')
    return arrayOf(mergeTypes(higher.element, lower.element));
  if (higher.kind === 'object' && lower.kind === 'object') return mergeObjects(left, right);
  if (isConvertible(lower, higher)) return higher;
  throw invalid(`Cannot cast expressions from type \`${typeName(lower)}\` to type \`${typeName(higher)}\``);
}

function mergeObjects(left: DataType, right: DataType): DataType {
  if (left.kind !== 'object' || right.kind !== 'object') return left;
  const merged = objectOf('dynamic');
  for (const [name, field] of left.fields) merged.fields.set(name, field);
  for (const [name, field] of right.fields) {
    const known = merged.fields.get(name);
    const type = known === undefined ? field.type : mergeTypes(known.type, field.type);
    merged.fields.set(name, { type, notNull: false });
  }
  return merged;
}

const INT32_MAX = 2 ** 31 - 1;
const INT64_MAX = 2n ** 63n - 1n;

/** True for an integer that Java's reader keeps as BigInteger. */
export function isBeyondInt64(value: Json): boolean {
  return typeof value === 'bigint' && (value > INT64_MAX || value < -INT64_MAX - 1n);
}

/** The type that CrateDB sees in a parameter. Throws 4000 where it cannot tell. */
export function guessType(value: Json): DataType {
  if (value === null) return UNDEFINED;
  if (typeof value === 'string') return TEXT;
  if (typeof value === 'boolean') return BOOLEAN;
  if (isDouble(value)) return DOUBLE;
  if (typeof value === 'number') return Math.abs(value + 0.5) <= INT32_MAX + 0.5 ? INTEGER : BIGINT;
  if (typeof value === 'bigint') {
    if (isBeyondInt64(value)) throw invalid(`Cannot detect the type of the value: ${value}`);
    return BIGINT;
  }
  if (isJsonArray(value)) return arrayOf(guessElementType(value));
  return isJsonObject(value) ? guessObjectType(value) : UNDEFINED;
}

/** An object with values that have no common type is left alone. */
function guessObjectType(value: JsonObject): DataType {
  try {
    return objectOf(
      'dynamic',
      Object.entries(value).map(([key, item]) => [key, guessType(item)] as const),
    );
  } catch (error) {
    if (error instanceof SqlFailure && error.message.includes('Cannot cast expressions'))
      return objectOf('ignored');
    throw error;
  }
}

function guessElementType(values: readonly Json[]): DataType {
  let type = UNDEFINED;
  for (const value of values) if (value !== null) type = mergeTypes(type, guessType(value));
  return type;
}

/** The type that a new column of a dynamic object gets: the widest of its family. */
export function guessColumnType(value: Json): DataType {
  return widen(guessType(value));
}

function widen(type: DataType): DataType {
  switch (type.kind) {
    case 'array':
      return arrayOf(widen(type.element));
    case 'byte':
    case 'smallint':
    case 'integer':
      return BIGINT;
    case 'real':
      return DOUBLE;
    default:
      return type;
  }
}
