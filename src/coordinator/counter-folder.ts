/** Where the counter files of a run live: in memory where possible, private, and found again by `recover`. */
import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../base/make-folder.ts';

export interface CounterFolder {
  readonly path: string;
  /** What all workers write rows with. */
  readonly rowsFile: string;
  fileOf(workerIndex: number, incarnation: number): string;
  remove(): void;
}

/** /dev/shm survives any process and costs no disk; the run's own folder is the last resort. */
export function counterParent(runFolder: string, environment: NodeJS.ProcessEnv): string {
  const candidates = ['/dev/shm', environment['XDG_RUNTIME_DIR'] ?? '', runFolder];
  return candidates.find((folder) => folder !== '' && isWritable(folder)) ?? runFolder;
}

/** Made for one run; private. */
export function createCounterFolder(
  runId: string,
  runFolder: string,
  environment: NodeJS.ProcessEnv,
): CounterFolder {
  const parent = counterParent(runFolder, environment);
  makeFolders(parent);
  const path = mkdtempSync(join(parent, `crategen-${runId}-`));
  return counterFolderAt(path);
}

/** A folder that an earlier coordinator made. */
export function counterFolderAt(path: string): CounterFolder {
  return {
    path,
    rowsFile: join(path, 'rows'),
    fileOf: (workerIndex, incarnation) => join(path, `worker-${workerIndex}-${incarnation}`),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** All counter files in it, as [worker, incarnation], in order. Empty when the folder is gone. */
export function listCounterFiles(folder: CounterFolder): { workerIndex: number; incarnation: number }[] {
  let names: string[];
  try {
    names = readdirSync(folder.path);
  } catch {
    return [];
  }
  return names
    .flatMap((name) => {
      const match = /^worker-(\d+)-(\d+)$/.exec(name);
      return match === null ? [] : [{ workerIndex: Number(match[1]), incarnation: Number(match[2]) }];
    })
    .sort((a, b) => a.workerIndex - b.workerIndex || a.incarnation - b.incarnation);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
