/** A clock for code that only waits: who sleeps goes on at once, at the time that it wanted to wake. */
import type { Clock } from '../../src/base/clock.ts';

/** Time that stands still unless somebody sleeps; `at` runs things when it comes to a moment. */
export class SleepingClock implements Clock {
  #nowMs = 0;
  readonly #plans: { readonly atMs: number; readonly run: () => void }[] = [];

  at(atMs: number, run: () => void): void {
    this.#plans.push({ atMs, run });
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  monotonicNs(): bigint {
    return BigInt(Math.round(this.#nowMs * 1e6));
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  async sleep(ms: number): Promise<void> {
    await Promise.resolve();
    const untilMs = this.#nowMs + ms;
    for (const plan of this.#plans.filter(({ atMs }) => atMs > this.#nowMs && atMs <= untilMs)) plan.run();
    this.#nowMs = untilMs;
  }
}
