/** The rows of a run are the same ones whatever number of processes, batch size, encoding or table brought them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { home, run } from '../support/built-command.ts';
import { cluster, contentOf, storedIn, tableFor } from './support.ts';

const IDENTITY = ['--seed', '42', '--run-id', 'same', '--time-origin', '2026-01-01T00:00:00Z'];

const VARIANTS = [
  ['--procs', '1'],
  ['--procs', '8', '--batch-size', '77'],
  ['--compress', 'gzip', '--batch-size', '333', '--in-flight', '7'],
  ['--compress', 'deflate', '--no-key', '--max-body', '400k'],
] as const;

for (const [preset, rows] of [
  ['records', 3001],
  ['everything', 601],
] as const) {
  test(`${preset}: one process or eight, gzip or deflate, with or without a key, the server holds the same rows`, async (context) => {
    const contents: string[] = [];
    for (const variant of VARIANTS) {
      // The run id is the same: each has a state folder and a table of its own.
      const [place, table] = [await home(context), tableFor(context)];
      const ended = await run(
        cluster(table, '--preset', preset, '--rows', String(rows), ...IDENTITY, ...variant),
        place,
      );
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(ended.run().verification.verdict, 'match');
      assert.deepEqual(await storedIn(table), { rows, distinct: rows });
      contents.push(await contentOf(table));
    }
    assert.ok((contents[0] ?? '').length > rows * 50);
    assert.equal(new Set(contents).size, 1);
  });
}
