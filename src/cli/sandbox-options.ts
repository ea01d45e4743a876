/** The flags of `crategen sandbox` as options of the sandbox, with all problems at once. */
import { parseDurationMs } from '../base/units.ts';
import { SettingReader } from '../plan/setting-reader.ts';
import type { RawSettings } from '../plan/settings.ts';
import { type Fault, parseFault } from '../sandbox/faults.ts';
import { readSecret } from './secrets.ts';

/** Every option of the sandbox that has a flag, as one that is set. */
export interface SandboxSettings {
  readonly host: string;
  readonly port: number;
  readonly dataFile: string | null;
  readonly maxMemoryBytes: number | undefined;
  readonly latencyMs: number | readonly [least: number, most: number] | null;
  readonly faults: readonly Fault[];
  readonly discard: boolean;
  readonly credentials: { readonly username: string; readonly password: string } | null;
}

export type ReadSandboxOptions =
  | { readonly ok: true; readonly options: SandboxSettings }
  | { readonly ok: false; readonly problems: readonly string[] };

/** CrateDB's own. */
const DEFAULT_PORT = 4200;
const MAX_LATENCY_MS = 3_600_000;

export async function readSandboxOptions(flags: RawSettings): Promise<ReadSandboxOptions> {
  const reader = new SettingReader(flags, null);
  const options = {
    host: reader.text('host')?.value ?? '127.0.0.1',
    port: reader.count('port', { min: 0, max: 65_535 }, DEFAULT_PORT),
    dataFile: reader.text('data')?.value ?? null,
    maxMemoryBytes: reader.bytes('max-memory', { min: 2 ** 20, max: 2 ** 40 }, undefined),
    latencyMs: reader.parsed(
      'latency',
      parseLatency,
      'expected a duration or two of them, as 20ms or 5ms..20ms',
      null,
    ),
    faults: readFaults(reader),
    discard: reader.switch('discard', false),
  };
  if (options.discard && options.dataFile !== null)
    reader.problems.push('--discard: expected without --data');
  const credentials = await readCredentials(reader);
  if (reader.problems.length > 0) return { ok: false, problems: reader.problems };
  return { ok: true, options: { ...options, credentials } };
}

function parseLatency(text: string): number | readonly [number, number] | null {
  const [first = '', second, ...rest] = text.split('..');
  const from = parseDurationMs(first);
  const to = second === undefined ? from : parseDurationMs(second);
  if (from === null || to === null || rest.length > 0 || from > to || to > MAX_LATENCY_MS) return null;
  return from === to ? from : [from, to];
}

function readFaults(reader: SettingReader): readonly Fault[] {
  const faults: Fault[] = [];
  for (const given of reader.list('fault')) {
    const parsed = parseFault(given.value);
    if ('problem' in parsed) reader.problem(given, parsed.problem.replace(`${given.value}: `, ''));
    else faults.push(parsed);
  }
  return faults;
}

async function readCredentials(reader: SettingReader): Promise<SandboxSettings['credentials']> {
  const [username, file] = [reader.text('username'), reader.text('password-file')];
  if (username === null && file === null) return null;
  if (username === null || file === null) {
    reader.problems.push('--username, --password-file: expected both or neither');
    return null;
  }
  const read = await readSecret({ kind: 'file', path: file.value, name: file.name }, process.stdin);
  if (read.ok) return { username: username.value, password: read.text ?? '' };
  reader.problems.push(read.problem);
  return null;
}
