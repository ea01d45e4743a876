/**
 * The connections to one node, dealt over several of undici's pools: a pool looks for a free one from the first on, for
 * each request, which with a thousand in flight was a sixteenth of a worker's CPU time.
 */
import type { Dispatcher, Pool } from 'undici';
import { assert } from '../base/errors.ts';

/** So few are looked through in no time; most runs have no more, and so one pool. */
const MAX_PER_POOL = 50;

export interface NodePools {
  /** Hands `work` a pool with a free connection, or where all are busy one in which it will wait. */
  use<T>(work: (pool: Dispatcher) => Promise<T>): Promise<T>;
  /** Resolves when requests in flight have ended and all connections are closed. */
  close(): Promise<void>;
  /** Closes all connections now. */
  destroy(): Promise<void>;
}

/** Pools for so many connections in all; `open` makes one for so many. Connections are opened when they are needed. */
export function createNodePools(connections: number, open: (connections: number) => Pool): NodePools {
  const count = Math.ceil(connections / MAX_PER_POOL);
  const pools = Array.from({ length: count }, (_, index) => {
    const size = Math.floor(connections / count) + (index < connections % count ? 1 : 0);
    return { pool: open(size), size, inFlight: 0 };
  });
  const [first] = pools;
  assert(first !== undefined, `${connections} connections are at least one`);
  return {
    async use(work) {
      const taken = pools.find(({ inFlight, size }) => inFlight < size) ?? leastBusy(pools, first);
      taken.inFlight += 1;
      try {
        return await work(taken.pool);
      } finally {
        taken.inFlight -= 1;
      }
    },
    async close() {
      const standing = pools.filter(({ pool }) => !pool.closed && !pool.destroyed);
      await Promise.all(standing.map(({ pool }) => pool.close()));
    },
    async destroy() {
      await Promise.all(pools.filter(({ pool }) => !pool.destroyed).map(({ pool }) => pool.destroy()));
    },
  };
}

function leastBusy<T extends { readonly inFlight: number; readonly size: number }>(
  pools: readonly T[],
  first: T,
): T {
  return pools.reduce(
    (best, each) => (each.inFlight / each.size < best.inFlight / best.size ? each : best),
    first,
  );
}
