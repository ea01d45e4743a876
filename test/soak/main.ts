/**
 * `npm run soak`: what only time and numbers show. `--minutes N` (10) of one long run, `--runs N` (1,000) clean runs
 * with a fifth as many faulty ones and a twentieth with processes; `--only long` or `--only runs`; `--seed N` (1).
 * Ends with `N passed, N failed`; exit 1 when anything failed.
 */
import { parseArgs } from 'node:util';
import { type Finding, listeningRun, longRun } from './long-run.ts';
import { type RunKind, manyRuns } from './many-runs.ts';

const LISTENING_SECONDS = 20;
/** Of the clean runs' number. */
const SHARES: Readonly<Record<RunKind, number>> = { clean: 1, faulty: 0.2, processes: 0.05 };

interface Options {
  readonly minutes: number;
  readonly runs: number;
  readonly seed: number;
  readonly only: string | null;
}

function readOptions(): Options {
  const text = (value: string): { type: 'string'; default: string } => ({ type: 'string', default: value });
  const { values } = parseArgs({
    options: { minutes: text('10'), runs: text('1000'), seed: text('1'), only: { type: 'string' } },
  });
  const [minutes, runs, seed] = [Number(values.minutes), Number(values.runs), Number(values.seed)];
  if (!(minutes > 0)) throw new RangeError(`--minutes ${values.minutes}: a number above 0`);
  if (!Number.isInteger(runs) || runs < 1)
    throw new RangeError(`--runs ${values.runs}: a whole number from 1 on`);
  if (!Number.isInteger(seed)) throw new RangeError(`--seed ${values.seed}: a whole number`);
  if (values.only !== undefined && !['long', 'runs'].includes(values.only)) {
    throw new RangeError(`--only ${values.only}: long or runs`);
  }
  return { minutes, runs, seed, only: values.only ?? null };
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

const options = readOptions();
const findings = [
  ...(options.only === 'long' ? [] : await soakRuns(options)),
  ...(options.only === 'runs' ? [] : await soakLong(options)),
];
const failed = findings.filter(({ isGood }) => isGood === false).length;
const passed = findings.filter(({ isGood }) => isGood === true).length;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
