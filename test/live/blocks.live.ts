/**
 * A table that turns read-only while it is filled, as a full disk makes it, on every way into a real CrateDB: the run
 * waits, says so, and stores each row once when the block is lifted.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crategen, home, run } from '../support/built-command.ts';
import { PATHS, by, cluster, partitioned, sql, storedIn, tableFor, untilStored } from './support.ts';

// Most of the time they wait for the next look at the block.
describe('a block', { concurrency: 3 }, () => {
  for (const path of PATHS) {
    for (const kind of ['keyed', 'no key', 'partitioned'] as const) {
      test(`${path}, ${kind}: a block of some seconds costs no row and doubles none`, async (context) => {
        const [place, table] = [await home(context), tableFor(context)];
        if (kind === 'partitioned') {
          const ddl = await run(['schema', 'ddl', 'records', '--table', table], place);
          await sql(partitioned(ddl.stdout.replace(/;\s*$/, '')));
        }
        // Several VALUES for blocked partitions are often never answered: only the deadline ends them.
        const pace = ['--rows', '1500', '--rate', '150', '--timeout', '4s'];
        const load = [...pace, ...by(path, 20), ...(kind === 'no key' ? ['--no-key'] : [])];
        const command = crategen(cluster(table, ...load), place);
        await command.line(/phase=running/);
        await untilStored(table, 100, command);
        const block = (isOn: boolean): Promise<unknown> =>
          sql(`ALTER TABLE ${table} SET ("blocks.read_only_allow_delete" = ${isOn})`);
        await block(true);
        await command.line(/the table is blocked/);
        await block(false);
        const ended = await command.ended;
        const { ledger, verification, errors } = ended.run();
        assert.equal(verification.verdict, 'match', ended.stderr);
        assert.ok(errors.some((error) => error.class === 'blocked'));
        const { rows, distinct } = await storedIn(table);
        assert.equal(rows, distinct);
        // Without a key a batch that met the block halfway cannot be sent again: its rows are looked up.
        if (kind === 'no key') assert.equal(rows, ledger.acknowledged + ledger.unknown);
        else assert.deepEqual([ledger.acknowledged, rows], [1500, 1500], JSON.stringify(ledger));
        assert.equal(ended.code, ledger.failed + ledger.unknown === 0 ? 0 : 4, ended.stderr);
      });
    }
  }
});
