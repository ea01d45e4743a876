/**
 * The files that a browser gets of the live page. Apart from the server of the page, because the way to them is the same
 * as source and as built only from a file of this depth.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One file of the page. */
export interface PageFile {
  readonly body: Buffer;
  readonly type: string;
}

const FOLDER = join(import.meta.dirname, '../../assets/live-page');
const FILES = [
  { path: '/', name: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/page.css', name: 'page.css', type: 'text/css; charset=utf-8' },
  { path: '/page.js', name: 'page.js', type: 'text/javascript; charset=utf-8' },
];

/** Reads all of them, by the path that a browser asks for. Throws what the file system says of one that is missing. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  return new Map(
    FILES.map(({ path, name, type }) => [path, { body: readFileSync(join(FOLDER, name)), type }]),
  );
}
