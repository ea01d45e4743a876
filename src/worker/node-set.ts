/**
 * Which node takes the next request. Healthy nodes take turns; one that lets nobody in, or asks for less, rests,
 * and after its rest a single request probes it. When all rest, the worker waits, holding its batches.
 */
import type { Clock } from '../base/clock.ts';
import { assert } from '../base/errors.ts';
import { printable } from '../base/text.ts';
import type { AttemptOutcome } from '../cratedb/outcome.ts';
import type { Waiting } from '../metrics/snapshot.ts';
import { PROBE_INTERVAL_MS, backoffMs } from './retry.ts';

/** An unreachable node is probed every second, give or take a fifth. */
const OUTAGE_PROBE_MS = 1000;
/** A blocked table is probed every five seconds. */
const BLOCK_PROBE_MS = 5000;

type Cause = Waiting['cause'];

interface NodeHealth {
  readonly node: number;
  /** Null: healthy. */
  rest: { cause: Cause; untilMs: number; refusals: number; detail: string } | null;
  isProbed: boolean;
}

/** The right to send one request to `node`; given back with its outcome. */
export interface Lease {
  readonly node: number;
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

export function createNodeSet(nodeCount: number, clock: Clock, random: () => number): NodeSet {
  return new Nodes(nodeCount, clock, random);
}

class Nodes implements NodeSet {
  readonly #nodes: readonly NodeHealth[];
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #recoveryCalls: (() => void)[] = [];
  #turn = 0;
  #waiting: Waiting | null = null;
  /** Made by whoever waits for a node, aborted at the next change. */
  #change: AbortController | null = null;

  constructor(nodeCount: number, clock: Clock, random: () => number) {
    this.#nodes = Array.from({ length: nodeCount }, (_, node) => ({ node, rest: null, isProbed: false }));
    this.#clock = clock;
    this.#random = random;
  }

  async acquire(signal: AbortSignal): Promise<Lease | null> {
    while (!signal.aborted) {
      const nowMs = this.#clock.monotonicMs();
      const node = this.#available(nowMs);
      if (node !== undefined) {
        node.isProbed = node.rest !== null;
        return { node: node.node };
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
    node.isProbed = false;
    this.#judge(node, outcome);
    const recovered = wasResting && node.rest === null;
    if (recovered) this.#nodes.forEach(liftBlock);
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

  /** A resting node that is due for a probe goes first; healthy ones take turns. */
  #available(nowMs: number): NodeHealth | undefined {
    const due = this.#nodes.find(({ rest, isProbed }) => rest !== null && !isProbed && rest.untilMs <= nowMs);
    if (due !== undefined) return due;
    for (let step = 0; step < this.#nodes.length; step += 1) {
      const candidate = this.#nodes[(this.#turn + step) % this.#nodes.length];
      if (candidate?.rest !== null) continue;
      this.#turn = (this.#turn + step + 1) % this.#nodes.length;
      return candidate;
    }
    return undefined;
  }

  #nextProbeInMs(nowMs: number): number {
    const untils = this.#nodes.flatMap(({ rest, isProbed }) =>
      rest !== null && !isProbed ? [rest.untilMs] : [],
    );
    // Timers have a resolution of 1 ms; a shorter wait would only ask again.
    return untils.length === 0 ? Infinity : Math.max(1, Math.min(...untils) - nowMs);
  }

  #judge(node: NodeHealth, outcome: AttemptOutcome): void {
    const cause = restCause(outcome);
    // A block belongs to the table: every node would say the same.
    if (cause === 'blocked') this.#nodes.forEach((each) => this.#rest(each, cause, outcome));
    else if (cause !== null) this.#rest(node, cause, outcome);
    else if (outcome.condition !== 'troubled') node.rest = null;
    else if (node.rest !== null) this.#rest(node, node.rest.cause, outcome);
  }

  #rest(node: NodeHealth, cause: Cause, outcome: AttemptOutcome): void {
    const refusals = (node.rest?.refusals ?? 0) + 1;
    const detail = printable(outcome.failures[0]?.example ?? outcome.condition);
    const untilMs = this.#clock.monotonicMs() + restMs(cause, refusals, outcome.retryAfterMs, this.#random());
    node.rest = { cause, untilMs, refusals, detail };
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

/** One good answer lifts a block everywhere: it was the table's. */
function liftBlock(node: NodeHealth): void {
  if (node.rest?.cause === 'blocked') node.rest = null;
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
