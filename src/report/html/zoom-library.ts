/** Reads uPlot out of the installed package, to be inlined. Only `report` and `compare` load it, when HTML is asked for. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { ZoomLibrary } from './document.ts';

export async function readZoomLibrary(): Promise<ZoomLibrary> {
  const require = createRequire(import.meta.url);
  const [script, style] = await Promise.all([
    readFile(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    readFile(require.resolve('uplot/dist/uPlot.min.css'), 'utf8'),
  ]);
  return { script, style };
}
