/**
 * Reads settings out of their layers (flag, environment, config file, default) and gathers every problem on the
 * way, so that a user mends all of them at once. One line a problem: what was given, and what is accepted.
 */
import {
  ACCEPTED,
  durationFlag,
  formatExact,
  parseBytes,
  parseCount,
  parseDurationMs,
} from '../base/units.ts';
import { printable } from '../base/text.ts';
import type { ConfigFile } from './config-file.ts';
import type { RawSettings, RawValue } from './settings.ts';

export type Layer = 'flag' | 'environment' | 'config';

/** One value that somebody gave, and where. */
export interface Given<T> {
  readonly value: T;
  readonly layer: Layer;
  /** As messages name it: `--rows`, `rows in crategen.config.yaml`. */
  readonly name: string;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Where fewer are accepted nobody writes `k`, and nobody is told of it. */
const LARGE_COUNT = 10_000;

export class SettingReader {
  /** One line each, printable. */
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #flags: RawSettings;
  readonly #config: ConfigFile | null;

  constructor(flags: RawSettings, config: ConfigFile | null) {
    this.#flags = flags;
    this.#config = config;
  }

  /** Whether a person wrote it down, on the command line or in the config file. */
  isSpelledOut(name: string): boolean {
    return this.#find(name) !== null;
  }

  /** Whether a person wrote it on the command line. */
  isFlag(name: string): boolean {
    return this.#flags.has(name);
  }

  /** Refuses what else is on the command line; `why` is the rest of the sentence. */
  acceptOnly(names: ReadonlySet<string>, why: string): void {
    for (const name of this.#flags.keys()) if (!names.has(name)) this.problems.push(`--${name}: ${why}`);
  }

  problem(given: Given<string>, accepted: string): void {
    this.problems.push(`${given.name} ${quoted(given.value)}: ${accepted}`);
  }

  text(name: string): Given<string> | null {
    const found = this.#find(name);
    return found !== null && typeof found.value === 'string' ? { ...found, value: found.value } : null;
  }

  list(name: string): readonly Given<string>[] {
    const found = this.#find(name);
    if (found === null || typeof found.value === 'boolean') return [];
    const values = typeof found.value === 'string' ? [found.value] : found.value;
    return values.map((value) => ({ ...found, value }));
  }

  switch(name: string, fallback: boolean): boolean {
    const found = this.#find(name);
    return typeof found?.value === 'boolean' ? found.value : fallback;
  }

  /** One of `accepted`. */
  choice<T extends string>(name: string, accepted: readonly T[], fallback: T): T {
    const given = this.text(name);
    if (given === null) return fallback;
    const match = accepted.find((one) => one === given.value);
    if (match === undefined) this.problem(given, `expected ${accepted.join(', ')}`);
    return match ?? fallback;
  }

  count<F>(name: string, range: Range, fallback: F): number | F {
    const accepted = range.max < LARGE_COUNT ? 'a whole number' : ACCEPTED.count;
    return this.#number(name, parseCount, accepted, range, formatExact, fallback);
  }

  bytes<F>(name: string, range: Range, fallback: F): number | F {
    return this.#number(
      name,
      parseBytes,
      ACCEPTED.bytes,
      range,
      (bytes) => `${formatExact(bytes)} bytes`,
      fallback,
    );
  }

  durationMs<F>(name: string, range: Range, fallback: F): number | F {
    return this.#number(name, parseDurationMs, ACCEPTED.duration, range, durationFlag, fallback);
  }

  /** A point in time as ISO 8601 with its zone, or a date, which is midnight UTC; as milliseconds since 1970. */
  time<F>(name: string, fallback: F): number | F {
    const given = this.text(name);
    if (given === null) return fallback;
    const ms = parseTimeMs(given.value);
    if (ms === null)
      this.problem(given, 'expected a time with its zone, as 2026-11-24T10:00:00Z, from 1970 to 2199');
    return ms ?? fallback;
  }

  /** A value of a form of its own; `parse` returns null for what `accepted` does not describe. */
  parsed<T, F>(name: string, parse: (text: string) => T | null, accepted: string, fallback: F): T | F {
    const given = this.text(name);
    if (given === null) return fallback;
    const value = parse(given.value);
    if (value === null) this.problem(given, accepted);
    return value ?? fallback;
  }

  #number<F>(
    name: string,
    parse: (text: string) => number | null,
    accepted: string,
    range: Range,
    format: (value: number) => string,
    fallback: F,
  ): number | F {
    const given = this.text(name);
    if (given === null) return fallback;
    const value = parse(given.value);
    const fits = value !== null && value >= range.min && value <= range.max;
    if (!fits) this.problem(given, `expected ${accepted}, from ${format(range.min)} to ${format(range.max)}`);
    return fits ? value : fallback;
  }

  #find(name: string): Given<RawValue> | null {
    const flag = this.#flags.get(name);
    if (flag !== undefined) return { value: flag, layer: 'flag', name: `--${name}` };
    const setting = this.#config?.settings.get(name);
    if (setting === undefined) return null;
    return { value: setting, layer: 'config', name: `${name} in ${printable(this.#config?.path ?? '')}` };
  }
}

/** A value in quotes, without anything a terminal would act on and without what may be credentials of a URL. */
export function quoted(value: string): string {
  return `"${printable(hideCredentials(value), 80)}"`;
}

/** Everything before an `@` could be a password: `http://u:pw@host` → `http://***@host`. */
export function hideCredentials(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@');
}

const TIME_PATTERN =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d))?$/;
const FIRST_YEAR = 1970;
const LAST_YEAR = 2199;

function parseTimeMs(text: string): number | null {
  const match = TIME_PATTERN.exec(text.trim());
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < FIRST_YEAR || year > LAST_YEAR) return null;
  // Date.parse rolls 30 February over to March.
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return null;
  const ms = Date.parse(text.trim().replace(' ', 'T').toUpperCase());
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : null;
}
