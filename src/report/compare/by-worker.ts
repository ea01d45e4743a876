/**
 * The workers of one run against each other: each one's share of the rate, window by window, so that what befell all of
 * them at once counts for none. Pure.
 */
import { seededRandom } from '../../base/seeded-random.ts';
import { blockStandardError, meanOf, studentT } from '../../metrics/bootstrap.ts';
import { formatExact } from '../../base/units.ts';
import { cpuSecondsOf, ownRows, perMillionRows } from '../costs.ts';
import { workerCurves } from '../curves.ts';
import {
  formatMebibytes,
  formatPercent,
  formatRate,
  formatSeconds,
  formatShare,
  orDash,
} from '../quantities.ts';
import type { RunFile } from '../run-file-schema.ts';
import { type Line, type TextView, plain, renderLine, styled, wrap } from '../styled-text.ts';
import { type TableColumn, type TableRow, tableLines } from '../table.ts';

export interface ComparedWorker {
  readonly index: number;
  readonly pids: readonly number[];
  readonly rows: number;
  readonly rowsPerSecond: number | null;
  readonly cpuSecondsPerMillionRows: number | null;
  readonly cpuPercentMean: number | null;
  readonly residentBytesMax: number | null;
  readonly eventLoopUtilization: number | null;
  readonly restarts: number;
  /** Its rate over the mean rate of the others, with an interval; null when the series is too short to say. */
  readonly share: { readonly ratio: number; readonly low: number; readonly high: number } | null;
  readonly verdict: 'faster' | 'slower' | 'noClearDifference' | 'notMeasured';
}

/** All workers are judged at once: together they are right about nothing in at least 95 of 100 runs. */
const JOINT_ERROR = 0.05;
/** A difference that nobody would act on. */
const MIN_DIFFERENCE = 0.02;

/** One judgement a worker, in the order of their numbers. */
export function compareWorkers(run: RunFile, seed = 1): readonly ComparedWorker[] {
  const curves = workerCurves(run);
  const random = seededRandom(seed);
  const confidence = 1 - JOINT_ERROR / Math.max(1, run.workers.length);
  return run.workers.map((worker, position) => {
    const own = ownRows(worker);
    const series = sharesOf(curves, position, run.plan.warmUpMs);
    const share = shareOf(series, confidence, random);
    const { runningMs } = run.run;
    return {
      index: worker.index,
      pids: worker.pids,
      rows: worker.ledger.acknowledged,
      rowsPerSecond: runningMs === null || runningMs === 0 ? null : (own / runningMs) * 1000,
      cpuSecondsPerMillionRows: perMillionRows(cpuSecondsOf(worker), own),
      cpuPercentMean: worker.cpu.percentMean,
      residentBytesMax: worker.memory.residentBytesMax,
      eventLoopUtilization: worker.eventLoopUtilization,
      restarts: worker.restarts,
      share,
      verdict: verdictOf(share),
    };
  });
}

/** One sentence on who differs. */
export function workersText(workers: readonly ComparedWorker[]): string {
  const clear = workers.filter(({ verdict }) => verdict === 'faster' || verdict === 'slower');
  if (workers.every(({ verdict }) => verdict === 'notMeasured'))
    return 'the run was too short, or had too few workers, to tell them apart';
  if (clear.length === 0) return `no clear difference between the ${workers.length} workers`;
  const named = clear.slice(0, 8).map(({ index, verdict, share }) => {
    return `worker ${index} is ${formatShare(Math.abs((share?.ratio ?? 1) - 1))} ${verdict} than the others`;
  });
  return `${named.join('; ')}${clear.length > named.length ? `; and ${clear.length - named.length} more` : ''}`;
}

/** Cells of a worker, formatted; headers beside them. */
export const WORKER_HEADERS = [
  'worker',
  'pid',
  'rows',
  'rows/s',
  'CPU s per m rows',
  'CPU',
  'RSS MiB',
  'loop',
  'restarts',
  'against the others',
];

export function workerCells(worker: ComparedWorker): string[] {
  return [
    String(worker.index),
    worker.pids.join(' '),
    formatExact(worker.rows),
    orDash(worker.rowsPerSecond, formatRate),
    orDash(worker.cpuSecondsPerMillionRows, formatSeconds),
    orDash(worker.cpuPercentMean, formatPercent),
    orDash(worker.residentBytesMax, formatMebibytes),
    orDash(worker.eventLoopUtilization, formatShare),
    formatExact(worker.restarts),
    shareText(worker),
  ];
}

/** Lines ended by `\n`. */
export function renderWorkers(workers: readonly ComparedWorker[], view: TextView): string {
  const columns: readonly TableColumn[] = WORKER_HEADERS.map((header, index) => ({
    header,
    align: index === 0 ? 'left' : 'right',
    rank: [1, 4, 2, 1, 3, 3, 4, 6, 7, 1][index] ?? 9,
  }));
  const rows = workers.map((worker): TableRow => {
    const isClear = worker.verdict === 'faster' || worker.verdict === 'slower';
    return { cells: workerCells(worker), cellStyles: isClear ? { 9: 'yellow' } : {} };
  });
  const head = wrap(workersText(workers), view.columns).map((line): Line => [styled('bold', line)]);
  const note = wrap(
    `Each worker's rate against the mean of the others over the same seconds; all ${workers.length} intervals together hold in 95 of 100 runs. Less than ${MIN_DIFFERENCE * 100} % is called no difference.`,
    view.columns,
  ).map((line): Line => [styled('dim', line)]);
  const lines = [
    ...head,
    [plain('')],
    ...tableLines(columns, rows, { cells: view.columns, indent: 0 }),
    ...note,
  ];
  return `${lines.map((line) => renderLine(line, view)).join('\n')}\n`;
}

function shareText({ share, verdict }: ComparedWorker): string {
  if (share === null) return 'not measured';
  const [low, high] = [share.low - 1, share.high - 1].map(
    (value) => `${value < 0 ? '−' : '+'}${(Math.abs(value) * 100).toFixed(1)} %`,
  );
  const words = verdict === 'noClearDifference' ? 'no clear difference' : verdict;
  return `${words} (${low} to ${high})`;
}

/** In each window the worker's rate over the mean rate of the others; windows in which those stood still say nothing. */
function sharesOf(curves: ReturnType<typeof workerCurves>, position: number, warmUpMs: number): number[] {
  const own = curves[position];
  if (own === undefined || curves.length < 2) return [];
  const others = curves.filter((_, index) => index !== position);
  return own.rowsPerSecond.flatMap((rate, moment) => {
    const rates = others
      .map(({ rowsPerSecond }) => rowsPerSecond[moment] ?? null)
      .filter((each) => each !== null);
    const mean = rates.length === 0 ? 0 : meanOf(rates);
    return rate === null || mean === 0 || (own.atMs[moment] ?? 0) <= warmUpMs ? [] : [rate / mean];
  });
}

function shareOf(
  series: readonly number[],
  confidence: number,
  random: () => number,
): ComparedWorker['share'] {
  // What befalls all workers is gone from a ratio: its neighbours resemble each other less.
  const error = blockStandardError(series, random, 1.5);
  if (error === null) return null;
  const [ratio, reach] = [meanOf(series), error * studentT(confidence, Math.max(4, series.length / 5))];
  return { ratio, low: Math.max(0, ratio - reach), high: ratio + reach };
}

function verdictOf(share: ComparedWorker['share']): ComparedWorker['verdict'] {
  if (share === null) return 'notMeasured';
  if (share.low > 1 + MIN_DIFFERENCE) return 'faster';
  return share.high < 1 - MIN_DIFFERENCE ? 'slower' : 'noClearDifference';
}
