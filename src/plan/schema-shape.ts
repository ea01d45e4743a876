/**
 * The shape that a table's schema has in plan files and run files: read back without the file or the server that
 * it came from. Data from outside, so its size is bounded, and a schema that no rows can be made for is refused.
 */
import * as v from 'valibot';
import {
  type Column,
  type ColumnType,
  type Generator,
  type GeneratorKind,
  type JsonValue,
  type PoolSource,
  type RecordSet,
  type TableSchema,
  type TemplatePart,
  type TypeKind,
  FAKER_METHODS,
  RECORD_SETS,
} from '../rows/schema.ts';
import { validateSchema } from '../rows/validate-schema.ts';
import type { SchemaSource } from './run-plan.ts';

/** What is deeper could exhaust the stack of whoever walks it; CrateDB's own limit for objects is 20. */
const MAX_DEPTH = 100;
/** Columns, generators and the values of pools together. */
const MAX_NODES = 2_000_000;
const MAX_TEXT = 1_000_000;

const TEXT = v.pipe(v.string(), v.maxLength(MAX_TEXT));
const NUMBER = v.pipe(v.number(), v.finite());
const COUNT = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Was JSON, and its depth and size have been checked before. */
const JSON_VALUE = v.custom<JsonValue>((value) => value !== undefined);

const bare = <Kind extends string>(kind: Kind) => v.object({ kind: v.literal(kind) });
const sized = <Kind extends string>(kind: Kind) => v.object({ kind: v.literal(kind), length: COUNT });

/** One shape per kind: a kind without one does not compile. */
const TYPES = {
  boolean: bare('boolean'),
  byte: bare('byte'),
  smallint: bare('smallint'),
  integer: bare('integer'),
  bigint: bare('bigint'),
  real: bare('real'),
  double: bare('double'),
  numeric: v.object({ kind: v.literal('numeric'), precision: COUNT, scale: COUNT }),
  text: bare('text'),
  varchar: sized('varchar'),
  char: sized('char'),
  bit: sized('bit'),
  ip: bare('ip'),
  uuid: bare('uuid'),
  timestamptz: bare('timestamptz'),
  timestamp: bare('timestamp'),
  geo_point: bare('geo_point'),
  geo_shape: bare('geo_shape'),
  float_vector: v.object({ kind: v.literal('float_vector'), dimensions: COUNT }),
  object: v.object({
    kind: v.literal('object'),
    policy: v.picklist(['dynamic', 'strict', 'ignored']),
    columns: v.array(v.lazy(() => COLUMN)),
  }),
  array: v.object({ kind: v.literal('array'), of: v.lazy(() => TYPE) }),
} satisfies Record<TypeKind, v.GenericSchema<unknown, ColumnType>>;

const TYPE: v.GenericSchema<unknown, ColumnType> = v.variant('kind', Object.values(TYPES));

const RECORD_SET_NAMES = Object.keys(RECORD_SETS).filter((name): name is RecordSet => name in RECORD_SETS);

const POOL: v.GenericSchema<unknown, PoolSource> = v.variant('from', [
  v.object({
    from: v.literal('faker'),
    method: v.picklist(FAKER_METHODS),
    entries: COUNT,
    maxLength: v.exactOptional(COUNT),
  }),
  v.object({ from: v.literal('values'), values: v.array(JSON_VALUE) }),
  v.object({ from: v.literal('records'), set: v.picklist(RECORD_SET_NAMES), field: TEXT }),
]);

const PICK = v.variant('by', [
  v.object({ by: v.literal('draw'), draw: v.exactOptional(TEXT) }),
  v.object({ by: v.literal('entity') }),
]);

const CHARACTERS = v.object({
  kind: v.literal('characters'),
  alphabet: v.picklist(['base62', 'hex']),
  minLength: COUNT,
  maxLength: COUNT,
});

const POOL_PICK = v.object({ kind: v.literal('pool'), pool: POOL, pick: v.exactOptional(PICK) });

const SEQUENCE = v.object({
  kind: v.literal('sequence'),
  start: NUMBER,
  step: NUMBER,
  wrap: v.exactOptional(COUNT),
});

const TEMPLATE_PART: v.GenericSchema<unknown, TemplatePart> = v.union([
  TEXT,
  v.variant('kind', [
    POOL_PICK,
    v.object({ kind: v.literal('digits'), min: COUNT, max: COUNT, width: v.exactOptional(COUNT) }),
    CHARACTERS,
    v.object({ ...SEQUENCE.entries, width: v.exactOptional(COUNT) }),
  ]),
]);

const BOX = v.object({ west: NUMBER, south: NUMBER, east: NUMBER, north: NUMBER });
const SCALED = { scale: COUNT };

/** One shape per kind: a kind without one does not compile. */
const GENERATORS = {
  runId: bare('runId'),
  seq: bare('seq'),
  uuid: bare('uuid'),
  bits: bare('bits'),
  object: bare('object'),
  constant: v.object({ kind: v.literal('constant'), value: JSON_VALUE }),
  boolean: v.object({ kind: v.literal('boolean'), trueShare: NUMBER }),
  integer: v.object({ kind: v.literal('integer'), min: NUMBER, max: NUMBER }),
  decimal: v.object({ kind: v.literal('decimal'), min: NUMBER, max: NUMBER, ...SCALED }),
  normal: v.object({
    kind: v.literal('normal'),
    mean: NUMBER,
    deviation: NUMBER,
    ...SCALED,
    min: v.exactOptional(NUMBER),
    max: v.exactOptional(NUMBER),
  }),
  exponential: v.object({
    kind: v.literal('exponential'),
    min: NUMBER,
    mean: NUMBER,
    ...SCALED,
    max: v.exactOptional(NUMBER),
  }),
  zipf: v.object({ kind: v.literal('zipf'), ranks: COUNT, exponent: NUMBER, from: NUMBER }),
  sequence: SEQUENCE,
  buckets: v.object({ kind: v.literal('buckets'), bounds: v.array(NUMBER), ...SCALED }),
  ranked: v.object({
    kind: v.literal('ranked'),
    distinct: COUNT,
    weights: v.array(NUMBER),
    values: v.exactOptional(v.array(JSON_VALUE)),
    of: v.variant('kind', [
      v.object({ kind: v.literal('text'), prefix: TEXT, width: COUNT }),
      v.object({ kind: v.literal('quantiles'), bounds: v.array(NUMBER), ...SCALED }),
    ]),
  }),
  reference: v.object({
    kind: v.literal('reference'),
    schemaName: TEXT,
    path: TEXT,
    generator: v.lazy(() => GENERATOR),
    rows: COUNT,
    skew: v.variant('kind', [bare('uniform'), v.object({ kind: v.literal('zipf'), exponent: NUMBER })]),
  }),
  time: v.object({
    kind: v.literal('time'),
    jitterMs: COUNT,
    late: v.exactOptional(v.object({ share: NUMBER, upToMs: COUNT })),
    stepMs: v.exactOptional(COUNT),
    startMs: v.exactOptional(NUMBER),
  }),
  pool: POOL_PICK,
  choice: v.object({
    kind: v.literal('choice'),
    options: v.array(v.object({ value: JSON_VALUE, weight: NUMBER })),
  }),
  template: v.object({ kind: v.literal('template'), parts: v.array(TEMPLATE_PART) }),
  characters: CHARACTERS,
  ip: v.object({ kind: v.literal('ip'), version: v.picklist([4, 6]) }),
  geoPoint: v.object({ kind: v.literal('geoPoint'), box: BOX }),
  geoAround: v.object({ kind: v.literal('geoAround'), lon: NUMBER, lat: NUMBER, radiusKm: NUMBER }),
  geoShape: v.object({
    kind: v.literal('geoShape'),
    shape: v.picklist(['point', 'line', 'polygon']),
    box: BOX,
    maxSide: NUMBER,
  }),
  vector: v.object({ kind: v.literal('vector'), ...SCALED }),
  array: v.object({
    kind: v.literal('array'),
    minLength: COUNT,
    maxLength: COUNT,
    of: v.lazy(() => GENERATOR),
  }),
  series: v.object({
    kind: v.literal('series'),
    per: v.exactOptional(TEXT),
    scale: v.exactOptional(COUNT),
    level: v.object({ min: NUMBER, max: NUMBER }),
    day: v.exactOptional(NUMBER),
    week: v.exactOptional(NUMBER),
    noise: v.exactOptional(v.array(v.object({ amplitude: NUMBER, ticks: COUNT }))),
    jitter: v.exactOptional(NUMBER),
    spike: v.exactOptional(v.object({ share: NUMBER, height: NUMBER })),
    follows: v.exactOptional(v.object({ column: TEXT, share: NUMBER })),
  }),
  complement: v.object({ kind: v.literal('complement'), total: COUNT, of: v.array(TEXT) }),
} satisfies Record<GeneratorKind, v.GenericSchema<unknown, Generator>>;

const GENERATOR: v.GenericSchema<unknown, Generator> = v.variant('kind', Object.values(GENERATORS));

const COLUMN: v.GenericSchema<unknown, Column> = v.object({
  name: TEXT,
  type: TYPE,
  notNull: v.exactOptional(v.boolean()),
  default: v.exactOptional(TEXT),
  generatedAs: v.exactOptional(TEXT),
  index: v.exactOptional(
    v.variant('kind', [bare('off'), v.object({ kind: v.literal('fulltext'), analyzer: TEXT })]),
  ),
  columnStore: v.exactOptional(v.boolean()),
  generator: v.nullable(GENERATOR),
  nulls: v.exactOptional(NUMBER),
});

const SHAPE: v.GenericSchema<unknown, TableSchema> = v.object({
  name: TEXT,
  description: TEXT,
  columns: v.array(COLUMN),
  primaryKey: v.array(TEXT),
  clusteredBy: v.nullable(TEXT),
  shards: v.exactOptional(COUNT),
  partitionedBy: v.array(TEXT),
  checks: v.array(v.object({ name: TEXT, sql: TEXT })),
  settings: v.record(v.string(), v.union([TEXT, NUMBER, v.boolean()])),
  axis: v.object({ entities: COUNT, stepMs: COUNT }),
});

/**
 * A schema as `TableSchema` describes it, one that rows can be made for. Opaque to the JSON Schema of the run file:
 * its shape follows the generators there are.
 */
export const TABLE_SCHEMA = v.pipe(
  v.unknown(),
  v.description('the typed model of the table that rows were made for'),
  v.rawTransform<unknown, TableSchema>(({ dataset, addIssue, NEVER }) => {
    if (!isBounded(dataset.value)) {
      addIssue({ message: 'nested too deeply, or too large' });
      return NEVER;
    }
    const parsed = v.safeParse(SHAPE, dataset.value);
    for (const { message, path } of parsed.issues ?? [])
      addIssue(path === undefined ? { message } : { message, path });
    if (!parsed.success) return NEVER;
    for (const message of validateSchema(parsed.output)) addIssue({ message });
    return parsed.output;
  }),
);

export const SCHEMA_SOURCE: v.GenericSchema<unknown, SchemaSource> = v.variant('kind', [
  v.object({ kind: v.literal('preset'), name: TEXT }),
  v.object({ kind: v.picklist(['file', 'ddl']), path: TEXT }),
  v.object({
    kind: v.literal('like'),
    table: v.object({ schema: TEXT, table: TEXT }),
    shape: v.boolean(),
    copyValues: v.boolean(),
  }),
]);

/** Walked with a list of its own: the input may be deeper than any stack. */
function isBounded(input: unknown): boolean {
  let nodes = 0;
  let level: unknown[] = [input];
  for (let depth = 0; level.length > 0; depth += 1) {
    nodes += level.length;
    if (depth > MAX_DEPTH || nodes > MAX_NODES) return false;
    level = level.flatMap((value): unknown[] =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
  }
  return true;
}
