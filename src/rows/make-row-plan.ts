/** Makes the row plan of a schema for a run, and the hash by which two plans are told apart. */
import { createHash } from 'node:crypto';
import { BugError } from '../base/errors.ts';
import { lowerTopColumn } from './lower-column.ts';
import { Lowering } from './lowering.ts';
import { ROW_FORMAT } from './row-plan.ts';
import type { Pools, RowIdentity, RowPlan } from './row-plan.ts';
import { insertedColumns } from './schema.ts';
import type { TableSchema } from './schema.ts';
import { validateSchema } from './validate-schema.ts';

/**
 * The plan of a valid schema's rows. `pools` are those of `buildPools(schema)`. Throws a BugError if the schema
 * has problems: callers show those before.
 */
export function makeRowPlan(schema: TableSchema, identity: RowIdentity, pools: Pools): RowPlan {
  const problems = validateSchema(schema);
  if (problems.length > 0) throw new BugError(`the schema ${schema.name} has problems: ${problems.join('; ')}`);
  const lowering = new Lowering(schema, identity, pools);
  const shares = sharedColumnNames(schema);
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

/** Columns that a complement is computed from. */
function sharedColumnNames(schema: TableSchema): Set<string> {
  const complements = schema.columns.flatMap(({ generator }) => (generator?.kind === 'complement' ? [generator] : []));
  return new Set(complements.flatMap((generator) => generator.of));
}

/** sha256, hexadecimal, over everything that the rows follow from. */
export function rowPlanHash(plan: RowPlan): string {
  const { pools, ...rest } = plan;
  const text = JSON.stringify([rest, pools.hash], (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return createHash('sha256').update(text).digest('hex');
}
