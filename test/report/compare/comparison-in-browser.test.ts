/**
 * Comparisons as pages in a real Chromium with its network off: no error, no request, no barrier, no sideways scrolling,
 * and white paper. Pictures of them are taken anew into a folder that the test names.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { compareWorkers } from '../../../src/report/compare/by-worker.ts';
import { compareRuns } from '../../../src/report/compare/comparison.ts';
import { renderHtmlComparison } from '../../../src/report/compare/html-comparison.ts';
import { renderHtmlWorkers } from '../../../src/report/compare/html-workers.ts';
import { WITHOUT_CHROMIUM } from '../../support/chromium.ts';
import { VIEWS, barriers, launchChromium, openOffline, sidewaysPixels } from '../../support/offline-page.ts';
import { runWithSeries } from '../long-run.ts';
import { A, B, aRun } from './sample-runs.ts';

const HOSTILE = '<img src="http://evil.example/" onerror="document.title=`taken`"><script>alert(1)</script>';

/** Three sides, one with a long run id, a setting of many words without a blank, and a server that wants to be markup. */
function threeSides(): string {
  const far = aRun(`far-${'x'.repeat(55)}`, 31_000, 250, 9);
  const elsewhere = {
    ...far,
    target: { ...far.target, version: HOSTILE },
    plan: {
      ...far.plan,
      source: { kind: 'file' as const, path: `/srv/${'schemas/'.repeat(40)}orders.yaml` },
    },
  };
  return renderHtmlComparison(compareRuns([A, B, [elsewhere]]));
}

describe('a comparison in Chromium', { skip: WITHOUT_CHROMIUM }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'crategen-comparison-'));
  let browser: Browser | null = null;
  before(async () => {
    const run = runWithSeries(302_000, 8);
    writeFileSync(join(folder, 'sides.html'), threeSides());
    writeFileSync(join(folder, 'repeats.html'), renderHtmlComparison(compareRuns([A])));
    writeFileSync(join(folder, 'workers.html'), renderHtmlWorkers(run, compareWorkers(run)));
    browser = await launchChromium();
  });
  after(() => browser?.close());

  for (const kind of ['sides', 'repeats', 'workers']) {
    for (const [name, options] of VIEWS) {
      it(`has no error, no request, no barrier and no sideways scrolling: ${kind}, ${name}`, async (context) => {
        assert.ok(browser !== null);
        const { page, faults } = await openOffline(browser, join(folder, `${kind}.html`), options);
        await page.screenshot({ path: join(folder, `${kind}-${name}.png`), fullPage: true });
        context.diagnostic(join(folder, `${kind}-${name}.png`));
        assert.equal(await sidewaysPixels(page), 0);
        assert.deepEqual(await barriers(page), []);
        assert.match(await page.title(), /^crategen /);
        assert.deepEqual(faults, []);
        await page.context().close();
      });
    }
  }

  it('prints on white with every interval and number, within the width of the paper', async (context) => {
    assert.ok(browser !== null);
    const paper = { viewport: { width: 688, height: 1000 }, colorScheme: 'dark' as const };
    const { page, faults } = await openOffline(browser, join(folder, 'sides.html'), paper);
    await page.emulateMedia({ media: 'print' });
    const colour = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    assert.equal(colour, 'rgb(255, 255, 255)');
    assert.equal(await page.locator('svg.chart:visible').count(), 2);
    assert.equal(await sidewaysPixels(page), 0);
    await page.screenshot({ path: join(folder, 'print.png'), fullPage: true });
    context.diagnostic(join(folder, 'print.png'));
    assert.deepEqual(faults, []);
    await page.context().close();
  });
});
