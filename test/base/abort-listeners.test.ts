import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { createAbortListeners } from '../../src/base/abort-listeners.ts';

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

function controllerOf(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
