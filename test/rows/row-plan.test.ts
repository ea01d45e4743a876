/** What rows depend on, and what they do not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildPools } from '../../src/rows/pools.ts';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import { makeRowPlan, rowPlanHash } from '../../src/rows/row-plan.ts';
import { type Column, type TableSchema, insertedColumns } from '../../src/rows/schema.ts';
import { IDENTITY, bytesOf, planOf, preset, rowsOf, tableOf } from './support.ts';

/** Rows as objects, so that the order of columns does not show. */
async function objectsOf(
  schema: TableSchema,
  identity = {},
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const names = insertedColumns(schema).map(({ name }) => name);
  return rowsOf(await planOf(schema, identity), 40, 60).map((row) =>
    Object.fromEntries(row.map((value, index) => [names[index], value])),
  );
}

const without = (rows: readonly Readonly<Record<string, unknown>>[], ...names: readonly string[]) =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name))));

describe('a row', () => {
  it('is another with another seed, in every column that is drawn', async () => {
    const schema = preset('records');
    const [one, two] = [await objectsOf(schema), await objectsOf(schema, { seed: 2 })];
    for (const name of ['name', 'email', 'city', 'amount', 'counters'])
      assert.notDeepEqual(
        one.map((row) => row[name]),
        two.map((row) => row[name]),
        name,
      );
  });

  it('has nothing of the run id but the run id, and nothing of the time but times', async () => {
    for (const name of PRESET_NAMES) {
      const schema = preset(name);
      const rows = await objectsOf(schema);
      const other = await objectsOf(schema, { runId: 'o"ther' });
      assert.deepEqual(without(other, 'run_id'), without(rows, 'run_id'));
      assert.ok(other.every((row) => row['run_id'] === 'o"ther'));
    }
    const records = preset('records');
    const later = await objectsOf(records, { timeOriginMs: IDENTITY.timeOriginMs + 3_600_000 });
    const rows = await objectsOf(records);
    assert.deepEqual(without(later, 'ts'), without(rows, 'ts'));
    later.forEach((row, index) => assert.equal(row['ts'], Number(rows[index]?.['ts']) + 3_600_000));
  });

  it('keeps the values of its columns when others come, go or change places', async () => {
    const schema = preset('everything');
    const rows = await objectsOf(schema);
    const added: Column = {
      name: 'added',
      type: { kind: 'integer' },
      generator: { kind: 'integer', min: 0, max: 9 },
    };
    const changed = {
      ...schema,
      columns: [added, ...schema.columns.filter(({ name }) => name !== 'byte_value').toReversed()],
    };
    assert.deepEqual(
      without(await objectsOf(changed), 'added'),
      without(rows, 'byte_value').map((row) => sortedLike(row, changed)),
    );
    assert.notDeepEqual(await objectsOf({ ...schema, name: 'other' }), rows);
  });

  it('is the same from a plan that went to another process', async () => {
    for (const name of PRESET_NAMES) {
      const plan = await planOf(preset(name));
      assert.deepEqual(bytesOf(structuredClone(plan), 5, 50), bytesOf(plan, 5, 50));
    }
  });
});

function sortedLike(row: Readonly<Record<string, unknown>>, schema: TableSchema): Record<string, unknown> {
  return Object.fromEntries(
    insertedColumns(schema).flatMap(({ name }) => (name in row ? [[name, row[name]]] : [])),
  );
}

describe('the hash of a plan', () => {
  it('is one for equal plans, and another for each thing that rows depend on', async () => {
    const schema = preset('records');
    const hashes = await Promise.all(
      [{}, {}, { seed: 2 }, { runId: 'x' }, { timeOriginMs: 0 }].map(async (identity) =>
        rowPlanHash(await planOf(schema, identity)),
      ),
    );
    assert.equal(hashes[0], hashes[1]);
    assert.equal(new Set(hashes).size, 4);
    assert.match(hashes[0] ?? '', /^[0-9a-f]{64}$/);
    assert.notEqual(rowPlanHash(await planOf({ ...schema, name: 'other' })), hashes[0]);
  });
});

describe('a plan', () => {
  it('is refused for a schema with problems', async () => {
    const schema = tableOf([
      { name: 'a', type: { kind: 'integer' }, generator: { kind: 'integer', min: 2, max: 1 } },
    ]);
    const pools = await buildPools(schema);
    assert.throws(() => makeRowPlan(schema, IDENTITY, pools), /column a: min 2 is above max 1/);
  });
});
