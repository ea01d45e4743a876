/**
 * The table of processes in a summary: every worker, or with many of them the ones that differ most; then what
 * is typical (min, median, max), how uneven it is, and the parent.
 */
import { formatExact, formatShort } from '../../base/units.ts';
import { missingRows } from '../../metrics/ledger.ts';
import { sumOfKnown } from '../../metrics/measured.ts';
import { cpuSecondsOf, ownRows, perMillionRows, shareOfTime } from '../costs.ts';
import type { RunFile, RunFileWorker } from '../run-file-schema.ts';
import {
  formatMebibytes,
  formatPercent,
  formatSeconds,
  formatShare,
  median,
  NOT_MEASURED,
  orDash,
} from '../quantities.ts';
import { type Line, type TextView, plain, styled, wrap } from '../styled-text.ts';
import { type TableColumn, type TableRow, tableLines, tableNotes } from '../table.ts';

/** Up to this many workers each has a row. */
const ALL_SHOWN = 16;
/** Of more, this many of those that differ most. */
const DIFFERENT_SHOWN = 10;

/** Up to so many workers can be compared as they stand there, without what is typical of them. */
const FEW = 3;

const PER_MILLION = '/m: per million rows';

const COLUMNS: readonly TableColumn[] = [
  { header: 'processes', align: 'left', rank: 1 },
  { header: 'pid', align: 'right', rank: 2 },
  { header: 'rows', align: 'right', rank: 1 },
  { header: 'rows/s', align: 'right', rank: 2 },
  {
    header: 'missing',
    shortHeader: 'miss',
    align: 'right',
    rank: 3,
    note: 'missing: rejected, failed or unknown',
  },
  { header: 'cpu s', align: 'right', rank: 4 },
  { header: 'cpu mean', shortHeader: 'cpu', align: 'right', rank: 2, note: 'cpu 100 %: one core' },
  { header: 'cpu max', shortHeader: 'max', align: 'right', rank: 6 },
  { header: 'rss MiB', align: 'right', rank: 3, note: 'rss: most memory' },
  { header: 'loop', align: 'right', rank: 5, note: 'loop: event loop busy' },
  { header: 'restarts', align: 'right', rank: 7 },
  { header: 'cpu s/m rows', shortHeader: 'cpu s/m', align: 'right', rank: 8, note: PER_MILLION },
  { header: 'MiB/m rows', shortHeader: 'MiB/m', align: 'right', rank: 10, note: PER_MILLION },
  {
    header: 'core wait',
    shortHeader: 'wait',
    align: 'right',
    rank: 9,
    note: 'wait: ready, no core free',
  },
  { header: 'sent MiB', shortHeader: 'MiB out', align: 'right', rank: 11 },
  { header: 'received MiB', shortHeader: 'MiB in', align: 'right', rank: 12 },
];

/** One process in numbers; null = not measured. */
interface Measures {
  readonly rows: number | null;
  readonly rowsPerSecond: number | null;
  readonly missing: number | null;
  readonly cpuSeconds: number | null;
  readonly cpuMean: number | null;
  readonly cpuMax: number | null;
  readonly residentBytes: number | null;
  readonly eventLoop: number | null;
  readonly restarts: number | null;
  /** CPU seconds, and bytes of its largest memory, for a million acknowledged rows. */
  readonly cpuPerMillion: number | null;
  readonly bytesPerMillion: number | null;
  /** Share of the run in which it was ready and waited for a core. */
  readonly coreWait: number | null;
  /** Bodies of requests and of replies. */
  readonly sentBytes: number | null;
  readonly receivedBytes: number | null;
  /** Whether the CPU seconds miss the last moments of a process. */
  readonly isLowerBound: boolean;
}

type Measure = Exclude<keyof Measures, 'isLowerBound'>;

const FORMATS: Readonly<Record<Measure, (value: number) => string>> = {
  rows: formatExact,
  rowsPerSecond: formatShort,
  missing: formatExact,
  cpuSeconds: formatSeconds,
  cpuMean: formatPercent,
  cpuMax: formatPercent,
  residentBytes: formatMebibytes,
  eventLoop: formatShare,
  restarts: formatExact,
  cpuPerMillion: formatSeconds,
  bytesPerMillion: formatMebibytes,
  coreWait: formatShare,
  sentBytes: formatMebibytes,
  receivedBytes: formatMebibytes,
};

const MEASURES: readonly Measure[] = [
  'rows',
  'rowsPerSecond',
  'missing',
  'cpuSeconds',
  'cpuMean',
  'cpuMax',
  'residentBytes',
  'eventLoop',
  'restarts',
  'cpuPerMillion',
  'bytesPerMillion',
  'coreWait',
  'sentBytes',
  'receivedBytes',
];

const RESTARTS = MEASURES.indexOf('restarts');

/** What makes one worker stand out beside the others. */
const COMPARED: readonly Measure[] = [
  'rows',
  'cpuSeconds',
  'cpuMean',
  'residentBytes',
  'eventLoop',
  'cpuPerMillion',
];

/** What does not add up: peaks of different moments, shares of different loops, costs per row. */
const NO_SUM: readonly Measure[] = ['cpuMax', 'eventLoop', 'cpuPerMillion', 'bytesPerMillion', 'coreWait'];

/** The lines of the table; `view.columns` decides which columns stay. */
export function workerTable(run: RunFile, view: TextView): Line[] {
  const measured = run.workers.map((worker) => measuresOf(worker, run.run.runningMs));
  const shown = shownWorkers(run.workers, measured);
  const rows = shown.map(({ worker, measures }) => workerRow(worker, measures));
  const [all, options] = [
    [...rows, ...groupRows(measured), parentRow(run)],
    { cells: view.columns, indent: 0 },
  ];
  const notes = tableNotes(COLUMNS, all, options);
  const spread = measured.length < 2 ? [] : ['imbalance: (max - min) / median'];
  const warmUp = run.plan.warmUpMs === 0 ? [] : ['rows/s: warm-up included'];
  const table = [...tableLines(COLUMNS, all, options), ...noteLines([...notes, ...spread, ...warmUp], view)];
  const hidden = run.workers.length - shown.length;
  if (hidden <= 0) return table;
  const note: Line = [
    plain('  '),
    styled('dim', `… ${hidden} more workers: these are the ${shown.length} that differ most`),
  ];
  return [...table.slice(0, shown.length + 1), note, ...table.slice(shown.length + 1)];
}

function noteLines(notes: readonly string[], view: TextView): Line[] {
  return wrap(notes.join(' · '), view.columns - 2).map((text) => [plain('  '), styled('dim', text)]);
}

function measuresOf(worker: RunFileWorker, runningMs: number | null): Measures {
  const own = ownRows(worker);
  return {
    rows: worker.ledger.acknowledged,
    rowsPerSecond: runningMs === null || runningMs === 0 ? null : (own / runningMs) * 1000,
    missing: missingRows(worker.ledger),
    cpuSeconds: cpuSecondsOf(worker),
    cpuMean: worker.cpu.percentMean,
    cpuMax: worker.cpu.percentMax,
    residentBytes: worker.memory.residentBytesMax,
    eventLoop: worker.eventLoopUtilization,
    restarts: worker.restarts,
    ...perMillion(worker, own),
    coreWait: shareOfTime(worker.coreWaitMs, runningMs),
    sentBytes: worker.sentBytes,
    receivedBytes: worker.receivedBytes,
    isLowerBound: worker.cpu.lowerBound,
  };
}

/** What a process cost for a million of `rows`; null when it stored none. */
function perMillion(
  process: Pick<RunFileWorker, 'cpu' | 'memory'>,
  rows: number,
): Pick<Measures, 'cpuPerMillion' | 'bytesPerMillion'> {
  return {
    cpuPerMillion: perMillionRows(cpuSecondsOf(process), rows),
    bytesPerMillion: perMillionRows(process.memory.residentBytesMax, rows),
  };
}

function workerRow(worker: RunFileWorker, measures: Measures): TableRow {
  const cells = cellsOf(measures);
  const lowerBound = worker.cpu.lowerBound
    ? cells.map((cell, index) => (index === 3 ? `≥${cell}` : cell))
    : cells;
  return {
    cells: [`  ${worker.index}`, String(worker.pids.at(-1) ?? NOT_MEASURED), ...lowerBound],
    cellStyles: {
      ...(measures.missing === 0 ? {} : { 4: 'red' }),
      ...(worker.restarts === 0 ? {} : { 10: 'yellow' }),
    },
  };
}

function cellsOf(measures: Measures): string[] {
  return MEASURES.map((measure) => orDash(measures[measure], FORMATS[measure]));
}

/** Total, min, median, max and imbalance over the workers; one needs none of them, a few no min, median and max. */
function groupRows(all: readonly Measures[]): TableRow[] {
  if (all.length < 2) return [];
  // Half a restart is nobody's.
  const over = (reduce: (values: readonly number[]) => number | null): string[] =>
    MEASURES.map((measure) =>
      measure === 'restarts' ? '' : orDash(reduce(known(all, measure)), FORMATS[measure]),
    );
  const total = MEASURES.map((measure) => {
    if (NO_SUM.includes(measure)) return '';
    const sum = sumOfKnown(all.map((measures) => measures[measure]));
    const isPart =
      all.some((measures) => measures[measure] === null) ||
      (measure === 'cpuSeconds' && all.some((measures) => measures.isLowerBound));
    return `${isPart && sum !== null ? '≥' : ''}${orDash(sum, FORMATS[measure])}`;
  });
  const uneven = MEASURES.map((measure) =>
    COMPARED.includes(measure) ? imbalance(known(all, measure)) : '',
  );
  const typical: TableRow[] = [
    {
      cells: ['  min', '', ...over((values) => (values.length === 0 ? null : Math.min(...values)))],
      style: 'dim',
    },
    { cells: ['  median', '', ...over(median)], style: 'dim' },
    {
      cells: ['  max', '', ...over((values) => (values.length === 0 ? null : Math.max(...values)))],
      style: 'dim',
    },
  ];
  return [
    { cells: ['  all', '', ...total], style: 'bold' },
    ...(all.length <= FEW ? [] : typical),
    { cells: ['  imbalance', '', ...uneven], style: 'dim' },
  ];
}

/** (max − min) / median. */
function imbalance(values: readonly number[]): string {
  const middle = median(values);
  if (middle === null || middle === 0) return NOT_MEASURED;
  return formatShare((Math.max(...values) - Math.min(...values)) / middle);
}

function parentRow(run: RunFile): TableRow {
  const { pid, cpu, memory, eventLoopUtilization } = run.coordinator;
  const cells = cellsOf({
    rows: null,
    rowsPerSecond: null,
    missing: null,
    cpuSeconds: cpuSecondsOf(run.coordinator),
    cpuMean: cpu.percentMean,
    cpuMax: cpu.percentMax,
    residentBytes: memory.residentBytesMax,
    eventLoop: eventLoopUtilization,
    restarts: null,
    // Of all rows: what the parent costs is added to each of them.
    ...perMillion(
      run.coordinator,
      run.workers.reduce((sum, { ledger, earlierRows }) => sum + ledger.acknowledged - earlierRows, 0),
    ),
    coreWait: shareOfTime(run.coordinator.coreWaitMs, run.run.runningMs),
    sentBytes: null,
    receivedBytes: null,
    isLowerBound: cpu.lowerBound,
  });
  return {
    cells: [
      '  parent',
      String(pid),
      '',
      '',
      '',
      ...cells.slice(3, RESTARTS),
      '',
      ...cells.slice(RESTARTS + 1),
    ],
  };
}

/** All workers, or of many the ones that lie farthest from the median in any measure; in the order of their numbers. */
function shownWorkers(
  workers: readonly RunFileWorker[],
  all: readonly Measures[],
): { worker: RunFileWorker; measures: Measures }[] {
  const medians = new Map(COMPARED.map((measure) => [measure, median(known(all, measure))] as const));
  const rated = workers.flatMap((worker, index) => {
    const measures = all[index];
    return measures === undefined ? [] : [{ worker, measures, difference: differenceOf(measures, medians) }];
  });
  if (rated.length <= ALL_SHOWN) return rated;
  return rated
    .sort((a, b) => b.difference - a.difference || a.worker.index - b.worker.index)
    .slice(0, DIFFERENT_SHOWN)
    .sort((a, b) => a.worker.index - b.worker.index);
}

function differenceOf(measures: Measures, medians: ReadonlyMap<Measure, number | null>): number {
  // A worker with missing rows or a restart is always more worth a line than one that is merely slower.
  const trouble = (measures.missing ?? 0) > 0 || (measures.restarts ?? 0) > 0 ? 1000 : 0;
  const farthest = COMPARED.reduce((most, measure) => {
    const [value, middle] = [measures[measure], medians.get(measure) ?? null];
    return value === null || middle === null || middle === 0
      ? most
      : Math.max(most, Math.abs(value / middle - 1));
  }, 0);
  return trouble + farthest;
}

function known(all: readonly Measures[], measure: Measure): number[] {
  return all.map((measures) => measures[measure]).filter((value) => value !== null);
}
