/** What several generators of a schema file read alike: values, numbers and times as the filled column takes them. */
import type { ColumnType, JsonValue, TypeKind } from '../../rows/schema.ts';
import { INTEGERS } from '../../rows/validate-generator.ts';
import { type Spot, type TreeReader, inWords, jsonOf } from './tree-reader.ts';
import { valueOfType } from './value-of-type.ts';

/** The column that is filled. Elements of an array are filled one by one: then this is the element's type. */
export interface FilledColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A decimal that nobody gave digits has these. */
const USUAL_DECIMALS = 2;
/** So many digits of a written number are kept without being asked for. */
const MOST_USUAL_DECIMALS = 6;
const MAX_DECIMALS = 15;

/** Whether a generator stands alone, without what it needs. */
export const isNothing = ({ tree }: Spot): boolean => tree.kind === 'scalar' && tree.value === null;
const isTime = (kind: TypeKind): boolean => kind === 'timestamptz' || kind === 'timestamp';

/** The value as the column's type takes it; undefined after a problem. */
export function typed(spot: Spot, type: ColumnType, reader: TreeReader): JsonValue | undefined {
  const value = valueOfType(jsonOf(spot.tree), type);
  if (value.ok) return value.value;
  reader.say(spot, `expected ${value.accepted}, not ${inWords(spot.tree)}`);
  return undefined;
}

/** Decimals that numbers of this column keep: none in whole numbers, and no more than a NUMERIC has. */
export function scaleOf(type: ColumnType, written: readonly number[], decimals: number | null): number {
  if (INTEGERS.includes(type.kind) || isTime(type.kind)) return 0;
  const digits = written.map((value) => /\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0);
  const scale = decimals ?? Math.min(Math.max(USUAL_DECIMALS, ...digits), MOST_USUAL_DECIMALS);
  return type.kind === 'numeric' ? Math.min(scale, type.scale) : scale;
}

/** A number in the units of its last decimal. */
export const units = (value: number, scale: number): number => Math.round(value * 10 ** scale);

/** A number, or in a column of times a point in time. */
export function readNumber(spot: Spot, type: ColumnType, reader: TreeReader): number | null {
  if (isTime(type.kind) && spot.tree.kind === 'scalar' && typeof spot.tree.value === 'string')
    return reader.timeMs(spot);
  const value = reader.number(spot, { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
  if (value === null || !(INTEGERS.includes(type.kind) || isTime(type.kind)) || Number.isInteger(value))
    return value;
  return reader.say(spot, `expected a whole number for ${type.kind}, not ${value}`);
}

/** Null without them, and after a problem. */
export function readDecimals(spot: Spot | undefined, reader: TreeReader): number | null {
  return spot === undefined ? null : reader.number(spot, { min: 0, max: MAX_DECIMALS, isWhole: true });
}
