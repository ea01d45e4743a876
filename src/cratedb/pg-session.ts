/**
 * One connection over the PostgreSQL wire, from its first byte to its last: TLS, log-in, prepared statements, and
 * one exchange at a time. Framing and parsing are pg-protocol's. Whatever goes wrong rejects, and ends the session.
 * Source: https://www.postgresql.org/docs/current/protocol-flow.html
 */
import { type Socket, connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DatabaseError, parse, serialize } from 'pg-protocol';
import { assert } from '../base/errors.ts';
import type { TargetAccess } from '../plan/run-plan.ts';
import { type InsertForm, statementName, statementOf } from '../rows/insert-form.ts';
import type { PgReply } from './pg-reply.ts';

const DEFAULT_USER = 'crate';
const DATABASE = 'doc';
/** BindComplete and CommandComplete are 21 bytes a row; an error with its stack trace has a few kB. */
const MAX_REPLY_BYTES = 8 * 1024 * 1024;
const MAX_REPLY_BYTES_PER_ROW = 8 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;

/** What the server itself said, in the place of a system error's code. */
export class PgRefusal extends Error {
  override readonly name = 'PgRefusal';
  /** SQLSTATE. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface PgSession {
  /** False once nothing can be sent any more. */
  readonly isOpen: boolean;
  /** Makes the statement known to the server, the first time. */
  prepare(form: InsertForm): Promise<void>;
  /** Sends the messages of `rows` rows with their Sync, and collects what comes back. */
  exchange(messages: Uint8Array, rows: number): Promise<PgReply>;
  /** Whether a SELECT gives a row; false when it fails. */
  hasRow(statement: string): Promise<boolean>;
  /** Ends the connection at once; what is in flight rejects with `why`. */
  destroy(why: Error): void;
}

/** Connects to one of the nodes and logs in. Rejects with a PgRefusal, a system error, or the signal's reason. */
export async function openPgSession(
  node: number,
  access: TargetAccess,
  signal: AbortSignal,
): Promise<PgSession> {
  const socket = await connected(
    node,
    access,
    AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]),
  );
  const session = new Session(socket);
  const cut = (): void => session.destroy(reasonOf(signal));
  signal.addEventListener('abort', cut);
  try {
    await session.logIn(access);
    return session;
  } catch (error) {
    session.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    signal.removeEventListener('abort', cut);
  }
}

/** Why a signal was aborted, as an error. */
export function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof DOMException && reason.name === 'TimeoutError')
    return Object.assign(new Error('no connection within 5 s'), { code: 'ETIMEDOUT' });
  return reason instanceof Error ? reason : new Error(String(reason));
}

async function connected(node: number, access: TargetAccess, signal: AbortSignal): Promise<Socket> {
  const [origin, port] = [access.nodes[node], access.pgPorts[node]];
  assert(origin !== undefined && port !== undefined, `node ${node} is one of the target`);
  const { hostname, protocol } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = connectPlain({ host, port, noDelay: true });
  await opened(socket, 'connect', signal);
  if (protocol !== 'https:') return socket;
  socket.write(serialize.requestSsl());
  const [answer] = await firstBytes(socket, signal);
  if (answer !== 'S'.charCodeAt(0)) {
    socket.destroy();
    throw Object.assign(new Error(`port ${port} offers no TLS`), { code: 'ERR_TLS_NOT_OFFERED' });
  }
  const { verify, ca, cert, key } = access.tls;
  const secure = connectTls({
    socket,
    host,
    servername: /^[\d.]+$|:/.test(host) ? '' : host,
    // Said outright: otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would switch it off.
    rejectUnauthorized: verify,
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
  });
  await opened(secure, 'secureConnect', signal);
  return secure;
}

/** Resolves with the event; a failure or the signal destroys the socket and rejects. */
function opened(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      done();
      socket.destroy();
      reject(error);
    };
    const succeed = (): void => {
      done();
      resolve();
    };
    const abort = (): void => fail(reasonOf(signal));
    const close = (): void => fail(CLOSED());
    const done = (): void => {
      socket.off('error', fail).off('close', close).off(event, succeed);
      signal.removeEventListener('abort', abort);
    };
    socket.on('error', fail).on('close', close).on(event, succeed);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });
}

async function firstBytes(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  const received = Promise.withResolvers<Buffer>();
  const fail = (error: Error): void => received.reject(error);
  const close = (): void => fail(CLOSED());
  const abort = (): void => fail(reasonOf(signal));
  socket.once('data', received.resolve).once('error', fail).once('close', close);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await received.promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    socket.off('data', received.resolve).off('error', fail).off('close', close);
    signal.removeEventListener('abort', abort);
  }
}

const CLOSED = (): Error => Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' });

/** An exchange that waits for ReadyForQuery. */
interface Waiting {
  readonly resolve: (reply: PgReply) => void;
  readonly reject: (error: Error) => void;
  readonly maxBytes: number;
  bytes: number;
  bound: number;
  readonly counts: number[];
  error: DatabaseError | null;
}

class Session implements PgSession {
  readonly #socket: Socket;
  readonly #prepared = new Set<string>();
  #waiting: Waiting | null = null;
  #password = '';
  #end: Error | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (piece: Buffer) => this.#count(piece.length));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy(CLOSED()));
    void parse(socket, (message) => this.#take(message));
  }

  get isOpen(): boolean {
    return this.#end === null;
  }

  async logIn({ username, password, token }: TargetAccess): Promise<void> {
    this.#password = token ?? password ?? '';
    const user = username ?? DEFAULT_USER;
    const reply = await this.#send(serialize.startup({ user, database: DATABASE }), 0);
    if (reply.error !== null) throw new PgRefusal(reply.error.code, reply.error.message);
  }

  async prepare(form: InsertForm): Promise<void> {
    const name = statementName(form);
    if (this.#prepared.has(name)) return;
    const messages = [serialize.parse({ name, text: statementOf(form), types: [] }), serialize.sync()];
    const reply = await this.#send(Buffer.concat(messages), 0);
    if (reply.error !== null) throw new PgRefusal(reply.error.code, reply.error.message);
    this.#prepared.add(name);
  }

  exchange(messages: Uint8Array, rows: number): Promise<PgReply> {
    return this.#send(messages, rows);
  }

  async hasRow(statement: string): Promise<boolean> {
    const { error, counts } = await this.#send(serialize.query(statement), 0);
    return error === null && (counts[0] ?? 0) > 0;
  }

  destroy(why: Error): void {
    if (this.#end !== null) return;
    this.#end = why;
    this.#socket.destroy();
    this.#waiting?.reject(why);
    this.#waiting = null;
  }

  #send(messages: Uint8Array, rows: number): Promise<PgReply> {
    return new Promise((resolve, reject) => {
      if (this.#end !== null) return reject(this.#end);
      const maxBytes = MAX_REPLY_BYTES + rows * MAX_REPLY_BYTES_PER_ROW;
      this.#waiting = { resolve, reject, maxBytes, bytes: 0, bound: 0, counts: [], error: null };
      this.#socket.write(messages);
    });
  }

  #count(bytes: number): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    waiting.bytes += bytes;
    if (waiting.bytes > waiting.maxBytes)
      this.destroy(
        Object.assign(new Error(`a reply of more than ${waiting.maxBytes} bytes`), {
          code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE',
        }),
      );
  }

  #take(message: { readonly name: string }): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    if (message instanceof DatabaseError) {
      waiting.error ??= message;
      // Refused before it was let in: no ReadyForQuery follows.
      if (message.severity === 'FATAL') this.#settle(waiting);
      return;
    }
    switch (message.name) {
      case 'bindComplete':
        waiting.bound += 1;
        return;
      case 'commandComplete':
        waiting.counts.push(countOf('text' in message ? message.text : ''));
        return;
      case 'authenticationCleartextPassword':
        this.#socket.write(serialize.password(this.#password));
        return;
      case 'authenticationMD5Password':
      case 'authenticationSASL':
        return this.destroy(
          new PgRefusal('28000', `the server asks for ${message.name}, which CrateDB does not`),
        );
      case 'readyForQuery':
        return this.#settle(waiting);
      default:
      // Parameters, notices and the answers to Parse say nothing about rows.
    }
  }

  #settle({ resolve, bound, counts, error, bytes }: Waiting): void {
    this.#waiting = null;
    const said = error === null ? null : { code: error.code ?? '', message: error.message };
    resolve({ bound, counts, error: said, bytes });
  }
}

/** `INSERT 0 1`, `SELECT 1` → 1; what is no such answer counts as more than any row can. */
function countOf(text: unknown): number {
  const count = typeof text === 'string' ? /^(?:INSERT 0|SELECT) (-?\d{1,9})$/.exec(text)?.[1] : undefined;
  return count === undefined ? Infinity : Number(count);
}
