/** What the tables about the sandbox itself are made of: columns by name, and rows out of what the sandbox knows. */
import type { Catalog } from '../engine/catalog.ts';
import type { Situation } from '../faults.ts';
import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import type { Environment } from '../engine/functions.ts';
import type { OwnLoad } from '../own-load.ts';
import type { NamedType } from '../engine/select.ts';
import type { Store } from '../engine/store.ts';
import { TEXT, arrayOf, objectOf, type DataType } from '../values/types.ts';
import type { Row } from '../values/operations.ts';

/** What the sandbox knows when it is asked about itself. */
export interface SystemFacts {
  readonly catalog: Catalog;
  readonly store: Store;
  readonly environment: Environment;
  /** `host:port` of the endpoint. */
  readonly address: () => string;
  /** The statement that is being run. */
  readonly statement: string;
  readonly startedMs: number;
  readonly situation: Situation;
  readonly ownLoad: () => OwnLoad;
}

/** A table by its full name: `sys.nodes`. */
export type NamedDefinition = readonly [fullName: string, definition: Definition];

type Definition = readonly [columns: readonly NamedType[], rows: (facts: SystemFacts) => readonly Row[]];

/** Columns from pairs of name and type. */
export function columns(...pairs: readonly (readonly [string, DataType])[]): readonly NamedType[] {
  return pairs.map(([name, type]) => ({ name, type }));
}

export const ANY_OBJECT = objectOf('ignored');
export const TEXTS = arrayOf(TEXT);
export const REAL: DataType = { kind: 'real' };

/** Sets what stands under a dotted name, and makes the objects on the way. */
export function setPath(target: Record<string, Json>, path: readonly string[], value: Json): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const child: Record<string, Json> = { ...asObject(target[first] ?? null) };
  setPath(child, rest, value);
  target[first] = child;
}

function asObject(value: Json): JsonObject {
  return isJsonObject(value) ? value : {};
}
