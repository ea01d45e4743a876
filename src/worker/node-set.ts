/**
 * Which node takes the next request: of the healthy ones the one with the fewest in flight, in turn where they are
 * even, so that a node that hangs holds no more than its share. One that lets nobody in, fails again and again, or
 * asks for less, rests. After its rest it is greeted, and when it answers, a single request tries it. When all rest,
 * the worker waits, holding its batches.
 */
import type { Clock } from '../base/clock.ts';
import { assert } from '../base/errors.ts';
import { printable } from '../base/text.ts';
import type { NodeGreeting } from '../cratedb/greeting.ts';
import type { AttemptOutcome, FailureClass } from '../cratedb/outcome.ts';
import type { Waiting } from '../metrics/snapshot.ts';
import { PROBE_INTERVAL_MS, backoffMs } from './retry.ts';

/** An unreachable node is greeted every second, give or take a fifth. */
const OUTAGE_PROBE_MS = 1000;
/** A node that is well answers a greeting in milliseconds; one that hangs must not keep anybody from the next try. */
const GREETING_TIMEOUT_MS = 2000;
/** A blocked table is probed every five seconds. */
const BLOCK_PROBE_MS = 5000;
/** So many failures of its own in a row are no accident. */
const TROUBLES_TO_REST = 3;

/** Failures of the node or of the way to it, and not of the table, a shard or the request. */
const OWN_TROUBLE: ReadonlySet<FailureClass> = new Set([
  'closed',
  'badReply',
  'serverError',
  'unauthorized',
  'readOnlyNode',
  'redirect',
  'notSent',
]);

type Cause = Waiting['cause'];

interface Rest {
  readonly cause: Cause;
  readonly refusals: number;
  readonly detail: string;
  untilMs: number;
  /** It has answered a greeting since: one request may try it. Only asked where nobody answered. */
  isGreeted: boolean;
}

interface NodeHealth {
  readonly node: number;
  /** Null: healthy. */
  rest: Rest | null;
  /** A greeting or a request is on its way to see whether it is well. */
  isProbed: boolean;
  inFlight: number;
  /** Its own failures since it last did well. */
  troubles: number;
  healthySinceMs: number;
}

/** The right to send one request to `node`; given back with its outcome. */
export interface Lease {
  readonly node: number;
  readonly sinceMs: number;
  /** It tries a node that rested. */
  readonly isTrial: boolean;
}

export interface NodeSetParts {
  readonly nodeCount: number;
  /** The node that is first in turn: workers that start together do not all begin with the same. */
  readonly firstNode: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Asks a node who it is; never rejects. */
  readonly greet: (node: number, timeoutMs: number) => Promise<NodeGreeting>;
  /** A node went out, or came back (null). */
  readonly onOutage: (node: number, why: string | null) => void;
}

export interface NodeSet {
  /** A node that may be used now, waiting while all rest; null once `signal` aborts. */
  acquire(signal: AbortSignal): Promise<Lease | null>;
  release(lease: Lease, outcome: AttemptOutcome): void;
  /** Set while no node is healthy. */
  waiting(): Waiting | null;
  /** Calls back whenever a node turned healthy that was not: those who wait for other reasons may go on. */
  onRecovery(wake: () => void): void;
}

export function createNodeSet(parts: NodeSetParts): NodeSet {
  return new Nodes(parts);
}

class Nodes implements NodeSet {
  readonly #parts: NodeSetParts;
  readonly #nodes: readonly NodeHealth[];
  readonly #clock: Clock;
  readonly #recoveryCalls: (() => void)[] = [];
  #turn: number;
  #waiting: Waiting | null = null;
  /** Made by whoever waits for a node, aborted at the next change. */
  #change: AbortController | null = null;

  constructor(parts: NodeSetParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#turn = parts.firstNode % parts.nodeCount;
    this.#nodes = Array.from({ length: parts.nodeCount }, (_, node) => ({
      node,
      rest: null,
      isProbed: false,
      inFlight: 0,
      troubles: 0,
      healthySinceMs: -Infinity,
    }));
  }

  async acquire(signal: AbortSignal): Promise<Lease | null> {
    while (!signal.aborted) {
      const nowMs = this.#clock.monotonicMs();
      const node = this.#available(nowMs);
      this.#greetDue(nowMs);
      if (node !== undefined) {
        const isTrial = node.rest !== null;
        if (isTrial) node.isProbed = true;
        node.inFlight += 1;
        return { node: node.node, sinceMs: nowMs, isTrial };
      }
      this.#change ??= new AbortController();
      await this.#clock.sleep(this.#nextProbeInMs(nowMs), AbortSignal.any([signal, this.#change.signal]));
    }
    return null;
  }

  release(lease: Lease, outcome: AttemptOutcome): void {
    const node = this.#nodes[lease.node];
    assert(node !== undefined, `node ${lease.node} is one of the set`);
    const wasResting = node.rest !== null;
    if (lease.isTrial) node.isProbed = false;
    node.inFlight -= 1;
    this.#judge(node, lease, outcome);
    const recovered = wasResting && node.rest === null;
    if (recovered) this.#nodes.forEach((each) => this.#liftBlock(each));
    this.#updateWaiting();
    this.#wakeWaiters();
    if (recovered) this.#recoveryCalls.forEach((wake) => wake());
  }

  waiting(): Waiting | null {
    return this.#waiting;
  }

  onRecovery(wake: () => void): void {
    this.#recoveryCalls.push(wake);
  }

  /** A resting node that is due for a try goes first; of the healthy ones the least busy, in turn. */
  #available(nowMs: number): NodeHealth | undefined {
    const due = this.#nodes.find((node) => isDue(node, nowMs) && !wantsGreeting(node));
    if (due !== undefined) return due;
    let best: NodeHealth | undefined;
    for (let step = 0; step < this.#nodes.length; step += 1) {
      const candidate = this.#nodes[(this.#turn + step) % this.#nodes.length];
      if (candidate?.rest !== null) continue;
      if (best === undefined || candidate.inFlight < best.inFlight) best = candidate;
    }
    if (best !== undefined) this.#turn = (best.node + 1) % this.#nodes.length;
    return best;
  }

  /** Greetings cost no batch, so that a node that takes a request and never answers holds none up. */
  #greetDue(nowMs: number): void {
    for (const node of this.#nodes) {
      if (!isDue(node, nowMs) || !wantsGreeting(node)) continue;
      node.isProbed = true;
      void this.#parts
        .greet(node.node, GREETING_TIMEOUT_MS)
        .then((greeting) => this.#greeted(node, greeting));
    }
  }

  #greeted(node: NodeHealth, greeting: NodeGreeting): void {
    node.isProbed = false;
    if (node.rest !== null && isAnswer(greeting)) node.rest.isGreeted = true;
    else if (node.rest !== null)
      node.rest.untilMs = this.#clock.monotonicMs() + restMs('outage', 1, null, this.#parts.random());
    this.#wakeWaiters();
  }

  #nextProbeInMs(nowMs: number): number {
    const untils = this.#nodes.flatMap(({ rest, isProbed }) =>
      rest !== null && !isProbed ? [rest.untilMs] : [],
    );
    // Timers have a resolution of 1 ms; a shorter wait would only ask again.
    return untils.length === 0 ? Infinity : Math.max(1, Math.min(...untils) - nowMs);
  }

  #judge(node: NodeHealth, lease: Lease, outcome: AttemptOutcome): void {
    const cause = restCause(outcome);
    // What went wrong with a request from before it came back says nothing about it now.
    const isOld = outcome.handedOver && lease.sinceMs < node.healthySinceMs;
    if (outcome.condition !== 'troubled' || cause !== null) node.troubles = 0;
    // A block belongs to the table: every node would say the same.
    if (cause === 'blocked') this.#nodes.forEach((each) => this.#rest(each, cause, outcome));
    else if (cause === 'outage' && isOld && node.rest === null) return;
    else if (cause !== null) this.#rest(node, cause, outcome);
    else if (outcome.condition !== 'troubled') this.#recover(node);
    else if (node.rest !== null) this.#rest(node, node.rest.cause, outcome);
    else if (isOwnTrouble(outcome) && !isOld) this.#trouble(node, outcome);
  }

  /** A node that fails fast would be the least busy and draw all requests; it rests while others do well. */
  #trouble(node: NodeHealth, outcome: AttemptOutcome): void {
    node.troubles += 1;
    const othersAreWell = this.#nodes.some(
      (each) => each !== node && each.rest === null && each.troubles === 0,
    );
    if (node.troubles >= TROUBLES_TO_REST && othersAreWell) this.#rest(node, 'outage', outcome);
  }

  #rest(node: NodeHealth, cause: Cause, outcome: AttemptOutcome): void {
    const refusals = (node.rest?.refusals ?? 0) + 1;
    const detail = printable(outcome.failures[0]?.example ?? outcome.condition);
    const untilMs =
      this.#clock.monotonicMs() + restMs(cause, refusals, outcome.retryAfterMs, this.#parts.random());
    this.#turnTo(node, { cause, untilMs, refusals, detail, isGreeted: false });
  }

  #recover(node: NodeHealth): void {
    if (node.rest === null) return;
    this.#turnTo(node, null);
    node.healthySinceMs = this.#clock.monotonicMs();
  }

  #turnTo(node: NodeHealth, rest: Rest | null): void {
    const [wasOut, isOut] = [node.rest?.cause === 'outage', rest?.cause === 'outage'];
    node.rest = rest;
    if (isOut && !wasOut) this.#parts.onOutage(node.node, rest?.detail ?? '');
    if (wasOut && !isOut) this.#parts.onOutage(node.node, null);
  }

  /** One good answer lifts a block everywhere: it was the table's. */
  #liftBlock(node: NodeHealth): void {
    if (node.rest?.cause === 'blocked') this.#recover(node);
  }

  #updateWaiting(): void {
    const resting = this.#nodes.flatMap(({ rest }) => (rest === null ? [] : [rest]));
    if (resting.length < this.#nodes.length) {
      this.#waiting = null;
      return;
    }
    const worst = (['blocked', 'overload', 'outage'] as const).flatMap(
      (cause) => resting.find((rest) => rest.cause === cause) ?? [],
    )[0];
    if (worst === undefined || this.#waiting?.cause === worst.cause) return;
    this.#waiting = { cause: worst.cause, detail: worst.detail, sinceNs: this.#clock.monotonicNs() };
  }

  #wakeWaiters(): void {
    const waiters = this.#change;
    this.#change = null;
    waiters?.abort('changed');
  }
}

function isDue({ rest, isProbed }: NodeHealth, nowMs: number): boolean {
  return rest !== null && !isProbed && rest.untilMs <= nowMs;
}

function wantsGreeting({ rest }: NodeHealth): boolean {
  return rest?.cause === 'outage' && !rest.isGreeted;
}

/** Somebody answered, if only to refuse: a proxy may let inserts through and no greetings. */
function isAnswer(greeting: NodeGreeting): boolean {
  if (greeting.ok) return true;
  return greeting.condition !== 'unreachable' && greeting.class !== 'timeout' && greeting.class !== 'closed';
}

/** Not one row got an answer that says what became of it. */
function isOwnTrouble({ rows, failures }: AttemptOutcome): boolean {
  if (rows.acknowledged + rows.rejected > 0) return false;
  return failures.some((failure) => OWN_TROUBLE.has(failure.class));
}

/** Why the node should rest after this outcome, or null. A request that ran into its deadline found nobody. */
function restCause(outcome: AttemptOutcome): Cause | null {
  if (outcome.condition === 'unreachable') return 'outage';
  if (outcome.condition === 'blocked') return 'blocked';
  if (outcome.condition === 'overloaded') return 'overload';
  return outcome.failures.some((failure) => failure.class === 'timeout') ? 'outage' : null;
}

function restMs(cause: Cause, refusals: number, retryAfterMs: number | null, random: number): number {
  switch (cause) {
    case 'outage':
      return OUTAGE_PROBE_MS * (0.8 + 0.4 * random);
    case 'blocked':
      return BLOCK_PROBE_MS;
    case 'overload':
      // Retry-After is a wish; the probe comes at least every two seconds, so that the end of a storm is seen.
      return Math.min(PROBE_INTERVAL_MS, retryAfterMs ?? backoffMs(refusals, random));
  }
}
