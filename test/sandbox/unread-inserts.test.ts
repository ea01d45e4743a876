/** The door of a target that discards: INSERTs pass by unread, and all else is answered by the sandbox behind it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { startSandbox } from '../../src/sandbox/server.ts';
import { INSERT, insert, raw, resultsOf, wire } from './support.ts';
import { post, query, sandboxFor } from '../support/sandbox.ts';

const KNOWN = { discard: true, knownInserts: { rows: 3, isBulk: true } } as const;
const STORED = [{ rowcount: 1 }, { rowcount: 1 }, { rowcount: 1 }];

describe('a target that knows its INSERTs', () => {
  test('says of each that all its rows are stored, and counts them as received', async (context) => {
    const sandbox = await sandboxFor(context, KNOWN);
    assert.deepEqual(resultsOf(await insert(sandbox.url, [1, 2, 3])), STORED);
    assert.deepEqual(resultsOf(await insert(sandbox.url, [1, 2, 3])), STORED);
    const { inserts, rowsReceived, rowsStored } = sandbox.stats();
    assert.deepEqual([inserts, rowsReceived, rowsStored], [2, 6, 0]);
  });

  test('greets as a target that discards, and still answers questions', async (context) => {
    const { url } = await sandboxFor(context, KNOWN);
    const greeting = (await (await fetch(url)).json()) as { readonly crategen: unknown };
    assert.deepEqual(greeting.crategen, { kind: 'discard' });
    assert.deepEqual(await query(url, "SELECT os_info['available_processors'] FROM sys.nodes"), [[1]]);
    const refused = await post(url, { stmt: 'SELECT nothing FROM sys.nodes' });
    assert.equal(refused.status, 404, refused.text);
  });

  test('takes a compressed body for an INSERT, without looking into it', async (context) => {
    const { url } = await sandboxFor(context, KNOWN);
    const body = gzipSync(JSON.stringify({ stmt: INSERT, bulk_args: [[1, 'x']] }));
    const headers = { 'content-encoding': 'gzip' };
    const response = await fetch(`${url}/_sql`, { method: 'POST', body, headers });
    assert.deepEqual(((await response.json()) as { readonly results: unknown }).results, STORED);
  });

  test('counts the rows of an INSERT that is one statement in its answer', async (context) => {
    const { url } = await sandboxFor(context, { discard: true, knownInserts: { rows: 7, isBulk: false } });
    const { text } = await post(url, { stmt: 'INSERT INTO t.r (id) (SELECT * FROM UNNEST(?))', args: [[1]] });
    assert.equal((JSON.parse(text) as { readonly rowcount: unknown }).rowcount, 7);
  });

  test('answers each request once, however its bytes are cut', async (context) => {
    const sandbox = await sandboxFor(context, KNOWN);
    const insertion = wire({
      stmt: INSERT,
      bulk_args: [
        [1, 'x'.repeat(300)],
        [2, ''],
      ],
    });
    const greeting = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(insertion, greeting), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(500), { maxLength: 3 }),
        async (requests, cuts) => {
          const before = sandbox.stats().inserts;
          await exchange(
            sandbox.port,
            requests.map((request) => pieces(request, cuts)),
          );
          const inserts = requests.filter((request) => request === insertion).length;
          assert.equal(sandbox.stats().inserts - before, inserts);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('hands a connection over whole: what follows a question is answered too', async (context) => {
    const { port } = await sandboxFor(context, KNOWN);
    const { bytes } = await raw(
      port,
      `${wire({ stmt: 'SELECT 1 AS one' })}${wire({ stmt: 'SELECT 2 AS two' })}`,
      (seen) => seen.includes('"two"'),
    );
    assert.match(bytes, /"one".*"two"/s);
  });

  test('ends while a client is connected that has sent half a head', async () => {
    const sandbox = await startSandbox(KNOWN);
    const ended = raw(sandbox.port, 'POST /_sql HTTP/1.1\r\ncontent-le', () => false);
    await sandbox.close();
    await ended;
  });
});

/** The text in parts that end at these places. */
function pieces(text: string, cuts: readonly number[]): readonly string[] {
  const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < text.length), text.length])].toSorted(
    (a, b) => a - b,
  );
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}

/** Sends requests over one connection, each in its pieces and after the answer to the one before. */
async function exchange(port: number, requests: readonly (readonly string[])[]): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  for (const request of requests) {
    const answered = once(socket, 'data');
    for (const piece of request) {
      await new Promise((resolve) => socket.write(piece, resolve));
      await immediate();
    }
    const [answer] = (await answered) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(answer.toString('latin1').match(/HTTP\/1\.1/g)?.length, 1);
  }
  socket.destroy();
}
