/**
 * Timestamp texts as CrateDB reads them: a number of milliseconds, or a strict ISO date with an optional time and
 * offset. Days that do not exist are refused, never rolled over.
 */

import { asciiDigits } from './decimal.ts';
import { SqlFailure } from '../failure.ts';

const INT64_LIMIT = 2n ** 63n;
const MAX_OFFSET_MINUTES = 18 * 60;

const ISO =
  /^(?<year>[+-]?\d{4,10})-(?<month>\d\d)-(?<day>\d\d)(?:[t ](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d{0,9}))?)?(?<zone>.*))?$/i;
const OFFSET = /^(?<sign>[+-])(?<hours>\d\d)(?::?(?<minutes>\d\d)(?::?(?<seconds>\d\d))?)?$/;
const REGION = /^[a-z][\w+/-]*$/i;

/** Names that the engine knows here and Java does not. */
const SHORT_NAMES: ReadonlySet<string> = new Set(['EST', 'MST', 'HST']);

const MS_PER_DAY = 86_400_000;

/**
 * Milliseconds since 1970, or null where CrateDB refuses the text. Without `withZone` an offset is read and
 * dropped, as TIMESTAMP WITHOUT TIME ZONE does.
 */
export function parseTimestamp(text: string, withZone: boolean): number | bigint | null {
  const epoch = asciiDigits(text);
  if (/^[+-]?\d+$/.test(epoch)) return parseEpoch(epoch);
  const parts = ISO.exec(text)?.groups;
  if (parts === undefined) return null;
  const day = epochDay(parts['year'] ?? '', Number(parts['month']), Number(parts['day']));
  const time = parts['hour'] === undefined ? 0 : timeOfDayMs(parts);
  const offset = zoneOffsetMs(parts['zone'] ?? '');
  if (day === null || time === null || offset === null) return null;
  const ms = day * MS_PER_DAY + time - (withZone ? offset : 0);
  if (Math.abs(ms) >= 2 ** 63) throw new SqlFailure(500, 5000, 'ArithmeticException[long overflow]');
  return ms;
}

function parseEpoch(text: string): number | bigint | null {
  const value = BigInt(text.replace('+', ''));
  if (value >= INT64_LIMIT || value < -INT64_LIMIT) return null;
  const plain = Number(value);
  return Number.isSafeInteger(plain) ? plain : value;
}

/** Years of more than four digits need a sign and years of four none, as `SignStyle.EXCEEDS_PAD` has it. */
function epochDay(yearText: string, month: number, day: number): number | null {
  const digits = yearText.replace(/^[+-]/, '');
  if (digits.length > 4 && digits === yearText) return null;
  if (yearText.startsWith('+') && digits.length === 4) return null;
  const year = Number(yearText);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  return daysFromCivil(year, month, day);
}

function daysInMonth(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar; Date covers only ±271,821 years. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function timeOfDayMs(parts: Readonly<Record<string, string | undefined>>): number | null {
  const [hour, minute, second] = [
    Number(parts['hour']),
    Number(parts['minute']),
    Number(parts['second'] ?? 0),
  ];
  if (hour > 23 || minute > 59 || second > 59) return null;
  const fraction = (parts['fraction'] ?? '').padEnd(3, '0').slice(0, 3);
  return (hour * 3600 + minute * 60 + second) * 1000 + Number(fraction);
}

/** A named region is accepted but has no effect: the server keeps the local time. */
function zoneOffsetMs(zone: string): number | null {
  if (zone === '' || /^z$/i.test(zone)) return 0;
  const prefixed = /^(?:UTC|GMT|UT)([+-].+)$/.exec(zone);
  if (prefixed !== null) return zoneOffsetMs(prefixed[1] ?? '') === null ? null : 0;
  const match = OFFSET.exec(zone)?.groups;
  if (match === undefined) return REGION.test(zone) && isKnownRegion(zone) ? 0 : null;
  const minutes = Number(match['hours']) * 60 + Number(match['minutes'] ?? 0);
  if (
    Number(match['minutes'] ?? 0) > 59 ||
    Number(match['seconds'] ?? 0) > 59 ||
    minutes > MAX_OFFSET_MINUTES
  )
    return null;
  return (match['sign'] === '-' ? -1 : 1) * (minutes * 60 + Number(match['seconds'] ?? 0)) * 1000;
}

function isKnownRegion(zone: string): boolean {
  if (SHORT_NAMES.has(zone)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
