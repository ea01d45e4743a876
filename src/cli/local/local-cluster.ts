/**
 * The record of the CrateDB that `crategen up` started, so that `down` stops exactly that and nothing else: one file
 * in the state folder, written before the first node is started.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import { OutputError, UsageError, messageOf, systemCodeOf } from '../../base/errors.ts';
import { makeFolders } from '../../base/make-folder.ts';
import { stateFolder } from '../../base/user-folders.ts';
import { writeFileAtomically } from '../../report/files.ts';

const PORT = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

const NODE = v.variant('kind', [
  v.object({
    kind: v.literal('process'),
    pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
    /** As the kernel gives it: a process that took the PID later began later. */
    began: v.string(),
    log: v.string(),
  }),
  v.object({ kind: v.literal('container'), name: v.string() }),
]);

const LOCAL_CLUSTER = v.object({
  format: v.literal('crategen.local/1'),
  /** Of this start; containers carry it as a label, a folder that is removed as a marker. */
  id: v.pipe(v.string(), v.uuid()),
  startedAt: v.string(),
  runtime: v.picklist(['tarball', 'docker', 'podman', 'crate']),
  program: v.string(),
  port: PORT,
  pgPort: PORT,
  urls: v.array(v.string()),
  /** Where rows lie: a folder or the name of a volume; null where the engine keeps them with the container. */
  data: v.nullable(v.string()),
  isEphemeral: v.boolean(),
  nodes: v.array(NODE),
});

export type LocalCluster = v.InferOutput<typeof LOCAL_CLUSTER>;
export type LocalNode = LocalCluster['nodes'][number];

/** A folder that `down` may remove holds this file, with the id of the start that made it. */
const MARKER = '.made-by-crategen-up';

/** Where records, logs and data of this user's local clusters lie. */
export function ownLocalFolder(): string {
  return join(stateFolder(process.env, homedir()), 'local');
}

/** The file of the cluster in the folder of local clusters. */
export function clusterFile(folder: string): string {
  return join(folder, 'cluster.json');
}

export function newClusterId(): string {
  return randomUUID();
}

/** The cluster that was started last and not stopped, or null. Throws UsageError for a file that is not ours. */
export function readCluster(folder: string): LocalCluster | null {
  const path = clusterFile(folder);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw new UsageError(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const parsed = v.safeParse(LOCAL_CLUSTER, parsedJson(text));
  if (parsed.success) return parsed.output;
  throw new UsageError(`${path} is not the record of a cluster that this version started`, {
    hint: 'If nothing of it runs any more, remove the file.',
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // What is no JSON fits no schema either.
    return null;
  }
}

/** Writes the first record. Throws UsageError when another `up` was faster. */
export function claimCluster(folder: string, cluster: LocalCluster): void {
  makeFolders(folder);
  try {
    writeFileSync(clusterFile(folder), textOf(cluster), { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if (systemCodeOf(cause) === 'EEXIST')
      throw new UsageError('another crategen up is starting a cluster', { hint: 'crategen down stops it.' });
    throw new OutputError(`${clusterFile(folder)} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

export async function saveCluster(folder: string, cluster: LocalCluster): Promise<void> {
  await writeFileAtomically(clusterFile(folder), textOf(cluster));
}

export function forgetCluster(folder: string): void {
  rmSync(clusterFile(folder), { force: true });
}

function textOf(cluster: LocalCluster): string {
  return `${JSON.stringify(cluster, null, 2)}\n`;
}

/** A new folder that `removeEphemeral` may remove again. */
export function makeEphemeral(folder: string, id: string): string {
  makeFolders(folder);
  const path = mkdtempSync(join(folder, 'ephemeral-'));
  writeFileSync(join(path, MARKER), `${id}\n`);
  return path;
}

/** What became of a folder that was to be removed. */
export type Removal = 'removed' | 'gone' | 'notOurs';

/**
 * Removes the data of an ephemeral cluster: only a folder directly in ours, no link, whose marker has the id of
 * this start.
 */
export function removeEphemeral(folder: string, { data, id }: Pick<LocalCluster, 'data' | 'id'>): Removal {
  if (data === null || !existsSync(data)) return 'gone';
  const isOurs = realpathSync(data) === join(realpathSync(folder), basename(data));
  if (!isOurs || markerOf(data) !== id) return 'notOurs';
  rmSync(data, { recursive: true, force: true });
  return 'removed';
}

function markerOf(path: string): string | null {
  try {
    return readFileSync(join(path, MARKER), 'utf8').trim();
  } catch {
    // Without a marker it is not a folder that may be removed.
    return null;
  }
}
