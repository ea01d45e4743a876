/** Waiting for what only looking can tell. */

/**
 * Nothing takes so long that does not hang: some tests take two minutes where four of them share half a core, and a
 * CrateDB of three nodes on two busy cores takes seconds for a request. What hangs is ended and told before the runner's
 * own limit, which says nothing of it.
 */
export const HANGS_AFTER_MS = 240_000;

/** Looks until it is true, but not for ever: the runner waits for a file that looks on after its test has failed. */
export async function until(isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + HANGS_AFTER_MS;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`it never came true: ${String(isTrue)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
