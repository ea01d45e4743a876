/**
 * Every `sh` block of the README and the guides is run, block after block in one folder per page, against a sandbox.
 * Blocks that cannot be (they wait, or need a cluster) are `console`.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts';
import { HANGS_AFTER_MS } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const GUIDES = join(ROOT, 'docs/guide');
const PAGES = [join(ROOT, 'README.md'), ...readdirSync(GUIDES).map((name) => join(GUIDES, name))];

function shellBlocks(page: string): readonly string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
}

describe('the commands in the documentation', { concurrency: 2 }, () => {
  let folder = '';
  let sandbox: Sandbox | null = null;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crategen-docs-'));
    sandbox = await startSandbox();
    mkdirSync(join(folder, 'bin'));
    const start = join(folder, 'bin', 'crategen');
    writeFileSync(start, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'bin/run.js')}" "$@"\n`);
    chmodSync(start, 0o755);
  });
  after(async () => {
    await sandbox?.close();
    await rm(folder, { recursive: true });
  });

  it('are there to be run', () => {
    assert.ok(PAGES.flatMap(shellBlocks).length > 15);
  });

  for (const [index, page] of PAGES.entries()) {
    const blocks = shellBlocks(page);
    if (blocks.length === 0) continue;
    it(`of ${page.slice(ROOT.length + 1)} work as written`, async () => {
      const cwd = join(folder, `page-${index}`);
      mkdirSync(cwd);
      const env = {
        PATH: `${join(folder, 'bin')}:${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}`,
        HOME: cwd,
        CRATEDB_CLUSTER_URL: sandbox?.url ?? '',
      };
      for (const block of blocks) {
        const { exitCode, all } = await execa(
          'bash',
          ['--norc', '--noprofile', '-euo', 'pipefail', '-c', block],
          {
            cwd,
            env,
            extendEnv: false,
            reject: false,
            all: true,
            stdin: 'ignore',
            timeout: HANGS_AFTER_MS,
          },
        );
        assert.equal(exitCode, 0, `${block}\n${all}`);
      }
    });
  }
});
