/** What the sandbox has seen and holds, for tests that compare it with what a client believes. */
import { createHash } from 'node:crypto';
import { fullName } from './engine/catalog.ts';
import { rowCount, rowTexts, type Engine } from './engine/engine.ts';

export interface Counters {
  requests: number;
  inserts: number;
  rowsReceived: number;
  rowsStored: number;
  faultsInjected: number;
}

export interface SandboxStats extends Readonly<Counters> {
  /** Per `schema.table`: rows now, and a hash of their multiset that depends on neither order nor table name. */
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly contentHash: string }>>;
}

export function newCounters(): Counters {
  return { requests: 0, inserts: 0, rowsReceived: 0, rowsStored: 0, faultsInjected: 0 };
}

/** Per `schema.table`. */
export function countRows(engine: Engine): Readonly<Record<string, number>> {
  return Object.fromEntries(
    engine.catalog.tables().map((table) => [fullName(table), rowCount(engine, table)]),
  );
}

/** Reads every row; not for the hot path. */
export function collectStats(counters: Counters, engine: Engine): SandboxStats {
  const tables = engine.catalog.tables().map((table) => {
    const texts = rowTexts(engine, table);
    return [fullName(table), { rows: texts.length, contentHash: multisetHash(texts) }] as const;
  });
  return { ...counters, tables: Object.fromEntries(tables) };
}

const MASK = (1n << 128n) - 1n;

/** The sum of the rows' hashes: equal for equal multisets in any order. */
function multisetHash(texts: readonly string[]): string {
  let sum = 0n;
  for (const text of texts) {
    const digest = createHash('md5').update(text).digest();
    sum = (sum + ((digest.readBigUInt64BE(0) << 64n) | digest.readBigUInt64BE(8))) & MASK;
  }
  return sum.toString(16).padStart(32, '0');
}
