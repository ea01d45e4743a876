/** The argument RUN of the commands about a run that took place, and the run file behind it. */
import { homedir } from 'node:os';
import * as Args from '@oclif/core/args';
import type { RunFile } from '../../report/run-file-schema.ts';
import { type FoundRun, findRun, readRun, runsFolder } from '../../report/runs-folder.ts';

export const RUN_ARGS = {
  run: Args.string({
    name: 'run',
    ignoreStdin: true,
    description: 'a run id, the path of a run file, or latest',
  }),
};

/** Said when RUN is missing. */
export const RUN_MISSING =
  'RUN: expected a run id, the path of a run file, or latest; crategen runs lists them';

export interface OpenedRun {
  readonly found: FoundRun;
  readonly file: RunFile;
}

/** The folder of all runs of this user on this machine. */
export function ownRunsFolder(): string {
  return runsFolder(process.env, homedir());
}

/** Finds and reads a run. Throws a UsageError when there is none or it has no result yet. */
export async function openRun(reference: string): Promise<OpenedRun> {
  const found = await findRun(ownRunsFolder(), reference);
  return { found, file: await readRun(found) };
}
