/**
 * Time as a parameter. Durations and deadlines use the monotonic clock of the host, which all processes on it
 * share; wall-clock time is only for what people read and for `--start-at`.
 */
export interface Clock {
  /** Monotonic nanoseconds, comparable between processes of one host. */
  monotonicNs(): bigint;
  /** Monotonic milliseconds with fractions, the same clock as `monotonicNs`. */
  monotonicMs(): number;
  /** Wall-clock milliseconds since 1970. */
  wallMs(): number;
  /** Resolves after `ms`, or as soon as `signal` aborts: it never rejects, so the caller looks at the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Longest delay that setTimeout takes without falling back to 1 ms. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The host's clock. */
export const systemClock: Clock = {
  monotonicNs: () => process.hrtime.bigint(),
  monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const timer = setTimeout(wake, Math.min(Math.max(ms, 0), MAX_TIMEOUT_MS));
      signal?.addEventListener('abort', end);
      function wake(): void {
        signal?.removeEventListener('abort', end);
        resolve();
      }
      function end(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      }
    }),
};
