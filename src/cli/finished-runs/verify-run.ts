/** Row-by-row verification of a run that took place: its rows made again, the server's read in pages. */
import { formatTable } from '../../base/sql.ts';
import type { Verification } from '../../audit/verification.ts';
import {
  type FoundRows,
  type OfferedRun,
  type RowVerification,
  type VerifyRowsOptions,
  verdictOfRows,
  verifyRows,
} from '../../audit/verify-rows.ts';
import { shareOf } from '../../coordinator/prepare-tables.ts';
import type { Answer } from '../../cratedb/ask.ts';
import { createClient } from '../../cratedb/client.ts';
import type { TargetAccess } from '../../plan/run-plan.ts';
import type { VerifyReport } from '../../report/listings.ts';
import type { RunFile } from '../../report/run-file-schema.ts';
import { runPlanOf } from '../../report/run-file.ts';
import { compareReadBack } from '../../rows/read-back.ts';
import { checkSameRows, offeredBatches } from './run-rows.ts';

/** What was found in all tables of the run together, and in each, in the order of the run. */
export type FullVerifyReport = VerifyReport & { readonly tables: readonly VerifyReport[] };

/** One page is read while another is compared. */
const CONNECTIONS = 2;

/** Compares; `onProgress` hears the rows compared so far. A failure is the server's. */
export async function verifyRun(
  file: RunFile,
  access: TargetAccess,
  onProgress: (rows: number) => void,
): Promise<Answer<FullVerifyReport>> {
  const answer = await compareRows(file, access, { onProgress });
  if (!answer.ok) return answer;
  const tables = answer.value.map((compared) => reportOf(file, compared));
  return { ok: true, value: { ...summedReport(file, tables), tables } };
}

/** `--verify rows`: the counts of a run that just ended, confirmed or contradicted by its rows, for each table. */
export async function verifyEndedRun(
  file: RunFile,
  access: TargetAccess,
  signal: AbortSignal,
): Promise<readonly Verification[]> {
  const answer = await compareRows(file, access, { signal });
  const inEach = (verification: Omit<Verification, 'method' | 'stored'>): readonly Verification[] =>
    file.tables.map(() => ({ method: 'rows', stored: null, ...verification }));
  if (signal.aborted)
    return inEach({ verdict: 'skipped', detail: 'a signal came while the rows were compared' });
  if (!answer.ok)
    return inEach({ verdict: 'unavailable', detail: `the rows could not be read: ${answer.message}` });
  return answer.value.map((compared) => {
    const { lost, unexpected, unaccounted } = reportOf(file, compared);
    const verification = verdictOfRows({ ...compared.found, lost });
    const surplus = [
      ...(unexpected.rows === 0 ? [] : [`${unexpected.rows} rows of this run id were never sent`]),
      ...(unaccounted.rows === 0 ? [] : [`${unaccounted.rows} rows are there that were rejected or failed`]),
    ];
    if (surplus.length === 0) return verification;
    return { ...verification, verdict: 'mismatch', detail: [verification.detail, ...surplus].join('; ') };
  });
}

type CompareOptions = Omit<VerifyRowsOptions, 'compare'>;

/** One table's rows beside the server's. */
interface ComparedTable {
  readonly table: string;
  /** Rows of it that the run's ledger calls acknowledged, and those of which it does not know. */
  readonly acknowledged: number;
  readonly unknown: number;
  readonly found: RowVerification;
}

/** Table after table; the first that cannot be read ends it. */
async function compareRows(
  file: RunFile,
  access: TargetAccess,
  { onProgress, ...options }: CompareOptions,
): Promise<Answer<readonly ComparedTable[]>> {
  const tables = await checkSameRows(file);
  const batches = offeredBatches(file);
  const plan = runPlanOf(file);
  const client = createClient(access, { connectionsPerNode: CONNECTIONS });
  const compared: ComparedTable[] = [];
  let gone = 0;
  try {
    for (const [position, { table, rowPlan }] of tables.entries()) {
      const offered = batches[position] ?? [];
      const run: OfferedRun = {
        plan: rowPlan,
        schema: table.schema,
        table: table.name,
        runId: plan.runId,
        batches: offered,
        share: shareOf(plan),
      };
      const goneBefore = gone;
      const answer = await verifyRows(client, run, {
        ...options,
        onProgress: (rows) => onProgress?.(goneBefore + rows),
        compare: compareReadBack,
      });
      if (!answer.ok) return answer;
      gone += offered.reduce((sum, { rows }) => sum + rows, 0);
      const { acknowledged, unknown } = file.tables[position]?.ledger ?? file.ledger;
      compared.push({ table: formatTable(table.name), acknowledged, unknown, found: answer.value });
    }
    return { ok: true, value: compared };
  } finally {
    await client.destroy();
  }
}

function reportOf(file: RunFile, { table, acknowledged, unknown, found }: ComparedTable): VerifyReport {
  // Rows that no single batch missed may still be too few in total, where rejected rows hide which batch they were in.
  const uncounted = Math.max(0, acknowledged - found.checked - found.lost.rows);
  const unaccounted = Math.max(0, found.checked + found.lost.rows - acknowledged - unknown);
  return {
    runId: file.run.id,
    table,
    checkedRows: found.checked,
    lost: { ...found.lost, rows: found.lost.rows + uncounted },
    duplicated: found.duplicated,
    altered: found.altered,
    unexpected: found.unexpected,
    unaccounted: { rows: unaccounted, seqs: [] },
    notComparable: found.notComparableColumns,
  };
}

/** Several tables as one; keys are only meaningful within a table, so those of several are left out. */
function summedReport(file: RunFile, tables: readonly VerifyReport[]): VerifyReport {
  const [first, ...others] = tables;
  if (first !== undefined && others.length === 0) return first;
  const sum = (of: (report: VerifyReport) => number): number =>
    tables.reduce((total, report) => total + of(report), 0);
  const found = (of: (report: VerifyReport) => FoundRows): FoundRows => ({
    rows: sum((report) => of(report).rows),
    seqs: [],
  });
  return {
    runId: file.run.id,
    table: tables.map(({ table }) => table).join(', '),
    checkedRows: sum(({ checkedRows }) => checkedRows),
    lost: found(({ lost }) => lost),
    duplicated: found(({ duplicated }) => duplicated),
    altered: found(({ altered }) => altered),
    unexpected: found(({ unexpected }) => unexpected),
    unaccounted: found(({ unaccounted }) => unaccounted),
    notComparable: [...new Set(tables.flatMap(({ notComparable }) => notComparable))].toSorted(),
  };
}
