/** Who is measured when: in turns, so that what one client leaves behind on the server falls on all of them. */

/**
 * The order of a round, as indexes below `count`. A Williams design: over `count` rounds (twice as many when `count`
 * is odd) each is in every place equally often, and follows every other one equally often.
 */
export function orderOf(round: number, count: number): number[] {
  const cycle = Math.floor(round / count);
  // 0, 1, n-1, 2, n-2, …: all differences between neighbours are different ones.
  const zigzag = Array.from({ length: count }, (_, place) =>
    place % 2 === 1 ? (place + 1) / 2 : (count - place / 2) % count,
  );
  const order = zigzag.map((index) => (index + round) % count);
  return cycle % 2 === 1 ? order.reverse() : order;
}
