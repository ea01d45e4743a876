/** Scalar functions: the ones crategen's statements, generated columns and people at a prompt use most. */
import { functionUnknown, invalid } from '../failure.ts';
import { valueText } from '../values/java-text.ts';
import { isJsonArray, isJsonObject, shrink, type Json } from '../values/json.ts';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  TEXT,
  TIMESTAMPTZ,
  mergeTypes,
  UNDEFINED,
  type DataType,
} from '../values/types.ts';
import { compareValues, convert, isFloating, isNumeric } from '../values/operations.ts';

/** What a statement runs in. */
export interface Environment {
  readonly user: string;
  readonly schema: string;
  /** Milliseconds since 1970, the same within one statement. */
  readonly nowMs: number;
}

export interface ScalarFunction {
  readonly type: DataType;
  readonly apply: (args: readonly Json[]) => Json;
  /** False for those whose value changes from row to row without arguments. */
  readonly deterministic: boolean;
}

/** Version that the sandbox speaks; the name of the build says what it is. */
export const SERVER_VERSION = '6.4.3';

type Resolver = (types: readonly DataType[], environment: Environment) => ScalarFunction | null;

/** The function for these argument types; `texts` name the arguments in the failure for an unknown one. */
export function resolveFunction(
  name: string,
  types: readonly DataType[],
  texts: readonly string[],
  environment: Environment,
): ScalarFunction {
  const found = FUNCTIONS.get(name)?.(types, environment) ?? null;
  if (found === null) throw functionUnknown(name, texts);
  return found;
}

function pure(type: DataType, apply: (args: readonly Json[]) => Json): ScalarFunction {
  return { type, apply, deterministic: true };
}

/** Null as soon as one argument is null. */
function strict(type: DataType, apply: (...args: readonly Json[]) => Json): Resolver {
  return () => pure(type, (args) => (args.includes(null) ? null : apply(...args)));
}

function onText(apply: (text: string, ...rest: readonly Json[]) => Json, type: DataType = TEXT): Resolver {
  return strict(type, (text = null, ...rest) => apply(valueText(text), ...rest));
}

function onNumber(apply: (value: number) => number, type: DataType | null = DOUBLE): Resolver {
  return ([argument]) => {
    if (argument === undefined || !(isNumeric(argument) || argument.kind === 'undefined')) return null;
    const result = type ?? (isFloating(argument) ? BIGINT : argument);
    return pure(result, ([value = null]) => (value === null ? null : apply(Number(value))));
  };
}

/** Functions that keep the type of their argument. */
function keeping(apply: (value: Json) => Json): Resolver {
  return ([type = UNDEFINED]) => pure(type, ([value = null]) => (value === null ? null : apply(value)));
}

function extreme(sign: 1 | -1): Resolver {
  return (types) => {
    const type = types.reduce(mergeTypes, UNDEFINED);
    return pure(type, (args) => {
      const known = args
        .map((value, index) => convert(value, types[index] ?? type, type))
        .filter((value) => value !== null);
      return known.reduce<Json>(
        (best, value) => (best === null || sign * compareValues(value, best, type) > 0 ? value : best),
        null,
      );
    });
  };
}

const coalesce: Resolver = (types) => {
  const type = types.reduce(mergeTypes, UNDEFINED);
  return pure(type, (args) => {
    const at = args.findIndex((value) => value !== null);
    return at === -1 ? null : convert(args[at] ?? null, types[at] ?? type, type);
  });
};

const concat: Resolver = (types) => {
  if (types.some((type) => type.kind === 'array')) {
    const type = types.reduce(mergeTypes, UNDEFINED);
    return pure(type, (args) => args.flatMap((value) => (isJsonArray(value) ? [...value] : [])));
  }
  return pure(TEXT, (args) =>
    args
      .map((value, index) => (value === null ? '' : valueText(convert(value, types[index] ?? TEXT, TEXT))))
      .join(''),
  );
};

function constant(type: DataType, value: (environment: Environment) => Json): Resolver {
  return (_, environment) => pure(type, () => value(environment));
}

const MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000 } as const;
/** 1970-01-01 was a Thursday: weeks begin four days after it. */
const FIRST_MONDAY_MS = 4 * MS.day;

function truncateDate(unit: string, ms: number): number {
  const date = new Date(ms);
  switch (unit) {
    case 'second':
    case 'minute':
    case 'hour':
    case 'day':
      return Math.floor(ms / MS[unit]) * MS[unit];
    case 'week':
      return Math.floor((ms - FIRST_MONDAY_MS) / MS.week) * MS.week + FIRST_MONDAY_MS;
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
    case 'quarter':
      return Date.UTC(date.getUTCFullYear(), Math.floor(date.getUTCMonth() / 3) * 3);
    case 'year':
      return Date.UTC(date.getUTCFullYear(), 0);
    default:
      throw invalid(`invalid interval '${unit}' for scalar 'date_trunc'`);
  }
}

function extractField(field: string, ms: number): number {
  const date = new Date(ms);
  switch (field) {
    case 'year':
      return date.getUTCFullYear();
    case 'quarter':
      return Math.floor(date.getUTCMonth() / 3) + 1;
    case 'month':
      return date.getUTCMonth() + 1;
    case 'day':
    case 'day_of_month':
      return date.getUTCDate();
    case 'day_of_week':
    case 'dow':
      return ((date.getUTCDay() + 6) % 7) + 1;
    case 'hour':
      return date.getUTCHours();
    case 'minute':
      return date.getUTCMinutes();
    case 'second':
      return date.getUTCSeconds();
    default:
      throw invalid(`Cannot extract ${field}`);
  }
}

const dateTrunc: Resolver = (types) => {
  const source = types.at(-1) ?? TIMESTAMPTZ;
  return pure(TIMESTAMPTZ, (args) => {
    const [unit = null, value = null] = [args[0], args.at(-1)];
    if (unit === null || value === null) return null;
    return truncateDate(valueText(unit).toLowerCase(), Number(convert(value, source, TIMESTAMPTZ)));
  });
};

const extract: Resolver = ([, source = TIMESTAMPTZ]) =>
  pure(INTEGER, ([field = null, value = null]) =>
    value === null
      ? null
      : extractField(valueText(field).toLowerCase(), Number(convert(value, source, TIMESTAMPTZ))),
  );

const arrayLength = strict(INTEGER, (list = null) =>
  isJsonArray(list) && list.length > 0 ? list.length : null,
);

const round: Resolver = ([type = DOUBLE, digits]) => {
  if (digits === undefined)
    return pure(isFloating(type) ? BIGINT : type, ([value = null]) =>
      value === null ? null : Math.floor(Number(value) + 0.5),
    );
  return pure(DOUBLE, ([value = null, places = null]) =>
    value === null ? null : Number(Number(value).toFixed(Number(places ?? 0))),
  );
};

function substring(text: string, ...[from = null, length = null]: readonly Json[]): string {
  const start = Math.max(Number(from) - 1, 0);
  return length === null ? text.slice(start) : text.slice(start, start + Number(length));
}

function objectKeys(value: Json): Json {
  return isJsonObject(value) ? Object.keys(value) : null;
}

const isDistinct: Resolver = ([left = UNDEFINED, right = UNDEFINED]) => {
  const type = mergeTypes(left, right);
  return pure(BOOLEAN, ([a = null, b = null]) => {
    if (a === null || b === null) return a !== b;
    return compareValues(convert(a, left, type), convert(b, right, type), type) !== 0;
  });
};

const randomUuid: Resolver = () => ({
  type: TEXT,
  apply: () => crypto.randomUUID().replaceAll('-', ''),
  deterministic: false,
});
const random: Resolver = () => ({ type: DOUBLE, apply: () => Math.random(), deterministic: false });
const now = constant(TIMESTAMPTZ, ({ nowMs }) => nowMs);

const FUNCTIONS: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  [
    'abs',
    keeping((value) => (typeof value === 'bigint' ? (value < 0n ? -value : value) : Math.abs(Number(value)))),
  ],
  ['array_length', arrayLength],
  ['ceil', onNumber(Math.ceil, null)],
  ['ceiling', onNumber(Math.ceil, null)],
  ['char_length', onText((text) => text.length, INTEGER)],
  ['coalesce', coalesce],
  ['concat', concat],
  ['current_schema', constant(TEXT, ({ schema }) => schema)],
  ['current_timestamp', now],
  ['current_user', constant(TEXT, ({ user }) => user)],
  ['date_trunc', dateTrunc],
  ['exp', onNumber(Math.exp)],
  ['extract', extract],
  ['floor', onNumber(Math.floor, null)],
  ['gen_random_text_uuid', randomUuid],
  ['greatest', extreme(1)],
  ['is_distinct_from', isDistinct],
  ['least', extreme(-1)],
  ['left', onText((text, count = 0) => text.slice(0, Number(count)))],
  ['length', onText((text) => text.length, INTEGER)],
  ['ln', onNumber(Math.log)],
  ['lower', onText((text) => text.toLowerCase())],
  [
    'mod',
    ([type = BIGINT]) =>
      pure(type, ([a = null, b = null]) =>
        a === null || b === null ? null : shrink(BigInt(valueText(a)) % BigInt(valueText(b))),
      ),
  ],
  ['now', now],
  ['object_keys', keeping(objectKeys)],
  ['octet_length', onText((text) => Buffer.byteLength(text), INTEGER)],
  ['power', strict(DOUBLE, (base = 0, exponent = 0) => Number(base) ** Number(exponent))],
  ['random', random],
  ['repeat', onText((text, times = 0) => text.repeat(Math.max(0, Number(times))))],
  ['replace', onText((text, from = '', to = '') => text.replaceAll(valueText(from), valueText(to)))],
  ['right', onText((text, count = 0) => text.slice(text.length - Number(count)))],
  ['round', round],
  ['session_user', constant(TEXT, ({ user }) => user)],
  ['sqrt', onNumber(Math.sqrt)],
  ['substr', onText(substring)],
  ['substring', onText(substring)],
  ['trim', onText((text) => text.trim())],
  ['upper', onText((text) => text.toUpperCase())],
  ['user', constant(TEXT, ({ user }) => user)],
  ['version', constant(TEXT, () => `CrateDB ${SERVER_VERSION} (crategen sandbox)`)],
]);
