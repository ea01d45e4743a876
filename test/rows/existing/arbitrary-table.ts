/** Tables of every type, key, option and constraint that the model has, with names and texts that need quoting. */
import fc from 'fast-check';
import { formatColumnPath } from '../../../src/base/sql.ts';
import type { Column, ColumnType, IndexOption, TableSchema } from '../../../src/rows/schema.ts';
import { tableOf } from '../support.ts';

/** What CrateDB allows in a name: no dot, no brackets; quotes, blanks and keywords are fine. */
const NAME = fc.oneof(
  fc.constantFrom('a', 'order', 'Index', 'primary', 'with blank', 'quote"d', "it's", 'größe', 'x-y', 'check'),
  fc
    .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
    .filter((name) => /^[^_.[\]\u0000]+$/u.test(name)),
);

const TEXT = fc.string({ maxLength: 12, unit: 'grapheme' });
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** SQL as authors write it: nothing open, no comment, no blanks around it. */
const EXPRESSION = fc.oneof(
  fc.constantFrom(
    '1',
    '- 1.5',
    'NULL',
    'now()',
    '("a") + 1',
    'date_trunc(\'month\', "ts")',
    "CASE WHEN a IS NOT NULL THEN 'b' ELSE 'c' END",
    'x NOT IN (1, 2)',
    "a[1] || 'NOT NULL, DEFAULT'",
    "o['check']",
  ),
  TEXT.map(literal),
);

const SIMPLE = fc.constantFrom<ColumnType>(
  ...(['boolean', 'byte', 'smallint', 'integer', 'bigint', 'real', 'double'] as const).map((kind) => ({
    kind,
  })),
  ...(['text', 'ip', 'uuid', 'timestamptz', 'timestamp', 'geo_point', 'geo_shape'] as const).map((kind) => ({
    kind,
  })),
  { kind: 'numeric', precision: 18, scale: 4 },
  { kind: 'numeric', precision: 10, scale: 0 },
  { kind: 'varchar', length: 64 },
  { kind: 'char', length: 3 },
  { kind: 'bit', length: 8 },
);

const { column: COLUMN } = fc.letrec<{ type: ColumnType; column: Column }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3 },
    SIMPLE,
    fc.record({ kind: fc.constant('float_vector' as const), dimensions: fc.integer({ min: 1, max: 2048 }) }),
    fc.record({ kind: fc.constant('array' as const), of: tie('type') }),
    fc.record({
      kind: fc.constant('object' as const),
      policy: fc.constantFrom('dynamic' as const, 'strict' as const, 'ignored' as const),
      columns: fc.uniqueArray(tie('column'), { maxLength: 3, selector: ({ name }) => name }),
    }),
  ),
  column: fc.record(
    {
      name: NAME,
      type: tie('type'),
      generator: fc.constant(null),
      notNull: fc.constant(true),
      default: EXPRESSION,
      generatedAs: EXPRESSION,
      index: fc.constantFrom<IndexOption>({ kind: 'off' }, { kind: 'fulltext', analyzer: "my 'own'" }),
      columnStore: fc.constant(false),
    },
    { requiredKeys: ['name', 'type', 'generator'] },
  ),
}));

const SETTINGS = fc.dictionary(
  fc.constantFrom(
    'number_of_replicas',
    'codec',
    'translog.durability',
    'mapping.total_fields.limit',
    'Odd name',
  ),
  fc.oneof(
    TEXT,
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((value) => value + 0),
  ),
);

/** Columns have no generators: only what a statement can say is there. */
export const TABLE: fc.Arbitrary<TableSchema> = fc
  .record({
    columns: fc.uniqueArray(COLUMN, { minLength: 1, maxLength: 6, selector: ({ name }) => name }),
    checks: fc.array(fc.record({ name: NAME, sql: EXPRESSION }), { maxLength: 3 }),
    settings: SETTINGS,
    shards: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
    keys: fc.nat({ max: 3 }),
    routed: fc.boolean(),
    partitions: fc.nat({ max: 2 }),
  })
  .map(({ columns, checks, settings, shards, keys, routed, partitions }) => {
    const paths = columns.flatMap(pathsOf);
    const schema = tableOf(columns, {
      checks,
      settings,
      primaryKey: paths.slice(0, keys),
      clusteredBy: routed ? (paths[0] ?? null) : null,
      partitionedBy: paths.slice(1, 1 + partitions),
      ...(shards === undefined ? {} : { shards }),
    });
    // Some of fast-check's objects have no prototype, and would not be equal to plain ones.
    return structuredClone(schema);
  });

/** The column, and the columns in an object. */
function pathsOf(column: Column): string[] {
  const inner = column.type.kind === 'object' ? column.type.columns : [];
  return [column.name, ...inner.map(({ name }) => formatColumnPath([column.name, name]))];
}
