/** Waiting for what only looking can tell. */

/** Looks until it is true; the test's own time limit ends the looking. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}
