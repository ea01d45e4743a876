/** The form in which SQLite keeps a value that was checked, and the form in which an answer shows it. */
import { quantisedPoint } from './geo.ts';
import {
  doubleText,
  floatingJson,
  floatText,
  hashMapOrder,
  jsonText,
  jsonValueText,
  presizedCapacity,
  valueText,
} from './java-text.ts';
import {
  isJsonArray,
  isJsonObject,
  JavaDouble,
  parseJson,
  shrink,
  type Json,
  type JsonObject,
} from './json.ts';
import type { DataType, ObjectType } from './types.ts';

/** What SQLite keeps. */
export type Cell = null | number | bigint | string | Uint8Array;

/** Whether a column's cells hold JSON text in the form of an answer. */
function isJsonCell(type: DataType): boolean {
  return ['geo_point', 'geo_shape', 'float_vector', 'object', 'array'].includes(type.kind);
}

/** SQLite's declared type, chosen so that nothing is converted on its way in but whole numbers. */
export function cellDeclaration(type: DataType): string {
  switch (type.kind) {
    case 'boolean':
    case 'byte':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'timestamptz':
    case 'timestamp':
      return 'INTEGER';
    case 'real':
    case 'double':
      return 'BLOB';
    default:
      return 'TEXT';
  }
}

/** How a checked value of the type goes into SQLite; null is never passed. */
export function compileEncode(type: DataType): (value: Json) => Cell {
  switch (type.kind) {
    case 'boolean':
      return (value) => (value === true ? 1 : 0);
    case 'real':
    case 'double':
      return (value) => (Number.isNaN(value) ? 'NaN' : Number(value));
    case 'byte':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'timestamptz':
    case 'timestamp':
      return (value) => (typeof value === 'bigint' ? value : Number(value));
    default:
      return isJsonCell(type)
        ? (value) => answerText(value, type, 'cell')
        : (value) => encodeText(valueText(value));
  }
}

/** Text that UTF-8 or a C string would change is kept as UTF-16 bytes. */
function encodeText(text: string): Cell {
  return text.isWellFormed() && !text.includes('\0') ? text : Buffer.from(text, 'utf16le');
}

/** The value that a cell stands for. */
export function decodeCell(cell: Cell, type: DataType): Json {
  if (cell === null) return null;
  switch (type.kind) {
    case 'boolean':
      return Number(cell) === 1;
    case 'real':
    case 'double':
      return Number(cell);
    default:
      if (typeof cell === 'bigint') return shrink(cell);
      if (typeof cell === 'number') return cell;
      if (typeof cell !== 'string') return Buffer.from(cell).toString('utf16le');
      return isJsonCell(type) ? parseJson(cell) : cell;
  }
}

/**
 * A value of the type as JSON, in the server's number formats and key order. In a cell, decimals are texts and bits
 * bare, so that they come back as they went in.
 */
export function answerText(value: Json, type: DataType, form: 'answer' | 'cell' = 'answer'): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'boolean':
      return value === true ? 'true' : 'false';
    case 'real':
      return floatingJson(floatText(asPlainNumber(value)));
    case 'double':
      return floatingJson(doubleText(asPlainNumber(value)));
    case 'bit':
      return form === 'cell' ? `"${valueText(value)}"` : `"B'${valueText(value)}'"`;
    case 'numeric':
      return form === 'cell' ? `"${valueText(value)}"` : valueText(value);
    case 'text':
    case 'character':
    case 'ip':
    case 'uuid':
      return jsonText(valueText(value));
    case 'geo_point':
      return listText(value, (item) => doubleText(asPlainNumber(item)));
    case 'float_vector':
      return listText(value, (item) => floatingJson(floatText(asPlainNumber(item))));
    case 'array':
      return listText(value, (item) => answerText(item, type.element, form));
    case 'object':
      return isJsonObject(value) ? objectText(value, type, form) : jsonValueText(value);
    case 'geo_shape':
    case 'undefined':
      return jsonValueText(value);
    default:
      return valueText(value);
  }
}

function asPlainNumber(value: Json): number {
  if (value instanceof JavaDouble) return value.value;
  // Answers quote NaN and Infinity; a value read back from one comes as that text.
  return Number(value);
}

function listText(value: Json, itemText: (item: Json) => string): string {
  if (!isJsonArray(value)) return jsonValueText(value);
  return `[${value.map((item) => (item === null ? 'null' : itemText(item))).join(',')}]`;
}

function objectText(value: JsonObject, type: ObjectType, form: 'answer' | 'cell'): string {
  const keys = Object.keys(value);
  // The row is read into one map and copied into another, of just the size that it needs.
  const texts = hashMapOrder(hashMapOrder(keys), presizedCapacity(keys.length)).map((key) => {
    const field = type.fields.get(key);
    const item = value[key] ?? null;
    return `${jsonText(key)}:${field === undefined ? jsonValueText(item) : answerText(item, field.type, form)}`;
  });
  return `{${texts.join(',')}}`;
}

/** A point as a scan over the index gives it back; a lookup by primary key reads the row itself. */
export function scannedValue(value: Json, type: DataType): Json {
  if (type.kind !== 'geo_point' || !isJsonArray(value)) return value;
  return quantisedPoint(value.map(asPlainNumber));
}
