/** The search for other nodes against real servers: who is used, who is left out, and who never hears a password. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type TestContext, describe, test } from 'node:test';
import { type Discovery, discoverNodes } from '../../src/cratedb/discover.ts';
import { serverFacts } from '../../src/cratedb/introspect.ts';
import type { TargetAccess } from '../../src/plan/run-plan.ts';
import { type Certificate, NO_OPENSSL, selfSigned } from '../support/certificates.ts';
import { clientOf, deadOrigin, portOf } from './support.ts';
import { accessTo } from '../support/access.ts';

const CANARY = 'canary-of-the-discovery';
/** A row of sys.nodes: name, rest_url, version, roles, port of PostgreSQL connections. */
type Listed = readonly [
  name: string,
  address: string | null,
  version: string,
  roles: readonly string[] | null,
  pgPort?: number | null,
];
/** Where every address of 127/8 is this machine, and to the client another host. */
const ONE_HOST = process.platform === 'linux' ? false : 'needs a second loopback address';
const BOTH_ROLES = ['data', 'master_eligible'];

interface FakeNode {
  readonly origin: string;
  /** `host:port`, as a node publishes it. */
  readonly address: string;
  /** Everything that came in: request lines and headers. */
  readonly heard: string[];
}

interface NodeFacts {
  readonly name?: string;
  readonly cluster?: string;
  readonly host?: string;
  readonly tls?: Certificate;
  readonly version?: string;
  /** What sys.nodes says; null: the user may not see it. */
  readonly listed?: () => readonly Listed[] | null;
}

async function nodeOf(t: TestContext, facts: NodeFacts): Promise<FakeNode> {
  const { name = 'n1', cluster = 'c', host = '127.0.0.1', tls, version = '6.4.3', listed = () => [] } = facts;
  const heard: string[] = [];
  const answer: http.RequestListener = (request, response) => {
    heard.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    if (request.method === 'GET')
      return response.end(JSON.stringify({ name, cluster_name: cluster, version: { number: version } }));
    const rows = listed();
    if (rows === null)
      return response
        .writeHead(404)
        .end('{"error":{"message":"SchemaUnknownException[Schema \'sys\' unknown]","code":4045}}');
    const listing = rows.map(([name, address, version, roles, pgPort = null]) => [
      name,
      address,
      version,
      roles,
      pgPort,
    ]);
    return response.end(
      JSON.stringify({ cols: ['a', 'b', 'c', 'd', 'e'], rows: listing, rowcount: rows.length, duration: 1 }),
    );
  };
  const server = tls === undefined ? http.createServer(answer) : https.createServer(tls, answer);
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `${host}:${portOf(server)}`;
  return { origin: `${tls === undefined ? 'http' : 'https'}://${address}`, address, heard };
}

async function discover(t: TestContext, access: TargetAccess): Promise<Discovery> {
  const facts = await serverFacts(clientOf(t, access));
  assert.ok(facts.ok, JSON.stringify(facts));
  return await discoverNodes(access, facts.value);
}

function withPassword(...nodes: readonly string[]): TargetAccess {
  return { ...accessTo(...nodes), username: 'app', password: CANARY };
}

function hasHeardSecret({ heard }: FakeNode): boolean {
  const secrets = [CANARY, Buffer.from(`app:${CANARY}`).toString('base64')];
  return heard.some((text) => secrets.some((secret) => text.includes(secret)));
}

describe('discovery', () => {
  test('Finds the nodes that sys.nodes lists, each greeted first, and not the ones that were named.', async (t) => {
    const second = await nodeOf(t, { name: 'n2' });
    const named = await nodeOf(t, {
      listed: () => [
        ['n1', named.address, '6.4.3', BOTH_ROLES],
        ['n2', second.address, '6.4.3', BOTH_ROLES],
      ],
    });
    assert.deepEqual(await discover(t, accessTo(named.origin)), {
      found: [second.origin],
      pgPorts: [null, null],
      leftOut: [],
    });
    assert.equal(second.heard.length, 1);
  });

  test('Each node says where it takes PostgreSQL connections; behind a map of ports it is not believed.', async (t) => {
    const [second, third] = [await nodeOf(t, { name: 'n2' }), await nodeOf(t, { name: 'n3' })];
    const named = await nodeOf(t, {
      listed: () => [
        ['n1', named.address, '6.4.3', BOTH_ROLES, 5001],
        ['n2', second.address, '6.4.3', BOTH_ROLES, 5002],
        ['n3', third.address, '6.4.3', BOTH_ROLES, -1],
      ],
    });
    const { found, pgPorts } = await discover(t, accessTo(named.origin));
    assert.deepEqual(
      [found, pgPorts],
      [
        [second.origin, third.origin],
        [5001, 5002, null],
      ],
    );
    const mapped = await nodeOf(t, { listed: () => [['n1', '127.0.0.1:4200', '6.4.3', BOTH_ROLES, 5001]] });
    assert.deepEqual((await discover(t, accessTo(mapped.origin))).pgPorts, [null]);
  });

  test('A node behind another address than the one it publishes is known by its name.', async (t) => {
    const named = await nodeOf(t, { listed: () => [['n1', '10.255.255.1:4200', '6.4.3', BOTH_ROLES]] });
    assert.deepEqual(await discover(t, accessTo(named.origin)), {
      found: [],
      pgPorts: [null],
      leftOut: [],
    });
  });

  test('Who is gone, a stranger, publishes nothing or keeps no data is left out with the reason.', async (t) => {
    const stranger = await nodeOf(t, { name: 'n3', cluster: 'other' });
    const dead = new URL(await deadOrigin(t)).host;
    const named = await nodeOf(t, {
      listed: () => [
        ['n1', named.address, '6.4.3', BOTH_ROLES],
        ['n2', dead, '6.4.3', BOTH_ROLES],
        ['n3', stranger.address, '6.4.3', BOTH_ROLES],
        ['n4', null, '6.4.3', BOTH_ROLES],
        ['n5', '127.0.0.1:1', '6.4.3', ['master_eligible']],
      ],
    });
    const { found, leftOut } = await discover(t, accessTo(named.origin));
    assert.deepEqual(found, []);
    const expected = [
      /^node n4 \(no address\) is left out: it publishes none for HTTP$/,
      /^node n5 \(http:\/\/127\.0\.0\.1:1\) is left out: it only keeps the cluster state$/,
      /^node n2 .* is left out: .*ECONNREFUSED/,
      /^node n3 .* is left out: who answers there is n3 of cluster other$/,
    ];
    assert.equal(leftOut.length, expected.length);
    expected.forEach((pattern, index) => assert.match(leftOut[index] ?? '', pattern));
  });

  test('When sys.nodes cannot be read the reason and the grant that helps are told.', async (t) => {
    const named = await nodeOf(t, { listed: () => null });
    const { found, leftOut } = await discover(t, { ...accessTo(named.origin), username: 'app' });
    assert.deepEqual(found, []);
    assert.match(
      leftOut[0] ?? '',
      /^sys\.nodes cannot be read \(.*Schema 'sys' unknown.*GRANT DQL ON SCHEMA "sys" TO "app" would/,
    );
  });

  test('A server before 6.2 is not asked for roles.', async (t) => {
    const second = await nodeOf(t, { name: 'n2', version: '6.1.0' });
    const named = await nodeOf(t, {
      version: '6.1.0',
      listed: () => [['n2', second.address, '6.1.0', null]],
    });
    assert.deepEqual((await discover(t, accessTo(named.origin))).found, [second.origin]);
  });
});

describe('the password of a discovery', () => {
  test('Over plain http a host that nobody named hears nothing at all.', { skip: ONE_HOST }, async (t) => {
    const rogue = await nodeOf(t, { name: 'n2', host: '127.0.0.2' });
    const named = await nodeOf(t, { listed: () => [['n2', rogue.address, '6.4.3', BOTH_ROLES]] });
    const { found, leftOut } = await discover(t, withPassword(named.origin));
    assert.deepEqual([found, rogue.heard], [[], []]);
    assert.match(
      leftOut[0] ?? '',
      /n2 .*without verified TLS a password or token goes only to hosts that --url names/,
    );
    assert.ok(hasHeardSecret(named));
    const withToken = { ...accessTo(named.origin), token: CANARY };
    assert.deepEqual([(await discover(t, withToken)).found, rogue.heard], [[], []]);
    // Without a secret there is nothing to hide from it.
    assert.deepEqual((await discover(t, accessTo(named.origin))).found, [rogue.origin]);
    assert.equal(hasHeardSecret(rogue), false);
  });

  test('It goes to other ports of a named host, and to the addresses that a named host stands for.', async (t) => {
    const second = await nodeOf(t, { name: 'n2' });
    const named = await nodeOf(t, { listed: () => [['n2', second.address, '6.4.3', BOTH_ROLES]] });
    for (const origin of [named.origin, named.origin.replace('127.0.0.1', 'localhost')])
      assert.deepEqual((await discover(t, withPassword(origin))).found, [second.origin]);
    assert.ok(hasHeardSecret(second));
  });

  test(
    'Under verified TLS a listed host hears it once its certificate is verified, and not before.',
    { skip: ONE_HOST || NO_OPENSSL },
    async (t) => {
      const made = selfSigned(t, 'IP:127.0.0.1,IP:127.0.0.2');
      const [second, rogue] = [
        await nodeOf(t, { name: 'n2', host: '127.0.0.2', tls: made }),
        await nodeOf(t, { name: 'n3', host: '127.0.0.3', tls: selfSigned(t, 'IP:127.0.0.3') }),
      ];
      const named = await nodeOf(t, {
        tls: made,
        listed: () => [
          ['n2', second.address, '6.4.3', BOTH_ROLES],
          ['n3', rogue.address, '6.4.3', BOTH_ROLES],
        ],
      });
      const access = withPassword(named.origin);
      const verified = { ...access, tls: { ...access.tls, ca: made.cert } };
      const { found, leftOut } = await discover(t, verified);
      assert.deepEqual([found, rogue.heard], [[second.origin], []]);
      assert.match(leftOut[0] ?? '', /^node n3 .*certificate/);
      // Unverified TLS is worth no more than none.
      const unverified = await discover(t, { ...access, tls: { ...access.tls, verify: false } });
      assert.deepEqual([unverified.found, rogue.heard], [[], []]);
    },
  );
});
