/**
 * Pools kept in a file from one run to the next: to make them costs a hundred milliseconds and faker's memory, to
 * read them a few. A file counts only if its content has the hash that was kept with it, so that at worst pools are
 * made once more.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { makeFolders } from '../base/make-folder.ts';
import { needsOf } from '../rows/pool-needs.ts';
import { buildPools, hashOf } from '../rows/pools.ts';
import { type Pools, ROW_FORMAT } from '../rows/row-format.ts';
import type { TableSchema } from '../rows/schema.ts';

export interface PoolShelf {
  /** Made if it is missing. */
  readonly folder: string;
  /** Of everything whose change may change the pools. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Sets of pools: one of a megabyte for each schema in use. */
const MAX_FILES = 16;
const ENDING = '.pools';

/** `buildPools(schema)`, from the shelf if they are there; a shelf that cannot be used is none. */
export async function fetchPools(schema: TableSchema, shelf: PoolShelf): Promise<Pools> {
  const path = join(shelf.folder, nameOf(schema, shelf));
  const kept = await readPools(path);
  if (kept !== null) return kept;
  const pools = await buildPools(schema);
  await keep(pools, path, shelf.folder);
  return pools;
}

function nameOf(schema: TableSchema, { versions }: PoolShelf): string {
  const { pools, tables } = needsOf(schema);
  const content = JSON.stringify([ROW_FORMAT, versions, [...pools.keys()], [...tables.keys()]]);
  return createHash('sha256').update(content).digest('hex') + ENDING;
}

async function readPools(path: string): Promise<Pools | null> {
  try {
    const content: unknown = deserialize(await readFile(path));
    return isPools(content) && hashOf(content) === content.hash ? content : null;
  } catch {
    // Not there, not readable or cut off: the pools are made anew.
    return null;
  }
}

function isPools(content: unknown): content is Pools {
  if (typeof content !== 'object' || content === null) return false;
  const { bytes, offsets, pools, tables, hash } = content as Partial<Record<keyof Pools, unknown>>;
  return (
    bytes instanceof Uint8Array &&
    offsets instanceof Uint32Array &&
    Array.isArray(pools) &&
    Array.isArray(tables) &&
    tables.every((table: { values?: unknown }) => table.values instanceof Uint32Array) &&
    typeof hash === 'string'
  );
}

/** Whole or not at all: another run may read at the same time. */
async function keep(pools: Pools, path: string, folder: string): Promise<void> {
  // With the usual ending: one that a killed run leaves gives way like the others.
  const temporary = join(folder, randomUUID() + ENDING);
  try {
    makeFolders(folder);
    await writeFile(temporary, serialize(pools), { mode: 0o600 });
    await rename(temporary, path);
    await removeOldest(folder);
  } catch {
    // A full or read-only disk costs the next run its head start, and this one nothing.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

async function removeOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ENDING));
  const files = await Promise.all(
    names.map(async (name) => ({ name, atMs: (await stat(join(folder, name))).mtimeMs })),
  );
  const oldest = files.toSorted((a, b) => b.atMs - a.atMs).slice(MAX_FILES);
  await Promise.all(oldest.map(({ name }) => rm(join(folder, name), { force: true })));
}
