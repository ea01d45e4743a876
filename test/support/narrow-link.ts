/** A TCP proxy as a narrow link is one: everything that a client sends shares so many bytes per second. */
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';

/** The address for the scheme http. Answers come back at full speed. Gone after the test. */
export async function narrowLink(
  context: Pick<TestContext, 'after'>,
  target: string,
  bytesPerSecond: number,
): Promise<string> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<net.Socket>();
  let freeAtMs = 0;
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}
