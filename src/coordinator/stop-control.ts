/**
 * Who wants the run to stop, and how urgently. The first request is a graceful stop and stays the cause; another
 * one at least a second later means now. A thousand signals within a second are one request.
 */
import type { Clock } from '../base/clock.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** npm and shells deliver one Ctrl-C twice; within this time it is the same request. */
const SAME_REQUEST_MS = 1000;

export interface StopControl {
  /** A signal, a key, or a lost terminal. SIGHUP never forces. */
  request(signal: StopSignal): void;
  /** Aborts at the first request. */
  readonly graceful: AbortSignal;
  /** Aborts at the second. */
  readonly forced: AbortSignal;
  /** The first request, or null. */
  cause(): { readonly signal: StopSignal; readonly atMs: number } | null;
}

export function createStopControl(clock: Clock): StopControl {
  const graceful = new AbortController();
  const forced = new AbortController();
  let cause: { signal: StopSignal; atMs: number } | null = null;
  return {
    request(signal) {
      const atMs = clock.monotonicMs();
      if (cause === null) {
        cause = { signal, atMs };
        graceful.abort();
      } else if (signal !== 'SIGHUP' && atMs - cause.atMs >= SAME_REQUEST_MS) {
        forced.abort();
      }
    },
    graceful: graceful.signal,
    forced: forced.signal,
    cause: () => cause,
  };
}
