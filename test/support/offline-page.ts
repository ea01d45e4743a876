/** A file opened in a Chromium whose network is off: what goes wrong there, and what bars people from reading it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core';
import { CHROMIUM } from './chromium.ts';

/** The screens that a page is looked at on. */
export const VIEWS: readonly (readonly [string, BrowserContextOptions])[] = [
  ['light', { viewport: { width: 1200, height: 900 } }],
  ['dark', { viewport: { width: 1200, height: 900 }, colorScheme: 'dark' }],
  ['phone', { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2 }],
];

export interface Opened {
  readonly page: Page;
  /** Everything that went wrong or left the page. */
  readonly faults: readonly string[];
  /** CPU time of its main thread until it was open: what the page took, and not what else its host did meanwhile. */
  readonly openedCpuMs: number;
}

/** As root, as in a container, Chromium has no sandbox of its own; the pages are ours. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
}

export async function openOffline(
  browser: Browser,
  path: string,
  options: BrowserContextOptions,
): Promise<Opened> {
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  const own = pathToFileURL(path).href;
  page.on('console', (message) => faults.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (request.url() !== own) faults.push(`request: ${request.url()}`);
  });
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.goto(own, { waitUntil: 'load' });
  const { metrics } = await session.send('Performance.getMetrics');
  const busy = metrics.find(({ name }) => name === 'TaskDuration');
  assert.ok(busy !== undefined && busy.value > 0);
  return { page, faults, openedCpuMs: busy.value * 1000 };
}

/** How many pixels a page is wider than its window: what has to be scrolled sideways. */
export async function sidewaysPixels(page: Page): Promise<number> {
  return Math.max(0, Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth')));
}

/** What axe finds serious or critical, as text; its script is put in by the debugger, past the page's policy. */
export async function barriers(page: Page): Promise<readonly string[]> {
  const source = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  await page.evaluate(source);
  const found: unknown = await page.evaluate(
    "axe.run(document).then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')))",
  );
  assert.ok(Array.isArray(found));
  return found.map(String);
}
