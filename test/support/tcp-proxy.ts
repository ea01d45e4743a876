/** A TCP proxy on loopback in front of a target: what happens to the bytes on their way is the caller's. */
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';

/**
 * Its address, for the scheme http. `join` connects the two sockets of each connection, `inner` the client's and `outer`
 * the target's; when one of them ends or fails, so does the other. Gone after the test.
 */
export async function tcpProxy(
  context: Pick<TestContext, 'after'>,
  target: string,
  join: (inner: net.Socket, outer: net.Socket) => void,
): Promise<string> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<net.Socket>();
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
    }
    join(inner, outer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');
  return `http://127.0.0.1:${address.port}`;
}
