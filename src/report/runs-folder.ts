/**
 * Where runs live on this machine: one folder a run, with `plan.json` from its start and `run.json` from its
 * end. Finding, reading and listing them; a run that never ended has only the former.
 */
import type { Stats } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError, messageOf, systemCodeOf } from '../base/errors.ts';
import type { TargetKind } from '../base/target-kind.ts';
import { printable } from '../base/text.ts';
import { stateFolder } from '../base/user-folders.ts';
import { missingRows } from '../metrics/ledger.ts';
import { tablesText } from './quantities.ts';
import type { RunFile } from './run-file-schema.ts';
import { MAX_RUN_FILE_BYTES, parseRunFile, tooLarge } from './run-file.ts';

const PLAN_FILE_NAME = 'plan.json';
const RUN_FILE_NAME = 'run.json';
const PLAN_FORMAT = 'crategen.plan/1';

/** A run that was found: at least one of the two files is there. Paths are absolute. */
export interface FoundRun {
  /** Null for a file that was named by its path: its content knows. */
  readonly id: string | null;
  readonly planFile: string | null;
  readonly runFile: string | null;
}

/** One line of `crategen runs`. Null: not known, because the run did not end or its file cannot be read. */
export interface RunListing {
  readonly id: string;
  readonly startedAt: string | null;
  readonly state: 'finished' | 'unfinished' | 'unreadable';
  /** What took its rows: of what a target discards nothing is stored, whatever it acknowledged. */
  readonly target: TargetKind | null;
  readonly table: string | null;
  readonly acknowledgedRows: number | null;
  readonly missingRows: number | null;
  readonly endReason: string | null;
  readonly exitCode: number | null;
  /** Why it is unreadable, or ''. */
  readonly problem: string;
}

/** `$XDG_STATE_HOME/crategen/runs`. */
export function runsFolder(env: Readonly<Record<string, string | undefined>>, home: string): string {
  return join(stateFolder(env, home), 'runs');
}

/** The folder of one run. Throws a UsageError for anything that could lead elsewhere. */
export function runFolder(runs: string, id: string): string {
  if (!isRunId(id))
    throw new UsageError(
      `${JSON.stringify(printable(id))} is no run id: letters, digits, ., _ and -, at most 64`,
    );
  return join(runs, id);
}

/** The places of a run's two files. */
export function runFiles(runs: string, id: string): { readonly planFile: string; readonly runFile: string } {
  const folder = runFolder(runs, id);
  return { planFile: join(folder, PLAN_FILE_NAME), runFile: join(folder, RUN_FILE_NAME) };
}

/**
 * Finds a run by `latest` (the one that started last, finished or not), its id, the path of a run or plan file,
 * or the path of its folder. Throws a UsageError when there is none.
 */
export async function findRun(runs: string, reference: string): Promise<FoundRun> {
  if (reference === 'latest') return await findLatest(runs);
  if (isRunId(reference)) {
    const found = await filesIn(join(runs, reference), reference);
    if (found !== null) return found;
  }
  const path = resolve(reference);
  const facts = await statOrNull(path);
  if (facts?.isDirectory() === true) {
    const found = await filesIn(path, null);
    if (found !== null) return found;
  } else if (facts !== null) {
    return (await isPlanFile(path))
      ? { id: null, planFile: path, runFile: null }
      : { id: null, planFile: null, runFile: path };
  }
  throw new UsageError(`no run ${JSON.stringify(printable(reference))}: no such run id and no such file`, {
    hint: 'Run "crategen runs" to see the runs there are.',
  });
}

/** The run file of a found run. Throws a UsageError when the run has none yet or the file cannot be used. */
export async function readRun(found: FoundRun): Promise<RunFile> {
  if (found.runFile !== null) return await readRunFile(found.runFile);
  const id = found.id ?? printable(found.planFile ?? '');
  throw new UsageError(`run ${id} has no result: it is still running, or its parent process was killed`, {
    hint: `If it is not running any more: crategen recover ${id}`,
  });
}

/** Reads and checks one run file. Throws a UsageError that names the path and what is wrong. */
export async function readRunFile(path: string): Promise<RunFile> {
  return parseRunFile(await readBounded(path), path);
}

/** The newest `limit` runs, newest first; what cannot be read is listed as such. */
export async function listRuns(runs: string, limit = 20): Promise<RunListing[]> {
  const newest = (await startedRuns(runs)).slice(0, limit);
  return await Promise.all(newest.map(({ id, startedAt }) => listingOf(runs, id, startedAt)));
}

async function listingOf(runs: string, id: string, startedAt: string | null): Promise<RunListing> {
  const nothing = {
    id,
    startedAt,
    target: null,
    table: null,
    acknowledgedRows: null,
    missingRows: null,
    endReason: null,
    exitCode: null,
  };
  const { runFile } = runFiles(runs, id);
  if ((await statOrNull(runFile)) === null) return { ...nothing, state: 'unfinished', problem: '' };
  try {
    const run = await readRunFile(runFile);
    return {
      id,
      startedAt: run.run.startedAt,
      state: 'finished',
      target: run.target.kind,
      table: tablesText(run.target.table, run.plan.also.length),
      acknowledgedRows: run.ledger.acknowledged,
      missingRows: missingRows(run.ledger),
      endReason: run.run.endReason,
      exitCode: run.run.exitCode,
      problem: '',
    };
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    return { ...nothing, state: 'unreadable', problem: thrown.problems[0] ?? thrown.message };
  }
}

async function findLatest(runs: string): Promise<FoundRun> {
  for (const { id } of await startedRuns(runs)) {
    const found = await filesIn(join(runs, id), id);
    if (found !== null) return found;
  }
  throw new UsageError(`there is no run yet in ${printable(runs, 1000)}`, {
    hint: 'Start one: crategen cluster --sandbox --rows 200k',
  });
}

/** Ids of all runs in the folder, finished or not, the last started first. */
export async function startedRunIds(runs: string): Promise<readonly string[]> {
  return (await startedRuns(runs)).map(({ id }) => id);
}

/** Ids of the runs in the folder, the last started first. */
async function startedRuns(runs: string): Promise<{ id: string; startedAt: string | null }[]> {
  const ids = (await namesIn(runs)).filter(isRunId);
  const started = await Promise.all(
    ids.map(async (id) => {
      const found = await filesIn(join(runs, id), id);
      return found === null ? null : { id, ...(await startOf(found)) };
    }),
  );
  return started
    .filter((run) => run !== null)
    .sort((a, b) => b.atMs - a.atMs || (a.id < b.id ? 1 : -1))
    .map(({ id, startedAt }) => ({ id, startedAt }));
}

/** When a run started: its plan file says so; without one, the time of the file it has. */
async function startOf(found: FoundRun): Promise<{ startedAt: string | null; atMs: number }> {
  const startedAt = found.planFile === null ? null : startedAtIn(await readOrEmpty(found.planFile));
  if (startedAt !== null) return { startedAt, atMs: Date.parse(startedAt) };
  const facts = await statOrNull(found.planFile ?? found.runFile ?? '');
  return { startedAt: null, atMs: facts?.mtimeMs ?? 0 };
}

/** `startedAt` of a plan file, at its top or under `run`; null when there is none that is a time. */
function startedAtIn(text: string): string | null {
  const plan = jsonOrNull(text);
  for (const holder of [plan, memberOf(plan, 'run')]) {
    const startedAt = memberOf(holder, 'startedAt');
    if (typeof startedAt === 'string' && Number.isFinite(Date.parse(startedAt)))
      return new Date(startedAt).toISOString();
  }
  return null;
}

async function isPlanFile(path: string): Promise<boolean> {
  return memberOf(jsonOrNull(await readBounded(path)), 'format') === PLAN_FORMAT;
}

async function filesIn(folder: string, id: string | null): Promise<FoundRun | null> {
  const [planFile, runFile] = [join(folder, PLAN_FILE_NAME), join(folder, RUN_FILE_NAME)];
  const [hasPlan, hasRun] = [(await statOrNull(planFile)) !== null, (await statOrNull(runFile)) !== null];
  if (!hasPlan && !hasRun) return null;
  return { id, planFile: hasPlan ? planFile : null, runFile: hasRun ? runFile : null };
}

async function readBounded(path: string): Promise<string> {
  try {
    // A device or a pipe has no size, and no end either.
    const facts = await stat(path);
    if (!facts.isFile()) throw new UsageError(`${printable(path, 1000)}: not a file`);
    if (facts.size > MAX_RUN_FILE_BYTES) throw tooLarge(printable(path, 1000));
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown;
    throw new UsageError(`cannot read ${printable(path, 1000)}: ${printable(messageOf(thrown))}`, {
      cause: thrown,
    });
  }
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readBounded(path);
  } catch (thrown) {
    if (thrown instanceof UsageError) return '';
    throw thrown;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return [];
    throw new UsageError(`cannot read ${printable(folder, 1000)}: ${printable(messageOf(thrown))}`, {
      cause: thrown,
    });
  }
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCodeOf(thrown))) return null;
    throw new UsageError(`cannot read ${printable(path, 1000)}: ${printable(messageOf(thrown))}`, {
      cause: thrown,
    });
  }
}

function isRunId(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text) && text !== '.' && text !== '..';
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}

function memberOf(holder: unknown, key: string): unknown {
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key)
    ? Reflect.get(holder, key)
    : undefined;
}
