/**
 * The live page in a real Chromium: what a person sees while a run goes on, after a reload, and when it has ended.
 * Pictures of it are taken anew into a folder that the test names.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { RunState, ServerView } from '../../../src/coordinator/run-state.ts';
import { type LivePage, openLivePage } from '../../../src/report/watching/live-page.ts';
import { toRunFile } from '../../../src/report/run-file.ts';
import { WITHOUT_CHROMIUM } from '../../support/chromium.ts';
import { barriers, launchChromium, sidewaysPixels } from '../../support/offline-page.ts';
import {
  FACTS,
  sampleResult,
  sampleServerView,
  sampleSnapshot,
  sampleState,
  sampleWorkerState,
} from '../samples.ts';

const HOSTILE = '<img src="http://evil.example/" onerror="document.title=`taken`"><script>alert(1)</script>';

const SERVER: ServerView = {
  ...sampleServerView(),
  nodes: sampleServerView().nodes.map((node, index) => (index === 0 ? node : { ...node, name: HOSTILE })),
};

/** A second of a run with eight workers, one of them in trouble, and texts that want to be markup. */
function second(number: number): RunState {
  const dip = number === 20 ? 0.2 : 1;
  const workers = Array.from({ length: 8 }, (_, index) =>
    sampleWorkerState(index, {
      rowsPerSecond: (6800 + ((number * 977 + index * 389) % 800)) * dip,
      restarts: index === 3 ? 1 : 0,
      outside: { cpuPercent: 9 + index, residentBytes: (100 + index) * 2 ** 20 },
    }),
  );
  const acknowledged = number * 57_000 - (number >= 20 ? 40_000 : 0);
  const ledger = {
    offered: acknowledged + 31_000,
    acknowledged,
    rejected: 0,
    failed: 0,
    unknown: 0,
    inFlight: 31_000,
  };
  const errors = [{ class: HOSTILE, code: 4000, rows: 31, batches: 9, example: HOSTILE }];
  const state = sampleState(8, {
    elapsedMs: number * 1000,
    workers,
    total: sampleSnapshot({ ledger, errors }),
    server: SERVER,
    verdict: { verdict: 'cluster', evidence: [`its CPUs are 98 % busy ${HOSTILE}`] },
  });
  const wobble = (number * 37) % 60;
  return { ...state, window: { ...state.window, p50Ms: 55 + wobble / 6, p99Ms: 200 + wobble * 2 } };
}

class SecondsClock implements Clock {
  nowMs = 0;
  monotonicNs = (): bigint => BigInt(this.nowMs) * 1_000_000n;
  monotonicMs = (): number => this.nowMs;
  wallMs = (): number => this.nowMs;
  sleep: Clock['sleep'] = (ms, signal) => systemClock.sleep(ms, signal);
}

interface Watched {
  readonly server: LivePage;
  readonly page: Page;
  /** Everything that went wrong or left this host. */
  readonly faults: readonly string[];
  /** Lets the run come to this second. */
  readonly pass: (untilSecond: number) => void;
}

describe('the live page in Chromium', { skip: WITHOUT_CHROMIUM }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'crategen-live-page-'));
  let browser: Browser | null = null;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser?.close());

  async function watch(context: TestContext, options: BrowserContextOptions = {}): Promise<Watched> {
    assert.ok(browser !== null);
    const clock = new SecondsClock();
    const onProblem = (message: string): void => assert.fail(message);
    const server = await openLivePage({ port: 0, crategenVersion: '0.1.0', clock, onProblem });
    const tab = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    context.after(async () => {
      await tab.close();
      await server.close(null);
    });
    const page = await tab.newPage();
    const faults: string[] = [];
    page.on('console', (message) => faults.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (![server.url, 'blob:', 'data:,'].some((own) => request.url().startsWith(own)))
        faults.push(`request: ${request.url()}`);
    });
    let now = 0;
    return {
      server,
      page,
      faults,
      pass: (untilSecond) => {
        for (; now < untilSecond; now += 1) {
          clock.nowMs += 1000;
          server.observer({ kind: 'tick', state: second(now + 1) });
        }
      },
    };
  }

  it('shows the run, follows it, and has everything again after a reload', async (context) => {
    const { server, page, faults, pass } = await watch(context);
    pass(42);
    await page.goto(server.url);
    await clockAt(page, '00:42');
    assert.equal(
      await page.locator('h1').textContent(),
      'crategen cluster → http://db-1:4200 +2 nodes · CrateDB 6.4.3',
    );
    assert.equal(await page.locator('#workers tr').count(), 8);
    const curve = async (): Promise<number> =>
      ((await page.locator('#charts path').first().getAttribute('d')) ?? '').split('L').length;
    assert.equal(await curve(), 42);
    pass(50);
    await clockAt(page, '00:50');
    assert.equal(await curve(), 50);
    await page.reload();
    await clockAt(page, '00:50');
    assert.equal(await curve(), 50);
    assert.equal(await page.title(), 'running · crategen.records · crategen');
    assert.deepEqual(faults, []);
  });

  it('sorts the processes by a column, with the keyboard too, and keeps the order when news comes', async (context) => {
    const { server, page, faults, pass } = await watch(context);
    pass(3);
    await page.goto(server.url);
    const first = page.locator('#workers th').first();
    await page.getByRole('button', { name: 'cpu' }).click();
    assert.equal(await first.textContent(), '7');
    assert.equal(await page.locator('[aria-sort=descending]').textContent(), 'cpu');
    await page.keyboard.press('Enter');
    assert.equal(await first.textContent(), '0');
    await page.getByRole('button', { name: 'restarts' }).press('Space');
    pass(4);
    await clockAt(page, '00:04');
    assert.equal(await first.textContent(), '3');
    assert.deepEqual(faults, []);
  });

  it('says that the run has ended and how, and stays when its server is gone', async (context) => {
    const { server, page, faults, pass } = await watch(context);
    pass(42);
    await page.goto(server.url);
    await clockAt(page, '00:42');
    await server.close(toRunFile(sampleResult(), FACTS));
    await page.getByText('17,200,000 rows stored, all of them confirmed by the server').waitFor();
    assert.equal(await page.locator('#label').textContent(), 'ended, exit code 0');
    assert.match((await page.locator('#commands').textContent()) ?? '', /^crategen report 2026/);
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Save the report of this run' }).click(),
    ]);
    assert.match(saved.suggestedFilename(), /^crategen-2026.*\.html$/);
    assert.match(await readFile(await saved.path(), 'utf8'), /^<!doctype html>[^]*17,200,000/i);
    await page.screenshot({ path: join(folder, 'ended.png'), fullPage: true });
    context.diagnostic(join(folder, 'ended.png'));
    assert.equal(await page.locator('#workers tr').count(), 8);
    assert.deepEqual(faults, []);
  });

  it('says that there is no connection while there is none, and goes on by itself when there is', async (context) => {
    const { server, page, pass } = await watch(context);
    pass(2);
    await page.route('**/events', (route) => route.abort(), { times: 1 });
    await page.goto(server.url);
    await page.locator('#label', { hasText: 'no connection' }).waitFor();
    await clockAt(page, '00:02');
    assert.equal(await page.locator('#label').textContent(), 'running');
  });

  it('shows texts that want to be markup as texts', async (context) => {
    const { server, page, faults, pass } = await watch(context);
    pass(1);
    await page.goto(server.url);
    server.observer({ kind: 'note', level: 'warning', event: 'workerDied', message: HOSTILE, atMs: 1000 });
    await page.locator('#notes', { hasText: HOSTILE }).waitFor();
    assert.match((await page.locator('#errors').textContent()) ?? '', /onerror/);
    assert.match((await page.locator('#nodes').textContent()) ?? '', /onerror/);
    assert.match((await page.locator('#verdict').textContent()) ?? '', /limited by the cluster: .*onerror/);
    assert.equal(await page.locator('img, main script').count(), 0);
    assert.equal(await page.title(), 'running · crategen.records · crategen');
    assert.deepEqual(faults, []);
  });

  const views: readonly (readonly [string, BrowserContextOptions])[] = [
    ['light', {}],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2 }],
  ];
  for (const [name, options] of views) {
    it(`has no barrier and no sideways scrolling: ${name}`, async (context) => {
      const { server, page, faults, pass } = await watch(context, options);
      pass(42);
      await page.goto(server.url);
      await clockAt(page, '00:42');
      assert.equal(await sidewaysPixels(page), 0);
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
      context.diagnostic(join(folder, `${name}.png`));
      assert.deepEqual(await barriers(page), []);
      assert.deepEqual(faults, []);
    });
  }
});

async function clockAt(page: Page, text: string): Promise<void> {
  await page.locator('#clock', { hasText: text }).waitFor();
}
