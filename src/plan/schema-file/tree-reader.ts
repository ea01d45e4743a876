/**
 * Reads values out of a schema file's tree and gathers every problem on the way: where it is, what is there, what is
 * accepted. A reading that fails says so and gives null, so that the rest of the file is still looked at.
 */
import { nearest } from '../../base/nearest.ts';
import { printable } from '../../base/text.ts';
import { parseCount, parseDurationMs } from '../../base/units.ts';
import type { JsonValue } from '../../rows/schema.ts';
import type { Place, Tree, TreeEntry } from './yaml-tree.ts';

export interface FileProblem {
  readonly at: Place;
  /** As `columns.id.type`; empty for the file as a whole. */
  readonly path: string;
  readonly what: string;
}

/** A value and the way to it. */
export interface Spot {
  readonly tree: Tree;
  readonly path: string;
}

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  readonly isWhole?: boolean;
}

/** Named keys of a map; what is not there is undefined. */
export type Fields<Name extends string> = Readonly<Partial<Record<Name, Spot>>>;

export class TreeReader {
  readonly problems: FileProblem[] = [];

  say(spot: Spot, what: string): null {
    this.problems.push({ at: spot.tree.at, path: spot.path, what });
    return null;
  }

  /** The entries of a map by name, in their order; null if it is no map. */
  entries(
    spot: Spot,
    accepted: string,
  ): readonly (TreeEntry & { readonly name: string; readonly spot: Spot })[] | null {
    if (spot.tree.kind !== 'map') return this.say(spot, `expected ${accepted}, not ${inWords(spot.tree)}`);
    return spot.tree.entries.map((entry) => {
      const name = String(entry.key);
      return { ...entry, name, spot: { tree: entry.value, path: join(spot.path, name) } };
    });
  }

  /** The known keys of a map; each unknown one is a problem at its own place. */
  fields<Name extends string>(spot: Spot, known: readonly Name[], accepted?: string): Fields<Name> | null {
    const entries = this.entries(spot, accepted ?? `the keys ${known.join(', ')}`);
    if (entries === null) return null;
    const found: Partial<Record<Name, Spot>> = {};
    for (const { name, keyAt, spot: value } of entries) {
      const key = known.find((one) => one === name);
      if (key !== undefined) found[key] = value;
      else this.problems.push({ at: keyAt, path: value.path, what: unknownKey(name, known) });
    }
    return found;
  }

  items(spot: Spot, accepted: string): readonly Spot[] | null {
    if (spot.tree.kind !== 'list') return this.say(spot, `expected ${accepted}, not ${inWords(spot.tree)}`);
    return spot.tree.items.map((tree, index) => ({ tree, path: `${spot.path}[${index}]` }));
  }

  text(spot: Spot, accepted = 'a text'): string | null {
    const { tree } = spot;
    if (tree.kind === 'scalar' && typeof tree.value === 'string' && tree.value !== '') return tree.value;
    return this.say(spot, `expected ${accepted}, not ${inWords(tree)}`);
  }

  boolean(spot: Spot): boolean | null {
    const { tree } = spot;
    if (tree.kind === 'scalar' && typeof tree.value === 'boolean') return tree.value;
    return this.say(spot, `expected true or false, not ${inWords(tree)}`);
  }

  number(
    spot: Spot,
    { min = -Number.MAX_VALUE, max = Number.MAX_VALUE, isWhole = false }: NumberRange = {},
  ): number | null {
    const { tree } = spot;
    const value = tree.kind === 'scalar' && typeof tree.value === 'number' ? tree.value : Number.NaN;
    if (value >= min && value <= max && (!isWhole || Number.isSafeInteger(value))) return value;
    const bounds = [
      ...(min > -Number.MAX_SAFE_INTEGER ? [`from ${min}`] : []),
      ...(max < Number.MAX_SAFE_INTEGER ? [`to ${max}`] : []),
    ].join(' ');
    return this.say(
      spot,
      `expected a ${isWhole ? 'whole ' : ''}number${bounds === '' ? '' : ` ${bounds}`}, not ${inWords(tree)}`,
    );
  }

  /** A number of rows or entries: `5000` or `5k`. */
  count(spot: Spot, min: number, max: number): number | null {
    const { tree } = spot;
    const value = tree.kind === 'scalar' ? parseCount(String(tree.value)) : null;
    if (value !== null && value >= min && value <= max) return value;
    return this.say(
      spot,
      `expected a whole number from ${min} to ${max}, as 5000 or 5k, not ${inWords(tree)}`,
    );
  }

  /** `10%` or 0.1. */
  share(spot: Spot, most = 1): number | null {
    const { tree } = spot;
    const value = tree.kind === 'scalar' ? parseShare(tree.value) : null;
    if (value !== null && value <= most && value >= 0) return value;
    return this.say(spot, `expected a share from 0 to ${most}, as 10% or 0.1, not ${inWords(tree)}`);
  }

  durationMs(spot: Spot, min: number, max: number): number | null {
    const { tree } = spot;
    const value = tree.kind === 'scalar' ? parseLongDuration(String(tree.value)) : null;
    if (value !== null && value >= min && value <= max) return value;
    return this.say(spot, `expected a duration as 250ms, 10s, 5m, 1h or 2d, not ${inWords(tree)}`);
  }

  /** A point in time as ISO 8601; milliseconds since 1970. */
  timeMs(spot: Spot): number | null {
    const { tree } = spot;
    const ms = tree.kind === 'scalar' ? isoMs(tree.value) : null;
    return (
      ms ?? this.say(spot, `expected a time as 2026-01-31 or 2026-01-31T10:00:00Z, not ${inWords(tree)}`)
    );
  }

  /** One of a few words. */
  word<Word extends string>(spot: Spot, words: readonly Word[]): Word | null {
    const { tree } = spot;
    const found = words.find((word) => tree.kind === 'scalar' && tree.value === word);
    if (found !== undefined) return found;
    const near = tree.kind === 'scalar' && typeof tree.value === 'string' ? nearest(tree.value, words) : null;
    const hint = near === null ? `expected ${words.join(', ')}` : `did you mean ${near}?`;
    return this.say(spot, `${inWords(tree)} is not accepted; ${hint}`);
  }
}

export const join = (path: string, key: string): string => {
  const shown = printable(key, 60);
  return path === '' ? shown : `${path}.${shown}`;
};

function unknownKey(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return `no such key; ${near === null ? `expected ${known.join(', ')}` : `did you mean ${near}?`}`;
}

/** What stands in the file, short. */
export function inWords(tree: Tree): string {
  if (tree.kind === 'list') return 'a list';
  if (tree.kind === 'map') return 'a map';
  if (tree.value === null) return 'nothing';
  return typeof tree.value === 'string' ? JSON.stringify(printable(tree.value, 60)) : String(tree.value);
}

/** The value as JSON. */
export function jsonOf(tree: Tree): JsonValue {
  switch (tree.kind) {
    case 'scalar':
      return tree.value;
    case 'list':
      return tree.items.map(jsonOf);
    case 'map':
      return Object.fromEntries(tree.entries.map(({ key, value }) => [String(key), jsonOf(value)]));
  }
}

function parseShare(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  const percent =
    typeof value === 'string' ? /^(-?\d{1,6}(?:\.\d{1,9})?)\s*%$/.exec(value.trim())?.[1] : undefined;
  return percent === undefined ? null : Number((Number(percent) / 100).toPrecision(15));
}

/** `10%` → 0.1, a bare number as it is, negative ones too. */
export function signedShare(tree: Tree): number | null {
  return tree.kind === 'scalar' ? parseShare(tree.value) : null;
}

function parseLongDuration(text: string): number | null {
  const days = /^(\d{1,6})\s*d$/i.exec(text.trim())?.[1];
  return days === undefined ? parseDurationMs(text) : Number(days) * 86_400_000;
}

const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d))?$/;

/** Null unless it is a date that exists, from 1970 to 2199. */
export function isoMs(value: unknown): number | null {
  if (typeof value !== 'string' || !ISO.test(value)) return null;
  const ms = Date.parse(value);
  const day = new Date(Date.parse(`${value.slice(0, 10)}T00:00:00Z`));
  const exists = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value.slice(0, 10));
  return exists && ms >= 0 && ms < Date.UTC(2200, 0, 1) ? ms : null;
}
