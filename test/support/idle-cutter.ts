/**
 * A TCP proxy as a load balancer is one: it forwards bytes, and closes connections that have been idle for a while
 * between two requests, without a word to either side.
 */
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';

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
  const { hostname, port } = new URL(target);
  const sockets = new Set<net.Socket>();
  let cut = 0;
  const server = net.createServer((inner) => {
    const outer = net.connect(Number(port), hostname);
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');
  return { url: `http://127.0.0.1:${address.port}`, cut: () => cut };
}
