/**
 * Packs the package, installs it under a prefix of its own as a user would, and runs it. Needs a registry for the
 * dependencies, which is why it is part of `npm run check` and not of the tests.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const ROOT = join(import.meta.dirname, '../..');
const INSTALL_TIMEOUT_MS = 300_000;

const folder = await mkdtemp(join(tmpdir(), 'crategen-install-'));
try {
  // The build is there already; packing must not remove it under somebody's feet.
  const packed = await execa('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const [facts] = JSON.parse(packed.stdout) as readonly {
    readonly filename: string;
    readonly version: string;
  }[];
  assert.ok(facts !== undefined, 'npm pack names what it packed');
  const tarball = join(folder, facts.filename);
  const prefix = join(folder, 'prefix');
  await execa('npm', ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', tarball], {
    timeout: INSTALL_TIMEOUT_MS,
  });
  const installed = join(prefix, 'bin', 'crategen');
  const { stdout } = await execa(process.execPath, [installed, '--version']);
  assert.match(stdout, new RegExp(`^crategen/${facts.version} `));
  const run = await execa(
    process.execPath,
    [installed, 'cluster', '--sandbox', '--rows', '2k', '--procs', '2', '--quiet'],
    {
      cwd: folder,
      env: { XDG_STATE_HOME: join(folder, 'state') },
    },
  );
  assert.equal(run.exitCode, 0);
  process.stdout.write(`installed from ${facts.filename}: ${stdout.split(' ')[0]}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
