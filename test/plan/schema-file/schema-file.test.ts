/** Schema files: what each part becomes, every problem at its line and column, and nothing a hostile file can do. */
import assert from 'node:assert/strict';
import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import {
  type ReadSchemaFile,
  parseSchemaText,
  readSchemaFile,
} from '../../../src/plan/schema-file/schema-file.ts';
import type { Generator, TableSchema } from '../../../src/rows/schema.ts';
import { planOf, rowsOf } from '../../rows/support.ts';
import { folderFor } from '../../support/folder.ts';

async function schemaOf(text: string): Promise<TableSchema> {
  const parsed = await parseSchemaText(text, 'orders.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return parsed.schema;
}

async function problemsOf(text: string, path = 'orders.yaml'): Promise<readonly string[]> {
  const parsed = await parseSchemaText(text, path);
  return parsed.ok ? [] : parsed.problems;
}

async function generatorOf(column: string): Promise<Generator | null | undefined> {
  return (await schemaOf(`columns:\n  n: { type: integer, generate: { uniform: [0, 9] } }\n  a: ${column}\n`))
    .columns[1]?.generator;
}

function folder(context: TestContext): string {
  const path = folderFor(context);
  return path;
}

const ORDERS = `
table: shop.orders
columns:
  id:        { type: bigint, generate: { sequence: { start: 1 } } }
  placed_at: { type: timestamp with time zone, not_null: true, generate: { time: { step: 250ms, jitter: 200ms, late: { share: 2%, up_to: 10m } } } }
  month:     { type: timestamp with time zone, generated_as: "date_trunc('month', placed_at)" }
  status:    { type: text, generate: { choice: { new: 50, paid: 30 } } }
  email:     { type: text, generate: { pattern: "{first}{0..9999}@{domain}", with: { first: { faker: person.firstName }, domain: [a.example, b.example] } } }
  amount:    { type: "numeric(18,2)", generate: { normal: { mean: 80, sd: 25, min: 1 } } }
  pos:       { type: geo_point, generate: { around: { lon: 9.7, lat: 47.4, radius_km: 50 } } }
  tags:      { type: object, policy: strict, columns: { channel: { type: text, generate: { pool: 200 } }, score: { type: real, nulls: 10% } } }
  items:     { type: array(object), length: 1..6, columns: { sku: text, n: { type: smallint, generate: { uniform: [1, 5] } } } }
  load:      { type: double precision, generate: { series: { per: status, level: [10, 90], daily: 15%, noise: 5%, spikes: 0.1% } } }
  embedding: float_vector(4)
primary_key: [id, month]
clustered_by: { column: id, shards: 6 }
partitioned_by: [month]
checks: { positive: "amount > 0" }
with: { number_of_replicas: 0, refresh_interval: 1000 }
`;

describe('a schema file', () => {
  it('becomes the table that it describes, with rows to match', async () => {
    const parsed = await parseSchemaText(ORDERS, './files/My Orders.yaml');
    assert.ok(parsed.ok, parsed.ok ? '' : parsed.problems.join('\n'));
    const { schema, table, chosenBy } = parsed;
    assert.deepEqual(table, { schema: 'shop', table: 'orders' });
    assert.equal(schema.name, 'my_orders');
    assert.deepEqual([schema.primaryKey, schema.clusteredBy, schema.shards], [['id', 'month'], 'id', 6]);
    assert.deepEqual(schema.settings, { number_of_replicas: 0, refresh_interval: 1000 });
    assert.deepEqual(
      [chosenBy.get('id'), chosenBy.get('items.sku'), chosenBy.get('embedding'), chosenBy.get('month')],
      ['file', 'name', 'type', undefined],
    );
    const [row] = rowsOf(await planOf(schema), 0, 1);
    assert.equal(row?.length, 10);
    assert.match(String(row?.[3]), /^\w.*\d+@[ab]\.example$/);
  });

  it('has the columns of the run and the key over them with identity', async () => {
    const schema = await schemaOf(
      'columns: { day: { type: timestamptz, generated_as: "x" }, a: text }\nidentity: { run_id: true, seq: true }\npartitioned_by: day\n',
    );
    assert.deepEqual(
      schema.columns.slice(0, 2).map(({ name }) => name),
      ['run_id', 'seq'],
    );
    assert.deepEqual(schema.primaryKey, ['run_id', 'seq', 'day']);
  });

  it('is JSON too', async () => {
    const text = JSON.stringify({ columns: { a: { type: 'text', generate: 'uuid' } } });
    assert.deepEqual((await schemaOf(text)).columns[0]?.generator, { kind: 'uuid' });
  });

  it('takes every generator by its name', async () => {
    const cases: readonly (readonly [string, Generator])[] = [
      ['{ type: text, generate: { constant: 5 } }', { kind: 'constant', value: '5' }],
      ['{ type: real, generate: { uniform: [0, 1.5] } }', { kind: 'decimal', min: 0, max: 150, scale: 2 }],
      [
        '{ type: timestamptz, generate: { uniform: [1970-01-01, 1970-01-02] } }',
        { kind: 'integer', min: 0, max: 86_400_000 },
      ],
      [
        '{ type: integer, generate: { exponential: { mean: 5, min: 1, max: 50 } } }',
        { kind: 'exponential', min: 1, mean: 4, max: 50, scale: 0 },
      ],
      [
        '{ type: integer, generate: { zipf: { ranks: 1k, s: 1.1 } } }',
        { kind: 'zipf', ranks: 1000, exponent: 1.1, from: 1 },
      ],
      [
        '{ type: real, generate: { histogram: { bounds: [0, 1.5, 20], decimals: 1 } } }',
        { kind: 'buckets', bounds: [0, 15, 200], scale: 1 },
      ],
      [
        '{ type: timestamptz, generate: { ranks: { distinct: 5k, weights: [20%, 0.1], bounds: [1970-01-02, 1970-01-03] } } }',
        {
          kind: 'ranked',
          distinct: 5000,
          weights: [0.2, 0.1],
          of: { kind: 'quantiles', bounds: [86_400_000, 172_800_000], scale: 0 },
        },
      ],
      [
        '{ type: text, generate: { ranks: { distinct: 30, weights: [20%], values: [x], prefix: "", width: 4 } } }',
        {
          kind: 'ranked',
          distinct: 30,
          weights: [0.2],
          values: ['x'],
          of: { kind: 'text', prefix: '', width: 4 },
        },
      ],
      [
        '{ type: varchar(4), generate: { ranks: { distinct: 30 } } }',
        { kind: 'ranked', distinct: 30, weights: [], of: { kind: 'text', prefix: 'a-', width: 1 } },
      ],
      ['{ type: boolean, generate: { boolean: 5% } }', { kind: 'boolean', trueShare: 0.05 }],
      ['{ type: ip, generate: { ip: 6 } }', { kind: 'ip', version: 6 }],
      ['{ type: bit(8), generate: bits }', { kind: 'bits' }],
      [
        '{ type: varchar(8), generate: { characters: 4..8 } }',
        { kind: 'characters', alphabet: 'base62', minLength: 4, maxLength: 8 },
      ],
      [
        '{ type: text, generate: { hex: 8 } }',
        { kind: 'characters', alphabet: 'hex', minLength: 8, maxLength: 8 },
      ],
      [
        '{ type: geo_point, generate: { box: [1, 2, 3, 4] } }',
        { kind: 'geoPoint', box: { west: 1, south: 2, east: 3, north: 4 } },
      ],
      [
        '{ type: geo_shape, generate: { shape: { kind: line, size: 0.1, box: [1, 2, 3, 4] } } }',
        { kind: 'geoShape', shape: 'line', maxSide: 0.1, box: { west: 1, south: 2, east: 3, north: 4 } },
      ],
      [
        '{ type: integer, generate: { series: { level: [1, 10], weekly: 50%, follows: { column: n, share: -50% } } } }',
        {
          kind: 'series',
          scale: 0,
          level: { min: 1, max: 10 },
          week: 5,
          follows: { column: 'n', share: -0.5 },
        },
      ],
      [
        '{ type: integer, generate: { reference: { to: n, rows: 5k } } }',
        {
          kind: 'reference',
          schemaName: 'orders',
          path: 'n',
          generator: { kind: 'integer', min: 0, max: 9 },
          rows: 5000,
          skew: { kind: 'uniform' },
        },
      ],
      [
        '{ type: bigint, generate: { reference: { to: records.seq } } }',
        {
          kind: 'reference',
          schemaName: 'records',
          path: 'seq',
          generator: { kind: 'seq' },
          rows: 1_000_000,
          skew: { kind: 'uniform' },
        },
      ],
      [
        '{ type: array(array(integer)), length: 2, generate: { uniform: [0, 1] } }',
        {
          kind: 'array',
          minLength: 2,
          maxLength: 2,
          of: { kind: 'array', minLength: 1, maxLength: 3, of: { kind: 'integer', min: 0, max: 1 } },
        },
      ],
      [
        '{ type: text, generate: { pattern: "{{{seq}}}-{000..999}" } }',
        {
          kind: 'template',
          parts: [
            '{',
            { kind: 'sequence', start: 0, step: 1 },
            '}',
            '-',
            { kind: 'digits', min: 0, max: 999, width: 3 },
          ],
        },
      ],
    ];
    for (const [column, generator] of cases) assert.deepEqual(await generatorOf(column), generator, column);
  });

  it('reads values and other schemas that lie beside it', async (context) => {
    const path = folder(context);
    writeFileSync(join(path, 'cities.txt'), 'Bregenz\nDornbirn\n');
    writeFileSync(
      join(path, 'customers.yaml'),
      'columns: { id: { type: bigint, generate: { sequence: { start: 100 } } } }\n',
    );
    const file = join(path, 'orders.yaml');
    writeFileSync(
      file,
      'columns:\n  city: { type: text, generate: { pool: { file: cities.txt } } }\n  customer: { type: bigint, generate: { reference: { to: customers.yaml#id, rows: 10 } } }\n',
    );
    const read = await readSchemaFile(file, 'orders.yaml');
    assert.ok(read.ok, read.ok ? '' : read.problems.join('\n'));
    for (const [city, customer] of rowsOf(await planOf(read.schema), 0, 50)) {
      assert.ok(city === 'Bregenz' || city === 'Dornbirn');
      assert.ok(Number(customer) >= 100 && Number(customer) < 110);
    }
  });
});

describe('a broken schema file', () => {
  it('is told with all its problems, each at its place', async () => {
    const text = [
      'tables: a.b',
      'columns:',
      '  id: { type: bigin }',
      '  x: { type: text, generate: { unifrm: [1, 2] } }',
      '  y:',
      '    type: byte',
      '    generate: { uniform: [0, 500] }',
      '  z: { type: text, generate: { faker: helpers.fake } }',
      '  w: { type: integer, nulls: 200% }',
      'primary_key: [idd]',
    ].join('\n');
    assert.deepEqual(
      (await problemsOf(text)).map((line) => line.slice(0, 48)),
      [
        'orders.yaml:1:1: tables: no such key; did you me',
        'orders.yaml:3:15: columns.id.type: no such type;',
        'orders.yaml:4:32: columns.x.generate.unifrm: no ',
        'orders.yaml:6:5: columns.y: values from 0 to 500',
        'orders.yaml:8:39: columns.z.generate.faker: "hel',
        'orders.yaml:9:30: columns.w.nulls: expected a sh',
        'orders.yaml:10:14: primary_key: the primary key ',
      ],
    );
  });

  it('is told by line where it is no YAML, has two documents, tags or doubled keys', async () => {
    for (const [text, place] of [
      ['columns:\n  a: { type: text\n', /:\d+:\d+: not valid YAML/],
      ['columns: { a: text }\n---\ncolumns: { b: text }\n', /:\d:1: a second YAML document/],
      ['columns:\n  a: !!js/function "x"\n', /:2:\d+: not valid YAML/],
      ['columns:\n  a: text\n  a: text\n', /:3:3: not valid YAML/],
      ['', /:1:1: /],
      ['[1, 2]', /:1:1: expected a schema/],
    ] as const)
      assert.match((await problemsOf(text))[0] ?? '', place, text);
  });

  it('is told what ranks and histograms lack', async () => {
    for (const [column, problem] of [
      ['{ type: text, generate: { ranks: { weights: [1] } } }', /expected distinct/],
      ['{ type: integer, generate: { ranks: { distinct: 5 } } }', /expected bounds for integer/],
      [
        '{ type: varchar(2), generate: { ranks: { distinct: 5k } } }',
        /5000 different texts need 4 characters/,
      ],
      [
        '{ type: integer, generate: { ranks: { distinct: 5, bounds: [1, 2], prefix: a } } }',
        /bounds, which make/,
      ],
      ['{ type: text, generate: { ranks: { distinct: 5, decimals: 1 } } }', /only beside bounds/],
      [
        '{ type: real, generate: { ranks: { distinct: 5, bounds: [1, x], weights: [200%] } } }',
        /a share from 0 to 1/,
      ],
      ['{ type: real, generate: { histogram: { bounds: [2, 1] } } }', /bound/],
      ['{ type: real, generate: { histogram: { decimals: 1 } } }', /expected bounds/],
      ['{ type: text, generate: { ranks: { distinct: 5, weights: [60%, 60%] } } }', /add up to at most 1/],
      [
        '{ type: text, generate: { ranks: { distinct: 5, weights: [60%], values: [a, b] } } }',
        /2 values for 1 weights/,
      ],
    ] as const)
      assert.match((await problemsOf(`columns:\n  a: ${column}\n`)).join('\n'), problem, column);
  });

  it('cannot end its statement, nor hide behind a comment', async () => {
    const text = 'columns: { a: integer }\nchecks:\n  c: "a > 0); DROP TABLE x; --"\n';
    assert.match((await problemsOf(text))[0] ?? '', /^orders.yaml:3:6: checks.c: the check c /);
  });
});

describe('a hostile schema file', () => {
  it('is refused when it is large, even a gigabyte of nothing', async (context) => {
    const file = join(folder(context), 'large.yaml');
    writeFileSync(file, '');
    truncateSync(file, 2 ** 30);
    const read: ReadSchemaFile = await readSchemaFile(file, '--schema large.yaml');
    assert.deepEqual(read, { ok: false, problems: ['--schema large.yaml: larger than 1 MiB'] });
  });

  it('is refused when aliases multiply', async () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (let level = 1; level < 9; level += 1) {
      const [name, before] = [String.fromCharCode(97 + level), String.fromCharCode(96 + level)];
      bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(',')}]`);
    }
    assert.match((await problemsOf(bomb.join('\n')))[0] ?? '', /more than (100 aliases|200000 values)/);
  });

  it('may have 100 aliases and a mebibyte, and not one more', async (context) => {
    const withAliases = (count: number): string =>
      `columns:\n  a: &a text\n${Array.from({ length: count }, (_, index) => `  b${index}: *a\n`).join('')}`;
    assert.equal((await schemaOf(withAliases(100))).columns.length, 101);
    assert.match((await problemsOf(withAliases(101)))[0] ?? '', /more than 100 aliases/);
    const file = join(folder(context), 'full.yaml');
    const columns = 'columns: { a: text }\n';
    writeFileSync(file, columns + '#'.repeat(2 ** 20 - columns.length));
    assert.equal((await readSchemaFile(file, '--schema full.yaml')).ok, true);
    appendFileSync(file, '#');
    assert.equal((await readSchemaFile(file, '--schema full.yaml')).ok, false);
  });

  it('is refused when it is nested without end', async () => {
    for (const text of [
      '['.repeat(100_000),
      `columns: ${'{a: '.repeat(5000)}`,
      `a: ${'['.repeat(300)}${']'.repeat(300)}`,
    ])
      assert.equal((await problemsOf(text)).length > 0, true);
  });

  it('finds no prototype to write to', async () => {
    const text =
      '__proto__: { polluted: true }\nconstructor: 1\ncolumns: { __proto__: text, a: text }\nwith: { __proto__: 1 }\n';
    assert.equal((await problemsOf(text)).length, 4);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  it('has no code run, and shows no control characters', async () => {
    const text =
      'columns:\n  a: { type: text, generate: { pattern: "{{{helpers.fake(\'{{x}}\')}}}" } }\n  "\\e[31m": { type: "\\e[2J" }\n';
    const problems = await problemsOf(text);
    assert.ok(problems.length >= 2);
    assert.doesNotMatch(problems.join(''), /\u001b/);
    assert.deepEqual(await generatorOf('{ type: text, generate: { constant: "${process.exit(1)}" } }'), {
      kind: 'constant',
      value: '${process.exit(1)}',
    });
  });
});
