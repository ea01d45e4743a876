/**
 * The host's clock with a brake, for a sandbox: while it is held no delay comes to its end. INSERTs that have one are
 * not answered then, and a run stands where it is for as long as a test has to do with its processes.
 */
import { type Clock, systemClock } from '../../src/base/clock.ts';

export class BrakedClock implements Clock {
  #released = Promise.resolve();
  #release: () => void = () => undefined;

  monotonicNs = (): bigint => systemClock.monotonicNs();
  monotonicMs = (): number => systemClock.monotonicMs();
  wallMs = (): number => systemClock.wallMs();
  sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    await systemClock.sleep(ms, signal);
    await this.#released;
  };

  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.#released, this.#release] = [promise, resolve];
  }

  release(): void {
    this.#release();
  }
}
