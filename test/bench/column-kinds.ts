/**
 * A column of each type and each way to generate it, twice: as crategen's schema says it, and as a careful author
 * makes such a value in plain JavaScript, with lists and tables ready beforehand.
 */
import { randomUUID } from 'node:crypto';
import { aliasTable, zipfWeights } from '../../src/rows/distributions.ts';
import { hostRecords } from '../../src/rows/host-records.ts';
import type { ColumnType, GeoBox, Generator, TableSchema } from '../../src/rows/schema.ts';
import { STATES, between, pick } from './plain-draws.ts';

/** Makes a value of row `seq`, one that `JSON.stringify` turns into what CrateDB takes. */
type ValueMaker = (seq: number) => unknown;

export interface ColumnKind {
  readonly name: string;
  /** Pools and texts are copied, other values are computed: they have goals of their own. */
  readonly isText: boolean;
  readonly type: ColumnType;
  readonly generator: Generator;
  readonly openPlain: () => ValueMaker;
}

/** So many columns of one kind make a row: what a row itself costs does not hide what its values cost. */
const COLUMNS = 8;
const TIME_ORIGIN_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 10;
const DAY_MS = 86_400_000;
const SAFE = Number.MAX_SAFE_INTEGER;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const EUROPE: GeoBox = { west: -9.5, south: 36, east: 30, north: 60 };
const SHAPE_SIDE = 0.01;

const WORDS = ['amber', 'birch', 'cedar', 'delta', 'ember', 'flint', 'grove', 'heath', 'inlet', 'jetty'];
const wordAt = (place: number): string => WORDS[place % WORDS.length] ?? '';
/** Five words each, about 30 characters. */
const SENTENCES = Array.from({ length: 500 }, (_, entry) =>
  [1, 2, 3, 5, 7].map((factor) => wordAt(Math.floor((entry * factor) / 3) + factor)).join(' '),
);
const ZIPF = { ranks: 1000, exponent: 1.1 } as const;

const draw = (min: number, max: number) => (): number => between(min, max);
const drawDecimal = (min: number, max: number, one: number) => (): number => between(min, max) / one;

/** Box and Muller's. */
function standardNormal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

function openZipf(): ValueMaker {
  const table = aliasTable(zipfWeights(ZIPF.ranks, ZIPF.exponent));
  return () => {
    const cell = between(0, ZIPF.ranks - 1);
    return Math.random() * 2 ** 32 < (table[cell] ?? 0) ? cell : (table[cell + ZIPF.ranks] ?? 0);
  };
}

function openSeries(): ValueMaker {
  const level = between(2, 30);
  return (seq) => {
    const atMs = TIME_ORIGIN_MS + seq * STEP_MS;
    const wave = 1 + Math.sin((2 * Math.PI * (atMs % DAY_MS)) / DAY_MS);
    return Math.round(level + 7.5 * wave + between(0, 7) + between(0, 3));
  };
}

function characters(minLength: number, maxLength: number): string {
  let text = '';
  for (let left = between(minLength, maxLength); left > 0; left -= 1)
    text += BASE62[Math.floor(Math.random() * 62)] ?? '';
  return text;
}

const hexDigits = (digits: number): string =>
  between(0, 16 ** digits - 1)
    .toString(16)
    .padStart(digits, '0');

const addressV4 = (): string => `10.${between(0, 255)}.${between(0, 255)}.${between(0, 255)}`;
const addressV6 = (): string =>
  `2001:db8:${hexDigits(4)}:${hexDigits(4)}:${hexDigits(4)}:${hexDigits(4)}:${hexDigits(4)}:${hexDigits(4)}`;

const degrees = (min: number, max: number): number => between(min * 1e6, max * 1e6) / 1e6;
const place = (): number[] => [degrees(EUROPE.west, EUROPE.east), degrees(EUROPE.south, EUROPE.north)];

function polygon(): unknown {
  const [west, south] = [
    degrees(EUROPE.west, EUROPE.east - SHAPE_SIDE),
    degrees(EUROPE.south, EUROPE.north - SHAPE_SIDE),
  ];
  // Sums of two decimals have digits that nobody wrote.
  const east = Math.round((west + degrees(0.001, SHAPE_SIDE)) * 1e6) / 1e6;
  const north = Math.round((south + degrees(0.001, SHAPE_SIDE)) * 1e6) / 1e6;
  const corners = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return { type: 'Polygon', coordinates: [corners] };
}

function listOf<T>(minLength: number, maxLength: number, make: () => T): T[] {
  const list: T[] = [];
  for (let left = between(minLength, maxLength); left > 0; left -= 1) list.push(make());
  return list;
}

type SimpleType = Exclude<
  ColumnType['kind'],
  'numeric' | 'varchar' | 'char' | 'bit' | 'float_vector' | 'object' | 'array'
>;
const integer = (min: number, max: number): Generator => ({ kind: 'integer', min, max });

/** A computed value; `make` needs nothing ready. */
function value(
  name: string,
  type: ColumnType | SimpleType,
  generator: Generator,
  make: ValueMaker,
): ColumnKind {
  return kindOf(name, type, generator, () => make, false);
}

function text(
  name: string,
  type: ColumnType | SimpleType,
  generator: Generator,
  openPlain: () => ValueMaker,
): ColumnKind {
  return kindOf(name, type, generator, openPlain, true);
}

function kindOf(
  name: string,
  type: ColumnType | SimpleType,
  generator: Generator,
  openPlain: () => ValueMaker,
  isText: boolean,
): ColumnKind {
  return { name, type: typeof type === 'string' ? { kind: type } : type, generator, openPlain, isText };
}

const NUMBERS: readonly ColumnKind[] = [
  value('boolean', 'boolean', { kind: 'boolean', trueShare: 0.7 }, () => Math.random() < 0.7),
  value('byte', 'byte', integer(-128, 127), draw(-128, 127)),
  value('smallint', 'smallint', integer(-32_768, 32_767), draw(-32_768, 32_767)),
  value('integer', 'integer', integer(-(2 ** 31), 2 ** 31 - 1), draw(-(2 ** 31), 2 ** 31 - 1)),
  value('bigint', 'bigint', integer(0, SAFE), () => Math.floor(Math.random() * SAFE)),
  value('bigint, sequence', 'bigint', { kind: 'seq' }, (seq) => seq),
  kindOf('integer, zipf', 'integer', { kind: 'zipf', ...ZIPF, from: 0 }, openZipf, false),
  kindOf(
    'integer, series',
    'integer',
    {
      kind: 'series',
      level: { min: 2, max: 30 },
      day: 15,
      noise: [{ amplitude: 7, ticks: 60 }],
      jitter: 3,
    },
    openSeries,
    false,
  ),
  value(
    'real, normal',
    'real',
    { kind: 'normal', mean: 0, deviation: 100_000, scale: 3 },
    () => Math.round(100_000 * standardNormal()) / 1000,
  ),
  value(
    'double',
    'double',
    { kind: 'decimal', min: -99_999_999_999, max: 99_999_999_999, scale: 6 },
    drawDecimal(-99_999_999_999, 99_999_999_999, 1e6),
  ),
  value(
    'double, exponential',
    'double',
    { kind: 'exponential', min: 100, mean: 7950, scale: 2 },
    () => Math.round(100 - 7950 * Math.log(1 - Math.random())) / 100,
  ),
  value(
    'numeric(18, 4)',
    { kind: 'numeric', precision: 18, scale: 4 },
    { kind: 'decimal', min: -9_999_999_999_999, max: 9_999_999_999_999, scale: 4 },
    () => (between(-9_999_999_999_999, 9_999_999_999_999) / 1e4).toFixed(4),
  ),
  value(
    'timestamp, advancing',
    'timestamptz',
    { kind: 'time', jitterMs: 9 },
    (seq) => TIME_ORIGIN_MS + seq * STEP_MS + between(0, 9),
  ),
  value('timestamp, random', 'timestamp', integer(0, 4_102_444_800_000), draw(0, 4_102_444_800_000)),
  value('uuid', 'uuid', { kind: 'uuid' }, () => randomUUID()),
  value('ip, version 4', 'ip', { kind: 'ip', version: 4 }, addressV4),
  value('ip, version 6', 'ip', { kind: 'ip', version: 6 }, addressV6),
  value('bit(12)', { kind: 'bit', length: 12 }, { kind: 'bits' }, () =>
    between(0, 4095).toString(2).padStart(12, '0'),
  ),
  value('geo_point', 'geo_point', { kind: 'geoPoint', box: EUROPE }, place),
  value(
    'geo_shape, polygon',
    'geo_shape',
    { kind: 'geoShape', shape: 'polygon', box: EUROPE, maxSide: SHAPE_SIDE },
    polygon,
  ),
  value('float_vector(8)', { kind: 'float_vector', dimensions: 8 }, { kind: 'vector', scale: 6 }, () =>
    listOf(8, 8, drawDecimal(-1_000_000, 1_000_000, 1e6)),
  ),
];

const TEXTS: readonly ColumnKind[] = [
  text(
    'text, pool of 1,000 names',
    'text',
    { kind: 'pool', pool: { from: 'records', set: 'hosts', field: 'hostname' } },
    () => {
      const names = hostRecords('plain').map(({ hostname }) => hostname);
      return () => pick(names);
    },
  ),
  text(
    'text, pool of 500 sentences',
    'text',
    { kind: 'pool', pool: { from: 'values', values: SENTENCES } },
    () => () => pick(SENTENCES),
  ),
  text('text, weighted choice', 'text', { kind: 'choice', options: STATES }, () => {
    const states = STATES.flatMap((state) => Array<string>(state.weight).fill(state.value));
    return () => pick(states);
  }),
  text(
    'text, template',
    'text',
    {
      kind: 'template',
      parts: [
        'item ',
        { kind: 'digits', min: 0, max: 999_999, width: 6 },
        '@',
        { kind: 'pool', pool: { from: 'values', values: WORDS } },
      ],
    },
    () => () => `item ${String(between(0, 999_999)).padStart(6, '0')}@${pick(WORDS)}`,
  ),
  text(
    'varchar(24), characters',
    { kind: 'varchar', length: 24 },
    { kind: 'characters', alphabet: 'base62', minLength: 1, maxLength: 24 },
    () => () => characters(1, 24),
  ),
  text(
    'char(8), characters',
    { kind: 'char', length: 8 },
    { kind: 'characters', alphabet: 'base62', minLength: 4, maxLength: 8 },
    () => () => characters(4, 8),
  ),
  text(
    'text, 16 hexadecimal digits',
    'text',
    { kind: 'characters', alphabet: 'hex', minLength: 16, maxLength: 16 },
    () => () => hexDigits(8) + hexDigits(8),
  ),
];

const array = (of: Generator, maxLength: number): Generator => ({
  kind: 'array',
  minLength: 0,
  maxLength,
  of,
});

const NESTED: readonly ColumnKind[] = [
  value(
    'object',
    {
      kind: 'object',
      policy: 'dynamic',
      columns: [
        {
          name: 'label',
          type: { kind: 'text' },
          generator: { kind: 'pool', pool: { from: 'values', values: SENTENCES } },
        },
        {
          name: 'score',
          type: { kind: 'real' },
          generator: { kind: 'decimal', min: 0, max: 1000, scale: 2 },
        },
        {
          name: 'inner',
          type: {
            kind: 'object',
            policy: 'strict',
            columns: [{ name: 'deep', type: { kind: 'integer' }, generator: integer(0, 9) }],
          },
          generator: { kind: 'object' },
        },
      ],
    },
    { kind: 'object' },
    () => ({ label: pick(SENTENCES), score: between(0, 1000) / 100, inner: { deep: between(0, 9) } }),
  ),
  value('array of integers', { kind: 'array', of: { kind: 'integer' } }, array(integer(-1000, 1000), 6), () =>
    listOf(0, 6, draw(-1000, 1000)),
  ),
  value(
    'array of texts',
    { kind: 'array', of: { kind: 'text' } },
    array({ kind: 'pool', pool: { from: 'values', values: WORDS } }, 4),
    () => listOf(0, 4, () => pick(WORDS)),
  ),
];

export const COLUMN_KINDS: readonly ColumnKind[] = [...NUMBERS, ...TEXTS, ...NESTED];

/** A table whose rows are columns of this kind and nothing else. */
export function schemaOfKind({ type, generator }: ColumnKind): TableSchema {
  return {
    name: 'columns',
    description: 'columns of one kind',
    columns: Array.from({ length: COLUMNS }, (_, column) => ({ name: `c${column}`, type, generator })),
    primaryKey: [],
    clusteredBy: null,
    partitionedBy: [],
    checks: [],
    settings: {},
    axis: { entities: 1, stepMs: STEP_MS },
  };
}

/** The same rows in plain JavaScript. */
export function plainRowsOfKind({ openPlain }: ColumnKind): (seq: number) => readonly unknown[] {
  const make = openPlain();
  // A literal, as an author writes a row: a list that grows costs more.
  return (seq) => [make(seq), make(seq), make(seq), make(seq), make(seq), make(seq), make(seq), make(seq)];
}
