/** The file that the benchmarks leave: written whole after every group, so that a cut run keeps what it has measured. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure } from './figures.ts';

export interface BenchDocument {
  readonly format: 'crategen.bench/1';
  /** Of its start, as YYYY-MM-DD: the name of its file. */
  readonly date: string;
  /** Whether all groups were measured. */
  readonly complete: boolean;
  readonly rounds: number;
  readonly machine: Readonly<Record<string, unknown>>;
  /** Those that were measured, in their order, and what that took. */
  readonly groups: readonly { readonly name: string; readonly seconds: number }[];
  readonly figures: readonly Figure[];
}

/** Replaces the document of that date in one step: whoever reads it sees the last group or the one before. */
export async function writeDocument(folder: string, document: BenchDocument): Promise<void> {
  const path = join(folder, `${document.date}.json`);
  await writeFile(`${path}.tmp`, `${JSON.stringify(document, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
}

/** Today's document if its run was cut; null if there is none, or a complete one. Throws on another number of rounds. */
export async function readUnfinished(
  folder: string,
  rounds: number,
  date = new Date().toISOString().slice(0, 10),
): Promise<BenchDocument | null> {
  let text: string;
  try {
    text = await readFile(join(folder, `${date}.json`), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  // Written above, of the same build.
  const document = JSON.parse(text) as BenchDocument;
  if (document.complete) return null;
  if (document.rounds !== rounds)
    throw new RangeError(`--resume: the run that was cut has ${document.rounds} rounds, not ${rounds}`);
  return document;
}
