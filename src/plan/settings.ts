/**
 * The table of settings: every flag of the run commands, once. The command line makes its flags from it, the
 * config file its keys, so that neither can know a setting that the other does not.
 */

/** `text` takes one value, `list` one per mention, `switch` none. */
export type SettingKind = 'text' | 'list' | 'switch';

export type SettingGroup = 'target' | 'what' | 'how much' | 'how fast' | 'safety' | 'identity' | 'output';

export interface Setting {
  readonly name: string;
  readonly kind: SettingKind;
  readonly group: SettingGroup;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly summary: string;
  /** `--no-NAME` exists. */
  readonly negatable?: true;
  /** Not taken from a config file: it destroys, or it names what only this invocation has. */
  readonly commandLineOnly?: true;
  /** Known, but left out of the help. */
  readonly hidden?: true;
  /** Only this command has it. */
  readonly only?: 'cluster' | 'single';
}

/** A value before it is understood: what oclif or the config file gave. */
export type RawValue = string | boolean | readonly string[];

/** Settings by name. A Map, so that no key of a hostile file is ever a property of an object. */
export type RawSettings = ReadonlyMap<string, RawValue>;

const TARGET: readonly Setting[] = [
  {
    name: 'url',
    kind: 'list',
    group: 'target',
    value: 'URL',
    summary:
      'A node: http(s)://host:4200, crate://host:4200?ssl=true or host:port; repeat it for more nodes, all are used evenly (http://localhost:4200) [env: CRATEDB_CLUSTER_URL, CRATE_HOST, CRATE_PORT, CRATE_SSL]',
  },
  {
    name: 'username',
    kind: 'text',
    group: 'target',
    value: 'NAME',
    summary: 'User [env: CRATEDB_USERNAME, CRATE_USER]',
  },
  {
    name: 'password-file',
    kind: 'text',
    group: 'target',
    value: 'FILE',
    summary:
      'File whose first line is the password [env for the password itself: CRATEDB_PASSWORD, CRATE_PASSWORD, CRATEPW]',
  },
  {
    name: 'password-stdin',
    kind: 'switch',
    group: 'target',
    summary: 'Read the password from the first line of standard input',
    commandLineOnly: true,
  },
  {
    name: 'token-file',
    kind: 'text',
    group: 'target',
    value: 'FILE',
    summary:
      'File whose first line is a JSON Web Token, in the place of user and password [env for the token itself: CRATEDB_TOKEN]',
  },
  {
    name: 'token-stdin',
    kind: 'switch',
    group: 'target',
    summary: 'Read the token from the first line of standard input',
    commandLineOnly: true,
  },
  {
    name: 'ca-cert-file',
    kind: 'text',
    group: 'target',
    value: 'FILE',
    summary: 'Certificates (PEM) to trust instead of the well-known ones',
  },
  {
    name: 'system-ca',
    kind: 'switch',
    group: 'target',
    summary: "Trust this machine's certificate store too, beside the well-known ones or --ca-cert-file",
  },
  { name: 'cert-file', kind: 'text', group: 'target', value: 'FILE', summary: 'Client certificate (PEM)' },
  {
    name: 'key-file',
    kind: 'text',
    group: 'target',
    value: 'FILE',
    summary: 'Key of the client certificate (PEM)',
  },
  {
    name: 'insecure',
    kind: 'switch',
    group: 'target',
    summary: 'Do not verify the TLS certificate: the run file keeps that you did',
  },
  {
    name: 'config',
    kind: 'text',
    group: 'target',
    value: 'FILE',
    commandLineOnly: true,
    summary: 'Settings by flag name, YAML or JSON (crategen.config.json or .yaml here)',
  },
];

const RUN: readonly Setting[] = [
  {
    name: 'sandbox',
    kind: 'switch',
    group: 'target',
    summary: 'Start an embedded CrateDB-like endpoint for this run: no server needed, nothing kept',
  },
  {
    name: 'discover',
    kind: 'switch',
    group: 'target',
    summary: 'Use the other nodes of the cluster too: those that sys.nodes lists and that answer',
  },
  {
    name: 'pg-port',
    kind: 'text',
    group: 'target',
    value: 'PORT',
    summary: 'Where every node takes PostgreSQL connections, for --insert-path pg (5432)',
  },
  {
    name: 'preset',
    kind: 'text',
    group: 'what',
    value: 'NAME',
    summary: 'Rows of a built-in schema (records); see crategen schema list',
  },
  {
    name: 'schema',
    kind: 'text',
    group: 'what',
    value: 'FILE',
    summary: 'Rows of a schema file, YAML or JSON: see crategen schema show FILE',
  },
  {
    name: 'like',
    kind: 'text',
    group: 'what',
    value: 'SCHEMA.TABLE',
    summary:
      'Rows that fit an existing table; they go to crategen.TABLE, or with --table into that one itself',
  },
  {
    name: 'shape',
    kind: 'switch',
    group: 'what',
    summary:
      'With --like: null shares, distinct counts, ranks and histograms of the table too, but not its values',
  },
  {
    name: 'copy-values',
    kind: 'switch',
    group: 'what',
    summary: 'With --shape: its most common values and exact bounds as they are',
    commandLineOnly: true,
  },
  {
    name: 'ddl',
    kind: 'text',
    group: 'what',
    value: 'FILE',
    summary: 'Rows that fit the CREATE TABLE statement in a file; they go to crategen.TABLE',
  },
  {
    name: 'table',
    kind: 'text',
    group: 'what',
    value: 'SCHEMA.TABLE',
    summary: "Where the rows go (crategen.<preset>, or the schema file's)",
  },
  {
    name: 'also',
    kind: 'list',
    group: 'what',
    value: 'NAME[@SCHEMA.TABLE][=WEIGHT]',
    summary:
      'Fill a further table in the same run: a preset or a file .yaml, .json or .sql, with its share of the batches, as metrics=3; repeatable',
  },
  {
    name: 'weight',
    kind: 'text',
    group: 'what',
    value: 'N',
    summary: "With --also: the main table's share of the batches (1)",
  },
  {
    name: 'create',
    kind: 'switch',
    group: 'what',
    negatable: true,
    summary: 'Create the table if it is missing (yes); --no-create expects it',
  },
  {
    name: 'recreate',
    kind: 'switch',
    group: 'what',
    commandLineOnly: true,
    summary: 'DROP the table first; outside the schema crategen this also wants --yes-drop',
  },
  {
    name: 'yes-drop',
    kind: 'text',
    group: 'what',
    value: 'SCHEMA.TABLE',
    commandLineOnly: true,
    summary: 'The name of the table that --recreate drops, spelled out',
  },
  {
    name: 'shards',
    kind: 'text',
    group: 'what',
    value: 'N',
    summary: "Shards of a table that is created (the server's default, printed)",
  },
  {
    name: 'replicas',
    kind: 'text',
    group: 'what',
    value: 'N|N-M|N-all',
    summary: "Replicas of a table that is created (the server's default, printed)",
  },
  {
    name: 'key',
    kind: 'switch',
    group: 'what',
    negatable: true,
    summary: 'Primary key over (run_id, seq) in a table that is created (yes): a resend is then exact',
  },
  {
    name: 'time-origin',
    kind: 'text',
    group: 'what',
    value: 'TIME',
    summary: 'Where time in the rows starts, as 2026-11-24T10:00:00Z (now, cut to the hour)',
  },
  {
    name: 'rows',
    kind: 'text',
    group: 'how much',
    value: 'N',
    summary: "The run's total, as 250k, 10m, 1.5g (cluster 1m, single 10k, unless --duration is given)",
  },
  {
    name: 'duration',
    kind: 'text',
    group: 'how much',
    value: 'TIME',
    summary: 'Stop offering after this time, as 30s, 5m, 1.5h; with --rows the first reached ends',
  },
  {
    name: 'repeat',
    kind: 'text',
    group: 'how much',
    value: 'N',
    only: 'cluster',
    commandLineOnly: true,
    summary:
      'Make N runs of this plan, each with a run id and run file of its own, and end with what they show together',
  },
  {
    name: 'procs',
    kind: 'text',
    group: 'how fast',
    value: 'N',
    only: 'cluster',
    summary: 'Worker processes (one per core that this container may use)',
  },
  {
    name: 'batch-size',
    kind: 'text',
    group: 'how fast',
    value: 'ROWS',
    summary: 'Rows per request (1000; 10 with --insert-path values)',
  },
  {
    name: 'in-flight',
    kind: 'text',
    group: 'how fast',
    value: 'N',
    summary: 'Requests in flight per process (4)',
  },
  {
    name: 'batch-interval',
    kind: 'text',
    group: 'how fast',
    value: 'TIME',
    summary: 'Pause after each reply, per request slot (0)',
  },
  {
    name: 'rate',
    kind: 'text',
    group: 'how fast',
    value: 'ROWS/S',
    summary:
      'Rows per second over all processes, on a schedule that does not wait for the server (as fast as it goes)',
  },
  {
    name: 'ramp-up',
    kind: 'text',
    group: 'how fast',
    value: 'TIME',
    summary: 'Reach the full rate, or all slots, linearly over this time (0)',
  },
  {
    name: 'warm-up',
    kind: 'text',
    group: 'how fast',
    value: 'TIME',
    summary: 'Leave the first rows out of throughput and latency; they stay in the ledger (0)',
  },
  {
    name: 'insert-path',
    kind: 'text',
    group: 'how fast',
    value: 'PATH',
    summary:
      'How rows are sent: bulk-args, unnest (columns), values (at most 10 rows a statement) or pg (the PostgreSQL wire) (bulk-args)',
  },
  {
    name: 'compress',
    kind: 'text',
    group: 'how fast',
    value: 'METHOD',
    summary: 'Request bodies: none, deflate or gzip (none)',
  },
  {
    name: 'generator',
    kind: 'text',
    group: 'how fast',
    value: 'NAME',
    summary: 'What writes the rows: fast, or reference, which writes the same bytes slowly (fast)',
  },
  { name: 'max-body', kind: 'text', group: 'how fast', value: 'SIZE', summary: 'Largest request body (16m)' },
  { name: 'timeout', kind: 'text', group: 'safety', value: 'TIME', summary: 'Deadline of one request (90s)' },
  {
    name: 'retries',
    kind: 'text',
    group: 'safety',
    value: 'N',
    summary: 'Times a batch is sent again where that is safe (3)',
  },
  {
    name: 'drain-timeout',
    kind: 'text',
    group: 'safety',
    value: 'TIME',
    summary: 'How long a stop waits for requests in flight (15s)',
  },
  {
    name: 'outage-timeout',
    kind: 'text',
    group: 'safety',
    value: 'TIME',
    summary: 'How long to wait while no node takes rows (120s)',
  },
  {
    name: 'block-timeout',
    kind: 'text',
    group: 'safety',
    value: 'TIME',
    summary: 'How long to wait while the table refuses writes (60s)',
  },
  {
    name: 'max-failed',
    kind: 'text',
    group: 'safety',
    value: 'N|SHARE%',
    summary:
      'Rows that may end rejected, failed or unknown before the exit code is 4 (0); spelled out, passing it stops the run',
  },
  {
    name: 'max-bytes',
    kind: 'text',
    group: 'safety',
    value: 'SIZE',
    summary:
      'Request bodies to send at most, over all processes; the run ends there if nothing ends it sooner',
  },
  {
    name: 'stop-at-disk',
    kind: 'text',
    group: 'safety',
    value: 'PERCENT',
    summary:
      "Stop when a disk of the cluster is that full, as 80%, or off (the cluster's own high watermark, before it blocks tables)",
  },
  {
    name: 'yes',
    kind: 'switch',
    group: 'safety',
    commandLineOnly: true,
    summary:
      'Go on where a run would rather be told twice: a target that looks like production, a table with rows of others',
  },
  {
    name: 'fail-on',
    kind: 'list',
    group: 'safety',
    value: 'CONDITION',
    summary:
      'Exit 5 if true, as "p99>200ms" or "rows/s<50k"; repeatable. p50 p90 p95 p99 p999 max (response time), rows/s, rejected, failed, unknown, cpu (percent of a core, all workers)',
  },
  {
    name: 'seed',
    kind: 'text',
    group: 'identity',
    value: 'N',
    summary: 'Seed of the rows (random, printed)',
  },
  {
    name: 'run-id',
    kind: 'text',
    group: 'identity',
    value: 'ID',
    summary: 'Name of the run, in its rows too (date, time and four characters)',
  },
  {
    name: 'machine',
    kind: 'text',
    group: 'identity',
    value: 'I/N',
    summary: 'This is machine I of N, each inserting its part of the run (1/1)',
  },
  {
    name: 'start-at',
    kind: 'text',
    group: 'identity',
    value: 'TIME',
    summary: 'When the workers begin, as 2026-11-24T10:00:00Z (as soon as they are ready)',
  },
  {
    name: 'resume',
    kind: 'text',
    group: 'identity',
    value: 'RUN',
    commandLineOnly: true,
    only: 'cluster',
    summary: 'Go on with a stopped run: its id, run file or "latest"',
  },
  { name: 'out', kind: 'text', group: 'output', value: 'FILE', summary: 'Write the run file here too' },
  {
    name: 'json',
    kind: 'switch',
    group: 'output',
    summary: 'The run file on standard output, and nothing else there',
    commandLineOnly: true,
  },
  {
    name: 'live',
    kind: 'text',
    group: 'output',
    value: 'WHAT',
    summary: 'While it runs: auto, screen, lines or off (auto: screen on a terminal, else lines)',
  },
  {
    name: 'log-format',
    kind: 'text',
    group: 'output',
    value: 'FORMAT',
    summary: 'Of the lines: text or json (text)',
  },
  { name: 'quiet', kind: 'switch', group: 'output', summary: 'Only the summary' },
  {
    name: 'web',
    kind: 'switch',
    group: 'output',
    summary: 'A live page in the browser, on this host only, with /metrics for Prometheus',
  },
  {
    name: 'web-port',
    kind: 'text',
    group: 'output',
    value: 'PORT',
    summary: 'Where the live page listens, with --web or without it (a free one)',
  },
  {
    name: 'otlp-endpoint',
    kind: 'text',
    group: 'output',
    value: 'URL',
    summary:
      'Push metrics to an OpenTelemetry collector, as http://localhost:4318 [env for headers: OTEL_EXPORTER_OTLP_HEADERS]',
  },
  {
    name: 'otlp-interval',
    kind: 'text',
    group: 'output',
    value: 'TIME',
    summary: 'Between two pushes; the last one is at the end (10s)',
  },
  {
    name: 'verify',
    kind: 'text',
    group: 'output',
    value: 'METHOD',
    summary: 'Afterwards: count compares the number of rows, rows each of them, none trusts (count)',
  },
  {
    name: 'dry-run',
    kind: 'switch',
    group: 'output',
    commandLineOnly: true,
    summary: 'Print the DDL, the statement and the first rows; insert nothing',
  },
  { name: 'verbose', kind: 'switch', group: 'output', only: 'single', summary: "Print each batch's outcome" },
];

/** Where the target is and how it is opened: also taken by the commands about a finished run. */
export const TARGET_SETTINGS: readonly Setting[] = TARGET;

/** All settings of `cluster` and `single`. */
export const RUN_SETTINGS: readonly Setting[] = [...TARGET, ...RUN];

/** Names that the tool people use today has for the same thing. */
export const SETTING_ALIASES: ReadonlyMap<string, string> = new Map([
  ['processes', 'procs'],
  ['batch_size', 'batch-size'],
  ['concurrent_requests', 'in-flight'],
  ['max_rows', 'rows'],
]);

/** The settings that one command has. */
export function settingsOf(command: 'cluster' | 'single'): readonly Setting[] {
  return RUN_SETTINGS.filter((setting) => setting.only === undefined || setting.only === command);
}
