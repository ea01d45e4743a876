/** How a column of a schema file is generated: from what stands under `generate` to a generator of its type. */
import { DAY_MS } from '../../base/units.ts';
import {
  type ColumnType,
  type FakerMethod,
  type GeoBox,
  type Generator,
  type JsonValue,
  type Pick,
  type PoolSource,
  type TemplatePart,
  type TimeGenerator,
  FAKER_METHODS,
} from '../../rows/schema.ts';
import {
  type FilledColumn,
  isNothing,
  readDecimals,
  readNumber,
  scaleOf,
  typed,
  units,
} from './generator-fields.ts';
import { makeHistogram, makeRanks, numberedTexts } from './parse-ranks.ts';
import { type Fields, type Spot, type TreeReader, inWords, signedShare } from './tree-reader.ts';
import { valueOfType } from './value-of-type.ts';

/** What generators need to know of the file around them. */
export interface FileFacts {
  /** Values one a line, by the path as it is written; a text says why there are none. */
  readonly valueFiles: ReadonlyMap<string, readonly string[] | { readonly problem: string }>;
  /** Where time starts in columns that do not say; null: the run's time origin. */
  readonly startMs: number | null;
  /** The column that a reference names, or why it cannot be referred to. */
  readonly referred: (to: string) => Referred | { readonly problem: string };
}

export interface Referred {
  readonly schemaName: string;
  readonly path: string;
  readonly generator: Generator;
}

const MAX_ENTRIES = 1_000_000;
const MAX_WAIT_MS = 3650 * DAY_MS;
type Make = (spot: Spot, column: FilledColumn, reader: TreeReader, facts: FileFacts) => Generator | null;

/** By the name that a file has for it. */
const GENERATORS = {
  constant: (spot, { type }, reader) => {
    const value = typed(spot, type, reader);
    return value === undefined ? null : { kind: 'constant', value };
  },
  sequence: makeSequence,
  uniform: makeUniform,
  normal: makeNormal,
  exponential: makeExponential,
  zipf: makeZipf,
  histogram: makeHistogram,
  ranks: makeRanks,
  choice: makeChoice,
  pool: makePool,
  faker: (spot, column, reader) => fakerPool({ spot, entries: 500, column, reader }),
  pattern: (spot, column, reader, facts) => {
    const text = reader.text(spot, 'a pattern, as "A-{0000..9999}"');
    return text === null ? null : makePattern(text, spot, null, column, reader, facts);
  },
  boolean: (spot, _column, reader) => {
    const trueShare = isNothing(spot) ? 0.5 : reader.share(spot);
    return trueShare === null ? null : { kind: 'boolean', trueShare };
  },
  uuid: plain({ kind: 'uuid' }),
  bits: plain({ kind: 'bits' }),
  ip: (spot, _column, reader) => {
    const version = isNothing(spot) ? 4 : reader.number(spot, { min: 4, max: 6, isWhole: true });
    if (version === null) return null;
    return version === 4 || version === 6 ? { kind: 'ip', version } : reader.say(spot, 'expected 4 or 6');
  },
  characters: makeCharacters,
  hex: (spot, _column, reader) => {
    const length = isNothing(spot) ? 16 : reader.number(spot, { min: 1, max: 16, isWhole: true });
    return length === null
      ? null
      : { kind: 'characters', alphabet: 'hex', minLength: length, maxLength: length };
  },
  around: makeAround,
  box: (spot, _column, reader) => {
    const box = readBox(spot, reader);
    return box === null ? null : { kind: 'geoPoint', box };
  },
  shape: makeShape,
  vector: plain({ kind: 'vector', scale: 6 }),
  object: plain({ kind: 'object' }),
  reference: makeReference,
  time: makeTime,
  series: makeSeries,
} as const satisfies Readonly<Record<string, Make>>;

type GeneratorName = keyof typeof GENERATORS;

export const GENERATOR_NAMES = Object.keys(GENERATORS).filter(
  (name): name is GeneratorName => name in GENERATORS,
);

/**
 * The generator that `generate` describes: a name alone (`uuid`), or one key with what it needs. Null after a problem.
 */
export function parseGenerator(
  spot: Spot,
  column: FilledColumn,
  reader: TreeReader,
  facts: FileFacts,
): Generator | null {
  if (spot.tree.kind === 'scalar') {
    const name = reader.word(spot, GENERATOR_NAMES);
    const nothing: Spot = { ...spot, tree: { ...spot.tree, value: null } };
    return name === null ? null : GENERATORS[name](nothing, column, reader, facts);
  }
  const entries = reader.entries(spot, `one of ${GENERATOR_NAMES.join(', ')}`);
  if (entries === null) return null;
  const found = reader.fields(spot, [...GENERATOR_NAMES, 'with']);
  const named = GENERATOR_NAMES.filter((name) => found?.[name] !== undefined);
  const [name] = named;
  if (named.length > 1) return reader.say(spot, `expected one generator, not ${named.join(' and ')}`);
  const argument = name === undefined ? undefined : found?.[name];
  if (name === undefined || argument === undefined) {
    return entries.length === 0 ? reader.say(spot, `expected one of ${GENERATOR_NAMES.join(', ')}`) : null;
  }
  const parts = found?.with;
  if (parts !== undefined && name !== 'pattern') return reader.say(parts, 'expected only beside pattern');
  if (name === 'pattern') {
    const text = reader.text(argument, 'a pattern, as "A-{0000..9999}"');
    return text === null ? null : makePattern(text, argument, parts ?? null, column, reader, facts);
  }
  return GENERATORS[name](argument, column, reader, facts);
}

function plain(generator: Generator): Make {
  return (spot, _column, reader) =>
    isNothing(spot) || (spot.tree.kind === 'map' && spot.tree.entries.length === 0)
      ? generator
      : reader.say(spot, `expected nothing after it, not ${inWords(spot.tree)}`);
}

function makeSequence(spot: Spot, { type }: FilledColumn, reader: TreeReader): Generator | null {
  if (isNothing(spot)) return { kind: 'sequence', start: 1, step: 1 };
  const found = reader.fields(spot, ['start', 'step', 'wrap']);
  if (found === null) return null;
  const start = found.start === undefined ? 1 : readNumber(found.start, type, reader);
  const step = found.step === undefined ? 1 : readNumber(found.step, type, reader);
  const wrap = found.wrap === undefined ? undefined : reader.count(found.wrap, 1, Number.MAX_SAFE_INTEGER);
  if (start === null || step === null || wrap === null) return null;
  if (!Number.isInteger(start) || !Number.isInteger(step))
    return reader.say(spot, 'expected a whole start and step');
  return { kind: 'sequence', start, step, ...(wrap === undefined ? {} : { wrap }) };
}

/** `[1, 5]`, or `{ min, max, decimals }`. */
function makeUniform(spot: Spot, { type }: FilledColumn, reader: TreeReader): Generator | null {
  const found =
    spot.tree.kind === 'list' ? pairOf(spot, reader) : reader.fields(spot, ['min', 'max', 'decimals']);
  if (found === null) return null;
  if (found.min === undefined || found.max === undefined)
    return reader.say(spot, 'expected min and max, as [1, 5] or { min: 1, max: 5 }');
  const min = readNumber(found.min, type, reader);
  const max = readNumber(found.max, type, reader);
  if (min === null || max === null) return null;
  if (min > max) return reader.say(spot, `the first bound ${min} is above the second ${max}`);
  const scale = scaleOf(type, [min, max], readDecimals(found.decimals, reader));
  return scale === 0
    ? { kind: 'integer', min: Math.ceil(min), max: Math.floor(max) }
    : { kind: 'decimal', min: units(min, scale), max: units(max, scale), scale };
}

/** Two bounds in a list, as the fields of a map that says the same. */
function pairOf(spot: Spot, reader: TreeReader): Fields<'min' | 'max' | 'decimals'> | null {
  const items = reader.items(spot, 'two bounds, as [1, 5]');
  const [min, max, more] = items ?? [];
  if (items === null) return null;
  if (min === undefined || max === undefined || more !== undefined)
    return reader.say(spot, 'expected two bounds, as [1, 5]');
  return { min, max };
}

function makeNormal(spot: Spot, { type }: FilledColumn, reader: TreeReader): Generator | null {
  const found = reader.fields(spot, ['mean', 'sd', 'min', 'max', 'decimals']);
  if (found === null) return null;
  const { mean, sd } = found;
  if (mean === undefined || sd === undefined)
    return reader.say(spot, 'expected mean and sd, as { mean: 80, sd: 25 }');
  const numbers = [mean, sd, found.min, found.max].map((one) =>
    one === undefined ? undefined : reader.number(one),
  );
  const [average, deviation, min, max] = numbers;
  if (numbers.includes(null) || average == null || deviation == null) return null;
  const given = numbers.filter((one) => one != null);
  const scale = scaleOf(type, given, readDecimals(found.decimals, reader));
  if (units(deviation, scale) < 1) return reader.say(sd, `expected a deviation of at least ${10 ** -scale}`);
  return {
    kind: 'normal',
    mean: units(average, scale),
    deviation: units(deviation, scale),
    scale,
    ...(min == null ? {} : { min: units(min, scale) }),
    ...(max == null ? {} : { max: units(max, scale) }),
  };
}

/** `mean` is that of the values: from `min` on. */
function makeExponential(spot: Spot, { type }: FilledColumn, reader: TreeReader): Generator | null {
  const found = reader.fields(spot, ['mean', 'min', 'max', 'decimals']);
  if (found === null) return null;
  if (found.mean === undefined) return reader.say(spot, 'expected a mean, as { mean: 80 }');
  const mean = reader.number(found.mean);
  const min = found.min === undefined ? 0 : reader.number(found.min);
  const max = found.max === undefined ? undefined : reader.number(found.max);
  if (mean === null || min === null || max === null) return null;
  const scale = scaleOf(type, [mean, min], readDecimals(found.decimals, reader));
  if (units(mean - min, scale) < 1) return reader.say(found.mean, `expected a mean above min ${min}`);
  return {
    kind: 'exponential',
    min: units(min, scale),
    mean: units(mean - min, scale),
    scale,
    ...(max === undefined ? {} : { max: units(max, scale) }),
  };
}

function makeZipf(spot: Spot, _column: FilledColumn, reader: TreeReader): Generator | null {
  const found = reader.fields(spot, ['ranks', 's', 'from']);
  if (found === null) return null;
  if (found.ranks === undefined) return reader.say(spot, 'expected ranks, as { ranks: 1000, s: 1.1 }');
  const ranks = reader.count(found.ranks, 1, 2 ** 32);
  const exponent = found.s === undefined ? 1 : reader.number(found.s, { min: 0, max: 10 });
  const from = found.from === undefined ? 1 : reader.number(found.from, { isWhole: true });
  if (ranks === null || exponent === null || from === null) return null;
  return { kind: 'zipf', ranks, exponent, from };
}

/** `{ value: weight }`, or a list of values that are all alike, or of `{ value, weight }`. */
function makeChoice(spot: Spot, { type }: FilledColumn, reader: TreeReader): Generator | null {
  const options: { value: JsonValue; weight: number }[] = [];
  const add = (value: Spot, weight: Spot | null): void => {
    const chosen = typed(value, type, reader);
    const weighs = weight === null ? 1 : reader.number(weight, { min: 0, max: 1e9 });
    if (chosen !== undefined && weighs !== null) options.push({ value: chosen, weight: weighs });
  };
  const count = reader.problems.length;
  if (spot.tree.kind === 'list') {
    for (const item of reader.items(spot, 'values') ?? []) {
      const isWeighted = item.tree.kind === 'map' && item.tree.entries.some(({ key }) => key === 'weight');
      const found = isWeighted ? reader.fields(item, ['value', 'weight']) : null;
      if (!isWeighted) add(item, null);
      else if (found?.value !== undefined) add(found.value, found.weight ?? null);
      else reader.say(item, 'expected a value beside its weight');
    }
  } else {
    for (const { key, keyAt, spot: weight } of reader.entries(
      spot,
      'values with their weights, as { new: 3, old: 1 }',
    ) ?? [])
      add({ tree: { kind: 'scalar', at: keyAt, value: key }, path: weight.path }, weight);
  }
  if (reader.problems.length > count) return null;
  if (!options.some(({ weight }) => weight > 0))
    return reader.say(spot, 'expected at least one value with a weight above 0');
  return { kind: 'choice', options };
}

/** A number of made-up texts, a list of values, or `{ list | faker | file }`; `per: entity` keeps one for each entity. */
function makePool(spot: Spot, column: FilledColumn, reader: TreeReader, facts: FileFacts): Generator | null {
  if (spot.tree.kind === 'scalar') return numberedTexts(spot, column, reader);
  if (spot.tree.kind === 'list') return listPool(spot, column.type, undefined, reader);
  const found = reader.fields(spot, ['list', 'faker', 'entries', 'file', 'per']);
  if (found === null) return null;
  const per = found.per === undefined ? null : reader.word(found.per, ['entity', 'row']);
  const pick: Pick | undefined = per === 'entity' ? { by: 'entity' } : undefined;
  const { list, faker, file } = found;
  if ([list, faker, file].filter((one) => one !== undefined).length !== 1)
    return reader.say(spot, 'expected one of list, faker, file');
  if (list !== undefined) return listPool(list, column.type, pick, reader);
  if (faker !== undefined) {
    const entries = found.entries === undefined ? 500 : reader.count(found.entries, 1, MAX_ENTRIES);
    return entries === null ? null : fakerPool({ spot: faker, entries, column, reader, pick });
  }
  return file === undefined ? null : filePool(file, column.type, pick, reader, facts);
}

function pooled(source: PoolSource, pick: Pick | undefined): Generator {
  return { kind: 'pool', pool: source, ...(pick === undefined ? {} : { pick }) };
}

function listPool(
  spot: Spot,
  type: ColumnType,
  pick: Pick | undefined,
  reader: TreeReader,
): Generator | null {
  const items = reader.items(spot, 'a list of values');
  if (items === null) return null;
  if (items.length === 0) return reader.say(spot, 'expected at least one value');
  const values = items.map((item) => typed(item, type, reader));
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? pooled({ from: 'values', values: known }, pick) : null;
}

interface FakerPool {
  readonly spot: Spot;
  readonly entries: number;
  readonly column: FilledColumn;
  readonly reader: TreeReader;
  readonly pick?: Pick | undefined;
}

function fakerPool({ spot, entries, column: { type }, reader, pick }: FakerPool): Generator | null {
  const isShort = type.kind === 'varchar' || type.kind === 'char';
  if (type.kind !== 'text' && !isShort)
    return reader.say(spot, `faker makes texts, which do not fit into ${type.kind}`);
  const method = reader.word<FakerMethod>(spot, FAKER_METHODS);
  if (method === null) return null;
  const room = isShort ? { maxLength: type.length } : {};
  return pooled({ from: 'faker', method, entries, ...room }, pick);
}

function filePool(
  spot: Spot,
  type: ColumnType,
  pick: Pick | undefined,
  reader: TreeReader,
  facts: FileFacts,
): Generator | null {
  const path = reader.text(spot, 'the path of a file with one value a line');
  const read = path === null ? undefined : facts.valueFiles.get(path);
  if (read === undefined) return null;
  if ('problem' in read) return reader.say(spot, `${path}: ${read.problem}`);
  const values: JsonValue[] = [];
  for (const [index, line] of read.entries()) {
    const isText = type.kind === 'text' || type.kind === 'varchar' || type.kind === 'char';
    const value = valueOfType(isText ? line : scalarOf(line), type);
    if (!value.ok) return reader.say(spot, `${path}:${index + 1}: expected ${value.accepted}`);
    values.push(value.value);
  }
  return values.length === 0
    ? reader.say(spot, `${path} has no lines`)
    : pooled({ from: 'values', values }, pick);
}

function scalarOf(line: string): JsonValue {
  if (/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(line)) return Number(line);
  return line === 'true' || line === 'false' ? line === 'true' : line;
}

/**
 * `{first}.{last}{0..9999}@{domain}`: names are looked up under `with`, `{0000..9999}` are digits of one width, `{seq}`
 * is the number of the row. Braces are doubled to stand for themselves.
 */
function makePattern(
  text: string,
  spot: Spot,
  parts: Spot | null,
  column: FilledColumn,
  reader: TreeReader,
  facts: FileFacts,
): Generator | null {
  const sources = new Map<string, TemplatePart | null>();
  for (const { name, spot: source } of parts === null
    ? []
    : (reader.entries(parts, 'names with their values') ?? []))
    sources.set(name, patternPart(source, column, reader, facts));
  const made: TemplatePart[] = [];
  const used = new Set<string>();
  let isSound = ![...sources.values()].includes(null);
  for (const match of text.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[^{}]+|[{}]/g)) {
    const [piece, inside] = match;
    if (piece === '{{' || piece === '}}') made.push(piece.slice(1));
    else if (inside === undefined && /[{}]/.test(piece)) {
      reader.say(spot, `the brace ${piece} is not matched; doubled it stands for itself`);
      isSound = false;
    } else if (inside === undefined) made.push(piece);
    else {
      const part = sources.get(inside) ?? digitsPart(inside);
      used.add(inside);
      if (part !== null) made.push(part);
      else if (!sources.has(inside)) {
        reader.say(spot, `{${inside}} has no entry under with, and is no range of digits as {0..9999}`);
        isSound = false;
      }
    }
  }
  for (const [name] of sources) {
    if (used.has(name)) continue;
    if (parts !== null) reader.say(parts, `${name} does not occur in the pattern`);
    isSound = false;
  }
  return isSound ? { kind: 'template', parts: made } : null;
}

function digitsPart(inside: string): TemplatePart | null {
  if (inside === 'seq') return { kind: 'sequence', start: 0, step: 1 };
  const range = /^(\d{1,15})\.\.(\d{1,15})$/.exec(inside);
  if (range === null) return null;
  const [low = '', high = ''] = range.slice(1);
  if (Number(low) > Number(high)) return null;
  const width = low.length > 1 && low.startsWith('0') ? { width: low.length } : {};
  return { kind: 'digits', min: Number(low), max: Number(high), ...width };
}

/** Only what can stand in a text: a pool of texts, or random characters. */
function patternPart(
  spot: Spot,
  column: FilledColumn,
  reader: TreeReader,
  facts: FileFacts,
): TemplatePart | null {
  const text: FilledColumn = { name: column.name, type: { kind: 'text' } };
  if (spot.tree.kind === 'list') return asPart(listPool(spot, text.type, undefined, reader), spot, reader);
  const found = reader.fields(spot, ['faker', 'entries', 'list', 'file', 'characters', 'hex']);
  if (found === null) return null;
  const { characters, hex } = found;
  if (characters !== undefined) return asPart(makeCharacters(characters, text, reader), spot, reader);
  if (hex !== undefined) return asPart(GENERATORS.hex(hex, text, reader), spot, reader);
  return asPart(makePool(spot, text, reader, facts), spot, reader);
}

function asPart(generator: Generator | null, spot: Spot, reader: TreeReader): TemplatePart | null {
  if (generator === null) return null;
  if (generator.kind === 'pool' || generator.kind === 'characters') return generator;
  return reader.say(spot, 'expected texts: faker, list, file, characters or hex');
}

/** `8`, `"4..8"`, or nothing: what the column holds, at most 16. */
function makeCharacters(spot: Spot, { type }: FilledColumn, reader: TreeReader): Generator | null {
  const most = type.kind === 'varchar' || type.kind === 'char' ? type.length : 32_766;
  if (isNothing(spot)) {
    const length = Math.min(most, 16);
    return { kind: 'characters', alphabet: 'base62', minLength: length, maxLength: length };
  }
  const range = readRange(spot, Math.min(most, 32_766), reader);
  return range === null
    ? null
    : { kind: 'characters', alphabet: 'base62', minLength: range.min, maxLength: range.max };
}

/** A length, or two as `1..6`. */
export function readRange(
  spot: Spot,
  most: number,
  reader: TreeReader,
): { readonly min: number; readonly max: number } | null {
  const { tree } = spot;
  const match = tree.kind === 'scalar' ? /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(String(tree.value)) : null;
  const [min, max] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match !== null && min <= max && max <= most) return { min, max };
  return reader.say(spot, `expected a length up to ${most}, as 8 or 1..6, not ${inWords(tree)}`);
}

function makeAround(spot: Spot, _column: FilledColumn, reader: TreeReader): Generator | null {
  const found = reader.fields(spot, ['lon', 'lat', 'radius_km']);
  if (found === null) return null;
  if (found.lon === undefined || found.lat === undefined || found.radius_km === undefined)
    return reader.say(spot, 'expected lon, lat and radius_km');
  const lon = reader.number(found.lon, { min: -180, max: 180 });
  const lat = reader.number(found.lat, { min: -85, max: 85 });
  const radiusKm = reader.number(found.radius_km, { min: 0.001, max: 5000 });
  if (lon === null || lat === null || radiusKm === null) return null;
  return { kind: 'geoAround', lon, lat, radiusKm };
}

/** `[west, south, east, north]`, in degrees. */
function readBox(spot: Spot, reader: TreeReader): GeoBox | null {
  const items = reader.items(spot, 'a box as [west, south, east, north]');
  if (items === null) return null;
  if (items.length !== 4) return reader.say(spot, 'expected a box as [west, south, east, north]');
  const numbers = items.map((item, index) => {
    const most = index % 2 === 0 ? 180 : 85;
    return reader.number(item, { min: -most, max: most });
  });
  const [west, south, east, north] = numbers;
  if (west == null || south == null || east == null || north == null) return null;
  return { west, south, east, north };
}

const EUROPE: GeoBox = { west: -9.5, south: 36, east: 30, north: 60 };

function makeShape(spot: Spot, _column: FilledColumn, reader: TreeReader): Generator | null {
  const found = isNothing(spot) ? {} : reader.fields(spot, ['kind', 'box', 'size']);
  if (found === null) return null;
  const shape = found.kind === undefined ? 'polygon' : reader.word(found.kind, ['point', 'line', 'polygon']);
  const box = found.box === undefined ? EUROPE : readBox(found.box, reader);
  const maxSide = found.size === undefined ? 0.01 : reader.number(found.size, { min: 0.001, max: 10 });
  if (shape === null || box === null || maxSide === null) return null;
  return { kind: 'geoShape', shape, box, maxSide };
}

function makeReference(
  spot: Spot,
  _column: FilledColumn,
  reader: TreeReader,
  facts: FileFacts,
): Generator | null {
  const found = reader.fields(spot, ['to', 'rows', 'skew', 's']);
  if (found === null) return null;
  if (found.to === undefined)
    return reader.say(spot, 'expected the column that is referred to, as to: customers.yaml#id');
  const to = reader.text(found.to, 'a column, as customers.yaml#id or id');
  const rows = found.rows === undefined ? 1_000_000 : reader.count(found.rows, 1, 2 ** 44);
  const skew = found.skew === undefined ? 'uniform' : reader.word(found.skew, ['uniform', 'zipf']);
  const exponent = found.s === undefined ? 1 : reader.number(found.s, { min: 0, max: 10 });
  const referred = to === null ? null : facts.referred(to);
  if (referred === null || rows === null || skew === null || exponent === null) return null;
  if ('problem' in referred) return reader.say(found.to, referred.problem);
  return {
    kind: 'reference',
    ...referred,
    rows,
    skew: skew === 'zipf' ? { kind: 'zipf', exponent } : { kind: 'uniform' },
  };
}

function makeTime(spot: Spot, _column: FilledColumn, reader: TreeReader, facts: FileFacts): Generator | null {
  const found = isNothing(spot) ? {} : reader.fields(spot, ['start', 'step', 'jitter', 'late']);
  if (found === null) return null;
  const stepMs = found.step === undefined ? undefined : reader.durationMs(found.step, 0, MAX_WAIT_MS);
  const jitterMs = found.jitter === undefined ? 0 : reader.durationMs(found.jitter, 0, MAX_WAIT_MS);
  const startMs = found.start === undefined ? facts.startMs : reader.timeMs(found.start);
  const late = found.late === undefined ? undefined : readLate(found.late, reader);
  if (
    stepMs === null ||
    jitterMs === null ||
    late === null ||
    (found.start !== undefined && startMs === null)
  )
    return null;
  return {
    kind: 'time',
    jitterMs,
    ...(late === undefined ? {} : { late }),
    ...(stepMs === undefined ? {} : { stepMs }),
    ...(startMs === null ? {} : { startMs }),
  };
}

function readLate(spot: Spot, reader: TreeReader): NonNullable<TimeGenerator['late']> | null {
  const found = reader.fields(spot, ['share', 'up_to']);
  if (found === null) return null;
  if (found.share === undefined || found.up_to === undefined)
    return reader.say(spot, 'expected share and up_to, as { share: 2%, up_to: 10m }');
  const share = reader.share(found.share);
  const upToMs = reader.durationMs(found.up_to, 1, MAX_WAIT_MS);
  return share === null || upToMs === null ? null : { share, upToMs };
}

const SLOW_TICKS = 60;

/** Amplitudes are shares of the highest level, or numbers in the column's own unit. */
function makeSeries(spot: Spot, { type }: FilledColumn, reader: TreeReader): Generator | null {
  const found = reader.fields(spot, [
    'per',
    'level',
    'daily',
    'weekly',
    'drift',
    'noise',
    'spikes',
    'follows',
    'decimals',
  ]);
  if (found === null) return null;
  if (found.level === undefined) return reader.say(spot, 'expected a level, as level: [10, 90]');
  const bounds = pairOf(found.level, reader);
  const low = bounds?.min === undefined ? null : reader.number(bounds.min, { min: 0, max: 2 ** 31 });
  const high = bounds?.max === undefined ? null : reader.number(bounds.max, { min: 0, max: 2 ** 31 });
  if (low === null || high === null) return null;
  if (low > high) return reader.say(found.level, `the first bound ${low} is above the second ${high}`);
  const scale = scaleOf(type, [low, high], readDecimals(found.decimals, reader));
  const amplitude = (one: Spot | undefined): number | null => {
    if (one === undefined) return 0;
    const isShare = one.tree.kind === 'scalar' && typeof one.tree.value === 'string';
    const value = isShare ? reader.share(one, 10) : reader.number(one, { min: 0, max: 2 ** 31 });
    return value === null ? null : units(isShare ? value * high : value, scale);
  };
  const [day, week, drift, jitter] = [found.daily, found.weekly, found.drift, found.noise].map(amplitude);
  const spike = found.spikes === undefined ? undefined : readSpikes(found.spikes, high, scale, reader);
  const follows = found.follows === undefined ? undefined : readFollows(found.follows, reader);
  const per = found.per === undefined ? undefined : reader.text(found.per, 'the name of a column');
  if (day == null || week == null || drift == null || jitter == null) return null;
  if (spike === null || follows === null || per === null) return null;
  return {
    kind: 'series',
    scale,
    level: { min: units(low, scale), max: units(high, scale) },
    ...(day === 0 ? {} : { day }),
    ...(week === 0 ? {} : { week }),
    ...(drift === 0 ? {} : { noise: [{ amplitude: drift, ticks: SLOW_TICKS }] }),
    ...(jitter === 0 ? {} : { jitter }),
    ...(spike === undefined ? {} : { spike }),
    ...(follows === undefined ? {} : { follows }),
    ...(per === undefined || per === 'entity' ? {} : { per }),
  };
}

/** A share of the rows; their height is the highest level unless it is given. */
function readSpikes(
  spot: Spot,
  high: number,
  scale: number,
  reader: TreeReader,
): { share: number; height: number } | null {
  const height = units(high, scale);
  if (spot.tree.kind === 'scalar') {
    const share = reader.share(spot);
    return share === null ? null : { share, height };
  }
  const found = reader.fields(spot, ['share', 'height']);
  if (found === null) return null;
  if (found.share === undefined) return reader.say(spot, 'expected a share, as { share: 0.1%, height: 50 }');
  const share = reader.share(found.share);
  const given = found.height === undefined ? high : reader.number(found.height, { min: 0, max: 2 ** 31 });
  return share === null || given === null ? null : { share, height: units(given, scale) };
}

function readFollows(spot: Spot, reader: TreeReader): { column: string; share: number } | null {
  const found = reader.fields(spot, ['column', 'share']);
  if (found === null) return null;
  if (found.column === undefined) return reader.say(spot, 'expected the column that it follows');
  const column = reader.text(found.column, 'the name of a column');
  const share = found.share === undefined ? 1 : signedShare(found.share.tree);
  if (found.share !== undefined && share === null)
    return reader.say(found.share, 'expected a share, as 50% or -0.5');
  return column === null || share === null ? null : { column, share };
}
