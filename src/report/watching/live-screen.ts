/**
 * The live screen as text: a pure function of the run's state and of what the terminal can show. Drawing it is
 * `live-writer.ts`'s work.
 */
import { formatShort } from '../../base/units.ts';
import { formatTable } from '../../base/sql.ts';
import { printable } from '../../base/text.ts';
import { tablesOf } from '../../plan/run-plan.ts';
import type { RunState, WorkerState } from '../../coordinator/run-state.ts';
import { missingRows, settledRows } from '../../metrics/ledger.ts';
import type { ErrorCount } from '../../metrics/node-counts.ts';
import {
  counted,
  formatByteRate,
  formatClock,
  formatLatency,
  formatRate,
  orDash,
  tablesText,
} from '../quantities.ts';
import {
  meanRowsPerSecond,
  nodesText,
  phaseText,
  remainingMs,
  requestsInFlight,
  serverTexts,
  shareDone,
  stateLabel,
  targetKindText,
  type Tone,
  verdictText,
  waitingText,
} from './progress.ts';
import {
  type Line,
  type Style,
  type TextView,
  cut,
  cutLine,
  justify,
  lineWidth,
  padStart,
  plain,
  renderLine,
  styled,
  textWidth,
  wrap,
} from '../styled-text.ts';
import { tableLines } from '../table.ts';
import {
  type WorkerColumnKey,
  WORKER_COLUMNS,
  formatCount,
  parentRow,
  sortWorkers,
  totalRow,
  workerRow,
} from './worker-columns.ts';

/** What the table of workers can be sorted by; `s` goes from one to the next. */
export const LIVE_SORTS = [
  'index',
  'rate',
  'cpu',
  'memory',
  'errors',
  'restarts',
] as const satisfies readonly WorkerColumnKey[];
export type LiveSort = (typeof LIVE_SORTS)[number];

export interface LiveView extends TextView {
  /** Lines of the terminal; the screen leaves the last one to the cursor. */
  readonly rows: number;
  readonly sort: LiveSort;
  readonly showErrors: boolean;
  readonly showHelp: boolean;
  /** Rows of the list, or lines of the view in its place, that are above what is shown. */
  readonly scroll: number;
  /** Whether single keys reach us; without them only Ctrl-C does, as a signal. */
  readonly hasKeys: boolean;
}

/** Errors under the table; `e` shows them all. */
const ERRORS_SHOWN = 3;
/** Nodes of the cluster under the table. */
const NODES_SHOWN = 3;
/** A terminal with room to spare. */
const TALL_ROWS = 40;
/** Workers that keep a row before parts around the table give way. */
const WORKERS_KEPT = 3;
const BAR_CELLS = { least: 10, most: 40 } as const;
/** The text beside the bar at its usual longest. */
const PROGRESS_TEXT_CELLS = 68;
const SPARKLINE_CELLS = { least: 8, most: 60 } as const;
const SPARKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'] as const;

/** Fewer lines have no table: how far the run is and what limits it say more than its heading. */
const TABLE_LINES = 8;
/** Columns that the left of the first line keeps before the clock gives way. */
const NAME_CELLS = 8;
/** Lines that a sentence may take. */
const SENTENCE_LINES = 2;

const HELP_TERM_CELLS = 19;
/** Beside a term that takes so many cells a narrower terminal has no room for a sentence. */
const HELP_COLUMNS = 60;

const SORT_NAMES: Readonly<Record<LiveSort, string>> = {
  index: 'number',
  rate: 'rows/s',
  cpu: 'cpu',
  memory: 'memory',
  errors: 'errors',
  restarts: 'restarts',
};

/** The keys, then what stands above the table, then its columns. */
const HELP: readonly (readonly [string, string])[] = [
  ['q, Ctrl-C', 'stop gracefully: nothing new is sent, what is in flight is waited for; again: stop now'],
  ['s', `sort the processes by ${LIVE_SORTS.map((sort) => SORT_NAMES[sort]).join(', ')}`],
  ['e', 'all errors, with an example each'],
  ['↑ ↓', 'scroll what does not fit; page keys by pages, Home and End to the ends'],
  ['bar', 'rows in a final state: acknowledged, refused or given up'],
  [
    'p50, p99, max',
    'time from sending a request to the end of its answer, in the last second: half of them took no longer than p50, 99 % no longer than p99; – too few to say',
  ],
  ['MiB/s', 'request bodies handed over, after compression'],
  ...WORKER_COLUMNS.map(({ header, shortHeader, meaning }) => {
    return [shortHeader === undefined ? header : `${header} (${shortHeader})`, meaning] as const;
  }),
];

/** A part of the screen; the highest rank gives way first when there are too few lines. */
interface Block {
  readonly rank: number;
  readonly lines: readonly Line[];
}

/** The screen, one string a line: none wider than `columns`, at most `rows - 1` of them (one at least). */
export function renderLiveScreen(state: RunState, view: LiveView): string[] {
  const most = Math.max(1, view.rows - 1);
  return layout(state, view, most)
    .slice(0, most)
    .map((line) => renderLine(line, view));
}

/** How far the list, or the view in its place, can be scrolled, and how much of it is shown at once. */
export function scrollRange(
  state: RunState,
  view: LiveView,
): { readonly most: number; readonly page: number } {
  const { middle, room } = partsOf(state, view, Math.max(1, view.rows - 1));
  const [length, page] =
    middle === null
      ? [state.workers.length, workersThatFit(state.workers.length, room)]
      : [middle.length, linesThatFit(middle.length, room)];
  return { most: Math.max(0, length - page), page: Math.max(page, 1) };
}

/** What stands around the middle, and the lines that are left for it. A null middle is the table of workers. */
interface Parts {
  readonly above: readonly Line[];
  readonly middle: readonly Line[] | null;
  readonly below: readonly Line[];
  readonly room: number;
}

function layout(state: RunState, view: LiveView, most: number): Line[] {
  const { above, middle, below, room } = partsOf(state, view, most);
  const shown = middle === null ? workerLines(state, view, room) : scrolled(middle, view, room);
  return [...above, ...shown.slice(0, Math.max(room, 0)), ...below];
}

/** As many of the lines as fit; where some do not, the last line says how many. */
function scrolled(lines: readonly Line[], view: LiveView, room: number): readonly Line[] {
  if (lines.length <= room) return lines;
  const shown = linesThatFit(lines.length, room);
  const from = Math.min(view.scroll, lines.length - shown);
  const after = lines.length - from - shown;
  const keys = view.hasKeys ? ' · ↑ ↓ scroll' : '';
  const note = `… ${placesText(from, after, 'line', ['above', 'below'])}${keys}`;
  return [...lines.slice(from, from + shown), [plain('  '), styled('dim', note)]];
}

/** `16 before, 36 workers after`, `52 workers before`. */
function placesText(
  from: number,
  after: number,
  one: string,
  [before, behind]: readonly [string, string],
): string {
  if (after === 0) return `${counted(from, one)} ${before}`;
  return `${from > 0 ? `${from} ${before}, ` : ''}${counted(after, one)} ${behind}`;
}

/** One less than there is room for when some are hidden, which is then said. */
function linesThatFit(lines: number, room: number): number {
  return lines <= room ? lines : Math.max(1, room - 1);
}

function partsOf(state: RunState, view: LiveView, most: number): Parts {
  const middle = view.showHelp ? helpLines(view) : view.showErrors ? allErrorLines(state, view) : null;
  const top: Block[] = [
    { rank: 0, lines: [headerLine(state, view)] },
    { rank: 1, lines: [progressLine(state, view)] },
    { rank: 4, lines: [rateLine(state, view)] },
    { rank: 6, lines: tablesLines(state, view) },
    { rank: 2, lines: stateLines(state, view) },
    { rank: 9, lines: [[]] },
  ];
  const bottom: Block[] = [
    { rank: 9, lines: [[]] },
    { rank: 8, lines: middle === null ? serverLines(state, view) : [] },
    { rank: 5, lines: middle === null ? errorLines(state, view) : [] },
    { rank: 3, lines: verdictLines(state, view) },
    { rank: 7, lines: [keysLine(state, view)] },
  ];
  const table = most < TABLE_LINES ? 0 : Math.min(state.workers.length, WORKERS_KEPT) + 3;
  // What was asked for with a key keeps half of the screen.
  const needed = middle === null ? table : Math.min(middle.length, Math.floor(most / 2));
  const kept = fitting([...top, ...bottom], most - needed);
  const [above, below] = [top, bottom].map((blocks) =>
    blocks.filter((block) => kept.has(block)).flatMap((b) => b.lines),
  );
  const room = most - (above?.length ?? 0) - (below?.length ?? 0);
  return { above: above ?? [], middle, below: below ?? [], room };
}

/** The blocks that fit into `lines` together, dropped from the highest rank down. */
function fitting(blocks: readonly Block[], lines: number): ReadonlySet<Block> {
  const kept = new Set(blocks);
  const byRank = [...blocks].sort((a, b) => b.rank - a.rank);
  for (const block of byRank) {
    if ([...kept].reduce((sum, each) => sum + each.lines.length, 0) <= lines) break;
    if (block.rank > 0) kept.delete(block);
  }
  return kept;
}

/** The target and the table on the left, as much of them as fits; the state and the clock on the right. */
function headerLine(state: RunState, view: LiveView): Line {
  const clocks = clockCandidates(state);
  const right =
    clocks.find((spans) => lineWidth(spans) + 2 + NAME_CELLS <= view.columns) ?? clocks.at(-1) ?? [];
  const room = view.columns - lineWidth(right) - 2;
  const nodes = printable(nodesText(state.plan, state.target));
  const table = printable(tablesText(formatTable(state.plan.table.name), state.plan.also.length));
  const kind = state.target === null ? [] : [printable(targetKindText(state.target))];
  const isCluster = state.target === null || state.target.kind === 'cratedb';
  // A stand-in never loses its name: then rather its address, which is this machine anyway.
  const shortest = isCluster ? [nodes, table] : [...kind, table];
  const candidates = [
    `crategen ${state.plan.command} → ${[nodes, ...kind, table].join(' · ')}`,
    [nodes, ...kind, table].join(' · '),
    shortest.join(' · '),
  ];
  const left =
    candidates.find((text) => textWidth(text) <= room) ?? (isCluster ? table : shortest.join(' · '));
  return justify([styled('bold', left)], right, view.columns);
}

const TONES = { good: 'green', busy: 'cyan', trouble: 'yellow' } as const satisfies Record<Tone, Style>;

/** The state and the clock, from the longest form to the shortest. */
function clockCandidates(state: RunState): readonly Line[] {
  const { durationMs } = state.plan.bounds;
  const [elapsed, limit] = [
    formatClock(state.elapsedMs),
    durationMs === null ? '' : ` / ${formatClock(durationMs)}`,
  ];
  const { text: label, tone } = stateLabel(state);
  const insecure = state.plan.target.tls.verify ? [] : [styled('redBold', 'TLS NOT VERIFIED  ')];
  const isShort = insecure.length === 0 ? [] : [styled('redBold', '! ')];
  return [
    [...insecure, styled(TONES[tone], label), plain(`  ${elapsed}${limit}`)],
    [...insecure, styled(TONES[tone], label), plain(`  ${elapsed}`)],
    [...isShort, styled(TONES[tone], label)],
  ];
}

/** Numbers are padded, so that the bar beside them keeps its place from frame to frame. */
function progressLine(state: RunState, view: LiveView): Line {
  const settled = formatShort(settledRows(state.total.ledger));
  const rows =
    state.plannedRows === null ? `${settled} rows` : `${settled} of ${formatShort(state.plannedRows)} rows`;
  const mean = meanRowsPerSecond(state);
  const eta = state.total.waiting === null ? remainingMs(state) : null;
  const now = formatRate(state.window.rowsPerSecond);
  const end = eta === null ? [] : [`ETA ${formatClock(eta)}`];
  const full = [rows, mean === null ? now : `${now} (mean ${formatShort(mean)})`, ...end].join(' · ');
  const candidates = [full, [rows, now, ...end].join(' · '), [rows, now].join(' · ')];
  const text = candidates.find((each) => textWidth(each) + 2 <= view.columns) ?? rows;
  const share = shareDone(state);
  const cells = clamp(view.columns - PROGRESS_TEXT_CELLS, BAR_CELLS.least, BAR_CELLS.most);
  if (share === null || cells + textWidth(text) + 4 > view.columns) return [plain(`  ${text}`)];
  const filled = Math.min(cells, Math.floor(share * cells));
  return [
    plain('  '),
    styled('green', '█'.repeat(filled)),
    styled('dim', '░'.repeat(cells - filled)),
    plain(`  ${text}`),
  ];
}

function rateLine(state: RunState, view: LiveView): Line {
  const { p50Ms, p99Ms, maxMs, bodyBytesPerSecond } = state.window;
  const [p50, p99, max] = [p50Ms, p99Ms, maxMs].map((ms) => padStart(orDash(ms, formatLatency), 6));
  const flight = requestsInFlight(state);
  const [bytes, slots] = [formatByteRate(bodyBytesPerSecond), `${flight.now}/${flight.most}`];
  const candidates = [
    `service p50 ${p50}  p99 ${p99}  max ${max}   ${padStart(bytes, 10)}   in flight ${slots}`,
    `p50 ${p50} p99 ${p99} max ${max} · ${padStart(bytes, 10)} · ${slots} in flight`,
    `p50 ${p50} p99 ${p99} max ${max} · ${slots} in flight`,
    `p99 ${p99} max ${max} · ${slots} in flight`,
    `p99 ${p99} max ${max}`,
  ];
  const room = view.columns - 2;
  const withSpark = candidates
    .slice(0, 3)
    .find((text) => textWidth(text) + 2 + SPARKLINE_CELLS.least <= room);
  const text = withSpark ?? candidates.find((each) => textWidth(each) <= room) ?? candidates.at(-1) ?? '';
  if (withSpark === undefined || state.recentRowsPerSecond.length < 2) return [plain(`  ${text}`)];
  const cells = clamp(room - textWidth(text) - 2, SPARKLINE_CELLS.least, SPARKLINE_CELLS.most);
  return [
    plain('  '),
    styled('cyan', padStart(sparkline(state.recentRowsPerSecond, cells), cells)),
    plain(`  ${text}`),
  ];
}

/** Rows of each table, where there are several. */
function tablesLines({ plan, total }: RunState, view: LiveView): Line[] {
  if (plan.also.length === 0) return [];
  const parts = tablesOf(plan).map(({ name }, table) => {
    const rows = total.tables[table]?.acknowledged ?? 0;
    return `${printable(name.table, 40)} ${padStart(formatShort(rows), 6)}`;
  });
  return [[plain(`  ${wrap(parts.join('   '), view.columns - 2)[0] ?? ''}`)]];
}

/** The last minute from 0 to its own maximum, several seconds a cell where there is no room for one each. */
function sparkline(values: readonly number[], cells: number): string {
  const shown = Math.min(cells, values.length);
  const means = Array.from({ length: shown }, (_, cell) => {
    const [from, to] = [
      Math.floor((cell * values.length) / shown),
      Math.floor(((cell + 1) * values.length) / shown),
    ];
    return values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
  });
  const top = Math.max(...means);
  return means
    .map(
      (mean) =>
        SPARKS[top > 0 ? Math.min(SPARKS.length - 1, Math.floor((mean / top) * SPARKS.length)) : 0] ?? ' ',
    )
    .join('');
}

/** What the run does when it is not simply running, and what it waits for. */
function stateLines(state: RunState, view: LiveView): Line[] {
  const { waiting } = state.total;
  const phase = phaseText(state);
  return [
    ...(phase === null ? [] : sentence(phase, 'cyan', view)),
    ...(waiting === null ? [] : sentence(waitingText(waiting), 'yellow', view)),
  ];
}

/** Header, as many workers as fit, what is hidden, the total and the parent. */
function workerLines(state: RunState, view: LiveView, room: number): Line[] {
  const sorted = sortWorkers(state.workers, view.sort);
  const fitting = workersThatFit(sorted.length, room);
  const from = Math.min(view.scroll, sorted.length - fitting);
  const shown = from > 0 ? sorted.slice(from, from + fitting) : mostTelling(sorted, fitting, view.sort);
  const rows = [...shown.map((worker) => workerRow(worker, state)), totalRow(state), parentRow(state)];
  const lines = tableLines(WORKER_COLUMNS, rows, { cells: view.columns, indent: 2 });
  const hidden = sorted.length - shown.length;
  if (hidden === 0) return lines;
  const cut = shown.length + 1;
  return [
    ...lines.slice(0, cut),
    [plain('  '), styled('dim', hiddenText(state, view, from, shown.length))],
    ...lines.slice(cut),
  ];
}

/** In the order of numbers the workers in trouble come along; any other order already says what is looked for. */
function mostTelling(sorted: readonly WorkerState[], count: number, sort: LiveSort): WorkerState[] {
  if (sort !== 'index') return sorted.slice(0, count);
  const troubled = sorted.filter(isTroubled).slice(0, count);
  const others = sorted.filter((worker) => !isTroubled(worker)).slice(0, count - troubled.length);
  return [...troubled, ...others].sort((a, b) => a.index - b.index);
}

function isTroubled(worker: WorkerState): boolean {
  return worker.restarts > 0 || worker.total.waiting !== null || missingRows(worker.total.ledger) > 0;
}

/** Beside the header, the total and the parent; one line less when some are hidden, which is then said. */
function workersThatFit(workers: number, room: number): number {
  const fixed = 3;
  return workers + fixed <= room ? workers : Math.max(0, room - fixed - 1);
}

function hiddenText(state: RunState, view: LiveView, from: number, shown: number): string {
  const rates = state.workers.map((worker) => worker.rowsPerSecond);
  const range = `${formatShort(Math.min(...rates))} to ${formatShort(Math.max(...rates))} rows/s each`;
  const hidden = state.workers.length - shown;
  const where =
    from > 0
      ? placesText(from, hidden - from, 'worker', ['before', 'after'])
      : counted(hidden, 'more worker');
  const keys = view.hasKeys ? ' · ↑ ↓ scroll' : '';
  const candidates = [`… ${where} · all ${state.workers.length}: ${range}${keys}`, `… ${where}${keys}`];
  return candidates.find((text) => textWidth(text) + 2 <= view.columns) ?? `… ${where}`;
}

/** One node a line where there is room, and a count of those for which there is no line; else all on one. */
function serverLines(state: RunState, view: LiveView): Line[] {
  const texts = serverTexts(state);
  if (texts.length === 0) return [];
  const hidden = texts.length - NODES_SHOWN;
  const tall = [
    ...texts.slice(0, NODES_SHOWN),
    ...(hidden > 0 ? [`and ${counted(hidden, 'more node')}`] : []),
  ];
  const lines = view.rows < TALL_ROWS ? [texts.join(' · ')] : tall;
  return lines.map((text, index) =>
    cutLine([plain('  '), styled('dim', (index === 0 ? 'server' : '').padEnd(9)), plain(text)], view.columns),
  );
}

function verdictLines(state: RunState, view: LiveView): Line[] {
  const text = verdictText(state);
  return text === null ? [] : sentence(text, 'bold', view);
}

function errorLines(state: RunState, view: LiveView): Line[] {
  const sorted = sortErrors(state.total.errors);
  const shown = sorted.slice(0, ERRORS_SHOWN).map((error): Line => {
    return [plain('  '), styled('yellow', errorHead(error)), plain(`: ${printable(error.example)}`)];
  });
  const hidden = sorted.length - shown.length;
  const more: Line = [
    plain('  '),
    styled('dim', `and ${counted(hidden, 'more class', 'more classes')}${view.hasKeys ? ': press e' : ''}`),
  ];
  return hidden > 0 ? [...shown, more] : shown;
}

function allErrorLines(state: RunState, view: LiveView): Line[] {
  const sorted = sortErrors(state.total.errors);
  if (sorted.length === 0) return [[plain('  '), styled('green', 'no errors so far')]];
  return sorted.flatMap((error) => [
    [plain('  '), styled('yellow', errorHead(error)), plain(` in ${counted(error.batches, 'attempt')}`)],
    ...indented(printable(error.example, 400), 'plain', view, 4),
  ]);
}

/** A row counts once per attempt that reported it, so the numbers here may exceed the rows that are missing. */
function errorHead(error: ErrorCount): string {
  const code = error.code === null ? '' : ` ${error.code}`;
  return `${formatCount(error.rows)} × ${printable(error.class, 40)}${code}`;
}

function sortErrors(errors: readonly ErrorCount[]): ErrorCount[] {
  return [...errors].sort((a, b) => b.rows - a.rows || b.batches - a.batches);
}

function keysLine(state: RunState, view: LiveView): Line {
  const isStopping = !['preparing', 'starting', 'warmingUp', 'running'].includes(state.phase);
  const stop = isStopping ? 'stop now' : 'stop gracefully';
  if (!view.hasKeys) return [plain('  '), styled('dim', `Ctrl-C ${stop}`)];
  const errors = view.showErrors ? 'e workers' : 'e errors';
  const help = view.showHelp ? '? back' : '? help';
  const candidates = [
    `q ${stop}   s sort: ${SORT_NAMES[view.sort]}   ${errors}   ${help}`,
    `q stop  s sort  ${errors}  ${help}`,
  ];
  const shown = candidates.find((text) => textWidth(text) + 2 <= view.columns) ?? `q stop  ${help}`;
  return [plain('  '), styled('dim', shown)];
}

function helpLines(view: LiveView): Line[] {
  return HELP.flatMap(([term, meaning]) => {
    if (view.columns < HELP_COLUMNS) {
      return [[plain('  '), styled('bold', term)] satisfies Line, ...indented(meaning, 'plain', view, 4)];
    }
    const [first = '', ...rest] = wrap(meaning, view.columns - HELP_TERM_CELLS - 2);
    const hanging = rest.map((text): Line => [plain(' '.repeat(HELP_TERM_CELLS + 2)), plain(text)]);
    return [
      [plain('  '), styled('bold', term.padEnd(HELP_TERM_CELLS)), plain(first)] satisfies Line,
      ...hanging,
    ];
  });
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function indented(text: string, style: Style, view: LiveView, indent = 2): Line[] {
  return wrap(text, view.columns - indent).map((line): Line => [
    plain(' '.repeat(indent)),
    styled(style, line),
  ]);
}

/** A sentence on a few lines; one that is longer ends in `…`. */
function sentence(text: string, style: Style, view: TextView): Line[] {
  const lines = wrap(text, view.columns - 2);
  const most = lines.length <= SENTENCE_LINES ? lines : lines.slice(0, SENTENCE_LINES);
  const isCut = lines.length > SENTENCE_LINES;
  return most.map((line, index) => {
    const shown = isCut && index === SENTENCE_LINES - 1 ? cut(`${line} …`, view.columns - 2) : line;
    return [plain('  '), styled(style, shown)];
  });
}
