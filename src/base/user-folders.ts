/** The folders of this user that crategen keeps things in (XDG base directories 0.8). */
import { isAbsolute, join } from 'node:path';

type Variables = Readonly<Record<string, string | undefined>>;

/** What lasts: `$XDG_STATE_HOME/crategen`. */
export function stateFolder(env: Variables, home: string): string {
  return folderOf(env['XDG_STATE_HOME'], join(home, '.local', 'state'));
}

/** What can be made again, compiled code and pools: `$XDG_CACHE_HOME/crategen`. */
export function cacheFolder(env: Variables, home: string): string {
  return folderOf(env['XDG_CACHE_HOME'], join(home, '.cache'));
}

/** A relative or empty variable does not count. */
function folderOf(configured: string | undefined, otherwise: string): string {
  return join(configured !== undefined && isAbsolute(configured) ? configured : otherwise, 'crategen');
}
