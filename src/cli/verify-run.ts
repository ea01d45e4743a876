/** Row-by-row verification of a run that took place: its rows made again, the server's read in pages. */
import { parseTableName } from '../base/sql.ts';
import { UsageError } from '../base/errors.ts';
import type { Verification } from '../audit/verification.ts';
import {
  type FoundRows,
  type OfferedRun,
  type RowVerification,
  type VerifyRowsOptions,
  verdictOfRows,
  verifyRows,
} from '../audit/verify-rows.ts';
import { shareOf } from '../coordinator/prepare-target.ts';
import type { Answer } from '../cratedb/ask.ts';
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
  const answer = await compareRows(file, access, { onProgress });
  return answer.ok
    ? { ok: true, report: reportOf(file, answer.value) }
    : { ok: false, message: answer.message };
}

/** `--verify rows`: the count of a run that just ended, confirmed or contradicted by its rows. */
export async function verifyEndedRun(
  file: RunFile,
  access: TargetAccess,
  signal: AbortSignal,
): Promise<Verification> {
  const answer = await compareRows(file, access, { signal });
  const none = { method: 'rows', stored: null } as const;
  if (signal.aborted)
    return { ...none, verdict: 'skipped', detail: 'a signal came while the rows were compared' };
  if (!answer.ok)
    return { ...none, verdict: 'unavailable', detail: `the rows could not be read: ${answer.message}` };
  const { lost, unexpected } = reportOf(file, answer.value);
  const verification = verdictOfRows({ ...answer.value, lost });
  if (unexpected.rows === 0) return verification;
  const detail = `${verification.detail}; ${unexpected.rows} rows of this run id were never sent`;
  return { ...verification, verdict: 'mismatch', detail };
}

type CompareOptions = Omit<VerifyRowsOptions, 'compare'>;

async function compareRows(
  file: RunFile,
  access: TargetAccess,
  options: CompareOptions,
): Promise<Answer<RowVerification>> {
  const { schema, rowPlan } = await checkSameRows(file);
  const table = parseTableName(file.target.table);
  if (!table.ok) throw new UsageError(`the table of the run file: ${table.why}`);
  const plan = runPlanOf(file);
  const client = createClient(access, { connectionsPerNode: CONNECTIONS });
  try {
    const run: OfferedRun = {
      plan: rowPlan,
      schema,
      table: table.name,
      runId: plan.runId,
      batches: offeredBatches(file),
      share: plan.machine.count > 1 ? shareOf(plan) : null,
    };
    return await verifyRows(client, run, { ...options, compare: compareReadBack });
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
