/**
 * What there is on this host to start a CrateDB with: an unpacked tarball, a container engine that answers, an
 * installed `crate`. Looked for in this order, and never installed or downloaded by crategen itself.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { execa } from 'execa';
import { childEnvironment } from '../../base/child-environment.ts';
import { TargetError, UsageError } from '../../base/errors.ts';
import { printable } from '../../base/text.ts';
import { type LocalPlan, type RuntimeKind, RUNTIME_KINDS } from './local-plan.ts';

export interface Runtime {
  readonly kind: RuntimeKind;
  /** Absolute path of the program that starts a node. */
  readonly program: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** An engine that does not answer its own client would not start anything either. */
const ENGINE_TIMEOUT_MS = 10_000;

/**
 * The runtime that the plan asks for, or the first there is. Throws UsageError when nothing is found, naming all
 * possibilities, and TargetError when what was asked for is there and does not work.
 */
export async function findRuntime(plan: LocalPlan, env: Variables): Promise<Runtime> {
  if (plan.runtime !== null) return await demanded(plan, plan.runtime, env);
  const missing: string[] = [];
  for (const kind of RUNTIME_KINDS) {
    const found = await look(kind, plan, env);
    if ('program' in found) return found;
    missing.push(`${kind}: ${found.why}`);
  }
  throw new UsageError(['there is nothing here to start CrateDB with', ...missing], {
    hint: 'Unpack CrateDB and name its folder with --tarball DIR or CRATE_HOME, or install docker, podman or crate; crategen sandbox needs none of them.',
  });
}

async function demanded(plan: LocalPlan, kind: RuntimeKind, env: Variables): Promise<Runtime> {
  const found = await look(kind, plan, env);
  if ('program' in found) return found;
  const flag = plan.tarball === null ? `--with ${kind}` : `--tarball ${printable(plan.tarball, 1000)}`;
  if (found.isThere) throw new TargetError(`${flag}: ${found.why}`);
  throw new UsageError(`${flag}: ${found.why}`);
}

type Found = Runtime | { readonly why: string; readonly isThere: boolean };

async function look(kind: RuntimeKind, plan: LocalPlan, env: Variables): Promise<Found> {
  switch (kind) {
    case 'tarball':
      return lookForTarball(plan.tarball, env);
    case 'crate': {
      const program = onPath('crate', env);
      return program === null ? { why: 'no crate on the PATH', isThere: false } : { kind, program };
    }
    case 'docker':
    case 'podman':
      return await lookForEngine(kind, env);
  }
}

function lookForTarball(named: string | null, env: Variables): Found {
  const folder = named ?? env['CRATE_HOME'];
  if (folder === undefined || folder === '')
    return { why: 'neither --tarball nor CRATE_HOME', isThere: false };
  const program = join(folder, 'bin', 'crate');
  if (isProgram(program)) return { kind: 'tarball', program };
  return { why: `no program bin/crate in ${printable(folder, 1000)}`, isThere: false };
}

async function lookForEngine(kind: 'docker' | 'podman', env: Variables): Promise<Found> {
  const program = onPath(kind, env);
  if (program === null) return { why: `no ${kind} on the PATH`, isThere: false };
  const asked = await execa(program, ['info'], {
    reject: false,
    stdin: 'ignore',
    timeout: ENGINE_TIMEOUT_MS,
    env: childEnvironment(process.env),
    extendEnv: false,
  });
  if (!asked.failed) return { kind, program };
  const said = asked.timedOut ? `no answer within ${ENGINE_TIMEOUT_MS / 1000} s` : lastLine(asked.stderr);
  return { why: `its engine does not answer: ${printable(said)}`, isThere: true };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** The program of that name on the PATH, or null. */
function onPath(name: string, env: Variables): string | null {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not for this user: no program for us.
    return false;
  }
}
