/**
 * What workers write rows with is a quarter of a megabyte and the same for all of them: it lies in a file that the
 * coordinator writes once and each worker reads. As a part of every init message it was copied three times for each of
 * them, and most of a large crew's parent was such copies.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { UsageError, messageOf } from '../base/errors.ts';
import type { RowSource } from '../rows/row-source.ts';

/** Writes the sources, one for each table. Throws a UsageError when there is no room for them. */
export function writeRowsFile(path: string, sources: readonly RowSource[]): void {
  try {
    writeFileSync(path, serialize(sources), { mode: 0o600 });
  } catch (cause) {
    throw new UsageError(`the file for the workers' rows, ${path}, cannot be written: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** The sources, in the order of the tables. Throws what the system says when the file is gone. */
export function readRowsFile(path: string): readonly RowSource[] {
  // Written by the coordinator, of the same build, into its private folder.
  return deserialize(readFileSync(path)) as RowSource[];
}
