/** A TCP proxy as a narrow link is one: everything that a client sends shares so many bytes per second. */
import type { TestContext } from 'node:test';
import { tcpProxy } from './tcp-proxy.ts';

/** The address for the scheme http. Answers come back at full speed. Gone after the test. */
export async function narrowLink(
  context: Pick<TestContext, 'after'>,
  target: string,
  bytesPerSecond: number,
): Promise<string> {
  let freeAtMs = 0;
  return await tcpProxy(context, target, (inner, outer) => {
    outer.pipe(inner);
    inner.on('data', (bytes) => {
      // The next bytes are read when these have gone over the link.
      inner.pause();
      freeAtMs = Math.max(freeAtMs, performance.now()) + (bytes.length / bytesPerSecond) * 1000;
      setTimeout(() => {
        outer.write(bytes);
        inner.resume();
      }, freeAtMs - performance.now());
    });
  });
}
