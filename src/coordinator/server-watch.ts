/**
 * Asks the cluster about its own load every two seconds, on a connection of its own and one statement at a time, so
 * that it is never in the way of the run. What the user may not see, or this version does not have, is said once.
 */
import type { Clock } from '../base/clock.ts';
import { type TableName, grantOn } from '../base/sql.ts';
import type { TargetKind } from '../base/target-kind.ts';
import type { Answer, Rows } from '../cratedb/ask.ts';
import type { CrateClient } from '../cratedb/client.ts';
import type { QueryFailure } from '../cratedb/query-reply.ts';
import {
  type InsertCounts,
  type LeftOut,
  type NodeReading,
  type TelemetryAnswers,
  type TelemetryQuestion,
  TELEMETRY_QUESTIONS,
  answersTogether,
  askTelemetry,
  harmfulColumns,
  insertsBetween,
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
/** A question whose time is up twice in a row holds up the others: it is left out for so many rounds. */
const REST_ROUNDS = 5;
/** So often in vain, and it is said. */
const FAILURES_TO_TELL = 3;
/** So many answers without a single INSERT, and it is said. */
const ANSWERS_TO_TELL = 5;
/** 40 minutes at full resolution; longer runs merge neighbours. */
const MAX_SAMPLES = 1200;

/** Stand-ins have no shards to tell of, and one that discards nothing but its own load. */
const ASKED_OF: Readonly<Record<TargetKind, readonly TelemetryQuestion['name'][]>> = {
  cratedb: ['nodes', 'inserts', 'shards', 'health'],
  sandbox: ['nodes', 'inserts', 'health'],
  discard: ['nodes'],
};

export interface ServerWatchParts {
  readonly client: CrateClient;
  readonly clock: Clock;
  readonly table: TableName;
  /** Who asks; null where nobody is named. */
  readonly user: string | null;
  readonly kind: TargetKind;
  /** Of the target, as far as it is known; decides how it is asked. */
  readonly version: string | null;
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

/** How it stands with one question. */
interface Asked {
  readonly question: TelemetryQuestion;
  /** The server's words when it may not be asked at all, else null. */
  refused: string | null;
  answers: number;
  /** Since the last answer. */
  failures: number;
  /** Why it was not answered last, or ''. */
  failure: string;
  /** Rounds in which it is left out. */
  rests: number;
}

/** What one round brought, and when the nodes had told of themselves. */
interface Round {
  readonly answers: TelemetryAnswers;
  readonly nodesAtMs: number;
}

class Watch implements ServerWatch {
  readonly #parts: ServerWatchParts;
  readonly #series: Series<ServerSample> = createSeries(MAX_SAMPLES, mergeSamples);
  readonly #asked: readonly Asked[];
  /** Each with the id by which it is known again. */
  readonly #nodes: { readonly id: string; node: ServerNode }[] = [];
  readonly #leftOut: LeftOut[] = [];
  readonly #said = new Set<string>();
  /** Rounds in which the questions are asked one by one. */
  #roundsApart: number;
  #latest: ServerSample | null = null;
  #before: { readonly inserts: ReadonlyMap<string, InsertCounts>; readonly atMs: number } | null = null;
  #queries = 0;
  #answeredMs = 0;
  #answers = 0;
  #notes: readonly string[] = [];

  constructor(parts: ServerWatchParts) {
    this.#parts = parts;
    this.#roundsApart = parts.kind === 'cratedb' && answersTogether(parts.version) ? 0 : Infinity;
    this.#asked = TELEMETRY_QUESTIONS.filter(({ name }) => ASKED_OF[parts.kind].includes(name)).map(
      (question) => ({ question, refused: null, answers: 0, failures: 0, failure: '', rests: 0 }),
    );
    if (parts.version !== null) this.#leaveOut(harmfulColumns(parts.version));
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted && this.#asked.some(({ refused }) => refused === null)) {
      const beganMs = clock.monotonicMs();
      await this.#sample(signal);
      await clock.sleep(Math.max(0, ASK_EVERY_MS - (clock.monotonicMs() - beganMs)), signal);
    }
  }

  view(): ServerView {
    return { nodes: this.#nodes.map(({ node }) => node), latest: this.#latest, note: this.#notes.join('; ') };
  }

  telemetry(): ServerTelemetry {
    return {
      nodes: this.#nodes.map(({ node }) => node),
      samples: this.#series.points(),
      overhead: {
        queries: this.#queries,
        meanMs: this.#answers === 0 ? null : this.#answeredMs / this.#answers,
      },
      note: this.#notes.join('; '),
    };
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const { answers, nodesAtMs } = await this.#askRound(this.#due(), signal);
    if (signal.aborted) return;
    if (answers.size > 0) this.#take(answers, nodesAtMs);
    this.#tell();
  }

  /** The questions of the next round. */
  #due(): readonly Asked[] {
    const due = this.#asked.filter(({ refused, rests }) => refused === null && rests === 0);
    for (const each of this.#asked) each.rests = Math.max(0, each.rests - 1);
    return due;
  }

  /** All questions as one, and where that is not answered one after the other, each for itself. */
  async #askRound(asked: readonly Asked[], signal: AbortSignal): Promise<Round> {
    const isApart = this.#roundsApart > 0 || asked.length < 2;
    this.#roundsApart = Math.max(0, this.#roundsApart - 1);
    if (isApart) return await this.#askEach(asked, signal);
    const together = await this.#ask(asked, signal);
    if (together.ok) return { answers: together.value, nodesAtMs: this.#parts.elapsedMs() };
    for (const each of asked) noteFailure(each, together);
    const round = await this.#askEach(asked, signal);
    // Each is answered and all together are not: the server has no time for it now, or does not take it at all.
    if (round.answers.size === asked.length)
      this.#roundsApart = together.code === null ? REST_ROUNDS : Infinity;
    return round;
  }

  async #askEach(asked: readonly Asked[], signal: AbortSignal): Promise<Round> {
    const answers = new Map<TelemetryQuestion['name'], Rows>();
    let nodesAtMs = this.#parts.elapsedMs();
    for (const each of asked) {
      const answer = await this.#ask([each], signal);
      if (signal.aborted) break;
      if (each.question.name === 'nodes') nodesAtMs = this.#parts.elapsedMs();
      if (answer.ok) for (const [name, rows] of answer.value) answers.set(name, rows);
      else this.#failed(each, answer);
      // Nobody is there to answer the others either.
      if (!answer.ok && !answer.handedOver) break;
    }
    return { answers, nodesAtMs };
  }

  async #ask(asked: readonly Asked[], signal: AbortSignal): Promise<Answer<TelemetryAnswers>> {
    const { client, clock, table } = this.#parts;
    const beganMs = clock.monotonicMs();
    this.#queries += 1;
    const answer = await askTelemetry(
      client,
      asked.map(({ question }) => question),
      table,
      { timeoutMs: ASK_TIMEOUT_MS, signal, without: new Set(this.#leftOut.map(({ column }) => column)) },
    );
    if (!answer.ok) return answer;
    this.#answers += 1;
    this.#answeredMs += clock.monotonicMs() - beganMs;
    for (const each of asked) {
      each.answers += 1;
      each.failures = 0;
    }
    return answer;
  }

  /** A column or a table that is not there for us will not come; anything else may be better in a while. */
  #failed(asked: Asked, failure: QueryFailure): void {
    const column = missingColumn(asked.question, failure);
    if (column !== null) return this.#leaveOut([{ column, why: 'this version does not have it' }]);
    if (isRefusal(failure)) asked.refused = failure.message;
    noteFailure(asked, failure);
    if (failure.class === 'timeout' && asked.failures > 1) asked.rests = REST_ROUNDS;
  }

  #leaveOut(columns: readonly LeftOut[]): void {
    for (const each of columns)
      if (!this.#leftOut.some(({ column }) => column === each.column)) this.#leftOut.push(each);
  }

  /** Each sentence is told once, when it has become true. */
  #tell(): void {
    this.#notes = this.#sentences();
    const news = this.#notes.filter((sentence) => !this.#said.has(sentence));
    for (const sentence of news) this.#said.add(sentence);
    if (news.length > 0) this.#parts.onNote(news.join('; '));
  }

  #sentences(): string[] {
    const refused = this.#asked.filter((each) => each.refused !== null);
    const tables = refused.map(({ question }) => question.table).join(', ');
    return [
      ...(refused.length === 0
        ? []
        : [
            `${tables} cannot be read (${refused[0]?.refused}): ${grantOn('sys', 'DQL', this.#parts.user)} would let it`,
          ]),
      ...this.#leftOut.map(({ column, why }) => `${column} is not measured, because ${why}`),
      ...this.#asked
        .filter((each) => each.refused === null && each.answers === 0 && each.failures >= FAILURES_TO_TELL)
        .map(({ question, failure }) => `${question.table} has not answered (${failure})`),
      ...(this.#countsNothing()
        ? ['sys.jobs_metrics has counted no INSERT so far; with stats.enabled = false it never does']
        : []),
    ];
  }

  /** With its statistics switched off CrateDB answers, but without any row. */
  #countsNothing(): boolean {
    const inserts = this.#asked.find(({ question }) => question.name === 'inserts');
    return this.#before === null && inserts !== undefined && inserts.answers >= ANSWERS_TO_TELL;
  }

  #take(answers: TelemetryAnswers, tMs: number): void {
    const rowsOf = (name: TelemetryQuestion['name']): Rows => answers.get(name) ?? [];
    const sample: ServerSample = {
      tMs: Math.round(tMs),
      nodes: readNodes(rowsOf('nodes')).map((reading) => this.#nodeSample(reading)),
      ...this.#insertRates(readInserts(rowsOf('inserts')), tMs),
      translogBytes: readTranslog(rowsOf('shards')),
      health: readHealth(rowsOf('health')),
    };
    this.#latest = sample;
    this.#series.offer(sample);
  }

  /** A node keeps its number for the run, also when it was away in between or comes back under another name. */
  #nodeSample({ id, node, sample }: NodeReading): ServerNodeSample {
    if (node.version !== null) this.#leaveOut(harmfulColumns(node.version));
    const index = this.#nodes.findIndex((known) => known.id === id);
    const known = this.#nodes[index];
    if (known === undefined) return { node: this.#nodes.push({ id, node }) - 1, ...sample };
    // A node that hangs has only its name to tell.
    if (node.version !== null) known.node = node;
    return { node: index, ...sample };
  }

  #insertRates(
    inserts: ReadonlyMap<string, InsertCounts>,
    atMs: number,
  ): Pick<ServerSample, 'insertsPerSecond' | 'insertMeanMs'> {
    const before = this.#before;
    if (inserts.size > 0) this.#before = { inserts, atMs };
    const grown = before === null || atMs <= before.atMs ? null : insertsBetween(before.inserts, inserts);
    if (before === null || grown === null) return { insertsPerSecond: null, insertMeanMs: null };
    return {
      insertsPerSecond: (grown.total / (atMs - before.atMs)) * 1000,
      insertMeanMs: grown.total === 0 ? null : grown.durationMs / grown.total,
    };
  }
}

function noteFailure(asked: Asked, failure: QueryFailure): void {
  asked.failures += 1;
  asked.failure = failure.message;
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
