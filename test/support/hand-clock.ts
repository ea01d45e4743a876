/** A clock that the test moves: what comes to pass at a moment comes then, however busy the host is. */
import type { Clock } from '../../src/base/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Time that moves only when told to. */
export class HandClock implements Clock {
  nowMs = 0;
  #sleepers: readonly Sleeper[] = [];

  monotonicNs = (): bigint => BigInt(this.nowMs) * 1_000_000n;
  monotonicMs = (): number => this.nowMs;
  wallMs = (): number => this.nowMs;
  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((wake) => {
      this.#sleepers = [...this.#sleepers, { atMs: this.nowMs + ms, wake }];
      signal?.addEventListener('abort', () => wake());
    });

  /** Resolves when who was to wake has gone on. */
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    const due = this.#sleepers.filter(({ atMs }) => atMs <= this.nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
    for (const { wake } of due) wake();
    await Promise.resolve();
    await Promise.resolve();
  }
}
