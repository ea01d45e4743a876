/** Row-by-row verification of a run that took place: its rows made again, the server's read in pages. */
import { parseTableName } from '../base/sql.ts';
import { UsageError } from '../base/errors.ts';
import { type FoundRows, type RowVerification, verifyRows } from '../audit/verify-rows.ts';
import { shareOf } from '../coordinator/prepare-target.ts';
import { createClient } from '../cratedb/client.ts';
import type { TargetAccess } from '../plan/run-plan.ts';
import type { VerifyReport } from '../report/listings.ts';
import type { RunFile } from '../report/run-file-schema.ts';
import { runPlanOf } from '../report/run-file.ts';
import { compareReadBack } from '../rows/canonical.ts';
import { checkSameRows, offeredBatches } from './run-rows.ts';

/** What was found; `unexpected` are rows of this run id in batches that it never began. */
export type FullVerifyReport = VerifyReport & { readonly unexpected: FoundRows };

export type VerifyOutcome =
  { readonly ok: true; readonly report: FullVerifyReport } | { readonly ok: false; readonly message: string };

/** One page is read while another is compared. */
const CONNECTIONS = 2;

/** Compares; `onProgress` hears the rows compared so far. A failure is the server's. */
export async function verifyRun(
  file: RunFile,
  access: TargetAccess,
  onProgress: (rows: number) => void,
): Promise<VerifyOutcome> {
  const { schema, rowPlan } = await checkSameRows(file);
  const table = parseTableName(file.target.table);
  if (!table.ok) throw new UsageError(`the table of the run file: ${table.why}`);
  const plan = runPlanOf(file);
  const client = createClient(access, { connectionsPerNode: CONNECTIONS });
  try {
    const answer = await verifyRows(
      client,
      {
        plan: rowPlan,
        schema,
        table: table.name,
        runId: plan.runId,
        batches: offeredBatches(file),
        share: plan.machine.count > 1 ? shareOf(plan) : null,
      },
      { compare: compareReadBack, onProgress },
    );
    if (!answer.ok) return { ok: false, message: answer.message };
    return { ok: true, report: reportOf(file, answer.value) };
  } finally {
    await client.destroy();
  }
}

function reportOf(file: RunFile, found: RowVerification): FullVerifyReport {
  // Rows that no single batch missed may still be too few in total, where rejected rows hide which batch they were in.
  const uncounted = Math.max(0, file.ledger.acknowledged - found.checked - found.lost.rows);
  return {
    runId: file.run.id,
    table: file.target.table,
    checkedRows: found.checked,
    lost: { ...found.lost, rows: found.lost.rows + uncounted },
    duplicated: found.duplicated,
    altered: found.altered,
    unexpected: found.unexpected,
    notComparable: found.notComparableColumns,
  };
}
