/** Inserts over the PostgreSQL wire: what a session sends, and what each end of an attempt means for its rows. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, describe, test } from 'node:test';
import { readPgReply } from '../../src/cratedb/pg-reply.ts';
import { type PgClient, createPgClient } from '../../src/cratedb/pg-client.ts';
import type { InsertRequest } from '../../src/cratedb/client.ts';
import type { AttemptOutcome } from '../../src/cratedb/outcome.ts';
import type { TargetAccess } from '../../src/plan/run-plan.ts';
import { createBindBodies } from '../../src/rows/bind-body.ts';
import type { PgForm } from '../../src/rows/insert-form.ts';
import type { RowGenerator } from '../../src/rows/row-generator.ts';
import {
  type Authority,
  type Certificate,
  NO_OPENSSL,
  authority,
  selfSigned,
} from '../support/certificates.ts';
import { type PgAnswer, type PgServer, type PgServerOptions, pgServerFor } from '../support/pg-server.ts';
import { deadPort, insertOf, portOf, summary } from './support.ts';
import { accessTo } from '../support/access.ts';

const HERE = 'IP:127.0.0.1,DNS:localhost';
const FORM: PgForm = {
  path: 'pg',
  table: { schema: 'doc', table: 't' },
  head: 'INSERT INTO t (a, b) VALUES ',
  row: '($1,$2)',
  tail: '',
  columns: 2,
  parameters: ['plain', 'plain'],
};

/** Rows `[i,"r"]`. */
const NUMBERED: RowGenerator = {
  maxRowBytes: 24,
  createBuffers: (count, bytes) => Array.from({ length: count }, () => new Uint8Array(bytes)),
  writeRows(target, offset, firstRow, rows) {
    const text = Array.from({ length: rows }, (_, row) => `[${firstRow + row},"r"]`).join(',');
    target.set(Buffer.from(text), offset);
    return offset + text.length;
  },
};

function bodyOf(rows: number): Uint8Array {
  const [body] = createBindBodies(FORM, NUMBERED, rows, 1);
  assert.ok(body);
  return body.write(0, rows);
}

function clientFor(
  context: TestContext,
  port: number,
  facts: { password?: string; token?: string } = {},
): PgClient {
  const client = createPgClient({
    ...accessTo('http://127.0.0.1:4200'),
    pgPorts: [port],
    password: facts.password ?? null,
    token: facts.token ?? null,
  });
  context.after(() => client.destroy());
  return client;
}

async function pair(
  context: TestContext,
  options: PgServerOptions = {},
): Promise<{
  server: PgServer;
  client: PgClient;
  send: (facts?: Partial<InsertRequest>) => ReturnType<PgClient['insert']>;
}> {
  const server = await pgServerFor(context, options);
  const client = clientFor(context, server.port);
  const send = (facts: Partial<InsertRequest> = {}): ReturnType<PgClient['insert']> =>
    client.insert(0, bodyOf(facts.rows ?? 3), insertOf({ form: FORM, ...facts }));
  return { server, client, send };
}

describe('an insert over the PostgreSQL wire', () => {
  test('A session prepares its statement once and binds each row; one Sync is one batch.', async (context) => {
    const { server, send } = await pair(context);
    let handedOver = 0;
    for (let batch = 0; batch < 3; batch += 1) {
      const outcome = await send({ onHandedOver: () => (handedOver += 1) });
      assert.equal(summary(outcome), '3/0/0/0 good');
      assert.ok(outcome.handedOver && outcome.serviceTimeUs !== null);
      // BindComplete (5) and CommandComplete (16) a row, and ReadyForQuery (6).
      assert.equal(outcome.replyBytes, 3 * 21 + 6);
    }
    assert.equal(handedOver, 3);
    assert.deepEqual(server.statements, ['INSERT INTO t (a, b) VALUES ($1,$2)']);
    assert.equal(server.connections(), 1);
    assert.deepEqual(server.syncs[0], [
      ['0', 'r'],
      ['1', 'r'],
      ['2', 'r'],
    ]);
  });

  test('Sessions are as many as batches in flight, and are used again.', async (context) => {
    const { server, send } = await pair(context);
    await Promise.all([send(), send(), send()]);
    await Promise.all([send(), send()]);
    assert.equal(server.connections(), 3);
  });

  test('A large batch comes back whole.', async (context) => {
    const { server, send } = await pair(context);
    assert.equal(summary(await send({ rows: 5000 })), '5000/0/0/0 good');
    assert.equal(server.syncs[0]?.length, 5000);
  });

  const answers: readonly (readonly [string, PgAnswer, string, string])[] = [
    [
      'a row without a reason',
      { kind: 'counts', counts: [1, -3, 1] },
      '2/0/0/1 good notCounted',
      '2/0/0/1 good notCounted',
    ],
    ['a row that is there', { kind: 'counts', counts: [1, 0, 1] }, '2/0/0/1 good notCounted', '3/0/0/0 good'],
    [
      'too few results',
      { kind: 'counts', counts: [1, 1] },
      '0/0/0/3 troubled badReply',
      '0/0/0/3 troubled badReply',
    ],
    [
      'two rows for one',
      { kind: 'counts', counts: [1, 2, 1] },
      '0/0/0/3 troubled badReply',
      '0/0/0/3 troubled badReply',
    ],
    ['something else', { kind: 'garbage' }, '0/0/0/3 troubled badReply', '0/0/0/3 troubled badReply'],
    [
      'a constraint of a new partition',
      { kind: 'error', code: 'XX000', message: 'Failed CONSTRAINT c CHECK ("v" < 1000)', times: 3 },
      '0/3/0/0 good constraint',
      '0/3/0/0 good constraint',
    ],
    [
      'a table that is gone',
      { kind: 'error', code: '42P01', message: "Relation 'doc.t' unknown" },
      '0/0/3/0 unreachable notRecovered',
      '0/0/3/0 unreachable notRecovered',
    ],
    [
      'any other error',
      { kind: 'error', code: 'XX000', message: 'node closed' },
      '0/0/0/3 troubled serverError',
      '0/0/0/3 troubled serverError',
    ],
  ];
  for (const [what, answer, plain, keyed] of answers) {
    test(`${what}: ${plain}; with a key: ${keyed}`, async (context) => {
      const { send } = await pair(context, { answer: () => answer });
      assert.equal(summary(await send()), plain);
      assert.equal(summary(await send({ keyed: true })), keyed);
    });
  }

  test('Rows that are missing while the table is blocked were refused by it, and the next batch gets another session.', async (context) => {
    let isBlocked = true;
    const { send, server } = await pair(context, {
      answer: (rows) => ({ kind: 'counts', counts: rows.map(() => (isBlocked ? -3 : 1)) }),
      select: (statement) => (isBlocked && statement.includes('information_schema.table_partitions') ? 1 : 0),
    });
    assert.equal(summary(await send()), '0/0/3/0 blocked blocked');
    isBlocked = false;
    assert.equal(summary(await send()), '3/0/0/0 good');
    assert.equal(server.connections(), 2, 'what was prepared under a block is not trusted');
  });

  test('One row alone is told of the block, and of several nobody knows which were written.', () => {
    const error = { code: 'XX000', message: 'blocked by: [RELATION_READ_DELETE_ONLY/12/index read-only];' };
    for (const [rows, expected] of [
      [1, '0/0/1/0 blocked blocked'],
      [2, '0/0/0/2 blocked blocked'],
    ] as const) {
      const reading = readPgReply(
        { bound: rows, counts: [], error, bytes: 0 },
        { rows, keyed: false, clean: String },
      );
      assert.equal(summary(reading), expected);
    }
  });

  test('A value that Bind refuses refuses the batch, which may be divided.', async (context) => {
    const { send, server } = await pair(context, { refuses: (row) => row[0] === '1' });
    const outcome = await send();
    assert.equal(summary(outcome), '0/3/0/0 good invalidValue');
    assert.equal(outcome.refusedWhole, true);
    assert.deepEqual(server.syncs, []);
    assert.equal(summary(await send({ rows: 1 })), '1/0/0/0 good', 'the session goes on');
  });

  test('Rows of a reply that was left out are not asked for again.', () => {
    const reading = readPgReply(
      { bound: 2, counts: [1, -3], error: null, bytes: 0 },
      { rows: 2, keyed: true, clean: String },
    );
    assert.equal(reading.isSilent, true);
  });

  test('A connection that breaks after hand-over leaves rows unknown, and the next batch gets another.', async (context) => {
    const { send, server } = await pair(context, {
      answer: (rows, sync) =>
        sync === 1 ? { kind: 'reset' } : { kind: 'counts', counts: rows.map(() => 1) },
    });
    assert.equal(summary(await send()), '0/0/0/3 troubled closed');
    assert.equal(summary(await send()), '3/0/0/0 good');
    assert.equal(server.connections(), 2);
  });

  test('A deadline and an abort end the attempt, with rows unknown.', async (context) => {
    const { send } = await pair(context, {
      answer: (rows, sync) =>
        sync === 1 ? { kind: 'counts', counts: rows.map(() => 1) } : { kind: 'silence' },
    });
    // The session stands and knows its statement: the time is that of the answer.
    assert.equal(summary(await send()), '3/0/0/0 good');
    assert.equal(summary(await send({ timeoutMs: 150 })), '0/0/0/3 troubled timeout');
    const giveUp = new AbortController();
    const given = send({ signal: giveUp.signal, onHandedOver: () => setImmediate(() => giveUp.abort()) });
    assert.equal(summary(await given), '0/0/0/3 troubled aborted');
  });

  test('Nobody there: nothing was handed over.', async (context) => {
    const port = await deadPort(context);
    const client = clientFor(context, port);
    const outcome = await client.insert(0, bodyOf(3), insertOf({ form: FORM, onHandedOver: assert.fail }));
    assert.equal(summary(outcome), '0/0/3/0 unreachable refused');
    const greeting = await client.greet(0, { timeoutMs: 1000 });
    assert.match(greeting.ok ? '' : greeting.message, new RegExp(`127.0.0.1:${port}: .*ECONNREFUSED`));
  });

  test('The password opens the session; a wrong one is said, and is in no text.', async (context) => {
    const server = await pgServerFor(context, { password: 'sesame' });
    for (const facts of [{ password: 'sesame' }, { token: 'sesame' }])
      assert.equal((await clientFor(context, server.port, facts).greet(0, { timeoutMs: 1000 })).ok, true);
    const refused = clientFor(context, server.port, { password: 'canary-7f' });
    const outcome = await refused.insert(0, bodyOf(3), insertOf({ form: FORM }));
    assert.equal(summary(outcome), '0/0/3/0 troubled unauthorized');
    assert.doesNotMatch(JSON.stringify(outcome), /canary/);
  });

  test('A port that speaks something else is no server, and is not waited for without end.', async (context) => {
    const sockets: { destroy: () => void }[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined).write('HTTP/1.1 400 Bad Request\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const outcome = await clientFor(context, portOf(server)).insert(
      0,
      bodyOf(3),
      insertOf({ form: FORM, timeoutMs: 300 }),
    );
    assert.equal(outcome.rows.notStored, 3);
  });
});

describe('TLS over the PostgreSQL wire', { skip: NO_OPENSSL }, () => {
  /** What an attempt comes to through a server with this certificate. */
  async function attempt(
    context: TestContext,
    server: PgServerOptions,
    tls: Partial<TargetAccess['tls']>,
    host = '127.0.0.1',
  ): Promise<{ outcome: AttemptOutcome; server: PgServer }> {
    const fake = await pgServerFor(context, server);
    const client = createPgClient({
      ...accessTo(`https://${host}:4200`),
      pgPorts: [fake.port],
      password: 'sesame',
      tls: { verify: true, ca: null, cert: null, key: null, ...tls },
    });
    context.after(() => client.destroy());
    return { outcome: await client.insert(0, bodyOf(3), insertOf({ form: FORM })), server: fake };
  }

  test('An https URL asks for TLS, and goes on where the authority vouches for the name.', async (context) => {
    const own = authority(context);
    const { cert, key } = own.issue({ names: HERE });
    for (const host of ['127.0.0.1', 'localhost']) {
      const { outcome, server } = await attempt(
        context,
        { tls: { cert, key }, password: 'sesame' },
        { ca: own.cert },
        host,
      );
      assert.equal(summary(outcome), '3/0/0/0 good');
      assert.equal(server.syncs.length, 1);
    }
  });

  const refusals: readonly (readonly [
    string,
    RegExp,
    (context: TestContext, own: Authority) => Certificate,
  ])[] = [
    ['a self-signed certificate', /self-signed certificate/, (context) => selfSigned(context, HERE)],
    ['another authority', /unable to verify/, (context) => authority(context).issue({ names: HERE })],
    ['another name', /altnames/, (_context, own) => own.issue({ names: 'DNS:elsewhere.example' })],
    ['a certificate that has expired', /expired/, (_context, own) => own.issue({ names: HERE, days: -1 })],
  ];
  for (const [what, reason, certificateOf] of refusals) {
    test(`${what}: refused before the password leaves, and taken with --insecure`, async (context) => {
      const own = authority(context);
      const { cert, key } = certificateOf(context, own);
      const options = { tls: { cert, key }, password: 'sesame' };
      const refused = await attempt(context, options, { ca: own.cert });
      assert.equal(summary(refused.outcome), '0/0/3/0 unreachable tls');
      assert.match(refused.outcome.failures[0]?.example ?? '', reason);
      assert.equal(refused.server.logIns(), 0);
      const insecure = await attempt(context, options, { ca: own.cert, verify: false });
      assert.equal(summary(insecure.outcome), '3/0/0/0 good');
    });
  }

  test('A server without TLS hears no password either.', async (context) => {
    const { outcome, server } = await attempt(context, { password: 'sesame' }, {});
    assert.equal(summary(outcome), '0/0/3/0 unreachable tls');
    assert.match(outcome.failures[0]?.example ?? '', /port \d+ offers no TLS/);
    assert.equal(server.logIns(), 0);
  });

  test('A client certificate is presented; where one is wanted and missing, the reason is said.', async (context) => {
    const own = authority(context);
    const { cert, key } = own.issue({ names: HERE });
    const tls = { cert, key, ca: own.cert, requestCert: true, rejectUnauthorized: true };
    const user = own.issue({ names: '', commonName: 'app' });
    const presented = await attempt(context, { tls }, { ca: own.cert, cert: user.cert, key: user.key });
    assert.equal(summary(presented.outcome), '3/0/0/0 good');
    const without = await attempt(context, { tls }, { ca: own.cert });
    assert.equal(summary(without.outcome), '0/0/3/0 unreachable tls');
    assert.match(without.outcome.failures[0]?.example ?? '', /certificate required/);
  });
});
