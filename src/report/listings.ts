/** Tables of the commands that look at finished runs: the list of runs, and what a verification found. */
import { formatExact } from '../base/units.ts';
import { printable } from '../base/text.ts';
import { counted, NOT_MEASURED } from './quantities.ts';
import type { RunListing } from './runs-folder.ts';
import { type Line, type Style, type TextView, plain, renderLine, styled, wrap } from './styled-text.ts';
import { type TableColumn, type TableRow, tableLines } from './table.ts';

/** What `crategen verify` found out; counts are rows. */
export interface VerifyReport {
  readonly runId: string;
  readonly table: string;
  /** Rows that were regenerated and looked for. */
  readonly checkedRows: number;
  /** Acknowledged but absent. */
  readonly lost: FoundRows;
  /** There more than once. */
  readonly duplicated: FoundRows;
  /** There with other values than were sent. */
  readonly altered: FoundRows;
  /** There under this run id, but in batches that the run never began. */
  readonly unexpected: FoundRows;
  /** There, of those that the run's ledger calls rejected or failed. */
  readonly unaccounted: FoundRows;
  /** Columns whose type has no form that can be compared: only their presence was checked. */
  readonly notComparable: readonly string[];
}

interface FoundRows {
  readonly rows: number;
  /** The first keys (`seq`), at most 20 are shown; empty where nobody knows which rows they are. */
  readonly seqs: readonly number[];
}

const MAX_SEQS = 20;

const RUN_COLUMNS: readonly TableColumn[] = [
  { header: 'run', align: 'left', rank: 1 },
  { header: 'started', align: 'left', rank: 4 },
  { header: 'table', align: 'left', rank: 3 },
  { header: 'rows stored', shortHeader: 'rows', align: 'right', rank: 2 },
  { header: 'missing', align: 'right', rank: 5 },
  { header: 'ended by', align: 'left', rank: 3 },
  { header: 'exit', align: 'right', rank: 2 },
];

/** The list of `crategen runs`, newest first as given, lines ended by `\n`. */
export function renderRuns(runs: readonly RunListing[], view: TextView): string {
  if (runs.length === 0) return 'No runs yet. Start one: crategen cluster --sandbox --rows 200k\n';
  const table = tableLines(RUN_COLUMNS, runs.map(runRow), { cells: view.columns, indent: 0 });
  const hints = runs.flatMap((run) => hintLines(run, view));
  return textOf([...table, ...(hints.length > 0 ? [[], ...hints] : [])], view);
}

function runRow(run: RunListing): TableRow {
  const number = (value: number | null): string => (value === null ? NOT_MEASURED : formatExact(value));
  const ended = run.state === 'finished' ? (run.endReason ?? NOT_MEASURED) : run.state;
  const isGood = run.exitCode === 0;
  return {
    cells: [
      printable(run.id),
      run.startedAt === null ? NOT_MEASURED : run.startedAt.slice(0, 19).replace('T', ' '),
      run.table === null ? NOT_MEASURED : printable(run.table),
      run.target === 'discard' ? 'discarded' : number(run.acknowledgedRows),
      number(run.missingRows),
      ended,
      run.exitCode === null ? NOT_MEASURED : String(run.exitCode),
    ],
    cellStyles: {
      ...(run.state === 'finished' ? {} : { 5: 'yellow' }),
      ...(run.exitCode === null || isGood ? {} : { 6: 'red' }),
    },
  };
}

function hintLines(run: RunListing, view: TextView): Line[] {
  if (run.state === 'finished') return [];
  const text =
    run.state === 'unreadable'
      ? printable(run.problem, 1000)
      : `${printable(run.id)} has no result: it is still running, or was killed; then: crategen recover ${printable(run.id)}`;
  return wrapped(text, 'yellow', view);
}

/** Rows that contradict the run file; a run of which there are some is not verified. */
export function wrongRows(report: VerifyReport): number {
  const { lost, duplicated, altered, unexpected, unaccounted } = report;
  return [lost, duplicated, altered, unexpected, unaccounted].reduce((sum, { rows }) => sum + rows, 0);
}

/** What `crategen verify` prints: the verdict first, then each kind with its first keys. Lines ended by `\n`. */
export function renderVerify(report: VerifyReport, view: TextView): string {
  const isWrong = wrongRows(report) > 0;
  const place = `of run ${printable(report.runId)} in ${printable(report.table)}`;
  const headline = isWrong
    ? `${counted(report.checkedRows, 'row')} ${place}: ${formatExact(report.lost.rows)} lost, ${formatExact(report.duplicated.rows)} duplicated, ${formatExact(report.altered.rows)} altered`
    : `${counted(report.checkedRows, 'row')} ${place}: none is lost, duplicated or altered`;
  const kinds = [
    ['lost', 'acknowledged, but not in the table', report.lost],
    ['duplicated', 'in the table more than once', report.duplicated],
    ['altered', 'in the table with other values than were sent', report.altered],
    ['unexpected', 'in the table under this run id, and never sent by it', report.unexpected],
    [
      'unaccounted',
      'in the table, though the ledger of the run calls them rejected or failed',
      report.unaccounted,
    ],
  ] as const;
  const unchecked =
    report.notComparable.length === 0
      ? []
      : wrapped(
          `checked by presence only, since their type has no form to compare: ${report.notComparable.map((name) => printable(name)).join(', ')}`,
          'plain',
          view,
        );
  return textOf(
    [
      ...wrapped(headline, isWrong ? 'redBold' : 'green', view),
      ...kinds.flatMap(([name, meaning, found]) => foundLines(name, meaning, found, view)),
      ...unchecked,
    ],
    view,
  );
}

function foundLines(name: string, meaning: string, found: FoundRows, view: TextView): Line[] {
  if (found.rows === 0) return [];
  const shown = found.seqs.slice(0, MAX_SEQS);
  const more = found.rows > shown.length ? ' …' : '';
  const keys = shown.length === 0 ? '' : `; seq ${shown.join(', ')}${more}`;
  const text = `${name}: ${counted(found.rows, 'row')} ${meaning}${keys}`;
  return wrapped(text, 'plain', view, '  ');
}

function wrapped(text: string, style: Style, view: TextView, indent = ''): Line[] {
  return wrap(text, view.columns - indent.length).map((line): Line => [plain(indent), styled(style, line)]);
}

function textOf(lines: readonly Line[], view: TextView): string {
  return lines.map((line) => `${renderLine(line, view)}\n`).join('');
}
