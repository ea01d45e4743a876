/** Every preset's table is created, filled, counted and compared row by row with what a real CrateDB gives back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import { home, run } from '../e2e/support.ts';
import { cluster, storedIn, tableFor } from './support.ts';

for (const preset of PRESET_NAMES) {
  test(`the preset ${preset} is stored as it was generated, every row once`, async (context) => {
    const [place, table] = [await home(context), tableFor(context)];
    const ended = await run(
      cluster(table, '--preset', preset, '--rows', '6001', '--batch-size', '500'),
      place,
    );
    assert.equal(ended.code, 0, ended.stderr);
    const { ledger, verification, target } = ended.run();
    assert.equal(target.kind, 'cratedb');
    assert.equal(target.keyed, true);
    assert.equal(verification.verdict, 'match');
    assert.deepEqual(
      { ...ledger },
      { offered: 6001, acknowledged: 6001, rejected: 0, failed: 0, unknown: 0, notOffered: 0 },
    );
    assert.deepEqual(await storedIn(table), { rows: 6001, distinct: 6001 });
    const verified = await run(['verify', 'latest'], place);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  });
}
