/**
 * The live page: a small HTTP server on the loopback interface that shows a run to browsers and to Prometheus. It
 * only reads: no request changes anything, none is waited for, and a reader that is slow is dropped, never queued
 * for. Loaded only with `--web`.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { UsageError, messageOf, systemCodeOf } from '../../base/errors.ts';
import type { RunEvent, RunObserver, RunState } from '../../coordinator/run-state.ts';
import { type Series, createSeries } from '../../metrics/series.ts';
import { measuresOf } from '../measures/measures.ts';
import {
  PICTURE_COLUMNS,
  type Picture,
  type PicturePoint,
  endOf,
  mergePicturePoints,
  noteText,
  pictureOf,
  pointOf,
} from './picture.ts';
import { type PageFile, readPageFiles } from '../page-files.ts';
import type { RunFile } from '../run-file-schema.ts';
import { PROMETHEUS_TYPE, prometheusText } from '../measures/prometheus.ts';

export interface LivePageOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly crategenVersion: string;
  readonly clock: Clock;
  /** Told once, when the page cannot go on; the run does. */
  readonly onProblem: (message: string) => void;
}

export interface LivePage {
  /** With a slash at the end. */
  readonly url: string;
  readonly observer: RunObserver;
  /** Tells open pages how the run ended (null: it came to no result), and closes within half a second. */
  close(run: RunFile | null): Promise<void>;
}

/** The only address. Others on this host can read what is served; nobody else can. */
const HOST = '127.0.0.1';
/** What a browser may call this host: any other name was made by a DNS server to reach it (DNS rebinding). */
const HOST_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);
const MAX_CONNECTIONS = 64;
const MAX_READERS = 16;
const MAX_HEADER_BYTES = 8192;
/** For a request to arrive, and for a connection without one to stay. */
const REQUEST_TIMEOUT_MS = 5000;
const KEEP_ALIVE_MS = 5000;
/** Two pictures a second are sent. */
const FRAME_MS = 500;
/** A reader that has not taken what it was sent for so long is gone. */
const STALL_MS = 10_000;
/** And so is one for whom so much waits. */
const MAX_BUFFERED_BYTES = 2 ** 20;
/** Open connections get so long to hear the end. */
const CLOSE_MS = 500;
/** One point a second; after twenty minutes neighbours merge. */
const POINT_MS = 1000;
const MAX_POINTS = 1200;
/** Of each worker, rows per second for the small curve beside it. */
const TREND_POINTS = 60;
const MAX_NOTES = 100;

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Listens. Throws a UsageError when the port cannot be had. */
export async function openLivePage(options: LivePageOptions): Promise<LivePage> {
  const page = new Page(options);
  await page.listen();
  return page;
}

/** One open page. */
interface Reader {
  readonly response: ServerResponse;
  /** Points up to here were sent. */
  sentMs: number;
  /** Since when it takes nothing; null while it does. */
  fullSinceMs: number | null;
}

class Page implements LivePage {
  readonly #options: LivePageOptions;
  readonly #server: Server;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #readers = new Set<Reader>();
  readonly #series: Series<PicturePoint> = createSeries(MAX_POINTS, mergePicturePoints);
  readonly #notes: ReturnType<typeof noteText>[] = [];
  #trends: (readonly number[])[] = [];
  #state: RunState | null = null;
  #nextPointMs = 0;
  #drawnAtMs = -Infinity;
  #isBroken = false;
  #port = 0;

  constructor(options: LivePageOptions) {
    this.#options = options;
    // Read before the run: a package that is replaced under a running process must not matter.
    this.#files = readPageFiles();
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_TIMEOUT_MS });
    this.#server.headersTimeout = REQUEST_TIMEOUT_MS;
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('request', (request, response) => this.#answer(request, response));
    this.#server.on('clientError', (_, socket) => socket.destroy());
  }

  get url(): string {
    return `http://${HOST}:${this.#port}/`;
  }

  async listen(): Promise<void> {
    const { port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, HOST, resolve);
    }).catch((error: unknown) => {
      throw new UsageError(
        `--web-port ${port}: cannot listen on ${HOST}: ${systemCodeOf(error) || messageOf(error)}`,
        { cause: error, hint: 'Without --web-port a free one is taken.' },
      );
    });
    const address = this.#server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : port;
    this.#server.on('error', (error) => this.#fail(error));
  }

  /** Whatever is wrong here is said and ends the page, not the run. */
  readonly observer: RunObserver = (event: RunEvent): void => {
    if (this.#isBroken) return;
    try {
      this.#take(event);
    } catch (error) {
      this.#fail(error);
    }
  };

  async close(run: RunFile | null): Promise<void> {
    const end = run === null ? null : endOf(run, this.#readers.size > 0 ? await reportOf(run) : null);
    for (const reader of this.#readers) {
      if (this.#state !== null && !this.#isBroken) this.#sendPicture(reader, pictureOf(this.#state));
      send(reader, 'end', end);
      reader.response.end();
    }
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const over = new AbortController();
    const late = this.#options.clock.sleep(CLOSE_MS, over.signal);
    await Promise.race([closed, late]);
    over.abort();
    this.#server.closeAllConnections();
    await closed;
  }

  #take(event: RunEvent): void {
    if (event.kind === 'note') {
      const note = noteText(event);
      this.#notes.push(note);
      if (this.#notes.length > MAX_NOTES) this.#notes.shift();
      for (const reader of this.#readers) if (this.#takesMore(reader)) send(reader, 'note', note);
      return;
    }
    this.#state = event.state;
    this.#remember(event.state);
    const nowMs = this.#options.clock.monotonicMs();
    if (event.kind === 'tick' && nowMs - this.#drawnAtMs < FRAME_MS) return;
    this.#drawnAtMs = nowMs;
    if (this.#readers.size === 0) return;
    const picture = pictureOf(event.state);
    for (const reader of this.#readers) if (this.#takesMore(reader)) this.#sendPicture(reader, picture);
  }

  #remember(state: RunState): void {
    if (state.elapsedMs < this.#nextPointMs || state.elapsedMs === 0) return;
    this.#nextPointMs = (Math.floor(state.elapsedMs / POINT_MS) + 1) * POINT_MS;
    this.#series.offer(pointOf(state));
    this.#trends = state.workers.map((worker, position) =>
      [...(this.#trends[position] ?? []), Math.round(worker.rowsPerSecond)].slice(-TREND_POINTS),
    );
  }

  /** Nothing is queued: who has not taken the last picture gets a newer one later, and in the end none. */
  #takesMore(reader: Reader): boolean {
    const { response } = reader;
    if (!response.writableNeedDrain) {
      reader.fullSinceMs = null;
      return true;
    }
    const nowMs = this.#options.clock.monotonicMs();
    reader.fullSinceMs ??= nowMs;
    const isGone = nowMs - reader.fullSinceMs > STALL_MS || response.writableLength > MAX_BUFFERED_BYTES;
    if (isGone) this.#drop(reader);
    return false;
  }

  #drop(reader: Reader): void {
    this.#readers.delete(reader);
    reader.response.destroy();
  }

  #sendPicture(reader: Reader, picture: Picture): void {
    const points = this.#series.points().filter(({ tMs }) => tMs > reader.sentMs);
    reader.sentMs = points.at(-1)?.tMs ?? reader.sentMs;
    send(reader, 'picture', { picture, points });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => undefined);
    const refusal = refusalOf(request);
    if (refusal !== null) return this.#sendText(response, refusal.status, refusal.text, refusal.headers);
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const file = this.#files.get(path);
    if (file !== undefined) return this.#sendBody(response, 200, file.type, file.body);
    if (path === '/events') return this.#open(request, response);
    if (path === '/metrics') return this.#sendBody(response, 200, PROMETHEUS_TYPE, this.#metrics());
    this.#sendText(response, 404, 'Not here: / is the page, /metrics is for Prometheus.');
  }

  #metrics(): string {
    if (this.#state === null) return '';
    return prometheusText(measuresOf(this.#state, this.#options.crategenVersion));
  }

  /** Server-sent events: everything so far, then what changes. */
  #open(request: IncomingMessage, response: ServerResponse): void {
    if (this.#readers.size >= MAX_READERS && request.method === 'GET')
      return this.#sendText(response, 503, `More than ${MAX_READERS} pages are open.`, {
        'Retry-After': '5',
      });
    response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': 'text/event-stream; charset=utf-8' });
    if (request.method === 'HEAD') return void response.end();
    const points = this.#series.points();
    const reader: Reader = { response, sentMs: points.at(-1)?.tMs ?? -1, fullSinceMs: null };
    this.#readers.add(reader);
    response.on('close', () => this.#readers.delete(reader));
    send(reader, 'hello', {
      columns: PICTURE_COLUMNS,
      points,
      trends: this.#trends,
      notes: this.#notes,
      picture: this.#state === null ? null : pictureOf(this.#state),
    });
  }

  #sendText(
    response: ServerResponse,
    status: number,
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    this.#sendBody(response, status, 'text/plain; charset=utf-8', `${text}\n`, headers);
  }

  #sendBody(
    response: ServerResponse,
    status: number,
    type: string,
    body: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    const length = Buffer.byteLength(body);
    response.writeHead(status, {
      ...SECURITY_HEADERS,
      ...headers,
      'Content-Type': type,
      'Content-Length': length,
    });
    // Node.js leaves the body out for HEAD.
    response.end(body);
  }

  #fail(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    for (const reader of this.#readers) this.#drop(reader);
    this.#options.onProblem(`the live page ended: ${messageOf(error)}; the run goes on`);
  }
}

/** It travels with the end: when somebody clicks on it there is no server any more. */
async function reportOf(run: RunFile): Promise<string | null> {
  try {
    const [{ renderHtmlReport }, { readZoomLibrary }] = await Promise.all([
      import('../html/document.ts'),
      import('../html/zoom-library.ts'),
    ]);
    return renderHtmlReport(run, await readZoomLibrary());
  } catch {
    // The page then names the command that makes it; nothing here may cost a run its exit code.
    return null;
  }
}

function send(reader: Reader, event: string, data: unknown): void {
  reader.response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Null for a request that may be answered. */
function refusalOf(request: IncomingMessage): Refusal | null {
  const { host = '', 'sec-fetch-site': site = 'none', 'sec-fetch-mode': mode } = request.headers;
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, text: 'This page only shows: GET and HEAD.', headers: { Allow: 'GET, HEAD' } };
  if (!HOST_NAMES.has(host.replace(/:\d*$/, '').toLowerCase()))
    return { status: 421, text: 'This page is at 127.0.0.1 or localhost.', headers: {} };
  // Other sites may link here, but nothing of theirs may load from here.
  const isOwn = site === 'none' || site === 'same-origin';
  if (!isOwn && mode !== 'navigate') return { status: 403, text: 'Not for other sites.', headers: {} };
  return null;
}
