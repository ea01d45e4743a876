/** What the live surfaces, the screen, the lines and the page, work out from a state of the run. Pure. */
import { printable } from '../../base/text.ts';
import { formatCores, formatExact } from '../../base/units.ts';
import type { RunPhase, RunState, TargetState, WorkerState } from '../../coordinator/run-state.ts';
import { settledRows } from '../../metrics/ledger.ts';
import { sumOfKnown } from '../../metrics/measured.ts';
import type { Waiting } from '../../metrics/snapshot.ts';
import { rowDueMs } from '../../plan/assignment.ts';
import type { RunPlan } from '../../plan/run-plan.ts';
import { limitName } from '../limit.ts';
import { counted, formatPercent, formatShare, orDash } from '../quantities.ts';

/** Seconds that a rate for people is averaged over: one second alone jumps too much to be read. */
const STEADY_SECONDS = 10;

/** CPU of all workers in percent of one core; null when none was measured. */
export function workersCpuPercent(workers: readonly WorkerState[]): number | null {
  return sumOfKnown(workers.map((worker) => worker.outside.cpuPercent));
}

/** Resident memory of all workers; pages that they share count for each of them. */
export function workersResidentBytes(workers: readonly WorkerState[]): number | null {
  return sumOfKnown(workers.map(residentBytes));
}

/** As the kernel shows it from outside, else as the worker itself said; null when neither did. */
export function residentBytes(worker: WorkerState): number | null {
  if (worker.outside.residentBytes !== null) return worker.outside.residentBytes;
  return worker.total.use.residentBytes > 0 ? worker.total.use.residentBytes : null;
}

/** Acknowledged rows per second over the last ten seconds, as far as there are so many. */
export function steadyRowsPerSecond(state: RunState): number {
  const recent = state.recentRowsPerSecond.slice(-STEADY_SECONDS);
  if (recent.length === 0) return state.window.rowsPerSecond;
  return recent.reduce((sum, rate) => sum + rate, 0) / recent.length;
}

/** Acknowledged rows per second since the start; null before it. */
export function meanRowsPerSecond(state: RunState): number | null {
  const rows = state.total.ledger.acknowledged - state.earlierRows;
  return state.elapsedMs > 0 ? (rows / state.elapsedMs) * 1000 : null;
}

/** The share of the run that is done, 0..1, by the bound that is nearer; null when nothing bounds it yet. */
export function shareDone(state: RunState): number | null {
  const { durationMs } = state.plan.bounds;
  const byRows =
    state.plannedRows === null || state.plannedRows === 0
      ? null
      : settledRows(state.total.ledger) / state.plannedRows;
  const byTime = durationMs === null || durationMs === 0 ? null : state.elapsedMs / durationMs;
  if (byRows === null && byTime === null) return null;
  return Math.min(1, Math.max(byRows ?? 0, byTime ?? 0));
}

/** Milliseconds until the nearer bound at the present rate; null while rows do not flow. */
export function remainingMs(state: RunState): number | null {
  if (!offersRows(state) || isEnding(state)) return null;
  const { durationMs } = state.plan.bounds;
  const byTime = durationMs === null ? Infinity : Math.max(0, durationMs - state.elapsedMs);
  const rate = steadyRowsPerSecond(state);
  const rowsLeft =
    state.plannedRows === null ? Infinity : Math.max(0, state.plannedRows - settledRows(state.total.ledger));
  const byRows = rowsLeft === 0 ? 0 : rate > 0 ? (rowsLeft / rate) * 1000 : Infinity;
  const nearer = Math.min(byTime, byRows);
  return Number.isFinite(nearer) ? nearer : null;
}

/** Requests in flight or waiting for a retry, and how many there can be. */
export function requestsInFlight(state: RunState): { readonly now: number; readonly most: number } {
  const { batchSize, inFlight, procs } = state.plan.load;
  return { now: Math.ceil(state.total.ledger.inFlight / batchSize), most: inFlight * procs };
}

function offersRows({ phase }: RunState): boolean {
  return phase === 'running' || phase === 'warmingUp';
}

/** Whether a bound of the run is reached, so that it only waits for answers. */
function isEnding(state: RunState): boolean {
  const { plan, plannedRows, elapsedMs, total } = state;
  const isTimeOver = plan.bounds.durationMs !== null && elapsedMs >= plan.bounds.durationMs;
  return offersRows(state) && (isTimeOver || (plannedRows !== null && total.ledger.offered >= plannedRows));
}

/** Whether the last rows of a schedule came before its time is over: a batch is as many rows at once. */
function isAheadOfSchedule({ plan, elapsedMs, phase }: RunState): boolean {
  const { rowsPerSecond, rampUpMs } = plan.load;
  const { rows, durationMs } = plan.bounds;
  if (phase === 'draining' || rowsPerSecond === null || rows === null) return false;
  return elapsedMs < Math.min(durationMs ?? Infinity, rowDueMs({ rowsPerSecond, rampUpMs }, rows));
}

/** What the run does now, and what it waits for; null while it simply runs. */
export function phaseText(state: RunState): string | null {
  const phase: RunPhase = state.phase;
  if (isEnding(state)) return endingText('ending', state);
  switch (phase) {
    case 'preparing':
      return 'preparing: the target is asked, the table is looked at';
    case 'starting': {
      const ready = state.workers.filter((worker) => worker.phase === 'ready').length;
      const all = counted(state.plan.load.procs, 'process', 'processes');
      return state.plan.startAtMs === null
        ? `starting ${all}: ${ready} ready`
        : `${ready} of ${all} ready, waiting for ${new Date(state.plan.startAtMs).toISOString()}`;
    }
    case 'warmingUp':
      return 'warming up: these rows are in the ledger, not in rates and latencies';
    case 'running':
      return null;
    case 'draining':
      return endingText('draining', state);
    case 'resolving':
      return `resolving: the server is asked for ${counted(state.total.ledger.unknown, 'row')} that had no answer`;
    case 'verifying':
      return 'verifying: the server counts the rows of this run';
    case 'done':
      return 'done';
  }
}

function endingText(word: string, state: RunState): string {
  const { now } = requestsInFlight(state);
  if (now === 0 && isAheadOfSchedule(state)) return `${word}: all is answered before the schedule is over`;
  return now === 0
    ? `${word}: all is answered, the processes end`
    : `${word}: nothing new is sent, ${counted(now, 'request')} in flight may still be answered`;
}

/** How a state is to be taken. */
export type Tone = 'good' | 'busy' | 'trouble';

/** What the run does now, in a word or two. */
export function stateLabel(state: RunState): { readonly text: string; readonly tone: Tone } {
  const { waiting } = state.total;
  if (waiting !== null && offersRows(state))
    return { text: waiting.cause === 'overload' ? 'slowed' : 'paused', tone: 'trouble' };
  if (isEnding(state)) return { text: 'ending', tone: 'busy' };
  switch (state.phase) {
    case 'running':
      return { text: 'running', tone: 'good' };
    case 'warmingUp':
      return { text: 'warming up', tone: 'busy' };
    case 'draining':
      return { text: 'draining', tone: 'trouble' };
    default:
      return { text: state.phase, tone: 'busy' };
  }
}

/** Why nothing, or less, is sent, and what is waited for. */
export function waitingText(waiting: Waiting): string {
  const cause = {
    outage: 'paused: no node takes rows; batches are held until one does',
    blocked: 'paused: the table refuses writes; batches are held until it takes them',
    overload: 'slowed: the server asks for less; what it refused is sent again later',
  }[waiting.cause];
  return `${cause} · ${printable(waiting.detail)}`;
}

/** What each node says of itself, a text a node; before the server has answered, why it did not, if that is known. */
export function serverTexts(state: RunState): readonly string[] {
  const { server } = state;
  if (server === null) return [];
  if (server.latest === null) return server.note === '' ? [] : [printable(server.note)];
  return server.latest.nodes.map((sample) => {
    const node = server.nodes[sample.node];
    const heapMax = sample.heapMaxBytes ?? node?.heapMaxBytes ?? null;
    const heap =
      sample.heapUsedBytes === null || heapMax === null || heapMax === 0
        ? null
        : sample.heapUsedBytes / heapMax;
    const of = node?.cores == null ? '' : ` of ${formatCores(node.cores)}`;
    return [
      printable(node?.name ?? `node ${sample.node}`, 40),
      `cpu ${orDash(sample.cpuPercent, formatPercent)}${of}`,
      `heap ${orDash(heap, formatShare)}`,
      `write queue ${orDash(sample.writeQueue, formatExact)}`,
      `rejected ${orDash(sample.writeRejected, formatExact)}`,
    ].join('  ');
  });
}

/** CPU of the server's processes on all nodes, 100 = one core; null when none said it. */
export function serverCpuPercent({ server }: RunState): number | null {
  return sumOfKnown((server?.latest?.nodes ?? []).map(({ cpuPercent }) => cpuPercent));
}

/** Tasks that wait for a thread of the write pools, over all nodes; null when none said it. */
export function serverWriteQueue({ server }: RunState): number | null {
  return sumOfKnown((server?.latest?.nodes ?? []).map(({ writeQueue }) => writeQueue));
}

/** What limits the run now, and the evidence that decided; null when nothing is clear. */
export function verdictText(state: RunState): string | null {
  const { verdict, target } = state;
  if (verdict === null || verdict.verdict === 'unclear') return null;
  const limit = limitName(verdict.verdict, target?.kind ?? 'cratedb');
  const [evidence] = verdict.evidence;
  return `limited by ${limit}${evidence === undefined ? '' : `: ${printable(evidence)}`}`;
}

/** What kind of target it is, as every surface names it; a stand-in never passes for a CrateDB. */
export function targetKindText(target: TargetState): string {
  switch (target.kind) {
    case 'cratedb':
      return target.version === null ? 'CrateDB' : `CrateDB ${target.version}`;
    case 'sandbox':
      return 'sandbox, not a CrateDB';
    case 'discard':
      return 'discarding target, stores nothing';
  }
}

/** The nodes as one short text, without credentials: plans and states hold none. */
export function nodesText(plan: RunPlan, target: TargetState | null): string {
  const [first, ...others] = target?.nodes ?? plan.target.nodes;
  if (first === undefined)
    return plan.command === 'ceiling'
      ? 'a target that discards'
      : plan.target.kind === 'embedded'
        ? 'embedded sandbox'
        : 'no node';
  return others.length === 0 ? first : `${first} +${counted(others.length, 'node')}`;
}
