/**
 * A generator for a column about which nothing is known but its name and type: for schema files that say nothing
 * about it, and for tables that exist. Whatever the name suggests, the values are valid for the type.
 */
import { DAY_MS } from '../base/units.ts';
import type { ColumnType, FakerMethod, Generator, JsonValue, PoolSource, TypeKind } from './schema.ts';
import { wholeLimits } from './type-limits.ts';
import { INTEGERS, fitProblem } from './validate-generator.ts';

/** What is known about the column besides its name and type. */
export interface SensibleContext {
  /** Whether it has to tell rows apart: a part of the primary key. */
  readonly isKey: boolean;
}

export interface SensibleGenerator {
  readonly generator: Generator;
  /** What decided: a word in the name, or the type alone. */
  readonly by: 'name' | 'type';
}

/** The generator for a column. Its sub-columns, if it is an object, get theirs one by one. */
export function sensibleGenerator(
  name: string,
  type: ColumnType,
  context: SensibleContext,
): SensibleGenerator {
  if (type.kind === 'array') {
    const { generator, by } = sensibleGenerator(name.replace(/s$/i, ''), type.of, { isKey: false });
    return { generator: { kind: 'array', minLength: 1, maxLength: 3, of: generator }, by };
  }
  if (context.isKey) {
    const key = keyGenerator(type);
    if (key !== null) return { generator: key, by: 'type' };
  }
  const words = wordsOf(name);
  for (const { pattern, make } of rulesFor(type.kind)) {
    const generator = pattern.test(words) ? make(type) : null;
    if (generator !== null && fitProblem(generator, type) === null) return { generator, by: 'name' };
  }
  return { generator: generatorByType(type), by: 'type' };
}

/** `createdAt`, `created-at` and `CREATED_AT` are the same words: `created_at`. */
function wordsOf(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();
}

interface Rule {
  readonly pattern: RegExp;
  /** Null where the type cannot hold what the name means. */
  readonly make: (type: ColumnType) => Generator | null;
}

/** The words at the end of a name: `mail` in `billing_mail`. */
const ending = (...words: readonly string[]): RegExp => new RegExp(`(^|_)(${words.join('|')})\\d*$`);
const always =
  (generator: Generator): Rule['make'] =>
  () =>
    generator;

function rulesFor(kind: TypeKind): readonly Rule[] {
  switch (kind) {
    case 'text':
    case 'varchar':
    case 'char':
      return TEXT_RULES;
    case 'timestamptz':
    case 'timestamp':
      return TIME_RULES;
    case 'boolean':
      return BOOLEAN_RULES;
    case 'byte':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'real':
    case 'double':
    case 'numeric':
      return NUMBER_RULES;
    default:
      return [];
  }
}

const EUROPE = { west: -9.5, south: 36, east: 30, north: 60 } as const;

const choice = (...options: readonly (readonly [JsonValue, number])[]): Rule['make'] =>
  always({ kind: 'choice', options: options.map(([value, weight]) => ({ value, weight })) });

const pool = (source: PoolSource): Generator => ({ kind: 'pool', pool: source });

/** Texts of faker, cut to what the column holds. */
function faker(method: FakerMethod, entries = 500): Rule['make'] {
  return (type) => {
    const room = roomOf(type);
    return pool({ from: 'faker', method, entries, ...(room === Infinity ? {} : { maxLength: room }) });
  };
}

/** Characters that a text column holds. */
function roomOf(type: ColumnType): number {
  return type.kind === 'varchar' || type.kind === 'char' ? type.length : Infinity;
}

/** Names have no bounded length: short columns get an address without one. */
function mailAddress(type: ColumnType): Generator {
  const domain = pool({ from: 'values', values: ['example.com', 'example.net', 'example.org'] });
  const at = domain.kind === 'pool' ? ['@', domain] : [];
  const number = { kind: 'digits', min: 1, max: 99_999 } as const;
  if (roomOf(type) < 80) return { kind: 'template', parts: ['user', number, ...at] };
  const name = (set: 'firstNames' | 'lastNames') =>
    ({
      kind: 'pool',
      pool: { from: 'records', set, field: 'mail' },
      pick: { by: 'draw', draw: set },
    }) as const;
  return { kind: 'template', parts: [name('firstNames'), '.', name('lastNames'), number, ...at] };
}

function fullName(type: ColumnType): Generator | null {
  if (roomOf(type) < 80) return faker('person.lastName')(type);
  const name = (set: 'firstNames' | 'lastNames') =>
    ({
      kind: 'pool',
      pool: { from: 'records', set, field: 'display' },
      pick: { by: 'draw', draw: set },
    }) as const;
  return { kind: 'template', parts: [name('firstNames'), ' ', name('lastNames')] };
}

const HEX: Generator = { kind: 'characters', alphabet: 'hex', minLength: 16, maxLength: 16 };

const TEXT_RULES: readonly Rule[] = [
  { pattern: ending('e_?mail', 'e_?mail_address'), make: mailAddress },
  { pattern: ending('user_?agent'), make: faker('internet.userAgent') },
  {
    pattern: ending('ip', 'ip_address', 'remote_addr', 'client_addr'),
    make: always({ kind: 'ip', version: 4 }),
  },
  { pattern: ending('uuid', 'guid'), make: always({ kind: 'uuid' }) },
  { pattern: ending('first_?name', 'given_?name', 'forename'), make: faker('person.firstName') },
  { pattern: ending('last_?name', 'surname', 'family_?name'), make: faker('person.lastName') },
  {
    pattern: ending('company', 'company_name', 'organi[sz]ation', 'employer', 'vendor'),
    make: faker('company.name'),
  },
  { pattern: ending('product', 'product_name', 'item_name'), make: faker('commerce.productName') },
  { pattern: ending('department', 'dept'), make: faker('commerce.department') },
  { pattern: ending('job', 'job_title', 'position', 'profession'), make: faker('person.jobTitle') },
  { pattern: ending('city', 'town', 'location'), make: faker('location.city') },
  { pattern: ending('country_?code'), make: faker('location.countryCode') },
  { pattern: ending('country', 'nation'), make: faker('location.country') },
  { pattern: ending('street', 'address', 'street_address'), make: faker('location.street') },
  { pattern: ending('zip', 'zip_?code', 'post_?code', 'postal_?code'), make: faker('location.zipCode') },
  { pattern: ending('currency', 'currency_?code'), make: faker('finance.currencyCode') },
  { pattern: ending('mime', 'mime_?type', 'content_?type'), make: faker('system.mimeType') },
  { pattern: ending('vehicle', 'car'), make: faker('vehicle.vehicle') },
  { pattern: ending('domain', 'host', 'host_?name', 'server'), make: faker('internet.domainName') },
  {
    pattern: ending('url', 'uri', 'link', 'website', 'homepage'),
    make: always({
      kind: 'template',
      parts: [
        'https://',
        { kind: 'pool', pool: { from: 'values', values: ['example.com', 'example.net', 'example.org'] } },
        '/',
        { kind: 'characters', alphabet: 'base62', minLength: 4, maxLength: 12 },
      ],
    }),
  },
  {
    pattern: ending('phone', 'phone_?number', 'mobile', 'fax', 'tel'),
    make: always({
      kind: 'template',
      parts: ['+1555', { kind: 'digits', min: 0, max: 9_999_999, width: 7 }],
    }),
  },
  {
    pattern: ending('status', 'state'),
    make: choice(['active', 60], ['new', 20], ['paused', 12], ['closed', 8]),
  },
  {
    pattern: ending('level', 'severity', 'log_level'),
    make: choice(['info', 80], ['warn', 12], ['error', 6], ['debug', 2]),
  },
  { pattern: ending('gender', 'sex'), make: choice(['f', 49], ['m', 49], ['x', 2]) },
  {
    pattern: ending('colou?r'),
    make: choice(['black', 4], ['white', 3], ['blue', 2], ['red', 2], ['green', 1]),
  },
  { pattern: ending('priority'), make: choice(['normal', 70], ['high', 20], ['low', 10]) },
  {
    pattern: ending('method', 'http_?method', 'verb'),
    make: choice(['GET', 80], ['POST', 14], ['PUT', 4], ['DELETE', 2]),
  },
  {
    pattern: ending('username', 'user_?name', 'login', 'nick', 'nickname'),
    make: always({ kind: 'template', parts: ['user', { kind: 'digits', min: 1, max: 99_999 }] }),
  },
  {
    pattern: ending('sku', 'article', 'code', 'number'),
    make: always({ kind: 'template', parts: ['A-', { kind: 'digits', min: 0, max: 999_999, width: 6 }] }),
  },
  { pattern: ending('hash', 'token', 'checksum', 'digest', 'etag', 'fingerprint'), make: always(HEX) },
  { pattern: ending('name', 'author', 'customer', 'user', 'contact'), make: fullName },
  { pattern: ending('title', 'subject', 'headline'), make: faker('company.catchPhrase') },
  {
    pattern: ending('description', 'comment', 'message', 'note', 'notes', 'remark', 'summary'),
    make: faker('lorem.sentence'),
  },
  { pattern: ending('body', 'content', 'text', 'payload'), make: faker('lorem.paragraph', 100) },
  {
    pattern: ending('tag', 'category', 'type', 'kind', 'label', 'group', 'class'),
    make: faker('lorem.word', 30),
  },
  {
    pattern: ending('id'),
    make: always({ kind: 'characters', alphabet: 'base62', minLength: 12, maxLength: 12 }),
  },
];

/** Whole numbers or decimals from `low` to `high`, as many digits as the type keeps; null where it cannot hold both. */
function between(low: number, high: number, decimals: number): Rule['make'] {
  return (type) => numbersBetween(type, low, high, decimals);
}

function numbersBetween(type: ColumnType, low: number, high: number, decimals: number): Generator | null {
  const limits = wholeLimits(type);
  if (low < limits.min || high > limits.max) return null;
  const scale = scaleFor(type, decimals);
  if (scale === 0) return { kind: 'integer', min: Math.ceil(low), max: Math.floor(high) };
  return {
    kind: 'decimal',
    min: Math.ceil(low * 10 ** scale),
    max: Math.floor(high * 10 ** scale),
    scale,
  };
}

function scaleFor(type: ColumnType, decimals: number): number {
  if (INTEGERS.includes(type.kind)) return 0;
  return type.kind === 'numeric' ? Math.min(type.scale, decimals) : decimals;
}

/** Most values are small and few are large, up to `high`: prices, durations, counts. */
function skewed(mean: number, high: number, decimals: number): Rule['make'] {
  return (type) => {
    if (high > wholeLimits(type).max) return null;
    const scale = scaleFor(type, decimals);
    const unit = 10 ** scale;
    return { kind: 'exponential', min: 0, mean: Math.round(mean * unit), max: high * unit, scale };
  };
}

function bell(mean: number, deviation: number, decimals: number): Rule['make'] {
  return (type) => {
    const [min, max] = [mean - 6 * deviation, mean + 6 * deviation];
    const limits = wholeLimits(type);
    if (min < limits.min || max > limits.max) return null;
    const scale = scaleFor(type, decimals);
    const unit = 10 ** scale;
    return {
      kind: 'normal',
      mean: Math.round(mean * unit),
      deviation: Math.max(1, Math.round(deviation * unit)),
      scale,
    };
  };
}

const NUMBER_RULES: readonly Rule[] = [
  { pattern: ending('lat', 'latitude'), make: between(EUROPE.south, EUROPE.north, 6) },
  { pattern: ending('lon', 'lng', 'long', 'longitude'), make: between(EUROPE.west, EUROPE.east, 6) },
  { pattern: ending('age'), make: between(18, 90, 0) },
  { pattern: ending('year'), make: between(1990, 2026, 0) },
  { pattern: ending('month'), make: between(1, 12, 0) },
  { pattern: ending('day'), make: between(1, 28, 0) },
  { pattern: ending('hour'), make: between(0, 23, 0) },
  { pattern: ending('minute', 'second'), make: between(0, 59, 0) },
  { pattern: ending('percent', 'pct', 'percentage', 'humidity', 'usage', 'load'), make: between(0, 100, 1) },
  { pattern: ending('ratio', 'share', 'score', 'probability', 'confidence'), make: between(0, 1, 4) },
  { pattern: ending('rating', 'stars'), make: between(1, 5, 0) },
  { pattern: ending('temperature', 'temp'), make: bell(18, 6, 1) },
  { pattern: ending('pressure'), make: bell(1013, 12, 1) },
  { pattern: ending('height'), make: bell(170, 10, 1) },
  { pattern: ending('weight'), make: bell(75, 11, 1) },
  { pattern: ending('port'), make: between(1024, 65_535, 0) },
  {
    pattern: ending('http_?status', 'status_?code', 'response_?code'),
    make: choice([200, 90], [404, 5], [302, 3], [500, 2]),
  },
  {
    pattern: ending('price', 'amount', 'cost', 'total', 'sum', 'revenue', 'salary', 'balance', 'fee', 'tax'),
    make: skewed(80, 10_000, 2),
  },
  {
    pattern: ending('quantity', 'qty', 'count', 'n', 'num', 'visits', 'clicks', 'orders'),
    make: skewed(5, 100, 0),
  },
  { pattern: ending('duration', 'latency', 'elapsed', 'ms', 'millis'), make: skewed(120, 30_000, 0) },
  { pattern: ending('bytes', 'size', 'length'), make: skewed(4096, 1_000_000, 0) },
  { pattern: ending('id', 'key', 'number', 'no'), make: between(1, 100_000, 0) },
];

const TIME_RULES: readonly Rule[] = [
  {
    pattern: ending('birth_?date', 'birth_?day', 'date_of_birth', 'dob', 'born', 'born_at'),
    make: always({ kind: 'integer', min: Date.UTC(1950, 0, 1), max: Date.UTC(2007, 11, 31) }),
  },
  {
    pattern: ending('created', 'created_(at|on)', 'at', 'ts', 'time', 'timestamp', 'date', 'inserted_at'),
    make: always({ kind: 'time', jitterMs: 0 }),
  },
  {
    pattern: ending('updated', 'updated_(at|on)', 'modified', 'changed', 'last_seen'),
    make: always({ kind: 'time', jitterMs: 60_000 }),
  },
  {
    pattern: ending('expires', 'valid_until', 'due'),
    make: always({ kind: 'time', jitterMs: 30 * DAY_MS }),
  },
];

const BOOLEAN_RULES: readonly Rule[] = [
  {
    pattern: /(^|_)(deleted|disabled|blocked|hidden|archived|failed|error|spam|fraud)$/,
    make: always({ kind: 'boolean', trueShare: 0.05 }),
  },
  {
    pattern: /(^|_)(active|enabled|valid|verified|confirmed|ok|success|visible|public)$/,
    make: always({ kind: 'boolean', trueShare: 0.9 }),
  },
];

/** Values that tell rows apart; null where the type has none in store. */
function keyGenerator(type: ColumnType): Generator | null {
  switch (type.kind) {
    case 'byte':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'double':
    case 'numeric':
    case 'real':
      // All digits behind the point: no whole numbers to count with.
      return wholeLimits(type).max < 1 ? null : { kind: 'sequence', start: 1, step: 1 };
    case 'text':
      return { kind: 'uuid' };
    case 'varchar':
    case 'char':
      if (type.length >= 36) return { kind: 'uuid' };
      return { kind: 'template', parts: [{ kind: 'sequence', start: 0, step: 1 }] };
    default:
      return null;
  }
}

function generatorByType(type: ColumnType): Generator {
  switch (type.kind) {
    case 'boolean':
      return { kind: 'boolean', trueShare: 0.5 };
    case 'byte':
      return { kind: 'integer', min: 0, max: 100 };
    case 'smallint':
      return { kind: 'integer', min: 0, max: 1000 };
    case 'integer':
    case 'bigint':
      return { kind: 'integer', min: 0, max: 1_000_000 };
    case 'real':
    case 'double':
      return { kind: 'decimal', min: 0, max: 100_000, scale: 2 };
    case 'numeric': {
      const high = Math.min(wholeLimits(type).max, 100_000);
      // All digits behind the point: below 1.
      if (high < 1) return { kind: 'decimal', min: 0, max: 9, scale: 1 };
      return numbersBetween(type, 0, high, 4) ?? { kind: 'integer', min: 0, max: high };
    }
    case 'text':
    case 'varchar':
      return faker('lorem.word', 300)(type) ?? { kind: 'uuid' };
    case 'char':
      return {
        kind: 'characters',
        alphabet: 'base62',
        minLength: 1,
        maxLength: Math.min(type.length, 32_766),
      };
    case 'bit':
      return { kind: 'bits' };
    case 'ip':
      return { kind: 'ip', version: 4 };
    case 'uuid':
      return { kind: 'uuid' };
    case 'timestamptz':
    case 'timestamp':
      return { kind: 'time', jitterMs: 0 };
    case 'geo_point':
      return { kind: 'geoPoint', box: EUROPE };
    case 'geo_shape':
      // About a kilometre: larger shapes are indexed by very many terms.
      return { kind: 'geoShape', shape: 'polygon', box: EUROPE, maxSide: 0.01 };
    case 'float_vector':
      return { kind: 'vector', scale: 6 };
    case 'object':
      return { kind: 'object' };
    case 'array':
      return { kind: 'array', minLength: 1, maxLength: 3, of: generatorByType(type.of) };
  }
}
