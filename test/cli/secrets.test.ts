/** Passwords and PEM files are read within limits; problems name flag and path, never a content. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { getCACertificates } from 'node:tls';
import { readAccess } from '../../src/cli/secrets.ts';
import { NO_SECRETS, type SecretSource } from '../../src/plan/parse-target.ts';
import type { TargetPlan } from '../../src/plan/run-plan.ts';

const PLAIN: TargetPlan = {
  kind: 'urls',
  nodes: ['https://db:4200'],
  discover: false,
  pgPort: 5432,
  username: 'crate',
  tls: { verify: true, caCertFile: null, systemCa: false, certFile: null, keyFile: null },
};

const STDIN: SecretSource = { kind: 'stdin', name: '--password-stdin' };

describe('secrets', () => {
  let folder = '';
  const file = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const readPassword = async (
    source: SecretSource,
    stdin = '',
  ): Promise<string | null | readonly string[]> => {
    const read = await readAccess(PLAIN, { ...NO_SECRETS, password: source }, Readable.from([stdin]));
    return read.ok ? read.access.password : read.problems;
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'crategen-secrets-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('are the first line of a file or of standard input, without its end', async () => {
    const path = file('pw', 'p w\r\nsecond line\n');
    assert.equal(await readPassword({ kind: 'file', path, name: '--password-file' }), 'p w');
    assert.equal(await readPassword(STDIN, 'from-pipe\n'), 'from-pipe');
    assert.equal(await readPassword({ kind: 'none' }), null);
  });

  it('may come through a pipe such as a process substitution', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reading = readPassword({ kind: 'file', path, name: '--password-file' });
    const writer = spawn('sh', ['-c', 'echo piped > "$0"', path], { stdio: 'ignore' });
    assert.equal(await reading, 'piped');
    if (writer.exitCode === null) await once(writer, 'exit');
  });

  it('are taken from a pipe that is kept open', async () => {
    const open = new PassThrough();
    open.write('early\n');
    const read = await readAccess(PLAIN, { ...NO_SECRETS, password: STDIN }, open);
    assert.equal(read.ok && read.access.password, 'early');
  });

  it('that are tokens have the form of one, and fit into a header', async () => {
    const tokenOf = async (content: string): Promise<string | null | undefined> => {
      const source = { kind: 'file', path: file('token', content), name: '--token-file' } as const;
      const read = await readAccess(PLAIN, { ...NO_SECRETS, token: source }, Readable.from([]));
      return read.ok ? read.access.token : read.problems[0]?.replace(folder, '…');
    };
    assert.equal(await tokenOf('aa-_.bb.cc\nrest'), 'aa-_.bb.cc');
    for (const text of ['canary', 'canary.b', 'a.b.canary c', 'a.b.canary\r.d', 'canary:a.b.c'])
      assert.equal(
        await tokenOf(text),
        '--token-file …/token: expected a JSON Web Token, three parts with dots between them',
      );
    assert.match((await tokenOf(`a.b.${'c'.repeat(7000)}`)) ?? '', /longer than 7000 characters$/);
    const named = { kind: 'text', text: 'canary', name: 'CRATEDB_TOKEN' } as const;
    const read = await readAccess(PLAIN, { ...NO_SECRETS, token: named }, Readable.from([]));
    assert.match(read.ok ? '' : (read.problems[0] ?? ''), /^CRATEDB_TOKEN: expected a JSON Web Token/);
  });

  it("trust this machine's certificates beside their own when told to", async () => {
    const caOf = async (caCertFile: string | null, systemCa: boolean): Promise<string | null> => {
      const tls = { ...PLAIN.tls, caCertFile, systemCa };
      const read = await readAccess({ ...PLAIN, tls }, NO_SECRETS, Readable.from([]));
      return read.ok ? read.access.tls.ca : read.problems.join();
    };
    const [wellKnown = ''] = getCACertificates('default');
    const path = file('ca', wellKnown);
    assert.equal(await caOf(null, false), null);
    assert.equal(await caOf(path, false), wellKnown);
    const system = getCACertificates('system');
    assert.equal(await caOf(path, true), [wellKnown, ...system].join('\n'));
    assert.equal(await caOf(null, true), [...getCACertificates('default'), ...system].join('\n'));
  });

  it('that cannot be read are named by flag and path', async () => {
    const expected = [
      [join(folder, 'nothing'), /no such file/],
      [folder, /is a folder/],
      [file('empty', '\nsecret'), /first line is empty/],
      [file('large', Buffer.alloc(2 ** 20 + 1, 'x')), /larger than 1 MiB/],
      ['/dev/zero', /larger than 1 MiB/],
    ] as const;
    for (const [path, why] of expected) {
      const problems = await readPassword({ kind: 'file', path, name: '--password-file' });
      assert.ok(Array.isArray(problems), path);
      assert.equal(problems.length, 1);
      assert.ok(String(problems[0]).startsWith(`--password-file ${path}: `), String(problems[0]));
      assert.match(String(problems[0]), why);
    }
  });

  it('are not asked for on a terminal', async () => {
    const terminal = Object.assign(Readable.from(['x']), { isTTY: true });
    const read = await readAccess(PLAIN, { ...NO_SECRETS, password: STDIN }, terminal);
    assert.match(read.ok ? '' : (read.problems[0] ?? ''), /through a pipe/);
  });

  it('in PEM files are checked before the first connection, all problems together', async () => {
    const tls = {
      verify: true,
      systemCa: false,
      caCertFile: file('ca', 'not pem'),
      certFile: join(folder, 'gone'),
      keyFile: file('key', '-----BEGIN PRIVATE KEY-----\ncanary\n'),
    };
    const read = await readAccess(
      { ...PLAIN, tls },
      {
        ...NO_SECRETS,
        password: { kind: 'file', path: join(folder, 'none'), name: '--password-file' },
      },
      Readable.from([]),
    );
    assert.ok(!read.ok);
    assert.deepEqual(
      read.problems.map((line) => line.split(' ', 1)[0]),
      ['--ca-cert-file', '--cert-file', '--password-file'],
    );
    const broken = await readAccess(
      {
        ...PLAIN,
        tls: {
          ...tls,
          caCertFile: null,
          systemCa: false,
          certFile: file('c', '-----BEGIN CERTIFICATE-----\ncanary\n'),
        },
      },
      NO_SECRETS,
      Readable.from([]),
    );
    assert.ok(
      !broken.ok &&
        /the TLS library refuses them/.test(broken.problems[0] ?? '') &&
        !broken.problems[0]?.includes('canary'),
    );
  });
});
