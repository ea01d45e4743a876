/**
 * The benchmarks (`npm run bench`): what crategen costs beside other ways to do the same, group by group. Prints a
 * table beside the goals and writes docs/benchmarks/DATE.json. `--rounds N` (5), `--only GROUP,…` (the names in
 * GROUPS below); with `--only` nothing is written.
 */
import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type SandboxProcess, forkSandbox } from '../../src/sandbox/fork-sandbox.ts';
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
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '5' }, only: { type: 'string' } },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds ${values.rounds}: a whole number from 1 on`);
  const only = values.only?.split(',') ?? null;
  const unknown = only?.find((name) => GROUPS[name] === undefined);
  if (unknown !== undefined)
    throw new RangeError(`--only ${unknown}: one of ${Object.keys(GROUPS).join(', ')}`);
  return { rounds, only };
}

const { rounds, only } = readOptions();
const loadAtStart = loadavg()[0] ?? 0;
const sandbox = await forkSandbox({ discard: true });
const figures: Figure[] = [];
try {
  for (const [name, measure] of Object.entries(GROUPS)) {
    if (only !== null && !only.includes(name)) continue;
    process.stderr.write(`measuring ${name}: ${rounds} rounds\n`);
    figures.push(...(await measure(sandbox, rounds)));
  }
} finally {
  await sandbox.stop();
}
process.stdout.write(`${tableOf(figures)}\n`);
if (only === null) {
  const date = new Date().toISOString().slice(0, 10);
  const file = join('docs/benchmarks', `${date}.json`);
  const document = {
    format: 'crategen.bench/1',
    date,
    rounds,
    machine: await machineFacts(loadAtStart),
    figures,
  };
  await writeFile(join(ROOT, file), `${JSON.stringify(document, null, 2)}\n`);
  process.stdout.write(`\nwritten to ${file}\n`);
}
