/** A generator as it stands under `generate` in a schema file: what `parseGenerator` reads back as the same. */
import type {
  CharactersGenerator,
  ColumnType,
  GeoBox,
  Generator,
  JsonValue,
  Pick,
  PoolSource,
  RankedGenerator,
  TemplatePart,
  WeightedValue,
} from '../../rows/schema.ts';
import { scaleOf } from './generator-fields.ts';
import { isoMs } from './tree-reader.ts';

/** Maps keep the order of their keys, which that of an object's may not be. */
export type Written = JsonValue | Map<string, JsonValue> | { readonly [key: string]: Written };

/** Null: the format has no word for it. */
export function writeGenerator(generator: Generator, type: ColumnType): Written | null {
  switch (generator.kind) {
    case 'uuid':
    case 'bits':
    case 'object':
    case 'vector':
      return generator.kind;
    case 'constant':
      return { constant: generator.value };
    case 'boolean':
      return { boolean: generator.trueShare };
    case 'ip':
      return { ip: generator.version };
    case 'characters':
      return writtenCharacters(generator);
    case 'sequence': {
      const { start, step, wrap } = generator;
      return { sequence: { start: number(start, 0, type), step, ...(wrap === undefined ? {} : { wrap }) } };
    }
    case 'integer': {
      const [min, max] = [number(generator.min, 0, type), number(generator.max, 0, type)];
      // In a column that has decimals, whole numbers are asked for.
      const isWhole = scaleOf(type, [generator.min, generator.max], null) === 0;
      return { uniform: isWhole ? [min, max] : { min, max, decimals: 0 } };
    }
    case 'decimal': {
      const { min, max, scale } = generator;
      return { uniform: { min: number(min, scale, type), max: number(max, scale, type), decimals: scale } };
    }
    case 'normal': {
      const { mean, deviation, scale } = generator;
      return {
        normal: {
          mean: number(mean, scale, type),
          sd: number(deviation, scale, type),
          ...ends(generator, type),
          decimals: scale,
        },
      };
    }
    case 'exponential': {
      const { min, mean, scale } = generator;
      return {
        exponential: { mean: number(min + mean, scale, type), ...ends(generator, type), decimals: scale },
      };
    }
    case 'zipf':
      return { zipf: { ranks: generator.ranks, s: generator.exponent, from: generator.from } };
    case 'buckets':
      return { histogram: writtenBounds(generator, type) };
    case 'ranked':
      return { ranks: writtenRanks(generator, type) };
    case 'choice':
      return { choice: writtenChoice(generator.options) };
    case 'pool':
      return writtenPool(generator.pool, generator.pick);
    case 'template':
      return writtenPattern(generator.parts);
    case 'time': {
      const { jitterMs, startMs, stepMs, late } = generator;
      return {
        time: {
          jitter: `${jitterMs}ms`,
          ...(startMs === undefined ? {} : { start: timeText(startMs) }),
          ...(stepMs === undefined ? {} : { step: `${stepMs}ms` }),
          ...(late === undefined ? {} : { late: { share: late.share, up_to: `${late.upToMs}ms` } }),
        },
      };
    }
    case 'geoPoint':
      return { box: sides(generator.box) };
    case 'geoAround':
      return { around: { lon: generator.lon, lat: generator.lat, radius_km: generator.radiusKm } };
    case 'geoShape':
      return { shape: { kind: generator.shape, box: sides(generator.box), size: generator.maxSide } };
    default:
      return null;
  }
}

/** A number of so many decimals; in a column of times the point in time. */
function number(value: number, scale: number, type: ColumnType): JsonValue {
  if (type.kind === 'timestamptz' || type.kind === 'timestamp') return timeText(value);
  return value / 10 ** scale;
}

/** Times that have no text in a schema file stay milliseconds. */
function timeText(ms: number): string | number {
  const isNear = ms >= 0 && ms < Date.UTC(2200, 0, 1);
  const text = isNear ? new Date(ms).toISOString().replace('T00:00:00.000Z', '') : '';
  return isoMs(text) === ms ? text : ms;
}

function ends(
  { min, max, scale }: { readonly min?: number; readonly max?: number; readonly scale: number },
  type: ColumnType,
): { [key: string]: JsonValue } {
  return {
    ...(min === undefined ? {} : { min: number(min, scale, type) }),
    ...(max === undefined ? {} : { max: number(max, scale, type) }),
  };
}

function writtenBounds(
  { bounds, scale }: { readonly bounds: readonly number[]; readonly scale: number },
  type: ColumnType,
): { [key: string]: JsonValue } {
  return {
    bounds: bounds.map((bound) => number(bound, scale, type)),
    ...(scale === 0 ? {} : { decimals: scale }),
  };
}

function writtenRanks({ distinct, weights, values, of }: RankedGenerator, type: ColumnType): Written {
  return {
    distinct,
    ...(weights.length === 0 ? {} : { weights }),
    ...(values === undefined ? {} : { values }),
    ...(of.kind === 'quantiles' ? writtenBounds(of, type) : { prefix: of.prefix, width: of.width }),
  };
}

/** Texts as the keys of a map, anything else in a list. */
function writtenChoice(options: readonly WeightedValue[]): Written {
  const texts = options.flatMap(({ value, weight }): [string, number][] =>
    typeof value === 'string' ? [[value, weight]] : [],
  );
  if (texts.length === options.length) return new Map(texts);
  return options.map(({ value, weight }) => ({ value, weight }));
}

function writtenCharacters({ alphabet, minLength, maxLength }: CharactersGenerator): {
  [key: string]: JsonValue;
} {
  if (alphabet === 'hex') return { hex: minLength };
  return { characters: minLength === maxLength ? minLength : `${minLength}..${maxLength}` };
}

function writtenPool(pool: PoolSource, pick: Pick | undefined): Written | null {
  if (pick?.by === 'draw' || pool.from === 'records') return null;
  const per = pick === undefined ? {} : { per: 'entity' };
  if (pool.from === 'values') return { pool: { list: pool.values, ...per } };
  return { pool: { faker: pool.method, entries: pool.entries, ...per } };
}

/** Texts as they are, digits in braces; everything else gets a name. */
function writtenPattern(parts: readonly TemplatePart[]): Written | null {
  const sources: [string, Written][] = [];
  let pattern = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      pattern += part.replaceAll(/[{}]/g, '$&$&');
      continue;
    }
    const digits = writtenDigits(part);
    const source = digits === null ? writtenSource(part) : null;
    if (digits === null && source === null) return null;
    const name = digits ?? `part${sources.length + 1}`;
    pattern += `{${name}}`;
    if (source !== null) sources.push([name, source]);
  }
  return { pattern, ...(sources.length === 0 ? {} : { with: Object.fromEntries(sources) }) };
}

function writtenDigits(part: Exclude<TemplatePart, string>): string | null {
  if (part.kind === 'sequence') {
    const isPlain =
      part.start === 0 && part.step === 1 && part.wrap === undefined && part.width === undefined;
    return isPlain ? 'seq' : null;
  }
  if (part.kind !== 'digits') return null;
  return `${String(part.min).padStart(part.width ?? 0, '0')}..${part.max}`;
}

function writtenSource(part: Exclude<TemplatePart, string>): Written | null {
  if (part.kind === 'characters') return writtenCharacters(part);
  if (part.kind !== 'pool') return null;
  const written = writtenPool(part.pool, part.pick);
  // A pattern names the pool's source itself.
  return written !== null && typeof written === 'object' && 'pool' in written
    ? (written['pool'] ?? null)
    : written;
}

const sides = ({ west, south, east, north }: GeoBox): JsonValue => [west, south, east, north];
