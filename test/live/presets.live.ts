/** Every preset's table is created, filled, counted and compared row by row with what a real CrateDB gives back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import { home, run } from '../support/built-command.ts';
import { cluster, storedIn, tableFor } from './support.ts';

/** Not a whole number of batches; shapes and full texts take a server a millisecond a row. */
const ROWS = { records: 6001, metrics: 6001, everything: 1201 } as const;

for (const preset of PRESET_NAMES) {
  test(`the preset ${preset} is stored as it was generated, every row once`, async (context) => {
    const rows = ROWS[preset];
    const [place, table] = [await home(context), tableFor(context)];
    const ended = await run(
      cluster(table, '--preset', preset, '--rows', String(rows), '--batch-size', '500'),
      place,
    );
    assert.equal(ended.code, 0, ended.stderr);
    const { ledger, verification, target } = ended.run();
    assert.equal(target.kind, 'cratedb');
    assert.equal(target.keyed, true);
    assert.equal(verification.verdict, 'match');
    assert.deepEqual(
      { ...ledger },
      { offered: rows, acknowledged: rows, rejected: 0, failed: 0, unknown: 0, notOffered: 0 },
    );
    assert.deepEqual(await storedIn(table), { rows, distinct: rows });
    const verified = await run(['verify', 'latest'], place);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  });
}
