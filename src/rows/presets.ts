/** The schemas that come with crategen. All carry run_id and seq, with the primary key over them. */
import {
  type Column,
  type ColumnType,
  type Generator,
  type PoolSource,
  type TableSchema,
  RECORD_SETS,
} from './schema.ts';

export const PRESET_NAMES = ['records', 'metrics', 'everything'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** The preset's schema, or null if there is none of that name. */
export function presetSchema(name: string): TableSchema | null {
  switch (name) {
    case 'records':
      return recordsSchema();
    case 'metrics':
      return metricsSchema();
    case 'everything':
      return everythingSchema();
    default:
      return null;
  }
}

/** Of the run: which one, and which of its rows. */
const RUN_COLUMNS: readonly Column[] = [
  { name: 'run_id', type: { kind: 'text' }, notNull: true, generator: { kind: 'runId' } },
  { name: 'seq', type: { kind: 'bigint' }, notNull: true, generator: { kind: 'seq' } },
];

const KEY = ['run_id', 'seq'] as const;

type Options = Omit<Column, 'name' | 'type' | 'generator'>;

/** A column whose type has no parameters, or a type of its own. */
function column(
  name: string,
  type: ColumnType | Extract<ColumnType, { kind: SimpleKind }>['kind'],
  generator: Generator | null,
  options: Options = {},
): Column {
  return { name, type: typeof type === 'string' ? { kind: type } : type, generator, ...options };
}

type SimpleKind =
  | 'boolean'
  | 'byte'
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'real'
  | 'double'
  | 'text'
  | 'ip'
  | 'uuid'
  | 'timestamptz'
  | 'timestamp'
  | 'geo_point'
  | 'geo_shape';

const integer = (min: number, max: number): Generator => ({ kind: 'integer', min, max });
const decimal = (min: number, max: number, scale: number): Generator => ({
  kind: 'decimal',
  min,
  max,
  scale,
});
const values = (list: readonly string[]): PoolSource => ({ from: 'values', values: list });

/** Customers' records: texts, a moment, an amount, a status, counters. About 165 bytes of JSON a row. */
function recordsSchema(): TableSchema {
  const name = (set: 'firstNames' | 'lastNames', field: 'display' | 'mail') =>
    ({ kind: 'pool', pool: { from: 'records', set, field }, pick: { by: 'draw', draw: set } }) as const;
  return {
    name: 'records',
    description: 'customer records: name, email, city, amount, status and a nested object of counters',
    columns: [
      ...RUN_COLUMNS,
      column('ts', 'timestamptz', { kind: 'time', jitterMs: 9 }, { notNull: true }),
      column('name', 'text', {
        kind: 'template',
        parts: [name('firstNames', 'display'), ' ', name('lastNames', 'display')],
      }),
      column('email', 'text', {
        kind: 'template',
        parts: [
          name('firstNames', 'mail'),
          '.',
          name('lastNames', 'mail'),
          { kind: 'digits', min: 1, max: 99_999 },
          '@',
          { kind: 'pool', pool: values(['example.com', 'example.net', 'example.org', 'mail.example']) },
        ],
      }),
      column('city', 'text', {
        kind: 'pool',
        pool: { from: 'faker', method: 'location.city', entries: 500 },
      }),
      column('amount', 'double', { kind: 'exponential', min: 100, mean: 7950, scale: 2 }),
      column('status', 'text', {
        kind: 'choice',
        options: [
          { value: 'active', weight: 60 },
          { value: 'new', weight: 20 },
          { value: 'paused', weight: 12 },
          { value: 'closed', weight: 6 },
          { value: 'blocked', weight: 2 },
        ],
      }),
      column(
        'counters',
        {
          kind: 'object',
          policy: 'strict',
          columns: [
            column('visits', 'integer', { kind: 'exponential', min: 1, mean: 40, scale: 0 }),
            column('orders', 'integer', { kind: 'zipf', ranks: 200, exponent: 1.1, from: 0 }),
            column('refunds', 'smallint', { kind: 'zipf', ranks: 20, exponent: 2.2, from: 0 }),
            column('points', 'bigint', integer(0, 1_000_000)),
          ],
        },
        { kind: 'object' },
      ),
    ],
    primaryKey: KEY,
    clusteredBy: null,
    partitionedBy: [],
    checks: [],
    settings: {},
    axis: { entities: 1, stepMs: 10 },
  };
}

/**
 * What monitoring sends: 1,000 machines, each reporting every 10 s. The columns are those of CrateDB's own ingest
 * benchmark; the tags agree with each other and the CPU shares add up to 100.
 */
function metricsSchema(): TableSchema {
  const tag = (field: string): Column =>
    column(field, 'text', {
      kind: 'pool',
      pool: { from: 'records', set: 'hosts', field },
      pick: { by: 'entity' },
    });
  const usage = (name: string, generator: Omit<Generator & { kind: 'series' }, 'kind'>): Column =>
    column(`usage_${name}`, 'integer', { kind: 'series', ...generator });
  const parts = ['user', 'system', 'nice', 'iowait', 'irq', 'softirq', 'steal'];
  return {
    name: 'metrics',
    description:
      'machine metrics: ten tags that agree with each other and ten CPU shares that move like a machine’s',
    columns: [
      ...RUN_COLUMNS,
      column(
        'tags',
        {
          kind: 'object',
          policy: 'dynamic',
          columns: RECORD_SETS.hosts.map(tag),
        },
        { kind: 'object' },
      ),
      column('ts', 'timestamptz', { kind: 'time', jitterMs: 0 }, { notNull: true }),
      usage('user', {
        level: { min: 2, max: 30 },
        day: 15,
        noise: [
          { amplitude: 7, ticks: 60 },
          { amplitude: 3, ticks: 6 },
        ],
        jitter: 3,
        spike: { share: 0.002, height: 7 },
      }),
      usage('system', { level: { min: 1, max: 8 }, day: 4, noise: [{ amplitude: 4, ticks: 60 }], jitter: 1 }),
      column('usage_idle', 'integer', {
        kind: 'complement',
        total: 100,
        of: parts.map((name) => `usage_${name}`),
      }),
      usage('nice', { level: { min: 0, max: 1 }, noise: [{ amplitude: 1, ticks: 60 }] }),
      usage('iowait', { level: { min: 0, max: 3 }, day: 1, noise: [{ amplitude: 4, ticks: 6 }] }),
      usage('irq', { level: { min: 0, max: 1 }, noise: [{ amplitude: 1, ticks: 6 }] }),
      usage('softirq', { level: { min: 0, max: 1 }, day: 1, noise: [{ amplitude: 1, ticks: 6 }] }),
      usage('steal', { level: { min: 0, max: 1 }, noise: [{ amplitude: 2, ticks: 60 }] }),
      usage('guest', { level: { min: 0, max: 3 }, noise: [{ amplitude: 4, ticks: 60 }] }),
      usage('guest_nice', { level: { min: 0, max: 1 }, noise: [{ amplitude: 1, ticks: 60 }] }),
    ],
    primaryKey: KEY,
    clusteredBy: null,
    partitionedBy: [],
    checks: [],
    settings: {},
    axis: { entities: 1000, stepMs: 10_000 },
  };
}

const EUROPE = { west: -9.5, south: 36, east: 30, north: 60 } as const;

/**
 * A column of every type that CrateDB 6.4 can store, with nulls, a default, a generated column, a check, and
 * columns outside the index and the column store.
 */
function everythingSchema(): TableSchema {
  return {
    name: 'everything',
    description: 'a column of every type CrateDB 6.4 can store',
    columns: [...RUN_COLUMNS, ...scalarColumns(), ...textColumns(), ...spatialColumns(), ...nestedColumns()],
    primaryKey: KEY,
    clusteredBy: null,
    partitionedBy: [],
    checks: [{ name: 'everything_ratio', sql: '"double_value" >= -1000000' }],
    settings: { column_policy: 'strict' },
    axis: { entities: 1, stepMs: 1000 },
  };
}

function scalarColumns(): Column[] {
  const safe = Number.MAX_SAFE_INTEGER;
  return [
    column('boolean_value', 'boolean', { kind: 'boolean', trueShare: 0.7 }),
    column('byte_value', 'byte', integer(-128, 127)),
    column('smallint_value', 'smallint', integer(-32_768, 32_767)),
    column('integer_value', 'integer', integer(-2_147_483_648, 2_147_483_647), { nulls: 0.1 }),
    column('bigint_value', 'bigint', integer(-safe, safe)),
    column('real_value', 'real', { kind: 'normal', mean: 0, deviation: 100_000, scale: 3 }),
    column('double_value', 'double', decimal(-99_999_999_999, 99_999_999_999, 6)),
    column(
      'numeric_value',
      { kind: 'numeric', precision: 18, scale: 4 },
      decimal(-9_999_999_999_999, 9_999_999_999_999, 4),
    ),
    column(
      'numeric_large',
      { kind: 'numeric', precision: 38, scale: 10 },
      decimal(0, 999_999_999_999_999, 10),
    ),
    column('timestamptz_value', 'timestamptz', { kind: 'time', jitterMs: 999 }, { notNull: true }),
    column('timestamp_value', 'timestamp', integer(0, 4_102_444_800_000)),
    column('ip_value', 'ip', { kind: 'ip', version: 4 }),
    column('ip6_value', 'ip', { kind: 'ip', version: 6 }),
    column('uuid_value', 'uuid', { kind: 'uuid' }),
    column('bit_value', { kind: 'bit', length: 12 }, { kind: 'bits' }),
    column('month', 'timestamptz', null, { generatedAs: `date_trunc('month', "timestamptz_value")` }),
    column('origin', 'text', null, { default: `'crategen'` }),
  ];
}

function textColumns(): Column[] {
  return [
    column('text_value', 'text', {
      kind: 'pool',
      pool: { from: 'faker', method: 'lorem.sentence', entries: 500 },
    }),
    column(
      'varchar_value',
      { kind: 'varchar', length: 24 },
      { kind: 'characters', alphabet: 'base62', minLength: 1, maxLength: 24 },
    ),
    column(
      'char_value',
      { kind: 'char', length: 8 },
      { kind: 'characters', alphabet: 'base62', minLength: 4, maxLength: 8 },
    ),
    column('hex_value', 'text', { kind: 'characters', alphabet: 'hex', minLength: 16, maxLength: 16 }),
    // What breaks naive encoders: quotes, backslashes, control characters, wide and astral characters.
    column('odd_text', 'text', {
      kind: 'pool',
      pool: values([
        '',
        ' ',
        `it's "quoted"`,
        'back\\slash',
        'tab\tand\nline',
        'Zürich',
        '東京都',
        '🌍🚀',
        '\u2028',
        '\u007f',
        '</script>',
        `'; --`,
      ]),
    }),
    column(
      'fulltext_value',
      'text',
      { kind: 'pool', pool: { from: 'faker', method: 'lorem.paragraph', entries: 100 } },
      { index: { kind: 'fulltext', analyzer: 'english' } },
    ),
    column(
      'unindexed_value',
      'text',
      { kind: 'template', parts: ['item ', { kind: 'digits', min: 0, max: 999_999, width: 6 }] },
      { index: { kind: 'off' }, columnStore: false },
    ),
  ];
}

function spatialColumns(): Column[] {
  return [
    column('point_value', 'geo_point', { kind: 'geoPoint', box: EUROPE }),
    // About a kilometre: the larger a shape, the more terms it is indexed by, and a row costs milliseconds.
    column('area_value', 'geo_shape', { kind: 'geoShape', shape: 'polygon', box: EUROPE, maxSide: 0.01 }),
    column(
      'line_value',
      'geo_shape',
      { kind: 'geoShape', shape: 'line', box: EUROPE, maxSide: 0.01 },
      { nulls: 0.5 },
    ),
    column('vector_value', { kind: 'float_vector', dimensions: 8 }, { kind: 'vector', scale: 6 }),
  ];
}

function nestedColumns(): Column[] {
  const word: Generator = { kind: 'pool', pool: { from: 'faker', method: 'lorem.word', entries: 300 } };
  const array = (of: Generator, maxLength: number, minLength = 0): Generator => ({
    kind: 'array',
    minLength,
    maxLength,
    of,
  });
  const arrayOf = (kind: SimpleKind): ColumnType => ({ kind: 'array', of: { kind } });
  return [
    column(
      'dynamic_object',
      {
        kind: 'object',
        policy: 'dynamic',
        columns: [
          column('label', 'text', word),
          column('score', 'real', decimal(0, 1000, 2), { nulls: 0.2 }),
          column(
            'inner',
            { kind: 'object', policy: 'strict', columns: [column('deep', 'integer', integer(0, 9))] },
            { kind: 'object' },
          ),
        ],
      },
      { kind: 'object' },
    ),
    column(
      'strict_object',
      {
        kind: 'object',
        policy: 'strict',
        columns: [
          column('count', 'bigint', { kind: 'zipf', ranks: 1000, exponent: 1, from: 1 }),
          column('at', 'timestamptz', { kind: 'time', jitterMs: 0 }),
          column('flags', arrayOf('boolean'), array({ kind: 'boolean', trueShare: 0.5 }, 4)),
        ],
      },
      { kind: 'object' },
    ),
    column(
      'ignored_object',
      { kind: 'object', policy: 'ignored', columns: [] },
      {
        kind: 'choice',
        options: [
          { value: { any: [1, 'a', null] }, weight: 2 },
          { value: { 'dotted.key': true, nested: { depth: 2 } }, weight: 1 },
          { value: {}, weight: 1 },
        ],
      },
    ),
    column('integers', arrayOf('integer'), array(integer(-1000, 1000), 6)),
    column('doubles', arrayOf('double'), array(decimal(-100_000, 100_000, 3), 4)),
    column('texts', arrayOf('text'), array(word, 4)),
    column('times', arrayOf('timestamptz'), array({ kind: 'time', jitterMs: 60_000 }, 3)),
    column('addresses', arrayOf('ip'), array({ kind: 'ip', version: 4 }, 3)),
    column('points', arrayOf('geo_point'), array({ kind: 'geoPoint', box: EUROPE }, 3, 1)),
    column(
      'items',
      {
        kind: 'array',
        of: {
          kind: 'object',
          policy: 'strict',
          columns: [
            column('sku', 'text', {
              kind: 'template',
              parts: ['SKU-', { kind: 'digits', min: 0, max: 9999, width: 4 }],
            }),
            column('quantity', 'smallint', integer(1, 20)),
            column('price', 'double', { kind: 'exponential', min: 50, mean: 2000, scale: 2 }),
          ],
        },
      },
      array({ kind: 'object' }, 3),
    ),
  ];
}
