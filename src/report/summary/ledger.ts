/**
 * The first lines of a summary: how many rows are stored, which are not and why, and whether the server agrees.
 * Kept apart because every word here must be true in every case.
 */
import { formatExact } from '../../base/units.ts';
import { printable } from '../../base/text.ts';
import { missingRows } from '../../metrics/ledger.ts';
import { tablesOf } from '../../plan/run-plan.ts';
import { mixOf, tableRange } from '../../plan/table-mix.ts';
import { hasRunColumns } from '../../rows/schema.ts';
import { runPlanOf } from '../run-file.ts';
import type { RunFile } from '../run-file-schema.ts';
import { counted } from '../quantities.ts';
import type { Style } from '../styled-text.ts';

export interface Sentence {
  readonly text: string;
  readonly style: Style;
}

/** Classes whose rows were refused for what they contain; all others leave rows failed or unknown. */
const REJECTING: ReadonlySet<string> = new Set([
  'duplicateKey',
  'constraint',
  'invalidValue',
  'statement',
  'refusedWithBatch',
]);

/** The one sentence that says what the run came to; red when rows are missing or the server disagrees. */
export function headlineOf(run: RunFile): Sentence {
  const missing = missingRows(run.ledger);
  if (run.verification.verdict === 'mismatch') return { text: mismatchText(run), style: 'redBold' };
  if (missing > 0) return { text: missingText(run, missing), style: 'redBold' };
  if (run.ledger.acknowledged === 0) return { text: `no row was stored${whyEnded(run)}`, style: 'redBold' };
  return storedSentence(run);
}

/** Beside errors that cost no row; null where some rows are missing, or there was no error. */
export function recoveredText(run: RunFile): string | null {
  if (run.errors.length === 0 || missingRows(run.ledger) > 0) return null;
  const isStored = run.target.kind !== 'discard' && run.verification.verdict !== 'mismatch';
  const isAskedFor = run.resolved.stored + run.resolved.absent > 0;
  return `every row was ${isStored ? 'stored' : 'acknowledged'} in the end${isAskedFor ? '' : ', by a later attempt'}`;
}

/** The ledger, the server's count and what is behind them, one sentence a line. */
export function ledgerSentences(run: RunFile): Sentence[] {
  const { offered, acknowledged, rejected, failed, unknown, notOffered } = run.ledger;
  const { stored, absent } = run.resolved;
  const sum = `offered ${formatExact(offered)} = acknowledged ${formatExact(acknowledged)} + rejected ${formatExact(rejected)} + failed ${formatExact(failed)} + unknown ${formatExact(unknown)}`;
  const sentences: Sentence[] = [{ text: sum, style: 'plain' }, serverSentence(run)];
  if (missingRows(run.ledger) > 0 && run.verification.verdict === 'mismatch') {
    sentences.push({ text: missingText(run, missingRows(run.ledger)), style: 'redBold' });
  }
  if (stored + absent > 0) {
    const open = unknown === 0 ? '' : `, ${formatExact(unknown)} still unknown`;
    const asked = `${counted(stored + absent + unknown, 'row')} had no answer and were asked for at the end: ${formatExact(stored)} stored, ${formatExact(absent)} absent${open}`;
    sentences.push({ text: asked, style: 'plain' });
  }
  if (notOffered > 0) {
    sentences.push({
      text: `${counted(notOffered, 'planned row')} not offered${whyEnded(run)}`,
      style: 'yellow',
    });
  } else if (whyEnded(run) !== '') {
    sentences.push({ text: `ended${whyEnded(run)}`, style: 'yellow' });
  }
  return sentences;
}

function storedSentence(run: RunFile): Sentence {
  const { acknowledged } = run.ledger;
  const { verdict, method } = run.verification;
  const rows = counted(acknowledged, 'row');
  const isOne = acknowledged === 1;
  if (run.target.kind === 'discard') {
    return { text: `${rows} sent to a target that stores nothing`, style: 'yellow' };
  }
  const server = run.target.kind === 'sandbox' ? 'the sandbox' : 'the server';
  const share = isOne ? '' : ', all of them';
  switch (verdict) {
    case 'match':
      return method === 'rows'
        ? { text: `${rows} stored${share} compared with the rows in ${server}`, style: 'green' }
        : { text: `${rows} stored${share} confirmed by ${server}`, style: 'green' };
    case 'advisory':
      return {
        text: `${rows} acknowledged; ${run.plan.also.length === 0 ? 'the' : 'a'} table has no run_id, so ${server} can confirm them only roughly`,
        style: 'yellow',
      };
    case 'unavailable':
      return { text: `${rows} acknowledged, but ${server}'s count could not be had`, style: 'redBold' };
    default:
      return { text: `${rows} acknowledged; ${server} was not asked for its count`, style: 'yellow' };
  }
}

/** `1,234 of 17,200,000 rows are missing: 1,200 rejected, 34 unknown (…), for example seq 12000`. */
function missingText(run: RunFile, missing: number): string {
  const { offered, rejected, failed, unknown } = run.ledger;
  const parts = [
    ...(rejected > 0 ? [`${formatExact(rejected)} rejected by the server`] : []),
    ...(failed > 0 ? [`${formatExact(failed)} failed (surely not stored)`] : []),
    ...(unknown > 0 ? [`${formatExact(unknown)} unknown (sent, and nobody said what became of them)`] : []),
  ];
  const verb = missing === 1 ? 'is' : 'are';
  const reason = reasonText(run);
  return [
    `${formatExact(missing)} of ${counted(offered, 'row')} ${verb} missing: ${parts.join(', ')}`,
    reason,
    exampleText(run),
  ]
    .filter((part) => part !== '')
    .join('; ');
}

/** What to try when the table refused rows for their values; null when it did not. */
export function rejectedAdvice(run: RunFile): string | null {
  const isRefused = run.errors.some(({ class: name }) => name === 'constraint' || name === 'invalidValue');
  if (run.ledger.rejected === 0 || !isRefused) return null;
  const like = `--like ${printable(run.target.table, 200)}, whose rows fit the types and CHECKs of that table`;
  return `${like}, a schema file with other values, or --max-failed to accept a share that is rejected`;
}

/** The class that explains most of the missing rows, with what the server said. */
function reasonText(run: RunFile): string {
  const { rejected, failed, unknown } = run.ledger;
  const wantsRejecting = rejected >= failed + unknown;
  const fitting = run.errors.filter((error) => REJECTING.has(error.class) === wantsRejecting);
  const candidates = fitting.length > 0 ? fitting : run.errors;
  const [first, ...others] = candidates;
  if (first === undefined) return '';
  const worst = others.reduce((a, b) => (b.rows > a.rows ? b : a), first);
  const code = worst.code === null ? '' : ` ${worst.code}`;
  const isAll = others.length === 0 && (rejected === 0 || failed + unknown === 0);
  return `${isAll ? '' : 'mostly '}${printable(worst.class, 40)}${code}: ${printable(worst.example)}`;
}

/** The rows of one batch that did not end well: a place to look. */
function exampleText(run: RunFile): string {
  for (const worker of run.workers) {
    const exception = worker.batches.exceptions.find((batch) => missingRows(batch) > 0);
    if (exception === undefined) continue;
    const tables = [run.plan.table, ...run.plan.also];
    const { table, firstRow, rows } = tableRange(mixOf(tables), run.plan, exception.batch);
    const last = firstRow + rows - 1;
    const schema = tablesOf(runPlanOf(run))[table]?.schema;
    const isOfRun = schema !== undefined && hasRunColumns(schema);
    const name = isOfRun ? 'seq' : last > firstRow ? 'rows' : 'row';
    const range = last > firstRow ? `in ${name} ${firstRow}..${last}` : `${name} ${firstRow}`;
    const where = tables.length === 1 ? '' : ` in ${printable(run.tables[table]?.table ?? '')}`;
    return `for example ${range} of ${isOfRun ? 'run_id' : 'run'} ${printable(run.run.id)}${where}`;
  }
  return '';
}

function mismatchText(run: RunFile): string {
  const { acknowledged, unknown } = run.ledger;
  const { stored, detail } = run.verification;
  const why = detail === '' ? '' : `: ${printable(detail, 400)}`;
  if (stored === null) return `the server contradicts the ledger${why}`;
  const held = `the server holds ${counted(stored, 'row')} of this run`;
  if (stored < acknowledged)
    return `${held}, ${formatExact(acknowledged - stored)} fewer than it acknowledged: rows were LOST${why}`;
  const most = acknowledged + unknown;
  if (stored > most)
    return `${held}, ${formatExact(stored - most)} more than can be stored: DUPLICATES${why}`;
  return `the server's rows differ from what was sent${why}`;
}

function serverSentence(run: RunFile): Sentence {
  const { stored, verdict, detail, method } = run.verification;
  const why = detail === '' ? '' : ` · ${printable(detail, 400)}`;
  const server = run.target.kind === 'sandbox' ? 'sandbox' : 'server';
  const count = stored === null ? '' : ` ${formatExact(stored)}`;
  switch (verdict) {
    case 'match':
      // The detail would say the same numbers again; of a mismatch the headline has it.
      return { text: `${server} counts${count}: match`, style: 'plain' };
    case 'mismatch':
      return { text: `${server} counts${count}: MISMATCH`, style: 'redBold' };
    case 'advisory':
      return {
        text: `${run.plan.also.length === 0 ? 'the table' : 'the tables'} grew by${count} (advisory, by ${method})${why}`,
        style: 'plain',
      };
    case 'unavailable':
      return { text: `the ${server}'s count could not be had${why}`, style: 'redBold' };
    default:
      return { text: `the ${server}'s count was not asked for${why}`, style: 'plain' };
  }
}

/** Why the run ended before its bound, as the tail of a sentence; '' when it reached it. */
function whyEnded(run: RunFile): string {
  const { endDetail, signal } = run.run;
  const detail = endDetail === '' || endDetail === signal ? '' : ` (${printable(endDetail, 400)})`;
  switch (run.run.endReason) {
    case 'rows':
    case 'duration':
      return detail === '' ? '' : `: ended by its budget${detail}`;
    case 'signal':
      return `: stopped by ${signal ?? 'a signal'}${detail}`;
    case 'outage':
      return `: no node took rows for too long${detail}`;
    case 'blocked':
      return `: the table could take no more rows${detail}`;
    case 'maxFailed':
      return `: more rows failed than --max-failed allows${detail}`;
    case 'workers':
      return `: worker processes kept dying${detail}`;
    case 'killed':
      return `: the parent process was killed${detail}`;
    case 'error':
      return `: an unexpected error ended it${detail}`;
  }
}
