/**
 * Row 29 of the fault table: many whole runs, each against a sandbox of its own whose rows are counted afterwards.
 * Clean runs must come out exact; runs with faults within the bounds that their ledger names. A run is a function
 * of its seed: a failed one is repeated with `--only runs --seed N --runs 1`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../src/base/seeded-random.ts';
import { execa } from 'execa';
import { runPlan } from '../../src/coordinator/run.ts';
import type { RunPlan } from '../../src/plan/run-plan.ts';
import { parseRunFile } from '../../src/report/run-file.ts';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import { type Fault, parseFault } from '../../src/sandbox/faults.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts';
import { PLAN } from '../coordinator/support.ts';
import { BIN } from '../support/built-command.ts';
import { preset as presetOf } from '../rows/support.ts';
import { accessTo } from '../support/access.ts';
import { quietEnvironment } from '../support/run-environment.ts';

export type RunKind = 'clean' | 'faulty' | 'processes';

/** Runs that are under way at once: most of a faulty run is waiting. */
const AT_ONCE: Readonly<Record<RunKind, number>> = { clean: 2, faulty: 8, processes: 1 };
const COMMAND_TIMEOUT_MS = 120_000;

/** What a client can be done to by a server or a network that is not well. Shares and arguments are drawn. */
const FAULTS = [
  'latency:1ms..60ms',
  'reset:before-reply',
  'reset:mid-request',
  'reset:mid-headers',
  'reset:mid-body',
  'silence:lost',
  'silence:stored',
  'drip',
  '429',
  '503',
  'overload:30',
  'breaker:100',
  'own-duplicate:30',
  'bare:30',
  'unavailable:30',
  'truncated',
  'invalid-json',
  'wrong-length',
  'wrong-results',
  'no-rowcount',
  'not-recovered',
] as const;

export interface Failed {
  readonly kind: RunKind;
  readonly seed: number;
  readonly why: string;
}

/** Runs `count` runs of a kind with the seeds `firstSeed`, `firstSeed` + 1 …; resolves with those that failed. */
export async function manyRuns(
  kind: RunKind,
  count: number,
  firstSeed: number,
  onDone: (done: number) => void,
): Promise<Failed[]> {
  const failed: Failed[] = [];
  let [next, done] = [0, 0];
  const lane = async (): Promise<void> => {
    while (next < count) {
      const seed = firstSeed + next++;
      const why = await oneRun(kind, seed).catch((error: unknown) => String(error));
      if (why !== null) failed.push({ kind, seed, why });
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE[kind] }, lane));
  return failed;
}

/** Null when all is as it should be, else what is not. */
async function oneRun(kind: RunKind, seed: number): Promise<string | null> {
  const random = seededRandom(seed);
  const faults = kind === 'faulty' ? drawnFaults(random) : [];
  const sandbox = await startSandbox({ latencyMs: [0, 3], faults });
  const folder = await mkdtemp(join(tmpdir(), 'crategen-soak-'));
  try {
    const outcome = await (kind === 'processes'
      ? runCommand(sandbox, folder, seed)
      : runHere(drawnPlan(sandbox, seed, random, kind === 'faulty'), sandbox, folder));
    const why = kind === 'faulty' ? outOfBounds(outcome) : notExact(outcome);
    return why === null
      ? null
      : `${why}; faults ${faults.map(({ text }) => text).join(' ')}; ${JSON.stringify(outcome)}`;
  } finally {
    await sandbox.close();
    await rm(folder, { recursive: true });
  }
}

interface Outcome {
  readonly ledger: {
    readonly offered: number;
    readonly acknowledged: number;
    readonly rejected: number;
    readonly failed: number;
    readonly unknown: number;
    readonly notOffered: number;
  };
  readonly verdict: string;
  /** By the server's count, as the run saw it. */
  readonly counted: number | null;
  /** Rows that are in the sandbox afterwards. */
  readonly stored: number;
  readonly wanted: number;
}

function notExact({ ledger, verdict, counted, stored, wanted }: Outcome): string | null {
  if (ledger.acknowledged !== stored) return `${ledger.acknowledged} acknowledged, ${stored} stored`;
  if (ledger.acknowledged !== wanted || ledger.offered !== wanted) return `${wanted} rows were wanted`;
  if (ledger.rejected + ledger.failed + ledger.unknown + ledger.notOffered > 0)
    return 'rows are in another state';
  return verdict === 'match' && counted === stored ? null : `the verdict is ${verdict}`;
}

function outOfBounds({ ledger, verdict, stored, wanted }: Outcome): string | null {
  const { offered, acknowledged, rejected, failed, unknown, notOffered } = ledger;
  if (offered !== acknowledged + rejected + failed + unknown) return 'the ledger does not balance';
  if (offered + notOffered !== wanted) return `${wanted} rows were wanted`;
  if (stored < acknowledged || stored > acknowledged + unknown) return `${stored} rows are stored`;
  return verdict === 'match' ? null : `the verdict is ${verdict}`;
}

function drawnFaults(random: () => number): Fault[] {
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const name = FAULTS[Math.floor(random() * FAULTS.length)] ?? FAULTS[0];
    const fault = parseFault(`${name}%${1 + Math.floor(random() * 25)}`);
    if ('problem' in fault) throw new Error(fault.problem);
    return fault;
  });
}

function drawnPlan(sandbox: Sandbox, seed: number, random: () => number, isFaulty: boolean): RunPlan {
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  const batchSize = upTo(300);
  const preset = PRESET_NAMES[Math.floor(random() * PRESET_NAMES.length)] ?? 'records';
  return {
    ...PLAN,
    command: 'single',
    runId: `soak-${seed}`,
    seed,
    target: { ...PLAN.target, nodes: [sandbox.url] },
    table: {
      ...PLAN.table,
      name: { schema: 'crategen', table: preset },
      source: { kind: 'preset', name: preset },
      schema: presetOf(preset),
      key: random() < 0.7,
    },
    // Up to 60 requests a run.
    bounds: { rows: upTo(Math.min(5000, batchSize * 60)), durationMs: null },
    load: {
      ...PLAN.load,
      procs: 1,
      batchSize,
      inFlight: upTo(6),
      compression: (['none', 'gzip', 'deflate'] as const)[Math.floor(random() * 3)] ?? 'none',
      maxBodyBytes: random() < 0.3 ? 64 * 1024 : 2 ** 24,
    },
    safety: { ...PLAN.safety, timeoutMs: isFaulty ? 700 : 30_000 },
  };
}

async function runHere(plan: RunPlan, sandbox: Sandbox, folder: string): Promise<Outcome> {
  const access = accessTo(...plan.target.nodes);
  const { ledger, verification } = await runPlan(plan, access, quietEnvironment(folder));
  return {
    ledger,
    verdict: verification.verdict,
    counted: verification.stored,
    stored: rowsOf(sandbox),
    wanted: plan.bounds.rows ?? 0,
  };
}

async function runCommand(sandbox: Sandbox, folder: string, seed: number): Promise<Outcome> {
  const rows = 2000 + (seed % 5000);
  const load = ['--procs', '3', '--batch-size', '100', '--rows', String(rows), '--seed', String(seed)];
  const { stdout, stderr, exitCode } = await execa(
    process.execPath,
    [BIN, 'cluster', '--url', sandbox.url, '--json', '--live', 'off', ...load],
    { env: { XDG_STATE_HOME: folder }, stdin: 'ignore', reject: false, timeout: COMMAND_TIMEOUT_MS },
  );
  if (exitCode !== 0) throw new Error(`exit ${exitCode ?? ''}: ${stderr}`);
  const { ledger, verification } = parseRunFile(stdout, 'the output of cluster');
  return {
    ledger,
    verdict: verification.verdict,
    counted: verification.stored,
    stored: rowsOf(sandbox),
    wanted: rows,
  };
}

function rowsOf(sandbox: Sandbox): number {
  return Object.values(sandbox.stats().tables).reduce((sum, { rows }) => sum + rows, 0);
}
