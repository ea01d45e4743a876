/** Rows that a count leaves out: a table that is blocked is asked for, and only then are they surely not stored. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withBlock } from '../../src/cratedb/missing-rows.ts';
import { allButSilent, allRows } from '../../src/cratedb/reply.ts';
import { type CountedForm, bulkForm } from '../../src/rows/insert-form.ts';
import { summary } from './support.ts';

const FORM: CountedForm = {
  path: 'values',
  table: { schema: 'my', table: "it's" },
  head: '',
  row: '(?)',
  tail: '',
  columns: 1,
};

/** What a reading becomes, and what was asked. */
async function explained(
  reading: Parameters<typeof withBlock>[0],
  facts: { keyed: boolean; isBlocked: boolean; isBulk?: boolean },
): Promise<{ outcome: string; asked: readonly string[] }> {
  const asked: string[] = [];
  const form = facts.isBulk === true ? bulkForm('INSERT') : FORM;
  const outcome = await withBlock(reading, { form, keyed: facts.keyed }, async (statement) => {
    asked.push(statement);
    return await Promise.resolve(facts.isBlocked);
  });
  return { outcome: summary(outcome), asked };
}

describe('rows that a count leaves out', () => {
  test('While the table is blocked they were refused, and are sent again.', async () => {
    const { outcome, asked } = await explained(allButSilent(10, 0), { keyed: false, isBlocked: true });
    assert.equal(outcome, '0/0/10/0 blocked blocked');
    assert.equal(asked.length, 1);
    assert.match(asked[0] ?? '', /table_schema = 'my' AND table_name = 'it''s'/);
  });

  test('When neither the table nor a partition is blocked nobody knows.', async () => {
    const { outcome, asked } = await explained(allButSilent(10, 4), { keyed: true, isBlocked: false });
    assert.equal(outcome, '4/0/0/6 good notCounted');
    assert.deepEqual(
      asked.map((statement) => /FROM (\S+)/.exec(statement)?.[1]),
      ['information_schema.tables', 'information_schema.table_partitions'],
    );
  });

  test('With some written, a key lets the batch be sent again; without one nothing is asked.', async () => {
    const keyed = await explained(allButSilent(10, 4), { keyed: true, isBlocked: true });
    assert.equal(keyed.outcome, '4/0/6/0 good blocked');
    const plain = await explained(allButSilent(10, 4), { keyed: false, isBlocked: true });
    assert.deepEqual(plain, { outcome: '4/0/0/6 good notCounted', asked: [] });
  });

  test('What is whole, is told row by row, or says why, is not asked about.', async () => {
    const why = { class: 'closed', code: null, example: '', condition: 'troubled' } as const;
    for (const reading of [allButSilent(10, 10), allRows(10, 'unknown', why)])
      assert.deepEqual((await explained(reading, { keyed: true, isBlocked: true })).asked, []);
    const bulk = await explained(allButSilent(10, 0), { keyed: true, isBlocked: true, isBulk: true });
    assert.deepEqual(bulk.asked, []);
  });
});
