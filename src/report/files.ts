/**
 * Writing a result so that a reader sees the whole of it or nothing, and finding out before a run whether it can
 * be written at all.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OutputError, messageOf, systemCodeOf } from '../base/errors.ts';
import { makeFolders } from '../base/make-folder.ts';
import { printable } from '../base/text.ts';

/** What a path leads to: a new or present file is replaced as a whole, a device is written to. */
type Destination =
  | { readonly kind: 'file'; readonly path: string; readonly folder: string }
  | { readonly kind: 'device'; readonly path: string };

/** File systems that cannot sync a folder say one of these; the rename is as durable there as it can be. */
const NO_FOLDER_SYNC: ReadonlySet<string> = new Set([
  'EINVAL',
  'EISDIR',
  'EPERM',
  'EACCES',
  'ENOTSUP',
  'EBADF',
]);

/**
 * Replaces `path` by `text`: temporary file in the same folder, fsync, rename, fsync of the folder. A symbolic
 * link keeps pointing where it points; a character device is written to, never replaced. Throws an OutputError
 * and leaves no temporary file behind.
 */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  try {
    const destination = await destinationOf(path);
    if (destination.kind === 'device') await writeTo(destination.path, text, constants.O_WRONLY);
    else await replace(destination, text);
  } catch (thrown) {
    throw outputError(path, thrown);
  }
}

/**
 * Shows before a run that `path` can be written: one byte goes to a temporary file in its folder (or to the
 * device) and is removed again. Throws an OutputError that names the path and the reason.
 */
export async function testWritable(path: string): Promise<void> {
  try {
    const destination = await destinationOf(path);
    if (destination.kind === 'device') return await writeTo(destination.path, '\n', constants.O_WRONLY);
    const probe = temporaryPath(destination);
    try {
      await writeTo(probe, '\n', constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    } finally {
      await rm(probe, { force: true });
    }
  } catch (thrown) {
    throw outputError(path, thrown);
  }
}

/** Makes a folder of the state home and its parents, open to this user alone. Throws an OutputError. */
export function makeFolder(path: string): void {
  try {
    makeFolders(path);
  } catch (thrown) {
    throw outputError(path, thrown, 'XDG_STATE_HOME can name another place.');
  }
}

async function destinationOf(path: string): Promise<Destination> {
  const real = await realPathOrNull(path);
  // A folder that is missing is more likely a typing error than a wish.
  if (real === null) return { kind: 'file', path, folder: await realpath(dirname(path)) };
  const facts = await stat(real);
  if (facts.isCharacterDevice()) return { kind: 'device', path: real };
  if (facts.isFile()) return { kind: 'file', path: real, folder: dirname(real) };
  throw new OutputError(
    facts.isDirectory() ? 'it is a folder' : 'it is neither a file nor a character device',
  );
}

async function realPathOrNull(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}

async function replace(destination: Destination & { kind: 'file' }, text: string): Promise<void> {
  const temporary = temporaryPath(destination);
  try {
    await writeTo(temporary, text, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    await rename(temporary, join(destination.folder, basename(destination.path)));
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  await syncFolder(destination.folder);
}

function temporaryPath(destination: Destination & { kind: 'file' }): string {
  return join(destination.folder, `.crategen-${process.pid}-${randomUUID().slice(0, 8)}.tmp`);
}

async function writeTo(path: string, text: string, flags: number): Promise<void> {
  const file = await open(path, flags, 0o644);
  try {
    await file.writeFile(text);
    await syncFile(file);
  } finally {
    await file.close();
  }
}

/** Devices cannot be synced and say EINVAL. */
async function syncFile(file: FileHandle): Promise<void> {
  try {
    await file.sync();
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'EINVAL') throw thrown;
  }
}

async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, constants.O_RDONLY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (thrown) {
    if (!NO_FOLDER_SYNC.has(systemCodeOf(thrown))) throw thrown;
  }
}

function outputError(
  path: string,
  thrown: unknown,
  hint = 'Name a file in a folder that exists and can be written, with space left: --out FILE.',
): OutputError {
  return new OutputError(`cannot write ${printable(path, 1000)}: ${reasonOf(thrown)}`, {
    hint,
    cause: thrown,
  });
}

/** The system's words without the call and the (temporary) path that Node appends. */
function reasonOf(thrown: unknown): string {
  const code = systemCodeOf(thrown);
  const message = messageOf(thrown).replace(/, [a-z]+( '.*)?$/s, '');
  return printable(code === '' ? message : message.startsWith(code) ? message : `${code}: ${message}`);
}
