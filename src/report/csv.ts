/** The series of a run as CSV (RFC 4180): one row a point, columns for all of it and for each worker. */
import { printable } from '../base/text.ts';
import type { RunFile } from './run-file-schema.ts';

type Cell = number | string | null;

/** Header and rows, lines ended by CRLF. What was not measured is an empty cell. */
export function renderSeriesCsv(run: RunFile): string {
  const parts = [wholeColumns(run), ...workerColumns(run), serverColumns(run), hostColumns(run)];
  const header = parts.flatMap(({ names }) => names);
  const rows = run.series.map((_, position) => parts.flatMap(({ cellsAt }) => cellsAt(position)));
  return [header, ...rows].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
}

/** Columns side by side, and what stands in them at a point of the series. */
interface Columns {
  readonly names: readonly string[];
  readonly cellsAt: (position: number) => readonly Cell[];
}

function wholeColumns({ series }: RunFile): Columns {
  return {
    names: ['t_ms', 'rows', 'errors', 'p50_ms', 'p99_ms'],
    cellsAt: (position) => {
      const point = series[position];
      return point === undefined ? [] : [point.tMs, point.rows, point.errors, point.p50Ms, point.p99Ms];
    },
  };
}

function workerColumns({ workers, series }: RunFile): readonly Columns[] {
  return workers.map(({ index }) => ({
    names: ['pid', 'rows', 'cpu_percent', 'resident_bytes'].map((name) => `worker_${index}_${name}`),
    cellsAt: (position) => {
      const sample = series[position]?.workers.find((each) => each.index === index);
      if (sample === undefined) return [null, null, null, null];
      return [sample.pid, sample.rows, sample.cpuPercent, sample.residentBytes];
    },
  }));
}

/** The server is asked at moments of its own: a point has what was said last since the point before. */
function serverColumns({ server, series }: RunFile): Columns {
  const nodes = server?.nodes ?? [];
  const samples = newestPerPoint(series, server?.samples ?? []);
  const perNode = ['cpu_percent', 'heap_used_bytes', 'write_active', 'write_queue', 'write_rejected'];
  return {
    names: [
      ...nodes.flatMap(({ name }) => perNode.map((measure) => `node_${name}_${measure}`)),
      ...(server === null ? [] : ['inserts_per_second', 'insert_mean_ms', 'translog_bytes', 'health']),
    ],
    cellsAt: (position) => {
      if (server === null) return [];
      const sample = samples[position];
      return [
        ...nodes.flatMap((_, index): Cell[] => {
          const node = sample?.nodes.find((each) => each.node === index);
          if (node === undefined) return perNode.map(() => null);
          return [node.cpuPercent, node.heapUsedBytes, node.writeActive, node.writeQueue, node.writeRejected];
        }),
        sample?.insertsPerSecond ?? null,
        sample?.insertMeanMs ?? null,
        sample?.translogBytes ?? null,
        sample?.health ?? null,
      ];
    },
  };
}

function hostColumns({ host, series }: RunFile): Columns {
  const samples = newestPerPoint(series, host.samples);
  const isMeasured = host.samples.length > 0;
  return {
    names: isMeasured
      ? ['host_busy_percent', 'host_throttled_ms', 'host_received_bytes', 'host_sent_bytes']
      : [],
    cellsAt: (position) => {
      const sample = samples[position];
      if (!isMeasured) return [];
      return [
        sample?.busyPercent ?? null,
        sample?.throttledMs ?? null,
        sample?.receivedBytes ?? null,
        sample?.sentBytes ?? null,
      ];
    },
  };
}

/** For each point the newest sample that is not older than the point before; both rise in time. */
function newestPerPoint<Sample extends { readonly tMs: number }>(
  series: RunFile['series'],
  samples: readonly Sample[],
): readonly (Sample | undefined)[] {
  let next = 0;
  return series.map(({ tMs }) => {
    let newest: Sample | undefined;
    for (let sample = samples[next]; sample !== undefined && sample.tMs <= tMs; sample = samples[next]) {
      newest = sample;
      next += 1;
    }
    return newest;
  });
}

/**
 * One cell. Text that a spreadsheet would take as a formula gets an apostrophe before it, and nothing that controls a
 * terminal or the direction of text stays in it.
 */
export function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : '';
  const shown = printable(cell, 1000);
  const harmless = /^[\s]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]/.test(shown) ? `'${shown}` : shown;
  return /[",\s']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
