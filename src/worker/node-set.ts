/**
 * Which node takes the next request. Healthy nodes take turns; one that lets nobody in, or asks for less, rests,
 * and after its rest a single request probes it. When all rest, the worker waits, holding its batches.
 */
import type { Clock } from '../base/clock.ts';
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

/** The right to send one request to `node`; given back with its outcome, or unused. */
export interface Lease {
  readonly node: number;
}

export interface NodeSet {
  /** A node that may be used now, waiting while all rest; null once `signal` aborts. */
  acquire(signal: AbortSignal): Promise<Lease | null>;
  release(lease: Lease, outcome: AttemptOutcome | null): void;
  /** Set while no node is healthy. */
  waiting(): Waiting | null;
  /** Calls back whenever a node turned healthy that was not: those who wait for other reasons may go on. */
  onRecovery(wake: () => void): void;
}

export function createNodeSet(nodeCount: number, clock: Clock, random: () => number): NodeSet {
  const nodes: NodeHealth[] = Array.from({ length: nodeCount }, (_, node) => ({ node, rest: null, isProbed: false }));
  const recoveryCalls: (() => void)[] = [];
  let turn = 0;
  let waiting: Waiting | null = null;
  /** Aborted and renewed at every change, to wake those who wait for a node. */
  let change = new AbortController();

  function available(nowMs: number): NodeHealth | undefined {
    const due = nodes.find((node) => node.rest !== null && !node.isProbed && node.rest.untilMs <= nowMs);
    if (due !== undefined) return due;
    for (let step = 0; step < nodes.length; step += 1) {
      const candidate = nodes[(turn + step) % nodes.length];
      if (candidate?.rest === null) {
        turn = (turn + step + 1) % nodes.length;
        return candidate;
      }
    }
    return undefined;
  }

  function nextProbeInMs(nowMs: number): number {
    const untils = nodes.flatMap((node) => (node.rest !== null && !node.isProbed ? [node.rest.untilMs] : []));
    // Timers have a resolution of 1 ms; a shorter wait would only ask again.
    return untils.length === 0 ? Infinity : Math.max(1, Math.min(...untils) - nowMs);
  }

  function rest(node: NodeHealth, cause: Cause, outcome: AttemptOutcome): void {
    const refusals = (node.rest?.refusals ?? 0) + 1;
    const detail = printable(outcome.failures[0]?.example ?? outcome.condition);
    node.rest = { cause, untilMs: clock.monotonicMs() + restMs(cause, refusals, outcome.retryAfterMs, random()), refusals, detail };
  }

  function updateWaiting(): void {
    const resting = nodes.flatMap((node) => (node.rest === null ? [] : [node.rest]));
    if (resting.length < nodes.length) {
      waiting = null;
      return;
    }
    const worst = resting.find(({ cause }) => cause === 'blocked') ?? resting.find(({ cause }) => cause === 'overload') ?? resting[0];
    if (worst === undefined || waiting?.cause === worst.cause) return;
    waiting = { cause: worst.cause, detail: worst.detail, sinceNs: clock.monotonicNs() };
  }

  function wakeWaiters(): void {
    const before = change;
    change = new AbortController();
    before.abort();
  }

  return {
    async acquire(signal) {
      while (!signal.aborted) {
        const nowMs = clock.monotonicMs();
        const node = available(nowMs);
        if (node !== undefined) {
          node.isProbed = node.rest !== null;
          return { node: node.node };
        }
        await clock.sleep(nextProbeInMs(nowMs), AbortSignal.any([signal, change.signal]));
      }
      return null;
    },
    release(lease, outcome) {
      const node = nodes[lease.node];
      if (node === undefined) return;
      const wasResting = node.rest !== null;
      node.isProbed = false;
      const cause = outcome === null ? null : restCause(outcome);
      if (outcome !== null && cause === null && outcome.condition !== 'troubled') node.rest = null;
      // A block belongs to the table: every node would say the same.
      else if (outcome !== null && cause === 'blocked') nodes.forEach((each) => rest(each, cause, outcome));
      else if (outcome !== null && cause !== null) rest(node, cause, outcome);
      else if (outcome !== null && node.rest !== null) rest(node, node.rest.cause, outcome);
      const recovered = wasResting && node.rest === null;
      if (recovered) nodes.forEach((each) => liftBlock(each));
      updateWaiting();
      wakeWaiters();
      if (recovered) recoveryCalls.forEach((wake) => wake());
    },
    waiting: () => waiting,
    onRecovery: (wake) => void recoveryCalls.push(wake),
  };
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
