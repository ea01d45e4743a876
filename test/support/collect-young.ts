/** V8's collection of young objects, on demand: what is old stays, as it does for a long time in a process at work. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The function that does it once; an object that lives through two of them is old. */
export function collectorOfYoung(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  assert.ok(typeof collect === 'function');
  return () => void collect({ type: 'minor' });
}
