/**
 * The summary of a run as text, made from its run file alone: what is stored and what is not comes first, what to
 * do next comes last.
 */
import { usableCores } from '../../base/host.ts';
import { formatBytes, formatDuration, formatExact } from '../../base/units.ts';
import { printable } from '../../base/text.ts';
import { type RunPlan, tablesOf } from '../../plan/run-plan.ts';
import { hasRunColumns } from '../../rows/schema.ts';
import type { RunFile, RunFileLatency } from '../run-file-schema.ts';
import { runPlanOf } from '../run-file.ts';
import {
  counted,
  formatByteRate,
  formatLatency,
  formatRate,
  formatSeconds,
  NOT_MEASURED,
  orDash,
  tablesText,
} from '../quantities.ts';
import { ceilingTexts } from '../ceiling.ts';
import { limitName, splitEvidence } from '../limit.ts';
import { asciiCommand, ceilingCommand, realRunCommand, repeatCommand } from '../repeat-command.ts';
import {
  type Line,
  type Style,
  type TextView,
  justify,
  plain,
  renderLine,
  styled,
  wrap,
} from '../styled-text.ts';
import { type TableColumn, tableLines } from '../table.ts';
import { judge, judgementText } from '../thresholds.ts';
import { headlineOf, ledgerSentences, recoveredText, rejectedAdvice } from './ledger.ts';
import { nodeTable } from './nodes.ts';
import { serverTable } from './server.ts';
import { tablesTable } from './tables.ts';
import { workerTable } from './workers.ts';

/** What the run file does not know about itself. */
export interface SummaryFacts {
  /** Where it was written, or null when it was not. */
  readonly file: string | null;
}

/** Cells of the titles on the left; text beside them is wrapped behind them. */
const TITLE_CELLS = 11;

/** Classes of errors that are listed; the rest is counted. */
const MAX_ERRORS = 12;

const UNVERIFIED = 'TLS certificates were not verified (--insecure): the server may have been anybody.';
const SANDBOX =
  'The target was the sandbox, a stand-in for CrateDB on this machine: its speed says nothing about a cluster.';
const DISCARD = 'The target discards rows: it stores nothing, and shows only how fast this machine can send.';

/** The whole summary, lines ended by `\n`. Only commands and paths may be longer than the view: they are copied. */
export function renderSummary(run: RunFile, view: TextView, facts: SummaryFacts): string {
  const wide: TextView = { ...view, columns: Number.MAX_SAFE_INTEGER };
  const sections: Line[][] = [
    headSection(run, view),
    factsSection(run, view),
    latencySection(run, view),
    tablesTable(run, view),
    nodeTable(run, view),
    workerTable(run, view),
    serverTable(run, view),
    errorsSection(run, view),
    thresholdsSection(run, view),
    limitSection(run, view),
    ceilingSection(run, view),
  ];
  const folded = sections.map((lines) => lines.map((line) => renderLine(line, view)));
  const next = nextSection(run, facts);
  folded.push((view.unicode ? next : next.map(inAscii)).map((line) => renderLine(line, wide)));
  return folded
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function headSection(run: RunFile, view: TextView): Line[] {
  const headline = headlineOf(run);
  const exit = styled(run.run.exitCode === 0 ? 'green' : 'redBold', `exit ${run.run.exitCode}`);
  const [first = '', ...rest] = wrap(headline.text, view.columns - 10);
  return [
    justify([styled(headline.style, first)], [exit], view.columns),
    ...rest.map((text) => [styled(headline.style, `  ${text}`)]),
    ...ledgerSentences(run).flatMap((sentence) => indented(sentence.text, sentence.style, view)),
    ...(run.run.endReason === 'killed' ? [] : indented(paceText(run), 'plain', view)),
    ...warningLines(run, view),
  ];
}

/** A recovered run has none: its times went with its parent. */
function paceText(run: RunFile): string {
  const { throughput } = run;
  const restarts = run.workers.reduce((sum, worker) => sum + worker.restarts, 0);
  return [
    orDash(throughput.acknowledgedRowsPerSecond, formatRate),
    orDash(throughput.bodyBytesPerSecond, formatByteRate),
    orDash(run.run.runningMs, formatDuration),
    ...warmUpTexts(run),
    ...(restarts > 0
      ? [`${counted(restarts, 'process', 'processes')} died and ${restarts === 1 ? 'was' : 'were'} replaced`]
      : []),
  ].join(' · ');
}

function warmUpTexts({ run, plan }: RunFile): string[] {
  if (plan.warmUpMs === 0) return [];
  const warmUp = formatDuration(plan.warmUpMs);
  return run.measuredMs === 0
    ? [`ended within its warm-up of ${warmUp}: rows/s and latency were not measured`]
    : [`rows/s and latency leave out ${warmUp} of warm-up`];
}

/** What a reader must know before the figures: the run's own warnings, and what must be said even without one. */
export function standingWarnings(run: RunFile): readonly string[] {
  const { kind } = run.target;
  const isSaid = (word: string): boolean => run.warnings.some((warning) => warning.includes(word));
  return [
    ...(run.plan.target.tls.verify || isSaid('--insecure') ? [] : [UNVERIFIED]),
    ...(kind !== 'sandbox' || isSaid('sandbox') ? [] : [SANDBOX]),
    ...(kind !== 'discard' || isSaid('discard') ? [] : [DISCARD]),
    ...run.warnings,
  ];
}

function warningLines(run: RunFile, view: TextView): Line[] {
  return standingWarnings(run).flatMap((warning) => {
    return indented(printable(warning, 1000), warning.includes('--insecure') ? 'redBold' : 'yellow', view);
  });
}

function factsSection(run: RunFile, view: TextView): Line[] {
  const { plan } = run;
  const requests = counted(plan.procs * plan.inFlight, 'request');
  const load =
    plan.rowsPerSecond === null
      ? `up to ${requests} of ${counted(plan.batchSize, 'row')} in flight`
      : `${formatRate(plan.rowsPerSecond)} asked for, in batches of ${counted(plan.batchSize, 'row')}, up to ${requests} in flight`;
  const machine = plan.machine === '1/1' ? [] : [`machine ${plan.machine}`];
  return [
    ...titledText(
      'run',
      [printable(run.run.id), run.run.startedAt, `seed ${run.run.seed}`, ...machine].join(' · '),
      view,
    ),
    ...titledText('target', targetText(run), view),
    ...titledText(
      'load',
      [counted(plan.procs, 'process', 'processes'), load, ...pacerTexts(run)].join(' · '),
      view,
    ),
    ...titledText('batches', batchesText(run), view),
    ...titledText('cost', costText(run), view),
  ];
}

/** Nodes, kind and version, table, key: one line, made printable. */
export function targetText(run: RunFile): string {
  const [first = 'no node', ...others] = run.target.nodes;
  const nodes = others.length === 0 ? first : `${first} +${counted(others.length, 'node')}`;
  const kind = { cratedb: 'CrateDB', sandbox: 'sandbox', discard: 'discarding target' }[run.target.kind];
  const version = run.target.version === null ? kind : `${kind} ${run.target.version}`;
  const keyed = run.target.keyed ? 'key (run_id, seq)' : 'no key over (run_id, seq): a resend is not exact';
  const table = tablesText(run.target.table, run.plan.also.length);
  return [nodes, version, table, keyed].map((part) => printable(part, 400)).join(' · ');
}

function pacerTexts(run: RunFile): string[] {
  if (run.plan.rowsPerSecond === null) return [];
  const { lateRows, droppedRows } = run.pacer;
  if (lateRows === null || droppedRows === null) return [];
  return [`${counted(lateRows, 'row')} late, ${formatExact(droppedRows)} dropped from the schedule`];
}

function batchesText(run: RunFile): string {
  const { begun, completed, retried, failed } = run.batches;
  return `${formatExact(begun)} begun, ${formatExact(completed)} completed, ${formatExact(failed)} of them with rows failed or unknown · ${counted(retried, 'retry', 'retries')}`;
}

function costText(run: RunFile): string {
  const { cpuSecondsPerMillionRows, bodyBytesPerRow } = run.cost;
  const resident = [...run.workers, run.coordinator].map((process) => process.memory.residentBytesMax);
  const known = resident.filter((bytes) => bytes !== null);
  const memory =
    known.length === 0 ? NOT_MEASURED : formatBytes(known.reduce((sum, bytes) => sum + bytes, 0));
  const lowerBound = run.workers.some((worker) => worker.cpu.lowerBound) ? 'at least ' : '';
  return [
    `per million rows ${run.target.kind === 'discard' ? 'sent' : 'stored'}: ${lowerBound}${orDash(cpuSecondsPerMillionRows, formatSeconds)} CPU seconds (${whoseCpu(run)}), ${orDash(bodyBytesPerRow, (bytes) => formatBytes(bytes * 1e6))} sent`,
    `memory ${memory} (sum of all peaks)`,
  ].join(' · ');
}

/** What a killed parent had taken is not known; that of `single` is its worker. */
function whoseCpu({ run }: RunFile): string {
  return run.endReason === 'killed' ? "workers, without the parent's" : 'workers and parent';
}

const LATENCY_COLUMNS: readonly TableColumn[] = [
  { header: 'latency', align: 'left', rank: 1 },
  { header: 'p50', align: 'right', rank: 2 },
  { header: 'p90', align: 'right', rank: 5 },
  { header: 'p95', align: 'right', rank: 6 },
  { header: 'p99', align: 'right', rank: 3 },
  { header: 'p99.9', align: 'right', rank: 4 },
  { header: 'max', align: 'right', rank: 2 },
  { header: 'mean', align: 'right', rank: 7 },
  { header: 'samples', align: 'right', rank: 3 },
];

function latencySection(run: RunFile, view: TextView): Line[] {
  const { service, response } = run.latencyMs;
  const cells = (name: string, latency: RunFileLatency): string[] => [
    name,
    ...[latency.p50, latency.p90, latency.p95, latency.p99, latency.p999, latency.max, latency.mean].map(
      (ms) => orDash(ms, formatLatency),
    ),
    formatExact(latency.samples),
  ];
  const rows = [
    { cells: cells('  service: sent to answered', service) },
    { cells: cells('  response: due to done', response) },
  ];
  const tooFew = [service, response].some((latency) => latency.p999 === null);
  return [
    ...tableLines(LATENCY_COLUMNS, rows, { cells: view.columns, indent: 0 }),
    ...(tooFew
      ? indented(
          `${NOT_MEASURED} fewer than 10 samples lie beyond it: such a percentile would be luck`,
          'dim',
          view,
        )
      : []),
  ];
}

function errorsSection(run: RunFile, view: TextView): Line[] {
  if (run.errors.length === 0) return [];
  const sorted = [...run.errors].sort((a, b) => b.rows - a.rows || b.batches - a.batches);
  const rest = sorted.slice(MAX_ERRORS);
  return [
    titled('errors', recoveredText(run) ?? ''),
    ...sorted.slice(0, MAX_ERRORS).flatMap((error) => {
      const code = error.code === null ? '' : ` ${error.code}`;
      const rows = error.rows === 0 ? '' : `${counted(error.rows, 'row')} in `;
      const head = `${printable(error.class, 40)}${code}: ${rows}${counted(error.batches, 'attempt')}`;
      return [
        [plain('  '), styled('yellow', head)],
        ...indented(printable(error.example, 400), 'plain', view, 4),
      ];
    }),
    ...(rest.length > 0
      ? indented(`and ${counted(rest.length, 'more class', 'more classes')} in the run file`, 'dim', view)
      : []),
  ];
}

/** Each `--fail-on` and whether it came true; none without one. */
function thresholdsSection(run: RunFile, view: TextView): Line[] {
  const judged = judge(run.plan.failOn, run);
  if (judged.length === 0) return [];
  return judged.flatMap((judgement, index) =>
    titledText(
      index === 0 ? 'thresholds' : '',
      printable(judgementText(judgement), 400),
      view,
      judgement.isMissed ? 'redBold' : 'plain',
    ),
  );
}

/** The verdict with all that speaks for it and what to try, in one line. */
export function limitText(run: RunFile): string {
  const { reasons, advice } = splitEvidence(run);
  const evidence = [...reasons, ...advice.map((sentence) => `try ${sentence}`)].join('; ');
  return `${limitName(run.bottleneck.verdict, run.target.kind)}${evidence === '' ? '' : `: ${evidence}`}`;
}

/** The verdict and what decided it, then what else is known, then what to try. */
function limitSection(run: RunFile, view: TextView): Line[] {
  const { reasons, advice } = splitEvidence(run);
  const rejected = rejectedAdvice(run);
  const why = reasons.join('; ');
  const text = `${limitName(run.bottleneck.verdict, run.target.kind)}${why === '' ? '' : `: ${why}`}`;
  return [
    ...titledText('limited by', text, view),
    ...[...(rejected === null ? [] : [rejected]), ...advice].flatMap((sentence) =>
      titledText('try', sentence, view),
    ),
  ];
}

function ceilingSection(run: RunFile, view: TextView): Line[] {
  return ceilingTexts(run).flatMap(({ title, text }) => titledText(title, text, view));
}

/** The command that makes the run again. */
export function againCommand(run: RunFile): string {
  const [plan, defaultProcs] = [runPlanOf(run), usableCores(run.host)];
  if (plan.command === 'ceiling') return ceilingCommand(plan, run.measuredFor?.runId ?? null, defaultProcs);
  return repeatCommand(plan, 'sameTarget', defaultProcs);
}

function nextSection(run: RunFile, facts: SummaryFacts): Line[] {
  const plan = runPlanOf(run);
  const id = printable(run.run.id);
  // A sandbox of the run's own ends with it, and what a target discards is nowhere.
  const isStored = run.target.kind !== 'discard' && plan.target.kind !== 'embedded';
  // Rows without run_id and seq cannot be told from others.
  const isTold = isStored && tablesOf(plan).some(({ schema }) => hasRunColumns(schema));
  const isStopped = run.ledger.notOffered > 0 && isStored && plan.command === 'cluster';
  return [
    ...(facts.file === null ? [] : [titled('run file', printable(facts.file, 4096))]),
    titled('again', againCommand(run)),
    ...(isStopped ? [titled('go on', `crategen cluster --resume ${id}`)] : []),
    ...(isTold && run.ledger.acknowledged > 0 ? [titled('verify', `crategen verify ${id}`)] : []),
    ...realRunLine(run, plan),
  ];
}

/** The run that stands behind one into a stand-in: on a cluster of the reader's, or the one that a ceiling is of. */
function realRunLine({ measuredFor, host }: RunFile, plan: RunPlan): Line[] {
  const defaultProcs = usableCores(host);
  if (plan.command === 'ceiling')
    return [titled('real run', measuredFor?.command ?? realRunCommand(plan, defaultProcs))];
  if (plan.target.kind !== 'embedded') return [];
  return [titled('on CrateDB', repeatCommand(plan, 'realCluster', defaultProcs))];
}

/** A command that is copied must name the same table still. */
function inAscii(line: Line): Line {
  return line.map(({ text, style }) => styled(style, asciiCommand(text)));
}

function titled(title: string, text: string): Line {
  return [styled('bold', title.padEnd(TITLE_CELLS)), plain(text)];
}

function titledText(title: string, text: string, view: TextView, style: Style = 'plain'): Line[] {
  const [first = '', ...rest] = wrap(text, view.columns - TITLE_CELLS);
  const head: Line = [
    styled(style === 'plain' ? 'bold' : style, title.padEnd(TITLE_CELLS)),
    styled(style, first),
  ];
  return [head, ...rest.map((line): Line => [plain(' '.repeat(TITLE_CELLS)), styled(style, line)])];
}

function indented(text: string, style: Style, view: TextView, indent = 2): Line[] {
  return wrap(text, view.columns - indent).map((line): Line => [
    plain(' '.repeat(indent)),
    styled(style, line),
  ]);
}
