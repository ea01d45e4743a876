/** The embedded endpoint: listens, routes, and ends. Everything that speaks SQL is behind `/_sql`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { type Clock, systemClock } from '../base/clock.ts';
import { TargetError, UsageError, messageOf, systemCodeOf } from '../base/errors.ts';
import { Engine } from './engine/engine.ts';
import { situationOf, type Fault } from './faults.ts';
import type { Credentials } from './authentication.ts';
import { SERVER_VERSION } from './engine/functions.ts';
import { LoadMeter } from './own-load.ts';
import { jsonReply, sendReply, textReply, type Reply } from './reply.ts';
import { SqlEndpoint } from './sql-endpoint.ts';
import { collectStats, countRows, newCounters, type SandboxStats } from './counters.ts';
import { CLUSTER_NAME, NODE_NAME } from './system-tables/sys.ts';
import { type KnownInserts, createUnreadDoor } from './unread-inserts.ts';

export interface SandboxOptions {
  /** `127.0.0.1` */
  readonly host?: string | undefined;
  /** 0 takes a free one, which is the default. */
  readonly port?: number | undefined;
  /** SQLite file of rows and tables; null or missing keeps them in memory. */
  readonly dataFile?: string | null | undefined;
  /** Bytes of rows after which INSERTs are refused with 4037; null for no limit. 1 GiB in memory, none in a file. */
  readonly maxMemoryBytes?: number | null | undefined;
  /** Every INSERT is held back for so long, or for a time between the two. */
  readonly latencyMs?: number | readonly [least: number, most: number] | null | undefined;
  readonly faults?: readonly Fault[] | undefined;
  /** Answers INSERTs without storing. */
  readonly discard?: boolean | undefined;
  /** With `discard`: all INSERTs hold so many rows and need not be read; null or missing reads them. */
  readonly knownInserts?: KnownInserts | null | undefined;
  /** The one user that gets in; null or missing trusts everybody. */
  readonly credentials?: Credentials | null | undefined;
  /** 100 MB, as CrateDB. */
  readonly maxBodyBytes?: number | undefined;
}

export interface Sandbox {
  readonly url: string;
  readonly port: number;
  /** Rows now, per `schema.table`. */
  rows(): Readonly<Record<string, number>>;
  /** Reads every row for its hash. */
  stats(): SandboxStats;
  /** Resolves as soon as the last client connection has closed. */
  unused(): Promise<void>;
  /** Stops listening, drops connections and closes the data file. Takes under a second. */
  close(): Promise<void>;
}

const DEFAULT_MEMORY_BYTES = 2 ** 30;
const DEFAULT_BODY_BYTES = 100 * 2 ** 20;
/** CrateDB's limit for all headers of a request. */
const MAX_HEADER_BYTES = 8192;
const MAX_REQUEST_LINE_BYTES = 4096;
/** Requests in hand get so long when the sandbox ends. */
const CLOSE_GRACE_MS = 500;

/**
 * Starts the endpoint; windows and delays of its faults are times of `clock`. Throws UsageError for a data file that
 * cannot be used and TargetError for a port that cannot be had.
 */
export async function startSandbox(
  options: SandboxOptions = {},
  clock: Clock = systemClock,
): Promise<Sandbox> {
  const running = new RunningSandbox(options, clock);
  await running.listen(options.host ?? '127.0.0.1', options.port ?? 0);
  return running;
}

class RunningSandbox implements Sandbox {
  readonly #engine: Engine;
  readonly #counters = newCounters();
  readonly #meter = new LoadMeter();
  readonly #endpoint: SqlEndpoint;
  readonly #server: Server;
  /** What listens: the server itself, or what stands before it. */
  readonly #door: NetServer;
  readonly #sockets = new Set<Socket>();
  /** Sockets with a request that has no answer yet. */
  readonly #busy = new Set<Socket>();
  readonly #faults: readonly Fault[];
  readonly #clock: Clock;
  /** Aborted when the sandbox ends. */
  readonly #ending = new AbortController();
  readonly #greeting: string;
  #startedMs: number;
  #host = '127.0.0.1';
  #port = 0;
  #idle: (() => void) | null = null;

  constructor(options: SandboxOptions, clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    const dataFile = options.dataFile ?? null;
    const maxMemoryBytes =
      options.maxMemoryBytes === undefined && dataFile === null
        ? DEFAULT_MEMORY_BYTES
        : (options.maxMemoryBytes ?? null);
    this.#engine = openEngine({
      dataFile,
      maxMemoryBytes,
      address: () => `${this.#host}:${this.#port}`,
      nowMs: () => Date.now(),
      situation: () => situationOf(this.#faults, this.#sinceStartMs()),
      ownLoad: () => this.#meter.read(),
    });
    this.#faults = [...latencyFault(options.latencyMs ?? null), ...(options.faults ?? [])];
    this.#greeting = greeting(options.discard === true ? 'discard' : 'sandbox');
    this.#endpoint = new SqlEndpoint({
      engine: this.#engine,
      counters: this.#counters,
      meter: this.#meter,
      faults: this.#faults,
      discard: options.discard ?? false,
      credentials: options.credentials ?? null,
      maxBodyBytes: options.maxBodyBytes ?? DEFAULT_BODY_BYTES,
      clock,
      sinceStartMs: () => this.#sinceStartMs(),
    });
    this.#server = this.#createServer(options.maxBodyBytes ?? DEFAULT_BODY_BYTES);
    this.#door = this.#createDoor(options.knownInserts ?? null);
  }

  get url(): string {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  async listen(host: string, port: number): Promise<void> {
    this.#host = host;
    try {
      this.#port = await listen(this.#door, host, port);
    } catch (error) {
      this.#engine.close();
      throw new TargetError(
        `the sandbox cannot listen on ${host}:${port}: ${systemCodeOf(error) || messageOf(error)}`,
        {
          cause: error,
          hint: 'Choose another --port; 0 takes a free one.',
        },
      );
    }
    this.#startedMs = this.#clock.monotonicMs();
    for (const fault of this.#faults)
      if (fault.name === 'refuse' && fault.windowMs !== null) void this.#refuseIn(fault.windowMs);
  }

  rows(): Readonly<Record<string, number>> {
    return countRows(this.#engine);
  }

  stats(): SandboxStats {
    return collectStats(this.#counters, this.#engine);
  }

  unused(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  async close(): Promise<void> {
    this.#ending.abort();
    const closed = new Promise<void>((resolve) => this.#door.close(() => resolve()));
    for (const socket of this.#sockets) if (!this.#busy.has(socket)) socket.destroy();
    const grace = setTimeout(() => this.#dropConnections(), CLOSE_GRACE_MS);
    await closed;
    clearTimeout(grace);
    this.#engine.close();
  }

  #dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #sinceStartMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  /** A window in which nobody listens, as when the node is down. */
  async #refuseIn([fromMs, toMs]: readonly [number, number]): Promise<void> {
    const { signal } = this.#ending;
    await this.#clock.sleep(fromMs, signal);
    if (signal.aborted) return;
    this.#counters.faultsInjected += 1;
    this.#door.close();
    this.#dropConnections();
    if (!Number.isFinite(toMs)) return;
    await this.#clock.sleep(toMs - this.#sinceStartMs(), signal);
    // The port was ours; nobody else is expected to have taken it in between.
    if (!signal.aborted) await listen(this.#door, this.#host, this.#port);
  }

  #createServer(maxBodyBytes: number): Server {
    const server = createServer({
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAlive: false,
      noDelay: true,
    });
    server.keepAliveTimeout = 0;
    server.headersTimeout = 0;
    server.requestTimeout = 0;
    server.on('request', (request, response) => void this.#route(request, response));
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (Number(request.headers['content-length'] ?? 0) <= maxBodyBytes) response.writeContinue();
      void this.#route(request, response);
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseRaw(error, socket as Socket));
    return server;
  }

  #createDoor(known: KnownInserts | null): NetServer {
    const door =
      known === null
        ? this.#server
        : createUnreadDoor({
            known,
            greeting: this.#greeting,
            behind: this.#server,
            onInsert: () => this.#countUnread(known),
          });
    door.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#forget(socket));
    });
    return door;
  }

  #countUnread({ rows }: KnownInserts): void {
    this.#counters.requests += 1;
    this.#counters.inserts += 1;
    this.#counters.rowsReceived += rows;
    this.#meter.insertEnded(0);
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0) this.#idle?.();
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    this.#busy.add(socket);
    response.once('close', () => this.#busy.delete(socket));
    const { url = '/', method = 'GET' } = request;
    if (Buffer.byteLength(url) > MAX_REQUEST_LINE_BYTES) return sendReply(response, BAD_REQUEST);
    if (url.startsWith('/_sql')) return this.#endpoint.handle(request, response);
    request.resume();
    const path = url.split('?')[0] ?? '/';
    if (path === '/_crategen/stats' && isLoopback(socket))
      return sendReply(response, jsonReply(200, JSON.stringify(this.stats())));
    if (path === '/') return sendReply(response, this.#root(request));
    if (method !== 'GET' && method !== 'HEAD') return sendReply(response, textReply(403, 'Forbidden'));
    if (path === '/admin') return sendReply(response, textReply(307, '', false, { location: '/' }));
    sendReply(response, notFound(path.replace(/^\/+/, '')));
  }

  #root(request: IncomingMessage): Reply {
    if (request.method === 'HEAD') return textReply(200, '');
    const isBrowser =
      /Mozilla/.test(request.headers['user-agent'] ?? '') &&
      !/application\/json/.test(request.headers.accept ?? '');
    return isBrowser ? notFound('index.html') : jsonReply(200, this.#greeting);
  }
}

function openEngine(options: ConstructorParameters<typeof Engine>[0]): Engine {
  try {
    return new Engine(options);
  } catch (error) {
    throw new UsageError(`the data file ${options.dataFile ?? ''} cannot be used: ${messageOf(error)}`, {
      cause: error,
      hint: 'Give --data a file that crategen sandbox made, or a path where it can make one.',
    });
  }
}

function latencyFault(latencyMs: SandboxOptions['latencyMs']): readonly Fault[] {
  if (latencyMs === null || latencyMs === undefined || latencyMs === 0) return [];
  const delayMs = typeof latencyMs === 'number' ? ([latencyMs, latencyMs] as const) : latencyMs;
  return [
    {
      name: 'latency',
      argument: '',
      delayMs,
      rowShare: 1,
      all: false,
      windowMs: null,
      share: 1,
      numbers: null,
      text: 'latency',
    },
  ];
}

function listen(server: NetServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(portOf(server.address()));
    });
  });
}

function portOf(address: string | AddressInfo | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The answer to `GET /`; the key `crategen` tells clients what they really talk to. */
function greeting(kind: 'sandbox' | 'discard'): string {
  const version = {
    number: SERVER_VERSION,
    build_hash: 'crategen-sandbox',
    build_snapshot: false,
    lucene_version: '10.4.0',
  };
  const facts = {
    ok: true,
    status: 200,
    name: NODE_NAME,
    cluster_name: CLUSTER_NAME,
    version,
    crategen: { kind },
  };
  return `${JSON.stringify(facts, null, 2).replaceAll('": ', '" : ')}\n`;
}

const BAD_REQUEST: Reply = { ...notFound('bad-request'), close: true };

function notFound(path: string): Reply {
  return textReply(404, `Requested file [${path}] was not found`);
}

function isLoopback(socket: Socket): boolean {
  const address = socket.remoteAddress ?? '';
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** What is no request to node's parser: headers that are too long count as a missing body, the rest as a bad file. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const isHeader = error.code === 'HPE_HEADER_OVERFLOW';
  const body = isHeader
    ? '{"error":{"message":"SQLParseException[Missing request body]","code":4000}}'
    : 'Requested file [bad-request] was not found';
  const status = isHeader
    ? '400 Bad Request\r\ncontent-type: application/json; charset=UTF-8'
    : '404 Not Found';
  socket.end(`HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
