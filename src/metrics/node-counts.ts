/**
 * What each node of the target did for the run: requests, rows, trouble, service times, and when it was out. Kept by
 * every worker for itself and added up by the coordinator; in the order of the nodes everywhere.
 */
import { type Histogram, createHistogram, mergeInto } from './histogram.ts';

/** Workers notice a node's return at different moments: gaps up to this long are one and the same outage. */
const OUTAGE_GAP_MS = 2000;

/** One class of trouble, counted, with one example. `code` is CrateDB's error code or null. */
export interface ErrorCount {
  readonly class: string;
  readonly code: number | null;
  /** Rows that an attempt reported in this class; a retried row counts once per attempt. */
  readonly rows: number;
  /** Attempts that reported this class. */
  readonly batches: number;
  readonly example: string;
}

/** A time in which a node got no requests, because it let nobody in or did not answer. */
export interface Outage {
  /** Whole milliseconds after the workers' common start. */
  readonly fromMs: number;
  /** Null while it lasts. */
  readonly toMs: number | null;
  /** The failure that began it. */
  readonly why: string;
}

export interface NodeCounts {
  /** Attempts that were given to the node. */
  readonly requests: number;
  /** Rows that its replies acknowledged, each once: their sum over all nodes is what the workers acknowledged. */
  readonly acknowledged: number;
  readonly errors: readonly ErrorCount[];
  /** As the snapshot's, of this node alone. */
  readonly serviceTime: Histogram;
  /** Apart from each other, in the order of time. */
  readonly outages: readonly Outage[];
}

export function noNodeCounts(): NodeCounts {
  return { requests: 0, acknowledged: 0, errors: [], serviceTime: createHistogram(), outages: [] };
}

/** Why a node was out, without its name before it: who reads that knows of which node it is. */
export function reasonOf(origin: string, why: string): string {
  return why.startsWith(`${origin}: `) ? why.slice(origin.length + 2) : why;
}

/** The sum of several workers' nodes, node by node. */
export function mergeNodes(lists: readonly (readonly NodeCounts[])[]): readonly NodeCounts[] {
  const filled = lists.filter((nodes) => nodes.length > 0);
  const [only] = filled;
  if (only === undefined) return [];
  if (filled.length === 1) return only;
  const length = Math.max(...filled.map((nodes) => nodes.length));
  return Array.from({ length }, (_, node) => mergeNode(filled.flatMap((nodes) => nodes[node] ?? [])));
}

function mergeNode(counts: readonly NodeCounts[]): NodeCounts {
  return {
    requests: counts.reduce((sum, { requests }) => sum + requests, 0),
    acknowledged: counts.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    errors: counts.map(({ errors }) => errors).reduce(mergeErrors, []),
    serviceTime: sumOf(counts.map(({ serviceTime }) => serviceTime)),
    outages: mergeOutages(counts.flatMap(({ outages }) => outages)),
  };
}

export function sumOf(histograms: readonly Histogram[]): Histogram {
  const [first, ...others] = histograms.filter(({ count }) => count > 0);
  if (first === undefined) return histograms[0] ?? createHistogram();
  if (others.length === 0) return first;
  const sum = createHistogram();
  mergeInto(sum, first);
  for (const other of others) mergeInto(sum, other);
  return sum;
}

/** Errors of one class and code are one line; the example that was seen first in a stable order stays. */
export function mergeErrors(a: readonly ErrorCount[], b: readonly ErrorCount[]): readonly ErrorCount[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged = new Map<string, ErrorCount>();
  for (const error of [...a, ...b]) {
    const key = `${error.class} ${error.code ?? ''}`;
    const before = merged.get(key);
    merged.set(key, {
      class: error.class,
      code: error.code,
      rows: (before?.rows ?? 0) + error.rows,
      batches: (before?.batches ?? 0) + error.batches,
      example: before === undefined || error.example < before.example ? error.example : before.example,
    });
  }
  return [...merged.values()];
}

/** Outages that overlap, or have hardly a gap between them, as one: from the first sight to the last. */
export function mergeOutages(outages: readonly Outage[]): readonly Outage[] {
  if (outages.length < 2) return outages;
  const sorted = outages.toSorted((a, b) => a.fromMs - b.fromMs || (a.why < b.why ? -1 : 1));
  const merged: Outage[] = [];
  for (const outage of sorted) {
    const last = merged.at(-1);
    if (last === undefined || (last.toMs !== null && outage.fromMs - last.toMs > OUTAGE_GAP_MS))
      merged.push(outage);
    else merged[merged.length - 1] = { ...last, toMs: laterOf(last.toMs, outage.toMs) };
  }
  return merged;
}

function laterOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}

/** A worker that is gone sees no return: what lasted for it ends with it. */
export function endOutages(nodes: readonly NodeCounts[], atMs: number): readonly NodeCounts[] {
  return nodes.map((node) => ({
    ...node,
    outages: node.outages.map((outage) => ({
      ...outage,
      toMs: outage.toMs ?? Math.max(outage.fromMs, Math.round(atMs)),
    })),
  }));
}
