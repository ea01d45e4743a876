/** Random tables: columns of every type that numbers, texts and places are made for, filled by every kind of generator. */
import fc from 'fast-check';
import { columnExtent } from '../../src/rows/extents.ts';
import type { Column, ColumnType, Generator, PoolSource, TableSchema } from '../../src/rows/schema.ts';
import { validateSchema } from '../../src/rows/validate-schema.ts';
import { tableOf } from './support.ts';

interface Filled {
  readonly type: ColumnType;
  readonly generator: Generator;
}

const oneOf = <const Kind extends string>(...kinds: Kind[]): fc.Arbitrary<{ readonly kind: Kind }> =>
  fc.constantFrom(...kinds).map((kind) => ({ kind }));
const filled = (type: fc.Arbitrary<ColumnType>, generator: fc.Arbitrary<Generator>): fc.Arbitrary<Filled> =>
  fc.record({ type, generator });

const anyDecimals = oneOf('double', 'real');
const anyWide = oneOf('bigint', 'double', 'timestamptz');
const anyScale = fc.integer({ min: 0, max: 4 });
const anyShare = fc.oneof(fc.constantFrom(0, 1, 0.5), fc.double({ min: 0, max: 1, noNaN: true }));

/** Numbers of all sizes, also negative and near the places where arithmetic changes its form. */
const anyWhole = fc.oneof(
  fc.integer({ min: -200, max: 200 }),
  fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  fc.constantFrom(2 ** 31, 2 ** 32 - 1, -(2 ** 32), 2 ** 52, -(2 ** 52)),
);
const anyPair = fc.tuple(anyWhole, anyWhole).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
/** At times given. */
const optional = <Name extends string, Value>(
  name: Name,
  value: fc.Arbitrary<Value>,
): fc.Arbitrary<{ readonly [key in Name]?: Value }> =>
  fc.option(value, { nil: undefined }).map(
    (given) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      (given === undefined ? {} : { [name]: given }) as { readonly [key in Name]?: Value },
  );
const merged = <A, B>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>): fc.Arbitrary<A & B> =>
  fc.tuple(a, b).map(([left, right]) => ({ ...left, ...right }));

const anyPool: fc.Arbitrary<PoolSource> = fc.oneof(
  fc.record({
    from: fc.constant('values' as const),
    values: fc.array(fc.string({ unit: 'grapheme', maxLength: 9 }), { minLength: 1, maxLength: 12 }),
  }),
  fc.record({
    from: fc.constant('faker' as const),
    method: fc.constantFrom('lorem.word' as const, 'location.city' as const),
    entries: fc.integer({ min: 1, max: 20 }),
    maxLength: fc.integer({ min: 1, max: 9 }),
  }),
);
const anyDrawnPool: fc.Arbitrary<Generator> = fc.record({
  kind: fc.constant('pool' as const),
  pool: anyPool,
});

const anySequence = merged(
  fc.record({
    kind: fc.constant('sequence' as const),
    start: fc.integer({ min: -100, max: 100 }),
    step: fc.constantFrom(1, -1, 2, 7, -1000, 1_000_000_007),
  }),
  optional('wrap', fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(2 ** 33))),
);

/** Bounds that do not descend: some alike, some far apart. */
const anyBounds = fc
  .tuple(
    anyWhole,
    fc.array(fc.oneof(fc.constantFrom(0, 1), fc.nat(1000), fc.nat(2 ** 31), fc.constant(2 ** 40)), {
      minLength: 1,
      maxLength: 12,
    }),
  )
  .map(([first, widths]) => {
    let end = first;
    return [first, ...widths.map((width) => (end += width))];
  });

const anyNumber: fc.Arbitrary<Filled> = fc.oneof(
  filled(
    oneOf('bigint', 'double'),
    anyPair.map(([min, max]) => ({ kind: 'integer', min, max })),
  ),
  filled(
    anyDecimals,
    merged(
      fc.record({
        kind: fc.constant('normal' as const),
        mean: anyWhole,
        deviation: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        scale: anyScale,
      }),
      fc.oneof(
        anyPair.map(([min, max]) => ({ min, max })),
        optional('min', anyWhole),
        optional('max', anyWhole),
      ),
    ),
  ),
  filled(
    anyDecimals,
    merged(
      fc.record({
        kind: fc.constant('exponential' as const),
        min: fc.integer({ min: -1000, max: 1000 }),
        mean: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        scale: anyScale,
      }),
      optional('max', anyWhole),
    ),
  ),
  filled(
    oneOf('bigint', 'double'),
    fc.record({
      kind: fc.constant('zipf' as const),
      ranks: fc.constantFrom(1, 2, 100, 65_536, 65_537, 10_000_000, 2 ** 32),
      exponent: fc.constantFrom(0, 0.7, 1, 2.5),
      from: fc.integer({ min: -5, max: 5 }),
    }),
  ),
  filled(oneOf('byte', 'smallint', 'integer', 'bigint', 'real', 'double', 'timestamp'), anySequence),
  filled(
    anyWide,
    fc.record({ kind: fc.constant('buckets' as const), bounds: anyBounds, scale: fc.constant(0) }),
  ),
  filled(
    anyWide,
    fc.record({
      kind: fc.constant('ranked' as const),
      distinct: fc.constantFrom(3, 10, 1000, 2 ** 31),
      weights: fc.array(fc.constantFrom(0, 0.01, 0.3), { maxLength: 3 }),
      of: fc.record({ kind: fc.constant('quantiles' as const), bounds: anyBounds, scale: fc.constant(0) }),
    }),
  ),
);

const anyText: fc.Arbitrary<Generator> = fc.oneof(
  anyDrawnPool,
  fc.constant<Generator>({ kind: 'uuid' }),
  fc.record({
    kind: fc.constant('characters' as const),
    alphabet: fc.constant('base62' as const),
    minLength: fc.nat(3),
    maxLength: fc.integer({ min: 3, max: 20 }),
  }),
  fc.record({
    kind: fc.constant('template' as const),
    parts: fc.array(
      fc.oneof(
        fc.string({ maxLength: 4 }),
        fc.record({ kind: fc.constant('pool' as const), pool: anyPool }),
        fc.constant({ kind: 'digits' as const, min: 0, max: 999, width: 3 }),
        merged(
          anySequence.map((sequence) => ({
            ...sequence,
            start: Math.abs(sequence.start),
            step: Math.abs(sequence.step),
          })),
          optional('width', fc.integer({ min: 1, max: 12 })),
        ),
      ),
      { maxLength: 4 },
    ),
  }),
  fc
    .record({
      distinct: fc.constantFrom(2, 3, 50, 2 ** 31),
      weights: fc.array(fc.constantFrom(0, 0.01, 0.5), { minLength: 1, maxLength: 2 }),
      hasValues: fc.boolean(),
      prefix: fc.string({ unit: 'grapheme', maxLength: 5 }),
      width: fc.integer({ min: 1, max: 12 }),
    })
    .map(({ distinct, weights, hasValues, prefix, width }) => ({
      kind: 'ranked' as const,
      distinct,
      weights,
      ...(hasValues ? { values: weights.map((_, rank) => `${rank}"`) } : {}),
      of: { kind: 'text' as const, prefix, width },
    })),
);

const anyTime: fc.Arbitrary<Generator> = merged(
  merged(
    fc.record({ kind: fc.constant('time' as const), jitterMs: fc.constantFrom(0, 1, 999, 86_400_000) }),
    optional('late', fc.record({ share: anyShare, upToMs: fc.constantFrom(1, 60_000, 10 ** 13) })),
  ),
  merged(
    optional('stepMs', fc.constantFrom(0, 1, 250, 86_400_000)),
    optional('startMs', fc.constantFrom(0, 10 ** 12)),
  ),
);

const anyPlace: fc.Arbitrary<Generator> = fc.record({
  kind: fc.constant('geoAround' as const),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
  lat: fc.double({ min: -84, max: 84, noNaN: true }),
  radiusKm: fc.constantFrom(0.001, 1, 50, 111, 5000, 9000),
});

/** A column of another table, and how often which of its rows is meant. */
function referenceTo({ type, generator }: Filled): fc.Arbitrary<Filled> {
  return filled(
    fc.constant(type),
    fc.record({
      kind: fc.constant('reference' as const),
      schemaName: fc.constantFrom('tested', 'other'),
      path: fc.constantFrom('c0', 'o.id'),
      generator: fc.constant(generator),
      rows: fc.constantFrom(1, 7, 70_000, 2 ** 32),
      skew: fc.oneof(
        fc.constant({ kind: 'uniform' as const }),
        fc.record({ kind: fc.constant('zipf' as const), exponent: fc.constantFrom(0.5, 1.1) }),
      ),
    }),
  );
}

const anyReferable = fc.oneof(anyNumber, filled(oneOf('text'), anyText));
const anyScalar: fc.Arbitrary<Filled> = fc.oneof(
  { weight: 5, arbitrary: anyNumber },
  { weight: 2, arbitrary: filled(oneOf('text'), anyText) },
  { weight: 2, arbitrary: filled(oneOf('timestamptz', 'timestamp'), anyTime) },
  filled(oneOf('geo_point'), anyPlace),
  anyReferable.chain(referenceTo),
);

/** A series beside `names`, one of which it may belong to and one it may follow. */
function anySeries(names: readonly string[]): fc.Arbitrary<Filled> {
  const anyName = names.length === 0 ? fc.constant('none') : fc.constantFrom(...names);
  const shape = fc.record({
    kind: fc.constant('series' as const),
    scale: fc.nat(2),
    level: fc
      .tuple(fc.integer({ min: -500, max: 500 }), fc.nat(500))
      .map(([min, more]) => ({ min, max: min + more })),
    day: fc.nat(50),
    week: fc.nat(50),
    noise: fc.array(fc.record({ amplitude: fc.nat(20), ticks: fc.constantFrom(1, 6, 60) }), { maxLength: 2 }),
    jitter: fc.nat(5),
    spike: fc.record({ share: anyShare, height: fc.nat(90) }),
  });
  const bonds = merged(
    optional('per', anyName),
    optional('follows', fc.record({ column: anyName, share: fc.constantFrom(0.5, -0.25, -3, 1e-6) })),
  );
  return filled(oneOf('double'), merged(shape, bonds));
}

const inArray = ({ type, generator }: Filled): fc.Arbitrary<Filled> =>
  fc.constantFrom(0, 1).map((minLength) => ({
    type: { kind: 'array', of: type },
    generator: { kind: 'array', minLength, maxLength: 3, of: generator },
  }));

const inObject = (fields: readonly Filled[]): Filled => ({
  type: {
    kind: 'object',
    policy: 'strict',
    columns: fields.map((field, index) => ({ name: `f${index}`, ...field, nulls: index * 0.3 })),
  },
  generator: { kind: 'object' },
});
const anyObject = fc.array(anyScalar, { minLength: 1, maxLength: 3 }).map(inObject);

/** Valid tables; the series in them may follow each other. */
export const anySchema: fc.Arbitrary<TableSchema> = fc
  .record({
    plain: fc.array(fc.oneof(anyScalar, anyScalar.chain(inArray), anyObject, anyObject.chain(inArray)), {
      minLength: 1,
      maxLength: 4,
    }),
    entities: fc.constantFrom(1, 2, 100, 20_000),
    stepMs: fc.constantFrom(0, 1, 10_000),
    series: fc.constantFrom(0, 1, 2, 3),
    nulls: fc.constantFrom(0, 0.2),
  })
  .chain(({ plain, entities, stepMs, series, nulls }) => {
    const columns = plain.map((column, index): Column => ({ name: `c${index}`, ...column, nulls }));
    const numbers = columns.filter((column) => columnExtent(column.name, columns) !== null);
    const names = [
      ...numbers.map(({ name }) => name),
      ...Array.from({ length: series }, (_, index) => `s${index}`),
    ];
    return fc.tuple(...Array.from({ length: series }, () => anySeries(names))).map((more) =>
      tableOf([...columns, ...more.map((column, index): Column => ({ name: `s${index}`, ...column }))], {
        axis: { entities, stepMs },
      }),
    );
  })
  .filter((schema) => validateSchema(schema).length === 0);
