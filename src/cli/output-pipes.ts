/**
 * Standard output and error whose reader has gone (`| head -1`, a closed terminal). Without a listener the error
 * would crash the process in the middle of a run; here it becomes an event that the command decides about.
 */
import { systemCodeOf } from '../base/errors.ts';

/** What a write to a reader that is gone raises: a pipe, a terminal that hung up, a stream already destroyed. */
const GONE: ReadonlySet<string> = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED', 'ECONNRESET']);

/**
 * Calls `onGone` once, when the first of the streams loses its reader. Errors of another kind, such as a full
 * disk behind a redirection, go to `onBroken` each.
 */
export function watchPipes(
  streams: readonly NodeJS.WritableStream[],
  onGone: () => void,
  onBroken: (error: Error) => void,
): void {
  let isGone = false;
  for (const stream of streams) {
    stream.on('error', (error: Error) => {
      if (!GONE.has(systemCodeOf(error))) return onBroken(error);
      if (isGone) return;
      isGone = true;
      onGone();
    });
  }
}
