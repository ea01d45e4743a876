/** `/_sql`: one request from its bytes to its reply, with the faults that are due on the way. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { constants, gunzipSync } from 'node:zlib';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { formatAnswer, formatFailure, type AnswerFlags } from './answers.ts';
import { identify, type Credentials } from './authentication.ts';
import { countBulkRows, DiscardReplies, looksLikeInsert } from './discard.ts';
import type { Answer, Engine } from './engine/engine.ts';
import { NeverAnswered, SqlFailure } from './failure.ts';
import { delayOf, falsified, refusedRows, replyInstead, sendFaulty, withRefused } from './fault-effects.ts';
import { applies, type Fault, type Occasion } from './faults.ts';
import type { LoadMeter } from './own-load.ts';
import { readPayload, type Payload } from './payload.ts';
import { jsonReply, sendReply, textReply, type Reply } from './reply.ts';
import { readBody } from './request-body.ts';
import { Session } from './engine/session.ts';
import type { Counters } from './counters.ts';

export interface EndpointOptions {
  readonly engine: Engine;
  readonly counters: Counters;
  readonly meter: LoadMeter;
  readonly faults: readonly Fault[];
  readonly discard: boolean;
  readonly credentials: Credentials | null;
  readonly maxBodyBytes: number;
  /** That of its faults. */
  readonly clock: Clock;
  /** Milliseconds since the sandbox began to listen. */
  readonly sinceStartMs: () => number;
}

/** What happens to one request, and when it had come: a latency is part of the duration that is told. */
interface DueFaults {
  readonly faults: readonly Fault[];
  readonly occasion: Occasion;
  readonly startedMs: number;
}

/** The reply of the server to everything that goes wrong before its SQL handler, too. */
export const TOO_LARGE: Reply = textReply(413, '');

export class SqlEndpoint {
  readonly #options: EndpointOptions;
  readonly #sessions = new WeakMap<Socket, Session>();
  readonly #discarded = new DiscardReplies();

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /** Answers, or leaves the client to itself as its faults have it. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { counters } = this.#options;
    counters.requests += 1;
    const requestNumber = counters.requests;
    const user = this.#userOf(request);
    if (typeof user !== 'string') return refuse(request, response, user);
    const read = await readBody(
      request,
      this.#options.maxBodyBytes,
      this.#breakOffAtHalf(request, requestNumber),
    );
    switch (read.kind) {
      case 'aborted':
        return;
      case 'tooLarge':
        return sendReply(
          response,
          read.close ? { ...TOO_LARGE, close: true, headers: { connection: 'close' } } : TOO_LARGE,
        );
      case 'broken':
        return sendReply(response, textReply(500, read.message, true));
      case 'body':
        return this.#run(request, response, read.body, user, requestNumber);
    }
  }

  #userOf(request: IncomingMessage): string | Reply {
    const identity = identify(request.headers.authorization, this.#options.credentials);
    switch (identity.kind) {
      case 'user':
        return identity.name;
      case 'refused':
        return textReply(401, identity.text, true, {
          'www-authenticate': 'Basic realm="CrateDB Authenticator"',
        });
      case 'broken':
        return textReply(500, identity.text, true);
    }
  }

  /** For resets in the middle of a request, which must be decided before the statement is known for sure. */
  #breakOffAtHalf(request: IncomingMessage, requestNumber: number): ((head: Buffer) => void) | undefined {
    const faults = this.#options.faults.filter(
      (fault) => fault.name === 'reset' && fault.argument === 'mid-request',
    );
    if (faults.length === 0) return undefined;
    return (head) => {
      const occasion = this.#occasion(looksLikeInsert(plain(head, request)), requestNumber, 1);
      if (!faults.some((fault) => applies(fault, occasion))) return;
      if (occasion.isInsert) this.#options.counters.inserts += 1;
      this.#options.counters.faultsInjected += 1;
      request.socket.resetAndDestroy();
    };
  }

  /** `ahead`: how many INSERTs are to be counted for this request. */
  #occasion(isInsert: boolean, requestNumber: number, ahead: number): Occasion {
    return {
      isInsert,
      requestNumber,
      insertNumber: this.#options.counters.inserts + ahead,
      sinceStartMs: this.#options.sinceStartMs(),
    };
  }

  async #run(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    user: string,
    requestNumber: number,
  ): Promise<void> {
    const { counters, discard, meter } = this.#options;
    const startedMs = performance.now();
    const isInsert = looksLikeInsert(body) || /"\s*insert\s/i.test(body.toString('latin1', 0, 4096));
    if (isInsert) {
      counters.inserts += 1;
      response.once('finish', () => meter.insertEnded(performance.now() - startedMs));
    }
    const occasion = this.#occasion(isInsert, requestNumber, 0);
    const faults = this.#options.faults.filter(
      (fault) => fault.argument !== 'mid-request' && applies(fault, occasion),
    );
    if (discard && isInsert && faults.length === 0) {
      const rows = countBulkRows(body);
      if (rows !== null) {
        counters.rowsReceived += rows;
        return sendReply(response, jsonReply(200, this.#discarded.get(rows)));
      }
    }
    const due = { faults, occasion, startedMs };
    if (faults.length === 0) {
      const reply = this.#reply(request, body, user, due);
      return reply === null ? undefined : sendReply(response, reply);
    }
    await this.#runFaulty(request, response, body, user, due);
  }

  async #runFaulty(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    user: string,
    due: DueFaults,
  ): Promise<void> {
    const { faults, occasion } = due;
    this.#options.counters.faultsInjected += 1;
    const delayMs = delayOf(faults, occasion.requestNumber);
    if (delayMs > 0) await this.#options.clock.sleep(delayMs);
    if (faults.some((fault) => fault.name === 'silence' && fault.argument === 'lost')) return;
    const instead = replyInstead(faults);
    if (instead !== null) return sendReply(response, instead);
    const reply = this.#reply(request, body, user, due);
    if (reply !== null) sendFaulty(request, response, reply, faults);
  }

  /** Null where the server forgets to answer. */
  #reply(request: IncomingMessage, body: Buffer, user: string, due: DueFaults): Reply | null {
    const { faults, occasion, startedMs } = due;
    const flags = flagsOf(request.url ?? '');
    try {
      const payload = readPayload(body);
      const answer = this.#execute(payload, this.#sessionOf(request, user), faults, occasion);
      return jsonReply(200, formatAnswer(answer, flags, performance.now() - startedMs));
    } catch (error) {
      if (error instanceof NeverAnswered) return null;
      return jsonReply(...failureOf(error, flags));
    }
  }

  #execute(payload: Payload, session: Session, faults: readonly Fault[], occasion: Occasion): Answer {
    const { engine, counters, discard } = this.#options;
    const { bulkArgs } = payload;
    const rows = bulkArgs?.length ?? 1;
    if (occasion.isInsert) counters.rowsReceived += rows;
    if (discard && occasion.isInsert) return discarded(bulkArgs);
    const refused = refusedRows(faults, rows, occasion.insertNumber);
    const failure = bulkArgs === null ? refused.get(0) : undefined;
    if (failure !== undefined && failure !== 'bare') throw failure;
    const left =
      refused.size === 0 || bulkArgs === null ? bulkArgs : bulkArgs.filter((_, row) => !refused.has(row));
    const answer = engine.execute({ ...payload, bulkArgs: left, session });
    if (occasion.isInsert) counters.rowsStored += storedBy(answer);
    if (answer.kind !== 'bulk') return answer;
    const whole: Answer =
      refused.size === 0 ? answer : { kind: 'bulk', results: withRefused(answer.results, refused, rows) };
    return falsified(whole, faults, occasion.insertNumber);
  }

  /** Made by the first request of a connection, and again only when the user changes. */
  #sessionOf(request: IncomingMessage, user: string): Session {
    const known = this.#sessions.get(request.socket);
    if (known?.user === user) return known;
    const schema = request.headers['default-schema'];
    const session = new Session(user, typeof schema === 'string' && schema !== '' ? schema : 'doc');
    this.#sessions.set(request.socket, session);
    return session;
  }
}

/** What is no failure of the statement is one of the sandbox; the server words its own like this, and goes on. */
function failureOf(error: unknown, flags: AnswerFlags): readonly [status: number, body: string] {
  const failure =
    error instanceof SqlFailure
      ? error
      : new SqlFailure(500, 5000, `IllegalStateException[sandbox: ${messageOf(error)}]`);
  return [failure.status, formatFailure(failure, flags)];
}

/** The rest of a large body is not waited for: the server closes. */
function refuse(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  request.resume();
  sendReply(response, reply);
}

/** The beginning of a body without its compression, as far as it can be had. */
function plain(head: Buffer, request: IncomingMessage): Buffer {
  if (request.headers['content-encoding'] !== 'gzip') return head;
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return head; // what is no gzip is no INSERT either
  }
}

function discarded(bulkArgs: Payload['bulkArgs']): Answer {
  if (bulkArgs === null) return { kind: 'count', rowcount: 1 };
  return { kind: 'bulk', results: bulkArgs.map(() => ({ rowcount: 1, failure: null })) };
}

function storedBy(answer: Answer): number {
  if (answer.kind === 'count') return answer.rowcount;
  if (answer.kind !== 'bulk') return 0;
  return answer.results.reduce((sum, { rowcount }) => sum + Math.max(0, rowcount), 0);
}

/** A flag is on as `?types` or `?types=true`, and in no other way. */
function flagsOf(url: string): AnswerFlags {
  const query = url.split('?')[1] ?? '';
  const on = (name: string): boolean =>
    query.split('&').some((part) => part === name || part === `${name}=true`);
  return { types: on('types'), errorTrace: on('error_trace') };
}
