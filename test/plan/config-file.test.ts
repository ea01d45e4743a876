/** Config files are data with known keys, within limits. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { parseConfigText, readConfigFile } from '../../src/plan/config-file.ts';
import { MAX_FILE_BYTES } from '../../src/plan/read-limited.ts';

describe('the text of a config file', () => {
  it('gives settings as flags would, from YAML and from JSON', async () => {
    const wanted = [
      ['rows', '10000000'],
      ['url', ['http://a', 'http://b']],
      ['create', false],
      ['rate', '50k'],
    ];
    const yaml = 'rows: 10000000\nurl: [http://a, http://b]\ncreate: false\nrate: 50k\nseed:\n';
    const json = '{"rows":10000000,"url":["http://a","http://b"],"create":false,"rate":"50k","seed":null}';
    for (const [text, path] of [
      [yaml, 'c.yaml'],
      [json, 'c.json'],
    ] as const) {
      const read = await parseConfigText(text, path);
      assert.ok(read.ok);
      assert.deepEqual([...(read.config?.settings ?? [])], wanted, path);
    }
  });

  it('may be empty', async () => {
    for (const path of ['c.yaml', 'c.yml'])
      assert.deepEqual((await parseConfigText('# nothing\n', path)).ok, true);
  });

  it('is refused with every unknown key, wrong kind, and setting of the command line', async () => {
    const read = await parseConfigText(
      'bogus: 1\ncreate: maybe\nrows: [1]\nrecreate: true\nyes-drop: a.b\n__proto__: {x: 1}\npassword: hunter2\nurl: {a: 1}\n',
      'c.yaml',
    );
    assert.ok(!read.ok);
    assert.equal(read.problems.length, 8);
    assert.ok(!read.problems.join().includes('hunter2'));
    assert.ok(read.problems.every((line) => line.includes('c.yaml')));
  });

  it('is refused where it is no such text, in a line that does not repeat it', async () => {
    const secret = 'canary-7';
    for (const [text, path] of [
      [`{"password": "${secret}" oops`, 'c.json'],
      [`a: [${secret}`, 'c.yaml'],
      [`a: 1\na: ${secret}`, 'c.yaml'],
      [`--- {}\n--- {a: ${secret}}`, 'c.yaml'],
      [`x: !!js/function 'process.exit(9)'`, 'c.yaml'],
      ['[1, 2]', 'c.json'],
      ['"text"', 'c.json'],
    ] as const) {
      const read = await parseConfigText(text, path);
      assert.ok(!read.ok, text);
      assert.equal(read.problems.length, 1, text);
      assert.ok(!read.problems[0]?.includes(secret), read.problems[0]);
    }
  });

  it('cannot grow by aliases', async () => {
    const bomb = [
      'a0: &a0 [x, x]',
      ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
    ].join('\n');
    assert.equal((await parseConfigText(bomb, 'c.yaml')).ok, false);
    const withAliases = (count: number): string =>
      `rows: &r 1\nurl: [${Array.from({ length: count }, () => '*r').join(', ')}]\n`;
    const most = await parseConfigText(withAliases(100), 'c.yaml');
    assert.equal(most.ok, true);
    const read = await parseConfigText(withAliases(101), 'c.yaml');
    assert.match(read.ok ? '' : (read.problems[0] ?? ''), /100 YAML aliases/);
  });

  it('may be nested as deep as it likes without doing harm', async () => {
    for (const path of ['c.json', 'c.yaml']) {
      assert.equal(
        (await parseConfigText(`${'['.repeat(100_000)}${']'.repeat(100_000)}`, path)).ok,
        false,
        path,
      );
    }
  });

  it('never throws, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: 'binary' }), fc.json()),
        fc.constantFrom('c.json', 'c.yaml'),
        async (text, path) => {
          const read = await parseConfigText(text, path);
          if (!read.ok) assert.ok(read.problems.every((line) => !line.includes('\n') && line.length < 500));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('finding the file', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'crategen-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('takes none for granted', async () => {
    assert.deepEqual(await readConfigFile(null, folder), { ok: true, config: null });
  });

  it('takes JSON before YAML in the working folder', async () => {
    writeFileSync(join(folder, 'crategen.config.yaml'), 'rows: 2');
    const yaml = await readConfigFile(null, folder);
    assert.equal(yaml.ok && yaml.config?.settings.get('rows'), '2');
    writeFileSync(join(folder, 'crategen.config.json'), '{"rows": 1}');
    const json = await readConfigFile(null, folder);
    assert.equal(json.ok && json.config?.settings.get('rows'), '1');
  });

  it('names what is missing, a folder, too large, or a pipe nobody writes to', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const large = join(folder, 'large.yaml');
    writeFileSync(large, Buffer.alloc(MAX_FILE_BYTES + 1, '#'));
    const gigabyte = join(folder, 'gigabyte.yaml');
    writeFileSync(gigabyte, '');
    truncateSync(gigabyte, 2 ** 30);
    mkdirSync(join(folder, 'dir.yaml'));
    for (const [path, why] of [
      [join(folder, 'nothing.yaml'), /no such file/],
      [join(folder, 'dir.yaml'), /not a regular file|EISDIR/],
      [pipe, /not a regular file/],
      [large, /larger than 1 MiB/],
      [gigabyte, /larger than 1 MiB/],
      ['/dev/zero', /not a regular file/],
    ] as const) {
      const read = await readConfigFile(path, folder);
      assert.ok(!read.ok, path);
      assert.ok(read.problems[0]?.startsWith(`--config ${path}: `), read.problems[0]);
      assert.match(read.problems[0] ?? '', why);
    }
  });
});
