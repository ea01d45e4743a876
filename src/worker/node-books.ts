/** One worker's books about each node: what was asked of it, what it acknowledged, when it was out. */
import { assert } from '../base/errors.ts';
import type { AttemptOutcome } from '../cratedb/outcome.ts';
import { type Histogram, createHistogram, record } from '../metrics/histogram.ts';
import { type NodeCounts, type Outage, mergeOutages } from '../metrics/node-counts.ts';
import { type ErrorTally, createErrorTally } from './error-tally.ts';

/** A node that comes and goes for hours fills no report: the oldest outages stay, the last one takes the rest. */
const MAX_OUTAGES = 50;

export interface NodeBooks {
  /** One attempt at `node` has ended; its service time counts when it is measured. */
  ended(node: number, outcome: AttemptOutcome, isMeasured: boolean): void;
  /** A reply of `node` acknowledged rows that none had before. */
  acknowledged(node: number, rows: number): void;
  /** It gets no requests from now on. */
  wentOut(node: number, atMs: number, why: string): void;
  cameBack(node: number, atMs: number): void;
  counts(): readonly NodeCounts[];
}

interface Book {
  requests: number;
  acknowledged: number;
  readonly errors: ErrorTally;
  readonly serviceTime: Histogram;
  outages: readonly Outage[];
}

export function createNodeBooks(nodeCount: number): NodeBooks {
  const books = Array.from({ length: nodeCount }, (): Book => ({
    requests: 0,
    acknowledged: 0,
    errors: createErrorTally(),
    serviceTime: createHistogram(),
    outages: [],
  }));
  const bookOf = (node: number): Book => {
    const book = books[node];
    assert(book !== undefined, `node ${node} is one of ${nodeCount}`);
    return book;
  };
  return {
    ended(node, outcome, isMeasured) {
      const book = bookOf(node);
      book.requests += 1;
      book.errors.add(outcome.failures);
      if (isMeasured && outcome.serviceTimeUs !== null) record(book.serviceTime, outcome.serviceTimeUs);
    },
    acknowledged(node, rows) {
      bookOf(node).acknowledged += rows;
    },
    wentOut(node, atMs, why) {
      const book = bookOf(node);
      const fromMs = Math.max(0, Math.round(atMs));
      book.outages = bounded(mergeOutages([...book.outages, { fromMs, toMs: null, why }]));
    },
    cameBack(node, atMs) {
      const book = bookOf(node);
      book.outages = book.outages.map((outage) => ({
        ...outage,
        toMs: outage.toMs ?? Math.max(outage.fromMs, Math.round(atMs)),
      }));
    },
    counts: () =>
      books.map((book) => ({
        requests: book.requests,
        acknowledged: book.acknowledged,
        errors: book.errors.list(),
        serviceTime: book.serviceTime,
        outages: book.outages,
      })),
  };
}

function bounded(outages: readonly Outage[]): readonly Outage[] {
  const last = outages[MAX_OUTAGES - 1];
  const newest = outages.at(-1);
  if (outages.length <= MAX_OUTAGES || last === undefined || newest === undefined) return outages;
  return [...outages.slice(0, MAX_OUTAGES - 1), { ...last, toMs: newest.toMs }];
}
