/**
 * Which pools and tables a schema's generators draw from, and the keys they are found by. Separate from the
 * builder, so that lowering a plan needs no faker.
 */
import { MAX_RANKS } from './distributions.ts';
import { discAround } from './geo.ts';
import type {
  Column,
  Generator,
  JsonValue,
  PoolSource,
  RankedGenerator,
  TableSchema,
  TemplatePart,
} from './schema.ts';

/** A table of integers that a distribution is looked up in. */
export type TableSource =
  | { readonly kind: 'sine' | 'normal' | 'exponential' }
  | { readonly kind: 'zipf'; readonly ranks: number; readonly exponent: number }
  | { readonly kind: 'zipfSpans'; readonly ranks: number }
  | { readonly kind: 'zipfSpanWeights'; readonly ranks: number; readonly exponent: number }
  | { readonly kind: 'weights'; readonly weights: readonly number[] }
  | { readonly kind: 'bounds'; readonly bounds: readonly number[] }
  /** Latitudes in millionths of a degree. */
  | { readonly kind: 'secants'; readonly south: number; readonly north: number };

export interface Needs {
  readonly pools: ReadonlyMap<string, PoolSource>;
  readonly tables: ReadonlyMap<string, TableSource>;
}

/** Equal sources have equal keys. */
export function poolKey(source: PoolSource): string {
  switch (source.from) {
    case 'faker':
      return `faker:${source.method}:${source.entries}${source.maxLength === undefined ? '' : `:${source.maxLength}`}`;
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
    case 'zipfSpans':
      return `zipfSpans:${source.ranks}`;
    case 'zipfSpanWeights':
      return `zipfSpanWeights:${source.ranks}:${source.exponent}`;
    case 'bounds':
      return `bounds:${source.bounds.join(',')}`;
    case 'secants':
      return `secants:${source.south}:${source.north}`;
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

/** A zipf distribution as one table, or as the spans of its ranks. */
export function zipfSources(
  ranks: number,
  exponent: number,
): { table: TableSource; spans: TableSource | null } {
  if (ranks <= MAX_RANKS) return { table: { kind: 'zipf', ranks, exponent }, spans: null };
  return { table: { kind: 'zipfSpanWeights', ranks, exponent }, spans: { kind: 'zipfSpans', ranks } };
}

/** The shares of the first ranks, and what is left for the others, if there are others. */
export function rankedWeights({ distinct, weights }: RankedGenerator): TableSource {
  const rest = weights.reduce((left, weight) => left - weight, 1);
  return { kind: 'weights', weights: distinct > weights.length ? [...weights, Math.max(rest, 0)] : weights };
}

/** Everything that the schema's columns draw from, each once, in the order of the columns. */
export function needsOf(schema: TableSchema): Needs {
  const pools = new Map<string, PoolSource>();
  const tables = new Map<string, TableSource>();
  const needPool = (source: PoolSource): void => void pools.set(poolKey(source), source);
  const needTable = (source: TableSource): void => void tables.set(tableKey(source), source);

  const needZipf = (ranks: number, exponent: number): void => {
    const { table, spans } = zipfSources(ranks, exponent);
    needTable(table);
    if (spans !== null) needTable(spans);
  };

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
        return needZipf(generator.ranks, generator.exponent);
      case 'buckets':
        return needTable({ kind: 'bounds', bounds: generator.bounds });
      case 'ranked':
        needTable(rankedWeights(generator));
        if (generator.values !== undefined) needPool({ from: 'values', values: generator.values });
        return generator.of.kind === 'quantiles'
          ? needTable({ kind: 'bounds', bounds: generator.of.bounds })
          : undefined;
      case 'reference':
        if (generator.skew.kind === 'zipf') needZipf(generator.rows, generator.skew.exponent);
        return visitGenerator(generator.generator);
      case 'geoAround': {
        const { south, north } = discAround(generator);
        needTable({ kind: 'sine' });
        return needTable({ kind: 'secants', south, north });
      }
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
