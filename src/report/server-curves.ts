/**
 * What the server and this host said of themselves, as curves on the time axis of the run: one line a node, or with
 * many nodes the lowest, the middle and the highest. Pure.
 */
import { formatBytes, formatShort } from '../base/units.ts';
import { maxOfKnown } from '../metrics/measured.ts';
import { type Curve, type Curves, isMeasured, ratesOf } from './curves.ts';
import { formatLatency, formatPercent, median } from './quantities.ts';
import type { RunFile } from './run-file-schema.ts';

type Server = NonNullable<RunFile['server']>;
type ServerSample = Server['samples'][number];
type NodeSample = ServerSample['nodes'][number];

/** One measure with its curves; those without a single value are left out. */
export interface MeasuredCurves {
  /** A word of letters and dashes, unique among all. */
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly unit: string;
  readonly format: (value: number) => string;
  readonly curves: Curves;
  /** The top of its scale at least. */
  readonly scaleTo?: number;
}

/** With more lines than this nobody finds a node again. */
const MAX_NODE_LINES = 8;

/** Samples that are so many times further apart than usual have a time between them in which the server was silent. */
const SILENT_STEPS = 3;

/** The measures that the server answered, in the order of a page; none when it was not asked. */
export function serverCurves(run: RunFile): readonly MeasuredCurves[] {
  if (run.server === null || run.server.samples.length === 0) return [];
  const server = { ...run.server, samples: withSilence(run.server.samples) };
  const atMs = server.samples.map(({ tMs }) => tMs);
  const perNode = (valueOf: (sample: NodeSample) => number | null, since: 'start' | 'ever'): Curves => ({
    atMs,
    curves: foldedNodes(server.nodes.map(({ name }, node) => nodeCurve(server, node, name, valueOf, since))),
  });
  const whole = (name: string, values: readonly (number | null)[]): Curves => ({
    atMs,
    curves: [{ name, values }],
  });
  const all: readonly MeasuredCurves[] = [
    {
      id: 'server-cpu',
      title: 'Server CPU',
      note: 'The CrateDB process of each node; 100 % is one core.',
      unit: '%',
      format: formatPercent,
      curves: perNode(({ cpuPercent }) => cpuPercent, 'ever'),
      scaleTo: Math.max(0, ...server.nodes.map(({ cores }) => (cores ?? 0) * 100)),
    },
    {
      id: 'server-heap',
      title: 'Server heap',
      note: 'Used share of the heap of each node.',
      unit: '%',
      format: formatPercent,
      curves: perNode(({ heapUsedBytes, heapMaxBytes }) => shareOf(heapUsedBytes, heapMaxBytes), 'ever'),
      scaleTo: 100,
    },
    {
      id: 'server-queue',
      title: 'Write queue',
      note: 'Writes that waited in the thread pool of each node when it was asked.',
      unit: 'writes',
      format: formatShort,
      curves: perNode(({ writeQueue }) => writeQueue, 'ever'),
    },
    {
      id: 'server-rejected',
      title: 'Writes refused by the pool',
      note: 'Since the first sample of the run: the pool and its queue were full.',
      unit: 'writes',
      format: formatShort,
      curves: perNode(({ writeRejected }) => writeRejected, 'start'),
    },
    {
      id: 'server-inserts',
      title: 'INSERT statements in the server',
      note: 'Of all clients, per second, as sys.jobs_metrics counts them.',
      unit: 'statements/s',
      format: formatShort,
      curves: whole(
        'INSERT statements/s',
        server.samples.map(({ insertsPerSecond }) => insertsPerSecond),
      ),
    },
    {
      id: 'server-insert-time',
      title: 'Time of an INSERT in the server',
      note: 'Mean since the sample before; what a client waits beyond it is the network, a queue or the client itself.',
      unit: 'ms',
      format: formatLatency,
      curves: whole(
        'mean time of an INSERT',
        server.samples.map(({ insertMeanMs }) => insertMeanMs),
      ),
    },
    {
      id: 'server-translog',
      title: 'Translog',
      note: "Bytes of the run's table that were written and not yet committed.",
      unit: 'bytes',
      format: formatBytes,
      curves: whole(
        'translog',
        server.samples.map(({ translogBytes }) => translogBytes),
      ),
    },
    {
      id: 'server-disk',
      title: 'Disk',
      note: 'Used share of the disk of each node.',
      unit: '%',
      format: formatPercent,
      curves: perNode(({ diskUsedBytes, diskTotalBytes }) => shareOf(diskUsedBytes, diskTotalBytes), 'ever'),
      scaleTo: 100,
    },
  ];
  return all.filter(({ curves }) => curves.curves.some(isMeasured));
}

/** The measures of this host as a whole, all its programs included; none in older run files. */
export function hostCurves(run: RunFile): readonly MeasuredCurves[] {
  const { samples } = run.host;
  const atMs = samples.map(({ tMs }) => tMs);
  const rates = (values: readonly (number | null)[]): readonly (number | null)[] =>
    ratesOf(samples, values, null);
  const all: readonly MeasuredCurves[] = [
    {
      id: 'host-cpu',
      title: "This host's CPU",
      note: 'All programs on the host that ran crategen; 100 % is one core.',
      unit: '%',
      format: formatPercent,
      curves: { atMs, curves: [{ name: 'busy', values: samples.map(({ busyPercent }) => busyPercent) }] },
      scaleTo: run.host.cores * 100,
    },
    {
      id: 'host-throttled',
      title: 'Stopped at the CPU limit',
      note: 'Milliseconds of each second in which the limit of the container held its processes.',
      unit: 'ms/s',
      format: (ms) => `${formatShort(ms)} ms/s`,
      curves: {
        atMs,
        curves: [{ name: 'throttled', values: rates(samples.map(({ throttledMs }) => throttledMs)) }],
      },
    },
    {
      id: 'host-network',
      title: "This host's network",
      note: 'Over all interfaces, the loopback one included.',
      unit: 'bytes/s',
      format: (bytes) => `${formatBytes(bytes)}/s`,
      curves: {
        atMs,
        curves: [
          { name: 'sent', values: rates(samples.map(({ sentBytes }) => sentBytes)) },
          { name: 'received', values: rates(samples.map(({ receivedBytes }) => receivedBytes)) },
        ],
      },
    },
  ];
  return all
    .filter(({ curves }) => curves.curves.some(isMeasured))
    .filter(({ id, curves }) => id !== 'host-throttled' || curves.curves.some(isEverOver0));
}

/** A sample of nothing where the server was silent, so that no line is drawn over what was not measured. */
function withSilence(samples: readonly ServerSample[]): ServerSample[] {
  const stepsMs = samples.slice(1).map(({ tMs }, index) => tMs - (samples[index]?.tMs ?? tMs));
  const longestMs = (median(stepsMs) ?? 0) * SILENT_STEPS;
  return samples.flatMap((sample, index) => {
    const stepMs = stepsMs[index - 1] ?? 0;
    return stepMs <= longestMs ? [sample] : [nothingAt(sample.tMs - stepMs / 2), sample];
  });
}

function nothingAt(tMs: number): ServerSample {
  return {
    tMs: Math.round(tMs),
    nodes: [],
    insertsPerSecond: null,
    insertMeanMs: null,
    translogBytes: null,
    health: null,
  };
}

/** One sentence on what is missing of the server's side and why, or ''. */
export function serverNote(run: RunFile): string {
  if (run.server === null) return "The server's side was not measured in this run.";
  return run.server.note === '' && run.server.samples.length === 0
    ? 'The server was asked, and gave no sample of itself.'
    : run.server.note;
}

function nodeCurve(
  server: Server,
  node: number,
  name: string,
  valueOf: (sample: NodeSample) => number | null,
  since: 'start' | 'ever',
): Curve {
  const values = server.samples.map(({ nodes }) => {
    const sample = nodes.find((each) => each.node === node);
    return sample === undefined ? null : valueOf(sample);
  });
  if (since === 'ever') return { name, values };
  const first = values.find((value) => value !== null) ?? 0;
  // A node that was restarted counts from 0 again.
  return {
    name,
    values: values.map((value) => (value === null ? null : value < first ? value : value - first)),
  };
}

function foldedNodes(curves: readonly Curve[]): readonly Curve[] {
  if (curves.length <= MAX_NODE_LINES) return curves;
  const moments = curves[0]?.values.length ?? 0;
  const over = (pick: (values: readonly number[]) => number | null): readonly (number | null)[] =>
    Array.from({ length: moments }, (_, moment) =>
      pick(curves.map(({ values }) => values[moment] ?? null).filter((value) => value !== null)),
    );
  return [
    {
      name: `highest of ${curves.length} nodes`,
      values: over(maxOfKnown),
    },
    { name: 'median', values: over(median) },
    { name: 'lowest', values: over((values) => (values.length > 0 ? Math.min(...values) : null)) },
  ];
}

function shareOf(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : (part / whole) * 100;
}

function isEverOver0(curve: Curve): boolean {
  return curve.values.some((value) => (value ?? 0) > 0);
}
