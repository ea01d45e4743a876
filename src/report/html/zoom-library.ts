/** Reads uPlot out of the installed package, to be inlined. Only `report` and `compare` load it, when HTML is asked for. */
import { readFile } from 'node:fs/promises';
import type { ZoomLibrary } from './document.ts';

export async function readZoomLibrary(): Promise<ZoomLibrary> {
  const [script, style] = await Promise.all([
    readFile(new URL(import.meta.resolve('uplot/dist/uPlot.iife.min.js')), 'utf8'),
    readFile(new URL(import.meta.resolve('uplot/dist/uPlot.min.css')), 'utf8'),
  ]);
  return { script, style };
}
