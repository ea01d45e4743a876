/**
 * What the rows of a run are made with, worked out once for all workers: a row plan for each table, the code that
 * writes its rows, and whether the way they are sent can carry them. Knows no server.
 */
import { UsageError } from '../base/errors.ts';
import { formatTable } from '../base/sql.ts';
import { formatBytes, formatExact } from '../base/units.ts';
import { type RunPlan, type TablePlan, tablesOf } from '../plan/run-plan.ts';
import { bodyBytesFor, rowsThatFit } from '../rows/batch-body.ts';
import { maxRowBytesOf } from '../rows/intervals.ts';
import { insertForm } from '../rows/ddl.ts';
import { emitRowModule } from '../rows/fast/row-emitter.ts';
import { USUAL_SHAPE } from '../rows/fast/row-loop.ts';
import { type InsertForm, pathProblems } from '../rows/insert-form.ts';
import type { RowPlan } from '../rows/row-format.ts';
import { makeRowPlan } from '../rows/row-plan.ts';
import { type RowSource, bracketsOf } from '../rows/row-source.ts';
import { fetchPools } from './kept-pools.ts';
import type { RunEnvironment } from './run-environment.ts';

/** What `--insert-path` cannot carry, with the table where there are several; empty when it carries everything. */
export function unfitColumns(plan: RunPlan): string[] {
  return tablesOf(plan).flatMap((table) => {
    const whose = plan.also.length === 0 ? '' : `${formatTable(table.name)}: `;
    return pathProblems(table.schema, longestForm(plan, table)).map((problem) => `${whose}${problem}`);
  });
}

/** One for each table, in the order of the plan. Their pools are kept for the next run. */
export async function makeRowPlans(
  plan: RunPlan,
  { poolsFolder, versions }: Pick<RunEnvironment, 'poolsFolder' | 'versions'>,
): Promise<readonly RowPlan[]> {
  const identity = { seed: plan.seed, runId: plan.runId, timeOriginMs: plan.timeOriginMs };
  const shelf = { folder: poolsFolder, versions };
  return await Promise.all(
    tablesOf(plan).map(async ({ schema }) => makeRowPlan(schema, identity, await fetchPools(schema, shelf))),
  );
}

/** Code is made once, for all workers; what makes the less usual kinds is loaded for them. */
export async function rowSourceOf({ load }: RunPlan, rowPlan: RowPlan): Promise<RowSource> {
  const { generator, insertPath: path, compression } = load;
  if (generator === 'reference') return { kind: 'plan', plan: rowPlan };
  if (path === 'unnest') {
    const { emitColumnModule } = await import('../rows/fast/column-emitter.ts');
    return { kind: 'columns', module: emitColumnModule(rowPlan) };
  }
  if (path === 'bulk-args' && compression === 'deflate') {
    const { deflateModuleOf } = await import('../rows/deflate/deflate-plan.ts');
    return { kind: 'deflate', module: deflateModuleOf(rowPlan) };
  }
  return { kind: 'module', module: emitRowModule(rowPlan, USUAL_SHAPE, bracketsOf({ path })) };
}

/**
 * Bytes of the largest request body of each table. Throws a UsageError when a row does not fit into `--max-body`, and for
 * a ceiling when a batch does not.
 */
export function largestBodies(plan: RunPlan, rowPlans: readonly RowPlan[]): number[] {
  const { batchSize, maxBodyBytes } = plan.load;
  return rowPlans.map((rowPlan, position) => {
    const table = tablesOf(plan)[position] ?? plan.table;
    const maxRowBytes = maxRowBytesOf(rowPlan);
    const form = longestForm(plan, table);
    const rows = Math.min(batchSize, rowsThatFit(form, maxRowBytes, maxBodyBytes));
    if (plan.command === 'ceiling' && rows < batchSize)
      throw new UsageError(
        `--max-body: a batch can take ${formatBytes(bodyBytesFor(form, maxRowBytes, batchSize))} and would be sent in parts, which the target of a ceiling cannot tell from whole ones; expected more, or batches of at most ${formatExact(rows)} rows`,
      );
    if (rows >= 1) return bodyBytesFor(form, maxRowBytes, rows);
    throw new UsageError(
      `--max-body: one row of ${table.schema.name} can take ${formatExact(maxRowBytes)} bytes and does not fit`,
    );
  });
}

/** The INSERT before the table was looked at; what it is then is not longer by much. */
function longestForm({ load }: RunPlan, { schema, name }: TablePlan): InsertForm {
  const conflictColumns = [...new Set([...schema.primaryKey, ...schema.partitionedBy])];
  return insertForm(schema, name, { conflictColumns, path: load.insertPath });
}
