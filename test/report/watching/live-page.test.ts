/** The live page over real connections: what it shows, whom it refuses, and that nobody can hold it up. */
import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, get, request } from 'node:http';
import { type Socket, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { UsageError } from '../../../src/base/errors.ts';
import type { RunState } from '../../../src/coordinator/run-state.ts';
import { type LivePage, openLivePage } from '../../../src/report/watching/live-page.ts';
import type { Picture, PicturePoint } from '../../../src/report/watching/picture.ts';
import { toRunFile } from '../../../src/report/run-file.ts';
import { parsePrometheus } from '../measures/prometheus-text.ts';
import { FACTS, sampleResult, sampleSnapshot, sampleState } from '../samples.ts';

/** The host's clock, moved forward by hand. */
class JumpingClock implements Clock {
  aheadMs = 0;
  monotonicNs = (): bigint => systemClock.monotonicNs() + BigInt(this.aheadMs) * 1_000_000n;
  monotonicMs = (): number => systemClock.monotonicMs() + this.aheadMs;
  wallMs = (): number => systemClock.wallMs() + this.aheadMs;
  sleep: Clock['sleep'] = (ms, signal) => systemClock.sleep(ms, signal);
}

interface Opened {
  readonly page: LivePage;
  readonly clock: JumpingClock;
  readonly problems: string[];
  readonly port: number;
  /** A tick a second after the one before it. */
  tick(changes?: Partial<RunState>): void;
}

async function open(context: TestContext, port = 0): Promise<Opened> {
  const clock = new JumpingClock();
  const problems: string[] = [];
  const page = await openLivePage({
    port,
    crategenVersion: '0.1.0',
    clock,
    onProblem: (message) => problems.push(message),
  });
  context.after(() => page.close(null));
  let elapsedMs = 42_000;
  return {
    page,
    clock,
    problems,
    port: Number(new URL(page.url).port),
    tick(changes = {}) {
      clock.aheadMs += 1000;
      elapsedMs += 1000;
      page.observer({ kind: 'tick', state: sampleState(2, { elapsedMs, ...changes }) });
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(
  { port }: Pick<Opened, 'port'>,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    asked.on('error', reject).end();
  });
}

/** What the events carry, each a part of it. */
interface PageEvent {
  readonly name: string;
  readonly data: {
    readonly points: readonly PicturePoint[];
    readonly trends: readonly (readonly number[])[];
    readonly notes: readonly object[];
    readonly picture: Picture;
    readonly headline: string;
    readonly commands: readonly string[];
  };
}

interface Listener {
  /** The next event that comes, in their order; null when the connection has ended. */
  next(): Promise<PageEvent | null>;
}

/** What an EventSource does, as far as it is needed. */
function listen({ port }: Pick<Opened, 'port'>): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const asked = get({ port, host: '127.0.0.1', path: '/events', agent: false }, (response) => {
      assert.equal(response.statusCode, 200);
      assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
      const chunks = response.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
      let text = '';
      resolve({
        async next() {
          while (!text.includes('\n\n')) {
            const { value, done } = await chunks.next();
            if (done === true) return null;
            text += value;
          }
          const [event = '', ...rest] = text.split('\n\n');
          text = rest.join('\n\n');
          const [, name = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? assert.fail(event);
          return { name, data: JSON.parse(data) as PageEvent['data'] };
        },
      });
    });
    asked.on('error', reject);
  });
}

test('a page that is opened late or again gets everything so far, then what changes', async (context) => {
  const opened = await open(context);
  opened.page.observer({ kind: 'note', level: 'info', event: 'willCreate', message: 'a table', atMs: null });
  for (let second = 0; second < 5; second += 1) opened.tick();
  const first = await listen(opened);
  const hello = await first.next();
  assert.equal(hello?.name, 'hello');
  assert.equal(hello.data.points.length, 5);
  assert.deepEqual(hello.data.trends, [Array(5).fill(7150), Array(5).fill(7160)]);
  assert.deepEqual(hello.data.notes, [{ text: 'willCreate: a table', level: 'info' }]);
  assert.equal(hello.data.picture.target, 'http://db-1:4200 +2 nodes · CrateDB 6.4.3');
  assert.equal(hello.data.picture.workers[1]?.cells[1], '8122');
  opened.tick();
  const picture = await first.next();
  assert.equal(picture?.name, 'picture');
  assert.equal(picture.data.picture.clock, '00:48');
  assert.deepEqual(
    picture.data.points.map(({ tMs }) => tMs),
    [48_000],
  );
  const again = await listen(opened);
  assert.equal((await again.next())?.data.points.length, 6);
});

test('news reaches open pages, and the end says how the run ended before the server is gone', async (context) => {
  const opened = await open(context);
  opened.tick();
  const listener = await listen(opened);
  await listener.next();
  opened.page.observer({
    kind: 'note',
    level: 'warning',
    event: 'workerDied',
    message: '<b>1</b>\u001b',
    atMs: 43_000,
  });
  assert.deepEqual((await listener.next())?.data, {
    text: '00:43 workerDied: <b>1</b>␛',
    level: 'warning',
  });
  const run = toRunFile(sampleResult(), FACTS);
  await opened.page.close(run);
  assert.equal((await listener.next())?.name, 'picture');
  const end = await listener.next();
  assert.equal(end?.name, 'end');
  assert.match(end.data.headline, /^17,200,000 rows stored/);
  assert.deepEqual(end.data.commands[0], `crategen report ${run.run.id}`);
  assert.equal(await listener.next(), null);
  await assert.rejects(ask(opened, '/'), /ECONNREFUSED/);
});

test('the page, its parts and the metrics are served, and what is not there is said', async (context) => {
  const opened = await open(context);
  for (const [path, type, text] of [
    ['/', 'text/html; charset=utf-8', /<title>crategen/],
    ['/page.css', 'text/css; charset=utf-8', /color-scheme/],
    ['/page.js', 'text/javascript; charset=utf-8', /EventSource/],
  ] as const) {
    const { status, headers, body } = await ask(opened, path);
    assert.equal(status, 200);
    assert.equal(headers['content-type'], type);
    assert.match(body, text);
  }
  // Before anything is known there is nothing to scrape, which is no failure.
  assert.deepEqual(await bodyOf(opened, '/metrics'), '');
  opened.tick();
  const metrics = await ask(opened, '/metrics?x=1');
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.ok(parsePrometheus(metrics.body).has('crategen_rows_acknowledged_total'));
  assert.equal((await ask(opened, '/package.json')).status, 404);
  assert.equal((await ask(opened, '/../package.json')).status, 404);
});

const bodyOf = async (opened: Opened, path: string): Promise<string> => (await ask(opened, path)).body;

test('the page asks nothing of other hosts and has nothing inline', async (context) => {
  const opened = await open(context);
  const [html, css, js] = await Promise.all(
    ['/', '/page.css', '/page.js'].map((path) => bodyOf(opened, path)),
  );
  for (const text of [html, css, js])
    assert.doesNotMatch(
      (text ?? '').replaceAll('http://www.w3.org/2000/svg', ''),
      /https?:\/\/|@import|url\(/,
    );
  assert.doesNotMatch(html ?? '', /<style|style="|\son\w+="|<script>/);
  assert.doesNotMatch(js ?? '', /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
});

test('every answer forbids framing, guessing of types, other origins and caches', async (context) => {
  const opened = await open(context);
  opened.tick();
  const answers = [
    await ask(opened, '/'),
    await ask(opened, '/metrics'),
    await ask(opened, '/nothing'),
    await ask(opened, '/', { method: 'POST' }),
    await ask(opened, '/', { headers: { Host: 'evil.example' } }),
    await ask(opened, '/events', { method: 'HEAD' }),
  ];
  for (const { headers } of answers) {
    assert.match(
      String(headers['content-security-policy']),
      /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/,
    );
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

test('a name that is not of this host is answered with 421, so that no DNS server can point a site here', async (context) => {
  const opened = await open(context);
  for (const host of [
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '0.0.0.0',
    '127.0.0.2',
  ])
    assert.equal((await ask(opened, '/', { headers: { Host: host } })).status, 421, host);
  // A port that was forwarded here has another number.
  for (const host of [`127.0.0.1:${opened.port}`, 'localhost:9999', 'LocalHost', '[::1]:1'])
    assert.equal((await ask(opened, '/', { headers: { Host: host } })).status, 200, host);
});

test('only GET and HEAD are answered, also for what another site would send', async (context) => {
  const opened = await open(context);
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
    const { status, headers } = await ask(opened, '/events', {
      method,
      headers: { Origin: 'http://evil.example' },
    });
    assert.equal(status, 405, method);
    assert.equal(headers['allow'], 'GET, HEAD');
    assert.equal(headers['access-control-allow-methods'], undefined);
  }
  const head = await ask(opened, '/', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
});

test('other sites may link to the page and load nothing from it', async (context) => {
  const opened = await open(context);
  const from = (site: string, mode: string): Promise<Answer> =>
    ask(opened, '/', { headers: { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode } });
  for (const site of ['cross-site', 'same-site']) {
    for (const mode of ['cors', 'no-cors', 'websocket'])
      assert.equal((await from(site, mode)).status, 403, mode);
    assert.equal((await from(site, 'navigate')).status, 200);
  }
  assert.equal((await from('same-origin', 'cors')).status, 200);
  assert.equal((await from('none', 'navigate')).status, 200);
});

test('it listens on the loopback interface alone', async (context) => {
  const opened = await open(context);
  assert.match(opened.page.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  await assert.rejects(
    new Promise((resolve, reject) => {
      connect(opened.port, '127.0.0.2').on('connect', resolve).on('error', reject);
    }),
    /ECONNREFUSED/,
  );
});

test('a port that is taken is a usage error with the way out', async (context) => {
  const { port } = await open(context);
  await assert.rejects(open(context, port), (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(error.message, `--web-port ${port}: cannot listen on 127.0.0.1: EADDRINUSE`);
    assert.match(error.hint ?? '', /a free one is taken/);
    return true;
  });
});

/** A socket that has sent `text` and reads nothing. */
async function silent({ port }: Opened, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve) => socket.on('connect', resolve));
  // Gone is gone, in which way ever.
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(text);
  return socket;
}

const EVENTS = 'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n';

test('a reader that takes nothing is dropped, holds up nobody and costs no memory', async (context) => {
  const opened = await open(context);
  const example = 'x'.repeat(400);
  const errors = Array.from({ length: 400 }, (_, code) => ({
    class: 'c',
    code,
    rows: 1,
    batches: 1,
    example,
  }));
  const total = sampleSnapshot({ errors });
  opened.tick({ total });
  const lively = await listen(opened);
  await lively.next();
  const socket = await silent(opened, EVENTS);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  const before = process.memoryUsage().rss;
  // 200 kB each: far more than the kernel's buffers take.
  for (let count = 0; count < 200; count += 1) {
    opened.tick({ total });
    assert.equal((await lively.next())?.name, 'picture');
  }
  assert.ok(process.memoryUsage().rss - before < 100 * 2 ** 20);
  socket.resume();
  await closed;
  assert.deepEqual(opened.problems, []);
});

test('more pages than sixteen are asked to come back later', async (context) => {
  const opened = await open(context);
  opened.tick();
  const listeners = await Promise.all(Array.from({ length: 16 }, () => listen(opened)));
  await Promise.all(listeners.map((listener) => listener.next()));
  const { status, headers } = await ask(opened, '/events');
  assert.equal(status, 503);
  assert.equal(headers['retry-after'], '5');
  assert.equal((await ask(opened, '/metrics')).status, 200);
});

test('garbage on the wire, headers without end and requests that never end close their own connection only', async (context) => {
  const opened = await open(context);
  opened.tick();
  for (const text of [
    '\u0000\u0001\r\n\r\n',
    `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    'GET / HTTP/1.1\r\n\r\n',
  ]) {
    const socket = await silent(opened, text);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.resume();
    await closed;
  }
  assert.equal((await ask(opened, '/')).status, 200);
  assert.deepEqual(opened.problems, []);
});

test('the end waits half a second for readers that take nothing, no longer', async (context) => {
  const opened = await open(context);
  opened.tick();
  for (const text of [EVENTS, 'GET / HTTP/1.1\r\nHost: loc', '']) await silent(opened, text);
  const waits: number[] = [];
  opened.clock.sleep = (ms, signal) => {
    waits.push(ms);
    return systemClock.sleep(ms, signal);
  };
  await opened.page.close(toRunFile(sampleResult(), FACTS));
  assert.deepEqual(waits, [500]);
});

test('what goes wrong in the page is told once and is no failure of the run', async (context) => {
  const opened = await open(context);
  const broken = sampleState(1);
  Object.defineProperty(broken, 'workers', { get: () => assert.fail('a bug') });
  opened.page.observer({ kind: 'tick', state: broken });
  opened.tick();
  assert.deepEqual(opened.problems, ['the live page ended: a bug; the run goes on']);
});
