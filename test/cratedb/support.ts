/** Servers and access for the tests of the client: real sockets on port 0, closed by the test that opened them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { type CrateClient, type InsertRequest, createClient } from '../../src/cratedb/client.ts';
import type { AttemptOutcome } from '../../src/cratedb/outcome.ts';
import type { TargetAccess } from '../../src/plan/run-plan.ts';
import { bulkForm } from '../../src/rows/insert-form.ts';

/** A client that is destroyed when the test ends. */
export function clientOf(t: TestContext, access: TargetAccess, connectionsPerNode = 2): CrateClient {
  const client = createClient(access, { connectionsPerNode, version: '0.0.0-test' });
  t.after(() => client.destroy());
  return client;
}

/** An HTTP server that answers each request with `answer`; its origin. */
export async function httpServer(t: TestContext, answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}`;
}

/** A TCP server that hands each connection to `onSocket`; its origin. */
export async function rawServer(t: TestContext, onSocket: (socket: net.Socket) => void): Promise<string> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    // A client that gives up resets the connection: that is what is tested.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}`;
}

/** A port that nobody listens on, and nobody can: it is the near end of a connection until the test ends. */
export async function deadPort(t: TestContext): Promise<number> {
  const { port } = new URL(await rawServer(t, () => {}));
  const socket = net.connect(Number(port), '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  assert.ok(socket.localPort !== undefined);
  return socket.localPort;
}

export async function deadOrigin(t: TestContext): Promise<string> {
  return `http://127.0.0.1:${await deadPort(t)}`;
}

export function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the server does not listen on a port');
  return address.port;
}

export const BODY = Buffer.from('{"stmt":"INSERT INTO t (a) VALUES (?)","bulk_args":[[1],[2],[3]]}');

/** An insert of three rows, with a deadline that a test may change. */
export function insertOf(facts: Partial<InsertRequest> = {}): InsertRequest {
  return {
    rows: 3,
    keyed: false,
    form: bulkForm('INSERT INTO t (a) VALUES (?)'),
    contentEncoding: null,
    timeoutMs: 5_000,
    signal: null,
    onHandedOver: () => {},
    ...facts,
  };
}

/** `acknowledged/rejected/notStored/unknown`, condition and classes in one line, to compare at a glance. */
export function summary(outcome: Pick<AttemptOutcome, 'rows' | 'condition' | 'failures'>): string {
  const { acknowledged, rejected, notStored, unknown } = outcome.rows;
  const classes = outcome.failures.map((failure) => failure.class).join(',');
  return `${acknowledged}/${rejected}/${notStored}/${unknown} ${outcome.condition} ${classes}`.trim();
}

/** The reply that says `rows` rows are stored. */
export function storedReply(rows: number, duration = '1.25'): string {
  return `{"cols":[],"duration":${duration},"results":[${Array.from({ length: rows }, () => '{"rowcount":1}').join(',')}]}`;
}
