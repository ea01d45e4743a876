/**
 * How long batches may be begun within one turn of the event loop. Hundreds of replies can come in one turn: if each slot
 * made its next batch at once, the replies behind would be read, and their service times taken, as much later.
 */
import type { Clock } from '../base/clock.ts';

/**
 * Some fifty batches of 1,000 rows. To send them, which undici does in turns that it waits for itself, and to read as many
 * replies comes on top: such a turn takes 15 to 25 ms.
 */
const TURN_MS = 5;

export interface TurnBudget {
  /** Whether a slot has to wait before it begins a batch: others do already, or the turn has lasted long enough. */
  isSpent(): boolean;
  /** Resolves in a later turn, after what had come by then was read; first come, first served. */
  nextTurn(): Promise<void>;
}

/** The budget of the turns of this process, whose time `clock` tells. */
export function createTurnBudget(clock: Pick<Clock, 'monotonicMs'>): TurnBudget {
  const waiting: (() => void)[] = [];
  let isAdmitting = false;
  // When a turn began knows only who waited for it. Where turns are short, that is one batch every 5 ms.
  let beganAtMs = -Infinity;

  const isOver = (): boolean => clock.monotonicMs() - beganAtMs >= TURN_MS;
  function begin(): void {
    beganAtMs = clock.monotonicMs();
    admit();
  }
  function admit(): void {
    isAdmitting = waiting.length > 0;
    if (!isAdmitting) return;
    if (isOver()) return void setImmediate(begin);
    waiting.shift()?.();
    // A tick that a promise asks for comes when no promise is left to settle: the batch is made and given to the client.
    queueMicrotask(() => process.nextTick(admit));
  }

  return {
    isSpent: () => isAdmitting || isOver(),
    nextTurn() {
      if (!isAdmitting) setImmediate(begin);
      isAdmitting = true;
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}
