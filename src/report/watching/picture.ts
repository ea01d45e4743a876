/**
 * A run as plain data for the live page: the words of the live screen, ready to be shown, and the numbers that
 * charts and sorting need. Nothing here is markup; the page puts texts in as texts. Pure.
 */
import { formatTable } from '../../base/sql.ts';
import { printable } from '../../base/text.ts';
import { formatExact, formatShort } from '../../base/units.ts';
import type { RunNote, RunState } from '../../coordinator/run-state.ts';
import { missingRows, settledRows } from '../../metrics/ledger.ts';
import { maxOfKnown } from '../../metrics/measured.ts';
import type { RunFile } from '../run-file-schema.ts';
import { headlineOf, ledgerSentences } from '../summary/ledger.ts';
import {
  type Tone,
  meanRowsPerSecond,
  nodesText,
  phaseText,
  remainingMs,
  requestsInFlight,
  serverCpuPercent,
  serverTexts,
  shareDone,
  stateLabel,
  targetKindText,
  verdictText,
  waitingText,
  workersCpuPercent,
  workersResidentBytes,
} from './progress.ts';
import {
  counted,
  formatByteRate,
  formatClock,
  formatLatency,
  formatRate,
  orDash,
  tablesText,
} from '../quantities.ts';
import { WORKER_COLUMNS, isGone, parentRow, totalRow, workerRow } from './worker-columns.ts';

/** A name and its value, both for people. */
export interface Fact {
  readonly name: string;
  readonly text: string;
  readonly isTrouble?: true;
}

export interface Picture {
  readonly runId: string;
  readonly command: string;
  readonly target: string;
  readonly table: string;
  readonly isInsecure: boolean;
  readonly label: string;
  readonly tone: Tone;
  readonly clock: string;
  /** 0..1; null when nothing bounds the run yet. */
  readonly done: number | null;
  /** What the run does when it is not simply running. */
  readonly lines: readonly { readonly text: string; readonly tone: Tone }[];
  readonly facts: readonly Fact[];
  readonly ledger: readonly Fact[];
  readonly workers: readonly {
    /** By column. */
    readonly cells: readonly string[];
    readonly values: readonly (number | null)[];
    readonly isGone: boolean;
    readonly isTroubled: boolean;
  }[];
  readonly total: readonly string[];
  readonly parent: readonly string[];
  readonly errors: readonly { readonly head: string; readonly example: string }[];
  /** What each node of the cluster says of itself. */
  readonly server: readonly string[];
  /** What limits the run; null when that is not clear. */
  readonly verdict: string | null;
}

/** The columns of the workers' table, told once. */
export const PICTURE_COLUMNS = WORKER_COLUMNS.map(({ key, header, meaning, align }) => ({
  key,
  header,
  meaning,
  isNumber: align === 'right',
}));

/** What is kept of each second; times in ms since the start, rows and missing rows cumulative. */
export interface PicturePoint {
  readonly tMs: number;
  readonly rows: number;
  readonly missing: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Of all workers; 100 = one core. */
  readonly cpuPercent: number | null;
  readonly residentBytes: number | null;
  /** Of all nodes of the cluster that said so. */
  readonly serverCpuPercent: number | null;
}

/** How a run ended, for a page that stays open. */
export interface PictureEnd {
  readonly isWell: boolean;
  readonly exitCode: number;
  readonly headline: string;
  readonly lines: readonly string[];
  /** What shows the result again. */
  readonly commands: readonly string[];
  /** The report as a page of its own, for the reader to keep; null when it could not be made. */
  readonly report: string | null;
}

export function pictureOf(state: RunState): Picture {
  const { plan, target } = state;
  const { text: label, tone } = stateLabel(state);
  const { durationMs } = plan.bounds;
  const limit = durationMs === null ? '' : ` / ${formatClock(durationMs)}`;
  return {
    runId: printable(plan.runId),
    command: plan.command,
    target: [nodesText(plan, target), ...(target === null ? [] : [targetKindText(target)])]
      .map((text) => printable(text))
      .join(' · '),
    table: printable(tablesText(formatTable(plan.table.name), plan.also.length)),
    isInsecure: !plan.target.tls.verify,
    label,
    tone,
    clock: `${formatClock(state.elapsedMs)}${limit}`,
    done: shareDone(state),
    lines: linesOf(state),
    facts: factsOf(state),
    ledger: ledgerOf(state),
    workers: state.workers.map((worker) => ({
      cells: workerRow(worker, state).cells,
      values: WORKER_COLUMNS.map((column) => column.value(worker)),
      isGone: isGone(worker),
      isTroubled: worker.total.waiting !== null || missingRows(worker.total.ledger) > 0,
    })),
    total: totalRow(state).cells,
    parent: parentRow(state).cells,
    errors: [...state.total.errors]
      .sort((a, b) => b.rows - a.rows)
      .map((error) => ({
        head: `${formatExact(error.rows)} × ${printable(error.class, 40)}${error.code === null ? '' : ` ${error.code}`} in ${counted(error.batches, 'attempt')}`,
        example: printable(error.example, 400),
      })),
    server: serverTexts(state),
    verdict: verdictText(state),
  };
}

export function pointOf(state: RunState): PicturePoint {
  return {
    tMs: Math.round(state.elapsedMs),
    rows: state.total.ledger.acknowledged,
    missing: missingRows(state.total.ledger),
    p50Ms: state.window.p50Ms,
    p99Ms: state.window.p99Ms,
    cpuPercent: workersCpuPercent(state.workers),
    residentBytes: workersResidentBytes(state.workers),
    serverCpuPercent: serverCpuPercent(state),
  };
}

/** Of two neighbours one: counts are cumulative, and the worse percentile stays visible. */
export function mergePicturePoints(earlier: PicturePoint, later: PicturePoint): PicturePoint {
  return {
    ...later,
    p50Ms: later.p50Ms ?? earlier.p50Ms,
    p99Ms: maxOfKnown([earlier.p99Ms, later.p99Ms]),
  };
}

export function noteText(note: RunNote): { readonly text: string; readonly level: RunNote['level'] } {
  const time = note.atMs === null ? '' : `${formatClock(note.atMs)} `;
  return { text: `${time}${note.event}: ${printable(note.message, 2000)}`, level: note.level };
}

export function endOf(run: RunFile, report: string | null): PictureEnd {
  const headline = headlineOf(run);
  const id = run.run.id;
  return {
    isWell: run.run.exitCode === 0,
    exitCode: run.run.exitCode,
    headline: headline.text,
    lines: ledgerSentences(run).map(({ text }) => text),
    commands: [`crategen report ${id}`, `crategen report ${id} --format html`],
    report,
  };
}

function linesOf(state: RunState): Picture['lines'] {
  const { waiting } = state.total;
  const { tone } = stateLabel(state);
  const phase = phaseText(state);
  return [
    ...(phase === null ? [] : [{ text: phase, tone }]),
    ...(waiting === null ? [] : [{ text: waitingText(waiting), tone: 'trouble' as const }]),
  ];
}

function factsOf(state: RunState): Fact[] {
  const { window, plannedRows } = state;
  const mean = meanRowsPerSecond(state);
  const eta = state.total.waiting === null ? remainingMs(state) : null;
  const settled = formatShort(settledRows(state.total.ledger));
  const flight = requestsInFlight(state);
  const latency = (ms: number | null): string => orDash(ms, formatLatency);
  return [
    { name: 'rows', text: plannedRows === null ? settled : `${settled} of ${formatShort(plannedRows)}` },
    { name: 'now', text: formatRate(window.rowsPerSecond) },
    { name: 'mean', text: orDash(mean, formatRate) },
    { name: 'time left', text: orDash(eta, formatClock) },
    { name: 'service time p50', text: latency(window.p50Ms) },
    { name: 'p99', text: latency(window.p99Ms) },
    { name: 'longest', text: latency(window.maxMs) },
    { name: 'request bodies', text: formatByteRate(window.bodyBytesPerSecond) },
    { name: 'in flight', text: `${flight.now} of ${flight.most}` },
  ];
}

function ledgerOf(state: RunState): Fact[] {
  const { offered, acknowledged, rejected, failed, unknown, inFlight } = state.total.ledger;
  const bad = (name: string, rows: number): Fact => ({
    name,
    text: formatExact(rows),
    ...(rows > 0 ? { isTrouble: true } : {}),
  });
  return [
    { name: 'offered', text: formatExact(offered) },
    { name: 'acknowledged', text: formatExact(acknowledged) },
    bad('rejected', rejected),
    bad('failed', failed),
    bad('unknown', unknown),
    { name: 'in flight', text: formatExact(inFlight) },
  ];
}
