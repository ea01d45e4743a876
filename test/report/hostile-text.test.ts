/**
 * Text from servers, files and names in every form that a result is shown in: a terminal, a log, HTML, Markdown, CSV.
 * Whatever it holds, it stays text.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatTable, parseTableName } from '../../src/base/sql.ts';
import { EMPTY_LEDGER } from '../../src/metrics/ledger.ts';
import type { RunResult } from '../../src/coordinator/run-result.ts';
import { csvCell, renderSeriesCsv } from '../../src/report/csv.ts';
import { renderHtmlReport } from '../../src/report/html/document.ts';
import { createLineLog } from '../../src/report/watching/line-log.ts';
import { codeSpan, escapeMarkdown, renderMarkdown } from '../../src/report/markdown.ts';
import { toRunFile } from '../../src/report/run-file.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { renderSummary } from '../../src/report/summary/summary.ts';
import { hostileText, results } from './arbitraries.ts';
import { FACTS, sampleResult, sampleServer, view } from './samples.ts';
import { samplePlan } from '../support/sample-plan.ts';

/** Each would do something somewhere: run, colour, turn, end a cell, a line, a fence, a tag, mention, link, compute. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><svg onload=alert(1)>',
  '<!--',
  '\u001b[31mred\u001b[0m\u001b]0;title\u0007\u009b2J',
  '\r\nPASS all rows stored',
  '\u202egnp.exe\u2066',
  '\u2028\u2029',
  '=HYPERLINK("http://x","y")',
  '+1',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '|cmd',
  '`code` ``` ~~~',
  '[link](http://evil.example) ![](http://evil.example/x.png) http://evil.example www.evil.example',
  '@everyone #1 <b>',
  '| a | b |\n| - | - |',
];

/** Everything that could do more than be read, beside the line breaks of the document itself. */
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** A run in which this text stands wherever text from outside can stand. */
function runSaying(text: string): RunFile {
  const plan = samplePlan();
  // CrateDB allows few of these in a name, and crategen no others.
  const own = { schema: text, table: text };
  const name = parseTableName(formatTable(own)).ok ? own : plan.table.name;
  const table = { ...plan.table, name, replicas: text };
  const verification = { method: 'count', stored: 1, verdict: 'unavailable', detail: text } as const;
  const settled = { statement: text, ddl: text, poolsHash: text, ledger: EMPTY_LEDGER, verification };
  const said: Partial<RunResult> = {
    plan: {
      ...plan,
      target: { ...plan.target, nodes: [text], username: text },
      table,
      also: [{ ...table, source: { kind: 'file', path: text } }],
      failOn: [{ metric: 'p99', operator: '>', value: 1, text }],
    },
    endReason: 'error',
    endDetail: text,
    target: { kind: 'cratedb', version: text, nodes: [text], keyed: true },
    tables: [
      { plan: table, ...settled },
      { plan: table, ...settled },
    ],
    verification,
    server: {
      ...sampleServer(),
      nodes: sampleServer().nodes.map((node) => ({ ...node, name: text, version: text })),
      note: text,
    },
    nodes: [
      {
        origin: text,
        requests: 1,
        acknowledged: 0,
        errors: [],
        serviceTime: sampleResult().serviceTime,
        outages: [{ fromMs: 1, toMs: 2, why: text }],
      },
    ],
    errors: [{ class: text, code: 4000, rows: 1, batches: 1, example: text }],
    bottleneck: { verdict: 'unclear', evidence: [text] },
    warnings: [text],
    events: [
      { tMs: 1, level: 'warning', event: 'workerDied', message: text },
      { tMs: 2, level: 'error', event: text, message: text },
    ],
  };
  const run = toRunFile(sampleResult({ plan, ...said, nodes: said.nodes ?? [] }), FACTS);
  return { ...run, versions: { crategen: text, node: text, faker: text } };
}

describe('text from outside', () => {
  for (const text of HOSTILE) {
    it(`stays text everywhere: ${JSON.stringify(text)}`, () => {
      const run = runSaying(text);
      const [shown, page, comment, sheet] = [
        renderSummary(run, view(100), { file: null }),
        renderHtmlReport(run, { script: '', style: '' }),
        renderMarkdown(run),
        renderSeriesCsv(run),
      ];
      assert.doesNotMatch(shown, CONTROLS);
      assert.doesNotMatch(page, CONTROLS);
      assert.doesNotMatch(
        page.replace(/<(style|script)[^>]*>[^]*?<\/\1>/g, ''),
        /<(script|img|svg onload)|<[^>]*\son\w+=/,
      );
      assert.doesNotMatch(comment, CONTROLS);
      assertHarmlessMarkdown(comment);
      assert.doesNotMatch(sheet.replaceAll('\r\n', '\n'), CONTROLS);
      assertHarmlessCsv(sheet);
    });
  }

  it('makes no line of its own in a log', () => {
    for (const format of ['text', 'json'] as const) {
      const lines: string[] = [];
      const log = createLineLog({ write: (line) => lines.push(line), format, everyMs: 1000 });
      for (const message of HOSTILE)
        log({ kind: 'note', level: 'warning', event: 'said', message, atMs: 1000 });
      assert.equal(lines.length, HOSTILE.length);
      for (const line of lines) assert.doesNotMatch(line, CONTROLS);
    }
  });

  it('holds no control character in Markdown and CSV, whatever a run says', () => {
    fc.assert(
      fc.property(results, (result) => {
        const run = toRunFile(result, FACTS);
        assert.doesNotMatch(renderMarkdown(run), CONTROLS);
        assertHarmlessMarkdown(renderMarkdown(run));
        assertHarmlessCsv(renderSeriesCsv(run));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a CSV cell', () => {
  it('is never a formula, and reads back as one cell', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.constantFrom(...HOSTILE)), (text) => {
        const cell = csvCell(text);
        const content = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
        assert.doesNotMatch(content, /^\s*[=+\-@|%\t\r]/);
        assert.match(cell, /^("([^"]|"")*"|[^",\r\n]*)$/);
      }),
    );
  });

  it('leaves numbers alone, negative ones too', () => {
    assert.equal(csvCell(-2.5), '-2.5');
    assert.equal(csvCell(null), '');
  });
});

describe('Markdown', () => {
  it('keeps a code span closed whatever stands in it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[`a| ]{0,12}$/), (text) => {
        const span = codeSpan(text);
        const fence = /^`+/.exec(span)?.[0] ?? '';
        assert.ok(fence.length > 0 && span.endsWith(fence));
        const inner = span.slice(fence.length, -fence.length);
        assert.ok(![...inner.matchAll(/`+/g)].some(([ticks]) => ticks.length === fence.length));
      }),
    );
  });

  it('escapes what would be a link, an image, a mention or a tag', () => {
    assert.equal(escapeMarkdown('[a](b) <i> @all'), '\\[a\\]\\(b\\) \\<i\\> &#64;all');
  });
});

/** No tag but the folding ones, no link or mention outside code. */
function assertHarmlessMarkdown(text: string): void {
  // Within a table a pipe is escaped in code too.
  const outside = text.replace(/(?<![`\\])(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, '');
  assert.doesNotMatch(outside.replace(/<\/?(details|summary)>/g, ''), /(?<!\\)<[a-z!/]/i);
  assert.doesNotMatch(outside, /(?<!\\)\]\(|@\w|https?:\/\//);
}

/** No cell begins as a formula; every line ends with CRLF. */
function assertHarmlessCsv(sheet: string): void {
  assert.match(sheet, /^t_ms,.*\r\n/);
  assert.doesNotMatch(sheet.replaceAll('\r\n', ''), /[\r\n]/);
  for (const line of sheet.split('\r\n')) assert.doesNotMatch(line, /(^|,)"?\s*[=+@|]/);
}
