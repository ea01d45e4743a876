/** `pg_catalog`: what ANALYZE found out, where clients of PostgreSQL look for it. */
import { TEXT, arrayOf } from '../values/types.ts';
import type { Row } from '../values/operations.ts';
import { REAL, TEXTS, columns, type NamedDefinition } from './definition.ts';
import { countRows } from './shard-groups.ts';

/** The tables of the schema, by full name. */
export const PG_CATALOG_TABLES: readonly NamedDefinition[] = [
  [
    'pg_catalog.pg_class',
    [
      columns(['relname', TEXT], ['reltuples', REAL]),
      (facts) =>
        facts.catalog
          .tables()
          .map((table): Row => [table.name, countRows(facts, { table, partition: null, ident: '' })]),
    ],
  ],
  [
    'pg_catalog.pg_stats',
    [
      columns(
        ['attname', TEXT],
        ['schemaname', TEXT],
        ['tablename', TEXT],
        ['null_frac', REAL],
        ['n_distinct', REAL],
        ['most_common_vals', TEXTS],
        ['most_common_freqs', arrayOf(REAL)],
        ['histogram_bounds', TEXTS],
      ),
      (facts) => facts.catalog.tables().flatMap(({ statistics }) => statistics),
    ],
  ],
];
