/** Pools are the same bytes in every process, by their hash: rows that were written can be made again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildPools } from '../../src/rows/pools.ts';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import { FAKER_METHODS, type Pick, type PoolSource } from '../../src/rows/schema.ts';
import { planOf, preset, rowsOf, tableOf } from './support.ts';

/** They may change only with another version of faker, which the run file names. */
const GOLDEN = {
  records: 'bb730197f70ac64ea54450babdd771dbd80e39647591f3cad60cdd01f3ed9eb6',
  metrics: '698125adcb4f7f766ee1efd08b520757c4e07f585e204b0d6d7bf85491027872',
  everything: '3e081856da92ede1bf9b386b8809e6370eee440a6dd0c26401a8060f95dd1cc3',
} as const;

describe('the pools', () => {
  for (const name of PRESET_NAMES) {
    it(`of ${name} are the same for ever`, async () => {
      assert.equal((await buildPools(preset(name))).hash, GOLDEN[name]);
    });
  }

  it('do not depend on which other pools were built before, or stand beside them', async () => {
    const city: PoolSource = { from: 'faker', method: 'location.city', entries: 20 };
    const name: PoolSource = { from: 'faker', method: 'company.name', entries: 20 };
    const column = (pool: PoolSource) =>
      ({
        name: pool === city ? 'c' : 'n',
        type: { kind: 'text' },
        generator: { kind: 'pool', pool },
      }) as const;
    const alone = await buildPools(tableOf([column(city)]));
    await buildPools(preset('everything'));
    const beside = await buildPools(tableOf([column(name), column(city)]));
    const textOf = (pools: typeof alone): string[] => {
      const place = pools.pools.find(({ key }) => key.includes('city'));
      const first = place?.first ?? 0;
      return Array.from({ length: place?.count ?? 0 }, (_, entry) =>
        Buffer.from(
          pools.bytes.subarray(pools.offsets[first + entry], pools.offsets[first + entry + 1]),
        ).toString(),
      );
    };
    assert.equal(textOf(alone).length, 20);
    assert.deepEqual(textOf(beside), textOf(alone));
    assert.notEqual(alone.hash, beside.hash);
    assert.equal((await buildPools(tableOf([column(city)]))).hash, alone.hash);
  });

  it('hold texts of every method that a schema may name', async () => {
    const columns = FAKER_METHODS.map(
      (method) =>
        ({
          name: method.replace('.', '_'),
          type: { kind: 'text' },
          generator: { kind: 'pool', pool: { from: 'faker', method, entries: 5 } },
        }) as const,
    );
    for (const row of rowsOf(await planOf(tableOf(columns)), 0, 20))
      for (const [index, value] of row.entries())
        assert.ok(typeof value === 'string' && value.length > 0, FAKER_METHODS[index]);
  });

  it('give back any JSON value and any text as it was given', async () => {
    const texts = ['', '"', '\\', '\u0000\u001f', '\u2028\u007f', 'é 東 🌍', '\ud800', 'x'.repeat(5000)];
    const mixed = [1.5, true, null, 'a"b', [1, ['x']], { k: { '"': -0.25 } }];
    const pick: Pick = { by: 'entity' };
    const plan = await planOf(
      tableOf(
        [
          {
            name: 'texts',
            type: { kind: 'text' },
            generator: { kind: 'pool', pool: { from: 'values', values: texts }, pick },
          },
          {
            name: 'mixed',
            type: { kind: 'text' },
            generator: { kind: 'pool', pool: { from: 'values', values: mixed }, pick },
          },
          { name: 'constant', type: { kind: 'text' }, generator: { kind: 'constant', value: mixed } },
        ],
        { axis: { entities: 24, stepMs: 1 } },
      ),
    );
    rowsOf(plan, 0, 24).forEach((row, index) => {
      assert.deepEqual(row, [texts[index % texts.length], mixed[index % mixed.length], mixed]);
    });
  });

  it('drawn under one name give entries that belong together', async () => {
    const pick: Pick = { by: 'draw', draw: 'both' };
    const values = (suffix: string): PoolSource => ({
      from: 'values',
      values: Array.from({ length: 50 }, (_, entry) => `${entry}${suffix}`),
    });
    const plan = await planOf(
      tableOf([
        { name: 'a', type: { kind: 'text' }, generator: { kind: 'pool', pool: values('a'), pick } },
        { name: 'b', type: { kind: 'text' }, generator: { kind: 'pool', pool: values('b'), pick } },
        { name: 'c', type: { kind: 'text' }, generator: { kind: 'pool', pool: values('c') } },
      ]),
    );
    const rows = rowsOf(plan, 0, 200).map((row) => row.map((value) => Number.parseInt(String(value), 10)));
    assert.ok(rows.every(([a, b]) => a === b));
    assert.ok(rows.some(([a, , c]) => a !== c));
    assert.ok(new Set(rows.map(([a]) => a)).size > 40);
  });
});
