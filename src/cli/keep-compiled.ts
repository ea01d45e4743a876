/** Compiled code is kept from one start to the next, for this process and its workers: a tenth of the start. */
import { existsSync } from 'node:fs';
import { constants, enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../base/user-folders.ts';

/**
 * To be called before anything large is imported. Not in the temporary folder, Node's own choice: what is executed
 * belongs where nobody else writes. Only where a run has kept something before: a command that is refused leaves
 * nothing behind.
 */
export function keepCompiledCode(): void {
  const kept = cacheFolder(process.env, homedir());
  if (!existsSync(kept)) return;
  const folder = process.env['NODE_COMPILE_CACHE'] ?? join(kept, 'code');
  const { status } = enableCompileCache(folder);
  if (status === constants.compileCacheStatus.ENABLED) process.env['NODE_COMPILE_CACHE'] = folder;
}
