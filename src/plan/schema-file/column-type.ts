/** A column's type from the text that SQL has for it: `numeric(18,2)`, `array(object(strict))`. */
import { nearest } from '../../base/nearest.ts';
import type { ColumnType, ObjectPolicy, TypeKind } from '../../rows/schema.ts';

const MAX_NESTING = 10;

/** SQL names of the types without parameters; aliases as CrateDB has them. */
const SIMPLE = {
  boolean: 'boolean',
  bool: 'boolean',
  byte: 'byte',
  smallint: 'smallint',
  short: 'smallint',
  int2: 'smallint',
  integer: 'integer',
  int: 'integer',
  int4: 'integer',
  bigint: 'bigint',
  long: 'bigint',
  int8: 'bigint',
  real: 'real',
  float: 'real',
  float4: 'real',
  'double precision': 'double',
  double: 'double',
  float8: 'double',
  text: 'text',
  string: 'text',
  ip: 'ip',
  uuid: 'uuid',
  'timestamp with time zone': 'timestamptz',
  timestamptz: 'timestamptz',
  'timestamp without time zone': 'timestamp',
  timestamp: 'timestamp',
  geo_point: 'geo_point',
  geo_shape: 'geo_shape',
} as const satisfies Record<string, TypeKind>;

/** Names with parameters: how many, and how they are written. */
const WITH_PARAMETERS = {
  numeric: 'numeric(precision, scale)',
  decimal: 'numeric(precision, scale)',
  varchar: 'varchar(length)',
  'character varying': 'varchar(length)',
  char: 'char(length)',
  character: 'char(length)',
  bit: 'bit(length)',
  float_vector: 'float_vector(dimensions)',
} as const;

export const TYPE_NAMES: readonly string[] = [
  ...Object.keys(SIMPLE),
  ...Object.keys(WITH_PARAMETERS),
  'object',
  'array',
];

/** The type, or why there is none of that name. The sub-columns of objects are filled in by the caller. */
export function parseColumnType(text: string, depth = 0): ColumnType | { readonly problem: string } {
  const words = text.trim().toLowerCase().replaceAll(/\s+/g, ' ');
  if (depth > MAX_NESTING) return { problem: `arrays of more than ${MAX_NESTING} levels` };
  const simple = Object.entries(SIMPLE).find(([name]) => name === words)?.[1];
  if (simple !== undefined) return { kind: simple };
  const match = /^([a-z0-9_ ]+?) ?(?:\((.*)\))?$/s.exec(words);
  const [name, inside] = [match?.[1] ?? '', match?.[2]?.trim()];
  if (name === 'array' && inside !== undefined) return arrayOf(inside, depth);
  if (name === 'object') return objectOf(inside ?? 'dynamic');
  const form = Object.entries(WITH_PARAMETERS).find(([known]) => known === name);
  return form === undefined ? unknownType(words, name) : parametrised(form[0], form[1], inside ?? '');
}

function arrayOf(inside: string, depth: number): ReturnType<typeof parseColumnType> {
  const of = parseColumnType(inside, depth + 1);
  return 'problem' in of ? of : { kind: 'array', of };
}

function objectOf(policy: string): ReturnType<typeof parseColumnType> {
  const found = (['dynamic', 'strict', 'ignored'] as const satisfies ObjectPolicy[]).find(
    (one) => one === policy,
  );
  return found === undefined
    ? { problem: `expected the policy dynamic, strict or ignored, not ${policy}` }
    : { kind: 'object', policy: found, columns: [] };
}

function parametrised(name: string, form: string, inside: string): ReturnType<typeof parseColumnType> {
  const numbers = /^\d{1,9}( ?, ?\d{1,9})*$/.test(inside) ? inside.split(',').map(Number) : [];
  const [first = -1, second] = numbers;
  if (form.startsWith('numeric')) {
    if (numbers.length !== 2 || second === undefined)
      return { problem: `expected ${form}, as numeric(18,2)` };
    return { kind: 'numeric', precision: first, scale: second };
  }
  if (numbers.length !== 1) return { problem: `expected ${form}, as ${form.replace(/\(.*/, '')}(8)` };
  if (name === 'float_vector') return { kind: 'float_vector', dimensions: first };
  if (name === 'bit') return { kind: 'bit', length: first };
  return { kind: form.startsWith('varchar') ? 'varchar' : 'char', length: first };
}

function unknownType(words: string, name: string): { readonly problem: string } {
  const near = nearest(name === '' ? words : name, TYPE_NAMES);
  const hint =
    near === null ? 'expected a type of CrateDB, as bigint, text or numeric(18,2)' : `did you mean ${near}?`;
  return { problem: `no such type; ${hint}` };
}
