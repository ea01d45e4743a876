/**
 * The result of a run as Markdown, fit for a pull request: the ledger and its verdict first, long tables folded away.
 * Text from outside stands in code spans, where no link, mention or tag works.
 */
import { formatBytes, formatDuration, formatExact } from '../base/units.ts';
import { printable } from '../base/text.ts';
import { missingRows } from '../metrics/ledger.ts';
import {
  formatByteRate,
  formatLatency,
  formatMebibytes,
  formatPercent,
  formatRate,
  formatSeconds,
  orDash,
} from './quantities.ts';
import { ceilingTexts } from './ceiling.ts';
import { cpuSecondsOf } from './costs.ts';
import type { RunFile, RunFileLatency, RunFileWorker } from './run-file-schema.ts';
import { judge, judgementText } from './thresholds.ts';
import { headlineOf, ledgerSentences, recoveredText } from './summary/ledger.ts';
import { acknowledgedTitle } from './summary/tables.ts';
import { againCommand, limitText, standingWarnings, targetText } from './summary/summary.ts';

/** A comment with more lines than this is not read. */
const MAX_WORKERS = 64;
const MAX_ERRORS = 20;

/** The document, lines ended by `\n`. */
export function renderMarkdown(run: RunFile): string {
  const parts = [
    `### ${escapeMarkdown(headlineOf(run).text)}`,
    [codeSpan(run.run.id), codeSpan(run.run.startedAt), codeSpan(targetText(run))].join(' · '),
    ...standingWarnings(run).map((warning) => `> ⚠ ${escapeMarkdown(warning)}`),
    ledgerTable(run),
    ledgerSentences(run)
      .map(({ text }) => `- ${escapeMarkdown(text)}`)
      .join('\n'),
    ...tablesTable(run),
    figuresTable(run),
    latencyTable(run),
    judge(run.plan.failOn, run)
      .map((judgement) => `- ${judgement.isMissed ? '❌' : '✅'} ${escapeMarkdown(judgementText(judgement))}`)
      .join('\n'),
    `**Limited by** ${escapeMarkdown(limitText(run))}`,
    ceilingTexts(run)
      .map(({ title, text }) => `- **${title}** ${escapeMarkdown(text)}`)
      .join('\n'),
    ...errorsTable(run),
    folded(`${formatExact(run.workers.length)} processes`, workersTable(run)),
    folded('Run it again', codeBlock(againCommand(run))),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Text as a code span: its fence is longer than any row of backticks in it, and no line or cell ends in it. */
export function codeSpan(text: string): string {
  const shown = printable(text, 400);
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const pad = shown.startsWith('`') || shown.endsWith('`') || shown.trim() === '' ? ' ' : '';
  return `${fence}${pad}${shown.replaceAll('|', '\\|')}${pad}${fence}`;
}

/** Words around numbers, some of them from outside, outside of code: every character that means something is escaped. */
export function escapeMarkdown(text: string): string {
  return (
    printable(text, 2000)
      .replace(/[\\`*_{}[\]<>()#+!|~$^&]/g, (character) => `\\${character}`)
      // A mention, an address or a link would be made of these even when they are escaped.
      .replace(/@/g, '&#64;')
      .replace(/:\/\//g, ':&#47;&#47;')
      .replace(/www\./gi, (prefix) => `${prefix.slice(0, 3)}&#46;`)
  );
}

/** Header and rows as a table; the first column to the left, the others to the right. Cells are Markdown already. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  );
}

export function folded(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

export function codeBlock(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

function ledgerTable(run: RunFile): string {
  const { offered, acknowledged, rejected, failed, unknown } = run.ledger;
  const { stored, verdict } = run.verification;
  return markdownTable(
    ['offered', 'acknowledged', 'rejected', 'failed', 'unknown', 'server counts', 'verdict'],
    [
      [
        ...[offered, acknowledged, rejected, failed, unknown].map(formatExact),
        orDash(stored, formatExact),
        verdict === 'match' ? verdict : `**${verdict}**`,
      ],
    ],
  );
}

function tablesTable(run: RunFile): string[] {
  if (run.tables.length < 2) return [];
  const rows = run.tables.map(({ table, ledger, verification }) => [
    codeSpan(table),
    formatExact(ledger.acknowledged),
    formatExact(missingRows(ledger)),
    orDash(verification.stored, formatExact),
    verification.verdict,
  ]);
  return [markdownTable(['table', acknowledgedTitle(run), 'missing', 'counted', 'verdict'], rows)];
}

function figuresTable(run: RunFile): string {
  const { throughput, cost } = run;
  const isLower = run.workers.some(({ cpu }) => cpu.lowerBound) ? '≥ ' : '';
  return markdownTable(
    ['rows/s', 'sent', 'duration', 'CPU s per million rows', 'sent per million rows', 'processes'],
    [
      [
        orDash(throughput.acknowledgedRowsPerSecond, formatRate),
        orDash(throughput.bodyBytesPerSecond, formatByteRate),
        orDash(run.run.runningMs, formatDuration),
        `${isLower}${orDash(cost.cpuSecondsPerMillionRows, formatSeconds)}`,
        orDash(cost.bodyBytesPerRow, (bytes) => formatBytes(bytes * 1e6)),
        formatExact(run.plan.procs),
      ],
    ],
  );
}

function latencyTable(run: RunFile): string {
  const row = (name: string, latency: RunFileLatency): string[] => [
    name,
    ...[latency.p50, latency.p90, latency.p95, latency.p99, latency.p999, latency.max].map((ms) =>
      orDash(ms, formatLatency),
    ),
    formatExact(latency.samples),
  ];
  return markdownTable(
    ['latency', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'samples'],
    [row('sent to answered', run.latencyMs.service), row('due to done', run.latencyMs.response)],
  );
}

function errorsTable(run: RunFile): string[] {
  if (run.errors.length === 0) return [];
  const sorted = run.errors.toSorted((a, b) => b.rows - a.rows || b.batches - a.batches);
  const rows = sorted
    .slice(0, MAX_ERRORS)
    .map((error) => [
      codeSpan(error.code === null ? error.class : `${error.class} ${error.code}`),
      formatExact(error.rows),
      formatExact(error.batches),
      codeSpan(error.example),
    ]);
  const recovered = recoveredText(run);
  return [
    ...(recovered === null ? [] : [`Errors met on the way; ${recovered}.`]),
    markdownTable(['errors', 'rows', 'attempts', 'an example'], rows),
  ];
}

function workersTable(run: RunFile): string {
  const rows = run.workers
    .slice(0, MAX_WORKERS)
    .map((worker) => [
      String(worker.index),
      worker.pids.join(', '),
      formatExact(worker.ledger.acknowledged),
      ...costCells(worker),
      formatExact(worker.restarts),
      orDash(worker.sentBytes, formatBytes),
      orDash(worker.receivedBytes, formatBytes),
    ]);
  const { coordinator } = run;
  const parent = ['parent', String(coordinator.pid), '', ...costCells(coordinator), '', '', ''];
  const more =
    run.workers.length > MAX_WORKERS ? `\n\nThe first ${MAX_WORKERS} of ${run.workers.length}.` : '';
  const head = [
    'worker',
    'pid',
    'rows',
    'CPU s',
    'CPU mean',
    'CPU max',
    'RSS max',
    'restarts',
    'sent',
    'received',
  ];
  return `${markdownTable(head, [...rows, parent])}${more}`;
}

function costCells(process: Pick<RunFileWorker, 'cpu' | 'memory'>): string[] {
  const { cpu, memory } = process;
  return [
    `${cpu.lowerBound ? '≥ ' : ''}${orDash(cpuSecondsOf(process), formatSeconds)}`,
    orDash(cpu.percentMean, formatPercent),
    orDash(cpu.percentMax, formatPercent),
    orDash(memory.residentBytesMax, (bytes) => `${formatMebibytes(bytes)} MiB`),
  ];
}
