/** The programs of the folder rust, built with whatever cargo is on the path: a yardstick, not needed by any test. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** Paths of the two programs; the head of each source file says what it is to be given. */
export interface RustPrograms {
  readonly generate: string;
  readonly insert: string;
}

const PACKAGE = join(import.meta.dirname, 'rust');
/** From nothing it takes about one minute of one core. */
const BUILD_TIMEOUT_MS = 600_000;

/**
 * Builds both, as fast as rustc makes them. Null, with the reason on stderr, without a cargo or when it does not
 * build: the packages have to come from the registry the first time.
 */
export async function buildRust(): Promise<RustPrograms | null> {
  const folder = await targetFolder();
  const built = await execa('cargo', ['build', '--release', '--locked'], {
    cwd: PACKAGE,
    env: { CARGO_TARGET_DIR: folder },
    timeout: BUILD_TIMEOUT_MS,
    reject: false,
  });
  if (built.failed) {
    process.stderr.write(`no Rust to compare with: ${built.stderr || built.shortMessage}\n`);
    return null;
  }
  const programs = join(folder, 'release');
  return { generate: join(programs, 'generate'), insert: join(programs, 'insert') };
}

/** Kept from run to run, so that only changed sources are compiled again; a new one for other packages. */
async function targetFolder(): Promise<string> {
  const lock = await readFile(join(PACKAGE, 'Cargo.lock'));
  const name = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  return join(tmpdir(), `crategen-rust-${name}`);
}
