/** Values read back are told from changed ones, by what a live CrateDB made of thousands of values. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseExact } from '../../src/cratedb/query-reply.ts';
import { compareReadBack } from '../../src/rows/read-back.ts';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import { type Column, type ColumnType, insertedColumns } from '../../src/rows/schema.ts';
import { bytesOf, planOf, preset } from './support.ts';

const columnOf = (name: string, type: ColumnType): Column => ({ name, type, generator: { kind: 'uuid' } });
const key = (name: string, type: ColumnType): Column => columnOf(name, type);

const K = key('k', { kind: 'text' });
const N = key('n', { kind: 'integer' });

const TYPES: Readonly<Record<string, ColumnType>> = {
  BOOLEAN: { kind: 'boolean' },
  BYTE: { kind: 'byte' },
  SMALLINT: { kind: 'smallint' },
  INTEGER: { kind: 'integer' },
  BIGINT: { kind: 'bigint' },
  REAL: { kind: 'real' },
  'DOUBLE PRECISION': { kind: 'double' },
  'NUMERIC(18,4)': { kind: 'numeric', precision: 18, scale: 4 },
  'NUMERIC(10)': { kind: 'numeric', precision: 10, scale: 0 },
  'TIMESTAMP WITH TIME ZONE': { kind: 'timestamptz' },
  'TIMESTAMP WITHOUT TIME ZONE': { kind: 'timestamp' },
  TEXT: { kind: 'text' },
  'VARCHAR(2)': { kind: 'varchar', length: 2 },
  'VARCHAR(3)': { kind: 'varchar', length: 3 },
  'CHAR(3)': { kind: 'char', length: 3 },
  IP: { kind: 'ip' },
  UUID: { kind: 'uuid' },
  'BIT(2)': { kind: 'bit', length: 2 },
  'BIT(8)': { kind: 'bit', length: 8 },
  GEO_POINT: { kind: 'geo_point' },
  GEO_SHAPE: { kind: 'geo_shape' },
  'FLOAT_VECTOR(4)': { kind: 'float_vector', dimensions: 4 },
  'OBJECT(DYNAMIC) AS (k TEXT, n INTEGER)': { kind: 'object', policy: 'dynamic', columns: [K, N] },
  'OBJECT(STRICT) AS (k TEXT, n INTEGER)': { kind: 'object', policy: 'strict', columns: [K, N] },
  'OBJECT(STRICT) AS (k TEXT)': { kind: 'object', policy: 'strict', columns: [K] },
  'OBJECT(IGNORED) AS (k TEXT)': { kind: 'object', policy: 'ignored', columns: [K] },
};

function typeOf(sql: string): ColumnType {
  const element = /^ARRAY\((.*)\)$/.exec(sql)?.[1];
  if (element !== undefined) return { kind: 'array', of: typeOf(element) };
  const type = TYPES[sql];
  if (type === undefined) throw new Error(`the type ${sql} is not known`);
  return type;
}

/** Values that the server changes without a word: wrapped, cut to nothing, or taken for seconds. */
const CHANGED =
  /^\[?-?\d{10,}\]?$|^-?1e309$|^"?\[?\[(null,\s*1|1,\s*null|null,\s*null)\]\]?"?$|^1\.0$|^1e(3|15)$|^\[1\.5,2,3,1e10\]$/;

interface LiveValues {
  readonly columns: Readonly<Record<string, readonly (readonly [string, ...unknown[]])[]>>;
}

const live = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'live-values.json'), 'utf8'),
) as LiveValues;

describe('what a live CrateDB 6.4.3 stored', () => {
  it('is never called different, but where the server itself changed the value', () => {
    const found = { equal: 0, different: 0, notComparable: 0 };
    for (const [sql, cases] of Object.entries(live.columns)) {
      for (const [sent, got] of cases.filter(({ length }) => length === 2)) {
        const comparison = compareReadBack(
          columnOf('v', typeOf(sql)),
          parseExact(sent),
          parseExact(String(got)),
        );
        found[comparison] += 1;
        if (comparison === 'different')
          assert.match(sent, CHANGED, `${sql}: ${sent} came back as ${String(got)}`);
      }
    }
    assert.ok(found.equal > 600, JSON.stringify(found));
    assert.ok(found.different < 60, JSON.stringify(found));
  });
});

type Row = readonly [
  type: ColumnType,
  sent: unknown,
  got: unknown,
  expected: 'equal' | 'different' | 'notComparable',
];

const OBJECT: ColumnType = {
  kind: 'object',
  policy: 'dynamic',
  columns: [key('r', { kind: 'real' }), { ...key('filled', { kind: 'text' }), generator: null }],
};
const NUMERIC: ColumnType = { kind: 'numeric', precision: 38, scale: 2 };
const POINT: ColumnType = { kind: 'geo_point' };
const array = (of: ColumnType): ColumnType => ({ kind: 'array', of });

const TABLE: readonly Row[] = [
  [{ kind: 'text' }, null, null, 'equal'],
  [{ kind: 'text' }, null, '', 'different'],
  [{ kind: 'text' }, '', null, 'different'],
  [{ kind: 'text' }, 'a', 'a ', 'different'],
  [{ kind: 'text' }, 1.5, '1.5', 'notComparable'],
  [{ kind: 'boolean' }, true, false, 'different'],
  [{ kind: 'bigint' }, 9007199254740993n, 9007199254740993n, 'equal'],
  [{ kind: 'bigint' }, 9007199254740993n, 9007199254740992, 'different'],
  [{ kind: 'bigint' }, 5, 5n, 'equal'],
  [{ kind: 'bigint' }, 5, '5', 'different'],
  [{ kind: 'integer' }, -1.9, -1, 'equal'],
  [{ kind: 'real' }, 16777217, 16777216, 'equal'],
  [{ kind: 'real' }, 0.1, 0.1, 'equal'],
  [{ kind: 'real' }, 0.1, 0.10001, 'different'],
  [{ kind: 'double' }, 0.1, 0.10000000000000002, 'different'],
  [NUMERIC, '12.345', 12.35, 'equal'],
  [NUMERIC, '-12.345', -12.35, 'equal'],
  [NUMERIC, '12.344', 12.35, 'different'],
  [NUMERIC, '1e3', 1000, 'equal'],
  [NUMERIC, '.5', 0.5, 'equal'],
  [NUMERIC, '12.34', '12.34', 'different'],
  // More digits than a double has: the same double says nothing, another one does.
  [NUMERIC, '12345678901234567.89', 12345678901234568, 'notComparable'],
  [NUMERIC, '12345678901234567.89', 12345678901240000, 'different'],
  [{ kind: 'numeric', precision: 38, scale: 0 }, '12345678901234567890', 12345678901234567890n, 'equal'],
  [{ kind: 'numeric', precision: 38, scale: 0 }, '12345678901234567890', 12345678901234567891n, 'different'],
  [NUMERIC, 'twelve', 12, 'notComparable'],
  [{ kind: 'timestamptz' }, 1714557600123, 1714557600123, 'equal'],
  [{ kind: 'timestamptz' }, 1714557600123, 1714557600124, 'different'],
  [{ kind: 'timestamp' }, '2024-05-01', 1714521600000, 'notComparable'],
  [{ kind: 'varchar', length: 3 }, 'abc  ', 'abc', 'equal'],
  [{ kind: 'varchar', length: 3 }, 'a ', 'a', 'different'],
  [{ kind: 'char', length: 4 }, 'ab', 'ab  ', 'equal'],
  [{ kind: 'char', length: 4 }, 'ab', 'ab', 'different'],
  [{ kind: 'bit', length: 4 }, '0110', "B'0110'", 'equal'],
  [{ kind: 'bit', length: 4 }, '0110', "B'0111'", 'different'],
  [{ kind: 'uuid' }, 'FFFFFFFF-0000-4000-8000-00000000000A', 'ffffffff-0000-4000-8000-00000000000a', 'equal'],
  [{ kind: 'ip' }, '10.0.0.1', '10.0.0.2', 'different'],
  [{ kind: 'ip' }, '2001:db8:0000:0001:0000:0000:0000:0001', '2001:db8:0:1::1', 'equal'],
  [{ kind: 'ip' }, '::ffff:10.0.0.1', '10.0.0.1', 'equal'],
  [{ kind: 'ip' }, '2001:db8::1', '2001:db8::2', 'different'],
  [{ kind: 'ip' }, 'fe80::1%eth0', 'fe80::1', 'notComparable'],
  [POINT, [13.4, 52.5], [13.39999999, 52.50000001], 'equal'],
  [POINT, [13.4, 52.5], [13.400001, 52.5], 'different'],
  [POINT, [13.4, 52.5], null, 'different'],
  [POINT, 'POINT (13.4 52.5)', [13.4, 52.5], 'notComparable'],
  [
    { kind: 'geo_shape' },
    { type: 'Point', coordinates: [1, 2] },
    { coordinates: [1, 2], type: 'Point' },
    'equal',
  ],
  [
    { kind: 'geo_shape' },
    { type: 'Point', coordinates: [1, 2] },
    { coordinates: [1, 3], type: 'Point' },
    'different',
  ],
  [{ kind: 'geo_shape' }, 'POINT (1 2)', { coordinates: [1, 2], type: 'Point' }, 'notComparable'],
  [{ kind: 'float_vector', dimensions: 2 }, [0.1, 0.2], [0.1, 0.2], 'equal'],
  [{ kind: 'float_vector', dimensions: 2 }, [0.1, 0.2], [0.1, 0.21], 'different'],
  [{ kind: 'float_vector', dimensions: 2 }, [0.1, 0.2], [0.1], 'different'],
  [array({ kind: 'integer' }), [], [], 'equal'],
  [array({ kind: 'integer' }), [], null, 'different'],
  [array({ kind: 'integer' }), [1, 2], [2, 1], 'different'],
  [array({ kind: 'text' }), ['a', 1], ['a', '1'], 'notComparable'],
  [array({ kind: 'text' }), ['a', 1], ['b', '1'], 'different'],
  [OBJECT, { b: 1, a: { d: [1, 'x'], c: null } }, { a: { c: null, d: [1, 'x'] }, b: 1 }, 'equal'],
  [OBJECT, { r: 0.1 }, { r: 0.1, filled: 'by the server' }, 'equal'],
  [OBJECT, { r: null }, {}, 'equal'],
  [OBJECT, {}, { r: 1 }, 'different'],
  [OBJECT, {}, { other: 1 }, 'different'],
  [OBJECT, { other: 1 }, {}, 'different'],
  [OBJECT, { other: { deep: 'x' } }, { other: { deep: 'y' } }, 'different'],
  [OBJECT, { other: 1.5 }, { other: 1 }, 'notComparable'],
  [OBJECT, { other: 1 }, { other: '1' }, 'notComparable'],
  [OBJECT, { other: 1 }, { other: 2 }, 'different'],
  [OBJECT, { r: 1 }, 'text', 'different'],
];

describe('a value that was sent', () => {
  for (const [type, sent, got, expected] of TABLE) {
    const show = (value: unknown): string =>
      JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
    it(`of ${type.kind}, ${show(sent)}, and read as ${show(got)} is ${expected}`, () => {
      assert.equal(compareReadBack(columnOf('v', type), sent, got), expected);
    });
  }
});

/** The same kind of value, changed as little as a hand would. */
function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'bigint') return value + 1n;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string')
    return value.endsWith('1') ? `${value.slice(0, -1)}2` : `${value.slice(0, -1)}1`;
  if (Array.isArray(value))
    return value.length === 0 ? [null] : [...(value as unknown[]).slice(0, -1), changed(value.at(-1))];
  if (value === null) return 0;
  const entries = Object.entries(value as object);
  const [first] = entries;
  return first === undefined ? { added: 1 } : { ...(value as object), [first[0]]: changed(first[1]) };
}

/** What the server gives back for a value of these presets. */
function stored(type: ColumnType, value: unknown): unknown {
  if (type.kind === 'numeric') return Number(value);
  if (typeof value !== 'string') return value;
  if (type.kind === 'bit') return `B'${value}'`;
  if (type.kind === 'ip') return value.replaceAll(/:0+(?=[\da-f])/g, ':');
  return type.kind === 'char' ? value.padEnd(type.length) : value;
}

describe('rows of the presets', () => {
  it('are equal to what comes back for them, and different with any one value changed', async () => {
    for (const name of PRESET_NAMES) {
      const schema = preset(name);
      const text = bytesOf(await planOf(schema), 0, 60).toString('utf8');
      for (const row of parseExact(`[${text}]`) as readonly (readonly unknown[])[]) {
        for (const [index, column] of insertedColumns(schema).entries()) {
          const got = stored(column.type, row[index]);
          assert.equal(compareReadBack(column, row[index], got), 'equal', column.name);
          assert.equal(compareReadBack(column, row[index], changed(got)), 'different', column.name);
          assert.equal(
            compareReadBack(column, row[index], row[index] === null ? got : null),
            row[index] === null ? 'equal' : 'different',
          );
        }
      }
    }
  });
});
