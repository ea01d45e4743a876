/** The demands of all CHECKs on one column put together, and generators changed so that each value meets them. */
import type { ColumnType, Generator, JsonValue, TemplatePart } from '../schema.ts';
import type { Demand, Literal } from './condition.ts';

/** What the values of one column must be. */
export interface Limits {
  readonly least: Bound | null;
  readonly most: Bound | null;
  readonly oneOf: readonly Literal[] | null;
  readonly noneOf: readonly Literal[];
  readonly minLength: number | null;
  readonly maxLength: number | null;
  readonly like: string | null;
}

interface Bound {
  readonly value: Literal;
  readonly exclusive: boolean;
}

/** Where a column without an upper or lower bound of its own ends: so far from the other one. */
const SPAN = 1000;
const MONTH_MS = 30 * 86_400_000;
/** Decimals of a column that does not say how many it has. */
const USUAL_SCALE = 2;
const FINE_SCALE = 6;
const TEXT_LENGTH = { min: 8, max: 16 };
const MAX_TEXT = 1000;

/** Whole numbers that the types hold; beyond a safe integer no generator goes. */
const INTEGER_RANGE: Readonly<Record<string, readonly [number, number]>> = {
  byte: [-128, 127],
  smallint: [-32_768, 32_767],
  integer: [-2_147_483_648, 2_147_483_647],
  bigint: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** Null when nothing is demanded of values. */
export function limitsOf(demands: readonly Demand[]): Limits | null {
  if (demands.every(({ kind }) => kind === 'notNull' || kind === 'null')) return null;
  const limits = {
    least: null as Bound | null,
    most: null as Bound | null,
    oneOf: null as readonly Literal[] | null,
    noneOf: [] as Literal[],
    minLength: null as number | null,
    maxLength: null as number | null,
    like: null as string | null,
  };
  for (const demand of demands) {
    switch (demand.kind) {
      case 'least':
        limits.least = narrower(limits.least, demand, 1);
        break;
      case 'most':
        limits.most = narrower(limits.most, demand, -1);
        break;
      case 'oneOf': {
        const { oneOf } = limits;
        limits.oneOf =
          oneOf === null ? demand.values : oneOf.filter((value) => demand.values.includes(value));
        break;
      }
      case 'noneOf':
        limits.noneOf.push(...demand.values);
        break;
      case 'minLength':
        limits.minLength = Math.max(limits.minLength ?? 0, demand.length);
        break;
      case 'maxLength':
        limits.maxLength = Math.min(limits.maxLength ?? Infinity, demand.length);
        break;
      case 'like':
        limits.like = demand.pattern;
        break;
      default:
      // NOT NULL is met by every generator: none makes a null unless told to.
    }
  }
  return limits;
}

function narrower(known: Bound | null, bound: Bound, direction: 1 | -1): Bound {
  if (known === null) return bound;
  const difference = (Number(bound.value) - Number(known.value)) * direction;
  return difference > 0 || (difference === 0 && bound.exclusive) ? bound : known;
}

/** A generator whose every value lies within the limits; null when there is none for this type. */
export function generatorWithin(
  type: ColumnType,
  base: Generator,
  limits: Limits,
  nowMs: number,
): Generator | null {
  switch (type.kind) {
    case 'byte':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return (
        choiceWithin(limits, (value) => wholeOf(value)) ??
        clamped(base, limits, numberOf) ??
        wholeWithin(type.kind, base, limits)
      );
    case 'real':
    case 'double':
    case 'numeric':
      return (
        choiceWithin(limits, (value) => numberOf(value)) ??
        clamped(base, limits, numberOf) ??
        decimalWithin(type, base, limits)
      );
    case 'timestamptz':
    case 'timestamp':
      return choiceWithin(limits, timeOf) ?? clamped(base, limits, timeOf) ?? timeWithin(base, limits, nowMs);
    case 'text':
    case 'varchar':
    case 'char':
      return (
        choiceWithin(limits, (value) => (typeof value === 'string' ? value : null)) ??
        textWithin(type, base, limits)
      );
    case 'boolean':
      return booleanWithin(base, limits);
    case 'array':
      return arrayWithin(base, limits);
    default:
      return limits.oneOf !== null && isOnly(limits, 'oneOf')
        ? choiceOf(limits.oneOf.filter((value) => !limits.noneOf.includes(value)))
        : null;
  }
}

/** Nothing is demanded but what is named. */
function isOnly(limits: Limits, ...names: readonly (keyof Limits)[]): boolean {
  return Object.entries(limits).every(
    ([name, value]) =>
      names.some((one) => one === name) || value === null || (Array.isArray(value) && value.length === 0),
  );
}

function choiceOf(values: readonly JsonValue[]): Generator | null {
  return values.length === 0
    ? null
    : { kind: 'choice', options: values.map((value) => ({ value, weight: 1 })) };
}

/** The listed values that meet the other demands too; null without a list. */
function choiceWithin(limits: Limits, read: (value: Literal) => number | string | null): Generator | null {
  if (limits.oneOf === null || limits.like !== null) return null;
  const excluded = limits.noneOf.map(read);
  const values = limits.oneOf
    .map(read)
    .filter((value) => value !== null && !excluded.includes(value) && isWithin(value, limits, read));
  return choiceOf(values);
}

function isWithin(
  value: number | string,
  limits: Limits,
  read: (value: Literal) => number | string | null,
): boolean {
  if (typeof value === 'string') {
    return value.length >= (limits.minLength ?? 0) && value.length <= (limits.maxLength ?? Infinity);
  }
  const [least, most] = [limits.least, limits.most];
  const low = least === null ? null : Number(read(least.value));
  const high = most === null ? null : Number(read(most.value));
  return (
    (low === null || value > low || (value === low && least?.exclusive === false)) &&
    (high === null || value < high || (value === high && most?.exclusive === false))
  );
}

function numberOf(value: Literal): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

function wholeOf(value: Literal): number | null {
  const number = numberOf(value);
  return Number.isSafeInteger(number) ? number : null;
}

/** Milliseconds since 1970 of a number or of ISO text, which is UTC unless it says otherwise. */
function timeOf(value: Literal): number | null {
  if (typeof value !== 'string') return typeof value === 'number' ? value : null;
  const text = value.trim().replace(' ', 'T');
  if (/^-?\d+$/.test(text)) return Number(text);
  const ms = Date.parse(/T.*(Z|[+-]\d\d:?\d\d)$/i.test(text) || !text.includes('T') ? text : `${text}Z`);
  return Number.isSafeInteger(ms) ? ms : null;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function wholeWithin(kind: string, base: Generator, limits: Limits): Generator | null {
  const [typeMin = 0, typeMax = 0] = INTEGER_RANGE[kind] ?? [];
  const range = rangeWithin(limits, 0, numberOf, { min: typeMin, max: typeMax }, baseRange(base, 0));
  return range === null ? null : { kind: 'integer', ...range };
}

function decimalWithin(type: ColumnType, base: Generator, limits: Limits): Generator | null {
  const low = limits.least === null ? null : numberOf(limits.least.value);
  const high = limits.most === null ? null : numberOf(limits.most.value);
  const isNarrow = low !== null && high !== null && high - low < 1;
  const digits = type.kind === 'numeric' ? Math.min(type.precision, 15) : type.kind === 'real' ? 7 : 15;
  const before = Math.max(...[low, high].map((value) => String(Math.trunc(Math.abs(value ?? 0))).length));
  const usual = Math.max(0, Math.min(isNarrow ? FINE_SCALE : USUAL_SCALE, digits - before - 1));
  const scale = type.kind === 'numeric' ? Math.min(type.scale, 15) : usual;
  const most = 10 ** digits - 1;
  const range = rangeWithin(limits, scale, numberOf, { min: -most, max: most }, baseRange(base, scale));
  return range === null ? null : { kind: 'decimal', ...range, scale };
}

function timeWithin(base: Generator, limits: Limits, nowMs: number): Generator | null {
  if (!isOnly(limits, 'least', 'most', 'noneOf')) return null;
  const low = limits.least === null ? null : timeOf(limits.least.value);
  if (limits.most === null && low !== null && low < nowMs && base.kind === 'time') return base;
  const all = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const usual = { min: nowMs - MONTH_MS, max: nowMs };
  const range = rangeWithin(limits, 0, timeOf, all, usual, MONTH_MS);
  return range === null ? null : { kind: 'integer', ...range };
}

/** A histogram of a table that obeys the CHECK already: only its rounded bounds may lie outside. */
function clamped(base: Generator, limits: Limits, read: (value: Literal) => number | null): Generator | null {
  const isRanked = base.kind === 'ranked' && base.of.kind === 'quantiles';
  const histogram =
    base.kind === 'buckets' ? base : isRanked && base.of.kind === 'quantiles' ? base.of : null;
  if (histogram === null) return null;
  const all = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
  const range = rangeWithin(limits, histogram.scale, read, all, all);
  if (range === null) return null;
  const bounds = histogram.bounds.map((bound) => Math.min(Math.max(bound, range.min), range.max));
  if (base.kind === 'buckets') return { ...base, bounds };
  return isRanked && base.of.kind === 'quantiles' ? { ...base, of: { ...base.of, bounds } } : null;
}

/** What the generator makes anyway, in units of 10^-scale; null when that is not known. */
function baseRange(base: Generator, scale: number): Range | null {
  if (base.kind === 'integer') return { min: base.min * 10 ** scale, max: base.max * 10 ** scale };
  if (base.kind !== 'decimal') return null;
  const factor = 10 ** (scale - base.scale);
  return { min: Math.ceil(base.min * factor), max: Math.floor(base.max * factor) };
}

/**
 * The whole numbers (in units of 10^-scale) that all bounds leave, within what the generator makes anyway where the
 * two meet; the largest part without excluded values. Null when nothing is left or a bound is no number.
 */
function rangeWithin(
  limits: Limits,
  scale: number,
  read: (value: Literal) => number | null,
  type: Range,
  usual: Range | null,
  span: number = SPAN,
): Range | null {
  if (!isOnly(limits, 'least', 'most', 'noneOf')) return null;
  const unit = 10 ** scale;
  const low = limits.least === null ? null : read(limits.least.value);
  const high = limits.most === null ? null : read(limits.most.value);
  if ((limits.least !== null && low === null) || (limits.most !== null && high === null)) return null;
  const lowest = low === null ? null : stepUp(low * unit, limits.least?.exclusive === true);
  const highest = high === null ? null : -stepUp(-high * unit, limits.most?.exclusive === true);
  let min = Math.max(lowest ?? type.min, usual?.min ?? type.min, type.min);
  let max = Math.min(highest ?? type.max, usual?.max ?? type.max, type.max);
  if (usual === null || min >= max) {
    // The usual values lie elsewhere: begin at the bound.
    min = Math.max(lowest ?? (highest === null ? 0 : highest - span * unit), type.min);
    max = Math.min(highest ?? min + span * unit, type.max);
  }
  const excluded = limits.noneOf.map((value) => Math.round((read(value) ?? NaN) * unit));
  return min > max ? null : largestGap({ min, max }, excluded);
}

/** The least whole number from here on, or past here; products of decimals miss it by a little. */
function stepUp(value: number, exclusive: boolean): number {
  const nearest = Math.round(value);
  if (Math.abs(value - nearest) < 1e-6) return exclusive ? nearest + 1 : nearest;
  return Math.ceil(value);
}

function largestGap(range: Range, excluded: readonly number[]): Range | null {
  const walls = [
    range.min - 1,
    ...excluded.filter((value) => value >= range.min && value <= range.max),
    range.max + 1,
  ];
  walls.sort((a, b) => a - b);
  let best: Range | null = null;
  walls.slice(1).forEach((wall, index) => {
    const gap = { min: (walls[index] ?? 0) + 1, max: wall - 1 };
    if (gap.max >= gap.min && (best === null || gap.max - gap.min > best.max - best.min)) best = gap;
  });
  return best;
}

function textWithin(type: ColumnType, base: Generator, limits: Limits): Generator | null {
  const room = Math.min(
    limits.maxLength ?? MAX_TEXT,
    type.kind === 'varchar' || type.kind === 'char' ? type.length : MAX_TEXT,
  );
  if (limits.like !== null) return isOnly(limits, 'like') ? likeTemplate(limits.like, room) : null;
  if (!isOnly(limits, 'minLength', 'maxLength', 'noneOf')) return null;
  const isNeverEmpty = limits.noneOf.every((value) => value === '');
  if (isNeverEmpty && limits.minLength === null && limits.maxLength === null) return base;
  const longest = Math.max(0, ...limits.noneOf.map((value) => String(value).length));
  const minLength = Math.max(
    limits.minLength ?? 0,
    Math.min(longest + 1, room),
    Math.min(TEXT_LENGTH.min, room),
  );
  const maxLength = Math.min(room, Math.max(minLength, TEXT_LENGTH.max));
  // A text as short as an excluded one could be that one.
  const isSure = isNeverEmpty || minLength > longest;
  return minLength <= maxLength && isSure
    ? { kind: 'characters', alphabet: 'base62', minLength, maxLength }
    : null;
}

/** `%` becomes a few characters and `_` one, what is between them stays; null when it does not fit. */
function likeTemplate(pattern: string, room: number): Generator | null {
  const parts: TemplatePart[] = [];
  let [literal, length] = ['', 0];
  const gaps = pattern.replaceAll(/\\./g, '').split('%').length - 1;
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (character !== '%' && character !== '_') {
      if (character === '\\') at += 1;
      literal += pattern[at] ?? '';
      length += 1;
      continue;
    }
    if (literal !== '') parts.push(literal);
    literal = '';
    if (character === '_') length += 1;
    parts.push({
      kind: 'characters',
      alphabet: 'base62',
      minLength: character === '_' ? 1 : 0,
      maxLength: character === '_' ? 1 : -1,
    });
  }
  if (literal !== '') parts.push(literal);
  if (length > room) return null;
  const each = gaps === 0 ? 0 : Math.min(TEXT_LENGTH.min, Math.floor((room - length) / gaps));
  return {
    kind: 'template',
    parts: parts.map((part) =>
      typeof part !== 'string' && part.kind === 'characters' && part.maxLength < 0
        ? { ...part, minLength: each, maxLength: each }
        : part,
    ),
  };
}

function booleanWithin(base: Generator, limits: Limits): Generator | null {
  if (!isOnly(limits, 'oneOf', 'noneOf')) return null;
  const allowed = [true, false].filter(
    (value) => (limits.oneOf === null || limits.oneOf.includes(value)) && !limits.noneOf.includes(value),
  );
  if (allowed.length === 2) return base;
  return allowed.length === 0 ? null : { kind: 'boolean', trueShare: allowed[0] === true ? 1 : 0 };
}

function arrayWithin(base: Generator, limits: Limits): Generator | null {
  if (base.kind !== 'array' || !isOnly(limits, 'minLength', 'maxLength')) return null;
  const minLength = Math.max(base.minLength, limits.minLength ?? 0);
  const most = limits.maxLength ?? Infinity;
  const maxLength = Math.min(Math.max(base.maxLength, minLength), most);
  return maxLength < (limits.minLength ?? 0)
    ? null
    : { ...base, minLength: Math.min(minLength, maxLength), maxLength };
}
