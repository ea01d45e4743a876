import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { createCollector, createGarbageBound } from '../../src/base/garbage-bound.ts';

const MIB = 1024 * 1024;

/** A process of `keptMib` that gets `grownMib` of garbage before each look: after which of them it collects. */
function collections(keptMib: number, grownMib: readonly number[]): number[] {
  const collected: number[] = [];
  let garbageMib = 0;
  let looks = 0;
  const look = createGarbageBound({
    sizeBytes: () => (keptMib + garbageMib) * MIB,
    collect: () => {
      garbageMib = 0;
      collected.push(looks);
    },
  });
  look();
  for (const more of grownMib) {
    garbageMib += more;
    looks += 1;
    look();
  }
  return collected;
}

test('Garbage of more than 8 MiB is collected, and then what comes next is waited for again.', () => {
  assert.deepEqual(collections(20, [8, 0, 1, 0, 8, 1]), [3, 6]);
});

test('Where more is kept a third of it may be garbage.', () => {
  assert.deepEqual(collections(60, [10, 10, 1]), [3]);
});

test('The collector takes what nobody refers to.', async () => {
  const large = new WeakRef(new Array<number>(1000).fill(0));
  // Until the end of its turn a WeakRef keeps alive what it was made with.
  await nextTurn();
  createCollector()();
  assert.equal(large.deref(), undefined);
});

test('However garbage comes, after a look there is no more of it than 8 MiB or a third of what is kept.', () => {
  const grown = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 50 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), grown, (keptMib, grownMib) => {
      const bound = Math.max(8, keptMib / 3);
      const collected = new Set(collections(keptMib, grownMib));
      let garbageMib = 0;
      grownMib.forEach((more, index) => {
        garbageMib = collected.has(index + 1) ? 0 : garbageMib + more;
        assert.ok(garbageMib <= bound + 1e-6);
      });
    }),
  );
});
