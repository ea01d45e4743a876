/** Random schema files that are right, a column a line: types, generators, nulls, keys, partitions, checks, settings. */
import fc from 'fast-check';

/** A column without its name: the YAML behind the colon. */
export type ColumnText = string;

const share = fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`);
const pair = (min: number, max: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map(([a, b]) => `[${Math.min(a, b)}, ${Math.max(a, b)}]`);

/** A type and what may generate it; an empty text leaves the choice to crategen. */
interface Kind {
  readonly type: fc.Arbitrary<string>;
  readonly generators: fc.Arbitrary<string>;
}

const whole = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant(''),
    pair(min, max).map((bounds) => `uniform: ${bounds}`),
    fc.integer({ min, max }).map((value) => `constant: ${value}`),
    fc.integer({ min: 0, max: 100 }).map((start) => `sequence: { start: ${start}, wrap: 27 }`),
    fc.integer({ min: 1, max: 20 }).map((ranks) => `zipf: { ranks: ${ranks}, s: 1.2 }`),
    fc.constant('normal: { mean: 50, sd: 5, min: 0, max: 100 }'),
    fc.constant('exponential: { mean: 5, max: 100 }'),
    fc.constant('choice: { 1: 5, 2: 1.5, 100: 0.1 }'),
    fc.constant('pool: [1, 2, 3]'),
    pair(min, max).map((bounds) => `histogram: { bounds: ${bounds} }`),
    pair(min, max).map((bounds) => `ranks: { distinct: 9, weights: [50%, 0.2], bounds: ${bounds} }`),
    fc.constant('series: { level: [1, 10], daily: 10%, noise: 5, spikes: 1% }'),
  );

const TEXTS: fc.Arbitrary<string> = fc.oneof(
  fc.constant(''),
  fc.constantFrom('pool: 200', 'faker: location.city', 'uuid', 'hex: 12', 'characters: 1..20', 'ip: 6'),
  fc.constant('pattern: "{a}-{000..999}{{x}}{seq}", with: { a: { faker: person.firstName }, }'),
  fc.constant('ranks: { distinct: 3k, weights: [50%, 0.2], values: [a, "b c"], prefix: "ü{", width: 9 }'),
  fc.constant('choice: { new: 3, "it\'s": 1, "ünï": 0.5 }'),
  fc.constant('pool: { list: ["", " ", "東京都", "back\\\\slash"], per: entity }'),
  fc
    .constant('reference: { to: records.name.first, rows: 10 }')
    .map(() => 'reference: { to: records.status, rows: 50, skew: zipf }'),
);

const KINDS: readonly Kind[] = [
  {
    type: fc.constantFrom('boolean', 'bool'),
    generators: fc.oneof(
      fc.constant(''),
      share.map((one) => `boolean: ${one}`),
    ),
  },
  { type: fc.constant('byte'), generators: whole(-100, 100) },
  { type: fc.constantFrom('smallint', 'short'), generators: whole(-30_000, 30_000) },
  { type: fc.constantFrom('integer', 'int'), generators: whole(-2_000_000_000, 2_000_000_000) },
  { type: fc.constantFrom('bigint', 'long'), generators: whole(-1e12, 1e12) },
  { type: fc.constantFrom('real', 'double precision'), generators: whole(-100_000, 100_000) },
  {
    type: fc
      .tuple(fc.integer({ min: 4, max: 38 }), fc.integer({ min: 0, max: 4 }))
      .map(([p, s]) => `"numeric(${p}, ${Math.min(s, p - 3)})"`),
    generators: fc.oneof(
      fc.constant(''),
      pair(-99, 99).map((bounds) => `uniform: ${bounds}`),
    ),
  },
  { type: fc.constantFrom('text', 'string'), generators: TEXTS },
  {
    type: fc
      .integer({ min: 1, max: 60 })
      .chain((length) => fc.constantFrom(`varchar(${length})`, `char(${length})`)),
    generators: fc.constantFrom('', 'characters', 'faker: lorem.word', 'pool: 9'),
  },
  { type: fc.constant('ip'), generators: fc.constantFrom('', 'ip', 'ip: 6') },
  { type: fc.constant('uuid'), generators: fc.constantFrom('', 'uuid') },
  {
    type: fc.integer({ min: 1, max: 64 }).map((length) => `bit(${length})`),
    generators: fc.constantFrom('', 'bits'),
  },
  {
    type: fc.constantFrom('timestamp with time zone', 'timestamp without time zone', 'timestamptz'),
    generators: fc.constantFrom(
      '',
      'time',
      'time: { step: 250ms, jitter: 1s, late: { share: 2%, up_to: 10m } }',
      'uniform: [2020-01-01, 2026-01-01T10:00:00Z]',
    ),
  },
  {
    type: fc.constant('geo_point'),
    generators: fc.constantFrom('', 'around: { lon: 9.7, lat: 47.4, radius_km: 50 }', 'box: [1, 2, 3, 4]'),
  },
  {
    type: fc.constant('geo_shape'),
    generators: fc.constantFrom('', 'shape: { kind: line, size: 0.02 }', 'shape: { kind: point }'),
  },
  {
    type: fc.integer({ min: 1, max: 20 }).map((size) => `float_vector(${size})`),
    generators: fc.constantFrom('', 'vector'),
  },
];

/** Without those that an array cannot have. */
const scalar = fc
  .constantFrom(...KINDS)
  .chain(({ type, generators }) => fc.record({ type, generate: generators }));
const element = scalar.filter(
  ({ type }) => !type.startsWith('float_vector') && !type.startsWith('geo_shape'),
);

const text = (type: string, generate: string, more: string): ColumnText =>
  `{ type: ${type}${generatorText(generate)}${more} }`;
function generatorText(generate: string): string {
  if (generate === '') return '';
  return generate.includes(':') ? `, generate: { ${generate} }` : `, generate: ${generate}`;
}

const nulls = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.constantFrom(', nulls: 10%', ', nulls: 1', ', not_null: true'),
);

const simple = fc.tuple(scalar, nulls).map(([{ type, generate }, more]) => text(type, generate, more));
const array = element.map(({ type, generate }) =>
  text(`"array(${type.replaceAll('"', '')})"`, generate, ', length: 0..4'),
);
const object = fc
  .tuple(
    fc.constantFrom('object', '"array(object(strict))"', 'object(dynamic)'),
    fc.array(simple, { minLength: 1, maxLength: 3 }),
  )
  // A vector in the objects of an array is refused: see validate-schema.ts.
  .filter(([type, columns]) => !type.includes('array') || !columns.some((one) => one.includes('vector')))
  .map(
    ([type, columns]) =>
      `{ type: ${type}, columns: { ${columns.map((column, index) => `k${index}: ${column}`).join(', ')} } }`,
  );
const server = fc.constantFrom(
  '{ type: text, default: "\'crategen\'" }',
  '{ type: text, index: off, columnstore: false }',
  '{ type: text, index: { fulltext: { analyzer: english } }, generate: { faker: lorem.sentence } }',
);

/** Names that tell a generator, and names that need quotes in SQL. */
const NAMES = [
  'email',
  'city',
  'price',
  'created_at',
  'customer_id',
  'tags',
  'Mixed Case',
  'select',
  'größe',
  'x',
];

export interface RandomSchemaFile {
  readonly text: string;
  /** Numbers of the lines with a column, from 1. */
  readonly columnLines: readonly number[];
}

export const schemaFile: fc.Arbitrary<RandomSchemaFile> = fc
  .record({
    columns: fc.array(fc.oneof({ weight: 5, arbitrary: simple }, array, object, server), {
      minLength: 1,
      maxLength: 8,
    }),
    hasIdentity: fc.boolean(),
    isPartitioned: fc.boolean(),
    shards: fc.integer({ min: 1, max: 4 }),
    offset: fc.nat(NAMES.length - 1),
  })
  .map(({ columns, hasIdentity, isPartitioned, shards, offset }) => {
    const own = columns.map((column, index) => `  ${JSON.stringify(nameAt(index + offset))}: ${column}`);
    const lines = [
      'description: random',
      'time: { step: 1h, entities: 3 }',
      'columns:',
      '  id: { type: bigint, generate: sequence }',
      ...own,
      ...(isPartitioned ? ['  part: { type: integer, generate: { uniform: [1, 2] } }'] : []),
      ...(hasIdentity
        ? ['identity: true']
        : [
            `primary_key: [id${isPartitioned ? ', part' : ''}]`,
            `clustered_by: { column: id, shards: ${shards} }`,
          ]),
      ...(isPartitioned ? ['partitioned_by: part'] : []),
      'checks: { positive: "id > 0" }',
      'with: { number_of_replicas: 0, column_policy: strict }',
    ];
    return { text: `${lines.join('\n')}\n`, columnLines: own.map((_, index) => index + 5) };
  });

function nameAt(index: number): string {
  const name = NAMES[index % NAMES.length] ?? 'x';
  return index < NAMES.length ? name : `${name}${index}`;
}

/** One change to a line with a column that no schema survives. */
export const spoiling: fc.Arbitrary<(line: string) => string> = fc.constantFrom(
  (line: string) => line.replace('type:', 'tpye:'),
  (line: string) => line.replace(/type: [^,}]+/, 'type: money'),
  (line: string) => line.replace('{ type', '{ nulls: 300%, type'),
  (line: string) => line.replace('{ type', '{ generat: uuid, type'),
  (line: string) => line.replace('{ type', '{ "__proto__": 1, type'),
  (line: string) => line.replace(/ \}$/, ''),
  (line: string) => line.replace(/: \{/, ': [{'),
);
