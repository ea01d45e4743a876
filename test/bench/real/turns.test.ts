import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderOf } from './turns.ts';

for (const { count, rounds } of [
  { count: 6, rounds: 6 },
  { count: 5, rounds: 10 },
]) {
  test(`over ${rounds} rounds each of ${count} clients follows every other one equally often`, () => {
    const followers = new Map<string, number>();
    for (let round = 0; round < rounds; round += 1) {
      const order = orderOf(round, count);
      assert.deepEqual(
        order.toSorted((a, b) => a - b),
        Array.from({ length: count }, (_, index) => index),
      );
      for (const [place, index] of order.slice(1).entries()) {
        const pair = `${order[place]} ${index}`;
        followers.set(pair, (followers.get(pair) ?? 0) + 1);
      }
    }
    assert.equal(followers.size, count * (count - 1));
    assert.deepEqual([...new Set(followers.values())], [rounds / count]);
  });
}
