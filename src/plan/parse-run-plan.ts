/**
 * From flags, environment and config file to the run plan, with every problem reported at once. Pure: the host's
 * facts, the time and randomness come in as values, files are only named.
 */
import { type TableName, OWN_SCHEMA, formatTable, parseTableName } from '../base/sql.ts';
import { printable } from '../base/text.ts';
import {
  ACCEPTED,
  durationFlag,
  formatExact,
  parseCount,
  parseDurationMs,
  parseRate,
} from '../base/units.ts';
import { PRESET_NAMES, presetSchema } from '../rows/presets.ts';
import { INSERT_PATHS, MAX_VALUES_ROWS } from '../rows/insert-form.ts';
import { MAX_ROWS } from '../rows/row-plan.ts';
import type { TableSchema } from '../rows/schema.ts';
import { validateSchema } from '../rows/validate-schema.ts';
import type { ConfigFile } from './config-file.ts';
import { readAlso, readWeight, warnOfEmptyTables } from './parse-also.ts';
import {
  type Environment,
  type SecretSources,
  type TargetDefaults,
  DEFAULT_NODES,
  readTarget,
} from './parse-target.ts';
import type {
  Compression,
  DiskGuard,
  DraftPlan,
  GeneratorChoice,
  LoadPlan,
  RunPlan,
  SafetyPlan,
  SchemaSource,
  TablePlan,
  TargetPlan,
  Threshold,
  Tolerance,
  VerifyMethod,
} from './run-plan.ts';
import { DEFAULT_PRESET, checkShape, sourceSetting } from './schema-source.ts';
import { parseOtlpHeaders } from './otlp-headers.ts';
import { type Given, SettingReader, quoted } from './setting-reader.ts';
import type { RawSettings } from './settings.ts';

/** What the host and the moment contribute. */
export interface PlanFacts {
  /** Cores that this process may use, container limits included. */
  readonly availableParallelism: number;
  /** Which generators this Node can run. */
  readonly generators: readonly GeneratorChoice[];
  /** Wall-clock ms. */
  readonly nowMs: number;
  /** Four characters of a-z and 0-9, for the run id. */
  readonly randomId: string;
  /** A whole number below 2^32, for the seed. */
  readonly randomSeed: number;
}

/** What a schema file came to. Its problems name the file, line and column. */
export type ResolvedSchema =
  | {
      readonly ok: true;
      readonly schema: TableSchema;
      /** The target that the file suggests. */
      readonly table: TableName;
      /** What a person should know before the first insert. */
      readonly notes?: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface PlanInput {
  readonly command: 'cluster' | 'single';
  readonly flags: RawSettings;
  readonly env: Environment;
  readonly config: ConfigFile | null;
  /** Of the file that `--schema` names; null without the flag. */
  readonly schemaFile: ResolvedSchema | null;
  /** Of the files that `--also` names, by the path as it was written. */
  readonly alsoFiles: ReadonlyMap<string, ResolvedSchema>;
  readonly facts: PlanFacts;
}

/** How a run shows itself; it changes nothing of what is inserted. */
export interface OutputPlan {
  readonly out: string | null;
  readonly json: boolean;
  readonly live: 'auto' | 'screen' | 'lines' | 'off';
  readonly logFormat: 'text' | 'json';
  readonly quiet: boolean;
  readonly dryRun: boolean;
  readonly verbose: boolean;
  /** The live page; null: none. Port 0 takes a free one. */
  readonly web: { readonly port: number } | null;
  readonly otlp: OtlpPlan | null;
}

/** Where metrics are pushed to. */
export interface OtlpPlan {
  /** With its path. */
  readonly url: string;
  /** Secrets more often than not. */
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
}

/** The target and where its secrets are come in either case, so that missing files are told with the rest. */
export type ParsedRunPlan = {
  readonly target: TargetPlan;
  readonly secrets: SecretSources;
} & (
  | {
      readonly ok: true;
      readonly plan: DraftPlan;
      readonly output: OutputPlan;
      readonly warnings: readonly string[];
      /** For each table, what to know before the first insert; null for a run that goes on, which was told. */
      readonly notes: readonly (readonly string[])[] | null;
    }
  | { readonly ok: false; readonly problems: readonly string[] }
);

const DEFAULT_ROWS = { cluster: 1_000_000, single: 10_000 } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const MAX_DURATION_MS = 365 * DAY_MS;
const MAX_PROCS = 1024;
const MAX_MACHINES = 1000;
const MAX_BATCH_ROWS = 100_000;
const DEFAULT_BATCH_ROWS = 1000;
const MAX_IN_FLIGHT = 1000;
/** A start far ahead is a typing error. */
const MAX_START_DELAY_MS = 7 * DAY_MS;
const MAX_THRESHOLDS = 50;
const MAX_BYTES = 2 ** 50;
const DEFAULT_PUSH_MS = 10_000;
/** Of metrics, in OTLP over HTTP. */
const OTLP_PATH = '/v1/metrics';

/** Makes the plan, or says everything that keeps it from being one. */
export function parseRunPlan(input: PlanInput): ParsedRunPlan {
  const reader = new SettingReader(input.flags, input.config);
  const { target, secrets, urlSchema } = readTarget(reader, input.env, {
    nodes: DEFAULT_NODES,
    username: null,
    allowsEmbedded: true,
  });
  const runId = readRunId(reader, input.facts);
  const bounds = readBounds(reader, input.command);
  const load = readLoad(reader, input);
  const machine = readMachine(reader, input.command);
  const table = readTable(reader, input.schemaFile, urlSchema);
  const plan: DraftPlan = {
    command: input.command,
    runId,
    seed: reader.parsed(
      'seed',
      parseSeed,
      'expected a whole number from 0 to 4294967295',
      input.facts.randomSeed,
    ),
    timeOriginMs: reader.time('time-origin', Math.floor(input.facts.nowMs / HOUR_MS) * HOUR_MS),
    target,
    table,
    also: readAlso(reader, input.alsoFiles, table),
    bounds,
    load,
    safety: readSafety(reader),
    machine,
    startAtMs: readStartAt(reader, input.facts.nowMs),
    failOn: readThresholds(reader),
    verify: reader.choice<VerifyMethod>('verify', ['count', 'rows', 'none'], 'count'),
  };
  checkLoadAgainstBounds(reader, plan);
  checkInsertPath(reader, plan);
  checkSequences(reader, plan);
  const output = readOutput(reader, input.env);
  if (reader.problems.length > 0)
    return { ok: false, target: plan.target, secrets, problems: reader.problems };
  warnOfEmptyTables(reader, plan, [plan.table, ...plan.also]);
  const notes = [plan.table, ...plan.also].map(({ source }) => notesOf(source, input));
  return { ok: true, target: plan.target, secrets, plan, output, warnings: reader.warnings, notes };
}

/** What the reader of a file found worth saying. */
function notesOf(source: SchemaSource, { schemaFile, alsoFiles }: PlanInput): readonly string[] {
  if (source.kind !== 'file' && source.kind !== 'ddl') return [];
  const file = alsoFiles.get(source.path) ?? schemaFile;
  return file?.ok === true ? (file.notes ?? []) : [];
}

/** What `--resume` may change: how the target is opened, patience, and what is shown. */
const RESUME_GROUPS: ReadonlySet<string> = new Set([
  'url',
  'discover',
  'username',
  'password-file',
  'password-stdin',
  'token-file',
  'token-stdin',
  'ca-cert-file',
  'system-ca',
  'cert-file',
  'key-file',
  'insecure',
  'timeout',
  'retries',
  'drain-timeout',
  'outage-timeout',
  'block-timeout',
  'max-failed',
  'max-bytes',
  'stop-at-disk',
  'yes',
  'fail-on',
  'out',
  'json',
  'live',
  'log-format',
  'quiet',
  'web',
  'web-port',
  'otlp-endpoint',
  'otlp-interval',
  'verify',
  'resume',
  'config',
]);

/**
 * The plan of `cluster --resume`: the stored one, with what the command line says about the target, patience and
 * output. What decides which rows exist and who inserts them must stay as it was.
 */
export function parseResumePlan(
  input: Omit<PlanInput, 'command' | 'schemaFile' | 'alsoFiles'>,
  stored: RunPlan,
): ParsedRunPlan {
  const reader = new SettingReader(input.flags, input.config);
  for (const name of input.flags.keys()) {
    if (!RESUME_GROUPS.has(name))
      reader.problems.push(`--${name}: expected to stay as in the run that --resume goes on with`);
  }
  if (stored.target.kind === 'embedded') {
    reader.problems.push(
      `--resume ${quoted(stored.runId)}: its embedded sandbox ended with it, so there is nothing to go on with`,
    );
  }
  const defaults: TargetDefaults = {
    nodes: stored.target.nodes,
    username: stored.target.username,
    discover: stored.target.discover,
    allowsEmbedded: false,
  };
  const { target, secrets } = readTarget(reader, input.env, defaults);
  const plan: RunPlan = {
    ...stored,
    target: {
      ...target,
      pgPort: stored.target.pgPort,
      tls: resumedTls(reader, target.tls, stored.target.tls),
    },
    safety: readSafety(reader, stored.safety),
    failOn: reader.isSpelledOut('fail-on') ? readThresholds(reader) : stored.failOn,
    verify: reader.choice<VerifyMethod>('verify', ['count', 'rows', 'none'], stored.verify),
    startAtMs: null,
  };
  const output = readOutput(reader, input.env);
  if (reader.problems.length > 0)
    return { ok: false, target: plan.target, secrets, problems: reader.problems };
  return { ok: true, target: plan.target, secrets, plan, output, warnings: reader.warnings, notes: null };
}

type TlsPlan = RunPlan['target']['tls'];

/** Verification is only off when this command line says so: a resumed run does not inherit `--insecure`. */
function resumedTls(reader: SettingReader, given: TlsPlan, stored: TlsPlan): TlsPlan {
  return {
    verify: !reader.switch('insecure', false),
    caCertFile: given.caCertFile ?? stored.caCertFile,
    systemCa: given.systemCa || stored.systemCa,
    certFile: given.certFile ?? stored.certFile,
    keyFile: given.keyFile ?? stored.keyFile,
  };
}

/** Accepted as a run id: it becomes a folder's name and a text in every row. */
export function isRunId(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(text) && text !== 'latest';
}

function readRunId(reader: SettingReader, facts: PlanFacts): string {
  const accepted =
    'expected 1 to 64 letters, digits, dots, dashes or underscores, not beginning with a dot or dash, not "latest"';
  return reader.parsed('run-id', (text) => (isRunId(text) ? text : null), accepted, madeRunId(facts));
}

/** `20261124-1530-x7k2`: sorts by time, and is short enough to type. */
function madeRunId(facts: PlanFacts): string {
  const digits = new Date(facts.nowMs).toISOString().replace(/[-:T]/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${facts.randomId}`;
}

function parseSeed(text: string): number | null {
  if (!/^(\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text.trim())) return null;
  const seed = Number(text.trim());
  return seed < 2 ** 32 ? seed : null;
}

function readBounds(reader: SettingReader, command: 'cluster' | 'single'): RunPlan['bounds'] {
  const rows = reader.count('rows', { min: 1, max: MAX_ROWS }, null);
  const durationMs = reader.durationMs('duration', { min: 1, max: MAX_DURATION_MS }, null);
  const isUnbounded = !reader.isSpelledOut('rows') && !reader.isSpelledOut('duration');
  return { rows: isUnbounded ? DEFAULT_ROWS[command] : rows, durationMs };
}

function readTable(
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

/** A file that says which rows a run makes: a schema file, or one with a CREATE TABLE statement. */
export type NamedFile = Given<string> & { readonly setting: 'schema' | 'ddl' };

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
function checkSequences(reader: SettingReader, { table, bounds }: DraftPlan): void {
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

function readLoad(reader: SettingReader, input: PlanInput): LoadPlan {
  const procs =
    input.command === 'single' ? 1 : Math.min(Math.max(1, input.facts.availableParallelism), MAX_PROCS);
  const insertPath = reader.choice('insert-path', INSERT_PATHS, 'bulk-args');
  return {
    procs: input.command === 'single' ? 1 : reader.count('procs', { min: 1, max: MAX_PROCS }, procs),
    batchSize: reader.count(
      'batch-size',
      { min: 1, max: MAX_BATCH_ROWS },
      insertPath === 'values' ? MAX_VALUES_ROWS : DEFAULT_BATCH_ROWS,
    ),
    inFlight: reader.count('in-flight', { min: 1, max: MAX_IN_FLIGHT }, 4),
    batchIntervalMs: reader.durationMs('batch-interval', { min: 0, max: DAY_MS }, 0),
    rowsPerSecond: readRate(reader),
    rampUpMs: reader.durationMs('ramp-up', { min: 0, max: DAY_MS }, 0),
    warmUpMs: reader.durationMs('warm-up', { min: 0, max: DAY_MS }, 0),
    insertPath,
    compression: reader.choice<Compression>('compress', ['none', 'deflate', 'gzip'], 'none'),
    generator: reader.choice('generator', input.facts.generators, input.facts.generators[0] ?? 'reference'),
    maxBodyBytes: reader.bytes('max-body', { min: 4096, max: 2 ** 30 }, 16 * 2 ** 20),
  };
}

function readRate(reader: SettingReader): number | null {
  return reader.parsed(
    'rate',
    (text) => acceptedRate(parseRate(text)),
    `expected ${ACCEPTED.rate}, from 1 to 1,000,000,000`,
    null,
  );
}

function acceptedRate(rate: number | null): number | null {
  return rate !== null && rate <= 1e9 ? rate : null;
}

function readSafety(reader: SettingReader, stored?: SafetyPlan): SafetyPlan {
  const wait = { min: 0, max: DAY_MS };
  return {
    timeoutMs: reader.durationMs('timeout', { min: 100, max: HOUR_MS }, stored?.timeoutMs ?? 90_000),
    retries: reader.count('retries', { min: 0, max: 1000 }, stored?.retries ?? 3),
    drainTimeoutMs: reader.durationMs(
      'drain-timeout',
      { min: 0, max: HOUR_MS },
      stored?.drainTimeoutMs ?? 15_000,
    ),
    outageTimeoutMs: reader.durationMs('outage-timeout', wait, stored?.outageTimeoutMs ?? 120_000),
    blockTimeoutMs: reader.durationMs('block-timeout', wait, stored?.blockTimeoutMs ?? 60_000),
    maxFailed: reader.parsed(
      'max-failed',
      parseTolerance,
      'expected a number of rows or a share of them, as 100 or 0.1%',
      stored?.maxFailed ?? { kind: 'rows', rows: 0 },
    ),
    stopsAtMaxFailed: reader.isSpelledOut('max-failed') || (stored?.stopsAtMaxFailed ?? false),
    maxBytes: reader.bytes('max-bytes', { min: 4096, max: MAX_BYTES }, stored?.maxBytes ?? null),
    stopAtDisk: reader.parsed(
      'stop-at-disk',
      parseDiskGuard,
      'expected a percentage from 1% to 100%, as 80%, or off',
      stored?.stopAtDisk ?? { kind: 'watermark' },
    ),
    isConfirmed: reader.switch('yes', stored?.isConfirmed ?? false),
  };
}

function parseDiskGuard(text: string): DiskGuard | null {
  if (text.trim().toLowerCase() === 'off') return { kind: 'off' };
  const percent = /^(\d{1,3}(?:\.\d{1,3})?)\s*%$/.exec(text.trim())?.[1];
  const share = Number(percent) / 100;
  return percent !== undefined && share >= 0.01 && share <= 1 ? { kind: 'share', share } : null;
}

function parseTolerance(text: string): Tolerance | null {
  const percent = /^(\d{1,3}(?:\.\d{1,9})?)\s*%$/.exec(text.trim())?.[1];
  if (percent === undefined) {
    const rows = parseCount(text);
    return rows === null ? null : { kind: 'rows', rows };
  }
  return Number(percent) <= 100 ? { kind: 'share', share: Number(percent) / 100 } : null;
}

function readMachine(reader: SettingReader, command: 'cluster' | 'single'): RunPlan['machine'] {
  const accepted = `expected I/N with I from 1 to N and N at most ${MAX_MACHINES}, as 2/3`;
  const machine = reader.parsed('machine', parseMachine, accepted, { index: 1, count: 1 });
  if (machine.count === 1) return machine;
  const wanted = [
    'seed',
    'run-id',
    'time-origin',
    'rows',
    'batch-size',
    ...(command === 'cluster' ? ['procs'] : []),
  ];
  // A run bounded by time alone has no number of rows to agree on.
  const missing = wanted.filter(
    (name) => !reader.isSpelledOut(name) && !(name === 'rows' && reader.isSpelledOut('duration')),
  );
  if (missing.length > 0) {
    const flags = missing.map((name) => `--${name}`).join(', ');
    reader.problems.push(
      `--machine ${machine.index}/${machine.count}: expected ${flags} spelled out too, and equal on all machines`,
    );
  }
  return machine;
}

function parseMachine(text: string): RunPlan['machine'] | null {
  const match = /^(\d{1,4})\/(\d{1,4})$/.exec(text.trim());
  if (match === null) return null;
  const [index, count] = [Number(match[1]), Number(match[2])];
  return index >= 1 && index <= count && count <= MAX_MACHINES ? { index, count } : null;
}

function readStartAt(reader: SettingReader, nowMs: number): number | null {
  const given = reader.text('start-at');
  const startAtMs = reader.time('start-at', null);
  if (given === null || startAtMs === null) return null;
  if (startAtMs - nowMs > MAX_START_DELAY_MS) reader.problem(given, 'expected a time within the next 7 days');
  if (startAtMs < nowMs) {
    reader.warnings.push(
      `${given.name} was ${durationFlag(Math.ceil((nowMs - startAtMs) / 1000) * 1000)} ago: this machine begins as soon as it is ready`,
    );
  }
  return startAtMs;
}

const METRICS: readonly Threshold['metric'][] = [
  'p50',
  'p90',
  'p95',
  'p99',
  'p999',
  'max',
  'rows/s',
  'rejected',
  'failed',
  'unknown',
  'cpu',
];
const OPERATORS: readonly Threshold['operator'][] = ['>=', '<=', '>', '<'];

function readThresholds(reader: SettingReader): readonly Threshold[] {
  const given = reader.list('fail-on');
  if (given.length > MAX_THRESHOLDS)
    reader.problems.push(`--fail-on: expected at most ${MAX_THRESHOLDS} conditions`);
  const thresholds: Threshold[] = [];
  for (const one of given.slice(0, MAX_THRESHOLDS)) {
    const threshold = parseThreshold(one.value);
    if (threshold === null) {
      reader.problem(
        one,
        `expected METRIC OP VALUE, as "p99>200ms", "rows/s<50k", "failed>0" or "cpu>150"; metrics ${METRICS.join(' ')}, operators > >= < <=`,
      );
    } else thresholds.push(threshold);
  }
  return thresholds;
}

function parseThreshold(text: string): Threshold | null {
  const match = /^\s*([a-z0-9/]+)\s*(>=|<=|>|<)\s*(\S+)\s*$/i.exec(text);
  const metric = METRICS.find((name) => name === match?.[1]?.toLowerCase());
  const operator = OPERATORS.find((name) => name === match?.[2]);
  if (metric === undefined || operator === undefined) return null;
  const value = thresholdValue(metric, match?.[3] ?? '');
  return value === null ? null : { metric, operator, value, text: text.trim() };
}

/** Latencies in ms, rates in rows/s, rows as counts, CPU in percent of a core. */
function thresholdValue(metric: Threshold['metric'], text: string): number | null {
  switch (metric) {
    case 'rows/s':
      return parseCount(text.replace(/(rows)?\/s$/i, ''));
    case 'rejected':
    case 'failed':
    case 'unknown':
      return parseCount(text);
    case 'cpu':
      return /^\d{1,6}(\.\d{1,3})?%?$/.test(text) ? Number.parseFloat(text) : null;
    default:
      return parseDurationMs(text);
  }
}

function readOutput(reader: SettingReader, env: Environment): OutputPlan {
  const out = reader.text('out');
  if (out?.value === '' || out?.value === '-')
    reader.problem(out, 'expected a file; --json writes to standard output');
  const live = reader.choice('live', ['auto', 'screen', 'lines', 'off'], 'auto');
  const quiet = reader.switch('quiet', false);
  if (quiet && (live === 'screen' || live === 'lines'))
    reader.problems.push(`--quiet: expected without --live ${live}`);
  return {
    out: out?.value ?? null,
    json: reader.switch('json', false),
    live,
    logFormat: reader.choice('log-format', ['text', 'json'], 'text'),
    quiet,
    dryRun: reader.switch('dry-run', false),
    verbose: reader.switch('verbose', false),
    web: readWeb(reader),
    otlp: readOtlp(reader, env),
  };
}

/** A URL without a path is a collector's base, as with OTEL_EXPORTER_OTLP_ENDPOINT. */
function readOtlp(reader: SettingReader, env: Environment): OtlpPlan | null {
  const intervalMs = reader.durationMs('otlp-interval', { min: 1000, max: HOUR_MS }, DEFAULT_PUSH_MS);
  const given = reader.text('otlp-endpoint');
  if (given === null) return null;
  const url = URL.canParse(given.value) ? new URL(given.value) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password + url.hash !== '') {
    reader.problem(
      given,
      'expected http(s)://host:port; what signs in belongs into OTEL_EXPORTER_OTLP_HEADERS',
    );
    return null;
  }
  const read = parseOtlpHeaders(env['OTEL_EXPORTER_OTLP_HEADERS'] ?? '');
  if ('problem' in read) {
    reader.problems.push(read.problem);
    return null;
  }
  if (!url.pathname.endsWith(OTLP_PATH)) url.pathname = url.pathname.replace(/\/*$/, OTLP_PATH);
  return { url: url.href, headers: read.headers, intervalMs };
}

/** A port is enough to say that there is to be a page. */
function readWeb(reader: SettingReader): OutputPlan['web'] {
  const port = reader.count('web-port', { min: 0, max: 65_535 }, null);
  return port === null && !reader.switch('web', false) ? null : { port: port ?? 0 };
}

/** Combinations that each alone would be fine. */
function checkLoadAgainstBounds(reader: SettingReader, plan: DraftPlan): void {
  const { load, bounds, machine } = plan;
  if (load.rowsPerSecond !== null && load.batchIntervalMs > 0) {
    reader.problems.push(
      '--rate: expected without --batch-interval, since the schedule decides when batches begin',
    );
  }
  if (bounds.durationMs === null) return;
  for (const [name, ms] of [
    ['ramp-up', load.rampUpMs],
    ['warm-up', load.warmUpMs],
  ] as const) {
    if (ms > 0 && ms >= bounds.durationMs) {
      reader.problems.push(
        `--${name} ${durationFlag(ms)}: expected less than --duration ${durationFlag(bounds.durationMs)}`,
      );
    }
  }
  if (load.rowsPerSecond === null) return;
  // The open loop gives worker w its first batch after w·B/rate.
  const workers = load.procs * machine.count;
  const lastStartMs = ((workers - 1) * load.batchSize * 1000) / load.rowsPerSecond;
  if (lastStartMs >= bounds.durationMs && workers > 1) {
    reader.problems.push(
      `--rate ${formatExact(load.rowsPerSecond)}: too slow for ${formatExact(workers)} workers with batches of ${formatExact(load.batchSize)} rows, some would send nothing within ${durationFlag(bounds.durationMs)}; expected a smaller --batch-size or fewer --procs`,
    );
  }
}

/** What each way of sending rows has no room for. */
function checkInsertPath(reader: SettingReader, { load, target }: Pick<RunPlan, 'load' | 'target'>): void {
  const { insertPath, batchSize, compression } = load;
  if (insertPath === 'values' && batchSize > MAX_VALUES_ROWS) {
    reader.problems.push(
      `--batch-size ${formatExact(batchSize)}: expected at most ${MAX_VALUES_ROWS} with --insert-path values, since the server never answers a statement with more bad rows`,
    );
  }
  if (insertPath !== 'pg') {
    const port = reader.text('pg-port');
    if (port?.layer === 'flag') reader.problem(port, 'expected only with --insert-path pg');
    return;
  }
  if (compression !== 'none')
    reader.problems.push(
      `--compress ${compression}: expected without --insert-path pg, which has no compression`,
    );
  if (target.kind === 'embedded')
    reader.problems.push('--insert-path pg: expected without --sandbox, which speaks HTTP only');
}
