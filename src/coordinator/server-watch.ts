/**
 * Asks the cluster about its own load every two seconds, on a connection of its own and one statement at a time, so
 * that it is never in the way of the run. What the user may not see, or this version does not have, is said once.
 */
import type { Clock } from '../base/clock.ts';
import type { TableName } from '../base/sql.ts';
import type { TargetKind } from '../base/target-kind.ts';
import type { Answer, Rows } from '../cratedb/ask.ts';
import type { CrateClient } from '../cratedb/client.ts';
import type { QueryFailure } from '../cratedb/query-reply.ts';
import {
  type InsertCounts,
  type NodeReading,
  type TelemetryStatement,
  TELEMETRY_STATEMENTS,
  askTelemetry,
  missingColumn,
  readHealth,
  readInserts,
  readNodes,
  readTranslog,
} from '../cratedb/telemetry.ts';
import { maxOfKnown, meanOfKnown } from '../metrics/measured.ts';
import { type Series, createSeries } from '../metrics/series.ts';
import type { ServerNode, ServerNodeSample, ServerSample, ServerTelemetry } from '../metrics/telemetry.ts';
import type { ServerView } from './run-state.ts';

const ASK_EVERY_MS = 2000;
/** A server under load takes its time; what comes later than this is of no use for the moment it was asked for. */
const ASK_TIMEOUT_MS = 4000;
/** 40 minutes at full resolution; longer runs merge neighbours. */
const MAX_SAMPLES = 1200;

export interface ServerWatchParts {
  readonly client: CrateClient;
  readonly clock: Clock;
  readonly table: TableName;
  /** Stand-ins have no shards to tell of. */
  readonly kind: TargetKind;
  /** Milliseconds since the workers' common start; 0 before it. */
  readonly elapsedMs: () => number;
  /** Called once, with one line, when something cannot be had. */
  readonly onNote: (message: string) => void;
}

export interface ServerWatch {
  /** Asks until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  view(): ServerView;
  telemetry(): ServerTelemetry;
}

export function createServerWatch(parts: ServerWatchParts): ServerWatch {
  return new Watch(parts);
}

/** Why a statement is not asked any more. */
type Refusal = { readonly statement: TelemetryStatement; readonly why: string };

class Watch implements ServerWatch {
  readonly #parts: ServerWatchParts;
  readonly #series: Series<ServerSample> = createSeries(MAX_SAMPLES, mergeSamples);
  readonly #nodes: ServerNode[] = [];
  readonly #without = new Set<string>();
  readonly #refused: Refusal[] = [];
  #asked: readonly TelemetryStatement[];
  #latest: ServerSample | null = null;
  #before: { readonly inserts: InsertCounts; readonly atMs: number } | null = null;
  #queries = 0;
  #answeredMs = 0;
  #answers = 0;
  #note = '';

  constructor(parts: ServerWatchParts) {
    this.#parts = parts;
    this.#asked = TELEMETRY_STATEMENTS.filter(({ name }) => parts.kind === 'cratedb' || name !== 'shards');
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted && this.#asked.length > 0) {
      const beganMs = clock.monotonicMs();
      await this.#sample(signal);
      await clock.sleep(Math.max(0, ASK_EVERY_MS - (clock.monotonicMs() - beganMs)), signal);
    }
  }

  view(): ServerView {
    return { nodes: this.#nodes, latest: this.#latest, note: this.#noteText() };
  }

  telemetry(): ServerTelemetry {
    return {
      nodes: [...this.#nodes],
      samples: this.#series.points(),
      overhead: {
        queries: this.#queries,
        meanMs: this.#answers === 0 ? null : this.#answeredMs / this.#answers,
      },
      note: this.#noteText(),
    };
  }

  /** One round: the statements one after the other, each for itself. */
  async #sample(signal: AbortSignal): Promise<void> {
    const answers = new Map<TelemetryStatement['name'], Rows>();
    let nodesAtMs = this.#parts.elapsedMs();
    for (const statement of this.#asked) {
      const answer = await this.#ask(statement, signal);
      if (signal.aborted) return;
      if (answer.ok) answers.set(statement.name, answer.value);
      else this.#failed(statement, answer);
      if (statement.name === 'nodes') nodesAtMs = this.#parts.elapsedMs();
    }
    this.#say();
    if (answers.size > 0) this.#take(answers, nodesAtMs);
  }

  async #ask(statement: TelemetryStatement, signal: AbortSignal): Promise<Answer<Rows>> {
    const { client, clock, table } = this.#parts;
    const beganMs = clock.monotonicMs();
    this.#queries += 1;
    const answer = await askTelemetry(client, statement, table, {
      timeoutMs: ASK_TIMEOUT_MS,
      signal,
      without: this.#without,
    });
    if (answer.ok) {
      this.#answers += 1;
      this.#answeredMs += clock.monotonicMs() - beganMs;
    }
    return answer;
  }

  /** A column or a table that is not there for us will not come; anything else may be better in two seconds. */
  #failed(statement: TelemetryStatement, failure: QueryFailure): void {
    const column = missingColumn(statement, failure);
    if (column !== null) this.#without.add(column);
    else if (isRefusal(failure)) {
      this.#refused.push({ statement, why: failure.message });
      this.#asked = this.#asked.filter((each) => each !== statement);
    }
  }

  #say(): void {
    const note = this.#noteText();
    if (note === this.#note) return;
    const isFirst = this.#note === '';
    this.#note = note;
    if (isFirst) this.#parts.onNote(note);
  }

  #noteText(): string {
    const [first] = this.#refused;
    const tables = this.#refused.map(({ statement }) => statement.table).join(', ');
    return [
      ...(first === undefined
        ? []
        : [`${tables} cannot be read (${first.why}): GRANT DQL ON SCHEMA sys would let it`]),
      ...(this.#without.size === 0 ? [] : [`this version has no ${[...this.#without].join(', ')}`]),
    ].join('; ');
  }

  #take(answers: ReadonlyMap<TelemetryStatement['name'], Rows>, tMs: number): void {
    const rowsOf = (name: TelemetryStatement['name']): Rows => answers.get(name) ?? [];
    const sample: ServerSample = {
      tMs: Math.round(tMs),
      nodes: readNodes(rowsOf('nodes')).map((reading) => this.#nodeSample(reading)),
      ...this.#insertRates(readInserts(rowsOf('inserts')), tMs),
      translogBytes: readTranslog(rowsOf('shards')),
      // CrateDB tells of its breakers over JMX only; what they refused is among the errors of the run.
      breakerTrips: null,
      health: readHealth(rowsOf('health')),
    };
    this.#latest = sample;
    this.#series.offer(sample);
  }

  /** A node keeps its number for the run, also when it was away in between. */
  #nodeSample({ node, sample }: NodeReading): ServerNodeSample {
    let index = this.#nodes.findIndex(({ name }) => name === node.name);
    if (index === -1) index = this.#nodes.push(node) - 1;
    return { node: index, ...sample };
  }

  #insertRates(
    inserts: InsertCounts | null,
    atMs: number,
  ): Pick<ServerSample, 'insertsPerSecond' | 'insertMeanMs'> {
    const before = this.#before;
    if (inserts !== null) this.#before = { inserts, atMs };
    if (inserts === null || before === null || atMs <= before.atMs)
      return { insertsPerSecond: null, insertMeanMs: null };
    const [count, durationMs] = [
      inserts.total - before.inserts.total,
      inserts.durationMs - before.inserts.durationMs,
    ];
    // A node that restarted counts from 0 again.
    if (count < 0 || durationMs < 0) return { insertsPerSecond: null, insertMeanMs: null };
    return {
      insertsPerSecond: (count / (atMs - before.atMs)) * 1000,
      insertMeanMs: count === 0 ? null : durationMs / count,
    };
  }
}

/** What it says to a user without the privilege, to whom schema and table do not exist. */
function isRefusal({ class: kind, code }: QueryFailure): boolean {
  return kind === 'unauthorized' || code === 4041 || code === 4045 || code === 4011;
}

/** Of two neighbours the later, with the fuller queue and the mean of their CPU: peaks and load both stay true. */
function mergeSamples(earlier: ServerSample, later: ServerSample): ServerSample {
  return {
    ...later,
    nodes: later.nodes.map((sample) => {
      const before = earlier.nodes.find(({ node }) => node === sample.node);
      if (before === undefined) return sample;
      return {
        ...sample,
        cpuPercent: meanOfKnown([before.cpuPercent, sample.cpuPercent]),
        writeActive: maxOfKnown([before.writeActive, sample.writeActive]),
        writeQueue: maxOfKnown([before.writeQueue, sample.writeQueue]),
      };
    }),
    insertsPerSecond: meanOfKnown([earlier.insertsPerSecond, later.insertsPerSecond]),
    insertMeanMs: meanOfKnown([earlier.insertMeanMs, later.insertMeanMs]),
  };
}
