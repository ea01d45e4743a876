/** Signals and lost terminals as requests to stop a run. */
import type { StopControl, StopSignal } from '../coordinator/stop-control.ts';
import { watchPipes } from './output-pipes.ts';

const SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Tells of every signal that asks this process to stop, until the returned function is called. */
export function onSignals(heard: (signal: StopSignal) => void): () => void {
  const listeners = SIGNALS.map((signal) => {
    const listener = (): void => heard(signal);
    process.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  };
}

/**
 * Passes the process's signals to `stop` until the returned function is called. With `outlivesTerminal` a SIGHUP
 * or a reader that went away does not end the run: its result goes to a file.
 */
export function stopOnSignals(stop: StopControl, outlivesTerminal: boolean): () => void {
  const end = onSignals((signal) => {
    if (signal !== 'SIGHUP' || !outlivesTerminal) stop.request(signal);
  });
  watchPipes(
    [process.stdout, process.stderr],
    () => {
      if (!outlivesTerminal) stop.request('SIGHUP');
    },
    // A full disk behind a redirected log is no reason to stop inserting; the result is written elsewhere.
    () => undefined,
  );
  return end;
}
