/**
 * The report of a run as one HTML file: opens offline, prints, reads without script. Its policy lets nothing in: no
 * request, no script and no style but the ones inlined here, each named by its hash.
 */
import { createHash } from 'node:crypto';
import { assert } from '../../base/errors.ts';
import type { RunFile } from '../run-file-schema.ts';
import { eventMarks } from '../events.ts';
import { headlineOf } from '../summary/ledger.ts';
import { targetText } from '../summary/summary.ts';
import {
  errorFigure,
  eventsFigure,
  latencyFigure,
  outagesFigure,
  percentileFigure,
  throughputFigure,
  workersFigure,
} from './curve-figures.ts';
import { timeFrame } from './figure.ts';
import { serverFigures } from './server-figures.ts';
import { type Markup, html, verbatim } from './markup.ts';
import {
  costSection,
  errorsSection,
  keyFigures,
  latencySection,
  ledgerSection,
  nodesSection,
  planSection,
  repeatSection,
  section,
  tablesSection,
  thresholdsSection,
  warningsSection,
} from './sections.ts';
import { REPORT_STYLE } from './style.ts';
import { ZOOM_SCRIPT } from './zoom-script.ts';

/** The library behind the zoom, as its files are. */
export interface ZoomLibrary {
  readonly script: string;
  readonly style: string;
}

/** The whole document of a run file. */
export function renderHtmlReport(run: RunFile, zoom: ZoomLibrary): string {
  const frame = timeFrame(run, eventMarks(run));
  const headline = headlineOf(run);
  const overTime = [
    eventsFigure(frame),
    throughputFigure(run, frame),
    errorFigure(run, frame),
    latencyFigure(run, frame),
    outagesFigure(run, frame),
  ];
  const sections = [
    ledgerSection(run),
    tablesSection(run),
    thresholdsSection(run),
    section('over-time', 'Over time', overTime),
    section('server', 'Server and host', serverFigures(run, frame)),
    section('latency-section', 'Latency', [latencySection(run), percentileFigure(run), nodesSection(run)]),
    section('workers', 'Processes', workersFigure(run, frame)),
    costSection(run),
    errorsSection(run),
    planSection(run),
    repeatSection(run),
  ];
  const body = html`<header>
      <p class="kicker">
        crategen ${run.plan.command} · ${run.run.id} · ${run.run.startedAt} · ${targetText(run)}
      </p>
      <h1 class="${headline.style.startsWith('red') ? 'bad' : ''}">${headline.text}</h1>
      ${keyFigures(run)}${warningsSection(run)}${contents()}
    </header>
    <main>${sections}</main>
    <footer>
      Made by crategen ${run.versions.crategen} from the run file of ${run.run.id}. Times are counted from the
      workers’ common start. – means not measured.
    </footer>`;
  return documentOf(`crategen ${run.run.id}: ${headline.text}`, body, zoom);
}

/** Head, policy and inlined parts around a page. */
export function documentOf(title: string, body: Markup, zoom: ZoomLibrary | null): string {
  const style = `${REPORT_STYLE}${zoom === null ? '' : zoom.style}`;
  const scripts = zoom === null ? [] : [zoom.script, ZOOM_SCRIPT];
  for (const script of scripts) assert(!/<\/script|<!--/i.test(script), 'no inlined script ends its element');
  assert(!/<\/style/i.test(style), 'the style sheet does not end its element');
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${scripts.length === 0 ? "'none'" : scripts.map(hashOf).join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${verbatim(policy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${element('style', style)}
      </head>
      <body>
        ${body} ${zoom !== null && [element('script', zoom.script, DORMANT), element('script', ZOOM_SCRIPT)]}
      </body>
    </html> `;
  return page.source;
}

/** Of the library: the browser takes it for data, until the first zoom makes a script of it with the same hash. */
const DORMANT = ' type="text/plain" id="zoom-library"';

/** Not as a template: a blank more in it, and its hash would be another. */
function element(name: 'style' | 'script', content: string, attributes = ''): Markup {
  return verbatim(`<${name}${attributes}>${content}</${name}>\n`);
}

const CONTENTS: readonly (readonly [string, string])[] = [
  ['ledger', 'Ledger'],
  ['over-time', 'Over time'],
  ['server', 'Server and host'],
  ['latency-section', 'Latency'],
  ['workers', 'Processes'],
  ['cost', 'Cost'],
  ['errors', 'Errors'],
  ['plan', 'Plan'],
  ['repeat', 'Run it again'],
];

function contents(): Markup {
  return html`<nav aria-label="Contents">
    <ul>
      ${CONTENTS.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
    </ul>
  </nav>`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
