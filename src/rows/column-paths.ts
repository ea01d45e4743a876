/** Columns by their paths: `a` at the top, `o['a']` inside an object, as keys and constraints name them. */
import { formatColumnPath } from '../base/sql.ts';
import type { Column } from './schema.ts';

/** All columns of the list and of the objects in it, in order. What is inside an array has no path of its own. */
export function columnsByPath(
  columns: readonly Column[],
  outer: readonly string[] = [],
): ReadonlyMap<string, Column> {
  const found = new Map<string, Column>();
  for (const column of columns) {
    const path = [...outer, column.name];
    found.set(formatColumnPath(path), column);
    if (column.type.kind !== 'object') continue;
    for (const [name, inner] of columnsByPath(column.type.columns, path)) found.set(name, inner);
  }
  return found;
}
