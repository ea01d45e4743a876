/**
 * Compiled code is kept from one start to the next: of every file of dist/ what was compiled by the end. Node's own
 * compile cache has a file as it is before it runs, and most functions are compiled when they are first called.
 */
import * as fs from 'node:fs';
import Module, { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { Script } from 'node:vm';
import { makeFolders } from './make-folder.ts';
import { cacheFolder } from './user-folders.ts';

/** V8 throws functions away that are not called for some time: a process that lived longer has lost its start. */
const TOO_OLD_S = 60;
/** What Node gives every CommonJS module, on the module's first line so that the numbers of lines stay. */
const MODULE_HEAD = '(function (exports, require, module, __filename, __dirname) { ';
/** At the beginning of a file of kept code: the length of its list. */
const HEAD_BYTES = 4;
/** Of a list that is not broken. */
const MAX_LIST_BYTES = 1_000_000;

/** Where the code of a file of dist/ lies, counted from the end of the list. */
type Place = readonly [file: string, at: number, length: number];

/** What a file of kept code begins with. */
interface KeptList {
  /** Of the build that the code was compiled from. */
  readonly build: string;
  readonly places: readonly Place[];
}

/**
 * From now on files of dist/ are run with the code that an earlier process of the same name kept, and what is missed is
 * kept at the end. Call it once, and before anything large is loaded. It does nothing to source files, and nothing
 * where crategen has not kept anything before: a command that is refused leaves nothing behind.
 *
 * Kept code is trusted like the files of dist/: it belongs to this user, is of the same build, and was on the disk
 * before it had its name. Whether it fits this V8 and its flags, V8 says.
 */
export function useKeptCode(name: string): void {
  const cache = cacheFolder(process.env, homedir());
  if (!import.meta.filename.endsWith('.cjs') || !fs.existsSync(cache)) return;
  const root = join(import.meta.dirname, '..');
  const path = join(cache, 'code', name);
  const build = fs.readFileSync(join(root, 'build-id'), 'utf8');
  const kept = openKept(path, build);
  const missed = new Map<string, Script>();
  const nodes = createRequire(import.meta.filename);
  const otherwise = nodes.extensions['.js'];
  nodes.extensions['.cjs'] = (module, filename): void => {
    const file = relative(root, filename).replaceAll(sep, '/');
    if (file.startsWith('../')) return void otherwise?.(module, filename);
    const cachedData = kept?.codeOf(file);
    const script = new Script(`${MODULE_HEAD}${fs.readFileSync(filename, 'utf8')}\n})`, {
      filename,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    if (cachedData === undefined || script.cachedDataRejected === true) missed.set(file, script);
    runModule(script, module, filename, nodes);
  };
  process.once('exit', (code) => {
    kept?.close();
    if (code === 0 && missed.size > 0 && process.uptime() < TOO_OLD_S) keep(path, build, missed);
  });
}

/** As Node runs a CommonJS module. `nodes` is a `require` of Node's. */
function runModule(script: Script, module: NodeJS.Module, filename: string, nodes: NodeJS.Require): void {
  const folder = dirname(filename);
  const load = (id: string): unknown => {
    if (!id.startsWith('.')) return nodes(id) as unknown;
    const path = join(folder, id);
    return path.endsWith('.cjs') ? loadFile(path, nodes) : (nodes(path) as unknown);
  };
  const run = script.runInThisContext() as (...given: readonly unknown[]) => void;
  run.call(module.exports, module.exports, Object.assign(load, nodes), module, filename, folder);
}

/** As Node does, but for its search, a twentieth of a start: files of dist/ call each other by their whole names. */
function loadFile(filename: string, { cache, extensions }: NodeJS.Require): unknown {
  const known = cache[filename];
  if (known !== undefined) return known.exports as unknown;
  const module = new Module(filename);
  module.filename = filename;
  cache[filename] = module;
  try {
    extensions['.cjs']?.(module, filename);
  } catch (thrown) {
    delete cache[filename];
    throw thrown;
  }
  module.loaded = true;
  return module.exports as unknown;
}

interface Kept {
  readonly files: readonly string[];
  /** Valid until the next call; undefined when there is none. */
  codeOf(file: string): Buffer | undefined;
  close(): void;
}

/** Null when nothing is kept of this build. */
function openKept(path: string, build: string): Kept | null {
  let handle: number | null = null;
  try {
    handle = fs.openSync(path, 'r');
    const { list, end } = readList(handle);
    if (list.build === build) return keptAt(handle, list, end);
  } catch {
    // Nothing is kept, or it cannot be read: everything is compiled, and kept anew.
  }
  if (handle !== null) fs.closeSync(handle);
  return null;
}

function readList(handle: number): { readonly list: KeptList; readonly end: number } {
  const head = Buffer.alloc(HEAD_BYTES);
  fs.readSync(handle, head, 0, HEAD_BYTES, 0);
  const text = Buffer.alloc(Math.min(head.readUInt32LE(), MAX_LIST_BYTES));
  fs.readSync(handle, text, 0, text.length, HEAD_BYTES);
  // Only `keep` writes such a file.
  return { list: JSON.parse(text.toString()) as KeptList, end: HEAD_BYTES + text.length };
}

function keptAt(handle: number, { places }: KeptList, end: number): Kept {
  const byFile = new Map(places.map((place) => [place[0], place]));
  // One for all: V8 is done with it when the script is made.
  const room = Buffer.allocUnsafeSlow(Math.max(0, ...places.map(([, , length]) => length)));
  return {
    files: [...byFile.keys()],
    codeOf(file) {
      const place = byFile.get(file);
      if (place === undefined) return undefined;
      const [, at, length] = place;
      const bytes = fs.readSync(handle, room, 0, length, end + at);
      return bytes === length ? room.subarray(0, length) : undefined;
    },
    close: () => fs.closeSync(handle),
  };
}

/** Adds to what is kept now, which another process may have kept meanwhile. */
function keep(path: string, build: string, missed: ReadonlyMap<string, Script>): void {
  const before = openKept(path, build);
  const others = (before?.files ?? []).filter((file) => !missed.has(file));
  const codes = [
    ...others.map((file) => [file, Buffer.from(before?.codeOf(file) ?? [])] as const),
    ...[...missed].map(([file, script]) => [file, script.createCachedData()] as const),
  ];
  before?.close();
  let at = 0;
  const places = codes.map(([file, { length }]): Place => [file, (at += length) - length, length]);
  const list = Buffer.from(JSON.stringify({ build, places } satisfies KeptList));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(list.length);
  try {
    makeFolders(dirname(path));
    replace(path, [head, list, ...codes.map(([, code]) => code)]);
  } catch {
    // A full disk, or a folder that cannot be written: the next start compiles again, which costs it a moment.
  }
}

/** A reader sees the whole of it or what was there before, also after a power cut. Throws as `node:fs` does. */
function replace(path: string, pieces: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}`;
  const handle = fs.openSync(temporary, 'wx', 0o600);
  try {
    fs.writevSync(handle, pieces);
    fs.fsyncSync(handle);
    fs.renameSync(temporary, path);
  } catch (thrown) {
    fs.rmSync(temporary, { force: true });
    throw thrown;
  } finally {
    fs.closeSync(handle);
  }
}
