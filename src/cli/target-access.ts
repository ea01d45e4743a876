/**
 * The target of a command that is not a run: flags, environment, config file, and below them what the run file
 * says. Reads the secrets too, and reports all problems together.
 */
import { type ConfigFile, readConfigFile } from '../plan/config-file.ts';
import { type TargetDefaults, readTarget } from '../plan/parse-target.ts';
import type { TargetAccess, TargetPlan } from '../plan/run-plan.ts';
import { SettingReader } from '../plan/setting-reader.ts';
import type { RawSettings } from '../plan/settings.ts';
import { readAccess } from './secrets.ts';

export interface OpenedTarget {
  readonly target: TargetPlan;
  readonly access: TargetAccess;
  readonly warnings: readonly string[];
}

export type ReadTargetAccess =
  | { readonly ok: true; readonly opened: OpenedTarget }
  | { readonly ok: false; readonly problems: readonly string[] };

/** `reader` may have problems of its own already: they are among the ones that are returned. */
export async function readTargetAccess(
  reader: SettingReader,
  defaults: TargetDefaults,
): Promise<ReadTargetAccess> {
  const { target, secrets } = readTarget(reader, process.env, defaults);
  const read = await readAccess(target, secrets, process.stdin);
  const problems = [...reader.problems, ...(read.ok ? [] : read.problems)];
  if (problems.length > 0 || !read.ok) return { ok: false, problems };
  return {
    ok: true,
    opened: { target, access: read.access, warnings: [...reader.warnings, ...tlsWarnings(process.env)] },
  };
}

/** A reader over the command line and the config file it names, or the one that lies here. */
export async function settingReader(
  flags: RawSettings,
): Promise<{ reader: SettingReader; config: ConfigFile | null; problems: readonly string[] }> {
  const named = flags.get('config');
  const read = await readConfigFile(typeof named === 'string' ? named : null, process.cwd());
  const config = read.ok ? read.config : null;
  return { reader: new SettingReader(flags, config), config, problems: read.ok ? [] : read.problems };
}

/**
 * Node's own switch turns verification off for everything, without a word in the run file. It is taken out of `env`:
 * otherwise Node would warn that it works, here and in every worker.
 */
export function tlsWarnings(env: NodeJS.ProcessEnv): readonly string[] {
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return [];
  delete env['NODE_TLS_REJECT_UNAUTHORIZED'];
  return [
    'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: TLS certificates are verified unless --insecure is given',
  ];
}
