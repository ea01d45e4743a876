/** The HTML report: one file with everything in it, nothing of the run as markup, and a policy that lets nothing in. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ZoomLibrary, renderHtmlReport } from '../../src/report/html/document.ts';
import { timeFrame } from '../../src/report/html/figure.ts';
import { html, jsonBlock } from '../../src/report/html/markup.ts';
import { readZoomLibrary } from '../../src/report/html/zoom-library.ts';
import { toRunFile } from '../../src/report/run-file.ts';
import { results } from './arbitraries.ts';
import { runWithSeries } from './long-run.ts';
import { FACTS, sampleResult } from './samples.ts';

const NO_ZOOM: ZoomLibrary = { script: '', style: '' };
const DAY_MS = 24 * 3_600_000;

/** Every element that a report is made of. */
const ELEMENTS =
  /^(html|head|meta|title|style|script|body|header|main|footer|nav|section|aside|figure|figcaption|h[1-4]|p|ul|ol|li|dl|dt|dd|div|span|a|b|small|code|pre|table|thead|tbody|tr|th|td|details|summary|svg|path|rect|text|tspan|desc)$/;
const ATTRIBUTES =
  /^(lang|charset|http-equiv|content|name|class|id|aria-label|aria-labelledby|aria-hidden|role|tabindex|scope|href|type|viewBox|preserveAspectRatio|d|x|y|width|height|rx)$/;

/** Tags of a page with their attributes, the contents of style and script elements left out. */
function tagsOf(page: string): { name: string; attributes: readonly (readonly [string, string])[] }[] {
  const outside = page.replace(/(<(style|script)[^>]*>)[^]*?(<\/\2>)/g, '$1$3');
  return [...outside.matchAll(/<(?!\/|!doctype)([^\s>/]*)([^>]*)>/g)].map(([, name = '', rest = '']) => ({
    name,
    attributes: [...rest.matchAll(/([^\s="]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  }));
}

function costTable(runningMs: number): string {
  const page = renderHtmlReport(toRunFile(sampleResult({ runningMs }), FACTS), NO_ZOOM);
  return (
    /What each process cost[^]*?<\/table>/.exec(page.slice(page.indexOf('<section id="cost"')))?.[0] ?? ''
  );
}

describe('the HTML report', () => {
  it('holds no tag, attribute or link but its own, whatever a run says', () => {
    fc.assert(
      fc.property(results, (result) => {
        const page = renderHtmlReport(toRunFile(result, FACTS), NO_ZOOM);
        for (const { name, attributes } of tagsOf(page)) {
          assert.match(name, ELEMENTS);
          for (const [key, value] of attributes) {
            assert.match(key, ATTRIBUTES);
            if (key === 'href') assert.match(value, /^#[a-z-]+$/);
          }
        }
        assert.doesNotMatch(
          page,
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/u,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('names the hash of each inlined script and style in its policy, and allows nothing else', async () => {
    const page = renderHtmlReport(toRunFile(sampleResult(), FACTS), await readZoomLibrary());
    const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(page)?.[1] ?? '';
    assert.match(policy, /^default-src 'none';/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    const inlined = [
      ...page.matchAll(
        /<(?:style|script)(?: type="text\/plain" id="zoom-library")?>([^]*?)<\/(?:style|script)>/g,
      ),
    ].map(([, text = '']) => text);
    assert.equal(inlined.length, 3);
    for (const text of inlined) {
      assert.ok(policy.includes(`'sha256-${createHash('sha256').update(text).digest('base64')}'`));
    }
  });

  it('says what was not measured, and shows no number for it', () => {
    const page = renderHtmlReport(
      toRunFile(sampleResult({ series: [], server: null, runningMs: null, measuredMs: null }), FACTS),
      NO_ZOOM,
    );
    assert.match(page, /The server&#39;s side was not measured in this run\./);
    assert.match(page, /<dt>throughput<\/dt>\s*<dd><b>–<\/b>/);
  });

  it('shows how late the event loops were only when a percentile of so many looks means something', () => {
    const headers = [...costTable(302_000).matchAll(/<th scope="col">([^<]*)<\/th>/g)].map(
      ([, name]) => name,
    );
    const cellOf = (runningMs: number, name: string, process = /<tbody>/): string | undefined => {
      const [, row = ''] = costTable(runningMs).split(process);
      return /<(?:th|td)[^>]*>([^<]*)</.exec(row.split(/(?=<t[hd])/)[headers.indexOf(name) + 1] ?? '')?.[1];
    };
    const late = 'loop late p99';
    assert.deepEqual([cellOf(250_000, late), cellOf(249_999, late)], ['1.4 ms', '–']);
    const parent = /<tr[^>]*>(?=\s*<t[hd][^>]*>parent<)/;
    assert.deepEqual([cellOf(250_000, late, parent), cellOf(249_999, late, parent)], ['1.4 ms', '–']);
    assert.deepEqual([cellOf(99_999, 'sent MiB'), cellOf(99_999, 'received MiB')], ['116', '4']);
  });

  it('marks what happened in every chart over time, and lists it for those who see no chart', () => {
    const page = renderHtmlReport(runWithSeries(302_000, 8), NO_ZOOM);
    const list = /<ol class="events">([^]*?)<\/ol>/.exec(page)?.[1] ?? '';
    assert.match(list, /<b class="mark-label loss">01:00<\/b> worker 3 died \(pid 8124, SIGKILL\): replaced/);
    assert.match(list, /<b class="mark-label pause">01:39, for 6\.0 s<\/b> the table is blocked/);
    assert.match(
      list,
      /<b class="mark-label loss">02:55, for 4\.5 s<\/b> http:\/\/db-2:4200 got no requests/,
    );
    const charts = [...page.matchAll(/<figure id="([^"]*)"[^]*?<\/figure>/g)].filter(
      ([figure, id]) => id !== 'percentiles' && figure.includes('class="chart"'),
    );
    assert.ok(charts.length >= 12);
    for (const [chart, id] of charts) {
      assert.match(chart, /<path class="mark loss" d="M/, id);
      if (id === 'outages') continue;
      assert.match(chart, /1–2<tspan class="mark-name"> worker died<\/tspan>/, id);
      assert.match(chart, /5 events marked, as listed under “What happened”/, id);
    }
    assert.doesNotMatch(renderHtmlReport(toRunFile(sampleResult(), FACTS), NO_ZOOM), /What happened/);
  });

  it('has room for the last look at the server, which may be later than the last report', () => {
    const run = toRunFile(sampleResult({ runningMs: 5000 }), FACTS);
    assert.equal(run.server?.samples.at(-1)?.tMs, 6000);
    assert.equal(timeFrame(run).axis.max, 6000);
    assert.equal(timeFrame({ ...run, server: null }).axis.max, 5000);
  });

  it('says the mean of a worker that sends a batch every few seconds, not the 0 of most moments', () => {
    const run = runWithSeries(302_000, 2);
    const rare = run.series.map((point) => ({
      ...point,
      workers: point.workers.map((sample) => ({ ...sample, rows: Math.floor(point.tMs / 10_000) * 1000 })),
    }));
    const page = renderHtmlReport({ ...run, series: rare }, NO_ZOOM);
    assert.match(page, /aria-label="Worker 1, rows\/s: mean (99|100|101)(\.\d+)?"/);
  });

  it('keeps a run of 24 hours under 3 MB, with all its charts and a short stall in them', async () => {
    const page = renderHtmlReport(runWithSeries(DAY_MS, 16), await readZoomLibrary());
    assert.ok(Buffer.byteLength(page) < 3e6, `${Buffer.byteLength(page)} bytes`);
    for (const id of [
      'throughput',
      'errors-over-time',
      'latency',
      'outages',
      'server-cpu',
      'server-rejected',
      'percentiles',
      'each-worker',
    ])
      assert.ok(page.includes(`<figure id="${id}"`), id);
    assert.match(page, /lowest 0, median/);
  });

  it('weighs no more than 3 MB with 128 workers either', async () => {
    const page = renderHtmlReport(runWithSeries(DAY_MS, 128), await readZoomLibrary());
    assert.ok(Buffer.byteLength(page) < 3e6, `${Buffer.byteLength(page)} bytes`);
  });
});

describe('pieces of markup', () => {
  it('give back any text as text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const { source } = html`<p title="${text}">${text}</p>`;
        assert.match(source, /^<p title="[^"<>]*">[^<>]*<\/p>$/);
      }),
    );
  });

  it('keep data from ending its block', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        fc.pre(JSON.stringify(value) !== undefined);
        const { source } = jsonBlock(value);
        assert.doesNotMatch(source, /[<\u2028\u2029]/);
        assert.deepEqual(JSON.parse(source), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
