/**
 * The run as lines, for pipes, files and build servers: the whole plan first, then a line every ten seconds and
 * one per event, as `key=value` or as one JSON object a line. No escape codes, no carriage returns.
 */
import { durationFlag } from '../../base/units.ts';
import { unreachable } from '../../base/errors.ts';
import { formatTable } from '../../base/sql.ts';
import { printable } from '../../base/text.ts';
import type { RunPlan, Tolerance } from '../../plan/run-plan.ts';
import { alsoFlag, sourceSetting } from '../../plan/schema-source.ts';
import type {
  RunEvent,
  RunNote,
  RunObserver,
  RunPhase,
  RunState,
  TargetState,
} from '../../coordinator/run-state.ts';
import { diskGuardFlag } from '../repeat-command.ts';
import {
  serverCpuPercent,
  serverWriteQueue,
  steadyRowsPerSecond,
  targetKindText,
  workersCpuPercent,
  workersResidentBytes,
} from './progress.ts';

export interface LineLogOptions {
  /** Takes one line, without its line feed. */
  readonly write: (line: string) => void;
  readonly format: 'text' | 'json';
  /** Time between two lines of progress, on the run's own clock. */
  readonly everyMs: number;
}

/** What a line holds. Numbers stay numbers in JSON; null is `-` in text. */
type Fields = readonly (readonly [string, string | number | boolean | null])[];

/** Characters that JSON leaves as they are and a terminal does not. */
const UNSAFE_IN_JSON = /[\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** An observer that writes lines. The plan is written at the first event that knows it. */
export function createLineLog(options: LineLogOptions): RunObserver {
  const lines = options.format === 'json' ? jsonLines : textLines;
  let hasHeader = false;
  let shownTarget: TargetState | null = null;
  let shownPhase: RunPhase | null = null;
  let nextMs = options.everyMs;
  return (event: RunEvent): void => {
    if (event.kind === 'note') return options.write(lines.note(event));
    const { state } = event;
    if (!hasHeader) lines.header(state.plan).forEach((line) => options.write(line));
    hasHeader = true;
    if (state.target !== null && shownTarget === null) options.write(lines.target(state.target));
    shownTarget = state.target ?? shownTarget;
    if (state.phase !== shownPhase) options.write(lines.phase(state));
    shownPhase = state.phase;
    if (state.elapsedMs < nextMs) return;
    options.write(lines.progress(state));
    nextMs = (Math.floor(state.elapsedMs / options.everyMs) + 1) * options.everyMs;
  };
}

/** The whole effective plan as lines of `key=value`, by the names of the flags. */
export function renderHeader(plan: RunPlan): string[] {
  return planGroups(plan).map(([title, fields]) => `${title} ${textFields(fields)}`);
}

/** `t=30s rows=1234567 rows/s=41152 acked=… rejected=… failed=… unknown=… inflight=… p99=…ms cpu=…% rss=…MiB`. */
export function renderLine(state: RunState): string {
  const { offered, acknowledged, rejected, failed, unknown, inFlight } = state.total.ledger;
  const withUnit = (value: number | null, unit: string, digits = 0): string =>
    value === null ? '-' : `${value.toFixed(digits)}${unit}`;
  const resident = workersResidentBytes(state.workers);
  return [
    `t=${Math.floor(state.elapsedMs / 1000)}s`,
    `rows=${offered}`,
    `rows/s=${Math.round(steadyRowsPerSecond(state))}`,
    `acked=${acknowledged}`,
    `rejected=${rejected}`,
    `failed=${failed}`,
    `unknown=${unknown}`,
    `inflight=${inFlight}`,
    `p99=${withUnit(state.window.p99Ms, 'ms', 1)}`,
    `cpu=${withUnit(workersCpuPercent(state.workers), '%')}`,
    `rss=${withUnit(resident === null ? null : resident / 2 ** 20, 'MiB')}`,
    ...serverParts(state),
    ...(state.verdict === null ? [] : [`limited=${state.verdict.verdict}`]),
    ...(state.total.waiting === null ? [] : [`waiting=${state.total.waiting.cause}`]),
  ].join(' ');
}

/** Nothing before the server has told of itself. */
function serverParts(state: RunState): string[] {
  if (state.server === null || state.server.latest === null) return [];
  const cpu = serverCpuPercent(state);
  const queue = serverWriteQueue(state);
  const { health } = state.server.latest;
  return [
    `server=${cpu === null ? '-' : `${Math.round(cpu)}%`}`,
    `queue=${queue ?? '-'}`,
    ...(health === null || health === 'GREEN' ? [] : [`health=${health}`]),
  ];
}

/** One line for a note: when, how bad, which event, what happened. */
export function renderNote(note: RunNote): string {
  const time = note.atMs === null ? '' : `t=${Math.floor(note.atMs / 1000)}s `;
  const level = note.level === 'info' ? '' : `${note.level} `;
  return `${time}${level}${note.event}: ${printable(note.message, 2000)}`;
}

const textLines = {
  header: renderHeader,
  target: (target: TargetState): string => `target ${textFields(targetFields(target))}`,
  phase: (state: RunState): string => `${timeOf(state)}phase=${state.phase}`,
  progress: renderLine,
  note: renderNote,
};

const jsonLines = {
  header: (plan: RunPlan): string[] => [
    jsonLine([['event', 'plan']], Object.fromEntries(planGroups(plan).flatMap(([, fields]) => fields))),
  ],
  target: (target: TargetState): string =>
    jsonLine([['event', 'target']], Object.fromEntries(targetFields(target))),
  phase: (state: RunState): string =>
    jsonLine([
      ['event', 'phase'],
      ['t', state.elapsedMs / 1000],
      ['phase', state.phase],
    ]),
  progress: (state: RunState): string => {
    const { offered, acknowledged, rejected, failed, unknown, inFlight } = state.total.ledger;
    return jsonLine([
      ['event', 'progress'],
      ['t', state.elapsedMs / 1000],
      ['offered', offered],
      ['rowsPerSecond', steadyRowsPerSecond(state)],
      ['acknowledged', acknowledged],
      ['rejected', rejected],
      ['failed', failed],
      ['unknown', unknown],
      ['inFlight', inFlight],
      ['p99Ms', state.window.p99Ms],
      ['cpuPercent', workersCpuPercent(state.workers)],
      ['residentBytes', workersResidentBytes(state.workers)],
      ['serverCpuPercent', serverCpuPercent(state)],
      ['serverWriteQueue', serverWriteQueue(state)],
      ['tableHealth', state.server?.latest?.health ?? null],
      ['limitedBy', state.verdict?.verdict ?? null],
      ['waiting', state.total.waiting?.cause ?? null],
    ]);
  },
  note: (note: RunNote): string =>
    jsonLine([
      ['event', 'note'],
      ['t', note.atMs === null ? null : note.atMs / 1000],
      ['level', note.level],
      ['name', note.event],
      ['message', printable(note.message, 2000)],
    ]),
};

function jsonLine(fields: Fields, more: object = {}): string {
  return JSON.stringify({ ...Object.fromEntries(fields), ...more }).replace(
    UNSAFE_IN_JSON,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

function timeOf(state: RunState): string {
  return state.phase === 'preparing' || state.phase === 'starting'
    ? ''
    : `t=${Math.floor(state.elapsedMs / 1000)}s `;
}

function textFields(fields: Fields): string {
  return fields.map(([key, value]) => `${key}=${textValue(value)}`).join(' ');
}

/** Quoted where a blank or a quote would make two words of it. */
function textValue(value: string | number | boolean | null): string {
  if (value === null || value === '') return '-';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = printable(String(value), 2000);
  return /[\s"']/.test(text) ? JSON.stringify(text) : text;
}

function targetFields(target: TargetState): Fields {
  return [
    ['kind', target.kind],
    ['server', targetKindText(target)],
    ['version', target.version],
    ['nodes', target.nodes.join(',')],
    ['keyed', target.keyed],
  ];
}

/** Every setting of the plan, by the name of its flag. */
function planGroups(plan: RunPlan): (readonly [string, Fields])[] {
  const { target, table, load, safety, bounds, machine } = plan;
  return [
    [
      `crategen ${plan.command}`,
      [
        ['run-id', plan.runId],
        ['seed', plan.seed],
        ['time-origin', isoTime(plan.timeOriginMs)],
        ['machine', `${machine.index}/${machine.count}`],
        ['start-at', plan.startAtMs === null ? null : isoTime(plan.startAtMs)],
      ],
    ],
    [
      'plan',
      [
        ['url', urlText(plan)],
        ['discover', target.discover],
        ['username', target.username],
        ['tls-verified', target.tls.verify],
        ['ca-cert-file', target.tls.caCertFile],
        ['system-ca', target.tls.systemCa || null],
        ['cert-file', target.tls.certFile],
        ['key-file', target.tls.keyFile],
      ],
    ],
    [
      'plan',
      [
        sourceSetting(table.source),
        ['table', formatTable(table.name)],
        ['weight', table.weight],
        ['also', plan.also.map(alsoFlag).join(',')],
        ['create', table.create],
        ['recreate', table.recreate],
        ['shards', table.shards],
        ['replicas', table.replicas],
        ['key', table.key],
      ],
    ],
    [
      'plan',
      [
        ['rows', bounds.rows],
        ['duration', bounds.durationMs === null ? null : durationFlag(bounds.durationMs)],
        ['procs', load.procs],
        ['batch-size', load.batchSize],
        ['in-flight', load.inFlight],
        ['in-flight-total', load.inFlight * load.procs],
        ['batch-interval', durationFlag(load.batchIntervalMs)],
        ['rate', load.rowsPerSecond],
        ['ramp-up', durationFlag(load.rampUpMs)],
        ['warm-up', durationFlag(load.warmUpMs)],
        ['insert-path', load.insertPath],
        ['compress', load.compression],
        ['generator', load.generator],
        ['max-body', load.maxBodyBytes],
      ],
    ],
    [
      'plan',
      [
        ['timeout', durationFlag(safety.timeoutMs)],
        ['retries', safety.retries],
        ['drain-timeout', durationFlag(safety.drainTimeoutMs)],
        ['outage-timeout', durationFlag(safety.outageTimeoutMs)],
        ['block-timeout', durationFlag(safety.blockTimeoutMs)],
        ['max-failed', toleranceText(safety.maxFailed)],
        ['stops-at-max-failed', safety.stopsAtMaxFailed],
        ['max-bytes', safety.maxBytes],
        ['stop-at-disk', diskGuardFlag(safety.stopAtDisk)],
        ['fail-on', plan.failOn.map((threshold) => threshold.text).join(',')],
        ['verify', plan.verify],
      ],
    ],
  ];
}

function toleranceText(tolerance: Tolerance): string {
  switch (tolerance.kind) {
    case 'rows':
      return String(tolerance.rows);
    case 'share':
      return `${Number((tolerance.share * 100).toPrecision(12))}%`;
    default:
      return unreachable(tolerance);
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

function urlText({ command, target }: RunPlan): string {
  if (command === 'ceiling') return 'discarding';
  return target.kind === 'embedded' ? 'sandbox' : target.nodes.join(',');
}
