/**
 * Values that a schema file spells out, in the form that their column's type takes: `2026-01-31` becomes milliseconds,
 * a number in a text column becomes its text. What the type cannot hold is said so.
 */
import { isIP } from 'node:net';
import { unreachable } from '../../base/errors.ts';
import type { ColumnType, JsonValue } from '../../rows/schema.ts';
import { wholeLimits } from '../../rows/type-limits.ts';
import { isoMs } from './tree-reader.ts';

export type TypedValue =
  | { readonly ok: true; readonly value: JsonValue }
  /** What the type accepts. */
  | { readonly ok: false; readonly accepted: string };

const good = (value: JsonValue): TypedValue => ({ ok: true, value });
const wanted = (accepted: string): TypedValue => ({ ok: false, accepted });

export function valueOfType(value: JsonValue, type: ColumnType): TypedValue {
  if (value === null) return wanted('a value; nulls: 10% gives nulls');
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? good(value) : wanted('true or false');
    case 'byte':
    case 'smallint':
    case 'integer':
    case 'bigint': {
      const { min, max } = wholeLimits(type);
      const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
      return fits ? good(value) : wanted(`a whole number from ${min} to ${max}`);
    }
    case 'real':
      return typeof value === 'number' && Math.abs(value) < 3.4e38 ? good(value) : wanted('a number');
    case 'double':
      return typeof value === 'number' && Number.isFinite(value) ? good(value) : wanted('a number');
    case 'numeric':
      return typeof value === 'number' && Math.abs(value) <= wholeLimits(type).max + 1 - 10 ** -type.scale
        ? good(value)
        : wanted(`a number with at most ${type.precision - type.scale} digits before the point`);
    case 'text':
      return isTextual(value) ? good(String(value)) : wanted('a text');
    case 'varchar':
    case 'char': {
      const fits = isTextual(value) && String(value).length <= type.length;
      return fits ? good(String(value)) : wanted(`a text of at most ${type.length} characters`);
    }
    case 'ip':
      return typeof value === 'string' && isIP(value) !== 0 ? good(value) : wanted('an IP address');
    case 'uuid':
      return typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value)
        ? good(value)
        : wanted('a UUID');
    case 'timestamptz':
    case 'timestamp': {
      const ms = typeof value === 'number' && Number.isSafeInteger(value) ? value : isoMs(value);
      return ms === null ? wanted('a time, as 2026-01-31T10:00:00Z, or milliseconds since 1970') : good(ms);
    }
    case 'bit':
      return typeof value === 'string' && value.length === type.length && /^[01]+$/.test(value)
        ? good(value)
        : wanted(`a text of ${type.length} digits 0 and 1, in quotes`);
    case 'geo_point':
      return isPoint(value) ? good(value) : wanted('[longitude, latitude]');
    case 'geo_shape':
      return isShape(value) ? good(value) : wanted('a GeoJSON point, line or polygon, or POINT (9.7 47.4)');
    case 'float_vector':
      return Array.isArray(value) && value.length === type.dimensions && value.every(isFiniteReal)
        ? good(value)
        : wanted(`a list of ${type.dimensions} numbers`);
    case 'array':
      return elements(value, type.of);
    case 'object':
      return objectValue(value, type);
    default:
      return unreachable(type);
  }
}

const isTextual = (value: JsonValue): value is string | number | boolean => typeof value !== 'object';
const isFiniteReal = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) < 3.4e38;

function isPoint(value: JsonValue): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [lon, lat] = value as readonly JsonValue[];
  return typeof lon === 'number' && typeof lat === 'number' && Math.abs(lon) <= 180 && Math.abs(lat) <= 90;
}

/** Not its geometry: a polygon that crosses itself is for the server to refuse. */
function isShape(value: JsonValue): boolean {
  if (typeof value === 'string') return /^(POINT|LINESTRING|POLYGON)\s*\([-\d.,\s()]+\)$/i.test(value);
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    (value.type === 'Point' || value.type === 'LineString' || value.type === 'Polygon') &&
    'coordinates' in value &&
    Array.isArray(value.coordinates)
  );
}

function elements(value: JsonValue, type: ColumnType): TypedValue {
  if (!Array.isArray(value)) return wanted('a list');
  const typed = value.map((element: JsonValue) => valueOfType(element, type));
  const bad = typed.find((one) => !one.ok);
  return bad ?? good(typed.map((one) => (one.ok ? one.value : null)));
}

/** Declared keys by their types; of others, a strict object has none. */
function objectValue(value: JsonValue, type: ColumnType & { kind: 'object' }): TypedValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wanted('a map');
  const entries: [string, JsonValue][] = [];
  for (const [key, given] of Object.entries(value) as [string, JsonValue][]) {
    const column = type.columns.find(({ name }) => name === key);
    if (column === undefined && type.policy === 'strict')
      return wanted(`no key ${key}, since the object is strict`);
    const typed = column === undefined || given === null ? good(given) : valueOfType(given, column.type);
    if (!typed.ok) return wanted(`${key}: ${typed.accepted}`);
    entries.push([key, typed.value]);
  }
  return good(Object.fromEntries(entries));
}
