/** The rows of a run that took place, made again from its run file: only by a version that makes the same ones. */
import { UsageError } from '../base/errors.ts';
import type { OfferedBatch } from '../audit/verify-rows.ts';
import { type Assignment, batchRows } from '../plan/assignment.ts';
import { assignmentsOf } from '../coordinator/shares.ts';
import type { RunFile } from '../report/run-file-schema.ts';
import { runPlanOf } from '../report/run-file.ts';
import { buildPools } from '../rows/pools.ts';
import { ROW_FORMAT, type RowPlan, makeRowPlan } from '../rows/row-plan.ts';
import { type TableSchema, hasRunColumns } from '../rows/schema.ts';

export interface RunRowPlan {
  readonly schema: TableSchema;
  readonly rowPlan: RowPlan;
}

/** Throws a UsageError that names both versions when this one would make other rows. */
export async function checkSameRows(file: RunFile): Promise<RunRowPlan> {
  const { schema } = file.plan;
  checkTellsRows(file);
  const pools = await buildPools(schema);
  if (pools.hash !== file.plan.poolsHash) throw otherRows(file, 'its pools of names and texts are others');
  if (ROW_FORMAT !== file.plan.rowFormat)
    throw otherRows(file, `its row format is ${ROW_FORMAT}, not ${file.plan.rowFormat}`);
  const { runId, seed, timeOriginMs } = runPlanOf(file);
  return { schema, rowPlan: makeRowPlan(schema, { runId, seed, timeOriginMs }, pools) };
}

/** Throws a UsageError where the run's rows cannot be told from others: they carry no run_id and seq. */
export function checkTellsRows(file: RunFile): void {
  if (hasRunColumns(file.plan.schema)) return;
  throw new UsageError(
    `the rows of run ${file.run.id} carry no run_id and seq: in ${file.target.table} they cannot be told from other rows`,
    { hint: 'identity: true in a schema file adds both columns.' },
  );
}

function otherRows(file: RunFile, why: string): UsageError {
  const { crategen, faker, node } = file.versions;
  return new UsageError(`this version does not make the rows of run ${file.run.id}: ${why}`, {
    hint: `The run was made by crategen ${crategen} with faker ${faker} on Node.js ${node}; use that version for it.`,
  });
}

/** Batches that the run began, ascending, with the rows of each that surely were acknowledged. */
export function offeredBatches(file: RunFile): readonly OfferedBatch[] {
  const assignments = assignmentsOf(runPlanOf(file));
  const batches = file.workers.flatMap((worker) => {
    const assignment = assignments[worker.index];
    return assignment === undefined ? [] : batchesOf(worker, assignment);
  });
  return batches.toSorted((a, b) => a.firstRow - b.firstRow);
}

function batchesOf(worker: RunFile['workers'][number], assignment: Assignment): OfferedBatch[] {
  const exceptions = new Map(worker.batches.exceptions.map((batch) => [batch.batch, batch.acknowledged]));
  // Which batch a rejected row was in is not kept: then only the total can tell whether one is missing.
  const isEachKnown = worker.ledger.rejected === 0;
  const batches: OfferedBatch[] = [];
  for (let batch = assignment.globalIndex; batch < worker.batches.next; batch += assignment.globalCount) {
    const range = batchRows(assignment, batch);
    if (range.rows === 0) break;
    batches.push({ ...range, acknowledged: exceptions.get(batch) ?? (isEachKnown ? range.rows : 0) });
  }
  return batches;
}
