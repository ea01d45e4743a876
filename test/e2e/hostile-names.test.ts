/**
 * A table name that would like to be a statement, or a server that points elsewhere: nothing but our own statements
 * is sent, and only to where they belong.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { type TestContext, it } from 'node:test';
import { home, run } from '../support/built-command.ts';
import { sandboxFor, storedRows } from '../support/sandbox.ts';

interface Recorder {
  readonly url: string;
  /** Statements, in the order in which they came. */
  readonly statements: string[];
}

async function listening(context: TestContext, answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

/** Hands every request on to `target` and writes down its statement. */
async function recorder(context: TestContext, target: string): Promise<Recorder> {
  const statements: string[] = [];
  const url = await listening(context, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces);
      if (body.length > 0) {
        const { stmt } = JSON.parse(body.toString()) as { readonly stmt: string };
        statements.push(stmt);
      }
      const { method, url: path, headers } = request;
      const onward = http.request(target + (path ?? ''), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.end(body);
    });
  });
  return { url, statements };
}

/** A statement without its names and texts: what is left is ours. */
function skeletonOf(statement: string): string {
  return statement.replaceAll(/"(?:[^"]|"")*"/g, 'NAME').replaceAll(/'(?:[^']|'')*'/g, 'TEXT');
}

it('A table name is a name in every statement, whatever it says', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const { url, statements } = await recorder(context, sandbox.url);
  const args = ['--url', url, '--rows', '50', '--live', 'off'];
  for (const [name, stored] of [
    [`"x';DROP"."é;--Ω$1"`, `x';DROP.é;--Ω$1`],
    [`crategen.${'t'.repeat(255)}`, `crategen.${'t'.repeat(255)}`],
  ] as const) {
    const ended = await run(['single', ...args, '--table', name], place);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(storedRows(sandbox, stored), 50);
    const verified = await run(['verify', 'latest', '--url', url], place);
    assert.equal(verified.code, 0, verified.stderr);
    const cleaned = await run(['clean', 'latest', '--yes', '--url', url], place);
    assert.equal(cleaned.code, 0, cleaned.stderr);
    assert.equal(storedRows(sandbox, stored), 0);
  }
  assert.ok(statements.length > 10);
  for (const statement of statements) assert.doesNotMatch(skeletonOf(statement), /;|--|DROP|["']/, statement);
});

it('A name that is none sends nothing', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const { url, statements } = await recorder(context, sandbox.url);
  for (const name of [
    `a"; DROP TABLE x; --`,
    `a."b""; DROP TABLE x; --"`,
    'sys.nodes',
    `a.${'b'.repeat(256)}`,
  ]) {
    const ended = await run(['single', '--url', url, '--table', name], place);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, /--table/);
  }
  assert.deepEqual(statements, []);
});

it('A redirect is an error, and nobody at its other end hears of the password', async (context) => {
  const place = await home(context);
  const heard: (string | undefined)[] = [];
  const elsewhere = await listening(context, (request, response) => {
    heard.push(request.headers.authorization);
    response.end('{}');
  });
  const url = await listening(context, (request, response) =>
    response.writeHead(307, { location: elsewhere + (request.url ?? '') }).end(),
  );
  for (const command of [['cluster', '--rows', '10'], ['doctor']]) {
    const ended = await run([...command, '--url', url], {
      env: { ...place.env, CRATEDB_USERNAME: 'me', CRATEDB_PASSWORD: 'secret' },
    });
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(ended.stderr + ended.stdout, /HTTP 307/);
    assert.match(ended.stderr + ended.stdout, /credentials are not sent to where a redirect points/);
  }
  assert.deepEqual(heard, []);
});
