/**
 * Old objects are collected before much garbage is among them. Where V8 does not mark in small steps it looks for its
 * limit only when something is old from its beginning, and a small heap may grow to three times its size before it does.
 */

export interface GarbageBoundParts {
  /** What the process has of objects and of the buffers that they hold, in bytes, garbage included. */
  readonly sizeBytes: () => number;
  /** Collects all garbage. */
  readonly collect: () => void;
}

const LOOK_EVERY_MS = 1000;
/** A collection takes 5 to 20 ms. */
const MIN_GROWTH_BYTES = 8 * 1024 * 1024;
/** Of what was left: the more there is to keep, the longer takes a collection. */
const MAX_GROWTH = 1 / 3;

/** The function that looks, and collects when the size has grown by a third since least was left, and by 8 MiB. */
export function createGarbageBound({ sizeBytes, collect }: GarbageBoundParts): () => void {
  let leastBytes = Infinity;
  return () => {
    const bytes = sizeBytes();
    leastBytes = Math.min(leastBytes, bytes);
    if (bytes - leastBytes <= Math.max(MIN_GROWTH_BYTES, leastBytes * MAX_GROWTH)) return;
    collect();
    leastBytes = sizeBytes();
  };
}

/** Looks once a second from now on, for as long as the process has something else to do. */
export function boundGarbage(): void {
  const { getHeapStatistics } = process.getBuiltinModule('node:v8');
  // Most processes never need it.
  let collect: (() => void) | null = null;
  const look = createGarbageBound({
    sizeBytes: () => {
      const { used_heap_size: objects, external_memory: buffers } = getHeapStatistics();
      return objects + buffers;
    },
    collect: () => (collect ??= createCollector())(),
  });
  setInterval(look, LOOK_EVERY_MS).unref();
}

/** What collects all garbage of this process. V8 gives it to a new context only, which takes 2 ms and 1.4 MB. */
export function createCollector(): () => void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  const { Script, createContext } = process.getBuiltinModule('node:vm');
  setFlagsFromString('--expose-gc');
  const context = createContext();
  setFlagsFromString('--no-expose-gc');
  const script = new Script('gc()');
  return () => void script.runInContext(context);
}
