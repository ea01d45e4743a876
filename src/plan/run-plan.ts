/**
 * The run plan: what is inserted, where, how much, how fast, and when to stop. Complete and without secrets, so
 * that it can be shown, written to the plan file and compared. Made from flags, environment and config file by
 * `parse-run-plan.ts`; nothing after it looks at flags again.
 */
import type { TableName } from '../base/sql.ts';
import type { InsertPath } from '../rows/insert-form.ts';
import type { TableSchema } from '../rows/schema.ts';

export type Compression = 'none' | 'deflate' | 'gzip';
/** What writes the rows: the same bytes, at very different costs. */
export type GeneratorChoice = 'fast' | 'reference';
export type VerifyMethod = 'count' | 'rows' | 'none';

/** How many rows may end rejected, failed or unknown before the exit code says so. */
export type Tolerance =
  { readonly kind: 'rows'; readonly rows: number } | { readonly kind: 'share'; readonly share: number };

/** What `--fail-on` may judge, and how. */
export const THRESHOLD_METRICS = [
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
] as const;
export const THRESHOLD_OPERATORS = ['>', '>=', '<', '<='] as const;

/** `--fail-on "p99>200ms"`: fails when the comparison is true. Latencies in ms, rates in rows/s, cpu in percent. */
export interface Threshold {
  readonly metric: (typeof THRESHOLD_METRICS)[number];
  readonly operator: (typeof THRESHOLD_OPERATORS)[number];
  readonly value: number;
  /** As it was written. */
  readonly text: string;
}

/** Where to, without credentials. */
export interface TargetPlan {
  /** `embedded` starts the sandbox for this run; its URL is known only then. */
  readonly kind: 'urls' | 'embedded';
  /** Origins (`http://db-1:4200`), in the order given; empty for `embedded`. */
  readonly nodes: readonly string[];
  /** Other nodes of the cluster are looked for and used as well. */
  readonly discover: boolean;
  /** Where every node speaks the PostgreSQL protocol. */
  readonly pgPort: number;
  readonly username: string | null;
  readonly tls: {
    readonly verify: boolean;
    readonly caCertFile: string | null;
    /** Trust what this machine's own store trusts, too. */
    readonly systemCa: boolean;
    readonly certFile: string | null;
    readonly keyFile: string | null;
  };
}

/** Where the schema of a run's rows came from. */
export type SchemaSource =
  | { readonly kind: 'preset'; readonly name: string }
  /** `file` is a schema file, `ddl` one with a CREATE TABLE statement; the path is as it was written. */
  | { readonly kind: 'file' | 'ddl'; readonly path: string }
  /** `shape` takes the table's distributions too, `copyValues` its common values. */
  | {
      readonly kind: 'like';
      readonly table: TableName;
      readonly shape: boolean;
      readonly copyValues: boolean;
    };

export interface TablePlan {
  readonly name: TableName;
  readonly source: SchemaSource;
  /** What the source came to: nothing after this needs the file or the server again. */
  readonly schema: TableSchema;
  /** Its share of the run's batches, beside the other tables' weights: above 0, at most three decimals. */
  readonly weight: number;
  readonly create: boolean;
  readonly recreate: boolean;
  /** Null: the server's default. */
  readonly shards: number | null;
  readonly replicas: string | null;
  /** Whether a table that is created gets the primary key over (run_id, seq). */
  readonly key: boolean;
}

export interface LoadPlan {
  readonly procs: number;
  readonly batchSize: number;
  readonly inFlight: number;
  readonly batchIntervalMs: number;
  /** Rows per second over all processes; null is the closed loop. */
  readonly rowsPerSecond: number | null;
  readonly rampUpMs: number;
  readonly warmUpMs: number;
  /** How rows are sent. */
  readonly insertPath: InsertPath;
  readonly compression: Compression;
  readonly generator: GeneratorChoice;
  readonly maxBodyBytes: number;
}

/** How full a disk of the cluster may get: as its own high watermark says, a share of 0 to 1, or nobody looks. */
export type DiskGuard =
  | { readonly kind: 'watermark' }
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'off' };

export interface SafetyPlan {
  readonly timeoutMs: number;
  readonly retries: number;
  readonly drainTimeoutMs: number;
  readonly outageTimeoutMs: number;
  readonly blockTimeoutMs: number;
  readonly maxFailed: Tolerance;
  /** Only a spelled-out tolerance stops the run when passed. */
  readonly stopsAtMaxFailed: boolean;
  /** Body bytes over all machines that may be sent, sent again included; null for no budget. */
  readonly maxBytes: number | null;
  readonly stopAtDisk: DiskGuard;
  /** `--yes`: what a run would rather be told twice has been told twice. */
  readonly isConfirmed: boolean;
}

/** `ceiling` is a run into a target that discards, to see what the client can do. */
export type RunCommandName = 'cluster' | 'single' | 'ceiling';

export interface RunPlan {
  readonly command: RunCommandName;
  readonly runId: string;
  readonly seed: number;
  readonly timeOriginMs: number;
  readonly target: TargetPlan;
  readonly table: TablePlan;
  /** Further tables that the same run fills; most runs have none. */
  readonly also: readonly TablePlan[];
  /** At least one bound is set; the first reached ends the run. Rows are those of all machines. */
  readonly bounds: { readonly rows: number | null; readonly durationMs: number | null };
  readonly load: LoadPlan;
  readonly safety: SafetyPlan;
  /** This machine is `index` (1..count) of `count`. */
  readonly machine: { readonly index: number; readonly count: number };
  /** Wall-clock ms at which the workers begin, or null for as soon as they are ready. */
  readonly startAtMs: number | null;
  readonly failOn: readonly Threshold[];
  readonly verify: VerifyMethod;
}

/** A plan whose schema may still have to be read from the target. */
export type DraftPlan = Omit<RunPlan, 'table'> & {
  readonly table: Omit<TablePlan, 'schema'> & { readonly schema: TableSchema | null };
};

/** All tables of a run in their order, the main one first. */
export function tablesOf({ table, also }: Pick<RunPlan, 'table' | 'also'>): readonly TablePlan[] {
  return [table, ...also];
}

/** What opens the target: kept apart from the plan, passed to workers by IPC only, never written anywhere. */
export interface TargetAccess {
  readonly nodes: readonly string[];
  /** Where each of them takes PostgreSQL connections. */
  readonly pgPorts: readonly number[];
  readonly username: string | null;
  readonly password: string | null;
  /** A JSON Web Token in the place of user and password: it names its user itself. */
  readonly token: string | null;
  readonly tls: {
    readonly verify: boolean;
    /** PEM texts, already read. */
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
  };
}
