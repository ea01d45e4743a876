/**
 * The main table of a run: which schema its rows follow (a preset, a file, a table that is there), its name, and
 * whether it is made.
 */
import { type TableName, OWN_SCHEMA, formatTable, parseTableName } from '../base/sql.ts';
import { printable } from '../base/text.ts';
import { PRESET_NAMES, presetSchema } from '../rows/presets.ts';
import type { TableSchema } from '../rows/schema.ts';
import { validateSchema } from '../rows/validate-schema.ts';
import type { ConfigFile } from './config-file.ts';
import { readWeight } from './parse-also.ts';
import type { DraftPlan, SchemaSource, TablePlan } from './run-plan.ts';
import {
  type NamedFile,
  type ResolvedSchema,
  DEFAULT_PRESET,
  checkShape,
  sourceSetting,
} from './schema-source.ts';
import { type Given, SettingReader, quoted } from './setting-reader.ts';
import type { RawSettings } from './settings.ts';

/** The table with its schema, null where the target has to be asked for it (`--like`). */
export function readTable(
  reader: SettingReader,
  schemaFile: ResolvedSchema | null,
  urlSchema: string | null,
): DraftPlan['table'] {
  const { source, schema, table } = readSchema(reader, schemaFile);
  const name = readTableName(reader, 'table') ?? table;
  if (urlSchema !== null && !reader.isSpelledOut('table')) {
    reader.warnings.push(
      `the schema ${quoted(urlSchema)} in the URL is not used: rows go to ${formatTable(name)}, and --table says otherwise`,
    );
  }
  const create = reader.switch('create', true);
  const recreate = reader.switch('recreate', false);
  checkRecreate(reader, { name, create, recreate });
  if (!create) warnUnusedCreation(reader);
  return {
    name,
    source,
    schema,
    weight: readWeight(reader),
    create,
    recreate,
    shards: reader.count('shards', { min: 1, max: 1024 }, null),
    replicas: reader.parsed(
      'replicas',
      parseReplicas,
      'expected a number or a range, as 1, 0-1 or 0-all',
      null,
    ),
    key: reader.switch('key', true),
  };
}

interface ReadSchema {
  readonly source: SchemaSource;
  readonly schema: TableSchema | null;
  /** The target, unless `--table` says otherwise. */
  readonly table: TableName;
}

/** Each says by itself which rows a run makes. */
const SOURCE_SETTINGS = ['preset', 'schema', 'ddl', 'like'] as const;

type ChosenSource = Given<string> & { readonly setting: (typeof SOURCE_SETTINGS)[number] };

/** The setting that names the schema: only one may, and a flag wins over the config file's. */
function chosenSource(reader: SettingReader): ChosenSource | null {
  const given = SOURCE_SETTINGS.flatMap((setting): ChosenSource[] => {
    const one = reader.text(setting);
    return one === null ? [] : [{ ...one, setting }];
  });
  const flags = given.filter(({ layer }) => layer === 'flag');
  const rivals = flags.length > 0 ? flags : given;
  if (rivals.length > 1)
    reader.problems.push(`${rivals.map(({ name }) => name).join(', ')}: expected only one of them`);
  return rivals[0] ?? null;
}

/** The file that a run wants to have read before its plan is parsed. */
export function schemaFilePath(flags: RawSettings, config: ConfigFile | null): NamedFile | null {
  const chosen = chosenSource(new SettingReader(flags, config));
  if (chosen === null) return null;
  const { setting } = chosen;
  return setting === 'schema' || setting === 'ddl' ? { ...chosen, setting } : null;
}

/** Only the target can tell the schema: it is asked for when the plan is known. */
function likeSource(reader: SettingReader, chosen: Given<string>): ReadSchema {
  const parsed = parseTableName(chosen.value);
  if (!parsed.ok) reader.problem(chosen, parsed.why);
  const table = parsed.ok ? parsed.name : { schema: OWN_SCHEMA, table: DEFAULT_PRESET };
  for (const [setting, why] of [
    ['sandbox', 'the embedded sandbox has no table yet'],
    [
      'machine',
      'machines that ask at different times could make different rows; crategen schema infer writes a file for all of them',
    ],
  ] as const) {
    if (reader.isSpelledOut(setting)) reader.problems.push(`--${setting}: expected without --like: ${why}`);
  }
  const source: SchemaSource = {
    kind: 'like',
    table,
    shape: reader.switch('shape', false),
    copyValues: reader.switch('copy-values', false),
  };
  return { source, schema: null, table: { schema: OWN_SCHEMA, table: table.table } };
}

/** A sequence that its column's type ends within the run would make duplicates, long after the start. */
export function checkSequences(reader: SettingReader, { table, bounds }: DraftPlan): void {
  if (table.schema === null || bounds.rows === null) return;
  const [, source] = sourceSetting(table.source);
  for (const problem of validateSchema(table.schema, bounds.rows))
    reader.problems.push(`${printable(source, 300)}: ${problem}`);
}

function readSchema(reader: SettingReader, schemaFile: ResolvedSchema | null): ReadSchema {
  const chosen = chosenSource(reader);
  checkShape(reader, chosen?.setting === 'like');
  if (chosen?.setting === 'like') return likeSource(reader, chosen);
  if (chosen !== null && chosen.setting !== 'preset' && schemaFile !== null) {
    const source: SchemaSource = { kind: chosen.setting === 'ddl' ? 'ddl' : 'file', path: chosen.value };
    if (schemaFile.ok) return { source, schema: schemaFile.schema, table: schemaFile.table };
    reader.problems.push(...schemaFile.problems);
    return { source, schema: null, table: { schema: OWN_SCHEMA, table: DEFAULT_PRESET } };
  }
  const isPreset = chosen === null || chosen.setting === 'preset';
  const preset = isPreset ? reader.choice('preset', PRESET_NAMES, DEFAULT_PRESET) : DEFAULT_PRESET;
  return {
    source: { kind: 'preset', name: preset },
    schema: presetSchema(preset),
    table: { schema: OWN_SCHEMA, table: preset },
  };
}

function readTableName(reader: SettingReader, setting: string): TableName | null {
  const given = reader.text(setting);
  if (given === null) return null;
  const parsed = parseTableName(given.value);
  if (parsed.ok) return parsed.name;
  reader.problem(given, parsed.why);
  return null;
}

function checkRecreate(reader: SettingReader, table: Pick<TablePlan, 'name' | 'create' | 'recreate'>): void {
  const confirmed = reader.text('yes-drop');
  if (!table.recreate) {
    if (confirmed !== null) reader.problem(confirmed, 'expected only together with --recreate');
    return;
  }
  if (!table.create) reader.problems.push('--recreate: expected without --no-create');
  const spelled = confirmed === null ? null : readTableName(reader, 'yes-drop');
  const isSame = spelled?.schema === table.name.schema && spelled.table === table.name.table;
  if (confirmed !== null && spelled !== null && !isSame) {
    reader.problem(confirmed, `expected the table that --recreate drops, ${formatTable(table.name)}`);
  }
  if (confirmed === null && table.name.schema !== OWN_SCHEMA) {
    reader.problems.push(
      `--recreate: would drop ${formatTable(table.name)}, which is outside the schema ${OWN_SCHEMA}; expected --yes-drop ${formatTable(table.name)} as well`,
    );
  }
}

function warnUnusedCreation(reader: SettingReader): void {
  for (const name of ['shards', 'replicas', 'key']) {
    if (reader.isFlag(name)) reader.warnings.push(`--${name} has no effect with --no-create`);
  }
}

function parseReplicas(text: string): string | null {
  const match = /^(\d{1,2})(?:-(\d{1,2}|all))?$/.exec(text.trim());
  if (match === null) return null;
  const [low, high] = [Number(match[1]), match[2]];
  return high === undefined || high === 'all' || Number(high) >= low ? text.trim() : null;
}
