import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { createAbortListeners } from '../../src/base/abort-listeners.ts';
import { collectorOfYoung } from '../support/collect-young.ts';

const IN_FLIGHT = 20;
const REPLY_BYTES = 16_000;

test('Those that listen when a signal aborts are called once, in their order, and no others.', () => {
  const listeners = createAbortListeners();
  const [one, other] = [new AbortController(), new AbortController()];
  const called: string[] = [];
  const gone = (): void => void called.push('gone');
  listeners.add(one.signal, () => called.push('first'));
  listeners.add(one.signal, gone);
  listeners.add(one.signal, () => called.push('second'));
  listeners.add(other.signal, () => called.push('of the other'));
  listeners.delete(one.signal, gone);
  listeners.delete(other.signal, gone);
  one.abort();
  one.abort();
  assert.deepEqual(called, ['first', 'second']);
});

test('A listener that takes itself and the next one away is the last to be called.', () => {
  const listeners = createAbortListeners();
  const { signal, abort } = controllerOf();
  const called: string[] = [];
  const second = (): void => void called.push('second');
  const first = (): void => {
    called.push('first');
    listeners.delete(signal, first);
    listeners.delete(signal, second);
  };
  listeners.add(signal, first);
  listeners.add(signal, second);
  abort();
  assert.deepEqual(called, ['first']);
});

test('However many listen, the signal has one listener.', () => {
  const listeners = createAbortListeners();
  const { signal } = controllerOf();
  for (let index = 0; index < 1000; index += 1)
    listeners.add(signal, () => assert.fail(`${index} is called`));
  assert.equal(getEventListeners(signal, 'abort').length, 1);
});

test('Who has listened keeps nothing alive, however many came and went.', () => {
  const listeners = createAbortListeners();
  const { signal } = controllerOf();
  const listening: (() => void)[] = [];
  const collectYoung = collectorOfYoung();
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 5000; index += 1) {
    const reply = new Uint8Array(REPLY_BYTES);
    const call = (): void => assert.fail(`${reply.length} bytes are still held`);
    listeners.add(signal, call);
    listening.push(call);
    if (listening.length > IN_FLIGHT) listeners.delete(signal, listening.shift() ?? call);
    if (index % (2 * IN_FLIGHT) === 0) collectYoung();
  }
  const held = (process.memoryUsage().arrayBuffers - before) / REPLY_BYTES;
  assert.ok(held < 10 * IN_FLIGHT, `${held} are held, ${IN_FLIGHT} listen`);
});

function controllerOf(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
