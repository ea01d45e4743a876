/** The package holds what it needs to run, and nothing else. */
import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { execa } from 'execa';
import { parseRunFile } from '../../src/report/run-file.ts';
import { folderFor } from '../support/folder.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Packed {
  readonly filename: string;
  readonly version: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

describe('the packed package', () => {
  it('has the command, the build, manifest, docs and licence, and runs where it is unpacked', async (context) => {
    const folder = folderFor(context);
    const { stdout } = await execa(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
      { cwd: ROOT },
    );
    const [packed] = JSON.parse(stdout) as readonly Packed[];
    assert.ok(packed !== undefined);
    const paths = packed.files.map(({ path }) => path);
    for (const path of [
      'bin/run.js',
      'assets/live-page/page.js',
      'dist/cli/main.cjs',
      'dist/worker/main.cjs',
      'dist/sandbox/main.cjs',
      'dist/THIRD-PARTY-LICENSES.txt',
      'oclif.manifest.json',
      'docs/commands.md',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
    ]) {
      assert.ok(paths.includes(path), path);
    }
    assert.deepEqual(
      paths.filter(
        (path) =>
          !/^(assets|bin|dist|docs)\/|^(package\.json|README\.md|CHANGELOG\.md|LICENSE|oclif\.manifest\.json)$/.test(
            path,
          ),
      ),
      [],
    );
    assert.equal((packed.files.find(({ path }) => path === 'bin/run.js')?.mode ?? 0) & 0o111, 0o111);

    await execa('tar', ['-xzf', join(folder, packed.filename), '-C', folder]);
    const unpacked = join(folder, 'package');
    layDependencies(unpacked);
    const version = await execa(process.execPath, [join(unpacked, 'bin/run.js'), '--version']);
    assert.match(version.stdout, new RegExp(`^crategen/${packed.version} `));
    const ddl = await execa(process.execPath, [join(unpacked, 'bin/run.js'), 'schema', 'ddl', 'records']);
    assert.match(ddl.stdout, /^CREATE TABLE/);
    const run = ['single', '--sandbox', '--rows', '100', '--quiet', '--json'];
    const state = { XDG_STATE_HOME: join(folder, 'state'), XDG_CACHE_HOME: join(folder, 'cache') };
    const result = await execa(process.execPath, [join(unpacked, 'bin/run.js'), ...run], { env: state });
    const file = parseRunFile(String(result.stdout), 'its output');
    assert.equal(file.ledger.acknowledged, 100);
    const report = [file.run.id, '--format', 'html'];
    const html = await execa(process.execPath, [join(unpacked, 'bin/run.js'), 'report', ...report], {
      env: state,
    });
    assert.match(html.stdout, /uPlot/);
  });

  it('carries the licence of every package that is bundled', () => {
    const texts = readFileSync(join(ROOT, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['@oclif/core', 'ansis', 'undici', 'valibot', 'yaml']) {
      assert.match(texts, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+, [\\w.-]+\n\n`, 'm'), name);
    }
    assert.ok(texts.split(/^-{80}$/m).every((text) => /copyright|blue oak/i.test(text)));
  });
});

it('a built worker loads no part of Node that it may not need', async () => {
  const worker = JSON.stringify(join(ROOT, 'dist/worker/main.cjs'));
  const script = `require(${worker}); process.stdout.write(process.moduleLoadList.join('\\n'))`;
  const { stdout } = await execa(process.execPath, ['--eval', script]);
  const loaded = new Set(stdout.split('\n'));
  assert.ok(loaded.has('NativeModule net'));
  for (const name of ['http', 'http2', 'tls', 'crypto', 'sqlite', 'fs/promises', 'worker_threads'])
    assert.ok(!loaded.has(`NativeModule ${name}`), name);
});

it('nothing built compares texts by the rules of a language, for which Node reads them first', () => {
  const files = globSync('dist/**/*.cjs', { cwd: ROOT });
  assert.ok(files.length > 50);
  assert.deepEqual(
    files.filter((file) => readFileSync(join(ROOT, file), 'utf8').includes('.localeCompare(')),
    [],
  );
});

/** What npm would install beside the package, and nothing else. */
function layDependencies(unpacked: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const place = join(unpacked, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), place);
  }
}

it('the lock file names every optional package, also those for other platforms, as npm ci wants', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const paths = Object.keys(lock.packages);
  const named = new Set(paths.map((path) => path.split('node_modules/').at(-1)));
  const wanted = Object.values(lock.packages).flatMap((entry) =>
    Object.keys(entry.optionalDependencies ?? {}),
  );
  assert.ok(wanted.length > 30);
  assert.deepEqual(
    wanted.filter((name) => !named.has(name)),
    [],
  );
});
