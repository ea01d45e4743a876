/** Where the target is: URLs in every form, the variables that CrateDB's tools use, and whose word counts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NO_SECRETS } from '../../src/plan/parse-target.ts';
import { parse, planned, problems } from './parse-input.ts';

const nodesOf = (...url: string[]): readonly string[] => planned({ url }).plan.target.nodes;

describe('URLs', () => {
  it('are accepted in all forms and become origins, with 4200 where no port is written', () => {
    for (const [text, origin] of [
      ['http://db-1:4200', 'http://db-1:4200'],
      ['https://db-1:4200/', 'https://db-1:4200'],
      ['http://db-1', 'http://db-1:4200'],
      ['https://db-1:443', 'https://db-1'],
      ['db-1', 'http://db-1:4200'],
      ['db-1:4201', 'http://db-1:4201'],
      ['10.0.0.7:80', 'http://10.0.0.7'],
      ['[::1]:4200', 'http://[::1]:4200'],
      ['crate://db-1', 'http://db-1:4200'],
      ['crate://db-1:4300/doc?ssl=true', 'https://db-1:4300'],
      ['crate://db-1?sslmode=require', 'https://db-1:4200'],
      ['crate://db-1?sslmode=disable', 'http://db-1:4200'],
      ['CRATE://DB-1:4200?ssl=false&other=1', 'http://db-1:4200'],
    ] as const) {
      assert.deepEqual(nodesOf(text), [origin], text);
    }
  });

  it('are refused with what is accepted where they are anything else', () => {
    for (const text of [
      '',
      'ftp://x',
      'http://',
      'http://x:0',
      'http://x:99999',
      'http://x/path',
      'http://x?a=1',
      'a b',
      'http://x#y',
      'crate://x?ssl=maybe',
      'crate://x?sslmode=perhaps',
      'crate://x/a/b',
      'http://x:12x',
    ]) {
      assert.match(problems({ url: [text] })[0] ?? '', /^--url ".*": expected http\(s\):\/\//, text);
    }
  });

  it('that name one node twice count once', () => {
    assert.deepEqual(nodesOf('a:4200', 'http://A:4200', 'b'), ['http://a:4200', 'http://b:4200']);
  });

  it('never leave a password in the plan, a warning or a problem', () => {
    const secret = 'canary/@:#?%41';
    fc.assert(
      fc.property(
        fc.constantFrom('http://', 'https://', 'crate://', ''),
        fc.constantFrom('h', 'h:1', 'h:x', '', 'h/p', 'h?q'),
        fc.boolean(),
        (scheme, host, isEncoded) => {
          const password = isEncoded ? encodeURIComponent(secret) : secret;
          const parsed = parse({ url: [`${scheme}user:${password}@${host}`] });
          const shown = parsed.ok ? { plan: parsed.plan, warnings: parsed.warnings } : parsed.problems;
          assert.ok(!JSON.stringify(shown).includes('canary'));
        },
      ),
    );
  });

  it('with a password are accepted with one warning', () => {
    const { plan, secrets, warnings } = planned({ url: ['http://me:p%40ss@a', 'http://me:p%40ss@b'] });
    assert.deepEqual([plan.target.nodes, plan.target.username], [['http://a:4200', 'http://b:4200'], 'me']);
    assert.deepEqual(secrets.password, { kind: 'text', text: 'p@ss', name: '--url' });
    assert.equal(warnings.length, 1);
  });

  it('with different credentials are refused', () => {
    assert.equal(problems({ url: ['http://me:a@x', 'http://me:b@y'] }).length, 1);
    assert.equal(problems({ url: ['http://me@x'], username: 'you' }).length, 1);
  });

  it('say that their schema is not used, unless --table decides anyway', () => {
    assert.match(planned({ url: ['crate://x/doc'] }).warnings[0] ?? '', /"doc".*crategen\.records/);
    assert.deepEqual(planned({ url: ['crate://x/doc'], table: 'doc.t' }).warnings, []);
  });
});

describe('the environment', () => {
  it('is read as CrateDB tools write it, the cluster URL first', () => {
    const crate = {
      CRATE_HOST: 'h',
      CRATE_PORT: '4300',
      CRATE_USER: 'u',
      CRATE_PASSWORD: 'p',
      CRATE_SSL: 'true',
    };
    const plain = planned({}, { env: crate });
    assert.deepEqual(plain.plan.target.nodes, ['https://h:4300']);
    assert.equal(plain.plan.target.username, 'u');
    assert.deepEqual(plain.secrets.password, { kind: 'text', text: 'p', name: 'CRATE_PASSWORD' });
    const both = planned(
      {},
      {
        env: {
          ...crate,
          CRATEDB_CLUSTER_URL: 'http://c1,http://c2',
          CRATEDB_USERNAME: 'v',
          CRATEDB_PASSWORD: 'q',
        },
      },
    );
    assert.deepEqual(both.plan.target.nodes, ['http://c1:4200', 'http://c2:4200']);
    assert.equal(both.plan.target.username, 'v');
    assert.deepEqual(both.secrets.password, { kind: 'text', text: 'q', name: 'CRATEDB_PASSWORD' });
  });

  it('with a password and no name means the superuser', () => {
    assert.equal(planned({}, { env: { CRATEPW: 'x' } }).plan.target.username, 'crate');
  });

  it('is refused in words where it makes no sense', () => {
    assert.deepEqual(problems({}, { env: { CRATE_HOST: 'h', CRATE_PORT: 'many', CRATE_SSL: 'perhaps' } }), [
      'CRATE_PORT "many": expected a port from 1 to 65535',
      'CRATE_SSL "perhaps": expected true or false',
    ]);
  });

  it('keeps the port that a host names itself', () => {
    assert.deepEqual(
      planned({}, { env: { CRATE_HOST: 'a:1,b,[::1]:3', CRATE_PORT: '2' } }).plan.target.nodes,
      ['http://a:1', 'http://b:2', 'http://[::1]:3'],
    );
  });
});

describe('passwords', () => {
  it('come from the higher layer, and within one from a file before a URL', () => {
    const env = { CRATEDB_PASSWORD: 'from-env' };
    assert.deepEqual(planned({ 'password-file': 'f' }, { env }).secrets.password, {
      kind: 'file',
      path: 'f',
      name: '--password-file',
    });
    assert.deepEqual(planned({}, { env, config: { 'password-file': 'f' } }).secrets.password, {
      kind: 'text',
      text: 'from-env',
      name: 'CRATEDB_PASSWORD',
    });
    assert.equal(planned({ 'password-stdin': true }, { env }).secrets.password.kind, 'stdin');
    assert.equal(planned({ url: ['http://u:in-url@h'], 'password-file': 'f' }).secrets.password.kind, 'file');
  });

  it('are asked for in one way only', () => {
    assert.equal(problems({ 'password-stdin': true, 'password-file': 'f' }).length, 1);
  });
});

describe('tokens', () => {
  const tokenOf = (...written: Parameters<typeof planned>): unknown => planned(...written).secrets.token;

  it('come from a flag, the environment or the config file, the higher layer first', () => {
    const env = { CRATEDB_TOKEN: 'a.b.c' };
    assert.deepEqual(tokenOf({}, { env }), { kind: 'text', text: 'a.b.c', name: 'CRATEDB_TOKEN' });
    const file = { kind: 'file', path: 'f', name: '--token-file' };
    assert.deepEqual(tokenOf({ 'token-file': 'f' }, { env }), file);
    assert.deepEqual(tokenOf({ 'token-stdin': true }, { env }), { kind: 'stdin', name: '--token-stdin' });
    assert.deepEqual(tokenOf({}, { config: { 'token-file': 'f' } }), {
      ...file,
      name: 'token-file in crategen.config.yaml',
    });
  });

  it('take the place of user and password of lower layers, and yield to those of higher ones', () => {
    const password = { CRATEDB_USERNAME: 'u', CRATEDB_PASSWORD: 'p' };
    const above = planned({ 'token-file': 'f' }, { env: password });
    assert.deepEqual(
      [above.plan.target.username, above.secrets.password.kind, above.secrets.token.kind],
      [null, 'none', 'file'],
    );
    const below = planned({}, { env: password, config: { 'token-file': 'f' } });
    assert.deepEqual(
      [below.plan.target.username, below.secrets.password.kind, below.secrets.token.kind],
      ['u', 'text', 'none'],
    );
  });

  it('beside a password or a user of the same layer are refused, all problems at once', () => {
    assert.deepEqual(
      problems({ 'token-file': 'f', 'token-stdin': true, 'password-file': 'g', 'password-stdin': true }),
      [
        '--password-stdin: expected either this or --password-file, not both',
        '--token-stdin: expected either this or --token-file, not both',
        '--password-stdin: expected either a password or a token, not both',
      ],
    );
    assert.deepEqual(problems({}, { env: { CRATEDB_TOKEN: 'a.b.c', CRATEPW: 'p' } }), [
      'CRATEPW: expected either a password or a token, not both',
    ]);
    assert.deepEqual(problems({ 'token-file': 'f', username: 'me' }), [
      '--username "me": expected no user beside a token, which names its own',
    ]);
    assert.equal(problems({ 'token-file': 'f', url: ['http://me:pw@h'] }).length, 1);
  });
});

describe('the embedded sandbox', () => {
  it('wins over the environment and a config file, and takes no credentials', () => {
    const { plan, secrets } = planned(
      { sandbox: true },
      { env: { CRATEDB_CLUSTER_URL: 'http://u:p@x' }, config: { url: ['y'] } },
    );
    assert.deepEqual([plan.target.kind, plan.target.nodes, plan.target.username], ['embedded', [], null]);
    assert.deepEqual(secrets, NO_SECRETS);
  });

  it('contradicts a URL beside it, and yields to one above it', () => {
    assert.equal(problems({ sandbox: true, url: ['x'] }).length, 1);
    assert.equal(planned({ url: ['x'] }, { config: { sandbox: true } }).plan.target.kind, 'urls');
  });
});

describe('TLS files', () => {
  it("may be those of this machine's store, with https only", () => {
    assert.equal(planned({ url: ['https://x'], 'system-ca': true }).plan.target.tls.systemCa, true);
    assert.deepEqual(problems({ url: ['http://x'], 'system-ca': true }), [
      '--system-ca: expected only with an https:// URL',
    ]);
  });

  it('are wanted in pairs and with https', () => {
    const url = ['https://x'];
    assert.equal(problems({ url, 'cert-file': 'c' }).length, 1);
    assert.equal(problems({ url, 'key-file': 'k' }).length, 1);
    assert.equal(problems({ url: ['http://x'], 'ca-cert-file': 'c' }).length, 1);
    assert.deepEqual(
      planned({ url, 'ca-cert-file': 'a', 'cert-file': 'c', 'key-file': 'k', insecure: true }).plan.target
        .tls,
      {
        verify: false,
        caCertFile: 'a',
        systemCa: false,
        certFile: 'c',
        keyFile: 'k',
      },
    );
  });
});
