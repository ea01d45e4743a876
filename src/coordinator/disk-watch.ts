/**
 * Keeps a run from filling a disk: looks at the fullest disk of the cluster every few seconds and says when it is
 * past its limit, before the server makes tables read-only for everybody.
 */
import type { Clock } from '../base/clock.ts';
import { formatBytes } from '../base/units.ts';
import type { Answer, AskOptions } from '../cratedb/ask.ts';
import type { CrateClient } from '../cratedb/client.ts';
import {
  type ClusterLimits,
  type NodeDisk,
  type Watermark,
  clusterLimits,
  isPast,
  nodeDisks,
  usedShare,
} from '../cratedb/cluster-state.ts';
import type { DiskGuard } from '../plan/run-plan.ts';

/** The server itself looks at its disks every 30 s; a fast load fills some gigabytes in so long. */
const LOOK_EVERY_MS = 5000;
const LOOK_TIMEOUT_MS = 4000;

/** What a disk may be filled to, and what is said about it. */
export interface DiskLimit {
  readonly stopAt: Watermark;
  /** As people know it: `the high watermark of 90%`, `--stop-at-disk 80%`. */
  readonly name: string;
  /** Past it there is a warning; null for none. */
  readonly warnAt: Watermark | null;
}

export type DiskState =
  | { readonly kind: 'watched'; readonly limit: DiskLimit; readonly fullest: NodeDisk | null }
  /** Nobody looks: told so, or the cluster does not look at its disks either. */
  | { readonly kind: 'off' }
  /** The user may not see the disks. */
  | { readonly kind: 'unseen'; readonly why: string };

/** Looks once: what the limit is and how full the fullest disk is now. */
export async function lookAtDisks(
  client: CrateClient,
  guard: DiskGuard,
  options: AskOptions,
): Promise<DiskState> {
  if (guard.kind === 'off') return { kind: 'off' };
  const [disks, limits] = await Promise.all([nodeDisks(client, options), clusterLimits(client, options)]);
  if (!disks.ok) return { kind: 'unseen', why: disks.message };
  const limit = diskLimit(guard, limits);
  return limit === null ? { kind: 'off' } : { kind: 'watched', limit, fullest: disks.value[0] ?? null };
}

/** What was spelled out, else the high watermark of a cluster that heeds it; null for no limit. */
export function diskLimit(
  guard: Exclude<DiskGuard, { readonly kind: 'off' }>,
  limits: Answer<ClusterLimits>,
): DiskLimit | null {
  const low = limits.ok && limits.value.heedsDisks ? limits.value.low : null;
  if (guard.kind === 'share') {
    const stopAt = { kind: 'used', share: guard.share } as const;
    return { stopAt, name: `--stop-at-disk ${watermarkText(stopAt)}`, warnAt: low };
  }
  if (!limits.ok || !limits.value.heedsDisks || limits.value.high === null) return null;
  const stopAt = limits.value.high;
  return { stopAt, name: `the high watermark of ${watermarkText(stopAt)}`, warnAt: low };
}

/** `90%`, or `500 MiB left`. */
export function watermarkText(mark: Watermark): string {
  return mark.kind === 'used'
    ? `${Number((mark.share * 100).toFixed(1))}%`
    : `${formatBytes(mark.bytes)} left`;
}

/** `the disk of node n1 is 91.3% full (8.6 GiB left)` */
export function diskText(disk: NodeDisk): string {
  return `the disk of node ${disk.node} is ${(usedShare(disk) * 100).toFixed(1)}% full (${formatBytes(disk.availableBytes)} left)`;
}

export interface DiskWatchParts {
  readonly client: CrateClient;
  readonly clock: Clock;
  readonly limit: DiskLimit;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Past the first mark; called once. */
  readonly onWarning: (message: string) => void;
  /** Past the limit; called once, and the watching is over. */
  readonly onFull: (message: string) => void;
}

/** Looks every five seconds until a disk is full or `signal` aborts. A look that fails is simply repeated. */
export async function watchDisks(parts: DiskWatchParts): Promise<void> {
  const { client, clock, limit, signal } = parts;
  let hasWarned = false;
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    if (signal.aborted) return;
    const disks = await nodeDisks(client, { timeoutMs: LOOK_TIMEOUT_MS, signal });
    const fullest = disks.ok ? disks.value[0] : undefined;
    if (fullest === undefined) continue;
    if (isPast(fullest, limit.stopAt)) return parts.onFull(`${diskText(fullest)}, past ${limit.name}`);
    if (hasWarned || limit.warnAt === null || !isPast(fullest, limit.warnAt)) continue;
    hasWarned = true;
    parts.onWarning(
      `${diskText(fullest)}, past the low watermark of ${watermarkText(limit.warnAt)}: the run stops at ${limit.name}`,
    );
  }
}
