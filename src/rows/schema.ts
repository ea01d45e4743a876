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
  | { readonly from: 'faker'; readonly method: FakerMethod; readonly entries: number }
  | { readonly from: 'values'; readonly values: readonly JsonValue[] }
  | { readonly from: 'records'; readonly set: RecordSet; readonly field: string };

/**
 * Which entry a row takes: a draw (columns that name the same `draw` take entries with the same number, so that
 * they agree with each other; without a name the column's own path), or the row's entity, modulo the entries.
 */
export type Pick = { readonly by: 'draw'; readonly draw?: string } | { readonly by: 'entity' };

/** Parts of a composed text: a literal, an entry of a pool of texts, digits, or random characters. */
export type TemplatePart =
  | string
  | { readonly kind: 'pool'; readonly pool: PoolSource; readonly pick?: Pick }
  | { readonly kind: 'digits'; readonly min: number; readonly max: number; readonly width?: number }
  | CharactersGenerator;

export interface CharactersGenerator {
  readonly kind: 'characters';
  readonly alphabet: 'base62' | 'hex';
  readonly minLength: number;
  /** Hexadecimal texts have one length: minLength = maxLength, at most 16. */
  readonly maxLength: number;
}

/**
 * A value that moves like a measured one: a level of the entity's own, a swing over the day, slow noise (hashed
 * lattice values, linear between them), quick noise, rare spikes. All amplitudes are in units of 10^-scale and
 * are added to the level, so the value lies in [level.min, level.max + day + noise + jitter + spike.height].
 */
export interface SeriesGenerator {
  readonly kind: 'series';
  readonly scale?: number;
  readonly level: { readonly min: number; readonly max: number };
  readonly day?: number;
  readonly noise?: readonly { readonly amplitude: number; readonly ticks: number }[];
  readonly jitter?: number;
  readonly spike?: { readonly share: number; readonly height: number };
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
    }
  | { readonly kind: 'exponential'; readonly min: number; readonly mean: number; readonly scale: number }
  | { readonly kind: 'zipf'; readonly ranks: number; readonly exponent: number; readonly from: number }
  | { readonly kind: 'time'; readonly jitterMs: number }
  | { readonly kind: 'pool'; readonly pool: PoolSource; readonly pick?: Pick }
  | { readonly kind: 'choice'; readonly options: readonly WeightedValue[] }
  | { readonly kind: 'template'; readonly parts: readonly TemplatePart[] }
  | CharactersGenerator
  | { readonly kind: 'ip'; readonly version: 4 | 6 }
  | { readonly kind: 'geoPoint'; readonly box: GeoBox }
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
  readonly partitionedBy: readonly string[];
  readonly checks: readonly Check[];
  /** Settings of the table by name, as in CREATE TABLE … WITH. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Row i belongs to entity i % entities, at tick floor(i / entities); a tick is `stepMs` of the rows' time. */
  readonly axis: { readonly entities: number; readonly stepMs: number };
}

/** The columns that an INSERT names, in order: all that have a generator. */
export function insertedColumns(schema: TableSchema): readonly Column[] {
  return schema.columns.filter((column) => column.generator !== null);
}
