/** Whatever a column is called and whatever its type is: the generator chosen for it makes values that fit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ColumnType } from '../../src/rows/schema.ts';
import { sensibleGenerator } from '../../src/rows/sensible-generator.ts';
import { validateSchema } from '../../src/rows/validate-schema.ts';
import { planOf, rowsOf, tableOf } from './support.ts';

const NAMES = [
  'email',
  'first_name',
  'name',
  'city',
  'country_code',
  'lat',
  'longitude',
  'price',
  'createdAt',
  'birth_date',
  'status',
  'url',
  'ip',
  'user_agent',
  'age',
  'count',
  'customer_id',
  'id',
  'temperature',
  'is_active',
  'phone',
  'sku',
  'tags',
  'x',
  'Ünïcode name',
  '',
];

const scalar = fc.oneof(
  fc.constantFrom<ColumnType[]>(
    ...(
      ['boolean', 'byte', 'smallint', 'integer', 'bigint', 'real', 'double', 'text', 'ip', 'uuid'] as const
    ).map((kind) => ({ kind })),
    ...(['timestamptz', 'timestamp', 'geo_point', 'geo_shape'] as const).map((kind) => ({ kind })),
  ),
  fc.record({ kind: fc.constantFrom('varchar', 'char', 'bit'), length: fc.integer({ min: 1, max: 80 }) }),
  fc
    .tuple(fc.integer({ min: 1, max: 38 }), fc.nat(38))
    .map(
      ([precision, scale]) => ({ kind: 'numeric', precision, scale: Math.min(scale, precision) }) as const,
    ),
);
const type: fc.Arbitrary<ColumnType> = fc.oneof(
  scalar,
  scalar.map((of): ColumnType => ({ kind: 'array', of })),
  fc.constant<ColumnType>({ kind: 'float_vector', dimensions: 3 }),
  fc.constant<ColumnType>({ kind: 'object', policy: 'dynamic', columns: [] }),
);

describe('a sensible generator', () => {
  it('fits every type, by any name, as a key or not', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...NAMES), fc.string()),
        type,
        fc.boolean(),
        (name, columnType, isKey) => {
          const { generator } = sensibleGenerator(name, columnType, { isKey });
          assert.deepEqual(validateSchema(tableOf([{ name: 'value', type: columnType, generator }])), []);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('makes texts no longer than the column', async () => {
    const columns = NAMES.map((name, index) => {
      const varchar: ColumnType = { kind: 'varchar', length: 5 + (index % 40) };
      return {
        name: `column${index}`,
        type: varchar,
        generator: sensibleGenerator(name, varchar, { isKey: false }).generator,
      };
    });
    for (const row of rowsOf(await planOf(tableOf(columns)), 0, 200)) {
      for (const [index, value] of row.entries())
        assert.ok(String(value).length <= 5 + (index % 40), String(value));
    }
  });

  it('says whether the name or the type decided', () => {
    const by = (name: string, kind: 'text' | 'integer'): string =>
      sensibleGenerator(name, { kind }, { isKey: false }).by;
    assert.equal(by('billing_email', 'text'), 'name');
    assert.equal(by('billingEmail', 'text'), 'name');
    assert.equal(by('email', 'integer'), 'type');
    assert.equal(by('qux', 'text'), 'type');
  });

  it('tells rows apart where they have to be', async () => {
    const { generator } = sensibleGenerator('id', { kind: 'bigint' }, { isKey: true });
    const rows = rowsOf(
      await planOf(tableOf([{ name: 'id', type: { kind: 'bigint' }, generator }])),
      0,
      1000,
    );
    assert.equal(new Set(rows.flat()).size, 1000);
  });
});
