/**
 * The benchmarks (`npm run bench`): what crategen costs beside other ways to do the same, group by group. Prints a
 * table beside the goals and writes docs/benchmarks/DATE.json, anew after every group: a run that is cut keeps what it
 * has measured, and `--resume` goes on with it. `--rounds N` (5), `--only GROUP,…` (the names in GROUPS below); with
 * `--only` nothing is written.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type SandboxProcess, forkSandbox } from '../../src/sandbox/fork-sandbox.ts';
import { type BenchDocument, readUnfinished, writeDocument } from './bench-document.ts';
import { startFigures } from './command-figures.ts';
import { deflateFigures } from './deflate-figures.ts';
import { endToEndFigures, garbageFigures, inFlightFigures } from './end-to-end-figures.ts';
import { type Figure, tableOf } from './figures.ts';
import { columnFigures, generatorFigures } from './generator-figures.ts';
import { generationFigures, readyBodyFigures } from './insertion-figures.ts';
import { machineFacts } from './machine-facts.ts';
import { nativeFigures } from './native-figures.ts';
import { partFigures } from './part-figures.ts';
import { crewFigures, scalingFigures } from './process-figures.ts';
import { rustFigures } from './rust-figures.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Measures its variants in turns, `rounds` times; `sandbox` discards what it is sent. */
type Measurement = (sandbox: SandboxProcess, rounds: number) => Promise<Figure[]>;

/** Each a function of one file beside this one, in the order of the table. */
const GROUPS: Readonly<Record<string, Measurement>> = {
  start: startFigures,
  crew: crewFigures,
  scaling: scalingFigures,
  ready: readyBodyFigures,
  generation: generationFigures,
  rust: rustFigures,
  native: nativeFigures,
  deflate: deflateFigures,
  'end-to-end': endToEndFigures,
  'in-flight': inFlightFigures,
  garbage: garbageFigures,
  generator: generatorFigures,
  columns: columnFigures,
  parts: partFigures,
};

interface Options {
  readonly rounds: number;
  readonly only: readonly string[] | null;
  readonly resume: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string' },
      resume: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds ${values.rounds}: a whole number from 1 on`);
  const only = values.only?.split(',') ?? null;
  const unknown = only?.find((name) => GROUPS[name] === undefined);
  if (unknown !== undefined)
    throw new RangeError(`--only ${unknown}: one of ${Object.keys(GROUPS).join(', ')}`);
  if (only !== null && values.resume)
    throw new RangeError('--resume goes on with a file that is written; with --only none is');
  return { rounds, only, resume: values.resume };
}

function emptyDocument(rounds: number): BenchDocument {
  const date = new Date().toISOString().slice(0, 10);
  return { format: 'crategen.bench/1', date, complete: false, rounds, machine: {}, groups: [], figures: [] };
}

const { rounds, only, resume } = readOptions();
const loadAtStart = loadavg()[0] ?? 0;
const folder = join(ROOT, 'docs/benchmarks');
let document = (resume ? await readUnfinished(folder, rounds) : null) ?? emptyDocument(rounds);
const sandbox = await forkSandbox({ discard: true });
try {
  const left = Object.entries(GROUPS).filter(
    ([name]) => (only?.includes(name) ?? true) && !document.groups.some((group) => group.name === name),
  );
  for (const [place, [name, measure]] of left.entries()) {
    process.stderr.write(`measuring ${name}: ${rounds} rounds\n`);
    const startedMs = performance.now();
    const figures = await measure(sandbox, rounds);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    document = {
      ...document,
      complete: place === left.length - 1,
      machine: await machineFacts(loadAtStart),
      groups: [...document.groups, { name, seconds }],
      figures: [...document.figures, ...figures],
    };
    process.stderr.write(`measured ${name} in ${seconds} s\n`);
    if (only === null) await writeDocument(folder, document);
  }
} finally {
  await sandbox.stop();
  if (document.figures.length > 0) process.stdout.write(`${tableOf(document.figures)}\n`);
}
if (only === null) process.stdout.write(`\nwritten to docs/benchmarks/${document.date}.json\n`);
