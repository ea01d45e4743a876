/**
 * The typed model of a table: CrateDB's column types, keys, partitions, settings, and how each column is
 * generated. Presets, schema files and introspected tables all become this; DDL, statements and the row plan
 * are made from it. Plain JSON data: it is kept in the run file.
 */

/** The policy of an OBJECT column: what happens to keys that are not declared. */
export type ObjectPolicy = 'dynamic' | 'strict' | 'ignored';

/** Every type a column of CrateDB 6.4 can have. Source: cratedb.com docs, general/ddl/data-types. */
export type ColumnType =
  | { readonly kind: 'boolean' | 'byte' | 'smallint' | 'integer' | 'bigint' | 'real' | 'double' }
  | { readonly kind: 'numeric'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'text' | 'ip' | 'uuid' | 'timestamptz' | 'timestamp' | 'geo_point' | 'geo_shape' }
  | { readonly kind: 'varchar' | 'char' | 'bit'; readonly length: number }
  | { readonly kind: 'float_vector'; readonly dimensions: number }
  | { readonly kind: 'object'; readonly policy: ObjectPolicy; readonly columns: readonly Column[] }
  | { readonly kind: 'array'; readonly of: ColumnType };

export type TypeKind = ColumnType['kind'];

/** What JSON can hold; numbers are finite, integers among them safe. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Methods of faker that may fill a pool: a closed list, so that a schema can never name anything else. */
export const FAKER_METHODS = [
  'person.firstName',
  'person.lastName',
  'person.jobTitle',
  'location.city',
  'location.country',
  'location.countryCode',
  'location.street',
  'location.zipCode',
  'company.name',
  'company.catchPhrase',
  'commerce.productName',
  'commerce.department',
  'internet.userAgent',
  'internet.domainName',
  'finance.currencyCode',
  'hacker.phrase',
  'lorem.word',
  'lorem.sentence',
  'lorem.paragraph',
  'system.mimeType',
  'vehicle.vehicle',
] as const;
export type FakerMethod = (typeof FAKER_METHODS)[number];

/** Sets of records whose fields belong together; the pool builder makes them. */
export const RECORD_SETS = {
  /** Given names, as people write them and as they stand in a mail address. */
  firstNames: ['display', 'mail'],
  lastNames: ['display', 'mail'],
  /** Machines of a made-up company: a rack has one architecture, a data centre one region, a service one team. */
  hosts: [
    'arch',
    'datacenter',
    'hostname',
    'os',
    'rack',
    'region',
    'service',
    'service_environment',
    'service_version',
    'team',
  ],
} as const satisfies Record<string, readonly string[]>;
export type RecordSet = keyof typeof RECORD_SETS;

/** Where the entries of a pool come from. */
export type PoolSource =
  | {
      readonly from: 'faker';
      readonly method: FakerMethod;
      readonly entries: number;
      /** Longer texts are cut to so many characters: for VARCHAR and CHAR columns. */
      readonly maxLength?: number;
    }
  | { readonly from: 'values'; readonly values: readonly JsonValue[] }
  | { readonly from: 'records'; readonly set: RecordSet; readonly field: string };

/**
 * Which entry a row takes: a draw (columns that name the same `draw` take entries with the same number, so that
 * they agree with each other; without a name the column's own path), or the row's entity, modulo the entries.
 */
export type Pick = { readonly by: 'draw'; readonly draw?: string } | { readonly by: 'entity' };

/** Parts of a composed text: a literal, an entry of a pool of texts, digits, random characters, a sequence from 0 up. */
export type TemplatePart =
  | string
  | { readonly kind: 'pool'; readonly pool: PoolSource; readonly pick?: Pick }
  | { readonly kind: 'digits'; readonly min: number; readonly max: number; readonly width?: number }
  | CharactersGenerator
  | (SequenceGenerator & { readonly width?: number });

export interface CharactersGenerator {
  readonly kind: 'characters';
  readonly alphabet: 'base62' | 'hex';
  readonly minLength: number;
  /** Hexadecimal texts have one length: minLength = maxLength, at most 16. */
  readonly maxLength: number;
}

/**
 * start + step · row, the same in all elements of an array. It begins again after `wrap` rows; without `wrap` where
 * the column's type ends (an integer from 1 after 2^31 − 1 rows), so that every row of an endless run can be stored.
 * A run whose number of rows is known is refused when one without `wrap` would repeat: see `validateSchema`.
 */
export interface SequenceGenerator {
  readonly kind: 'sequence';
  readonly start: number;
  /** Not 0; negative steps go down. */
  readonly step: number;
  readonly wrap?: number;
}

/**
 * A value that moves like a measured one: a level of the entity's own, a swing over the day and the week (highest on
 * Wednesday noon, lowest on Sunday night, UTC), slow noise (hashed lattice values, linear between them), quick noise,
 * rare spikes. All amplitudes are in units of 10^-scale and are added to the level, so without `follows` the value
 * lies in [level.min, level.max + day + week + noise + jitter + spike.height].
 */
export interface SeriesGenerator {
  readonly kind: 'series';
  /** What has a level of its own: each value of this top-level column (a pool, a choice, a number); else each entity. */
  readonly per?: string;
  readonly scale?: number;
  readonly level: { readonly min: number; readonly max: number };
  readonly day?: number;
  readonly week?: number;
  readonly noise?: readonly { readonly amplitude: number; readonly ticks: number }[];
  readonly jitter?: number;
  readonly spike?: { readonly share: number; readonly height: number };
  /**
   * Correlation: `share` of what the top-level number column of the same row deviates from the middle of its range is
   * added, negative shares subtract it. In the units of both values, whatever their scales are.
   */
  readonly follows?: { readonly column: string; readonly share: number };
}

/** Which row of another table is referred to: all alike, or row r as often as 1/(r + 1)^exponent. */
export type Skew = { readonly kind: 'uniform' } | { readonly kind: 'zipf'; readonly exponent: number };

/**
 * What the column `path` (`a.b` inside an object) of the table schema `schemaName` has in one of its rows 0…rows − 1,
 * in a run with the same seed. It is computed and not looked up: `generator` is that column's own, of a kind that
 * needs nothing but the row (no time, series, complement, entity, array, object).
 */
export interface ReferenceGenerator {
  readonly kind: 'reference';
  readonly schemaName: string;
  readonly path: string;
  readonly generator: Generator;
  /** At most 2^44; with a zipf skew 2^32. */
  readonly rows: number;
  readonly skew: Skew;
}

/**
 * `distinct` values by their rank: the first have these shares of the rows (together at most 1), the others share what
 * is left alike. Draws are with replacement: of d values that share m rows, about d · (1 − e^(−m/d)) are met.
 */
export interface RankedGenerator {
  readonly kind: 'ranked';
  /** 1 to 2^31. */
  readonly distinct: number;
  readonly weights: readonly number[];
  /** The values of the first ranks, one for each weight; else they are made like the others. */
  readonly values?: readonly JsonValue[];
  readonly of: RankedValues;
}

/**
 * How a rank becomes a value, each another one:
 * - `text`: the prefix and the rank, with at least `width` digits;
 * - `quantiles`: ranks are spread over [0, 1) and taken as quantiles of the distribution that has as much between two
 *   neighbouring bounds everywhere (see `buckets`). Values stay distinct where bounds are far enough apart.
 */
export type RankedValues =
  | { readonly kind: 'text'; readonly prefix: string; readonly width: number }
  | { readonly kind: 'quantiles'; readonly bounds: readonly number[]; readonly scale: number };

/**
 * The time of the row's tick, and up to `jitterMs` more. `late` rows come after others that happened later: a share of
 * the rows has a time 1 ms to `upToMs` earlier. A column may have a step and a start of its own.
 */
export interface TimeGenerator {
  readonly kind: 'time';
  readonly jitterMs: number;
  readonly late?: { readonly share: number; readonly upToMs: number };
  /** Else that of the axis. */
  readonly stepMs?: number;
  /** Milliseconds since 1970; else the time origin of the run. */
  readonly startMs?: number;
}

/** How a column's value follows from the row index. Decimals and their bounds are integers in 10^-scale. */
export type Generator =
  | { readonly kind: 'runId' | 'seq' | 'uuid' | 'bits' | 'object' }
  | { readonly kind: 'constant'; readonly value: JsonValue }
  | { readonly kind: 'boolean'; readonly trueShare: number }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'decimal'; readonly min: number; readonly max: number; readonly scale: number }
  | {
      readonly kind: 'normal';
      readonly mean: number;
      readonly deviation: number;
      readonly scale: number;
      /** What lies outside becomes the bound. */
      readonly min?: number;
      readonly max?: number;
    }
  | {
      readonly kind: 'exponential';
      /** Where it starts; the mean is counted from here. */
      readonly min: number;
      readonly mean: number;
      readonly scale: number;
      /** What lies above becomes the bound. */
      readonly max?: number;
    }
  | { readonly kind: 'zipf'; readonly ranks: number; readonly exponent: number; readonly from: number }
  | SequenceGenerator
  /**
   * Between two neighbouring bounds lie as many values as between any other two, all alike: a histogram's shape.
   * Bounds do not descend; the last one is a value too, unless they span 2^32 or more.
   */
  | { readonly kind: 'buckets'; readonly bounds: readonly number[]; readonly scale: number }
  | RankedGenerator
  | ReferenceGenerator
  | TimeGenerator
  | { readonly kind: 'pool'; readonly pool: PoolSource; readonly pick?: Pick }
  | { readonly kind: 'choice'; readonly options: readonly WeightedValue[] }
  | { readonly kind: 'template'; readonly parts: readonly TemplatePart[] }
  | CharactersGenerator
  | { readonly kind: 'ip'; readonly version: 4 | 6 }
  | { readonly kind: 'geoPoint'; readonly box: GeoBox }
  /** All places around one are alike by area, on a sphere; within ±85 degrees of latitude, also over the date line. */
  | { readonly kind: 'geoAround'; readonly lon: number; readonly lat: number; readonly radiusKm: number }
  | {
      readonly kind: 'geoShape';
      readonly shape: 'point' | 'line' | 'polygon';
      readonly box: GeoBox;
      /** Side of the shape's own box in degrees: within 0.001 and this. */
      readonly maxSide: number;
    }
  | { readonly kind: 'vector'; readonly scale: number }
  | {
      readonly kind: 'array';
      readonly minLength: number;
      readonly maxLength: number;
      readonly of: Generator;
    }
  | SeriesGenerator
  /** What the named integer columns leave of `total`: shares of a whole that add up. */
  | { readonly kind: 'complement'; readonly total: number; readonly of: readonly string[] };

export type GeneratorKind = Generator['kind'];

export interface WeightedValue {
  readonly value: JsonValue;
  readonly weight: number;
}

/** Degrees; at least 0.002 high and wide, and within ±180 and ±85. */
export interface GeoBox {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

export type IndexOption = { readonly kind: 'off' } | { readonly kind: 'fulltext'; readonly analyzer: string };

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly notNull?: boolean;
  /** SQL text, as the schema's author wrote it. */
  readonly default?: string;
  /** SQL text; such a column is never part of the INSERT. */
  readonly generatedAs?: string;
  readonly index?: IndexOption;
  /** False: no column store (`STORAGE WITH (columnstore = false)`). */
  readonly columnStore?: boolean;
  /** Null: not inserted, the server fills it (a default, a generated column, or nothing). */
  readonly generator: Generator | null;
  /** Share of rows in which the value is null, 0 to 1, in steps of 2^-32. */
  readonly nulls?: number;
}

export interface Check {
  readonly name: string;
  /** SQL text of the condition. */
  readonly sql: string;
}

export type SettingValue = string | number | boolean;

export interface TableSchema {
  /** Of the preset or file, never of the target table: part of every draw. */
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  /** Empty: no key. The two columns of the run come first: run_id, seq. */
  readonly primaryKey: readonly string[];
  readonly clusteredBy: string | null;
  /** Shards that the table is created with, unless the run says otherwise; the server's default without. */
  readonly shards?: number;
  readonly partitionedBy: readonly string[];
  readonly checks: readonly Check[];
  /** Settings of the table by name, as in CREATE TABLE … WITH. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Row i belongs to entity i % entities, at tick floor(i / entities); a tick is `stepMs` of the rows' time. */
  readonly axis: { readonly entities: number; readonly stepMs: number };
}

/** The top-level columns of the same row from whose values the generator computes its own. */
export function neighboursOf(generator: Generator): readonly string[] {
  switch (generator.kind) {
    case 'complement':
      return generator.of;
    case 'series':
      return [generator.per, generator.follows?.column].filter((name) => name !== undefined);
    case 'array':
      return neighboursOf(generator.of);
    default:
      return [];
  }
}

/** The columns that an INSERT names, in order: all that have a generator. */
export function insertedColumns(schema: TableSchema): readonly Column[] {
  return schema.columns.filter((column) => column.generator !== null);
}

/** Whether each row says which run and which row it is (run_id, seq): only then can rows be counted, found and deleted. */
export function hasRunColumns(schema: TableSchema): boolean {
  const kinds = new Map(schema.columns.map(({ name, generator }) => [name, generator?.kind]));
  return kinds.get('run_id') === 'runId' && kinds.get('seq') === 'seq';
}
