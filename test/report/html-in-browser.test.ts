/**
 * The HTML report in a real Chromium with its network off: no error, no request, no barrier, with and without script.
 * Pictures of it are taken anew into a folder that the test names.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { renderHtmlReport } from '../../src/report/html/document.ts';
import { readZoomLibrary } from '../../src/report/html/zoom-library.ts';
import { WITHOUT_CHROMIUM } from '../support/chromium.ts';
import {
  type Opened,
  VIEWS,
  barriers,
  launchChromium,
  openOffline,
  sidewaysPixels,
} from '../support/offline-page.ts';
import { runWithSeries } from './long-run.ts';

const DAY_MS = 24 * 3_600_000;
describe('the HTML report in Chromium', { skip: WITHOUT_CHROMIUM }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'crategen-report-'));
  const file = join(folder, 'report.html');
  let browser: Browser | null = null;

  before(async () => {
    const zoom = await readZoomLibrary();
    writeFileSync(file, renderHtmlReport(runWithSeries(302_000, 8), zoom));
    writeFileSync(join(folder, 'day.html'), renderHtmlReport(runWithSeries(DAY_MS, 16), zoom));
    browser = await launchChromium();
  });
  after(() => browser?.close());

  function open(path: string, options: BrowserContextOptions): Promise<Opened> {
    assert.ok(browser !== null);
    return openOffline(browser, path, options);
  }

  for (const [name, options] of VIEWS) {
    it(`has no error, no request, no barrier and no sideways scrolling: ${name}`, async (context) => {
      const { page, faults } = await open(file, options);
      await page.locator('html.whole').waitFor();
      assert.equal(await sidewaysPixels(page), 0);
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
      context.diagnostic(join(folder, `${name}.png`));
      assert.deepEqual(await barriers(page), []);
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  }

  it('prints on white, with every chart and no control', async (context) => {
    const { page, faults } = await open(file, { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    const colour = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    assert.equal(colour, 'rgb(255, 255, 255)');
    assert.equal(await page.locator('button:visible, nav:visible, details:visible').count(), 0);
    assert.ok((await page.locator('svg.chart:visible').count()) >= 10);
    await page.pdf({ path: join(folder, 'print.pdf'), format: 'A4' });
    await page.setViewportSize({ width: 794, height: 1123 });
    await page.screenshot({ path: join(folder, 'print.png'), fullPage: true });
    context.diagnostic(join(folder, 'print.pdf'));
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('shows every chart and its numbers without script', async () => {
    const { page, faults } = await open(file, { javaScriptEnabled: false });
    assert.ok((await page.locator('svg.chart:visible').count()) >= 10);
    assert.equal(await page.locator('svg.chart path.line').first().isVisible(), true);
    await page.locator('#throughput summary').click();
    assert.ok((await page.locator('#throughput tbody tr:visible').count()) > 30);
    assert.equal(await page.locator('button').count(), 0);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('zooms by button and by key, and comes back', async () => {
    const { page, faults } = await open(file, { viewport: { width: 1200, height: 900 } });
    assert.equal(await page.evaluate('typeof uPlot'), 'undefined');
    await page.getByRole('button', { name: 'Zoom into Throughput' }).click();
    assert.equal(await page.evaluate('typeof uPlot'), 'function');
    assert.ok((await redPixels(page)) > 100, 'marks are drawn in the zoomed chart too');
    const plot = page.locator('#throughput .plot');
    assert.equal(await plot.locator('canvas').isVisible(), true);
    assert.equal(await plot.locator('svg').isVisible(), false);
    assert.equal(
      await page.evaluate("document.activeElement === document.querySelector('#throughput .plot')"),
      true,
    );
    const shot = async (): Promise<string> => (await plot.screenshot()).toString('base64');
    const all = await shot();
    await page.keyboard.press('+');
    const near = await shot();
    assert.notEqual(near, all);
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await shot(), near);
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.emulateMedia({ media: 'print' });
    assert.equal(await plot.locator('svg').isVisible(), true);
    await page.emulateMedia({ media: 'screen' });
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('opens a run of 24 hours in at most 2 seconds', async (context) => {
    const day = join(folder, 'day.html');
    const times: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const { page, openedCpuMs, faults } = await open(day, { viewport: { width: 1200, height: 900 } });
      times.push(openedCpuMs);
      assert.deepEqual(faults, []);
      await page.context().close();
    }
    const { length } = await readFile(day);
    context.diagnostic(
      `opened in ${times.map((ms) => ms.toFixed(0)).join(', ')} ms of CPU time, ${length} bytes`,
    );
    assert.ok(Math.max(...times) <= 2000, `${times.join(', ')} ms`);
  });
});

/** How much of the first canvas has the colour of lost things, in which no line of a chart is drawn. */
async function redPixels(page: Page): Promise<number> {
  return Number(
    await page.evaluate(
      "(() => { const canvas = document.querySelector('canvas'); const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); let red = 0; for (let at = 0; at < data.length; at += 4) if (data[at] > 160 && data[at + 1] < 90 && data[at + 2] < 90 && data[at + 3] > 120) red += 1; return red; })()",
    ),
  );
}
