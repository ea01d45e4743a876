/** The table of settings as oclif flags. All values arrive as texts: `plan/` reads them, and reports all problems. */
import * as Flags from '@oclif/core/flags';
import type { FlagInput } from '@oclif/core/interfaces';
import { type RawSettings, type RawValue, type Setting, SETTING_ALIASES } from '../plan/settings.ts';

/** Flags for these settings, in their order, and the hidden aliases of those that have one. */
export function flagsOf(settings: readonly Setting[]): FlagInput {
  const flags: FlagInput = {};
  for (const setting of settings) flags[setting.name] = flagOf(setting);
  for (const [alias, name] of SETTING_ALIASES) {
    if (flags[name] !== undefined)
      flags[alias] = Flags.string({ hidden: true, summary: `Same as --${name}` });
  }
  return flags;
}

function flagOf(setting: Setting): FlagInput[string] {
  const common = {
    summary: setting.summary,
    hidden: setting.hidden === true,
    helpGroup: setting.group,
  };
  switch (setting.kind) {
    case 'switch':
      return Flags.boolean({ ...common, allowNo: setting.negatable === true });
    case 'list':
      return Flags.string({
        ...common,
        helpValue: setting.value ?? 'VALUE',
        multiple: true,
        multipleNonGreedy: true,
      });
    case 'text':
      return Flags.string({ ...common, helpValue: setting.value ?? 'VALUE' });
  }
}

/** What oclif parsed, as settings by name: only what was given, aliases under their real names. */
export interface ReadFlags {
  readonly flags: RawSettings;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export function readFlags(parsed: Readonly<Record<string, unknown>>): ReadFlags {
  const flags = new Map<string, RawValue>();
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    const raw = rawValue(value);
    const real = SETTING_ALIASES.get(name) ?? name;
    if (raw === null) continue;
    if (real !== name && parsed[real] !== undefined)
      problems.push(`--${name}: expected without --${real}, which is the same`);
    if (name === 'max_rows')
      warnings.push("--max_rows is taken as --rows: the run's total, not that of each process");
    flags.set(real, raw);
  }
  return { flags, problems, warnings };
}

/** oclif gives texts, booleans and lists of texts; what else is in its answer is not a value of a flag. */
function rawValue(value: unknown): RawValue | null {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (!Array.isArray(value)) return null;
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === value.length ? texts : null;
}
