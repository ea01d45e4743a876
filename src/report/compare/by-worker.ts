/**
 * The workers of one run against each other: each one's share of the rate, window by window, so that what befell all of
 * them at once counts for none. Pure.
 */
import { seededRandom } from '../../base/seeded-random.ts';
import { blockStandardError, meanOf, studentT } from '../../metrics/bootstrap.ts';
import { formatExact } from '../../base/units.ts';
import { cpuSecondsOf, ownRows, perMillionRows, shareOfTime } from '../costs.ts';
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
  /** 0..1: part of the run in which it was ready and waited for a core. */
  readonly coreWait: number | null;
  /** Bodies of requests and of replies. */
  readonly sentBytes: number | null;
  readonly receivedBytes: number | null;
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
    const share = shareOf(windowsOf(curves, position, run.plan.warmUpMs), confidence, random);
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
      coreWait: shareOfTime(worker.coreWaitMs, runningMs),
      sentBytes: worker.sentBytes,
      receivedBytes: worker.receivedBytes,
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

interface WorkerColumn {
  readonly header: string;
  /** 1 is dropped last where the line is too narrow. */
  readonly rank: number;
  readonly cellOf: (worker: ComparedWorker) => string;
}

const COLUMNS: readonly WorkerColumn[] = [
  { header: 'worker', rank: 1, cellOf: ({ index }) => String(index) },
  { header: 'pid', rank: 4, cellOf: ({ pids }) => pids.join(' ') },
  { header: 'rows', rank: 2, cellOf: ({ rows }) => formatExact(rows) },
  { header: 'rows/s', rank: 1, cellOf: ({ rowsPerSecond }) => orDash(rowsPerSecond, formatRate) },
  {
    header: 'CPU s per m rows',
    rank: 3,
    cellOf: ({ cpuSecondsPerMillionRows }) => orDash(cpuSecondsPerMillionRows, formatSeconds),
  },
  { header: 'CPU', rank: 3, cellOf: ({ cpuPercentMean }) => orDash(cpuPercentMean, formatPercent) },
  { header: 'core wait', rank: 5, cellOf: ({ coreWait }) => orDash(coreWait, formatShare) },
  { header: 'RSS MiB', rank: 4, cellOf: ({ residentBytesMax }) => orDash(residentBytesMax, formatMebibytes) },
  {
    header: 'loop',
    rank: 6,
    cellOf: ({ eventLoopUtilization }) => orDash(eventLoopUtilization, formatShare),
  },
  { header: 'sent MiB', rank: 8, cellOf: ({ sentBytes }) => orDash(sentBytes, formatMebibytes) },
  { header: 'received MiB', rank: 9, cellOf: ({ receivedBytes }) => orDash(receivedBytes, formatMebibytes) },
  { header: 'restarts', rank: 7, cellOf: ({ restarts }) => formatExact(restarts) },
  { header: 'against the others', rank: 1, cellOf: shareText },
];

/** Headers of the cells of a worker. */
export const WORKER_HEADERS = COLUMNS.map(({ header }) => header);

export function workerCells(worker: ComparedWorker): string[] {
  return COLUMNS.map(({ cellOf }) => cellOf(worker));
}

/** Lines ended by `\n`. */
export function renderWorkers(workers: readonly ComparedWorker[], view: TextView): string {
  const columns = COLUMNS.map(({ header, rank }, index): TableColumn => {
    return { header, rank, align: index === 0 ? 'left' : 'right' };
  });
  const rows = workers.map((worker): TableRow => {
    const isClear = worker.verdict === 'faster' || worker.verdict === 'slower';
    return { cells: workerCells(worker), cellStyles: isClear ? { [COLUMNS.length - 1]: 'yellow' } : {} };
  });
  const head = wrap(workersText(workers), view.columns).map((line): Line => [styled('bold', line)]);
  const note = wrap(
    `Each worker's rate against the mean of the others over the same seconds; all ${workers.length} intervals together hold in 95 of 100 runs. Less than ${MIN_DIFFERENCE * 100} % is called no difference. Core wait: ready, no core free.`,
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

/** Rates over the same stretch of time, in rows/s. */
interface Window {
  readonly own: number;
  /** The mean of the other workers. */
  readonly others: number;
}

/** The windows after the warm-up in which the worker and another one were there. */
function windowsOf(
  curves: ReturnType<typeof workerCurves>,
  position: number,
  warmUpMs: number,
): readonly Window[] {
  const own = curves[position];
  if (own === undefined) return [];
  const others = curves.filter((_, index) => index !== position);
  return own.rowsPerSecond.flatMap((rate, moment) => {
    const rates = others
      .map(({ rowsPerSecond }) => rowsPerSecond[moment] ?? null)
      .filter((each) => each !== null);
    if (rate === null || rates.length === 0 || (own.atMs[moment] ?? 0) <= warmUpMs) return [];
    return [{ own: rate, others: meanOf(rates) }];
  });
}

/**
 * The ratio of the means, with the interval of the linear ratio estimator (Cochran, Sampling Techniques, 6.3). A mean
 * of the windows' ratios would say of each of two equal workers that it is faster: few batches end in a window, and a
 * ratio gains more from a low denominator than it loses from a high one.
 */
function shareOf(
  windows: readonly Window[],
  confidence: number,
  random: () => number,
): ComparedWorker['share'] {
  const others = windows.length === 0 ? 0 : meanOf(windows.map((window) => window.others));
  if (others === 0) return null;
  const ratio = meanOf(windows.map(({ own }) => own)) / others;
  const residuals = windows.map((window) => (window.own - ratio * window.others) / others);
  // What befalls all workers is gone from a residual: its neighbours resemble each other less.
  const error = blockStandardError(residuals, random, 1.5);
  if (error === null) return null;
  const reach = error * studentT(confidence, Math.max(4, windows.length / 5));
  return { ratio, low: Math.max(0, ratio - reach), high: ratio + reach };
}

function verdictOf(share: ComparedWorker['share']): ComparedWorker['verdict'] {
  if (share === null) return 'notMeasured';
  if (share.low > 1 + MIN_DIFFERENCE) return 'faster';
  return share.high < 1 - MIN_DIFFERENCE ? 'slower' : 'noClearDifference';
}
