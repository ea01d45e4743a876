/** The parts of the report that are words and tables: ledger, key figures, costs, errors, plan. */
import { formatBytes, formatDuration, formatExact } from '../../base/units.ts';
import { usableCores } from '../../base/host.ts';
import { missingRows } from '../../metrics/ledger.ts';
import {
  counted,
  formatByteRate,
  formatLatency,
  formatMebibytes,
  formatPercent,
  formatRate,
  formatSeconds,
  formatShare,
  orDash,
} from '../quantities.ts';
import { cpuSecondsOf, ownRows, perMillionRows, shownLoopDelayMs } from '../costs.ts';
import type { RunFile, RunFileLatency, RunFileWorker } from '../run-file-schema.ts';
import { ledgerSentences, recoveredText } from '../summary/ledger.ts';
import { ceilingTexts } from '../ceiling.ts';
import { limitName, splitEvidence } from '../limit.ts';
import { acknowledgedTitle, tableCells } from '../summary/tables.ts';
import { againCommand, standingWarnings, targetText } from '../summary/summary.ts';
import { judge, judgementText } from '../thresholds.ts';
import { table } from './figure.ts';
import { type Markup, type Piece, html, joined } from './markup.ts';

/** The books, before anything else: offered is the sum of the other four, and the server says what it holds. */
export function ledgerSection(run: RunFile): Markup {
  const { offered, acknowledged, rejected, failed, unknown, notOffered } = run.ledger;
  const states: readonly (readonly [string, number, string])[] = [
    ['offered', offered, 'rows of all batches that were begun'],
    ['acknowledged', acknowledged, 'the server said that they are stored'],
    ['rejected', rejected, 'refused for what they contain'],
    ['failed', failed, 'surely not stored, after all retries'],
    ['unknown', unknown, 'sent, and nobody said what became of them'],
    ...(notOffered > 0
      ? [['not offered', notOffered, 'planned, but no batch of them was begun'] as const]
      : []),
  ];
  const { stored, verdict } = run.verification;
  const server: Piece = html`<tr
    class="${verdict === 'match' ? 'good' : verdict === 'mismatch' || verdict === 'unavailable' ? 'bad' : ''}"
  >
    <th scope="row">the server counts</th>
    <td>${orDash(stored, formatExact)}</td>
    <td class="words">${verdict}</td>
  </tr>`;
  const rows = states.map(([name, rows, meaning]) => {
    const isBad = rows > 0 && name !== 'offered' && name !== 'acknowledged' && name !== 'not offered';
    return html`<tr class="${isBad ? 'bad' : ''}">
      <th scope="row">${name}</th>
      <td>${formatExact(rows)}</td>
      <td class="words">${meaning}</td>
    </tr>`;
  });
  const sentences = ledgerSentences(run).map(({ text, style }) => {
    return html`<li class="${style.startsWith('red') ? 'bad' : ''}">${text}</li>`;
  });
  return section(
    'ledger',
    'Ledger',
    html`<table class="books">
        <thead>
          <tr>
            <th scope="col">rows</th>
            <th scope="col">count</th>
            <th scope="col" class="words">meaning</th>
          </tr>
        </thead>
        <tbody>
          ${rows}${server}
        </tbody>
      </table>
      <ul class="plain">
        ${sentences}
      </ul>`,
  );
}

/** What people ask first, as large numbers. */
export function keyFigures(run: RunFile): Markup {
  const { service } = run.latencyMs;
  const isLower = run.workers.some(({ cpu }) => cpu.lowerBound) ? 'at least ' : '';
  const figures: readonly (readonly [string, string, string])[] = [
    [
      'throughput',
      orDash(run.throughput.acknowledgedRowsPerSecond, formatRate),
      'acknowledged, without the warm-up',
    ],
    ['sent', orDash(run.throughput.bodyBytesPerSecond, formatByteRate), 'request bodies, after compression'],
    [
      'duration',
      orDash(run.run.runningMs, formatDuration),
      'from the common start to the end of the last worker',
    ],
    [
      'latency p50',
      orDash(service.p50, formatLatency),
      `of ${counted(service.samples, 'request')}, sent to answered`,
    ],
    ['latency p99', orDash(service.p99, formatLatency), `slowest ${orDash(service.max, formatLatency)}`],
    [
      'CPU per million rows',
      `${isLower}${orDash(run.cost.cpuSecondsPerMillionRows, (seconds) => `${formatSeconds(seconds)} s`)}`,
      'workers and parent',
    ],
    [
      'sent per million rows',
      orDash(run.cost.bodyBytesPerRow, (bytes) => formatBytes(bytes * 1e6)),
      'all attempts',
    ],
  ];
  const items = figures.map(([name, value, note]) => {
    return html`<div>
      <dt>${name}</dt>
      <dd><b>${value}</b><small>${note}</small></dd>
    </div>`;
  });
  return html`<dl class="key-figures">${items}</dl>
    ${limitParagraphs(run)}`;
}

/** The verdict with what decided it, and below it what to try. */
function limitParagraphs(run: RunFile): Markup {
  const { bottleneck, target } = run;
  const { reasons, advice } = splitEvidence(run);
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
  return html`<p class="limit"><b>Limited by</b> ${limitName(bottleneck.verdict, target.kind)}${why}</p>
    ${advice.map((sentence) => html`<p class="limit"><b>Try</b> ${sentence}</p>`)}
    ${ceilingTexts(run).map(({ title, text }) => html`<p class="limit"><b>${title.charAt(0).toUpperCase()}${title.slice(1)}</b> ${text}</p>`)}`;
}

/** What each table of a run with several got; nothing for one. */
export function tablesSection(run: RunFile): Markup | null {
  if (run.tables.length < 2) return null;
  const rows = run.tables.map((entry) => [entry.table, ...tableCells(entry), entry.verification.verdict]);
  const rowsTitle = acknowledgedTitle(run);
  const head = ['table', 'weight', rowsTitle, 'rejected', 'failed', 'unknown', 'counted', 'verdict'];
  return section('tables', 'Tables', table('Tables', head, rows));
}

/** Each `--fail-on` with what was measured; nothing for a run without one. */
export function thresholdsSection(run: RunFile): Markup | null {
  const judged = judge(run.plan.failOn, run);
  if (judged.length === 0) return null;
  const items = judged.map((judgement) => {
    return html`<li class="${judgement.isMissed ? 'bad' : ''}">${judgementText(judgement)}</li>`;
  });
  return section(
    'thresholds',
    'Thresholds',
    html`<ul class="plain">
      ${items}
    </ul>`,
  );
}

/** Everything a reader must know before believing a number. */
export function warningsSection(run: RunFile): Markup | null {
  const warnings = standingWarnings(run);
  if (warnings.length === 0) return null;
  return html`<aside class="warnings" aria-label="Warnings">
    <ul>
      ${warnings.map((warning) => html`<li>${warning}</li>`)}
    </ul>
  </aside>`;
}

export function latencySection(run: RunFile): Markup {
  const row = (name: string, latency: RunFileLatency): Piece[] => [
    name,
    ...[latency.p50, latency.p90, latency.p95, latency.p99, latency.p999, latency.max, latency.mean].map(
      (ms) => orDash(ms, formatLatency),
    ),
    formatExact(latency.samples),
  ];
  return table(
    'Latency percentiles',
    ['latency', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'mean', 'samples'],
    [
      row('service: sent to answered', run.latencyMs.service),
      row('response: due to done', run.latencyMs.response),
    ],
  );
}

/** What each process cost; the parent has no rows of its own. */
export function costSection(run: RunFile): Markup {
  const rows = run.workers.map((worker) => [
    String(worker.index),
    worker.pids.join(', '),
    formatExact(worker.ledger.acknowledged),
    formatExact(missingRows(worker.ledger)),
    ...costCells(worker, ownRows(worker), run.run.runningMs),
    formatExact(worker.restarts),
    orDash(worker.sentBytes, formatMebibytes),
    orDash(worker.receivedBytes, formatMebibytes),
  ]);
  const { coordinator } = run;
  const parentCells = costCells(coordinator, null, run.run.runningMs);
  const parent = ['parent', String(coordinator.pid), '', '', ...parentCells, '', '', ''];
  const head = [
    'worker',
    'pid',
    'rows',
    'missing',
    'CPU s',
    'CPU s per m rows',
    'CPU mean',
    'CPU max',
    'RSS max MiB',
    'RSS MiB per m rows',
    'event loop',
    'loop late p99',
    'GC s',
    'restarts',
    'sent MiB',
    'received MiB',
  ];
  return section(
    'cost',
    'What each process cost',
    html`<p>
        CPU: 100 % is one core. RSS is the peak of resident memory, which processes partly share. “Per m rows”
        is held against the rows that the process itself got acknowledged. “Loop late” is how late the event
        loop was for a timer (from 100 s of a run on), “GC” the time in garbage collection. Sent and received
        are bodies of requests, after compression, and of replies.
      </p>
      ${table('What each process cost', head, [...rows, parent])}`,
  );
}

export function nodesSection(run: RunFile): Markup | null {
  if (run.nodes.length === 0) return null;
  const rows = run.nodes.map((node) => [
    node.origin,
    formatExact(node.rows),
    formatExact(node.requests),
    orDash(node.serviceMs.p50, formatLatency),
    orDash(node.serviceMs.p99, formatLatency),
    orDash(node.serviceMs.max, formatLatency),
    formatExact(node.errors.reduce((sum, { batches }) => sum + batches, 0)),
    formatExact(node.outages.length),
  ]);
  return table(
    'Nodes',
    ['node', 'rows', 'requests', 'p50', 'p99', 'max', 'attempts with errors', 'outages'],
    rows,
  );
}

export function errorsSection(run: RunFile): Markup {
  const sorted = run.errors.toSorted((a, b) => b.rows - a.rows || b.batches - a.batches);
  const rows = sorted.map((error) => {
    return html`<tr>
      <th scope="row">${error.class}${error.code === null ? null : html` <small>${error.code}</small>`}</th>
      <td>${formatExact(error.rows)}</td>
      <td>${formatExact(error.batches)}</td>
      <td class="words"><code>${error.example}</code></td>
    </tr>`;
  });
  const recovered = recoveredText(run);
  const body =
    rows.length === 0
      ? html`<p>${run.run.endReason === 'killed' ? ERRORS_LOST : 'No attempt met an error.'}</p>`
      : html`${recovered !== null && html`<p>Met on the way: ${recovered}.</p>`}
          <div class="scroll" role="region" tabindex="0" aria-label="Errors by class">
            <table>
              <thead>
                <tr>
                  <th scope="col">class</th>
                  <th scope="col">rows</th>
                  <th scope="col">attempts</th>
                  <th scope="col" class="words">an example</th>
                </tr>
              </thead>
              <tbody>
                ${rows}
              </tbody>
            </table>
          </div>`;
  return section('errors', 'Errors', body);
}

const ERRORS_LOST = 'Errors by class were lost with the parent process.';

function durationOrNone(ms: number): string {
  return ms === 0 ? 'none' : formatDuration(ms);
}

export function planSection(run: RunFile): Markup {
  const { plan, host, versions } = run;
  const facts: readonly (readonly [string, Piece])[] = [
    ['target', targetText(run)],
    ['table', run.target.table],
    ['rows', plan.rows === null ? 'as many as time allows' : formatExact(plan.rows)],
    ['duration', plan.durationMs === null ? 'as long as the rows take' : formatDuration(plan.durationMs)],
    ['processes', formatExact(plan.procs)],
    ['rows a batch', formatExact(plan.batchSize)],
    [
      'requests in flight',
      `${formatExact(plan.inFlight)} a process, ${formatExact(plan.inFlight * plan.procs)} in all`,
    ],
    [
      'rate',
      plan.rowsPerSecond === null
        ? 'closed loop: the next batch when one is done'
        : formatRate(plan.rowsPerSecond),
    ],
    ['ramp-up, warm-up', [plan.rampUpMs, plan.warmUpMs].map(durationOrNone).join(', ')],
    ['insert path', `${plan.insertPath}, compression ${plan.compression}`],
    ['retries, time-out', `${plan.retries}, ${formatDuration(plan.timeoutMs)}`],
    ['verification', plan.verify],
    ['thresholds', plan.failOn.length === 0 ? 'none' : plan.failOn.map(({ text }) => text).join(', ')],
    ['machine', plan.machine],
    ['seed, time origin', `${run.run.seed}, ${plan.timeOrigin}`],
    ['pools, row format', `${plan.poolsHash}, ${plan.rowFormat}`],
    ['host', `${usableCores(host)} usable cores, ${formatBytes(host.memoryBytes)} memory`],
    ['versions', `crategen ${versions.crategen}, Node.js ${versions.node}, faker ${versions.faker}`],
    ['started, ended', `${run.run.startedAt}, ${run.run.endedAt}`],
  ];
  const rows = facts.map(
    ([name, value]) =>
      html`<div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>`,
  );
  return section(
    'plan',
    'Plan',
    html`<dl class="facts">${rows}</dl>
      <h3>Statement</h3>
      <pre tabindex="0" aria-label="Statement">${lines(plan.statement)}</pre>
      <h3>Table</h3>
      <pre tabindex="0" aria-label="Table definition">${lines(plan.ddl)}</pre>`,
  );
}

/** The command that makes the run again. */
export function repeatSection(run: RunFile): Markup {
  const command = againCommand(run);
  return section(
    'repeat',
    'Run it again',
    html`<pre tabindex="0" aria-label="Command"><code>${command}</code></pre>`,
  );
}

export function section(id: string, title: string, body: Piece): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-h">
    <h2 id="${id}-h">${title}</h2>
    ${body}
  </section>`;
}

/** Our own line breaks stay; whatever else controls is shown as a symbol. */
function lines(text: string): Markup {
  return joined(text.split('\n'), '\n');
}

function costCells(
  process: Pick<RunFileWorker, 'cpu' | 'memory' | 'eventLoopUtilization' | 'eventLoopDelayP99Ms' | 'gcMs'>,
  rows: number | null,
  runningMs: number | null,
): string[] {
  const { cpu, memory, eventLoopUtilization, gcMs } = process;
  const seconds = cpuSecondsOf(process);
  const bound = cpu.lowerBound ? '≥ ' : '';
  return [
    `${bound}${orDash(seconds, formatSeconds)}`,
    rows === null ? '' : `${bound}${orDash(perMillionRows(seconds, rows), formatSeconds)}`,
    orDash(cpu.percentMean, formatPercent),
    orDash(cpu.percentMax, formatPercent),
    orDash(memory.residentBytesMax, formatMebibytes),
    rows === null ? '' : orDash(perMillionRows(memory.residentBytesMax, rows), formatMebibytes),
    orDash(eventLoopUtilization, formatShare),
    orDash(shownLoopDelayMs(process, runningMs), formatLatency),
    orDash(gcMs === null ? null : gcMs / 1000, formatSeconds),
  ];
}
