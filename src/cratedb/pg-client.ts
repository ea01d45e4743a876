/**
 * Inserts over the PostgreSQL wire: the same port as the HTTP client's, with sessions that are kept between
 * batches. Everything that can go wrong comes back as a value. Loaded only by a run that takes this way.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { formatDuration } from '../base/units.ts';
import type { TargetAccess } from '../plan/run-plan.ts';
import { type Condition, meaningOfBroken } from './classes.ts';
import { type InsertClient, type InsertRequest, cleanerOf } from './client.ts';
import type { NodeGreeting } from './greeting.ts';
import { withBlock } from './missing-rows.ts';
import type { AttemptOutcome, FailureClass } from './outcome.ts';
import { meaningOfState, readPgReply } from './pg-reply.ts';
import { PgRefusal, type PgSession, openPgSession, reasonOf } from './pg-session.ts';
import { exampleOf, unanswered } from './reply.ts';

export interface PgClient extends InsertClient {
  /** Logs in; only `GET /` tells names and version. Never rejects; gives up after `timeoutMs`. */
  greet(
    node: number,
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal | null },
  ): Promise<NodeGreeting>;
}

/** Makes a client; sessions are opened when they are needed. */
export function createPgClient(access: TargetAccess, clock: Clock = systemClock): PgClient {
  return new Client(access, clock);
}

const ROOT_TIMEOUT_MS = 5_000;

type Cut = 'timeout' | 'aborted';

class Client implements PgClient {
  readonly #access: TargetAccess;
  readonly #clock: Clock;
  readonly #clean: (text: string) => string;
  /** Per node, those that wait for work; the last used first. */
  readonly #idle: readonly PgSession[][];
  readonly #open = new Set<PgSession>();

  constructor(access: TargetAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
    this.#clean = cleanerOf(access);
    this.#idle = access.nodes.map(() => []);
  }

  async insert(node: number, body: Uint8Array, request: InsertRequest): Promise<AttemptOutcome> {
    const deadline = this.#deadline(request.timeoutMs, request.signal);
    let session: PgSession | null = null;
    let handedOverAtMs: number | null = null;
    try {
      session = await this.#session(node, deadline.signal);
      const cut = session;
      deadline.onCut((why) => cut.destroy(why));
      await session.prepare(request.form);
      request.onHandedOver();
      handedOverAtMs = this.#clock.monotonicMs();
      const reply = await session.exchange(body, request.rows);
      const serviceTimeUs = Math.round((this.#clock.monotonicMs() - handedOverAtMs) * 1000);
      const facts = { rows: request.rows, keyed: request.keyed, clean: this.#clean };
      const reading = await withBlock(readPgReply(reply, facts), request, (statement) =>
        cut.hasRow(statement),
      );
      // A statement that was prepared for a table which is gone stays wrong.
      if (reading.condition === 'good') this.#idle[node]?.push(session);
      else this.#end(session);
      return {
        ...reading,
        handedOver: true,
        serviceTimeUs,
        serverTimeUs: null,
        replyBytes: reply.bytes,
        retryAfterMs: null,
      };
    } catch (error) {
      if (session !== null) this.#end(session);
      return this.#broken(node, error, { request, handedOver: handedOverAtMs !== null, cut: deadline.cut() });
    } finally {
      deadline.over();
    }
  }

  async greet(
    node: number,
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal | null },
  ): Promise<NodeGreeting> {
    const deadline = this.#deadline(options.timeoutMs ?? ROOT_TIMEOUT_MS, options.signal ?? null);
    try {
      this.#idle[node]?.push(await this.#session(node, deadline.signal));
      return { ok: true, version: '', clusterName: '', name: '', kind: 'cratedb' };
    } catch (error) {
      const message = exampleOf(`${this.#place(node)}: ${messageOf(error)}`, this.#clean);
      return { ok: false, ...meaningOf(error, false, deadline.cut()), message };
    } finally {
      deadline.over();
    }
  }

  async destroy(): Promise<void> {
    for (const session of this.#open) session.destroy(new Error('given up before its reply was complete'));
    this.#open.clear();
  }

  async #session(node: number, signal: AbortSignal): Promise<PgSession> {
    const idle = this.#idle[node] ?? [];
    for (let session = idle.pop(); session !== undefined; session = idle.pop()) {
      if (session.isOpen) return session;
      this.#open.delete(session);
    }
    const session = await openPgSession(node, this.#access, signal);
    this.#open.add(session);
    return session;
  }

  #end(session: PgSession): void {
    session.destroy(new Error('not used any more'));
    this.#open.delete(session);
  }

  /** Cuts an attempt after its time or when it is given up, whichever comes first. */
  #deadline(timeoutMs: number, given: AbortSignal | null) {
    const cutting = new AbortController();
    const over = new AbortController();
    let cut: Cut | null = null;
    const cutFor = (why: Cut, error: Error): void => {
      if (over.signal.aborted) return;
      cut ??= why;
      cutting.abort(error);
    };
    const abort = (): void => cutFor('aborted', new Error('given up before its reply was complete'));
    void this.#clock
      .sleep(timeoutMs, over.signal)
      .then(() => cutFor('timeout', new Error(`no complete reply within ${formatDuration(timeoutMs)}`)));
    given?.addEventListener('abort', abort);
    if (given?.aborted === true) abort();
    return {
      signal: cutting.signal,
      cut: () => cut,
      onCut: (act: (why: Error) => void): void =>
        cutting.signal.addEventListener('abort', () => act(reasonOf(cutting.signal)), { once: true }),
      over: (): void => {
        over.abort('over');
        given?.removeEventListener('abort', abort);
      },
    };
  }

  #broken(
    node: number,
    error: unknown,
    { request, handedOver, cut }: { request: InsertRequest; handedOver: boolean; cut: Cut | null },
  ): AttemptOutcome {
    const { class: name, condition } = meaningOf(error, handedOver, cut);
    const example = exampleOf(`${this.#place(node)}: ${messageOf(error)}`, this.#clean);
    return unanswered(request.rows, handedOver, { class: name, code: null, example, condition });
  }

  #place(node: number): string {
    const { nodes, pgPorts } = this.#access;
    return `${URL.parse(nodes[node] ?? '')?.hostname ?? ''}:${pgPorts[node] ?? ''}`;
  }
}

function meaningOf(
  error: unknown,
  handedOver: boolean,
  cut: Cut | null,
): { class: FailureClass; condition: Condition } {
  if (cut === 'aborted') return { class: handedOver ? 'aborted' : 'notSent', condition: 'troubled' };
  // Not even a session within the whole deadline.
  if (cut === 'timeout')
    return handedOver
      ? { class: 'timeout', condition: 'troubled' }
      : { class: 'notSent', condition: 'unreachable' };
  if (!(error instanceof PgRefusal)) return meaningOfBroken(error, handedOver);
  const [name, , condition] = meaningOfState(error.code);
  return { class: name, condition };
}
