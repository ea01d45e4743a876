/** Suggestions are near, or there is none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nearest } from '../../src/base/nearest.ts';

const COMMANDS = ['cluster', 'single', 'sandbox', 'schema list', 'report', 'recover', 'runs', 'verify'];

describe('the nearest word', () => {
  it('is the one that was mistyped or begun', () => {
    assert.equal(nearest('clutser', COMMANDS), 'cluster');
    assert.equal(nearest('sanbdox', COMMANDS), 'sandbox');
    assert.equal(nearest('recov', COMMANDS), 'recover');
    assert.equal(nearest('run', COMMANDS), 'runs');
  });

  it('is nothing for another word', () => {
    for (const word of ['xyz', 'deploy', '', 'a', 'procs', 'x'.repeat(10_000)])
      assert.equal(nearest(word, COMMANDS), null, word.slice(0, 20));
  });

  it('is always one of the known', () => {
    fc.assert(
      fc.property(fc.string(), (word) => {
        const found = nearest(word, COMMANDS);
        assert.ok(found === null || COMMANDS.includes(found));
      }),
    );
  });
});
