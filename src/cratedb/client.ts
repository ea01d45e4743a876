/**
 * The client of one CrateDB cluster: a pool of connections per node, inserts, queries and greetings. The only room
 * that speaks HTTP. Everything that can go wrong comes back as a value; credentials leave it only in a header.
 */
import { Buffer } from 'node:buffer';
import type { SecureContext } from 'node:tls';
import Pool from 'undici/lib/dispatcher/pool.js';
import { createAbortListeners } from '../base/abort-listeners.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { assert } from '../base/errors.ts';
import { redact } from '../base/text.ts';
import type { TargetAccess } from '../plan/run-plan.ts';
import type { InsertForm } from '../rows/insert-form.ts';
import { type BrokenMeaning, meaningOfBroken } from './classes.ts';
import { type Exchange, type ExchangeRequest, exchange } from './exchange.ts';
import { type NodeGreeting, readGreeting } from './greeting.ts';
import { BLOCK_QUERY_TIMEOUT_MS, type HasRow, withBlock } from './missing-rows.ts';
import { type NodePools, createNodePools } from './node-pools.ts';
import type { AttemptOutcome } from './outcome.ts';
import { type QueryReply, readQueryReply } from './query-reply.ts';
import { deferTierUp } from './reply-parser.ts';
import {
  type BulkReading,
  type BulkReply,
  allStored,
  createAllStoredCheck,
  exampleOf,
  readBulkReply,
  readCountReply,
  retryAfterMs,
  serverTimeUs,
  unanswered,
} from './reply.ts';
import { type BulkHabits, bulkHabits, oldestOf } from './version.ts';

export interface ClientOptions {
  /** Each carries one request at a time: CrateDB does not keep the order of pipelined answers. */
  readonly connectionsPerNode: number;
  /** `/_sql` unless set. */
  readonly insertPath?: string;
  /** For the User-Agent header: `crategen/VERSION`. */
  readonly version?: string;
  readonly clock?: Clock;
}

export interface InsertRequest {
  readonly rows: number;
  /** The statement ends in ON CONFLICT … DO NOTHING over a key that only this run writes. */
  readonly keyed: boolean;
  /** What the body is of: its path decides how the answer is read. */
  readonly form: InsertForm;
  readonly contentEncoding: 'gzip' | 'deflate' | null;
  /** The whole attempt, from the call to the end of the reply. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | null;
  /** Called once, synchronously, before the first byte is written; never when no connection could be had. */
  readonly onHandedOver: () => void;
}

export interface QueryOptions {
  readonly timeoutMs: number;
  /** The node to ask first; the one that answered last unless set. */
  readonly node?: number;
  readonly signal?: AbortSignal | null;
  /** Twice is as once, so it may be asked again, or of another node, although this one may have run it. */
  readonly repeatable?: boolean;
  /** Integers beyond 2^53 come as bigint instead of a rounded number. */
  readonly bigIntegers?: boolean;
}

/** What sends the bodies of one run. */
export interface InsertClient {
  /** Sends one batch to one node. Never rejects; the rows of the outcome add up to `request.rows`. */
  insert(node: number, body: Uint8Array, request: InsertRequest): Promise<AttemptOutcome>;
  /** Closes all connections now; requests in flight end as `closed` or `notSent`. */
  destroy(): Promise<void>;
}

export interface CrateClient extends InsertClient {
  /** Origins, in the order of the access; `node` everywhere is an index into them. */
  readonly nodes: readonly string[];
  /** Runs one statement on the first node that can be reached. Never rejects. */
  query(statement: string, args: readonly unknown[], options: QueryOptions): Promise<QueryReply>;
  /** `GET /`: who is there. Never rejects; gives up after `timeoutMs` (5,000 unless set). */
  greet(
    node: number,
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal | null },
  ): Promise<NodeGreeting>;
  /** Resolves when requests in flight have ended and all connections are closed. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
/**
 * CrateDB never closes an idle connection itself, but what stands before it does, after 30 s or more, and a request
 * that crosses such a close on the way is of unknown fate. So ours are closed first; a server that announces a shorter
 * time in `Keep-Alive: timeout=…` is heeded.
 */
const KEEP_ALIVE_MS = 20_000;
/** Once is bad luck; after that it is the server that closes. */
const MAX_REPEATS = 2;
const MAX_HEADER_BYTES = 64 * 1024;
const GREETING_TIMEOUT_MS = 5_000;
const MAX_GREETING_BYTES = 1024 * 1024;
/** A page of a verification is the largest answer crategen asks for. */
const MAX_QUERY_BYTES = 64 * 1024 * 1024;
const MAX_INSERT_REPLY_BYTES = 8 * 1024 * 1024;
const MAX_INSERT_REPLY_BYTES_PER_ROW = (1024 * 1024) / 10_000;

/** Makes a client; connections are opened when they are needed. Throws on an origin that is no URL (a bug). */
export function createClient(access: TargetAccess, options: ClientOptions): CrateClient {
  return new Client(access, options);
}

class Client implements CrateClient {
  readonly nodes: readonly string[];
  readonly #pools: readonly NodePools[];
  readonly #clock: Clock;
  readonly #insertPath: string;
  readonly #headers: readonly string[];
  readonly #clean: (text: string) => string;
  readonly #withToken: boolean;
  readonly #aborts = createAbortListeners();
  readonly #saysAllStored = createAllStoredCheck();
  /** Of each node, as it has said last; null until it did. */
  readonly #versions: (string | null)[];
  /** Of each node, worked out when one has said its version: every answer is read by them. */
  #habits: readonly BulkHabits[];
  #lastGoodNode = 0;
  #hasExchanged = false;

  constructor(access: TargetAccess, options: ClientOptions) {
    assert(access.nodes.length > 0, 'a client needs at least one node');
    this.nodes = access.nodes;
    const secureContext = secureContextOf(access.tls);
    this.#pools = access.nodes.map((origin) =>
      createNodePools(options.connectionsPerNode, (connections) =>
        createPool(origin, access, secureContext, connections),
      ),
    );
    this.#versions = access.nodes.map(() => null);
    this.#habits = habitsOf(this.#versions);
    this.#clock = options.clock ?? systemClock;
    this.#insertPath = options.insertPath ?? '/_sql';
    this.#headers = commonHeaders(access, options);
    this.#clean = cleanerOf(access);
    this.#withToken = access.token !== null;
  }

  async insert(node: number, body: Uint8Array, request: InsertRequest): Promise<AttemptOutcome> {
    const { contentEncoding, rows, timeoutMs, signal, onHandedOver } = request;
    const encoding = contentEncoding === null ? [] : ['content-encoding', contentEncoding];
    const result = await this.#exchange(node, {
      method: 'POST',
      path: this.#insertPath,
      headers: [...this.#headers, 'content-type', 'application/json', ...encoding],
      body,
      timeoutMs,
      maxReplyBytes: MAX_INSERT_REPLY_BYTES + Math.ceil(rows * MAX_INSERT_REPLY_BYTES_PER_ROW),
      signal,
      onHandedOver,
    });
    if (result.kind === 'reply') {
      const outcome = this.#readInsert(result, request, this.#habits[node] ?? bulkHabits(null));
      result.pieces.length = 0;
      if (!outcome.isSilent) return outcome;
      return { ...outcome, ...(await withBlock(outcome, request, this.#hasRowAt(node, signal))) };
    }
    const example = exampleOf(describeBroken(this.nodes[node] ?? '', result), this.#clean);
    return unanswered(rows, result.handedOver, { ...meaningOf(result), code: result.status, example });
  }

  #hasRowAt(node: number, signal: AbortSignal | null): HasRow {
    const options = { timeoutMs: BLOCK_QUERY_TIMEOUT_MS, node, signal, repeatable: true };
    return async (statement) => {
      const reply = await this.query(statement, [], options);
      return reply.ok && reply.rows.length > 0;
    };
  }

  #readInsert(
    result: Extract<Exchange, { kind: 'reply' }>,
    request: InsertRequest,
    habits: BulkHabits,
  ): AttemptOutcome {
    const { status, headers, pieces, bytes, serviceTimeUs } = result;
    const isBulk = request.form.path === 'bulk-args';
    let reading: BulkReading;
    if (
      isBulk &&
      status === 200 &&
      headers['content-encoding'] === undefined &&
      this.#saysAllStored(pieces, request.rows)
    ) {
      reading = allStored(request.rows);
    } else {
      const facts = {
        rows: request.rows,
        keyed: request.keyed,
        habits,
        clean: this.#clean,
      };
      const read = isBulk ? readBulkReply : readCountReply;
      reading = read({ status, headers, body: joined(pieces) }, facts);
    }
    return {
      ...reading,
      handedOver: true,
      serviceTimeUs,
      serverTimeUs: serverTimeUs(pieces),
      replyBytes: bytes,
      retryAfterMs: retryAfterMs(headers, this.#clock.wallMs()),
    };
  }

  async query(statement: string, args: readonly unknown[], options: QueryOptions): Promise<QueryReply> {
    const startedMs = this.#clock.monotonicMs();
    const first = options.node ?? this.#lastGoodNode;
    let reply: QueryReply | null = null;
    for (let turn = 0; turn < this.nodes.length || isWorthAgain(reply, turn - this.nodes.length); turn += 1) {
      const node = (first + turn) % this.nodes.length;
      const leftMs = options.timeoutMs - (this.#clock.monotonicMs() - startedMs);
      if (reply !== null && leftMs <= 0) return reply;
      reply = await this.#queryNode(node, statement, args, { ...options, timeoutMs: leftMs });
      if (reply.ok || !mayAskAnother(reply, options)) {
        if (reply.ok || reply.handedOver) this.#lastGoodNode = node;
        return reply;
      }
    }
    assert(reply !== null, 'a client has at least one node');
    return reply;
  }

  async #queryNode(
    node: number,
    statement: string,
    args: readonly unknown[],
    options: QueryOptions,
  ): Promise<QueryReply> {
    const body = Buffer.from(
      JSON.stringify(args.length === 0 ? { stmt: statement } : { stmt: statement, args }),
    );
    const startedMs = this.#clock.monotonicMs();
    const result = await this.#exchange(node, {
      method: 'POST',
      path: '/_sql',
      headers: [...this.#headers, 'content-type', 'application/json'],
      body,
      timeoutMs: options.timeoutMs,
      maxReplyBytes: MAX_QUERY_BYTES,
      signal: options.signal ?? null,
      onHandedOver: () => {},
    });
    const durationMs = this.#clock.monotonicMs() - startedMs;
    if (result.kind === 'reply') {
      const { status, headers, pieces } = result;
      const reply = readQueryReply(
        { status, headers, body: joined(pieces) },
        { durationMs, bigIntegers: options.bigIntegers ?? false, clean: this.#clean },
      );
      return reply.ok || !this.#failsAtToken(result) ? reply : { ...reply, class: 'unauthorized' };
    }
    const message = exampleOf(describeBroken(this.nodes[node] ?? '', result), this.#clean);
    return { ok: false, class: meaningOf(result).class, code: null, message, handedOver: result.handedOver };
  }

  async greet(
    node: number,
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal | null } = {},
  ): Promise<NodeGreeting> {
    const result = await this.#exchange(node, {
      method: 'GET',
      path: '/',
      headers: [...this.#headers, 'accept', 'application/json'],
      body: null,
      timeoutMs: options.timeoutMs ?? GREETING_TIMEOUT_MS,
      maxReplyBytes: MAX_GREETING_BYTES,
      signal: options.signal ?? null,
      onHandedOver: () => {},
    });
    if (result.kind === 'broken') {
      const { class: name, condition } = meaningOf(result);
      return {
        ok: false,
        class: name,
        condition,
        message: exampleOf(describeBroken(this.nodes[node] ?? '', result), this.#clean),
      };
    }
    const greeting = readGreeting(
      { status: result.status, headers: result.headers, body: joined(result.pieces) },
      this.#clean,
    );
    if (!greeting.ok && this.#failsAtToken(result))
      return { ...greeting, class: 'unauthorized', condition: 'troubled' };
    if (greeting.ok) {
      this.#versions[node] = greeting.version;
      this.#habits = habitsOf(this.#versions);
    }
    return greeting;
  }

  /** A token that is none of its own CrateDB does not refuse: it fails at it, in plain text. */
  #failsAtToken({ status, headers }: Pick<BulkReply, 'status' | 'headers'>): boolean {
    return this.#withToken && status === 500 && headers['content-type'] === undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pools) => pools.close()));
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#pools.map((pools) => pools.destroy()));
  }

  #exchange(node: number, request: ExchangeRequest): Promise<Exchange> {
    const pools = this.#pools[node];
    assert(pools !== undefined, `node ${node} is not one of ${this.#pools.length}`);
    const parts = { clock: this.#clock, aborts: this.#aborts };
    const send = (): Promise<Exchange> => pools.use((pool) => exchange(pool, request, parts));
    if (this.#hasExchanged) return send();
    // undici makes its parser with the first connection.
    this.#hasExchanged = true;
    return send().finally(deferTierUp());
  }
}

/**
 * The node that is asked gathers what the shards say, so its version counts. One that has not said it, because
 * it was out, is taken for as old as the oldest that did.
 */
function habitsOf(versions: readonly (string | null)[]): readonly BulkHabits[] {
  const oldest = oldestOf(versions.filter((version) => version !== null));
  return versions.map((version) => bulkHabits(version ?? oldest));
}

function createPool(
  origin: string,
  access: TargetAccess,
  secureContext: SecureContext | null,
  connections: number,
): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    connect: {
      timeout: CONNECT_TIMEOUT_MS,
      // Said outright: otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would switch it off.
      rejectUnauthorized: access.tls.verify,
      ...(secureContext === null ? {} : { secureContext }),
    },
  });
}

/** Made once: a store of certificates takes longer to read than a connection to open. Null for Node's own. */
function secureContextOf({ ca, cert, key }: TargetAccess['tls']): SecureContext | null {
  if (ca === null && cert === null && key === null) return null;
  // Loaded when needed: most workers speak plain HTTP.
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  return createSecureContext({ ca: ca ?? undefined, cert: cert ?? undefined, key: key ?? undefined });
}

function commonHeaders(access: TargetAccess, options: ClientOptions): readonly string[] {
  const agent = ['user-agent', options.version === undefined ? 'crategen' : `crategen/${options.version}`];
  if (access.token !== null) return [...agent, 'authorization', `Bearer ${access.token}`];
  return access.username === null ? agent : [...agent, 'authorization', `Basic ${basicOf(access)}`];
}

function basicOf(access: TargetAccess): string {
  return Buffer.from(`${access.username ?? ''}:${access.password ?? ''}`).toString('base64');
}

/** Removes the secrets of an access from texts. */
export function cleanerOf(access: TargetAccess): (text: string) => string {
  const { password, token } = access;
  const secrets = [
    ...(password === null || password === '' ? [] : [password, basicOf(access)]),
    // A server that says what is wrong with a token may name one of its parts.
    ...(token === null ? [] : [token, ...token.split('.').filter((part) => part.length >= 16)]),
  ];
  return secrets.length === 0 ? (text) => text : (text) => redact(text, secrets);
}

function meaningOf(broken: Extract<Exchange, { kind: 'broken' }>): BrokenMeaning {
  const { why, error, handedOver } = broken;
  if (why === 'failed') return meaningOfBroken(error, handedOver);
  if (why === 'tooLong') return { class: 'badReply', condition: 'troubled' };
  if (why === 'aborted') return { class: handedOver ? 'aborted' : 'notSent', condition: 'troubled' };
  // Not even a connection within the whole deadline.
  return handedOver
    ? { class: 'timeout', condition: 'troubled' }
    : { class: 'notSent', condition: 'unreachable' };
}

/** Node names a flag of its own, which nobody gives to crategen. */
const NODE_ADVICE = /; if the root CA is installed locally, try running Node\.js with --use-system-ca$/;

/** `http://db-1:4200: connect ECONNREFUSED 127.0.0.1:4200`, with what had come of a reply. */
function describeBroken(origin: string, broken: Extract<Exchange, { kind: 'broken' }>): string {
  const { error, sample, status } = broken;
  // Node joins the failures of all addresses of a name in an error without a message.
  const message =
    error instanceof AggregateError && error.message === ''
      ? error.errors.map(String).join(', ')
      : error.message;
  const head =
    status === null
      ? ''
      : `; HTTP ${status} had come, then ${JSON.stringify(Buffer.from(sample).toString('utf8'))}`;
  return `${origin}: ${message.replace(NODE_ADVICE, '')}${head}`;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}

/**
 * A question that crossed the close of its connection, as in front of a load balancer, where no other node is left. A
 * busy host may notice the close before a byte of the question is written: nothing was sent then.
 */
function isWorthAgain(reply: QueryReply | null, repeats: number): boolean {
  return repeats < MAX_REPEATS && reply?.ok === false && ['closed', 'notSent'].includes(reply.class);
}

function mayAskAnother(reply: Extract<QueryReply, { ok: false }>, options: QueryOptions): boolean {
  if (options.signal?.aborted === true) return false;
  if (!reply.handedOver) return true;
  return (
    options.repeatable === true &&
    (reply.class === 'closed' ||
      reply.class === 'nodeLost' ||
      reply.class === 'notRecovered' ||
      reply.class === 'noMaster' ||
      reply.class === 'overloaded')
  );
}
