/** A folder of a test's own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who says when it is over: the context of a test, or `{ after }` of `node:test` for all tests of a file. */
export interface Owner {
  after(fn: () => void | Promise<void>): void;
}

/** An empty folder, removed with all that is in it when its owner is done. */
export function folderFor(owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'crategen-test-'));
  owner.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
