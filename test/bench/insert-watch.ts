/**
 * A relay in front of the sandbox that notes when the first INSERT passes: the sandbox stays in its own process,
 * and nobody has to ask it again and again.
 */
import { type Socket, connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface InsertWatch {
  readonly url: string;
  /** `performance.now()` at which the first INSERT since `begin` arrived. */
  begin(): Promise<number>;
  close(): Promise<void>;
}

const INSERT = Buffer.from('"stmt":"INSERT INTO');

/** Relays to `url` from a port of its own. */
export async function watchInserts(url: string): Promise<InsertWatch> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let onInsert: ((atMs: number) => void) | null = null;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => sockets.delete(socket));
      // A client that ends without a word is its own affair.
      socket.on('error', () => socket.destroy());
    }
    client.on('data', (piece) => {
      if (onInsert === null || typeof piece === 'string' || !piece.includes(INSERT)) return;
      onInsert(performance.now());
      onInsert = null;
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    begin: () => new Promise((resolve) => (onInsert = resolve)),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(address: string | AddressInfo | null): number {
  if (typeof address !== 'object' || address === null) throw new Error('the relay has no port');
  return address.port;
}
