/**
 * A TCP proxy as a load balancer is one: it forwards bytes, and closes connections that have been idle for a while
 * between two requests, without a word to either side.
 */
import type { TestContext } from 'node:test';
import { tcpProxy } from './tcp-proxy.ts';

export interface IdleCutter {
  /** Where it listens, for the scheme http. */
  readonly url: string;
  /** Connections that it has closed for being idle. */
  readonly cut: () => number;
}

/** `how`: `end` closes in good order (FIN), `reset` at once (RST). Gone after the test. */
export async function idleCutter(
  context: Pick<TestContext, 'after'>,
  target: string,
  facts: { readonly idleMs: number; readonly how: 'end' | 'reset' },
): Promise<IdleCutter> {
  let cut = 0;
  const url = await tcpProxy(context, target, (inner, outer) => {
    inner.pipe(outer);
    outer.pipe(inner);
    // Idle between two requests, however long an answer takes on a busy machine.
    let isAnswered = false;
    inner.on('data', () => (isAnswered = false));
    outer.on('data', () => (isAnswered = true));
    // A socket's own time-out counts from the last byte in either direction.
    inner.setTimeout(facts.idleMs, () => {
      if (!isAnswered) return;
      cut += 1;
      if (facts.how === 'reset') inner.resetAndDestroy();
      else inner.end();
    });
  });
  return { url, cut: () => cut };
}
