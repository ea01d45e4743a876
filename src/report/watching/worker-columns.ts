/**
 * The columns of the table of workers while a run goes on, each described once: its header, its text and its order
 * on the live screen and on the live page. Pure.
 */
import { formatExact, formatShort } from '../../base/units.ts';
import type { RunState, WorkerState } from '../../coordinator/run-state.ts';
import { missingRows } from '../../metrics/ledger.ts';
import { requestsInFlight, residentBytes, workersCpuPercent, workersResidentBytes } from './progress.ts';
import { NOT_MEASURED, formatMebibytes, formatPercent, formatShare, orDash } from '../quantities.ts';
import type { Style } from '../styled-text.ts';
import type { TableColumn, TableRow } from '../table.ts';

export type WorkerColumnKey =
  | 'index'
  | 'pid'
  | 'state'
  | 'rate'
  | 'rows'
  | 'batches'
  | 'errors'
  | 'inFlight'
  | 'cpu'
  | 'memory'
  | 'loop'
  | 'restarts';

export interface WorkerColumn extends TableColumn {
  readonly key: WorkerColumnKey;
  /** What the header means, for who does not know. */
  readonly meaning: string;
  readonly text: (worker: WorkerState, state: RunState) => string;
  /** What rows are ordered by; null stands behind all numbers. */
  readonly value: (worker: WorkerState) => number | null;
  /** The cell of the row of all workers. */
  readonly total: (state: RunState) => string;
  /** The cell of the parent's row. */
  readonly parent: (state: RunState) => string;
  readonly style?: (worker: WorkerState) => Style;
  readonly totalStyle?: (state: RunState) => Style;
}

const nothing = (): string => '';

/** In the order of the eye; a narrow terminal loses those of high rank first. */
export const WORKER_COLUMNS: readonly WorkerColumn[] = [
  {
    key: 'index',
    header: '#',
    meaning: 'number of the process',
    align: 'left',
    minWidth: 6,
    rank: 1,
    text: ({ index }) => String(index),
    value: ({ index }) => index,
    total: () => 'all',
    parent: () => 'parent',
  },
  {
    key: 'pid',
    header: 'pid',
    meaning: 'process id',
    align: 'right',
    minWidth: 7,
    rank: 8,
    text: ({ pid }) => (pid === null ? NOT_MEASURED : String(pid)),
    value: ({ pid }) => pid,
    total: ({ workers }) => String(workers.length),
    parent: ({ coordinator }) => String(coordinator.pid),
  },
  {
    key: 'state',
    header: 'state',
    meaning: 'what the process does',
    align: 'left',
    minWidth: 8,
    rank: 3,
    text: stateText,
    value: (worker) => STATES.indexOf(stateText(worker)),
    total: nothing,
    parent: nothing,
    style: (worker) => (isWaiting(worker) ? 'yellow' : 'plain'),
  },
  {
    key: 'rate',
    header: 'rows/s',
    meaning: 'rows acknowledged in the last second',
    align: 'right',
    minWidth: 6,
    rank: 1,
    text: ({ rowsPerSecond }) => formatShort(rowsPerSecond),
    value: ({ rowsPerSecond }) => rowsPerSecond,
    total: ({ window }) => formatShort(window.rowsPerSecond),
    parent: nothing,
  },
  {
    key: 'rows',
    header: 'rows',
    meaning: 'rows acknowledged by the server',
    align: 'right',
    minWidth: 6,
    rank: 2,
    text: ({ total }) => formatShort(total.ledger.acknowledged),
    value: ({ total }) => total.ledger.acknowledged,
    total: ({ total }) => formatShort(total.ledger.acknowledged),
    parent: nothing,
  },
  {
    key: 'batches',
    header: 'batches',
    shortHeader: 'batch',
    meaning: 'batches whose rows are all in a final state',
    align: 'right',
    minWidth: 6,
    rank: 12,
    text: ({ total }) => formatCount(total.batches.completed),
    value: ({ total }) => total.batches.completed,
    total: ({ total }) => formatCount(total.batches.completed),
    parent: nothing,
  },
  {
    key: 'errors',
    header: 'errors',
    shortHeader: 'err',
    meaning: 'rows that are rejected, failed or unknown (sent, and no answer says what became of them)',
    align: 'right',
    minWidth: 4,
    rank: 4,
    text: ({ total }) => formatCount(missingRows(total.ledger)),
    value: ({ total }) => missingRows(total.ledger),
    total: ({ total }) => formatCount(missingRows(total.ledger)),
    parent: nothing,
    style: ({ total }) => (missingRows(total.ledger) > 0 ? 'red' : 'plain'),
    totalStyle: ({ total }) => (missingRows(total.ledger) > 0 ? 'red' : 'plain'),
  },
  {
    key: 'inFlight',
    header: 'in flight',
    shortHeader: 'in fl',
    meaning: 'requests that were sent, or wait to be sent again',
    align: 'right',
    minWidth: 4,
    rank: 9,
    text: ({ total }, { plan }) => formatCount(Math.ceil(total.ledger.inFlight / plan.load.batchSize)),
    value: ({ total }) => total.ledger.inFlight,
    total: (state) => formatCount(requestsInFlight(state).now),
    parent: nothing,
  },
  {
    key: 'cpu',
    header: 'cpu',
    meaning: '100 % = one core, seen from outside',
    align: 'right',
    minWidth: 5,
    rank: 5,
    text: (worker) => (isGone(worker) ? NOT_MEASURED : orDash(worker.outside.cpuPercent, formatPercent)),
    value: ({ outside }) => outside.cpuPercent,
    total: ({ workers }) => orDash(workersCpuPercent(workers), formatPercent),
    parent: ({ coordinator }) => orDash(coordinator.outside.cpuPercent, formatPercent),
  },
  {
    key: 'memory',
    header: 'rss MiB',
    shortHeader: 'MiB',
    meaning: 'resident memory; pages that processes share count in each of them',
    align: 'right',
    minWidth: 5,
    rank: 6,
    text: (worker) => (isGone(worker) ? NOT_MEASURED : orDash(residentBytes(worker), formatMebibytes)),
    value: residentBytes,
    total: ({ workers }) => orDash(workersResidentBytes(workers), formatMebibytes),
    parent: ({ coordinator }) => orDash(coordinator.outside.residentBytes, formatMebibytes),
  },
  {
    key: 'loop',
    header: 'loop',
    meaning: 'share of time in which the event loop of the process was busy',
    align: 'right',
    minWidth: 4,
    rank: 10,
    text: (worker) => (isGone(worker) ? NOT_MEASURED : formatShare(worker.total.use.eventLoopUtilization)),
    value: ({ total }) => total.use.eventLoopUtilization,
    total: nothing,
    parent: ({ coordinator }) => formatShare(coordinator.eventLoopUtilization),
  },
  {
    key: 'restarts',
    header: 'restarts',
    shortHeader: 'died',
    meaning: 'processes that died here and were replaced',
    align: 'right',
    minWidth: 4,
    rank: 11,
    text: ({ restarts }) => String(restarts),
    value: ({ restarts }) => restarts,
    total: ({ workers }) => String(workers.reduce((sum, { restarts }) => sum + restarts, 0)),
    parent: nothing,
    style: ({ restarts }) => (restarts > 0 ? 'yellow' : 'plain'),
  },
];

const STATES = ['spawning', 'ready', 'running', 'slowed', 'paused', 'draining', 'exited'];

function stateText(worker: WorkerState): string {
  if (!isWaiting(worker)) return worker.phase;
  return worker.total.waiting?.cause === 'overload' ? 'slowed' : 'paused';
}

function isWaiting({ total, phase }: WorkerState): boolean {
  return total.waiting !== null && phase === 'running';
}

export function isGone({ phase }: WorkerState): boolean {
  return phase === 'exited';
}

export function workerRow(worker: WorkerState, state: RunState): TableRow {
  const row = isGone(worker) ? 'dim' : 'plain';
  return {
    cells: WORKER_COLUMNS.map((column) => column.text(worker, state)),
    style: row,
    cellStyles: stylesOf((column) => column.style?.(worker)),
  };
}

export function totalRow(state: RunState): TableRow {
  return {
    cells: WORKER_COLUMNS.map((column) => column.total(state)),
    style: 'bold',
    cellStyles: stylesOf((column) => column.totalStyle?.(state)),
  };
}

export function parentRow(state: RunState): TableRow {
  return { cells: WORKER_COLUMNS.map((column) => column.parent(state)), style: 'dim' };
}

/** Only where a cell differs from its row. */
function stylesOf(styleOf: (column: WorkerColumn) => Style | undefined): Readonly<Record<number, Style>> {
  return Object.fromEntries(
    WORKER_COLUMNS.flatMap((column, index) => {
      const style = styleOf(column) ?? 'plain';
      return style === 'plain' ? [] : [[index, style]];
    }),
  );
}

/** By one column: numbers from the largest down, but the workers' own numbers upwards, which also settle ties. */
export function sortWorkers(workers: readonly WorkerState[], key: WorkerColumnKey): WorkerState[] {
  const column = WORKER_COLUMNS.find((each) => each.key === key);
  const orderOf = (worker: WorkerState): number =>
    key === 'index' ? worker.index : -(column?.value(worker) ?? -1);
  return [...workers].sort((a, b) => orderOf(a) - orderOf(b) || a.index - b.index);
}

/** Exact while it is short: `2,410`; then as the other numbers: `12.3 k`. */
export function formatCount(count: number): string {
  return count < 10_000 ? formatExact(count) : formatShort(count);
}
