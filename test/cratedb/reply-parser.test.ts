import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cachedDataVersionTag } from 'node:v8';
import { deferTierUp } from '../../src/cratedb/reply-parser.ts';
import { clientOf, httpServer } from './support.ts';
import { accessTo } from '../support/access.ts';

test("V8's flags are afterwards as they were: what compiled code is kept for stays the same", () => {
  const usual = cachedDataVersionTag();
  const restore = deferTierUp();
  assert.notEqual(cachedDataVersionTag(), usual);
  restore();
  assert.equal(cachedDataVersionTag(), usual);
});

test('the parser is made with its own budget: the flag is set while the first request is on its way', async (t) => {
  const usual = cachedDataVersionTag();
  const seen: boolean[] = [];
  const origin = await httpServer(t, (_request, response) => {
    seen.push(cachedDataVersionTag() === usual);
    response.end('{}');
  });
  const client = clientOf(t, accessTo(origin));
  await client.greet(0);
  assert.equal(cachedDataVersionTag(), usual);
  await client.greet(0);
  assert.deepEqual(seen, [false, true]);
});
