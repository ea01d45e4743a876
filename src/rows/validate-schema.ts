/** Finds every problem of a table schema at once: names, types, keys, and generators that do not fit them. */
import { MAX_RANKS } from './distributions.ts';
import { childColumns } from './pool-needs.ts';
import { RECORD_SETS } from './schema.ts';
import type {
  Column,
  ColumnType,
  Generator,
  GeneratorKind,
  PoolSource,
  SeriesGenerator,
  TableSchema,
  TemplatePart,
  TypeKind,
} from './schema.ts';

const INTEGERS = ['byte', 'smallint', 'integer', 'bigint'] as const;
const NUMBERS = [...INTEGERS, 'real', 'double', 'numeric'] as const;
const TEXTS = ['text', 'varchar', 'char'] as const;

/** What each generator may fill; constants, pools and choices may fill anything. */
const FITTING_TYPES: Partial<Record<GeneratorKind, readonly TypeKind[]>> = {
  runId: ['text', 'varchar'],
  seq: ['bigint'],
  uuid: ['uuid', 'text', 'varchar'],
  bits: ['bit'],
  object: ['object'],
  boolean: ['boolean'],
  integer: [...NUMBERS, 'timestamptz', 'timestamp'],
  decimal: ['real', 'double', 'numeric'],
  normal: NUMBERS,
  exponential: NUMBERS,
  zipf: NUMBERS,
  series: NUMBERS,
  complement: INTEGERS,
  time: ['timestamptz', 'timestamp'],
  template: TEXTS,
  characters: TEXTS,
  ip: ['ip', 'text', 'varchar'],
  geoPoint: ['geo_point'],
  geoShape: ['geo_shape'],
  vector: ['float_vector'],
  array: ['array'],
};

const INTEGER_LIMITS: Partial<Record<TypeKind, number>> = {
  byte: 2 ** 7,
  smallint: 2 ** 15,
  integer: 2 ** 31,
};

/** Doubles hold 15 decimal digits exactly; a real column holds less and rounds, which read-back knows. */
const MAX_SCALE = 15;

/** The normal's support ends here, in standard deviations. */
const NORMAL_REACH = 6;

/** Nothing less likely than 2^-24 is drawn: −ln(2^-24) means. */
const EXPONENTIAL_REACH = 17;

/** One sentence a problem, each naming its column; empty if the schema can be used. */
export function validateSchema(schema: TableSchema): string[] {
  const check = new SchemaCheck(schema);
  check.run();
  return check.problems;
}

class SchemaCheck {
  readonly problems: string[] = [];
  readonly #schema: TableSchema;

  constructor(schema: TableSchema) {
    this.#schema = schema;
  }

  run(): void {
    const { columns, axis } = this.#schema;
    if (columns.length === 0) this.problems.push('the table has no columns');
    else if (columns.every((column) => column.generator === null))
      this.problems.push('no column has a generator');
    if (!isWhole(axis.entities, 1))
      this.problems.push(`axis.entities is ${axis.entities}, not a whole number from 1`);
    if (!isWhole(axis.stepMs, 0))
      this.problems.push(`axis.stepMs is ${axis.stepMs}, not a whole number from 0`);
    this.#columns(columns, '');
    this.#keys();
    for (const check of this.#schema.checks) this.#sql(`the check ${check.name}`, check.sql);
  }

  #columns(columns: readonly Column[], prefix: string): void {
    const seen = new Set<string>();
    for (const column of columns) {
      const path = `${prefix}${column.name}`;
      if (seen.has(column.name)) this.problems.push(`column ${path}: the name is used twice`);
      seen.add(column.name);
      this.#column(column, path);
    }
  }

  #column(column: Column, path: string): void {
    const say = (what: string): void => void this.problems.push(`column ${path}: ${what}`);
    if (column.name === '' || /[.[\]]/.test(column.name) || column.name.includes('\0')) {
      say(`the name ${JSON.stringify(column.name)} has a character that CrateDB does not allow, or none`);
    }
    if (column.name.startsWith('_')) say('names that start with an underscore belong to the server');
    this.#type(column.type, path);
    if (column.default !== undefined) this.#sql(`column ${path}: the default`, column.default);
    if (column.generatedAs !== undefined) {
      this.#sql(`column ${path}: the generated expression`, column.generatedAs);
      if (column.generator !== null)
        say('a generated column is filled by the server, it cannot have a generator');
    }
    const { nulls = 0 } = column;
    if (!(nulls >= 0 && nulls <= 1)) say(`nulls is ${nulls}, not a share from 0 to 1`);
    if (nulls > 0 && column.notNull === true) say('it is NOT NULL and has a share of nulls');
    if (column.generator !== null) this.#generator(column.generator, column.type, path);
    this.#columns(childColumns(column), `${path}.`);
  }

  #type(type: ColumnType, path: string): void {
    const say = (what: string): void => void this.problems.push(`column ${path}: ${what}`);
    switch (type.kind) {
      case 'numeric':
        if (!isWhole(type.precision, 1) || type.precision > 38)
          say(`numeric precision ${type.precision} is not 1 to 38`);
        if (!isWhole(type.scale, 0) || type.scale > type.precision)
          say(`numeric scale ${type.scale} is not 0 to the precision`);
        break;
      case 'varchar':
      case 'char':
      case 'bit':
        if (!isWhole(type.length, 1)) say(`${type.kind} length ${type.length} is not a whole number from 1`);
        break;
      case 'float_vector':
        if (!isWhole(type.dimensions, 1) || type.dimensions > 2048)
          say(`${type.dimensions} dimensions are not 1 to 2048`);
        break;
      case 'array':
        if (type.of.kind === 'float_vector') say('CrateDB has no arrays of float_vector');
        this.#type(type.of, path);
        break;
      default:
    }
  }

  #generator(generator: Generator, type: ColumnType, path: string): void {
    const say = (what: string): void => void this.problems.push(`column ${path}: ${what}`);
    const fitting = FITTING_TYPES[generator.kind];
    if (fitting !== undefined && !fitting.includes(type.kind)) {
      say(`the generator ${generator.kind} does not fill ${type.kind} columns`);
      return;
    }
    for (const problem of generatorProblems(generator)) say(problem);
    const extent = extentOf(generator);
    if (extent !== null) this.#extent(extent, type, say);
    if (generator.kind === 'array' && type.kind === 'array')
      this.#generator(generator.of, type.of, `${path}[]`);
    if (generator.kind === 'complement') this.#complement(generator.total, generator.of, say);
  }

  #extent(extent: Extent, type: ColumnType, say: (what: string) => void): void {
    if (!Number.isSafeInteger(extent.min) || !Number.isSafeInteger(extent.max)) {
      say('the bounds of its values are no safe integers');
      return;
    }
    const limit = INTEGER_LIMITS[type.kind];
    if (limit !== undefined && (extent.min < -limit || extent.max >= limit)) {
      say(`values from ${extent.min} to ${extent.max} do not fit into ${type.kind}`);
    }
    if (extent.scale > 0 && INTEGERS.some((kind) => kind === type.kind)) {
      say(`values with ${extent.scale} decimals do not fit into ${type.kind}`);
    }
    if (type.kind === 'numeric') {
      const digits = Math.max(Math.abs(extent.min), Math.abs(extent.max)).toString().length - extent.scale;
      if (digits > type.precision - type.scale)
        say(`values have more than ${type.precision - type.scale} digits before the point`);
      if (extent.scale > type.scale)
        say(`values with ${extent.scale} decimals would be rounded to ${type.scale}`);
    }
  }

  /** A complement is never negative, and is computed from columns of the same row that are always there. */
  #complement(total: number, of: readonly string[], say: (what: string) => void): void {
    let most = 0;
    for (const name of of) {
      const column = this.#schema.columns.find((candidate) => candidate.name === name);
      const extent = column?.generator == null ? null : extentOf(column.generator);
      const isSimple = ['integer', 'series'].includes(column?.generator?.kind ?? '');
      if (extent === null || !isSimple || extent.scale > 0 || (column?.nulls ?? 0) > 0) {
        say(`${name} is no integer or series column without decimals and nulls`);
      } else most += extent.max;
    }
    if (most > total) say(`the columns it is computed from may add up to ${most}, more than ${total}`);
  }

  #keys(): void {
    const { columns, primaryKey, clusteredBy, partitionedBy } = this.#schema;
    const names = new Set(columns.map((column) => column.name));
    const known = (what: string, list: readonly string[]): void => {
      for (const name of list)
        if (!names.has(name)) this.problems.push(`${what} names the column ${name}, which is not there`);
    };
    known('the primary key', primaryKey);
    known('partitioned by', partitionedBy);
    if (clusteredBy === null) {
      // Nothing to check: the server routes by the key.
    } else if (partitionedBy.includes(clusteredBy)) {
      this.problems.push(`the table is partitioned by its routing column ${clusteredBy}`);
    } else {
      known('clustered by', [clusteredBy]);
      if (primaryKey.length > 0 && !primaryKey.includes(clusteredBy)) {
        this.problems.push(`the routing column ${clusteredBy} is not in the primary key`);
      }
    }
    if (primaryKey.length > 0) {
      for (const name of partitionedBy) {
        if (!primaryKey.includes(name))
          this.problems.push(`the partition column ${name} is not in the primary key`);
      }
    }
    for (const column of columns) {
      if (primaryKey.includes(column.name) && (column.nulls ?? 0) > 0) {
        this.problems.push(`column ${column.name}: a key column has a share of nulls`);
      }
    }
  }

  /** SQL of the schema's author stays inside its place in the statement: no end, no comment, nothing left open. */
  #sql(what: string, sql: string): void {
    const bare = sql.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, '');
    if (bare.trim() === '' && sql.trim() === '') this.problems.push(`${what} is empty`);
    if (/['";]|--|\/\*/.test(bare)) this.problems.push(`${what} has an open quote, a comment or a semicolon`);
    let depth = 0;
    for (const character of bare) {
      if (character === '(') depth += 1;
      if (character === ')') depth -= 1;
      if (depth < 0) break;
    }
    if (depth !== 0) this.problems.push(`${what} has parentheses that do not match`);
  }
}

/** All values lie in [min, max] · 10^-scale. */
interface Extent {
  readonly min: number;
  readonly max: number;
  readonly scale: number;
}

function extentOf(generator: Generator): Extent | null {
  switch (generator.kind) {
    case 'integer':
      return { min: generator.min, max: generator.max, scale: 0 };
    case 'decimal':
      return { min: generator.min, max: generator.max, scale: generator.scale };
    case 'normal': {
      const reach = NORMAL_REACH * generator.deviation;
      return { min: generator.mean - reach, max: generator.mean + reach, scale: generator.scale };
    }
    case 'exponential':
      return {
        min: generator.min,
        max: generator.min + EXPONENTIAL_REACH * generator.mean,
        scale: generator.scale,
      };
    case 'zipf':
      return { min: generator.from, max: generator.from + generator.ranks, scale: 0 };
    case 'series':
      return { min: generator.level.min, max: seriesMax(generator), scale: generator.scale ?? 0 };
    case 'complement':
      return { min: 0, max: generator.total, scale: 0 };
    default:
      return null;
  }
}

function seriesMax({ level, day = 0, noise = [], jitter = 0, spike }: SeriesGenerator): number {
  const slow = noise.reduce((sum, { amplitude }) => sum + amplitude, 0);
  return level.max + day + slow + jitter + (spike?.height ?? 0);
}

function generatorProblems(generator: Generator): string[] {
  const problems: string[] = [];
  const demand = (claim: boolean, otherwise: string): void => void (claim || problems.push(otherwise));
  const demandScale = (scale: number): void =>
    demand(isWhole(scale, 0) && scale <= MAX_SCALE, `scale ${scale} is not 0 to ${MAX_SCALE}`);
  switch (generator.kind) {
    case 'integer':
    case 'decimal':
      demand(generator.min <= generator.max, `min ${generator.min} is above max ${generator.max}`);
      if (generator.kind === 'decimal') demandScale(generator.scale);
      break;
    case 'normal':
      demand(
        isWhole(generator.deviation, 1) && generator.deviation < 2 ** 32,
        'the deviation is no whole number from 1 to 2^32 − 1',
      );
      demandScale(generator.scale);
      break;
    case 'exponential':
      demand(
        isWhole(generator.mean, 1) && generator.mean < 2 ** 32,
        'the mean is no whole number from 1 to 2^32 − 1',
      );
      demandScale(generator.scale);
      break;
    case 'zipf':
      demand(
        isWhole(generator.ranks, 1) && generator.ranks <= MAX_RANKS,
        `ranks ${generator.ranks} are not 1 to ${MAX_RANKS}`,
      );
      demand(
        generator.exponent >= 0 && generator.exponent <= 10,
        `the exponent ${generator.exponent} is not 0 to 10`,
      );
      break;
    case 'boolean':
      demand(generator.trueShare >= 0 && generator.trueShare <= 1, 'trueShare is no share from 0 to 1');
      break;
    case 'time':
      demand(isWhole(generator.jitterMs, 0), 'jitterMs is no whole number from 0');
      break;
    case 'pool':
      problems.push(...poolProblems(generator.pool));
      break;
    case 'choice':
      demand(
        generator.options.length > 0 && generator.options.length <= MAX_RANKS,
        `a choice of ${generator.options.length}`,
      );
      demand(
        generator.options.every(({ weight }) => Number.isFinite(weight) && weight >= 0),
        'a weight is negative or no number',
      );
      demand(
        generator.options.some(({ weight }) => weight > 0),
        'all weights are 0',
      );
      break;
    case 'template':
      problems.push(...generator.parts.flatMap(partProblems));
      break;
    case 'characters':
      problems.push(...charactersProblems(generator));
      break;
    case 'geoPoint':
    case 'geoShape': {
      const { west, south, east, north } = generator.box;
      const margin = generator.kind === 'geoShape' ? generator.maxSide : 0.001;
      demand(
        west >= -180 && east <= 180 && south >= -85 && north <= 85,
        'the box is not within ±180 and ±85 degrees',
      );
      demand(margin >= 0.001 && west + margin < east && south + margin < north, 'the box is too small');
      break;
    }
    case 'vector':
      demand(isWhole(generator.scale, 0) && generator.scale <= 7, `scale ${generator.scale} is not 0 to 7`);
      break;
    case 'array':
      demand(
        isWhole(generator.minLength, 0) &&
          generator.minLength <= generator.maxLength &&
          generator.maxLength <= 10_000,
        'the lengths are not 0 ≤ minLength ≤ maxLength ≤ 10,000',
      );
      break;
    case 'series':
      problems.push(...seriesProblems(generator));
      break;
    default:
  }
  return problems;
}

function partProblems(part: TemplatePart): string[] {
  if (typeof part === 'string') return [];
  switch (part.kind) {
    case 'pool':
      if (part.pool.from === 'values' && part.pool.values.some((value) => typeof value !== 'string')) {
        return ['a template takes only texts from a pool'];
      }
      return poolProblems(part.pool);
    case 'digits':
      return isWhole(part.min, 0) &&
        part.min <= part.max &&
        Number.isSafeInteger(part.max) &&
        isWhole(part.width ?? 1, 1)
        ? []
        : ['digits need 0 ≤ min ≤ max and a width from 1'];
    case 'characters':
      return charactersProblems(part);
  }
}

function charactersProblems(part: { alphabet: string; minLength: number; maxLength: number }): string[] {
  const { alphabet, minLength, maxLength } = part;
  if (!isWhole(minLength, 0) || !isWhole(maxLength, minLength) || maxLength > 32_766) {
    return ['the lengths are not 0 ≤ minLength ≤ maxLength ≤ 32,766'];
  }
  if (alphabet === 'hex' && (minLength !== maxLength || maxLength > 16))
    return ['a hex text has one length of at most 16'];
  return [];
}

function poolProblems(source: PoolSource): string[] {
  switch (source.from) {
    case 'faker':
      return isWhole(source.entries, 1) && source.entries <= 1_000_000
        ? []
        : [`a pool of ${source.entries} entries`];
    case 'values':
      return source.values.length > 0 ? [] : ['a pool without values'];
    case 'records': {
      const fields: readonly string[] = RECORD_SETS[source.set];
      return fields.includes(source.field) ? [] : [`the records ${source.set} have no field ${source.field}`];
    }
  }
}

function seriesProblems(generator: SeriesGenerator): string[] {
  const { level, day = 0, noise = [], jitter = 0, spike, scale = 0 } = generator;
  const amounts = [day, jitter, spike?.height ?? 0, ...noise.map(({ amplitude }) => amplitude)];
  const problems: string[] = [];
  if (!isWhole(level.min, 0) || !isWhole(level.max, level.min))
    problems.push('the level is not 0 ≤ min ≤ max');
  if (!amounts.every((amount) => isWhole(amount, 0)) || seriesMax(generator) >= 2 ** 31) {
    problems.push('an amplitude is no whole number from 0, or all together reach 2^31');
  }
  if (!noise.every(({ ticks }) => isWhole(ticks, 1) && ticks < 2 ** 32))
    problems.push('a noise has no whole number of ticks from 1');
  if (spike !== undefined && !(spike.share >= 0 && spike.share <= 1))
    problems.push('the share of spikes is not 0 to 1');
  if (!isWhole(scale, 0) || scale > MAX_SCALE) problems.push(`scale ${scale} is not 0 to ${MAX_SCALE}`);
  return problems;
}

function isWhole(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}
