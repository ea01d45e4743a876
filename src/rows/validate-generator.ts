/** What is wrong with a single generator, in itself and for the type that it fills. */
import { MAX_RANKS, MAX_ZIPF_RANKS } from './distributions.ts';
import { seriesSwing } from './extents.ts';
import { KM_PER_DEGREE } from './geo.ts';
import { MAX_ROWS } from './row-format.ts';
import { RECORD_SETS } from './schema.ts';
import { readyValueProblem } from './validate-value.ts';
import type {
  ColumnType,
  Generator,
  GeneratorKind,
  JsonValue,
  Pick,
  PoolSource,
  RankedGenerator,
  ReferenceGenerator,
  SeriesGenerator,
  Skew,
  TemplatePart,
  TimeGenerator,
  TypeKind,
} from './schema.ts';

export const INTEGERS: readonly TypeKind[] = ['byte', 'smallint', 'integer', 'bigint'];
const NUMBERS: readonly TypeKind[] = [...INTEGERS, 'real', 'double', 'numeric'];
const TIMES: readonly TypeKind[] = ['timestamptz', 'timestamp'];
const TEXTS: readonly TypeKind[] = ['text', 'varchar', 'char'];

/** What each generator may fill; constants, pools and choices may fill anything that their values fit. */
const FITTING_TYPES: Partial<Record<GeneratorKind, readonly TypeKind[]>> = {
  runId: ['text', 'varchar'],
  seq: ['bigint'],
  uuid: ['uuid', ...TEXTS],
  bits: ['bit'],
  object: ['object'],
  boolean: ['boolean'],
  integer: [...NUMBERS, ...TIMES],
  decimal: ['real', 'double', 'numeric'],
  normal: NUMBERS,
  exponential: NUMBERS,
  zipf: NUMBERS,
  sequence: [...NUMBERS, ...TIMES],
  buckets: [...NUMBERS, ...TIMES],
  series: NUMBERS,
  complement: INTEGERS,
  time: TIMES,
  template: TEXTS,
  characters: TEXTS,
  ip: ['ip', 'text', 'varchar'],
  geoPoint: ['geo_point'],
  geoAround: ['geo_point'],
  geoShape: ['geo_shape'],
  vector: ['float_vector'],
  array: ['array'],
};

/** What another table's row has without knowing more than the row: see `ReferenceGenerator`. */
const REFERABLE: readonly GeneratorKind[] = [
  'runId',
  'seq',
  'uuid',
  'constant',
  'boolean',
  'integer',
  'decimal',
  'normal',
  'exponential',
  'zipf',
  'sequence',
  'buckets',
  'ranked',
  'pool',
  'choice',
  'template',
  'characters',
  'ip',
];

/** Doubles hold 15 decimal digits exactly; a real column holds less and rounds, which read-back knows. */
const MAX_SCALE = 15;

/** Above, a place's neighbours in longitude are too far away in degrees for the tables. */
const MAX_LATITUDE = 85;
const MAX_DISTINCT = 2 ** 31;

/** Why the generator cannot fill columns of this type, if it cannot; its numbers are looked at elsewhere. */
export function fitProblem(generator: Generator, type: ColumnType): string | null {
  if (generator.kind === 'reference') return fitProblem(generator.generator, type);
  const fitting = generator.kind === 'ranked' ? rankedTypes(generator) : FITTING_TYPES[generator.kind];
  if (fitting !== undefined && !fitting.includes(type.kind)) {
    return `the generator ${generator.kind} does not fill ${type.kind} columns`;
  }
  return type.kind === 'varchar' || type.kind === 'char'
    ? lengthProblem(longestText(generator), type.kind, type.length)
    : readyValueProblem(generator, type);
}

const rankedTypes = ({ of }: RankedGenerator): readonly TypeKind[] =>
  of.kind === 'text' ? TEXTS : [...NUMBERS, ...TIMES];

function lengthProblem(longest: number, kind: string, length: number): string | null {
  if (longest <= length) return null;
  const texts = longest === Infinity ? 'texts of any length' : `texts of ${longest} characters`;
  return `${texts} do not fit into ${kind}(${length})`;
}

/** Characters of the longest text as the server counts them; 0 where it is not known or there are no texts. */
function longestText(generator: Generator): number {
  switch (generator.kind) {
    case 'constant':
      return lengthOf(generator.value);
    case 'uuid':
      return 36;
    case 'ip':
      return generator.version === 4 ? 14 : 38;
    case 'characters':
      return generator.maxLength;
    case 'pool':
      return longestEntry(generator.pool);
    case 'choice':
      return greatest(generator.options.map(({ value }) => lengthOf(value)));
    case 'template':
      return generator.parts.reduce((sum, part) => sum + longestPart(part), 0);
    case 'ranked':
      return Math.max(longestRanked(generator), ...(generator.values ?? []).map(lengthOf));
    default:
      return 0;
  }
}

const greatest = (lengths: readonly number[]): number =>
  lengths.reduce((longest, length) => Math.max(longest, length), 0);
const lengthOf = (value: JsonValue): number => (typeof value === 'string' ? value.length : 0);
const digitsOf = (value: number, width = 1): number => Math.max(String(value).length, width);

function longestRanked({ of, distinct }: RankedGenerator): number {
  return of.kind === 'text' ? of.prefix.length + digitsOf(distinct - 1, of.width) : 0;
}

function longestEntry(source: PoolSource): number {
  if (source.from === 'faker') return source.maxLength ?? Infinity;
  return source.from === 'values' ? greatest(source.values.map(lengthOf)) : 0;
}

function longestPart(part: TemplatePart): number {
  if (typeof part === 'string') return part.length;
  switch (part.kind) {
    case 'pool':
      return longestEntry(part.pool);
    case 'digits':
      return digitsOf(part.max, part.width);
    case 'characters':
      return part.maxLength;
    case 'sequence':
      // As many digits as its last value has is more than most runs see.
      return part.wrap === undefined
        ? (part.width ?? 1)
        : digitsOf(part.start + (part.wrap - 1) * part.step, part.width);
  }
}

/** What is wrong with the generator in itself, and with those in it. */
export function generatorProblems(generator: Generator): string[] {
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
      demand(Number.isSafeInteger(generator.mean), `the mean ${generator.mean} is no safe integer`);
      demand(
        isWhole(generator.deviation, 1) && generator.deviation < 2 ** 32,
        'the deviation is no whole number from 1 to 2^32 − 1',
      );
      demandScale(generator.scale);
      problems.push(...clampProblems(generator.min, generator.max));
      break;
    case 'exponential':
      demand(
        isWhole(generator.mean, 1) && generator.mean < 2 ** 32,
        'the mean is no whole number from 1 to 2^32 − 1',
      );
      demandScale(generator.scale);
      problems.push(...clampProblems(generator.min, generator.max));
      break;
    case 'zipf':
      demand(
        isWhole(generator.ranks, 1) && generator.ranks <= MAX_ZIPF_RANKS,
        `ranks ${generator.ranks} are not 1 to ${MAX_ZIPF_RANKS}`,
      );
      problems.push(...exponentProblems(generator.exponent));
      break;
    case 'sequence':
      problems.push(...sequenceProblems(generator));
      break;
    case 'buckets':
      problems.push(...boundsProblems(generator.bounds));
      demandScale(generator.scale);
      break;
    case 'ranked':
      problems.push(...rankedProblems(generator));
      if (generator.of.kind === 'quantiles') demandScale(generator.of.scale);
      break;
    case 'reference':
      problems.push(...referenceProblems(generator));
      break;
    case 'boolean':
      demand(generator.trueShare >= 0 && generator.trueShare <= 1, 'trueShare is no share from 0 to 1');
      break;
    case 'time':
      problems.push(...timeProblems(generator));
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
    case 'geoAround': {
      const { lon, lat, radiusKm } = generator;
      const reach = Math.abs(lat) + radiusKm / KM_PER_DEGREE;
      demand(Math.abs(lon) <= 180, `the longitude ${lon} is not within ±180 degrees`);
      demand(radiusKm >= 0.001, `the radius of ${radiusKm} km is below a metre`);
      demand(reach <= MAX_LATITUDE, `the places around are not within ±${MAX_LATITUDE} degrees of latitude`);
      break;
    }
    case 'vector':
      demand(isWhole(generator.scale, 0) && generator.scale <= 7, `scale ${generator.scale} is not 0 to 7`);
      break;
    case 'array':
      demand(
        isWhole(generator.minLength, 0) &&
          isWhole(generator.maxLength, generator.minLength) &&
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
        isWidth(part.width)
        ? []
        : ['digits need 0 ≤ min ≤ max and a width from 1 to 20'];
    case 'characters':
      return charactersProblems(part);
    case 'sequence':
      return part.start >= 0 && part.step > 0 && isWidth(part.width)
        ? sequenceProblems(part)
        : ['a sequence in a text needs start ≥ 0, step ≥ 1 and a width from 1 to 20'];
  }
}

/** Digits that numbers of 64 bits have. */
const isWidth = (width = 1): boolean => isWhole(width, 1) && width <= 20;

function clampProblems(min: number | undefined, max: number | undefined): string[] {
  const [least, most] = [min ?? Number.MIN_SAFE_INTEGER, max ?? Number.MAX_SAFE_INTEGER];
  if (!Number.isSafeInteger(least) || !Number.isSafeInteger(most))
    return ['min and max are no safe integers'];
  return least <= most ? [] : [`min ${least} is above max ${most}`];
}

function sequenceProblems(part: { start: number; step: number; wrap?: number }): string[] {
  const { start, step, wrap = 1 } = part;
  const problems: string[] = [];
  if (!Number.isSafeInteger(start)) problems.push(`the start ${start} is no safe integer`);
  if (!Number.isSafeInteger(step) || step === 0) problems.push(`the step ${step} is no whole number but 0`);
  if (!isWhole(wrap, 1)) problems.push(`wrap is ${wrap}, not a whole number from 1`);
  return problems;
}

function boundsProblems(bounds: readonly number[]): string[] {
  if (bounds.length < 2 || bounds.length > MAX_RANKS)
    return [`${bounds.length} bounds are not 2 to ${MAX_RANKS}`];
  if (!bounds.every((bound) => Number.isSafeInteger(bound))) return ['a bound is no safe integer'];
  const [first, last] = [bounds[0] ?? 0, bounds.at(-1) ?? 0];
  if (!Number.isSafeInteger(last - first)) return [`the bounds span more than ${Number.MAX_SAFE_INTEGER}`];
  const isAscending = bounds.every((bound, index) => index === 0 || bound >= (bounds[index - 1] ?? bound));
  return isAscending ? [] : ['the bounds descend'];
}

function rankedProblems({ distinct, weights, values, of }: RankedGenerator): string[] {
  const problems: string[] = [];
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (!isWhole(distinct, 1) || distinct > MAX_DISTINCT)
    problems.push(`distinct is ${distinct}, not 1 to ${MAX_DISTINCT}`);
  if (weights.length > distinct || weights.length >= MAX_RANKS)
    problems.push(`${weights.length} weights are more than ${distinct} ranks, or than ${MAX_RANKS - 1}`);
  if (!weights.every((weight) => weight >= 0) || !(sum <= 1 + 1e-6))
    problems.push(`the weights are no shares that add up to at most 1`);
  else if (weights.length > 0 && distinct === weights.length && sum === 0) problems.push('all weights are 0');
  if (values !== undefined && values.length !== weights.length)
    problems.push(`there are ${values.length} values for ${weights.length} weights`);
  if (of.kind === 'text' && !isWidth(of.width)) problems.push(`the width ${of.width} is not from 1 to 20`);
  return of.kind === 'quantiles' ? [...problems, ...boundsProblems(of.bounds)] : problems;
}

function referenceProblems({ path, schemaName, generator, rows, skew }: ReferenceGenerator): string[] {
  const what = `${schemaName}.${path}`;
  if (!REFERABLE.includes(generator.kind) || takesEntities(generator))
    return [`${what} cannot be referred to: it is not made of the row alone`];
  const most = skew.kind === 'zipf' ? MAX_ZIPF_RANKS : MAX_ROWS;
  const problems = generatorProblems(generator).map((problem) => `${what}: ${problem}`);
  if (!isWhole(rows, 1) || rows > most) problems.push(`${rows} rows to refer to are not 1 to ${most}`);
  return [...problems, ...skewProblems(skew)];
}

const skewProblems = (skew: Skew): string[] => (skew.kind === 'zipf' ? exponentProblems(skew.exponent) : []);

const exponentProblems = (exponent: number): string[] =>
  exponent >= 0 && exponent <= 10 ? [] : [`the exponent ${exponent} is not 0 to 10`];

function takesEntities(generator: Generator): boolean {
  const byEntity = (pick: Pick | undefined): boolean => pick?.by === 'entity';
  if (generator.kind === 'pool') return byEntity(generator.pick);
  if (generator.kind !== 'template') return false;
  return generator.parts.some(
    (part) => typeof part !== 'string' && part.kind === 'pool' && byEntity(part.pick),
  );
}

function timeProblems({ jitterMs, late, stepMs = 0, startMs = 0 }: TimeGenerator): string[] {
  const problems: string[] = [];
  if (!isWhole(jitterMs, 0)) problems.push('jitterMs is no whole number from 0');
  if (!isWhole(stepMs, 0)) problems.push(`stepMs is ${stepMs}, not a whole number from 0`);
  if (!isWhole(startMs, 0)) problems.push(`startMs is ${startMs}, not a whole number from 0`);
  if (late === undefined) return problems;
  if (!(late.share >= 0 && late.share <= 1))
    problems.push(`the share of late rows is ${late.share}, not 0 to 1`);
  if (!isWhole(late.upToMs, 1)) problems.push(`late.upToMs is ${late.upToMs}, not a whole number from 1`);
  return problems;
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
      if (!isWhole(source.entries, 1) || source.entries > 1_000_000)
        return [`a pool of ${source.entries} entries`];
      return isWhole(source.maxLength ?? 1, 1) ? [] : [`texts cut to ${source.maxLength} characters`];
    case 'values':
      return source.values.length > 0 ? [] : ['a pool without values'];
    case 'records': {
      const fields: readonly string[] = RECORD_SETS[source.set];
      return fields.includes(source.field) ? [] : [`the records ${source.set} have no field ${source.field}`];
    }
  }
}

function seriesProblems(generator: SeriesGenerator): string[] {
  const { level, day = 0, week = 0, noise = [], jitter = 0, spike, scale = 0 } = generator;
  const amounts = [day, week, jitter, spike?.height ?? 0, ...noise.map(({ amplitude }) => amplitude)];
  const reach = Math.max(Math.abs(level.min), Math.abs(level.max)) + seriesSwing(generator);
  const problems: string[] = [];
  if (!Number.isSafeInteger(level.min) || !isWhole(level.max, level.min))
    problems.push('the level is not min ≤ max');
  if (!amounts.every((amount) => isWhole(amount, 0)) || reach >= 2 ** 31) {
    problems.push('an amplitude is no whole number from 0, or all together reach 2^31');
  }
  if (!noise.every(({ ticks }) => isWhole(ticks, 1) && ticks < 2 ** 32))
    problems.push('a noise has no whole number of ticks from 1');
  if (spike !== undefined && !(spike.share >= 0 && spike.share <= 1))
    problems.push('the share of spikes is not 0 to 1');
  if (!isWhole(scale, 0) || scale > MAX_SCALE) problems.push(`scale ${scale} is not 0 to ${MAX_SCALE}`);
  return problems;
}

/** Whether it is a safe whole number from `least` on. */
export function isWhole(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}
