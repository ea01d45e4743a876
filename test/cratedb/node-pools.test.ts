import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ServerResponse, createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type Dispatcher, Pool } from 'undici';
import { type NodePools, createNodePools } from '../../src/cratedb/node-pools.ts';

test('As many requests as there are connections are under way at once, however many pools they take.', async (t) => {
  const server = await openServer(t);
  const { pools, sizes } = poolsOf(t, server.url, 120);
  assert.deepEqual(sizes, [40, 40, 40]);
  const asked = Array.from({ length: 120 }, () => pools.use(ask));
  await server.hasReceived(120);
  assert.equal(server.connections(), 120);
  server.answerAll();
  assert.deepEqual(await Promise.all(asked), new Array(120).fill(200));
});

test('More requests than connections wait for one, and all are answered.', async (t) => {
  const server = await openServer(t);
  const { pools } = poolsOf(t, server.url, 51);
  const asked = Array.from({ length: 60 }, () => pools.use(ask));
  await server.hasReceived(51);
  server.answerAll();
  await server.hasReceived(60);
  server.answerAll();
  assert.deepEqual(await Promise.all(asked), new Array(60).fill(200));
  assert.equal(server.connections(), 51);
});

test('One request after the other takes the connections that are there.', async (t) => {
  const server = await openServer(t);
  const { pools } = poolsOf(t, server.url, 200);
  for (let index = 1; index <= 20; index += 1) {
    const asked = pools.use(ask);
    await server.hasReceived(index);
    server.answerAll();
    await asked;
  }
  // undici has a connection free again a moment after its reply was read.
  assert.ok(server.connections() <= 2, `${server.connections()} connections`);
});

test('A request that fails leaves its place to others.', async (t) => {
  const server = await openServer(t);
  const { pools } = poolsOf(t, server.url, 60);
  const failing = Array.from({ length: 60 }, () => pools.use(() => Promise.reject(new Error('broken'))));
  assert.ok((await Promise.allSettled(failing)).every(({ status }) => status === 'rejected'));
  const asked = Array.from({ length: 60 }, () => pools.use(ask));
  await server.hasReceived(60);
  server.answerAll();
  await Promise.all(asked);
  await pools.close();
  await pools.close();
});

function poolsOf(
  t: TestContext,
  url: string,
  connections: number,
): { readonly pools: NodePools; readonly sizes: readonly number[] } {
  const sizes: number[] = [];
  const pools = createNodePools(connections, (size) => {
    sizes.push(size);
    return new Pool(url, { connections: size, pipelining: 1 });
  });
  t.after(() => pools.destroy());
  return { pools, sizes };
}

async function ask(pool: Dispatcher): Promise<number> {
  const { statusCode, body } = await pool.request({ path: '/', method: 'POST', body: '{}' });
  await body.dump();
  return statusCode;
}

interface HoldingServer {
  readonly url: string;
  connections(): number;
  /** Resolves when so many requests have come in all. */
  hasReceived(requests: number): Promise<void>;
  answerAll(): void;
}

/** A server that answers when it is told to. */
async function openServer(t: TestContext): Promise<HoldingServer> {
  let [connections, received] = [0, 0];
  let held: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      held.push(response);
      received += 1;
      server.emit('received');
    });
  });
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}`,
    connections: () => connections,
    async hasReceived(requests) {
      while (received < requests) await once(server, 'received');
    },
    answerAll() {
      const answered = held;
      held = [];
      for (const response of answered) response.end('{}');
    },
  };
}
