import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import https from 'node:https';
import { type TestContext, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { CrateClient } from '../../src/cratedb/client.ts';
import type { TargetAccess } from '../../src/plan/run-plan.ts';
import { NO_OPENSSL, authority, selfSigned } from '../support/certificates.ts';
import { collectorOfYoung } from '../support/collect-young.ts';
import {
  BODY,
  clientOf,
  deadOrigin,
  httpServer,
  insertOf,
  portOf,
  rawServer,
  storedReply,
  summary,
} from './support.ts';
import { NO_TLS, accessTo } from '../support/access.ts';

const REPLY = storedReply(3);
const HEAD = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${REPLY.length}\r\n\r\n`;

/** An insert that is answered: its connection stands for the next one, whose deadline is then all its own. */
async function connected(client: CrateClient): Promise<void> {
  assert.equal(summary(await client.insert(0, BODY, insertOf())), '3/0/0/0 good');
  await nextTurn();
}

describe('insert', () => {
  test('An answer that says every row is stored acknowledges them all.', async (t) => {
    const origin = await httpServer(t, (_request, response) => response.end(REPLY));
    const outcome = await clientOf(t, accessTo(origin)).insert(0, BODY, insertOf());
    assert.equal(summary(outcome), '3/0/0/0 good');
    assert.equal(outcome.handedOver, true);
    assert.ok(outcome.serviceTimeUs !== null && outcome.serviceTimeUs > 0);
    assert.equal(outcome.replyBytes, REPLY.length);
  });

  test('The bytes of a reply are let go when it is read, also where its request has become old.', async (t) => {
    const [rows, atOnce, rounds] = [1000, 10, 30];
    const reply = storedReply(rows);
    const collectYoung = collectorOfYoung();
    let waiting: ServerResponse[] = [];
    const origin = await httpServer(t, (_request, response) => {
      if (waiting.push(response) < atOnce) return;
      for (let times = 0; times < 3; times += 1) collectYoung();
      for (const each of waiting) each.end(reply);
      waiting = [];
    });
    const client = clientOf(t, accessTo(origin), atOnce);
    const round = async (): Promise<void> => {
      const inserts = Array.from({ length: atOnce }, () => client.insert(0, BODY, insertOf({ rows })));
      for (const outcome of await Promise.all(inserts)) assert.equal(outcome.rows.acknowledged, rows);
    };
    await round();
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < rounds; count += 1) await round();
    collectYoung();
    const held = (process.memoryUsage().arrayBuffers - before) / reply.length;
    assert.ok(held < 5 * atOnce, `${held} of ${rounds * atOnce} are held`);
  });

  test('The request carries the body as it is, its encoding and the credentials in a header only.', async (t) => {
    const seen: unknown[] = [];
    const origin = await httpServer(t, (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const { host: _host, ...headers } = request.headers;
        seen.push({
          method: request.method,
          url: request.url,
          headers,
          body: Buffer.concat(pieces).toString('base64'),
        });
        response.end(REPLY);
      });
    });
    const body = gzipSync(BODY);
    const client = clientOf(t, { ...accessTo(origin), username: 'app', password: 'pä:ss' });
    assert.equal(
      summary(await client.insert(0, body, insertOf({ contentEncoding: 'gzip' }))),
      '3/0/0/0 good',
    );
    assert.deepEqual(seen, [
      {
        method: 'POST',
        url: '/_sql',
        headers: {
          connection: 'keep-alive',
          'user-agent': 'crategen/0.0.0-test',
          authorization: `Basic ${Buffer.from('app:pä:ss').toString('base64')}`,
          'content-type': 'application/json',
          'content-encoding': 'gzip',
          'content-length': String(body.length),
        },
        body: body.toString('base64'),
      },
    ]);
  });

  test('Hand-over is announced once and before the server has seen a byte.', async (t) => {
    const order: string[] = [];
    const origin = await rawServer(t, (socket) => {
      socket.once('data', () => {
        order.push('byte');
        socket.write(HEAD + REPLY);
      });
    });
    const outcome = await clientOf(t, accessTo(origin)).insert(
      0,
      BODY,
      insertOf({ onHandedOver: () => order.push('handed over') }),
    );
    assert.deepEqual(order, ['handed over', 'byte']);
    assert.equal(outcome.rows.acknowledged, 3);
  });

  test('When noting the hand-over fails nothing is sent and the rows are surely not stored.', async (t) => {
    let requests = 0;
    const origin = await httpServer(t, (_request, response) => {
      requests += 1;
      response.end(REPLY);
    });
    const client = clientOf(t, accessTo(origin));
    const outcome = await client.insert(
      0,
      BODY,
      insertOf({ onHandedOver: () => assert.fail('no space left on device') }),
    );
    assert.equal(summary(outcome), '0/0/3/0 unreachable notSent');
    assert.equal(outcome.handedOver, false);
    assert.equal(summary(await client.insert(0, BODY, insertOf())), '3/0/0/0 good');
    assert.equal(requests, 1);
  });

  test('A refused connection hands nothing over and leaves the rows surely not stored.', async (t) => {
    const origin = await deadOrigin(t);
    let handedOver = 0;
    const outcome = await clientOf(t, accessTo(origin)).insert(
      0,
      BODY,
      insertOf({ onHandedOver: () => (handedOver += 1) }),
    );
    assert.equal(summary(outcome), '0/0/3/0 unreachable refused');
    assert.equal(handedOver, 0);
    assert.match(outcome.failures[0]?.example ?? '', /^http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  });

  const cuts: readonly (readonly [string, string])[] = [
    ['before a byte of the reply', ''],
    ['inside the status line', 'HTTP/1.1 2'],
    ['inside the headers', HEAD.slice(0, 40)],
    ['between headers and body', HEAD],
    ['inside the body', HEAD + REPLY.slice(0, -1)],
  ];
  for (const [where, text] of cuts) {
    for (const how of ['closed', 'reset'] as const) {
      test(`A connection that is ${how} ${where} leaves the rows unknown.`, async (t) => {
        const origin = await rawServer(t, (socket) => {
          const end = (): unknown => (how === 'closed' ? socket.end() : socket.resetAndDestroy());
          socket.once('data', () => (text === '' ? end() : socket.write(text, end)));
        });
        const outcome = await clientOf(t, accessTo(origin)).insert(0, BODY, insertOf());
        assert.equal(outcome.rows.unknown, 3);
        assert.equal(outcome.condition, 'troubled');
        assert.equal(outcome.serviceTimeUs, null);
        assert.equal(outcome.replyBytes, 0);
        assert.equal(outcome.handedOver, true);
      });
    }
  }

  test('A server that never answers is cut off at the deadline and the rows are unknown.', async (t) => {
    const origin = await rawServer(t, (socket) => socket.once('data', () => socket.write(HEAD + REPLY)));
    const client = clientOf(t, accessTo(origin), 1);
    await connected(client);
    const outcome = await client.insert(0, BODY, insertOf({ timeoutMs: 50 }));
    assert.equal(summary(outcome), '0/0/0/3 troubled timeout');
    assert.match(outcome.failures[0]?.example ?? '', /no complete reply within 50 ms/);
  });

  test('A reply that drips in is cut off at the deadline although bytes keep coming.', async (t) => {
    const origin = await rawServer(t, (socket) => {
      const text = HEAD + REPLY;
      socket.once('data', () => {
        socket.write(text);
        socket.once('data', () => {
          let at = 0;
          const drip = setInterval(() => socket.write(text.slice(at, (at += 1))), 20);
          socket.on('close', () => clearInterval(drip));
        });
      });
    });
    const client = clientOf(t, accessTo(origin), 1);
    await connected(client);
    assert.equal(
      summary(await client.insert(0, BODY, insertOf({ timeoutMs: 150 }))),
      '0/0/0/3 troubled timeout',
    );
  });

  test('An abort ends a request in flight as unknown and one that waits for a connection as not sent.', async (t) => {
    const stop = new AbortController();
    const sent: number[] = [];
    const origin = await rawServer(t, (socket) => socket.once('data', () => stop.abort()));
    const client = clientOf(t, accessTo(origin), 1);
    const [inFlight, queued] = await Promise.all(
      [0, 1].map((index) =>
        client.insert(0, BODY, insertOf({ signal: stop.signal, onHandedOver: () => sent.push(index) })),
      ),
    );
    assert.equal(inFlight && summary(inFlight), '0/0/0/3 troubled aborted');
    assert.equal(queued && summary(queued), '0/0/3/0 troubled notSent');
    const late = await client.insert(0, BODY, insertOf({ signal: stop.signal }));
    assert.equal(summary(late), '0/0/3/0 troubled notSent');
    assert.deepEqual(sent, [0]);
  });

  test('A request that waited for a connection beyond its deadline is never sent.', async (t) => {
    const requests: (() => void)[] = [];
    const arrived = Promise.withResolvers<void>();
    const origin = await httpServer(t, (_request, response) => {
      requests.push(() => response.end(REPLY));
      if (requests.length === 1) arrived.resolve();
      else response.end(REPLY);
    });
    const client = clientOf(t, accessTo(origin), 1);
    const first = client.insert(0, BODY, insertOf());
    await arrived.promise;
    const queued = await client.insert(
      0,
      BODY,
      insertOf({ timeoutMs: 30, onHandedOver: () => assert.fail('it was too late') }),
    );
    assert.equal(summary(queued), '0/0/3/0 unreachable notSent');
    requests[0]?.();
    assert.equal(summary(await first), '3/0/0/0 good');
    assert.equal(summary(await client.insert(0, BODY, insertOf())), '3/0/0/0 good');
    assert.equal(requests.length, 2);
  });

  test('Two hundred inserts over one signal cause no warning of too many listeners.', async (t) => {
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on('warning', note);
    t.after(() => process.off('warning', note));
    const origin = await httpServer(t, (_request, response) => response.end(REPLY));
    const client = clientOf(t, accessTo(origin), 20);
    const stop = new AbortController();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () => client.insert(0, BODY, insertOf({ signal: stop.signal }))),
    );
    assert.ok(outcomes.every((outcome) => outcome.rows.acknowledged === 3));
    assert.deepEqual(warnings, []);
  });

  test('An endless reply is cut off at its size limit.', async (t) => {
    let written = 0;
    const origin = await httpServer(t, (_request, response) => {
      const chunk = Buffer.alloc(256 * 1024, '[');
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length;
        written += chunk.length;
      };
      response.on('drain', more);
      more();
    });
    const outcome = await clientOf(t, accessTo(origin)).insert(0, BODY, insertOf({ timeoutMs: 20_000 }));
    assert.equal(summary(outcome), '0/0/0/3 troubled badReply');
    assert.match(outcome.failures[0]?.example ?? '', /more than 8388\d+ bytes/);
    assert.ok(written < 32 * 1024 * 1024, `the server could write ${written} bytes`);
  });

  test('A head of 100 kB is refused.', async (t) => {
    const origin = await rawServer(t, (socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`));
    });
    assert.equal(
      summary(await clientOf(t, accessTo(origin)).insert(0, BODY, insertOf())),
      '0/0/0/3 troubled badReply',
    );
  });

  test('A compressed reply is not decompressed and acknowledges nothing.', async (t) => {
    const origin = await httpServer(t, (_request, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync(Buffer.alloc(50_000_000, ' ')));
    });
    const outcome = await clientOf(t, accessTo(origin)).insert(0, BODY, insertOf());
    assert.equal(summary(outcome), '0/0/0/3 troubled badReply');
    assert.match(outcome.failures[0]?.example ?? '', /compressed reply \(gzip\)/);
  });

  test('The right bytes under a Content-Length that cuts one off acknowledge nothing.', async (t) => {
    const origin = await rawServer(t, (socket) => {
      socket.once('data', () =>
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${REPLY.length - 1}\r\n\r\n${REPLY}`),
      );
    });
    assert.equal(
      summary(await clientOf(t, accessTo(origin)).insert(0, BODY, insertOf())),
      '0/0/0/3 troubled badReply',
    );
  });

  test('A redirect is an error and the other place never sees the request.', async (t) => {
    let visits = 0;
    const other = await httpServer(t, (_request, response) => {
      visits += 1;
      response.end(REPLY);
    });
    const origin = await httpServer(t, (_request, response) =>
      response.writeHead(307, { location: `${other}/_sql` }).end(),
    );
    const client = clientOf(t, { ...accessTo(origin), username: 'app', password: 'secret' });
    assert.equal(summary(await client.insert(0, BODY, insertOf())), '0/0/0/3 troubled redirect');
    assert.equal(visits, 0);
  });

  test('A wrong password is told without showing it.', async (t) => {
    const origin = await httpServer(t, (request, response) => {
      response.writeHead(401).end(`wrong: ${request.headers.authorization} c4nary/1 c4nary%2F1\n`);
    });
    const outcome = await clientOf(t, { ...accessTo(origin), username: 'app', password: 'c4nary/1' }).insert(
      0,
      BODY,
      insertOf(),
    );
    assert.equal(summary(outcome), '0/0/3/0 troubled unauthorized');
    assert.equal(outcome.failures[0]?.example, 'HTTP 401: wrong: Basic *** *** ***');
  });

  test('A token goes in the header alone; what a server says of it, or of a part of it, is told without it.', async (t) => {
    const token = `${'h'.repeat(20)}.${'p'.repeat(40)}.${'s'.repeat(30)}`;
    const seen: (string | undefined)[] = [];
    const origin = await httpServer(t, (request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end(`${request.headers.authorization}; ${'p'.repeat(40)} has expired\n`);
    });
    const client = clientOf(t, { ...accessTo(origin), username: 'ignored', token });
    const outcome = await client.insert(0, BODY, insertOf());
    assert.deepEqual(seen, [`Bearer ${token}`]);
    assert.equal(summary(outcome), '0/0/3/0 troubled unauthorized');
    assert.equal(outcome.failures[0]?.example, 'HTTP 401: Bearer ***; *** has expired');
  });

  test('After a 401 the connection is not used again, as CrateDB closes it without saying so.', async (t) => {
    let connections = 0;
    const origin = await rawServer(t, (socket) => {
      connections += 1;
      socket.on('data', () => socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nwrong\n'));
    });
    const client = clientOf(t, accessTo(origin), 1);
    for (const turn of [1, 2, 3]) {
      assert.equal(summary(await client.insert(0, BODY, insertOf())), '0/0/3/0 troubled unauthorized');
      assert.equal(connections, turn);
    }
  });

  test('A connection that the server closed while it was idle costs no request.', async (t) => {
    let connections = 0;
    const closed: Promise<unknown>[] = [];
    const origin = await rawServer(t, (socket) => {
      connections += 1;
      socket.once('data', () => socket.end(HEAD + REPLY));
      closed.push(once(socket, 'close'));
    });
    const client = clientOf(t, accessTo(origin), 1);
    for (let turn = 1; turn <= 20; turn += 1) {
      assert.equal(summary(await client.insert(0, BODY, insertOf())), '3/0/0/0 good');
      await closed[turn - 1];
      assert.equal(connections, turn);
    }
  });

  test('Informational answers before the reply are passed over.', async (t) => {
    const origin = await rawServer(t, (socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n${HEAD}${REPLY}`));
    });
    assert.equal(summary(await clientOf(t, accessTo(origin)).insert(0, BODY, insertOf())), '3/0/0/0 good');
  });

  test('Retry-After comes along with a 429.', async (t) => {
    const origin = await httpServer(t, (_request, response) =>
      response.writeHead(429, { 'retry-after': '7' }).end(),
    );
    const outcome = await clientOf(t, accessTo(origin)).insert(0, BODY, insertOf());
    assert.equal(summary(outcome), '0/0/3/0 overloaded overloaded');
    assert.equal(outcome.retryAfterMs, 7_000);
  });

  test('Destroying the client ends what is in flight as unknown and what comes later as not sent.', async (t) => {
    const arrived = Promise.withResolvers<void>();
    const origin = await rawServer(t, (socket) => socket.once('data', () => arrived.resolve()));
    const client = clientOf(t, accessTo(origin));
    const inFlight = client.insert(0, BODY, insertOf());
    await arrived.promise;
    await client.destroy();
    assert.equal((await inFlight).rows.unknown, 3);
    assert.equal((await client.insert(0, BODY, insertOf())).rows.notStored, 3);
    await client.destroy();
    await client.close();
  });
});

describe('root', () => {
  const GREETING = {
    ok: true,
    status: 200,
    name: 'Piz Buin',
    cluster_name: 'crate',
    version: { number: '6.4.3' },
  };

  test('A node says its name, cluster and version.', async (t) => {
    const origin = await httpServer(t, (_request, response) => response.end(JSON.stringify(GREETING)));
    assert.deepEqual(await clientOf(t, accessTo(origin)).greet(0), {
      ok: true,
      version: '6.4.3',
      clusterName: 'crate',
      name: 'Piz Buin',
      kind: 'cratedb',
    });
  });

  for (const kind of ['sandbox', 'discard'] as const) {
    test(`The ${kind} is told apart from a CrateDB.`, async (t) => {
      const origin = await httpServer(t, (_request, response) =>
        response.end(JSON.stringify({ ...GREETING, crategen: { kind } })),
      );
      const greeting = await clientOf(t, accessTo(origin)).greet(0);
      assert.equal(greeting.ok && greeting.kind, kind);
    });
  }

  test('A node without a master, a wrong password and something else are told apart.', async (t) => {
    const answers: readonly (readonly [number, string, string])[] = [
      [503, '{"ok":false}', 'noMaster unreachable'],
      [401, 'no', 'unauthorized troubled'],
      [200, '<html>', 'badReply troubled'],
      [200, '{"version":{"number":6}}', 'badReply troubled'],
      [500, 'oh', 'serverError troubled'],
      [302, '', 'redirect troubled'],
    ];
    for (const [status, text, expected] of answers) {
      const origin = await httpServer(t, (_request, response) => response.writeHead(status).end(text));
      const greeting = await clientOf(t, accessTo(origin)).greet(0);
      assert.equal(!greeting.ok && `${greeting.class} ${greeting.condition}`, expected);
    }
    const gone = await clientOf(t, accessTo(await deadOrigin(t))).greet(0);
    assert.equal(!gone.ok && `${gone.class} ${gone.condition}`, 'refused unreachable');
  });

  test('A plain 500 for a token means that the token is none, and nothing of that kind without one.', async (t) => {
    const origin = await httpServer(t, (_request, response) =>
      response.writeHead(500).end('The JWT token must contain a public key id (kid)'),
    );
    const greetings = await Promise.all(
      [null, 'a.b.c'].map((token) => clientOf(t, { ...accessTo(origin), token }).greet(0)),
    );
    assert.deepEqual(
      greetings.map((greeting) => !greeting.ok && greeting.class),
      ['serverError', 'unauthorized'],
    );
  });

  test('A server older than 6.4.3 is not believed that a block of the whole request wrote nothing.', async (t) => {
    for (const [version, expected] of [
      ['6.4.2', '0/0/0/3 blocked blocked'],
      ['6.4.3', '0/0/3/0 blocked blocked'],
    ] as const) {
      const origin = await httpServer(t, (request, response) => {
        if (request.method === 'GET')
          return response.end(JSON.stringify({ ...GREETING, version: { number: version } }));
        return response
          .writeHead(403)
          .end('{"error":{"message":"ClusterBlockException[blocked by: x]","code":4035}}');
      });
      const client = clientOf(t, accessTo(origin));
      await client.greet(0);
      assert.equal(summary(await client.insert(0, BODY, insertOf())), expected);
    }
  });
});

describe('query', () => {
  test('A statement and its arguments are sent, columns and rows come back.', async (t) => {
    const bodies: string[] = [];
    const origin = await httpServer(t, (request, response) => {
      request.on('data', (piece: Buffer) => bodies.push(piece.toString()));
      request.on('end', () => response.end('{"cols":["n"],"rows":[[3]],"rowcount":1,"duration":0.5}'));
    });
    const client = clientOf(t, accessTo(origin));
    const reply = await client.query('SELECT count(*) FROM t WHERE a = ?', ['x'], { timeoutMs: 1_000 });
    assert.ok(reply.ok);
    assert.deepEqual([reply.columns, reply.rows, reply.rowcount], [['n'], [[3]], 1]);
    await client.query('SELECT 1', [], { timeoutMs: 1_000 });
    assert.deepEqual(bodies, [
      '{"stmt":"SELECT count(*) FROM t WHERE a = ?","args":["x"]}',
      '{"stmt":"SELECT 1"}',
    ]);
  });

  test('The next node is asked when one cannot be reached, and asked first from then on.', async (t) => {
    let asked = 0;
    const good = await httpServer(t, (_request, response) => {
      asked += 1;
      response.end('{"cols":[],"rows":[[]],"rowcount":1,"duration":0.5}');
    });
    const client = clientOf(t, accessTo(await deadOrigin(t), await deadOrigin(t), good));
    for (const turn of [1, 2]) {
      const reply = await client.query('REFRESH TABLE t', [], { timeoutMs: 5_000 });
      assert.deepEqual(reply.ok && [reply.rowcount, reply.rows], [1, []]);
      assert.equal(asked, turn);
    }
  });

  test('A statement that may have run is asked of another node only when it changes nothing.', async (t) => {
    const gone = await rawServer(t, (socket) => socket.once('data', () => socket.destroy()));
    const good = await httpServer(t, (_request, response) =>
      response.end('{"cols":["x"],"rows":[[1]],"rowcount":1,"duration":0.5}'),
    );
    const change = await clientOf(t, accessTo(gone, good)).query('DELETE FROM t', [], { timeoutMs: 5_000 });
    assert.equal(!change.ok && `${change.class} ${change.handedOver}`, 'closed true');
    const read = await clientOf(t, accessTo(gone, good)).query('SELECT 1', [], {
      timeoutMs: 5_000,
      repeatable: true,
    });
    assert.equal(read.ok, true);
  });

  test('A question whose connection is closed under it is asked again, a change is not.', async (t) => {
    let connections = 0;
    const origin = await rawServer(t, (socket) => {
      connections += 1;
      const body = '{"cols":["x"],"rows":[[1]],"rowcount":1,"duration":0.5}';
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      if (connections % 2 === 1) socket.once('data', () => socket.destroy());
      else socket.on('data', () => socket.write(answer));
    });
    const options = { timeoutMs: 5_000 };
    const read = await clientOf(t, accessTo(origin)).query('SELECT 1', [], { ...options, repeatable: true });
    assert.deepEqual([read.ok, connections], [true, 2]);
    const change = await clientOf(t, accessTo(origin)).query('DELETE FROM t', [], options);
    assert.deepEqual([change.ok, connections], [false, 3]);
  });

  test('Errors come with their code and class.', async (t) => {
    const origin = await httpServer(t, (_request, response) => {
      response
        .writeHead(404)
        .end('{"error":{"message":"RelationUnknown[Relation \'a.b\' unknown]","code":4041}}');
    });
    const reply = await clientOf(t, accessTo(origin)).query('SELECT 1', [], { timeoutMs: 1_000 });
    assert.deepEqual(reply, {
      ok: false,
      class: 'notRecovered',
      code: 4041,
      message: "RelationUnknown[Relation 'a.b' unknown]",
      handedOver: true,
    });
  });

  test('Integers beyond 2^53 are exact when asked for.', async (t) => {
    const origin = await httpServer(t, (_request, response) => {
      response.end(
        '{"cols":["a","b","c"],"rows":[[9007199254740993,1,"9007199254740993"],[-9007199254740993,1.5,null]],"rowcount":2,"duration":0.5}',
      );
    });
    const client = clientOf(t, accessTo(origin));
    const exact = await client.query('SELECT 1', [], { timeoutMs: 1_000, bigIntegers: true });
    assert.deepEqual(exact.ok && exact.rows, [
      [9007199254740993n, 1, '9007199254740993'],
      [-9007199254740993n, 1.5, null],
    ]);
    const rounded = await client.query('SELECT 1', [], { timeoutMs: 1_000 });
    assert.deepEqual(rounded.ok && rounded.rows[0], [9007199254740992, 1, '9007199254740993']);
  });

  test('Answers that are no result are failures, whatever they are.', async (t) => {
    const texts = [
      '',
      'null',
      '[]',
      '{"cols":["a"],"rows":[[1,2]],"rowcount":1}',
      '{"cols":[1],"rows":[],"rowcount":0}',
      '{"cols":[],"rows":[[]]}',
      '{"cols":["a"],"rows":[1],"rowcount":1}',
    ];
    for (const text of texts) {
      const origin = await httpServer(t, (_request, response) => response.end(text));
      const reply = await clientOf(t, accessTo(origin)).query('SELECT 1', [], { timeoutMs: 1_000 });
      assert.equal(!reply.ok && reply.class, 'badReply', text);
    }
  });

  test('The deadline holds over all nodes together.', async (t) => {
    const body = '{"cols":["x"],"rows":[[1]],"rowcount":1,"duration":0.5}';
    const asked: number[] = [];
    const nodes = [0, 1, 2, 3, 4];
    const origins = nodes.map((node) =>
      rawServer(t, (socket) => {
        socket.on('data', () => asked.push(node));
        socket.once('data', () =>
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
        );
      }),
    );
    const client = clientOf(t, accessTo(...(await Promise.all(origins))), 1);
    // Connected before, so that the time is that of the answers which do not come.
    for (const node of nodes)
      assert.equal((await client.query('SELECT 1', [], { timeoutMs: 5_000, node })).ok, true);
    const reply = await client.query('SELECT 1', [], { timeoutMs: 60, node: 0, repeatable: true });
    assert.equal(!reply.ok && reply.class, 'timeout');
    assert.equal(asked.filter((node) => node === 4).length, 1, 'no time was left for the last one');
  });
});

describe('TLS', { skip: NO_OPENSSL }, () => {
  async function tlsServer(t: TestContext, made: https.ServerOptions): Promise<string> {
    const server = https.createServer(made, (_request, response) => response.end(REPLY));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return `https://127.0.0.1:${portOf(server)}`;
  }

  const access = (origin: string, tls: Partial<TargetAccess['tls']>): TargetAccess => ({
    ...accessTo(origin),
    tls: { ...NO_TLS, ...tls },
  });

  test('A self-signed certificate is refused, accepted as its own authority, and accepted unverified.', async (t) => {
    const made = selfSigned(t, 'IP:127.0.0.1');
    const origin = await tlsServer(t, made);
    const refused = await clientOf(t, access(origin, {})).insert(0, BODY, insertOf());
    assert.equal(summary(refused), '0/0/3/0 unreachable tls');
    assert.match(refused.failures[0]?.example ?? '', /self-signed certificate/);
    assert.equal(
      summary(await clientOf(t, access(origin, { ca: made.cert })).insert(0, BODY, insertOf())),
      '3/0/0/0 good',
    );
    assert.equal(
      summary(await clientOf(t, access(origin, { verify: false })).insert(0, BODY, insertOf())),
      '3/0/0/0 good',
    );
  });

  test('A certificate for another host is refused.', async (t) => {
    const made = selfSigned(t, 'DNS:elsewhere.example');
    const origin = await tlsServer(t, made);
    assert.equal(
      summary(await clientOf(t, access(origin, { ca: made.cert })).insert(0, BODY, insertOf())),
      '0/0/3/0 unreachable tls',
    );
  });

  test('The environment cannot switch verification off.', async (t) => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    t.after(() => {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    });
    const origin = await tlsServer(t, selfSigned(t, 'IP:127.0.0.1'));
    assert.equal(
      summary(await clientOf(t, access(origin, {})).insert(0, BODY, insertOf())),
      '0/0/3/0 unreachable tls',
    );
  });

  test('A server that wants a client certificate gets the one there is, and takes no row without one.', async (t) => {
    const own = authority(t);
    const server = own.issue({ names: 'IP:127.0.0.1' });
    const wanted = { cert: server.cert, key: server.key, ca: own.cert, requestCert: true };
    const origin = await tlsServer(t, { ...wanted, rejectUnauthorized: true });
    const { cert, key } = own.issue({ names: '', commonName: 'app' });
    assert.equal(
      summary(await clientOf(t, access(origin, { ca: own.cert, cert, key })).insert(0, BODY, insertOf())),
      '3/0/0/0 good',
    );
    const without = await clientOf(t, access(origin, { ca: own.cert })).insert(0, BODY, insertOf());
    // The server's alert and its end of the connection race each other.
    assert.match(summary(without), /^0\/0\/(3\/0|0\/3) \w+ (tls|closed)$/);
    assert.match(without.failures[0]?.example ?? '', /certificate required|closed/);
  });

  test('https to a server that speaks http is a TLS failure.', async (t) => {
    const origin = await httpServer(t, (_request, response) => response.end(REPLY));
    assert.equal(
      summary(await clientOf(t, accessTo(origin.replace('http:', 'https:'))).insert(0, BODY, insertOf())),
      '0/0/3/0 unreachable tls',
    );
  });
});
