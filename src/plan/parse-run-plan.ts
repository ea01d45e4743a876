/**
 * From flags, environment and config file to the run plan, with every problem reported at once. Pure: the host's
 * facts, the time and randomness come in as values, files are only named.
 */
import { DAY_MS, HOUR_MS } from '../base/units.ts';
import { MAX_ROWS } from '../rows/row-format.ts';
import { ceilingProblems } from './ceiling.ts';
import { readAlso, warnOfEmptyTables } from './parse-also.ts';
import { checkInsertPath, checkLoadAgainstBounds, readLoad } from './parse-load.ts';
import { readOutput } from './parse-output.ts';
import { readSafety } from './parse-safety.ts';
import { checkSequences, readTable } from './parse-table.ts';
import { DEFAULT_NODES, readTarget } from './parse-target.ts';
import { readThresholds } from './parse-thresholds.ts';
import type { DraftPlan, RunCommandName, RunPlan, SchemaSource, VerifyMethod } from './run-plan.ts';
import type { ParsedRunPlan, PlanFacts, PlanInput } from './plan-input.ts';
import { SettingReader } from './setting-reader.ts';

/** A ceiling without any bound is given one before it is parsed. */
const DEFAULT_ROWS = { cluster: 1_000_000, single: 10_000, ceiling: null } as const;
const MAX_DURATION_MS = 365 * DAY_MS;
const MAX_MACHINES = 1000;
/** A start far ahead is a typing error. */
const MAX_START_DELAY_MS = 7 * DAY_MS;

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
  if (plan.command === 'ceiling') reader.problems.push(...ceilingProblems(plan));
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

/** Accepted as a run id: it becomes a folder's name and a text in every row. */
function isRunId(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(text) && text !== 'latest';
}

/** The one that was given, or one of this moment. */
export function readRunId(reader: SettingReader, facts: PlanFacts): string {
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

/** At least one bound is set. */
export function readBounds(reader: SettingReader, command: RunCommandName): RunPlan['bounds'] {
  const rows = reader.count('rows', { min: 1, max: MAX_ROWS }, null);
  const durationMs = reader.durationMs('duration', { min: 1, max: MAX_DURATION_MS }, null);
  const isUnbounded = !reader.isSpelledOut('rows') && !reader.isSpelledOut('duration');
  return { rows: isUnbounded ? DEFAULT_ROWS[command] : rows, durationMs };
}

function readMachine(reader: SettingReader, command: RunCommandName): RunPlan['machine'] {
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
  return startAtMs;
}
