/**
 * How a value that was sent compares with what CrateDB gives back for it: the server pads, rounds, normalises
 * and reorders, and none of that is an altered row. Rules as measured against CrateDB 6.4.3, type by type.
 */
import type { Column, ColumnType, TableSchema } from './schema.ts';

export type Comparison = 'equal' | 'different' | 'notComparable';

/** Geo points are stored as two 32-bit integers: about 8e-8 degrees of longitude a step. */
const GEO_POINT_TOLERANCE_DEGREES = 1e-6;

/**
 * Compares an inserted value with the one selected, both as parsed JSON (integers beyond 2^53 as bigint if they
 * are to be told apart). Null against a value is always different; types without a form to compare are
 * `notComparable` where both are there.
 */
export function compareReadBack(column: Pick<Column, 'type'>, sent: unknown, got: unknown): Comparison {
  return compareValue(column.type, sent ?? null, got ?? null);
}

/** The columns of which only the presence of a value can be checked. */
export function notComparableColumns(schema: TableSchema): string[] {
  return schema.columns
    .filter((column) => column.generator !== null && hasNoForm(column.type))
    .map(({ name }) => name);
}

/** Shapes come back as another, equivalent GeoJSON: other orders of rings and points. */
function hasNoForm(type: ColumnType): boolean {
  if (type.kind === 'array') return hasNoForm(type.of);
  if (type.kind === 'object') return type.columns.some((column) => hasNoForm(column.type));
  return type.kind === 'geo_shape';
}

function compareValue(type: ColumnType, sent: unknown, got: unknown): Comparison {
  if (sent === null || got === null) return claim(sent === got);
  switch (type.kind) {
    case 'geo_shape':
      return 'notComparable';
    case 'array':
      return compareArrays(type.of, sent, got);
    case 'object':
      return compareObjects(type.columns, sent, got);
    case 'float_vector':
      return compareArrays({ kind: 'real' }, sent, got);
    case 'geo_point':
      return claim(isSamePoint(sent, got));
    case 'real':
      return claim(isSameNumber(sent, got, Math.fround));
    case 'numeric':
      return claim(isSameDecimal(sent, got));
    case 'bit':
      return claim(got === sent || got === `B'${String(sent)}'`);
    case 'char':
      return claim(typeof sent === 'string' && sent.padEnd(type.length) === got);
    case 'uuid':
      return claim(typeof sent === 'string' && sent.toLowerCase() === got);
    case 'ip':
      return claim(
        typeof sent === 'string' && typeof got === 'string' && canonicalIp(sent) === canonicalIp(got),
      );
    case 'boolean':
    case 'text':
    case 'varchar':
      return claim(sent === got);
    default:
      return claim(isSameNumber(sent, got, (value) => value));
  }
}

const claim = (isEqual: boolean): Comparison => (isEqual ? 'equal' : 'different');

/** Different as soon as one part is; else not comparable as soon as one part is not. */
function combine(parts: readonly Comparison[]): Comparison {
  if (parts.includes('different')) return 'different';
  return parts.includes('notComparable') ? 'notComparable' : 'equal';
}

function compareArrays(of: ColumnType, sent: unknown, got: unknown): Comparison {
  if (!Array.isArray(sent) || !Array.isArray(got) || sent.length !== got.length) return 'different';
  const back: readonly unknown[] = got;
  return combine(
    sent.map((element: unknown, index) => compareValue(of, element ?? null, back[index] ?? null)),
  );
}

/** Keys in any order; a key that is missing is a null. Keys without a column are compared as plain JSON. */
function compareObjects(columns: readonly Column[], sent: unknown, got: unknown): Comparison {
  if (!isRecord(sent) || !isRecord(got)) return 'different';
  const types = new Map(columns.map((column) => [column.name, column]));
  const keys = new Set([...Object.keys(sent), ...Object.keys(got)]);
  const parts = [...keys].map((key): Comparison => {
    const column = types.get(key);
    // What the server fills in was not sent.
    if (column !== undefined && column.generator === null) return 'equal';
    const [put, back] = [ownValue(sent, key), ownValue(got, key)];
    return column === undefined ? claim(isSameJson(put, back)) : compareValue(column.type, put, back);
  });
  return combine(parts);
}

function isSameJson(sent: unknown, got: unknown): boolean {
  if (Array.isArray(sent) && Array.isArray(got)) {
    const back: readonly unknown[] = got;
    return (
      sent.length === got.length && sent.every((element: unknown, index) => isSameJson(element, back[index]))
    );
  }
  if (isRecord(sent) && isRecord(got)) {
    const keys = new Set([...Object.keys(sent), ...Object.keys(got)]);
    return [...keys].every((key) => isSameJson(ownValue(sent, key), ownValue(got, key)));
  }
  return (sent ?? null) === (got ?? null);
}

/** Not an inherited property: a key may be `constructor`. */
function ownValue(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(record, key) ? (record[key] ?? null) : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSameNumber(sent: unknown, got: unknown, rounded: (value: number) => number): boolean {
  if (typeof sent === 'bigint' || typeof got === 'bigint')
    return asInteger(sent) === asInteger(got) && asInteger(got) !== null;
  return typeof sent === 'number' && typeof got === 'number' && rounded(sent) === rounded(got);
}

function asInteger(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : null;
}

/**
 * NUMERIC is sent as text and comes back as a bare number. Where that was parsed into a double, more than the
 * double holds cannot be compared.
 */
function isSameDecimal(sent: unknown, got: unknown): boolean {
  if (typeof got === 'number') return Number(sent) === got;
  const [put, back] = [canonicalDecimal(sent), canonicalDecimal(got)];
  return put !== null && put === back;
}

/** `-012.340` → `-12.34`, `5.00` → `5`; null for what is no plain decimal. */
function canonicalDecimal(value: unknown): string | null {
  const match = /^(-?)0*(\d+?)(?:\.(\d*?)0*)?$/.exec(String(value));
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = ''] = match;
  const digits = fraction === '' ? whole : `${whole}.${fraction}`;
  return digits === '0' ? digits : sign + digits;
}

function isSamePoint(sent: unknown, got: unknown): boolean {
  if (!Array.isArray(sent) || !Array.isArray(got) || sent.length !== 2 || got.length !== 2) return false;
  const back: readonly unknown[] = got;
  return sent.every((degrees: unknown, axis) => {
    const other = back[axis];
    if (typeof degrees !== 'number' || typeof other !== 'number') return false;
    return Math.abs(degrees - other) <= GEO_POINT_TOLERANCE_DEGREES;
  });
}

/** The eight groups of an IPv6 address in full, `a.b.c.d` for IPv4 and what is mapped into IPv6; else as it is. */
function canonicalIp(text: string): string {
  const embedded = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (embedded !== null) {
    const [, head = '', a, b, c, d] = embedded;
    const group = (high: unknown, low: unknown): string => (Number(high) * 256 + Number(low)).toString(16);
    return canonicalIp(`${head}${group(a, b)}:${group(c, d)}`);
  }
  if (!text.includes(':')) return text;
  const [left = '', right] = text.toLowerCase().split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...new Array<string>(zeros).fill('0'), ...after].map((group) =>
    Number.parseInt(group, 16),
  );
  const isMapped =
    groups.length === 8 && groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return groups.map((group) => group.toString(16)).join(':');
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
