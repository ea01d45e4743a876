/**
 * Short-lived listeners of a long-lived AbortSignal. An EventTarget walks all its listeners whenever one comes or goes,
 * which with a thousand requests in flight cost each of them a tenth of its CPU time.
 */
export interface AbortListeners {
  /** Has `call` called once, should `signal` abort from now on. */
  add(signal: AbortSignal, call: () => void): void;
  /** Nothing happens when it was not added. */
  delete(signal: AbortSignal, call: () => void): void;
}

/** Listens itself once to each signal it is told of, for as long as that lives. */
export function createAbortListeners(): AbortListeners {
  // Lists, no sets: a set that members come to and leave is laid out anew all the time, and each layout knows the next
  // one. When V8 has once taken one for old it takes all later ones for old, with all who listened then.
  const bySignal = new WeakMap<AbortSignal, (() => void)[]>();
  return {
    add(signal, call) {
      let calls = bySignal.get(signal);
      if (calls === undefined) {
        const made: (() => void)[] = [];
        bySignal.set(signal, (calls = made));
        signal.addEventListener('abort', () => callAll(made), { once: true });
      }
      calls.push(call);
    },
    delete(signal, call) {
      const calls = bySignal.get(signal) ?? [];
      // Mostly among the first: those that came first also go first.
      const position = calls.indexOf(call);
      if (position >= 0) calls.splice(position, 1);
    },
  };
}

/** One that is called may take others away. */
function callAll(calls: (() => void)[]): void {
  for (let call = calls.shift(); call !== undefined; call = calls.shift()) call();
}
