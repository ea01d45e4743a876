/** A bound on how much is under way at once, for work that comes all at the same time. */

export type Turns = <T>(task: () => Promise<T>) => Promise<T>;

/** Runs each task given to it, at most `atOnce` at a time, the others in the order in which they came. */
export function createTurns(atOnce: number): Turns {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async (task) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
