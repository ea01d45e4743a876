/**
 * Short-lived listeners of a long-lived AbortSignal. An EventTarget walks all its listeners whenever one comes or goes,
 * which with a thousand requests in flight cost each of them a tenth of its CPU time.
 */
export interface AbortListeners {
  /** Has `call` called once, should `signal` abort from now on; the same function twice counts once. */
  add(signal: AbortSignal, call: () => void): void;
  /** Nothing happens when it was not added. */
  delete(signal: AbortSignal, call: () => void): void;
}

/** Listens itself once to each signal it is told of, for as long as that lives. */
export function createAbortListeners(): AbortListeners {
  const bySignal = new WeakMap<AbortSignal, Set<() => void>>();
  return {
    add(signal, call) {
      let calls = bySignal.get(signal);
      if (calls === undefined) {
        const made = new Set<() => void>();
        bySignal.set(signal, (calls = made));
        signal.addEventListener('abort', () => made.forEach((each) => each()), { once: true });
      }
      calls.add(call);
    },
    delete(signal, call) {
      bySignal.get(signal)?.delete(call);
    },
  };
}
