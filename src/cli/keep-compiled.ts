/** Compiled code is kept from one start to the next, for this process and its workers: a tenth of the start. */
import { constants, enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.ts';
import { makeFolders } from '../base/make-folder.ts';

/**
 * To be called before anything large is imported. Not in the temporary folder, Node's own choice: what is executed
 * belongs where nobody else writes. A folder that cannot be used changes nothing but the time.
 */
export function keepCompiledCode(): void {
  const folder = process.env['NODE_COMPILE_CACHE'] ?? join(cacheFolder(process.env, homedir()), 'code');
  try {
    makeFolders(folder);
  } catch {
    // No home, or one that cannot be written: code is compiled anew, as ever.
    return;
  }
  const { status } = enableCompileCache(folder);
  if (status === constants.compileCacheStatus.ENABLED) process.env['NODE_COMPILE_CACHE'] = folder;
}
