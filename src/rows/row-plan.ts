/**
 * Makes the row plan of a schema, once, in the parent: generators are made from it, in any process, and write the
 * same bytes.
 */
import { createHash } from 'node:crypto';
import { BugError } from '../base/errors.ts';
import { lowerTopColumn } from './lowering/lower-column.ts';
import { Lowering } from './lowering/lowering.ts';
import { childColumns } from './pool-needs.ts';
import { ROW_FORMAT, type Pools, type RowIdentity, type RowPlan } from './row-format.ts';
import { insertedColumns, neighboursOf } from './schema.ts';
import type { Column, TableSchema } from './schema.ts';
import { validateSchema } from './validate-schema.ts';

/**
 * The plan of a valid schema's rows. `pools` are those of `buildPools(schema)`. Throws a BugError if the schema
 * has problems: callers show those before.
 */
export function makeRowPlan(schema: TableSchema, identity: RowIdentity, pools: Pools): RowPlan {
  const problems = validateSchema(schema);
  if (problems.length > 0)
    throw new BugError(`the schema ${schema.name} has problems: ${problems.join('; ')}`);
  const lowering = new Lowering(schema, identity, pools);
  const shares = sharedColumnNames(schema.columns);
  const columns = insertedColumns(schema).map((column) => ({
    name: column.name,
    writes: lowerTopColumn(column, shares, lowering),
  }));
  return {
    rowFormat: ROW_FORMAT,
    schemaName: schema.name,
    identity,
    seed64: lowering.seed64,
    prologue: lowering.prologue,
    columns,
    locals: lowering.locals,
    pools,
  };
}

/** Columns that others are computed from. */
function sharedColumnNames(columns: readonly Column[]): Set<string> {
  const names = columns.flatMap((column) => [
    ...(column.generator === null ? [] : neighboursOf(column.generator)),
    ...sharedColumnNames(childColumns(column)),
  ]);
  return new Set(names);
}

/** sha256, hexadecimal, over everything that the rows follow from. */
export function rowPlanHash(plan: RowPlan): string {
  const { pools, ...rest } = plan;
  const text = JSON.stringify([rest, pools.hash], (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return createHash('sha256').update(text).digest('hex');
}
