/** Tables and partitions as the groups of shards that the system tables show them as. */
import type { Table } from '../engine/catalog.ts';
import type { Json } from '../values/json.ts';
import { rowsOf } from '../engine/store.ts';
import type { SystemFacts } from './definition.ts';

/** What several shards hold together: a table, or one of its partitions. */
export interface ShardGroup {
  readonly table: Table;
  readonly partition: readonly Json[] | null;
  readonly ident: string;
}

/** One group a table, or one a partition. */
export function shardGroups(facts: SystemFacts): readonly ShardGroup[] {
  return facts.catalog.tables().flatMap((table): readonly ShardGroup[] => {
    if (table.partitionedBy.length === 0) return [{ table, partition: null, ident: '' }];
    return [...table.partitions].map(([ident, partition]) => ({
      table,
      partition: partition.values,
      ident: identOf(ident),
    }));
  });
}

/** A short name of a partition: here its values in hexadecimal, which is unique and stable. */
function identOf(values: string): string {
  return Buffer.from(values).toString('hex');
}

/** Its rows now. */
export function countRows(facts: SystemFacts, group: ShardGroup): number {
  const { table, partition } = group;
  const cells =
    partition === null
      ? []
      : table.partitionedBy.map(
          (name) => table.columns.find((column) => column.name === name)?.cell ?? 'rowid',
        );
  const where = cells.length === 0 ? '' : ` WHERE ${cells.map((cell) => `${cell} IS ?`).join(' AND ')}`;
  const values = (partition ?? []).map((value) =>
    typeof value === 'boolean' ? Number(value) : typeof value === 'object' ? null : value,
  );
  return Number(
    facts.store.prepare(`SELECT count(*) AS n FROM ${rowsOf(table)}${where}`).get(...values)?.['n'] ?? 0,
  );
}
