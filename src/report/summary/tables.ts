/** The tables of a run in its summary, where there are several: what each got of the rows, and what was counted in it. */
import { formatExact } from '../../base/units.ts';
import { printable } from '../../base/text.ts';
import { missingRows } from '../../metrics/ledger.ts';
import { orDash } from '../quantities.ts';
import type { RunFile } from '../run-file-schema.ts';
import type { Line, TextView } from '../styled-text.ts';
import { type TableColumn, type TableRow, tableLines } from '../table.ts';

/** None for a run of one table. */
export function tablesTable(run: RunFile, view: TextView): Line[] {
  if (run.tables.length < 2) return [];
  return tableLines(columnsOf(run), run.tables.map(tableRow), { cells: view.columns, indent: 0 });
}

/** What acknowledged rows are called over a column: a target that discards them stores none. */
export function acknowledgedTitle({ target }: RunFile): string {
  return target.kind === 'discard' ? 'rows sent' : 'rows stored';
}

/** What stands in a row beside the name and before the verdict, in every report. */
export function tableCells({ weight, ledger, verification }: RunFile['tables'][number]): readonly string[] {
  return [
    String(weight),
    formatExact(ledger.acknowledged),
    formatExact(ledger.rejected),
    formatExact(ledger.failed),
    formatExact(ledger.unknown),
    orDash(verification.stored, formatExact),
  ];
}

function columnsOf(run: RunFile): readonly TableColumn[] {
  return [
    { header: 'tables', align: 'left', rank: 1 },
    { header: 'weight', align: 'right', rank: 5 },
    { header: acknowledgedTitle(run), shortHeader: 'rows', align: 'right', rank: 1 },
    { header: 'rejected', align: 'right', rank: 4 },
    { header: 'failed', align: 'right', rank: 4 },
    { header: 'unknown', align: 'right', rank: 4 },
    { header: 'counted', align: 'right', rank: 2 },
    { header: 'verdict', align: 'left', rank: 3 },
  ];
}

function tableRow(entry: RunFile['tables'][number]): TableRow {
  const { table, ledger, verification } = entry;
  const bad = missingRows(ledger);
  return {
    cells: [
      `  ${printable(table, 200)}`,
      ...tableCells(entry),
      verification.verdict === 'mismatch' ? 'MISMATCH' : verification.verdict,
    ],
    cellStyles: {
      ...(bad === 0 ? {} : { 0: 'redBold' as const }),
      ...(verification.verdict === 'mismatch' ? { 7: 'redBold' as const } : {}),
    },
  };
}
