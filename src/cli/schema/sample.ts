/** What a schema becomes, to look at: DDL, statement and the first rows, exactly as a run would send them. */
import { UsageError } from '../../base/errors.ts';
import type { TableName } from '../../base/sql.ts';
import { isKeyed } from '../../cratedb/introspect.ts';
import type { RunPlan, TablePlan } from '../../plan/run-plan.ts';
import { frameOf } from '../../rows/batch-body.ts';
import { ddlText, insertForm } from '../../rows/ddl.ts';
import { type InsertForm, pathProblems, statementOf } from '../../rows/insert-form.ts';
import { buildPools } from '../../rows/pools.ts';
import { createReferenceGenerator } from '../../rows/reference/reference-generator.ts';
import type { RowIdentity } from '../../rows/row-format.ts';
import { makeRowPlan } from '../../rows/row-plan.ts';
import { openRowSource } from '../../rows/row-source.ts';
import { type TableSchema, hasRunColumns } from '../../rows/schema.ts';

export interface Sample {
  readonly ddl: string;
  readonly statement: string;
  /** Each as the JSON array of its values; where one statement takes all, its parameters in one line. */
  readonly rows: readonly string[];
}

/** The sample of one of the tables of a planned run. */
export async function sampleOf(plan: RunPlan, table: TablePlan, rows: number): Promise<Sample> {
  const { schema, name, key, shards, replicas } = table;
  const ddl = ddlText(schema, { table: name, key, shards, replicas, ifNotExists: true });
  const isKey = key && hasRunColumns(schema) && isKeyed(schema.primaryKey, schema.partitionedBy);
  const conflictColumns = isKey ? schema.primaryKey : null;
  const form = insertForm(schema, name, { conflictColumns, path: plan.load.insertPath });
  const unfit = pathProblems(schema, form);
  if (unfit.length > 0) throw new UsageError(unfit);
  const { seed, runId, timeOriginMs } = plan;
  return {
    ddl,
    statement: statementOf(form),
    rows: await sentRows(schema, { seed, runId, timeOriginMs }, form, rows),
  };
}

/** The rows as their path sends them: one by one, or as the `args` of one statement. */
async function sentRows(
  schema: TableSchema,
  identity: RowIdentity,
  form: InsertForm,
  count: number,
): Promise<readonly string[]> {
  if (form.path === 'bulk-args' || form.path === 'pg') return await firstRows(schema, identity, count);
  const plan = makeRowPlan(schema, identity, await buildPools(schema));
  const [body] = (await openRowSource({ kind: 'plan', plan }, form)).createBodies(count, 1);
  const text = Buffer.from(body?.write(0, count) ?? []).toString('utf8');
  const { before } = frameOf(form, count);
  return [text.slice(before.lastIndexOf(':') + 1, -1)];
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
