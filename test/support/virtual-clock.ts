/** A clock that stands still until everything that can happen now has happened, and then jumps to the next timer. */
import type { Clock } from '../../src/base/clock.ts';

interface Sleeper {
  readonly wakeAtNs: bigint;
  readonly order: number;
  readonly wake: () => void;
}

export interface VirtualClock extends Clock {
  /** Runs until `done` is settled, or until `limitMs` of virtual time have passed (then it throws). */
  runUntil<T>(done: Promise<T>, limitMs: number): Promise<T>;
}

/**
 * `rounds` of the event loop are given to what happens now: 2 for promises, of which some wait for the next turn, 3 where
 * messages cross a local link.
 */
export function createVirtualClock(rounds = 2): VirtualClock {
  let nowNs = 1_000_000_000n;
  let readings = 0;
  let order = 0;
  let sleepers: Sleeper[] = [];
  const clock: VirtualClock = {
    monotonicNs: () => nowNs,
    monotonicMs: () => Number(nowNs) / 1e6,
    // An hour forth and back between readings: nothing that is measured may come from it.
    wallMs: () => 1_700_000_000_000 + Number(nowNs) / 1e6 + ((readings++ % 3) - 1) * 3_600_000,
    sleep(ms, signal) {
      if (signal?.aborted === true) return Promise.resolve();
      return new Promise((resolve) => {
        const wakeAtNs = nowNs + BigInt(Math.round(Math.min(Math.max(ms, 0), 1e12) * 1e6));
        const sleeper: Sleeper = { wakeAtNs, order: order++, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((each) => each !== sleeper);
          resolve();
        });
      });
    },
    async runUntil(done, limitMs) {
      const limitNs = nowNs + BigInt(limitMs) * 1_000_000n;
      let isDone = false;
      const settled = done.finally(() => (isDone = true));
      settled.catch(() => undefined);
      while (!isDone) {
        await quiet(rounds);
        if (isDone) break;
        const next = sleepers.reduce<Sleeper | undefined>(
          (first, each) => (first === undefined || isBefore(each, first) ? each : first),
          undefined,
        );
        if (next === undefined) throw new Error('nothing will ever happen again');
        if (next.wakeAtNs > limitNs) throw new Error(`not done after ${limitMs} virtual ms`);
        sleepers = sleepers.filter((each) => each !== next);
        nowNs = next.wakeAtNs;
        next.wake();
      }
      return await settled;
    },
  };
  return clock;
}

async function quiet(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Sleeper, b: Sleeper): boolean {
  return a.wakeAtNs < b.wakeAtNs || (a.wakeAtNs === b.wakeAtNs && a.order < b.order);
}
