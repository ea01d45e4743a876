/**
 * What ANALYZE finds out about a table and `pg_catalog.pg_stats` tells: null shares, how many different values a column
 * has, the most common ones and the bounds between which the others lie. A server looks at a sample of 30,000 rows, the
 * sandbox at all of them. As there, arrays, NUMERIC, places, bits and vectors have none.
 */
import type { Table } from './catalog.ts';
import { doubleText, floatText, valueText } from '../values/java-text.ts';
import { isJsonObject, type Json } from '../values/json.ts';
import type { Store } from './store.ts';
import { allRows } from './table-relation.ts';
import type { DataType, Kind } from '../values/types.ts';
import { compareValues, type Row } from '../values/operations.ts';

/** So many values are common at most; where there are no more, all of them. */
const COMMON_VALUES = 100;
const BOUNDS = 100;
/** So much more often than the average a value is when it is common. */
const COMMON_FACTOR = 1.25;

const COUNTED: ReadonlySet<Kind> = new Set<Kind>([
  'boolean',
  'byte',
  'smallint',
  'integer',
  'bigint',
  'real',
  'double',
  'text',
  'character',
  'ip',
  'timestamptz',
  'timestamp',
]);

interface CountedColumn {
  /** As pg_stats names it: `a`, `o['a']`. */
  readonly name: string;
  readonly type: DataType;
  readonly valueIn: (row: Row) => Json;
}

/** The rows of pg_stats for one table: those of its columns that have a value. */
export function statisticsOf(table: Table, store: Store): readonly Row[] {
  const columns = table.columns.flatMap(({ name, type }, at) =>
    countedColumns(name, type, (row) => row[at] ?? null),
  );
  const counts = columns.map(() => new Map<Json, number>());
  let rows = 0;
  for (const row of allRows(table, store)) {
    rows += 1;
    for (const [at, { valueIn }] of columns.entries()) {
      const value = valueIn(row);
      if (value !== null) counts[at]?.set(value, (counts[at].get(value) ?? 0) + 1);
    }
  }
  return columns.flatMap((column, at) => columnStatistics(table, column, counts[at] ?? new Map(), rows));
}

function countedColumns(name: string, type: DataType, valueIn: (row: Row) => Json): readonly CountedColumn[] {
  if (type.kind !== 'object') return COUNTED.has(type.kind) ? [{ name, type, valueIn }] : [];
  return [...type.fields].flatMap(([field, { type: inner }]) =>
    countedColumns(`${name}['${field}']`, inner, (row) => {
      const outer = valueIn(row);
      return isJsonObject(outer) ? (outer[field] ?? null) : null;
    }),
  );
}

function columnStatistics(
  table: Table,
  { name, type }: CountedColumn,
  counts: ReadonlyMap<Json, number>,
  rows: number,
): readonly Row[] {
  if (counts.size === 0) return [];
  const filled = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const byFrequency = [...counts].toSorted(([, one], [, other]) => other - one);
  const least = counts.size <= COMMON_VALUES ? 0 : (COMMON_FACTOR * filled) / counts.size;
  const common = byFrequency.slice(0, COMMON_VALUES).filter(([, count]) => count > least);
  const others = byFrequency.slice(common.length);
  return [
    [
      name,
      table.schema,
      table.name,
      (rows - filled) / rows,
      counts.size,
      common.map(([value]) => textOf(value, type)),
      common.map(([, count]) => count / rows),
      boundsOf(others, type),
    ],
  ];
}

/** Between two neighbours lie as many rows as between any other two. */
function boundsOf(others: readonly (readonly [Json, number])[], type: DataType): readonly string[] {
  const sorted = others.toSorted(([one], [other]) => compareValues(one, other, type));
  const rows = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (rows < 2) return [];
  const steps = Math.min(BOUNDS, rows - 1);
  const bounds: string[] = [];
  let passed = 0;
  for (const [value, count] of sorted) {
    passed += count;
    while (bounds.length <= steps && passed > ((rows - 1) * bounds.length) / steps)
      bounds.push(textOf(value, type));
  }
  return bounds;
}

function textOf(value: Json, type: DataType): string {
  if (type.kind === 'real') return floatText(Number(value));
  return type.kind === 'double' ? doubleText(Number(value)) : valueText(value);
}
