/** The built command, as a user and as a script meet it: exit codes, streams, secrets, bad input. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { execa } from 'execa';
import { BIN } from '../support/built-command.ts';
import { folderFor } from '../support/folder.ts';
import { sandboxFor } from '../support/sandbox.ts';
import { HANGS_AFTER_MS } from '../support/until.ts';

const CANARY = 'canary-5f1c';

interface Said {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

interface Place {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

async function crategen(args: readonly string[], { cwd, env = {}, input }: Place): Promise<Said> {
  const result = await execa(process.execPath, [BIN, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, NO_COLOR: '1', ...env },
    extendEnv: false,
    reject: false,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    timeout: HANGS_AFTER_MS,
  });
  return {
    code: result.exitCode,
    stdout: String(result.stdout),
    stderr: String(result.stderr),
    ms: result.durationMs,
  };
}

/** Resolves when the stream has shown what matches; goes on reading, so that the process never waits for us. */
function seen(stream: Readable, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += String(chunk);
      const match = pattern.exec(text);
      if (match !== null) resolve(match);
    });
    stream.on('end', () => reject(new Error(`ended without ${String(pattern)}: ${text}`)));
  });
}

describe('the command line', { concurrency: 4 }, () => {
  it('tells its version, and lists commands without a command', async (context) => {
    const cwd = folderFor(context);
    const version = await crategen(['--version'], { cwd });
    assert.deepEqual([version.code, /^crategen\/\d+\.\d+\.\d+ /.test(version.stdout)], [0, true]);
    const bare = await crategen([], { cwd });
    assert.equal(bare.code, 0);
    for (const name of ['cluster', 'single', 'sandbox', 'verify', 'doctor'])
      assert.match(bare.stdout, new RegExp(`^  ${name} `, 'm'));
  });

  it('names the lines of the source where a bug happened, when it is asked to', async (context) => {
    const cwd = folderFor(context);
    const broken = 'Date.now = () => { throw new TypeError("on purpose"); };';
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}` };
    const args = ['single', '--url', 'http://localhost:1', '--dry-run'];
    const told = await crategen(args, { cwd, env });
    assert.deepEqual([told.code, told.stderr.includes('    at ')], [1, false]);
    const debugged = await crategen(args, { cwd, env: { ...env, CRATEGEN_DEBUG: '1' } });
    assert.equal(debugged.code, 1);
    assert.match(debugged.stderr, /at planFacts \(.*\/src\/cli\/run-command\.ts:\d+:\d+\)/);
  });

  it('leads with examples and ends with exit codes in its help', async (context) => {
    const { stdout, code } = await crategen(['cluster', '--help'], { cwd: folderFor(context) });
    const headings = stdout.split('\n').filter((line) => /^[A-Z][A-Z ]+$/.test(line));
    assert.equal(code, 0);
    assert.deepEqual([headings[0], headings[1], headings.at(-1)], ['EXAMPLES', 'USAGE', 'EXIT CODES']);
    assert.doesNotMatch(stdout, /batch_size/);
    assert.equal((await crategen(['help', 'cluster'], { cwd: folderFor(context) })).stdout, stdout);
  });

  it('names arguments as the usage does, and the exit codes that the command can end with', async (context) => {
    const helpOf = async (...words: string[]): Promise<string> =>
      (await crategen([...words, '--help'], { cwd: folderFor(context) })).stdout;
    const ab = await helpOf('ab');
    assert.match(ab, /^ARGUMENTS\n {2}PLAN_A {2}settings of side A.*\n {2}PLAN_B /m);
    assert.match(ab, /^ {2}5 +a --fail-on condition was true$/m);
    const show = await helpOf('schema', 'show');
    assert.match(show, /^ARGUMENTS\n {2}\[PRESET-or-FILE\] /m);
    assert.match(show, /^ {2}0 {2}done$/m);
    assert.doesNotMatch(show, /ledger|bound was reached/);
    assert.match(await helpOf('verify'), /^ {2}6 {2}rows are lost, duplicated or altered$/m);
    assert.doesNotMatch(await helpOf('schema', 'infer'), /--like/);
  });

  it('survives a reader that takes one line', async (context) => {
    const command = `"${process.execPath}" "${BIN}" cluster --help | head -1; exit "\${PIPESTATUS[0]}"`;
    const { exitCode, stderr } = await execa('bash', ['--norc', '-c', command], {
      cwd: folderFor(context),
      reject: false,
      stdin: 'ignore',
    });
    assert.deepEqual([exitCode, stderr], [0, '']);
  });

  it('says in one line that standard output cannot be written, and stands a full disk behind stderr', async (context) => {
    const cwd = folderFor(context);
    const full = (command: string): Promise<{ exitCode?: number | undefined; stderr: string }> =>
      execa('bash', ['--norc', '-c', `"${process.execPath}" "${BIN}" ${command}`], {
        cwd,
        reject: false,
        stdin: 'ignore',
      });
    const [json, out, help, err] = await Promise.all([
      full('runs --json > /dev/full'),
      full('schema ddl records > /dev/full'),
      full('--help > /dev/full'),
      full('cluster --bad 2> /dev/full'),
    ]);
    const line = 'crategen: standard output cannot be written: ENOSPC';
    assert.deepEqual(
      [json.exitCode, json.stderr, out.exitCode, out.stderr, help.exitCode, help.stderr, err.exitCode],
      [1, line, 1, line, 1, line, 2],
    );
  });

  it('exits 2 for an unknown command and names the nearest', async (context) => {
    const { code, stderr, stdout } = await crategen(['clutser', '--json'], { cwd: folderFor(context) });
    assert.equal(code, 2);
    assert.match(stderr, /clutser: no such command\n.*Did you mean: crategen cluster/);
    assert.deepEqual(JSON.parse(stdout), {
      error: { code: 'usage', message: 'clutser: no such command', hint: 'Did you mean: crategen cluster' },
    });
  });

  it('tells all problems of a command line at once, of flags, files and values, and creates nothing', async (context) => {
    const cwd = folderFor(context);
    const args = [
      'cluster',
      '--rows',
      'lots',
      '--proc',
      '4',
      '--schema',
      'missing.yaml',
      '--password-file',
      'none',
      '--config',
      'gone.json',
      '--table',
      'sys.x',
    ];
    const { code, stderr, stdout } = await crategen(args, { cwd });
    assert.deepEqual([code, stdout], [2, '']);
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, 7, stderr);
    for (const pattern of [
      /--proc: no such flag; did you mean --procs/,
      /--rows "lots"/,
      /--schema missing\.yaml: no such file/,
      /--password-file none: no such file/,
      /--config gone\.json: no such file/,
      /sys is a system schema/,
    ]) {
      assert.ok(
        lines.some((line) => pattern.test(line)),
        String(pattern),
      );
    }
    assert.doesNotMatch(stderr, /^\s+at /m);
    assert.deepEqual(readdirSync(cwd), []);
  });

  it('takes a schema file where it takes a preset, and tells its problems with those of the flags', async (context) => {
    const cwd = folderFor(context);
    writeFileSync(join(cwd, 'people.yaml'), 'columns:\n  id: bigint\n  name: varchar(20)\nprimary_key: id\n');
    const ddl = await crategen(['schema', 'ddl', 'people.yaml'], { cwd });
    assert.match(ddl.stdout, /^CREATE TABLE IF NOT EXISTS "crategen"."people" \(\n {2}"id" BIGINT,/);
    writeFileSync(join(cwd, 'broken.yaml'), 'columns:\n  id: bigin\n');
    const broken = await crategen(['cluster', '--schema', 'broken.yaml', '--rows', 'x'], { cwd });
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /broken\.yaml:2:7: columns\.id: no such type; did you mean bigint\?/);
    assert.match(broken.stderr, /--rows "x"/);
    const gone = await crategen(['schema', 'ddl', './gone.yaml'], { cwd });
    assert.deepEqual([gone.code, /gone\.yaml: no such file/.test(gone.stderr)], [2, true]);
  });

  it('prints a DDL and nothing else', async (context) => {
    const { stdout, code } = await crategen(['schema', 'ddl', 'records', '--table', 'demo.people'], {
      cwd: folderFor(context),
    });
    assert.equal(code, 0);
    assert.match(stdout, /^CREATE TABLE IF NOT EXISTS "demo"\."people" \(\n(  .+,\n)+  .+\n\);\n?$/);
  });

  it('previews rows as JSON lines, the same ones for the same seed', async (context) => {
    const cwd = folderFor(context);
    const [one, two] = await Promise.all(
      ['3', '3'].map((seed) =>
        crategen(['schema', 'preview', 'everything', '--rows', '4', '--seed', seed], { cwd }),
      ),
    );
    assert.equal(one?.stdout, two?.stdout);
    const rows = (one?.stdout ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      rows.map((row) => row['seq']),
      [0, 1, 2, 3],
    );
  });

  it('says what a dry run would do and sends nothing', async (context) => {
    const sandbox = await sandboxFor(context);
    const { stdout, code } = await crategen(['single', '--dry-run', '--url', sandbox.url, '--no-key'], {
      cwd: folderFor(context),
    });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^CREATE TABLE[^;]+;\n\nINSERT INTO "crategen"\."records" [^\n]+\n\n(\[.+\]\n?){5}$/,
    );
    assert.doesNotMatch(stdout, /PRIMARY KEY|ON CONFLICT/);
    assert.equal(sandbox.stats().requests, 0);
  });

  it('lists no runs where there are none', async (context) => {
    const { stdout, code } = await crategen(['runs', '--json'], { cwd: folderFor(context) });
    assert.deepEqual([code, JSON.parse(stdout)], [0, { runs: [] }]);
  });

  it('exits 3 where nobody listens, and leaves no trace of a run', async (context) => {
    const cwd = folderFor(context);
    const { code, stderr } = await crategen(['cluster', '--url', 'http://127.0.0.1:1', '--quiet'], { cwd });
    assert.equal(code, 3, stderr);
    assert.match(stderr, /127\.0\.0\.1:1/);
    assert.deepEqual(readdirSync(join(cwd, '.local/state/crategen/runs')), []);
  });

  it('exits 3 where the server speaks no TLS or wants another password, and says which flag helps', async (context) => {
    const cwd = folderFor(context);
    const sandbox = await sandboxFor(context, { credentials: { username: 'crate', password: 'right' } });
    const tls = await crategen(['cluster', '--url', sandbox.url.replace('http:', 'https:'), '--quiet'], {
      cwd,
    });
    assert.equal(tls.code, 3, tls.stderr);
    assert.match(tls.stderr, /does not speak TLS: write http:/);
    const locked = await crategen(['doctor', '--url', sandbox.url], { cwd });
    assert.equal(locked.code, 3, locked.stdout);
    assert.match(locked.stdout, /^BAD {3}sign-in .*HTTP 401.*\n +Give the password with --password-file/m);
    assert.doesNotMatch(locked.stdout, /privileges/);
    const wrong = await crategen(['cluster', '--url', sandbox.url, '--quiet'], {
      cwd,
      env: { CRATEDB_PASSWORD: CANARY },
    });
    assert.equal(wrong.code, 3, wrong.stderr);
    assert.ok(!wrong.stderr.includes(CANARY));
  });

  it("tests the run file's place before it sends anything", async (context) => {
    const cwd = folderFor(context);
    const sandbox = await sandboxFor(context);
    const { code, stderr } = await crategen(
      ['cluster', '--url', sandbox.url, '--rows', '1k', '--out', 'missing/run.json', '--quiet'],
      { cwd },
    );
    assert.equal(code, 1, stderr);
    assert.match(stderr, /missing\/run\.json/);
    assert.equal(sandbox.stats().requests, 0);
  });

  it('understands the names of the tool that people come from, and a config file below them', async (context) => {
    const cwd = folderFor(context);
    const sandbox = await sandboxFor(context);
    writeFileSync(join(cwd, 'crategen.config.yaml'), `url: ${sandbox.url}\nbatch-size: 7\nquiet: true\n`);
    const { code, stdout, stderr } = await crategen(
      [
        'cluster',
        '--processes',
        '1',
        '--batch_size',
        '50',
        '--concurrent_requests',
        '2',
        '--max_rows',
        '300',
        '--json',
      ],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    const { plan, ledger } = JSON.parse(stdout) as {
      plan: Record<string, unknown>;
      ledger: Record<string, number>;
    };
    assert.deepEqual(
      [plan['procs'], plan['batchSize'], plan['inFlight'], plan['rows'], ledger['acknowledged']],
      [1, 50, 2, 300, 300],
    );
    assert.match(stderr, /--max_rows is taken as --rows/);
  });

  it('judges --fail-on after the run', async (context) => {
    const cwd = folderFor(context);
    const sandbox = await sandboxFor(context);
    const { code, stderr } = await crategen(
      ['single', '--url', sandbox.url, '--rows', '500', '--fail-on', 'rows/s>0', '--quiet'],
      { cwd },
    );
    assert.deepEqual([code, /--fail-on "rows\/s>0" is true/.test(stderr)], [5, true], stderr);
  });

  it('serves a sandbox until a signal and ends it with 0, leaving no port open', async (context) => {
    const cwd = folderFor(context);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const running = execa(process.execPath, [BIN, 'sandbox', '--port', '0', '--json'], {
        cwd,
        reject: false,
        timeout: HANGS_AFTER_MS,
      });
      const url = (await seen(running.stdout, /"url": "(.+?)"/))[1] ?? '';
      assert.equal((await fetch(url)).status, 200);
      running.kill(signal);
      assert.equal((await running).exitCode, 0, signal);
      await assert.rejects(fetch(url));
    }
  });

  it('names a port that is taken and a fault that does not exist', async (context) => {
    const cwd = folderFor(context);
    const taken = createServer().listen(0, '127.0.0.1');
    context.after(() => taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const [busy, bad] = await Promise.all([
      crategen(['sandbox', '--port', String(port)], { cwd }),
      crategen(['sandbox', '--fault', 'meteor', '--latency', '1s..', '--port', '70000'], { cwd }),
    ]);
    assert.deepEqual([busy.code, busy.stderr.includes(String(port))], [3, true], busy.stderr);
    assert.deepEqual(
      [bad.code, bad.stderr.split('\n').filter((line) => line.startsWith('crategen: ')).length],
      [2, 3],
      bad.stderr,
    );
  });

  it('needs Node.js 24 and says so in one line on an older one', async (context) => {
    const cwd = folderFor(context);
    // The check reads the version, and nothing else of an old Node: a version made old stands for it.
    writeFileSync(
      join(cwd, 'old.cjs'),
      "Object.defineProperty(process.versions, 'node', { value: '20.20.2' });",
    );
    const { exitCode, stdout, stderr } = await execa(
      process.execPath,
      ['--require', './old.cjs', BIN, 'cluster'],
      { cwd, reject: false },
    );
    assert.deepEqual(
      [exitCode, stdout, stderr],
      [2, '', 'crategen: needs Node.js 24 or newer, this is 20.20.2'],
    );
  });

  it('refuses RUN commands without a run, and runs whose sandbox is gone', async (context) => {
    const cwd = folderFor(context);
    const missing = await Promise.all(
      ['verify', 'report', 'recover', 'clean'].map((name) => crategen([name], { cwd })),
    );
    for (const { code, stderr } of missing)
      assert.deepEqual([code, /RUN: expected a run id/.test(stderr)], [2, true], stderr);
    assert.equal((await crategen(['single', '--sandbox', '--rows', '100', '--quiet'], { cwd })).code, 0);
    const [verify, resume] = await Promise.all([
      crategen(['verify', 'latest'], { cwd }),
      crategen(['cluster', '--resume', 'latest'], { cwd }),
    ]);
    assert.deepEqual([verify.code, /embedded sandbox/.test(verify.stderr)], [2, true], verify.stderr);
    assert.deepEqual([resume.code, /reached its bound/.test(resume.stderr)], [2, true], resume.stderr);
  });
});

describe('doctor', () => {
  it('finds nothing bad at a sandbox, and exits 3 where the target is', async (context) => {
    const cwd = folderFor(context);
    const sandbox = await sandboxFor(context);
    mkdirSync(join(cwd, 'state'));
    const good = await crategen(['doctor', '--url', sandbox.url, '--json'], { cwd });
    assert.equal(good.code, 0, good.stdout);
    const { findings } = JSON.parse(good.stdout) as { findings: readonly { what: string; status: string }[] };
    const seen = new Set(findings.map(({ what }) => what));
    for (const what of ['Node.js', 'cores', 'open files', 'run files', 'node', 'version', 'clock', 'table'])
      assert.ok(seen.has(what), what);
    const nobody = await crategen(['doctor', '--url', 'http://127.0.0.1:1'], { cwd });
    assert.equal(nobody.code, 3);
    assert.equal(nobody.stdout.match(/http:\/\/127\.0\.0\.1:1:/g)?.length, 1);
  });
});
