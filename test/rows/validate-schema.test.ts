/** A schema's problems are all found at once, each naming its column. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type {
  Column,
  ColumnType,
  Generator,
  JsonValue,
  RankedGenerator,
  ReferenceGenerator,
  SeriesGenerator,
  TableSchema,
} from '../../src/rows/schema.ts';
import { validateSchema } from '../../src/rows/validate-schema.ts';
import { anySchema } from './arbitrary-schema.ts';
import { fastGeneratorOf, planOf, tableOf } from './support.ts';

const column = (
  type: ColumnType | 'text' | 'integer',
  generator: Generator | null,
  rest: Partial<Column> = {},
): Column => ({
  name: 'a',
  type: typeof type === 'string' ? { kind: type } : type,
  generator,
  ...rest,
});
const UUID: Generator = { kind: 'uuid' };
const BOX = { west: 0, south: 0, east: 1, north: 1 };
const integer = (min: number, max: number): Generator => ({ kind: 'integer', min, max });

const constant = (value: JsonValue): Generator => ({ kind: 'constant', value });
const sequence = (more: Partial<Generator & { kind: 'sequence' }>): Generator => ({
  kind: 'sequence',
  start: 1,
  step: 1,
  ...more,
});
const ranked = (more: Partial<RankedGenerator>): Generator => ({
  kind: 'ranked',
  distinct: 9,
  weights: [],
  of: { kind: 'text', prefix: 'v ', width: 1 },
  ...more,
});
const faker = (more: { maxLength?: number }): Generator & { kind: 'pool' } => ({
  kind: 'pool',
  pool: { from: 'faker', method: 'lorem.word', entries: 5, ...more },
});
const reference = (more: Partial<ReferenceGenerator>, generator: Generator = UUID): Generator => ({
  kind: 'reference',
  schemaName: 't',
  path: 'k',
  rows: 5,
  skew: { kind: 'uniform' },
  ...more,
  generator,
});
const series = (more: Partial<SeriesGenerator>): Generator => ({
  kind: 'series',
  level: { min: 0, max: 1 },
  ...more,
});

/** Each with the whole list of what is said about it. */
const COLUMNS: readonly (readonly [Column, string])[] = [
  [
    column('text', UUID, { name: '' }),
    'column : the name "" has a character that CrateDB does not allow, or none',
  ],
  [
    column('text', UUID, { name: 'a.b' }),
    'column a.b: the name "a.b" has a character that CrateDB does not allow, or none',
  ],
  [
    column('text', UUID, { name: '_id' }),
    'column _id: names that start with an underscore belong to the server',
  ],
  [column('text', integer(0, 1)), 'column a: the generator integer does not fill text columns'],
  [column('integer', UUID), 'column a: the generator uuid does not fill integer columns'],
  [column('integer', integer(0, 2 ** 31)), 'column a: values from 0 to 2147483648 do not fit into integer'],
  [column({ kind: 'byte' }, integer(-129, 0)), 'column a: values from -129 to 0 do not fit into byte'],
  [column('integer', integer(0.5, 1)), 'column a: the bounds of its values are no safe integers'],
  [
    column({ kind: 'integer' }, { kind: 'normal', mean: 0, deviation: 5, scale: 2 }),
    'column a: values with 2 decimals do not fit into integer',
  ],
  [
    column({ kind: 'numeric', precision: 4, scale: 2 }, { kind: 'decimal', min: 0, max: 12_345, scale: 2 }),
    'column a: values have more than 2 digits before the point',
  ],
  [
    column({ kind: 'numeric', precision: 9, scale: 2 }, { kind: 'decimal', min: 0, max: 1234, scale: 3 }),
    'column a: values with 3 decimals would be rounded to 2',
  ],
  [
    column({ kind: 'numeric', precision: 39, scale: 0 }, integer(0, 1)),
    'column a: numeric precision 39 is not 1 to 38',
  ],
  [column({ kind: 'char', length: 0 }, null), 'column a: char length 0 is not a whole number from 1'],
  [column({ kind: 'float_vector', dimensions: 2049 }, null), 'column a: 2049 dimensions are not 1 to 2048'],
  [
    column({ kind: 'array', of: { kind: 'float_vector', dimensions: 2 } }, null),
    'column a: CrateDB has no arrays of float_vector, not in the objects of an array either',
  ],
  [column('text', UUID, { nulls: 1.5 }), 'column a: nulls is 1.5, not a share from 0 to 1'],
  [column('text', UUID, { nulls: 0.5, notNull: true }), 'column a: it is NOT NULL and has a share of nulls'],
  [
    column('text', UUID, { generatedAs: "'x'" }),
    'column a: a generated column is filled by the server, it cannot have a generator',
  ],
  [
    column('text', UUID, { default: "'a'; DROP TABLE x" }),
    'column a: the default has an open quote, a comment or a semicolon',
  ],
  [
    column('text', UUID, { default: "'a') NOT NULL, (" }),
    'column a: the default has parentheses that do not match',
  ],
  [
    column('text', UUID, { default: '1) , x TEXT, (1' }),
    'column a: the default has parentheses that do not match',
  ],
  [
    column('text', null, { generatedAs: '1 -- rest' }),
    'column a: the generated expression has an open quote, a comment or a semicolon',
  ],
  [
    column('text', { kind: 'characters', alphabet: 'hex', minLength: 4, maxLength: 5 }),
    'column a: a hex text has one length of at most 16',
  ],
  [
    column('text', { kind: 'template', parts: [{ kind: 'digits', min: 5, max: 1 }] }),
    'column a: digits need 0 ≤ min ≤ max and a width from 1 to 20',
  ],
  [column('text', { kind: 'pool', pool: { from: 'values', values: [] } }), 'column a: a pool without values'],
  [
    column('text', { kind: 'pool', pool: { from: 'records', set: 'hosts', field: 'colour' } }),
    'column a: the records hosts have no field colour',
  ],
  [column('text', { kind: 'choice', options: [{ value: 1, weight: 0 }] }), 'column a: all weights are 0'],
  [
    column('integer', { kind: 'zipf', ranks: 0, exponent: 1, from: 0 }),
    'column a: ranks 0 are not 1 to 4294967296',
  ],
  [
    column({ kind: 'geo_point' }, { kind: 'geoPoint', box: { ...BOX, north: 86 } }),
    'column a: the box is not within ±180 and ±85 degrees',
  ],
  [
    column({ kind: 'geo_shape' }, { kind: 'geoShape', shape: 'line', box: BOX, maxSide: 2 }),
    'column a: the box is too small',
  ],
  [
    column({ kind: 'array', of: { kind: 'text' } }, { kind: 'array', minLength: 3, maxLength: 2, of: UUID }),
    'column a: the lengths are not 0 ≤ minLength ≤ maxLength ≤ 10,000',
  ],
  [
    column(
      { kind: 'array', of: { kind: 'text' } },
      { kind: 'array', minLength: 0, maxLength: 2, of: integer(0, 1) },
    ),
    'column a[]: the generator integer does not fill text columns',
  ],
  [column('integer', { kind: 'series', level: { min: 5, max: 1 } }), 'column a: the level is not min ≤ max'],
  [
    column('integer', { kind: 'complement', total: 10, of: ['b'] }),
    'column a: b is no integer or series column without decimals, nulls and negative values',
  ],
  [
    column(
      { kind: 'object', policy: 'strict', columns: [column('integer', UUID)] },
      { kind: 'object' },
      { name: 'o' },
    ),
    'column o.a: the generator uuid does not fill integer columns',
  ],
  [column('integer', constant('12a')), 'column a: the value "12a" is no integer'],
  [column({ kind: 'byte' }, constant(128)), 'column a: the value 128 is no byte'],
  [
    column({ kind: 'timestamp' }, { kind: 'choice', options: [{ value: 'soon', weight: 1 }] }),
    'column a: the value "soon" is no timestamp',
  ],
  [
    column(
      { kind: 'ip' },
      { kind: 'pool', pool: { from: 'values', values: ['::1', '10.0.0.1', 'localhost'] } },
    ),
    'column a: the value "localhost" is no ip',
  ],
  [column({ kind: 'double' }, faker({})), 'column a: the value "text" is no double'],
  [column({ kind: 'bit', length: 3 }, constant('01')), 'column a: the value "01" is no bit(3)'],
  [column({ kind: 'geo_point' }, constant([190, 0])), 'column a: the value [190,0] is no geo_point'],
  [
    column({ kind: 'object', policy: 'ignored', columns: [] }, constant(['a'])),
    'column a: the value ["a"] is no object',
  ],
  [
    column({ kind: 'array', of: { kind: 'boolean' } }, constant([true, 'f', null, 'maybe'])),
    'column a: the value [true,"f",null,"maybe"] is no array of boolean',
  ],
  [
    column('integer', sequence({ start: 2 ** 31 })),
    'column a: values from 2147483648 to 2147483648 do not fit into integer',
  ],
  [
    column({ kind: 'byte' }, sequence({ start: 100, step: 10, wrap: 4 })),
    'column a: values from 100 to 130 do not fit into byte',
  ],
  [
    column({ kind: 'real' }, sequence({ start: 2 ** 32 })),
    'column a: its sequence starts at 4294967296, outside the whole numbers of a real, -16777216 to 16777216',
  ],
  [column('integer', sequence({ step: 0 })), 'column a: the step 0 is no whole number but 0'],
  [column('integer', sequence({ wrap: 0 })), 'column a: wrap is 0, not a whole number from 1'],
  [
    column('text', { kind: 'template', parts: [{ kind: 'sequence', start: 0, step: -1 }] }),
    'column a: a sequence in a text needs start ≥ 0, step ≥ 1 and a width from 1 to 20',
  ],
  [
    column({ kind: 'smallint' }, { kind: 'normal', mean: 0, deviation: 9999, scale: 0, min: 0 }),
    'column a: values from 0 to 59994 do not fit into smallint',
  ],
  [
    column('integer', { kind: 'normal', mean: 0, deviation: 1, scale: 0, min: 2, max: 1 }),
    'column a: min 2 is above max 1',
  ],
  [
    column('integer', { kind: 'exponential', min: 0, mean: 1, scale: 0, max: 0.5 }),
    'column a: min and max are no safe integers',
  ],
  [column('integer', { kind: 'buckets', bounds: [1], scale: 0 }), 'column a: 1 bounds are not 2 to 65536'],
  [column('integer', { kind: 'buckets', bounds: [1, 3, 2], scale: 0 }), 'column a: the bounds descend'],
  [
    column('integer', { kind: 'buckets', bounds: [0, 2 ** 31], scale: 0 }),
    'column a: values from 0 to 2147483648 do not fit into integer',
  ],
  [
    column({ kind: 'bigint' }, { kind: 'buckets', bounds: [-(2 ** 52), 2 ** 53 - 1], scale: 0 }),
    'column a: the bounds span more than 9007199254740991',
  ],
  [column('integer', ranked({})), 'column a: the generator ranked does not fill integer columns'],
  [column('text', ranked({ distinct: 0 })), 'column a: distinct is 0, not 1 to 2147483648'],
  [
    column('text', ranked({ distinct: 1, weights: [0.1, 0.2] })),
    'column a: 2 weights are more than 1 ranks, or than 65535',
  ],
  [
    column('text', ranked({ weights: [0.9, 0.2] })),
    'column a: the weights are no shares that add up to at most 1',
  ],
  [column('text', ranked({ values: ['x'] })), 'column a: there are 1 values for 0 weights'],
  [
    column({ kind: 'varchar', length: 5 }, ranked({ distinct: 1001 })),
    'column a: texts of 6 characters do not fit into varchar(5)',
  ],
  [
    column(
      { kind: 'char', length: 5 },
      { kind: 'pool', pool: { from: 'values', values: ['short', 'longer'] } },
    ),
    'column a: texts of 6 characters do not fit into char(5)',
  ],
  [
    column({ kind: 'varchar', length: 99 }, faker({})),
    'column a: texts of any length do not fit into varchar(99)',
  ],
  [column('text', faker({ maxLength: 0 })), 'column a: texts cut to 0 characters'],
  [
    column('text', reference({}, integer(0, 1))),
    'column a: the generator integer does not fill text columns',
  ],
  [column('text', reference({ rows: 0 })), 'column a: 0 rows to refer to are not 1 to 17592186044416'],
  [
    column('text', reference({ rows: 2 ** 33, skew: { kind: 'zipf', exponent: 11 } })),
    'column a: 8589934592 rows to refer to are not 1 to 4294967296; column a: the exponent 11 is not 0 to 10',
  ],
  [
    column({ kind: 'timestamp' }, reference({}, { kind: 'time', jitterMs: 0 })),
    'column a: t.k cannot be referred to: it is not made of the row alone',
  ],
  [
    column('text', reference({}, { ...faker({}), pick: { by: 'entity' } })),
    'column a: t.k cannot be referred to: it is not made of the row alone',
  ],
  [
    column('integer', reference({}, { kind: 'zipf', ranks: 0, exponent: 1, from: 0 })),
    'column a: t.k: ranks 0 are not 1 to 4294967296',
  ],
  [
    column({ kind: 'timestamp' }, { kind: 'time', jitterMs: 0, late: { share: 2, upToMs: 0 }, stepMs: -1 }),
    'column a: stepMs is -1, not a whole number from 0; column a: the share of late rows is 2, not 0 to 1; ' +
      'column a: late.upToMs is 0, not a whole number from 1',
  ],
  [
    column({ kind: 'geo_point' }, { kind: 'geoAround', lon: 0, lat: 80, radiusKm: 600 }),
    'column a: the places around are not within ±85 degrees of latitude',
  ],
  [
    column({ kind: 'geo_point' }, { kind: 'geoAround', lon: 181, lat: 0, radiusKm: 0 }),
    'column a: the longitude 181 is not within ±180 degrees; column a: the radius of 0 km is below a metre',
  ],
  [
    column('integer', series({ per: 'nobody' })),
    'column a: nobody, whose values have levels of their own, is no pool, choice or number column beside it',
  ],
  [
    column('integer', series({ follows: { column: 'fine', share: 1 } })),
    'column a: fine, which it follows, is no number column beside it',
  ],
  [
    column('integer', series({ follows: { column: 'a', share: 1 } })),
    'column a: its values follow from themselves, by way of a',
  ],
];

/** Numbers that no bound expects. */
const ODD_NUMBERS = [0, -1, 0.5, -0.5, 1e-9, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e300, -400, 65_537];

/** The schema with another number in place of one of its own. */
function withNumber(schema: TableSchema, place: number, number: number): TableSchema {
  let numbers = 0;
  JSON.stringify(schema, (_key, value: unknown) => {
    if (typeof value === 'number') numbers += 1;
    return value;
  });
  let at = 0;
  const text = JSON.stringify(schema, (_key, value: unknown) => {
    if (typeof value !== 'number') return value;
    at += 1;
    return at - 1 === place % numbers ? number : value;
  });
  return JSON.parse(text) as TableSchema;
}

const SAME = column('text', UUID);
const TABLES: readonly (readonly [Partial<TableSchema>, readonly string[]])[] = [
  [{ columns: [] }, ['the table has no columns']],
  [{ columns: [column('text', null)] }, ['no column has a generator']],
  [{ columns: [SAME, SAME] }, ['column a: the name is used twice']],
  [
    { primaryKey: ['b'], partitionedBy: ['c'] },
    [
      'the primary key names the column b, which is not there',
      'partitioned by names the column c, which is not there',
      'the partition column c is not in the primary key',
    ],
  ],
  [{ clusteredBy: 'a', partitionedBy: ['a'] }, ['the table is partitioned by its routing column a']],
  [
    { columns: [SAME, { ...SAME, name: 'b' }], primaryKey: ['b'], clusteredBy: 'a' },
    ['the routing column a is not in the primary key'],
  ],
  [
    { columns: [{ ...SAME, nulls: 0.5 }], primaryKey: ['a'] },
    ['column a: a key column has a share of nulls'],
  ],
  [{ checks: [{ name: 'c', sql: '' }] }, ['the check c is empty']],
  [
    { axis: { entities: 0, stepMs: -1 } },
    ['axis.entities is 0, not a whole number from 1', 'axis.stepMs is -1, not a whole number from 0'],
  ],
];

describe('a schema', () => {
  it('without problems has none', () => {
    assert.deepEqual(
      validateSchema(
        tableOf([SAME], {
          primaryKey: ['a'],
          clusteredBy: 'a',
          checks: [{ name: 'c', sql: `"a" <> ')--;'` }],
        }),
      ),
      [],
    );
  });

  for (const [broken, problem] of COLUMNS) {
    it(`is told: ${problem}`, () => {
      const problems = validateSchema(tableOf([broken, column('text', UUID, { name: 'fine' })]));
      assert.equal(problems.join('; '), problem);
    });
  }

  for (const [facts, problems] of TABLES) {
    it(`is told: ${problems.join('; ')}`, () => {
      assert.deepEqual(validateSchema(tableOf([SAME], facts)), problems);
    });
  }

  it('is told all problems together', () => {
    const columns = COLUMNS.map(([broken], index) => ({
      ...broken,
      name: broken.name === 'a' ? `a${index}` : broken.name,
    }));
    const told = COLUMNS.reduce((sum, [, problem]) => sum + problem.split('; column').length, 0);
    assert.equal(validateSchema(tableOf(columns)).length, told);
  });

  it('whose sequence would repeat in a run of so many rows is told so, unless it may', () => {
    const schema = (wrap?: number): TableSchema =>
      tableOf([column({ kind: 'smallint' }, sequence(wrap === undefined ? {} : { wrap }))]);
    assert.deepEqual(validateSchema(schema()), []);
    assert.deepEqual(validateSchema(schema(), 32_767), []);
    assert.deepEqual(validateSchema(schema(), 32_768), [
      'column a: its sequence begins again after 32767 rows; give it a wrap if 32768 rows may repeat it',
    ]);
    assert.deepEqual(validateSchema(schema(100), 32_768), []);
  });

  it('whose sequence cannot even start is not told when it would begin again', () => {
    const schema = tableOf([column({ kind: 'smallint' }, sequence({ start: 40_000 }))]);
    const problems = validateSchema(schema);
    assert.equal(problems.length, 1);
    assert.deepEqual(validateSchema(schema, 10), problems);
  });

  it('has a problem or has rows, whatever number is wrong in it', async () => {
    await fc.assert(
      fc.asyncProperty(anySchema, fc.nat(), fc.constantFrom(...ODD_NUMBERS), async (schema, place, odd) => {
        const broken = withNumber(schema, place, odd);
        if (validateSchema(broken).length > 0) return;
        const fast = fastGeneratorOf(await planOf(broken));
        const [buffer] = fast.createBuffers(1, 2 * (fast.maxRowBytes + 1));
        assert.ok(buffer);
        const end = fast.writeRows(buffer, 0, 2 ** 43, 2);
        assert.equal(
          (JSON.parse(`[${Buffer.from(buffer.subarray(0, end)).toString()}]`) as unknown[]).length,
          2,
        );
      }),
      { numRuns: 150 },
    );
  });

  it('is told of series that follow each other in a circle', () => {
    const columns = ['a', 'b', 'c'].map((name, index) => ({
      ...column('integer', series({ follows: { column: ['b', 'a', 'b'][index] ?? '', share: 1 } })),
      name,
    }));
    assert.deepEqual(validateSchema(tableOf(columns)), [
      'column a: its values follow from themselves, by way of b',
      'column b: its values follow from themselves, by way of a',
      'column c: its values follow from themselves, by way of b',
    ]);
  });
});
