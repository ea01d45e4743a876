/** Folders, and those above them. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCodeOf } from './errors.ts';

/**
 * Makes a folder and those above it, for this user alone; one that is there stays as it is. Throws as `mkdirSync` does.
 * Node's own recursive mkdir asks for ever where the kernel refuses every name, as in /proc.
 */
export function makeFolders(path: string): void {
  try {
    makeFolder(path);
  } catch (thrown) {
    const parent = dirname(path);
    if (systemCodeOf(thrown) !== 'ENOENT' || parent === path) throw thrown;
    makeFolders(parent);
    makeFolder(path);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    const isThere = systemCodeOf(thrown) === 'EEXIST' && statSync(path).isDirectory();
    if (!isThere) throw thrown;
  }
}
