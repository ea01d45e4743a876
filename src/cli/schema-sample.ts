/** What a schema becomes, to look at: DDL, statement and the first rows, exactly as a run would send them. */
import type { TableName } from '../base/sql.ts';
import { isKeyed } from '../cratedb/introspect.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { ddlText, insertStatement } from '../rows/ddl.ts';
import { buildPools } from '../rows/pools.ts';
import { createReferenceGenerator } from '../rows/reference-generator.ts';
import { type RowIdentity, makeRowPlan } from '../rows/row-plan.ts';
import { type TableSchema, hasRunColumns } from '../rows/schema.ts';

export interface Sample {
  readonly ddl: string;
  readonly statement: string;
  /** Each as the JSON array of its values in a request body. */
  readonly rows: readonly string[];
}

/** The sample of a planned run. */
export async function sampleOf(plan: RunPlan, rows: number): Promise<Sample> {
  const { schema, name, key, shards, replicas } = plan.table;
  const ddl = ddlText(schema, { table: name, key, shards, replicas, ifNotExists: true });
  const isKey = key && hasRunColumns(schema) && isKeyed(schema.primaryKey, schema.partitionedBy);
  const conflictColumns = isKey ? schema.primaryKey : null;
  const { seed, runId, timeOriginMs } = plan;
  return {
    ddl,
    statement: insertStatement(schema, name, { conflictColumns }),
    rows: await firstRows(schema, { seed, runId, timeOriginMs }, rows),
  };
}

/** The DDL alone, for `schema ddl`. */
export function schemaDdl(schema: TableSchema, table: TableName): string {
  return ddlText(schema, { table, key: true, shards: null, replicas: null, ifNotExists: true });
}

/** The first rows that this identity makes. */
export async function firstRows(
  schema: TableSchema,
  identity: RowIdentity,
  count: number,
): Promise<readonly string[]> {
  const generator = createReferenceGenerator(makeRowPlan(schema, identity, await buildPools(schema)));
  const buffer = Buffer.alloc(generator.maxRowBytes + 1);
  return Array.from({ length: count }, (_, row) => {
    const end = generator.writeRows(buffer, 0, row, 1);
    return buffer.toString('utf8', 0, end);
  });
}
