/** Work that waits for its turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from '../../src/base/turns.ts';

test('no more tasks than allowed are under way, in their order, and a failed one gives its turn on', async () => {
  const turns = createTurns(2);
  const begun: number[] = [];
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
  const results = gates.map(({ promise }, index) =>
    turns(() => {
      begun.push(index);
      return promise;
    }),
  );
  assert.deepEqual(begun, [0, 1]);
  gates[1]?.reject(new Error('lost'));
  await assert.rejects(results[1] ?? Promise.resolve(), /lost/);
  assert.deepEqual(begun, [0, 1, 2]);
  for (const [index, gate] of gates.entries()) gate.resolve(index);
  assert.deepEqual(await Promise.all(results.filter((_, index) => index !== 1)), [0, 2, 3, 4]);
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
});
