/** Where things are kept that can be made again: compiled code, pools. */
import { isAbsolute, join } from 'node:path';

/** `$XDG_CACHE_HOME/crategen`; a relative or empty XDG_CACHE_HOME does not count (XDG base directories 0.8). */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>, home: string): string {
  const configured = env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(configured) ? configured : join(home, '.cache'), 'crategen');
}
