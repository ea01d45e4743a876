/** The rows of a run that took place, made again from its run file: only by a version that makes the same ones. */
import { UsageError } from '../../base/errors.ts';
import type { OfferedBatch } from '../../audit/verify-rows.ts';
import { formatTable } from '../../base/sql.ts';
import type { Assignment } from '../../plan/assignment.ts';
import { type TablePlan, tablesOf } from '../../plan/run-plan.ts';
import { type TableMix, mixOf, tableRange } from '../../plan/table-mix.ts';
import { assignmentsOf } from '../../coordinator/shares.ts';
import type { RunFile } from '../../report/run-file-schema.ts';
import { runPlanOf } from '../../report/run-file.ts';
import { buildPools } from '../../rows/pools.ts';
import { type RowPlan, ROW_FORMAT } from '../../rows/row-format.ts';
import { makeRowPlan } from '../../rows/row-plan.ts';
import { hasRunColumns } from '../../rows/schema.ts';

/** One of a run's tables, and how its rows are made. */
export interface RunRowPlan {
  readonly table: TablePlan;
  readonly rowPlan: RowPlan;
}

/** The run's tables in its order. Throws a UsageError that names both versions when this one would make other rows. */
export async function checkSameRows(file: RunFile): Promise<readonly RunRowPlan[]> {
  checkTellsRows(file);
  const plan = runPlanOf(file);
  const { seed, runId, timeOriginMs } = plan;
  if (ROW_FORMAT !== file.plan.rowFormat)
    throw otherRows(file, `its row format is ${ROW_FORMAT}, not ${file.plan.rowFormat}`);
  const hashes = [file.plan.poolsHash, ...file.plan.also.map(({ poolsHash }) => poolsHash)];
  return await Promise.all(
    tablesOf(plan).map(async (table, position) => {
      const pools = await buildPools(table.schema);
      if (pools.hash !== hashes[position]) throw otherRows(file, 'its pools of names and texts are others');
      return { table, rowPlan: makeRowPlan(table.schema, { seed, runId, timeOriginMs }, pools) };
    }),
  );
}

/** Throws a UsageError where the run's rows cannot be told from others: they carry no run_id and seq. */
export function checkTellsRows(file: RunFile): void {
  const hidden = tablesOf(runPlanOf(file)).find(({ schema }) => !hasRunColumns(schema));
  if (hidden === undefined) return;
  throw new UsageError(
    `the rows of run ${file.run.id} carry no run_id and seq: in ${formatTable(hidden.name)} they cannot be told from other rows`,
    { hint: 'identity: true in a schema file adds both columns.' },
  );
}

function otherRows(file: RunFile, why: string): UsageError {
  const { crategen, faker, node } = file.versions;
  return new UsageError(`this version does not make the rows of run ${file.run.id}: ${why}`, {
    hint: `The run was made by crategen ${crategen} with faker ${faker} on Node.js ${node}; use that version for it.`,
  });
}

/**
 * For each table of the run the batches that it began, ascending, with the rows of each that surely were
 * acknowledged.
 */
export function offeredBatches(file: RunFile): readonly (readonly OfferedBatch[])[] {
  const plan = runPlanOf(file);
  const tables = tablesOf(plan);
  const mix = mixOf(tables);
  const assignments = assignmentsOf(plan);
  const offered = tables.map((): OfferedBatch[] => []);
  for (const worker of file.workers) {
    const assignment = assignments[worker.index];
    if (assignment === undefined) continue;
    for (const { table, ...batch } of batchesOf(worker, assignment, mix)) offered[table]?.push(batch);
  }
  return offered.map((batches) => batches.toSorted((a, b) => a.firstRow - b.firstRow));
}

function batchesOf(
  worker: RunFile['workers'][number],
  assignment: Assignment,
  mix: TableMix,
): (OfferedBatch & { readonly table: number })[] {
  const exceptions = new Map(worker.batches.exceptions.map((batch) => [batch.batch, batch.acknowledged]));
  const batches: (OfferedBatch & { readonly table: number })[] = [];
  for (let batch = assignment.globalIndex; batch < worker.batches.next; batch += assignment.globalCount) {
    const range = tableRange(mix, assignment, batch);
    if (range.rows === 0) break;
    // Which batch a rejected row was in is not kept: then only the total can tell whether one is missing.
    const isEachKnown = (worker.tables[range.table] ?? worker.ledger).rejected === 0;
    batches.push({ ...range, acknowledged: exceptions.get(batch) ?? (isEachKnown ? range.rows : 0) });
  }
  return batches;
}
