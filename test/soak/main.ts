/**
 * `npm run soak`: what only time and numbers show. `--minutes N` (10) of one long run, `--runs N` (1,000) clean runs
 * with a fifth as many faulty ones and a twentieth with processes, `--schedules N` (20,000) of the simulations;
 * `--only long`, `runs`, `schedules` or `limits` (20 runs with a planted limit); `--seed N` (1).
 * Ends with `N passed, N failed`; exit 1 when anything failed.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { type Finding, listeningRun, longRun } from './long-run.ts';
import { plantedLimits } from './limits.ts';
import { type RunKind, manyRuns } from './many-runs.ts';

const LISTENING_SECONDS = 20;
/** Four runs each. */
const LIMIT_ROUNDS = 5;
/** Worker and coordinator under a virtual clock; how many schedules is for the environment to say. */
const SIMULATIONS = ['worker/insertion-loop.test.ts', 'coordinator/simulation.test.ts'];
/** Of the clean runs' number. */
const SHARES: Readonly<Record<RunKind, number>> = { clean: 1, faulty: 0.2, processes: 0.05 };

interface Options {
  readonly minutes: number;
  readonly runs: number;
  readonly seed: number;
  readonly schedules: number;
  readonly only: string | null;
}

function readOptions(): Options {
  const text = (value: string): { type: 'string'; default: string } => ({ type: 'string', default: value });
  const { values } = parseArgs({
    options: {
      minutes: text('10'),
      runs: text('1000'),
      seed: text('1'),
      schedules: text('20000'),
      only: { type: 'string' },
    },
  });
  const [minutes, runs, seed] = [Number(values.minutes), Number(values.runs), Number(values.seed)];
  if (!(minutes > 0)) throw new RangeError(`--minutes ${values.minutes}: a number above 0`);
  if (!Number.isInteger(runs) || runs < 1)
    throw new RangeError(`--runs ${values.runs}: a whole number from 1 on`);
  const schedules = Number(values.schedules);
  if (!Number.isInteger(schedules) || schedules < 1) {
    throw new RangeError(`--schedules ${values.schedules}: a whole number from 1 on`);
  }
  if (!Number.isInteger(seed)) throw new RangeError(`--seed ${values.seed}: a whole number`);
  if (values.only !== undefined && SOAKS[values.only] === undefined) {
    throw new RangeError(`--only ${values.only}: one of ${Object.keys(SOAKS).join(', ')}`);
  }
  return { minutes, runs, seed, schedules, only: values.only ?? null };
}

async function soakRuns({ runs, seed }: Options): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [kind, share] of Object.entries(SHARES) as [RunKind, number][]) {
    const count = Math.ceil(runs * share);
    process.stdout.write(`${count} ${kind} runs, seeds ${seed} to ${seed + count - 1}\n`);
    const every = Math.ceil(count / 10);
    const failed = await manyRuns(kind, count, seed, (done) => {
      if (done % every === 0) process.stdout.write(`  ${done}\n`);
    });
    for (const each of failed)
      process.stdout.write(`FAILED ${each.kind} run with seed ${each.seed}: ${each.why}\n`);
    findings.push(
      ...Array.from({ length: count - failed.length }, () => ({ what: kind, says: '', isGood: true })),
      ...failed.map(({ why }) => ({ what: kind, says: why, isGood: false })),
    );
  }
  return findings;
}

async function soakLong({ minutes }: Options): Promise<Finding[]> {
  process.stdout.write(`one run of ${minutes} minutes\n`);
  const findings = [...(await listeningRun(LISTENING_SECONDS)), ...(await longRun(minutes))];
  for (const { what, says, isGood } of findings) {
    process.stdout.write(`${isGood === false ? 'FAILED ' : ''}${what}: ${says}\n`);
  }
  return findings;
}

/** Each simulation is one finding: it stops at its first failing schedule and prints its seed. */
async function soakSchedules({ schedules }: Options): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const file of SIMULATIONS) {
    process.stdout.write(`${schedules} schedules of ${file}\n`);
    const { exitCode, stdout } = await execa(
      process.execPath,
      ['--test', join(import.meta.dirname, '..', file)],
      {
        env: { CRATEGEN_SCHEDULES: String(schedules) },
        reject: false,
      },
    );
    if (exitCode !== 0) process.stdout.write(`FAILED ${file}\n${stdout}\n`);
    findings.push({ what: file, says: '', isGood: exitCode === 0 });
  }
  return findings;
}

async function soakLimits(): Promise<Finding[]> {
  const findings = await plantedLimits(LIMIT_ROUNDS);
  for (const { what, says, isGood } of findings)
    process.stdout.write(`${isGood === false ? 'FAILED ' : ''}${what}: ${says}\n`);
  return findings;
}

const SOAKS: Readonly<Record<string, (options: Options) => Promise<Finding[]>>> = {
  runs: soakRuns,
  schedules: soakSchedules,
  long: soakLong,
  limits: soakLimits,
};

const options = readOptions();
const findings: Finding[] = [];
for (const [part, soak] of Object.entries(SOAKS)) {
  if (options.only === null || options.only === part) findings.push(...(await soak(options)));
}
const failed = findings.filter(({ isGood }) => isGood === false).length;
const passed = findings.filter(({ isGood }) => isGood === true).length;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
