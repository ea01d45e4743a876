/** How batches are dealt over turns of the event loop, which are real; how long one lasts says a clock of the test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TurnBudget, createTurnBudget } from '../../src/worker/turn-budget.ts';

/** A budget, a clock that is moved by hand, and a count of the turns since then. */
function budgetAt(nowMs: number): {
  budget: TurnBudget;
  pass: (ms: number) => void;
  turn: () => number;
  end: () => void;
} {
  let turn = 0;
  const count = (): void => {
    turn += 1;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  return {
    budget: createTurnBudget({ monotonicMs: () => nowMs }),
    pass: (ms) => (nowMs += ms),
    turn: () => turn,
    end: () => clearImmediate(next),
  };
}

test('slots that wait begin in the order in which they came, and in each turn only as many as fit', async () => {
  const { budget, pass, turn, end } = budgetAt(1000);
  const began: { slot: number; turn: number }[] = [];
  await Promise.all(
    Array.from({ length: 10 }, async (_, slot) => {
      await budget.nextTurn();
      began.push({ slot, turn: turn() });
      // As long as making a batch takes some promises, the next one waits for it.
      await Promise.resolve().then(() => Promise.resolve());
      pass(2);
    }),
  );
  end();
  assert.deepEqual(
    began.map(({ slot }) => slot),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.deepEqual(
    began.map((each) => each.turn),
    [1, 1, 1, 2, 2, 2, 3, 3, 3, 4],
  );
});

test('a turn is spent when it has lasted long enough, and for who comes while others wait', async () => {
  const { budget, pass, end } = budgetAt(0);
  assert.ok(budget.isSpent(), 'when the first turn began is not known');
  const [first, second] = [budget.nextTurn(), budget.nextTurn()];
  await first;
  assert.ok(budget.isSpent(), 'the second goes before');
  await second;
  // The last one was let in and may not be ready yet.
  await budget.nextTurn();
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(!budget.isSpent());
  pass(4.9);
  assert.ok(!budget.isSpent());
  pass(0.1);
  assert.ok(budget.isSpent());
  end();
});

test('a slot whose batch takes longer than a turn may last is alone in its turn and held up by nobody', async () => {
  const { budget, pass, turn, end } = budgetAt(0);
  const turns: number[] = [];
  await Promise.all(
    [1, 2, 3].map(async () => {
      await budget.nextTurn();
      turns.push(turn());
      pass(60);
    }),
  );
  end();
  assert.deepEqual(turns, [1, 2, 3]);
});
