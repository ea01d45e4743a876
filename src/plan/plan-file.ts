/**
 * The plan file (`plan.json`, format `crategen.plan/1`): what a run set out to do and where its traces are, written
 * before the first row, so that `recover` and `--resume` have it when nothing else was left. Text to type and back,
 * without I/O.
 */
import * as v from 'valibot';
import { UsageError } from '../base/errors.ts';
import type { TargetKind } from '../base/target-kind.ts';
import { printable } from '../base/text.ts';
import { INSERT_PATHS } from '../rows/insert-form.ts';
import { DEFAULT_PG_PORT } from './parse-target.ts';
import { THRESHOLD_METRICS, THRESHOLD_OPERATORS, type RunPlan } from './run-plan.ts';
import { SCHEMA_SOURCE, TABLE_SCHEMA } from './schema-shape.ts';

export const PLAN_FORMAT = 'crategen.plan/1';

/** What is known at the start of a run and is not in its plan. */
export interface StartFacts extends TableFacts {
  /** Wall-clock ms. */
  readonly startedAtMs: number;
  /** Absolute path of the folder with the workers' counter files. */
  readonly counterFolder: string;
  readonly coordinatorPid: number;
  /** When that process began, so that another one of its number is not taken for it; null where that is not known. */
  readonly coordinatorStartTicks: number | null;
  /** The first incarnations. */
  readonly workerPids: readonly number[];
  readonly target: {
    readonly kind: TargetKind;
    readonly version: string | null;
    /** Origins in use, also of an embedded sandbox. */
    readonly nodes: readonly string[];
  };
  readonly keyed: boolean;
  /** Of the tables that `plan.also` names, in its order; what stands beside it is the main table's. */
  readonly also: readonly TableFacts[];
  readonly rowFormat: number;
  readonly versions: { readonly crategen: string; readonly node: string; readonly faker: string };
  /** Per worker, what an earlier, stopped part of this run came to; null for a run from its beginning. */
  readonly resumed: readonly ResumedBooks[] | null;
}

/** What is known of a table when its first row is sent. */
export interface TableFacts {
  readonly statement: string;
  readonly ddl: string;
  readonly poolsHash: string;
  /** Rows in the table before the run, where it has no run_id to count by; else null. */
  readonly rowsBefore: number | null;
}

/** One worker's books at the end of the earlier part, without the batches that are sent again. */
export interface ResumedBooks {
  readonly ledger: LedgerNumbers;
  /** The same rows by table. */
  readonly tables: readonly LedgerNumbers[];
  readonly batches: {
    readonly begun: number;
    readonly completed: number;
    readonly retried: number;
    readonly failed: number;
  };
  readonly nextBatch: number;
  readonly resend: readonly number[];
  /** Batches that may not be sent again: their rows keep their state. */
  readonly exceptions: readonly (RowNumbers & { readonly batch: number })[];
}

interface RowNumbers {
  readonly acknowledged: number;
  readonly rejected: number;
  readonly failed: number;
  readonly unknown: number;
}

interface LedgerNumbers extends RowNumbers {
  readonly offered: number;
  readonly inFlight: number;
}

export interface PlanFile {
  readonly plan: RunPlan;
  readonly facts: StartFacts;
}

/** Text of the plan file. Holds no secrets, since the plan holds none. */
export function planFileText(plan: RunPlan, facts: StartFacts): string {
  const run = { id: plan.runId, seed: plan.seed, startedAt: new Date(facts.startedAtMs).toISOString() };
  return `${JSON.stringify({ format: PLAN_FORMAT, run, plan, facts }, null, 2)}\n`;
}

/** Reads a plan file; `name` is what messages call it. Throws UsageError naming what is wrong and where. */
export function parsePlanFile(text: string, name: string): PlanFile {
  const parsed = v.safeParse(PLAN_FILE, parsedJson(text, name));
  if (parsed.success) return { plan: parsed.output.plan, facts: parsed.output.facts };
  const issue = parsed.issues[0];
  const place = v.getDotPath(issue) ?? '';
  throw new UsageError(
    `${printable(name)} is not a plan file that this version reads: ${place} ${printable(issue.message)}`,
  );
}

function parsedJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new UsageError(`${printable(name)} is not valid JSON`, { cause });
  }
}

const COUNT = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const POSITIVE = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const TEXT = v.pipe(v.string(), v.maxLength(1_000_000));
const ORIGINS = v.pipe(v.array(v.pipe(v.string(), v.url())), v.maxLength(256));

const TARGET_PLAN = v.object({
  kind: v.picklist(['urls', 'embedded']),
  nodes: ORIGINS,
  discover: v.optional(v.boolean(), false),
  pgPort: v.optional(POSITIVE, DEFAULT_PG_PORT),
  username: v.nullable(TEXT),
  tls: v.object({
    verify: v.boolean(),
    caCertFile: v.nullable(TEXT),
    systemCa: v.optional(v.boolean(), false),
    certFile: v.nullable(TEXT),
    keyFile: v.nullable(TEXT),
  }),
});

const TABLE_PLAN = v.object({
  name: v.object({ schema: TEXT, table: TEXT }),
  source: SCHEMA_SOURCE,
  schema: TABLE_SCHEMA,
  weight: v.optional(v.pipe(v.number(), v.gtValue(0)), 1),
  create: v.boolean(),
  recreate: v.boolean(),
  shards: v.nullable(POSITIVE),
  replicas: v.nullable(TEXT),
  key: v.boolean(),
});

const LOAD_PLAN = v.object({
  procs: POSITIVE,
  batchSize: POSITIVE,
  inFlight: POSITIVE,
  batchIntervalMs: COUNT,
  rowsPerSecond: v.nullable(v.pipe(v.number(), v.gtValue(0))),
  rampUpMs: COUNT,
  warmUpMs: COUNT,
  insertPath: v.optional(v.picklist(INSERT_PATHS), 'bulk-args'),
  compression: v.picklist(['none', 'deflate', 'gzip']),
  generator: v.picklist(['fast', 'reference']),
  maxBodyBytes: POSITIVE,
});

const TOLERANCE = v.variant('kind', [
  v.object({ kind: v.literal('rows'), rows: COUNT }),
  v.object({ kind: v.literal('share'), share: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
]);

const DISK_GUARD = v.variant('kind', [
  v.object({ kind: v.literal('watermark') }),
  v.object({ kind: v.literal('share'), share: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
  v.object({ kind: v.literal('off') }),
]);

const SAFETY_PLAN = v.object({
  timeoutMs: POSITIVE,
  retries: COUNT,
  drainTimeoutMs: COUNT,
  outageTimeoutMs: COUNT,
  blockTimeoutMs: COUNT,
  maxFailed: TOLERANCE,
  stopsAtMaxFailed: v.boolean(),
  maxBytes: v.nullable(POSITIVE),
  stopAtDisk: DISK_GUARD,
  isConfirmed: v.boolean(),
});

const THRESHOLD = v.object({
  metric: v.picklist(THRESHOLD_METRICS),
  operator: v.picklist(THRESHOLD_OPERATORS),
  value: v.pipe(v.number(), v.finite()),
  text: TEXT,
});

const RUN_PLAN = v.object({
  command: v.picklist(['cluster', 'single', 'ceiling']),
  runId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/)),
  seed: COUNT,
  timeOriginMs: COUNT,
  target: TARGET_PLAN,
  table: TABLE_PLAN,
  also: v.optional(v.array(TABLE_PLAN), []),
  bounds: v.object({ rows: v.nullable(POSITIVE), durationMs: v.nullable(POSITIVE) }),
  load: LOAD_PLAN,
  safety: SAFETY_PLAN,
  machine: v.object({ index: POSITIVE, count: POSITIVE }),
  startAtMs: v.nullable(COUNT),
  failOn: v.array(THRESHOLD),
  verify: v.picklist(['count', 'rows', 'none']),
}) satisfies v.GenericSchema<unknown, RunPlan>;

const ROW_COUNTS = { acknowledged: COUNT, rejected: COUNT, failed: COUNT, unknown: COUNT };

const LEDGER = v.object({ offered: COUNT, ...ROW_COUNTS, inFlight: COUNT });

const BOOKS = v.object({
  ledger: LEDGER,
  tables: v.optional(v.array(LEDGER)),
  batches: v.object({ begun: COUNT, completed: COUNT, retried: COUNT, failed: COUNT }),
  nextBatch: COUNT,
  resend: v.array(COUNT),
  exceptions: v.array(v.object({ batch: COUNT, ...ROW_COUNTS })),
});
/** Books of before there were several tables are of one. */
const RESUMED_BOOKS = v.pipe(
  BOOKS,
  v.transform((books) => ({ ...books, tables: books.tables ?? [books.ledger] })),
);

const TABLE_FACTS = {
  statement: TEXT,
  ddl: TEXT,
  poolsHash: TEXT,
  rowsBefore: v.nullable(COUNT),
};

const START_FACTS = v.object({
  startedAtMs: COUNT,
  counterFolder: TEXT,
  coordinatorPid: POSITIVE,
  coordinatorStartTicks: v.optional(v.nullable(POSITIVE), null),
  workerPids: v.array(POSITIVE),
  target: v.object({
    kind: v.picklist(['cratedb', 'sandbox', 'discard']),
    version: v.nullable(TEXT),
    nodes: ORIGINS,
  }),
  keyed: v.boolean(),
  ...TABLE_FACTS,
  also: v.optional(v.array(v.object(TABLE_FACTS)), []),
  rowFormat: COUNT,
  versions: v.object({ crategen: TEXT, node: TEXT, faker: TEXT }),
  resumed: v.nullable(v.array(RESUMED_BOOKS)),
}) satisfies v.GenericSchema<unknown, StartFacts>;

const PLAN_FILE = v.object({ format: v.literal(PLAN_FORMAT), plan: RUN_PLAN, facts: START_FACTS });
