import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BenchDocument, readUnfinished, writeDocument } from './bench-document.ts';
import { figure } from './figures.ts';

const CUT: BenchDocument = {
  format: 'crategen.bench/1',
  date: '2026-11-27',
  complete: false,
  rounds: 5,
  machine: { cores: 2 },
  groups: [{ name: 'start', seconds: 12 }],
  figures: [figure('Start', '--help', 's', [0.1, 0.2])],
};

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'crategen-bench-document-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('what a cut run has measured is read back as it was written', () =>
  inFolder(async (folder) => {
    await writeDocument(folder, CUT);
    assert.deepEqual(await readUnfinished(folder, 5, CUT.date), CUT);
    assert.deepEqual(await readdir(folder), ['2026-11-27.json']);
  }));

test('a complete run is not gone on with, nor is one that is not there', () =>
  inFolder(async (folder) => {
    assert.equal(await readUnfinished(folder, 5, CUT.date), null);
    await writeDocument(folder, { ...CUT, complete: true });
    assert.equal(await readUnfinished(folder, 5, CUT.date), null);
  }));

test('a run of other rounds is refused: its figures would be of unlike weight', () =>
  inFolder(async (folder) => {
    await writeDocument(folder, CUT);
    await assert.rejects(readUnfinished(folder, 3, CUT.date), RangeError);
  }));
