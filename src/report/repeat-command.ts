/**
 * The command line that makes a run again: the flags that differ from the defaults, never a secret, quoted so
 * that a shell takes it as it is.
 */
import { durationFlag } from '../base/units.ts';
import { formatTable } from '../base/sql.ts';
import { printable } from '../base/text.ts';
import { CEILING_DURATION_MS, CEILING_WARM_UP_MS } from '../plan/ceiling.ts';
import { DEFAULT_PG_PORT } from '../plan/parse-target.ts';
import type { DiskGuard, RunPlan, Tolerance } from '../plan/run-plan.ts';
import { MAX_VALUES_ROWS } from '../rows/insert-form.ts';
import { alsoFlag, sourceFlags } from '../plan/schema-source.ts';

/** Where to: the same target as before, or a real cluster in the place of the sandbox. */
export type RepeatOn = 'sameTarget' | 'realCluster';

/** What the reader of the hint replaces. */
const CLUSTER_PLACEHOLDER = 'http://YOUR-CRATEDB:4200';

const DEFAULT_NODE = 'http://localhost:4200';

/** The defaults of the command line (cli.md); a flag that says the same is left out. */
const DEFAULT_ROWS = { cluster: 1_000_000, single: 10_000, ceiling: null } as const;
const DEFAULT_BATCH_SIZE = 1000;
const DEFAULT_IN_FLIGHT = 4;
const DEFAULT_MAX_BODY_BYTES = 16 * 2 ** 20;
const DEFAULT_TIMEOUT_MS = 90_000;
const DEFAULT_RETRIES = 3;
const DEFAULT_DRAIN_TIMEOUT_MS = 15_000;
const DEFAULT_OUTAGE_TIMEOUT_MS = 120_000;
const DEFAULT_BLOCK_TIMEOUT_MS = 60_000;

/**
 * The command that repeats a run, as one line. On the same target it makes the same rows (seed and time origin)
 * under a new run id; on a real cluster it is the same load with rows of its own. `defaultProcs` is the number
 * of processes that the host would take by itself.
 */
export function repeatCommand(plan: RunPlan, on: RepeatOn, defaultProcs: number): string {
  const flags = [
    ...boundFlags(plan),
    ...(on === 'realCluster' ? ['--url', CLUSTER_PLACEHOLDER] : targetFlags(plan)),
    ...tableFlags(plan, on),
    ...loadFlags(plan, defaultProcs),
    ...safetyFlags(plan, on),
    ...(on === 'sameTarget' ? identityFlags(plan) : []),
  ];
  return line(plan.command, flags);
}

/** The command that measures a ceiling again: of the run that it was measured for, or of its own plan for null. */
export function ceilingCommand(plan: RunPlan, measuredFor: string | null, defaultProcs: number): string {
  if (measuredFor === null) return repeatCommand(plan, 'sameTarget', defaultProcs);
  return line('ceiling', ['--run', measuredFor, ...boundFlags(plan), ...warmUpFlags(plan)]);
}

/** The command of the real run whose ceiling this is; how long it takes is left to it. */
export function realRunCommand(ceiling: RunPlan, defaultProcs: number): string {
  const bounds = { rows: DEFAULT_ROWS.cluster, durationMs: null };
  const load = { ...ceiling.load, warmUpMs: 0 };
  return repeatCommand({ ...ceiling, command: 'cluster', bounds, load }, 'realCluster', defaultProcs);
}

function line(command: RunPlan['command'], flags: readonly string[]): string {
  return ['crategen', command, ...flags].map(shellWord).join(' ');
}

/** A whole number as the flags take it: 200000 → `200k`, 17200000 → `17.2m`, 1234567 as it is. */
export function countFlag(count: number): string {
  for (const [unit, factor] of [['g', 1e9] as const, ['m', 1e6] as const, ['k', 1e3] as const]) {
    if (count >= factor && count % (factor / 100) === 0)
      return `${Number((count / factor).toFixed(2))}${unit}`;
  }
  return String(count);
}

function boundFlags(plan: RunPlan): string[] {
  const { rows, durationMs } = plan.bounds;
  const isDefault = isUsualCeiling(plan) || (durationMs === null && rows === DEFAULT_ROWS[plan.command]);
  return [
    ...(rows === null || isDefault ? [] : ['--rows', countFlag(rows)]),
    ...(durationMs === null || isDefault ? [] : ['--duration', durationFlag(durationMs)]),
  ];
}

/** As long as a ceiling is that nobody gave a length. */
function isUsualCeiling({ command, bounds, load }: RunPlan): boolean {
  if (command !== 'ceiling' || bounds.rows !== null) return false;
  return bounds.durationMs === CEILING_DURATION_MS && load.warmUpMs === CEILING_WARM_UP_MS;
}

function warmUpFlags(plan: RunPlan): string[] {
  return isUsualCeiling(plan) ? [] : unless(plan.load.warmUpMs, 0, '--warm-up', durationFlag);
}

function targetFlags(plan: RunPlan): string[] {
  const { kind, nodes, discover, pgPort, username, tls } = plan.target;
  if (plan.command === 'ceiling') return [];
  if (kind === 'embedded') return ['--sandbox'];
  const isDefault = nodes.length === 1 && nodes[0] === DEFAULT_NODE;
  return [
    ...(isDefault ? [] : nodes.flatMap((node) => ['--url', node])),
    ...(discover ? ['--discover'] : []),
    ...unless(pgPort, DEFAULT_PG_PORT, '--pg-port', String),
    ...valueFlag('--username', username),
    ...valueFlag('--ca-cert-file', tls.caCertFile),
    ...(tls.systemCa ? ['--system-ca'] : []),
    ...valueFlag('--cert-file', tls.certFile),
    ...valueFlag('--key-file', tls.keyFile),
    ...(tls.verify ? [] : ['--insecure']),
  ];
}

function tableFlags(plan: RunPlan, on: RepeatOn): string[] {
  const { source, name, create, recreate, shards, replicas, key } = plan.table;
  const table = formatTable(name);
  return [
    ...sourceFlags(source),
    ...(source.kind === 'preset' && name.schema === 'crategen' && name.table === source.name
      ? []
      : ['--table', table]),
    ...plan.also.flatMap((further) => ['--also', alsoFlag(further)]),
    ...unless(plan.table.weight, 1, '--weight', String),
    ...(create ? [] : ['--no-create']),
    // Dropping a table on somebody's cluster is not for a line that is pasted from a hint.
    ...(recreate && on === 'sameTarget'
      ? ['--recreate', ...(name.schema === 'crategen' ? [] : ['--yes-drop', table])]
      : []),
    ...valueFlag('--shards', shards),
    ...valueFlag('--replicas', replicas),
    ...(key ? [] : ['--no-key']),
  ];
}

function loadFlags(plan: RunPlan, defaultProcs: number): string[] {
  const { load } = plan;
  const procs =
    plan.command === 'single' || load.procs === defaultProcs ? [] : ['--procs', String(load.procs)];
  return [
    ...procs,
    ...(load.insertPath === 'bulk-args' ? [] : ['--insert-path', load.insertPath]),
    ...unless(
      load.batchSize,
      load.insertPath === 'values' ? MAX_VALUES_ROWS : DEFAULT_BATCH_SIZE,
      '--batch-size',
      countFlag,
    ),
    ...unless(load.inFlight, DEFAULT_IN_FLIGHT, '--in-flight', String),
    ...unless(load.batchIntervalMs, 0, '--batch-interval', durationFlag),
    ...(load.rowsPerSecond === null ? [] : ['--rate', countFlag(load.rowsPerSecond)]),
    ...unless(load.rampUpMs, 0, '--ramp-up', durationFlag),
    ...warmUpFlags(plan),
    ...(load.compression === 'none' ? [] : ['--compress', load.compression]),
    ...(load.generator === 'fast' ? [] : ['--generator', load.generator]),
    ...unless(load.maxBodyBytes, DEFAULT_MAX_BODY_BYTES, '--max-body', bytesFlag),
  ];
}

function safetyFlags(plan: RunPlan, on: RepeatOn): string[] {
  const { safety } = plan;
  return [
    ...unless(safety.timeoutMs, DEFAULT_TIMEOUT_MS, '--timeout', durationFlag),
    ...unless(safety.retries, DEFAULT_RETRIES, '--retries', String),
    ...unless(safety.drainTimeoutMs, DEFAULT_DRAIN_TIMEOUT_MS, '--drain-timeout', durationFlag),
    ...unless(safety.outageTimeoutMs, DEFAULT_OUTAGE_TIMEOUT_MS, '--outage-timeout', durationFlag),
    ...unless(safety.blockTimeoutMs, DEFAULT_BLOCK_TIMEOUT_MS, '--block-timeout', durationFlag),
    ...(safety.stopsAtMaxFailed ? ['--max-failed', toleranceFlag(safety.maxFailed)] : []),
    ...(safety.maxBytes === null ? [] : ['--max-bytes', bytesFlag(safety.maxBytes)]),
    ...(safety.stopAtDisk.kind === 'watermark' ? [] : ['--stop-at-disk', diskGuardFlag(safety.stopAtDisk)]),
    // On another target nothing has been told yet.
    ...(safety.isConfirmed && on === 'sameTarget' ? ['--yes'] : []),
    ...plan.failOn.flatMap((threshold) => ['--fail-on', threshold.text]),
    ...(plan.verify === 'count' ? [] : ['--verify', plan.verify]),
  ];
}

function identityFlags(plan: RunPlan): string[] {
  const { index, count } = plan.machine;
  return [
    '--seed',
    String(plan.seed),
    '--time-origin',
    new Date(plan.timeOriginMs).toISOString().replace('.000Z', 'Z'),
    // Several machines agree on their run id beforehand: it cannot be left to chance.
    ...(count > 1 ? ['--machine', `${index}/${count}`, '--run-id', 'NEW-RUN-ID'] : []),
  ];
}

function valueFlag(flag: string, value: string | number | null): string[] {
  return value === null ? [] : [flag, String(value)];
}

function unless(
  value: number,
  defaultValue: number,
  flag: string,
  format: (value: number) => string,
): string[] {
  return value === defaultValue ? [] : [flag, format(value)];
}

function bytesFlag(bytes: number): string {
  return bytes % 2 ** 20 === 0
    ? `${bytes / 2 ** 20}m`
    : bytes % 1024 === 0
      ? `${bytes / 1024}k`
      : String(bytes);
}

/** As the flag takes it back: `80%`, `off`, and `watermark` for the default, which has no flag. */
export function diskGuardFlag(guard: DiskGuard): string {
  return guard.kind === 'share' ? `${Number((guard.share * 100).toPrecision(12))}%` : guard.kind;
}

function toleranceFlag(tolerance: Tolerance): string {
  return tolerance.kind === 'rows'
    ? String(tolerance.rows)
    : `${Number((tolerance.share * 100).toPrecision(12))}%`;
}

/** A word that a POSIX shell reads back as it was. */
export function shellWord(word: string): string {
  const visible = printable(word, 1000);
  return /^[\w./:=@%+,-]+$/.test(visible) ? visible : `'${visible.replaceAll("'", `'\\''`)}'`;
}

/** The same command in ASCII, for a terminal that shows no more: what is beyond stands in `$'\x…'`, which bash and zsh read. */
export function asciiCommand(command: string): string {
  return command.replaceAll(/\\'|'([^']*)'/g, (word, inside: string = '') =>
    /^[\x20-\x7e]*$/.test(inside)
      ? word
      : `$'${inside.replaceAll('\\', '\\\\').replaceAll(/[^\x20-\x7e]/gu, bytesOf)}'`,
  );
}

function bytesOf(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16)}`).join('');
}
