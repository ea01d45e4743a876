/**
 * The config file: settings by flag name, as JSON or YAML. Data only: nothing in it is ever executed, and its
 * size, aliases and keys are limited, so that a file somebody left in the folder can do no harm.
 */
import { join } from 'node:path';
import { printable } from '../base/text.ts';
import { readLimited } from './read-limited.ts';
import { type RawSettings, type RawValue, type Setting, RUN_SETTINGS } from './settings.ts';

/** YAML aliases can make a small text very large. */
export const MAX_YAML_ALIASES = 100;

/** Looked for in the working folder, in this order. */
const FOUND_NAMES = ['crategen.config.json', 'crategen.config.yaml'] as const;

/** Unknown keys named one by one; the rest is counted. */
const MAX_PROBLEMS = 20;

export interface ConfigFile {
  readonly path: string;
  readonly settings: RawSettings;
}

export type ReadConfig =
  /** `config` is null when no file was named and none lies in the folder. */
  | { readonly ok: true; readonly config: ConfigFile | null }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads the file that `--config` names, or the one found in `folder`. Problems name the file. */
export async function readConfigFile(named: string | null, folder: string): Promise<ReadConfig> {
  if (named !== null) {
    const text = await readLimited(named);
    if (text.kind === 'text') return parseConfigText(text.text, named);
    return { ok: false, problems: [`--config ${printable(named)}: ${text.why}`] };
  }
  for (const name of FOUND_NAMES) {
    const text = await readLimited(join(folder, name));
    if (text.kind === 'text') return parseConfigText(text.text, name);
    if (text.kind === 'refused') return { ok: false, problems: [`${name}: ${text.why}`] };
  }
  return { ok: true, config: null };
}

/** The settings in `text`; `path` tells JSON from YAML and is named in problems. Checks keys and kinds, not values. */
export async function parseConfigText(text: string, path: string): Promise<ReadConfig> {
  const parsed = path.toLowerCase().endsWith('.json') ? parseJson(text) : await parseYaml(text);
  if (!parsed.ok) return { ok: false, problems: [`${printable(path)}: ${printable(parsed.why)}`] };
  if (parsed.value === null || parsed.value === undefined) return emptyConfig(path);
  if (typeof parsed.value !== 'object' || Array.isArray(parsed.value)) {
    return {
      ok: false,
      problems: [`${printable(path)}: expected flag names with their values, as rows: 10m`],
    };
  }
  return settingsFrom(Object.entries(parsed.value), path);
}

function emptyConfig(path: string): ReadConfig {
  return { ok: true, config: { path, settings: new Map() } };
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text.replace(/^\uFEFF/, '')) as unknown };
  } catch {
    // The parser's message quotes the text, which may hold a password.
    return { ok: false, why: 'not valid JSON' };
  }
}

/** YAML 1.2 core schema: no custom tags, no duplicate keys, one document. Loaded only when there is a YAML file. */
async function parseYaml(text: string): Promise<Parsed> {
  const { parseAllDocuments, visit } = await import('yaml');
  try {
    const documents = parseAllDocuments(text, {
      schema: 'core',
      strict: true,
      uniqueKeys: true,
      prettyErrors: false,
    });
    const [document, second] = Array.isArray(documents) ? documents : [];
    if (document === undefined) return { ok: true, value: null };
    if (second !== undefined) return { ok: false, why: 'holds more than one YAML document' };
    const flaw = document.errors[0] ?? document.warnings[0];
    if (flaw !== undefined)
      return { ok: false, why: `not valid YAML, line ${lineOf(text, flaw.pos[0])}: ${flaw.code}` };
    let aliases = 0;
    visit(document, {
      Alias: () => {
        aliases += 1;
        return aliases > MAX_YAML_ALIASES ? visit.BREAK : undefined;
      },
    });
    if (aliases > MAX_YAML_ALIASES) return { ok: false, why: `more than ${MAX_YAML_ALIASES} YAML aliases` };
    // The library counts the anchor as well as its aliases.
    return { ok: true, value: document.toJS({ maxAliasCount: MAX_YAML_ALIASES + 1 }) as unknown };
  } catch {
    return { ok: false, why: 'YAML that is nested too deeply or grows too large' };
  }
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function settingsFrom(entries: readonly (readonly [string, unknown])[], path: string): ReadConfig {
  const known = new Map(RUN_SETTINGS.map((setting) => [setting.name, setting]));
  const settings = new Map<string, RawValue>();
  const problems: string[] = [];
  for (const [key, value] of entries) {
    const setting = known.get(key);
    const read = setting === undefined ? unknownKey(key) : readValue(setting, value);
    if (typeof read === 'string') problems.push(`${printable(key, 60)} in ${printable(path)}: ${read}`);
    else if (read.value !== null) settings.set(key, read.value);
  }
  if (problems.length === 0) return { ok: true, config: { path, settings } };
  const rest = problems.length - MAX_PROBLEMS;
  return {
    ok: false,
    problems:
      rest > 0 ? [...problems.slice(0, MAX_PROBLEMS), `… and ${rest} more in ${printable(path)}`] : problems,
  };
}

function unknownKey(key: string): string {
  if (key === 'password')
    return 'passwords do not belong here; expected password-file, or CRATEDB_PASSWORD in the environment';
  if (key === 'token')
    return 'tokens do not belong here; expected token-file, or CRATEDB_TOKEN in the environment';
  return 'no such setting; expected the name of a flag, without dashes in front';
}

/** The value in the form a flag would have it, or what is wrong with it. Null values count as not given. */
function readValue(setting: Setting, value: unknown): { readonly value: RawValue | null } | string {
  if (setting.commandLineOnly === true) return `only taken on the command line, as --${setting.name}`;
  if (value === null) return { value: null };
  if (setting.kind === 'switch') return typeof value === 'boolean' ? { value } : 'expected true or false';
  if (setting.kind === 'list') {
    const items = (Array.isArray(value) ? value : [value]) as readonly unknown[];
    const texts = items.map(scalarText).filter((text) => text !== null);
    return texts.length === items.length ? { value: texts } : 'expected a text or a list of texts';
  }
  const text = scalarText(value);
  return text === null ? 'expected a text or a number' : { value: text };
}

function scalarText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null;
}
