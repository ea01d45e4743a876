/** The known word that somebody most likely meant. */

/** More edits than this is another word. */
const MAX_DISTANCE = 2;

/** The nearest of `known`, or null when none is near: at most two edits and a third of the word. */
export function nearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.min(MAX_DISTANCE, Math.floor(word.length / 3)) + 1;
  // Long nonsense is not worth the arithmetic.
  if (word.length > 40) return null;
  for (const candidate of known) {
    const distance = candidate.startsWith(word) && word.length > 2 ? 1 : editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance by the two-row method. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const current = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const substituted = (previous[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      current.push(Math.min(substituted, (previous[j + 1] ?? 0) + 1, (current[j] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
