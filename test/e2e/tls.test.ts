/** Certificates that a run must not trust, each refused with the reason and the flag that helps; and those it must. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type TestContext, describe, it } from 'node:test';
import {
  type Authority,
  type Certificate,
  NO_OPENSSL,
  authority,
  selfSigned,
} from '../support/certificates.ts';
import { type Home, home, run } from '../support/built-command.ts';
import { sandboxFor, storedRows } from '../support/sandbox.ts';

const HERE = 'IP:127.0.0.1,DNS:localhost';

interface Front {
  readonly url: string;
  /** Requests that came through. */
  readonly requests: () => number;
}

/** A TLS server that hands everything on to `target`, as a proxy in front of CrateDB does. */
async function tlsFront(
  context: TestContext,
  { cert, key }: Certificate,
  target: string,
  clients: Authority | null = null,
): Promise<Front> {
  const wanted = clients === null ? {} : { ca: clients.cert, requestCert: true, rejectUnauthorized: true };
  let requests = 0;
  const server = https.createServer({ cert, key, ...wanted }, (request, response) => {
    requests += 1;
    const { method, url, headers } = request;
    const onward = http.request(target + (url ?? ''), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `https://127.0.0.1:${address.port}`, requests: () => requests };
}

interface Refusal {
  readonly what: string;
  readonly reason: RegExp;
  readonly hint: RegExp;
  readonly serve: (context: TestContext, own: Authority) => Certificate;
  /** Whether the run is told of the authority. */
  readonly knowsAuthority: boolean;
}

const REFUSALS: readonly Refusal[] = [
  {
    what: 'a self-signed certificate',
    reason: /self-signed certificate/,
    hint: /--ca-cert-file FILE.*--system-ca.*--insecure/,
    serve: (context) => selfSigned(context, HERE),
    knowsAuthority: false,
  },
  {
    what: 'a certificate of an authority that nobody knows',
    reason: /unable to verify the first certificate/,
    hint: /--ca-cert-file FILE.*--system-ca.*--insecure/,
    serve: (_context, own) => own.issue({ names: HERE }),
    knowsAuthority: false,
  },
  {
    what: 'a self-signed certificate beside an authority that did not sign it',
    reason: /self-signed certificate/,
    hint: /--ca-cert-file FILE/,
    serve: (context) => selfSigned(context, HERE),
    knowsAuthority: true,
  },
  {
    what: 'a certificate that has expired',
    reason: /certificate has expired/,
    hint: /new certificate.*--insecure/,
    serve: (_context, own) => own.issue({ names: HERE, days: -1 }),
    knowsAuthority: true,
  },
  {
    what: 'a certificate of another host',
    reason: /IP: 127\.0\.0\.1 is not in the cert's list/,
    hint: /Name the server in --url as its certificate does.*--insecure/,
    serve: (_context, own) => own.issue({ names: 'DNS:elsewhere.example' }),
    knowsAuthority: true,
  },
];

const SMALL = ['--rows', '300', '--batch-size', '100', '--live', 'lines'];

describe('TLS', { skip: NO_OPENSSL, concurrency: 2 }, () => {
  for (const { what, reason, hint, serve, knowsAuthority } of REFUSALS) {
    it(`refuses ${what}, says why and names the flag, whatever the environment says`, async (context) => {
      const [place, own, sandbox] = [await home(context), authority(context), await sandboxFor(context)];
      const front = await tlsFront(context, serve(context, own), sandbox.url);
      const trust = knowsAuthority ? ['--ca-cert-file', own.certFile] : [];
      const lax: Home = { ...place, env: { ...place.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' } };
      const [cluster, doctor] = await Promise.all([
        run(['cluster', '--url', front.url, ...trust, ...SMALL], lax),
        run(['doctor', '--url', front.url, ...trust], place),
      ]);
      assert.deepEqual([cluster.code, doctor.code], [3, 3], cluster.stderr + doctor.stdout);
      for (const said of [cluster.stderr, doctor.stdout]) {
        assert.match(said, reason);
        assert.match(said, hint);
        assert.doesNotMatch(said, /use-system-ca/);
      }
      assert.match(cluster.stderr, /NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored/);
      assert.doesNotMatch(cluster.stderr, /Warning: Setting/);
      assert.equal(front.requests(), 0);
    });
  }

  it('works with the authority of the server, and says nothing about it', async (context) => {
    const [place, own, sandbox] = [await home(context), authority(context), await sandboxFor(context)];
    const front = await tlsFront(context, own.issue({ names: HERE }), sandbox.url);
    const target = ['--url', front.url, '--ca-cert-file', own.certFile];
    const ended = await run(['cluster', ...target, ...SMALL, '--json', '--procs', '2'], place);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.run().ledger.acknowledged, 300);
    assert.equal(storedRows(sandbox), 300);
    assert.doesNotMatch(ended.stderr, /insecure|NODE_TLS/);
    const verified = await run(['verify', 'latest', ...target], place);
    assert.equal(verified.code, 0, verified.stderr);
  });

  it('works with --insecure, in red words and in the run file', async (context) => {
    const [place, sandbox] = [await home(context), await sandboxFor(context)];
    const front = await tlsFront(context, selfSigned(context, HERE), sandbox.url);
    const ended = await run(['cluster', '--url', front.url, '--insecure', ...SMALL, '--json'], place);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /TLS certificates are not verified \(--insecure\)/);
    assert.equal(ended.run().plan.target.tls.verify, false);
  });

  it('presents a client certificate, and names the flags where one is wanted', async (context) => {
    const [place, own, sandbox] = [await home(context), authority(context), await sandboxFor(context)];
    const front = await tlsFront(context, own.issue({ names: HERE }), sandbox.url, own);
    const target = ['--url', front.url, '--ca-cert-file', own.certFile];
    const { certFile, keyFile } = own.issue({ names: '', commonName: 'app' });
    const ended = await run(
      ['cluster', ...target, '--cert-file', certFile, '--key-file', keyFile, ...SMALL, '--json'],
      place,
    );
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(storedRows(sandbox), 300);
    const without = await run(['cluster', ...target, ...SMALL], place);
    assert.equal(without.code, 3, without.stderr);
    assert.match(without.stderr, /certificate required|other side closed/);
    assert.match(without.stderr, /--cert-file FILE and --key-file FILE/);
  });
});
