/** `crategen verify` finds what somebody did to the rows of a run, and names it by key. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { execa } from 'execa';
import { parseFault } from '../../../src/sandbox/faults.ts';
import type { Sandbox, SandboxOptions } from '../../../src/sandbox/server.ts';
import { BIN } from '../../support/built-command.ts';
import { folderFor } from '../../support/folder.ts';
import { query, sandboxFor } from '../../support/sandbox.ts';
import { HANGS_AFTER_MS } from '../../support/until.ts';

interface Place {
  readonly folder: string;
  readonly sandbox: Sandbox;
}

async function placeFor(context: TestContext, options: SandboxOptions = {}): Promise<Place> {
  return { folder: folderFor(context), sandbox: await sandboxFor(context, options) };
}

async function crategen(
  place: Place,
  ...args: readonly string[]
): Promise<{ code: number | undefined; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [BIN, ...args], {
    cwd: place.folder,
    env: { HOME: place.folder, CRATEDB_CLUSTER_URL: place.sandbox.url, NO_COLOR: '1' },
    reject: false,
    stdin: 'ignore',
    timeout: HANGS_AFTER_MS,
  });
  return { code: exitCode, stdout, stderr };
}

describe('verify', { concurrency: 2 }, () => {
  it('agrees with an untouched run, then finds the rows that were deleted, changed and made up', async (context) => {
    const place = await placeFor(context);
    const run = await crategen(
      place,
      'single',
      '--rows',
      '3k',
      '--run-id',
      'r1',
      '--quiet',
      '--preset',
      'everything',
      '--verify',
      'rows',
    );
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /3,000 rows stored, all of them compared/);
    const good = await crategen(place, 'verify', 'r1');
    assert.equal(good.code, 0, good.stdout + good.stderr);
    await query(place.sandbox.url, "DELETE FROM crategen.everything WHERE run_id = 'r1' AND seq = 17");
    await query(
      place.sandbox.url,
      "UPDATE crategen.everything SET text_value = 'changed' WHERE run_id = 'r1' AND seq = 2999",
    );
    await query(
      place.sandbox.url,
      "INSERT INTO crategen.everything (run_id, seq, timestamptz_value) VALUES ('r1', 5000, 0)",
    );
    const bad = await crategen(place, 'verify', 'latest', '--json');
    const found = JSON.parse(bad.stdout) as Record<
      'lost' | 'duplicated' | 'altered' | 'unexpected',
      { rows: number; seqs: number[] }
    >;
    assert.equal(bad.code, 6, bad.stderr);
    assert.deepEqual(
      [found.lost, found.duplicated.rows, found.altered, found.unexpected],
      [{ rows: 1, seqs: [17] }, 0, { rows: 1, seqs: [2999] }, { rows: 1, seqs: [5000] }],
    );
  });

  it('finds a row that is there twice where no key forbids it', async (context) => {
    const place = await placeFor(context);
    assert.equal(
      (await crategen(place, 'single', '--rows', '200', '--run-id', 'r2', '--no-key', '--quiet')).code,
      0,
    );
    await query(place.sandbox.url, "INSERT INTO crategen.records (run_id, seq, ts) VALUES ('r2', 7, 0)");
    const bad = await crategen(place, 'verify', 'r2');
    assert.equal(bad.code, 6, bad.stderr);
    assert.match(bad.stdout, /duplicated: 1 row .*seq 7/);
  });

  it('finds rows that the run calls failed and the table has all the same', async (context) => {
    const fault = parseFault('overload#1');
    assert.ok(!('problem' in fault));
    const place = await placeFor(context, { faults: [fault] });
    const load = ['--rows', '200', '--batch-size', '100', '--in-flight', '1', '--retries', '0'];
    const run = await crategen(place, 'single', ...load, '--run-id', 'r3', '--quiet');
    assert.equal(run.code, 4, run.stderr);
    assert.equal((await crategen(place, 'verify', 'r3')).code, 0, 'what failed is not there');
    await query(place.sandbox.url, "INSERT INTO crategen.records (run_id, seq, ts) VALUES ('r3', 7, 0)");
    const bad = await crategen(place, 'verify', 'r3');
    assert.equal(bad.code, 6, bad.stderr);
    assert.match(bad.stdout, /unaccounted: 1 row in the table, though .* rejected or failed/);
  });

  it('refuses a run file whose rows this version would not make', async (context) => {
    const place = await placeFor(context);
    const out = join(place.folder, 'run.json');
    assert.equal((await crategen(place, 'single', '--rows', '10', '--quiet', '--out', out)).code, 0);
    const { readFile, writeFile } = await import('node:fs/promises');
    const text = await readFile(out, 'utf8');
    await writeFile(
      out,
      text
        .replace(/"poolsHash": "[^"]+"/, '"poolsHash": "other"')
        .replace(/"faker": "[^"]+"/, '"faker": "9.9.9"'),
    );
    const refused = await crategen(place, 'verify', out);
    assert.equal(refused.code, 2, refused.stdout);
    assert.match(refused.stderr, /does not make the rows of run .*\n.*faker 9\.9\.9/);
  });
});
