/**
 * Which pools and tables a schema's generators draw from, and the keys they are found by. Separate from the
 * builder, so that lowering a plan needs no faker.
 */
import type { Column, Generator, JsonValue, PoolSource, TableSchema, TemplatePart } from './schema.ts';

/** A table of integers that a distribution is looked up in. */
export type TableSource =
  | { readonly kind: 'sine' | 'normal' | 'exponential' }
  | { readonly kind: 'zipf'; readonly ranks: number; readonly exponent: number }
  | { readonly kind: 'weights'; readonly weights: readonly number[] };

export interface Needs {
  readonly pools: ReadonlyMap<string, PoolSource>;
  readonly tables: ReadonlyMap<string, TableSource>;
}

/** Equal sources have equal keys. */
export function poolKey(source: PoolSource): string {
  switch (source.from) {
    case 'faker':
      return `faker:${source.method}:${source.entries}`;
    case 'values':
      return `values:${JSON.stringify(source.values)}`;
    case 'records':
      return `records:${source.set}.${source.field}`;
  }
}

export function tableKey(source: TableSource): string {
  switch (source.kind) {
    case 'zipf':
      return `zipf:${source.ranks}:${source.exponent}`;
    case 'weights':
      return `weights:${source.weights.join(',')}`;
    default:
      return source.kind;
  }
}

/** Whether all entries are texts: their fragments then stand without quotes. */
export function isTextPool(source: PoolSource): boolean {
  return source.from !== 'values' || source.values.every((value) => typeof value === 'string');
}

/** A weighted choice as what it is made of: a pool of its values and the table of their weights. */
export function choiceSources(options: readonly { value: JsonValue; weight: number }[]): {
  pool: PoolSource;
  table: TableSource;
} {
  return {
    pool: { from: 'values', values: options.map((option) => option.value) },
    table: { kind: 'weights', weights: options.map((option) => option.weight) },
  };
}

/** Everything that the schema's columns draw from, each once, in the order of the columns. */
export function needsOf(schema: TableSchema): Needs {
  const pools = new Map<string, PoolSource>();
  const tables = new Map<string, TableSource>();
  const needPool = (source: PoolSource): void => void pools.set(poolKey(source), source);
  const needTable = (source: TableSource): void => void tables.set(tableKey(source), source);

  const visitColumn = (column: Column): void => {
    if (column.generator !== null) visitGenerator(column.generator);
    for (const child of childColumns(column)) visitColumn(child);
  };
  const visitPart = (part: TemplatePart): void => {
    if (typeof part !== 'string' && part.kind === 'pool') needPool(part.pool);
  };
  const visitGenerator = (generator: Generator): void => {
    switch (generator.kind) {
      case 'pool':
        return needPool(generator.pool);
      case 'choice': {
        const { pool, table } = choiceSources(generator.options);
        needPool(pool);
        return needTable(table);
      }
      case 'template':
        return generator.parts.forEach(visitPart);
      case 'normal':
      case 'exponential':
        return needTable({ kind: generator.kind });
      case 'zipf':
        return needTable({ kind: 'zipf', ranks: generator.ranks, exponent: generator.exponent });
      case 'series':
        return needTable({ kind: 'sine' });
      case 'array':
        return visitGenerator(generator.of);
      default:
        return undefined;
    }
  };
  for (const column of schema.columns) visitColumn(column);
  return { pools, tables };
}

/** The sub-columns of an object, or of the objects in an array; else none. */
export function childColumns(column: Pick<Column, 'type'>): readonly Column[] {
  let { type } = column;
  while (type.kind === 'array') type = type.of;
  return type.kind === 'object' ? type.columns : [];
}
