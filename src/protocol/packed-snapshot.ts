/**
 * A snapshot as it travels: all its numbers in one array, its few texts beside it. As an object of objects each one
 * costs the coordinator more to read than everything that it does with it, and every worker sends four a second.
 */
import { HISTOGRAM_BUCKETS, type Histogram, createHistogram } from '../metrics/histogram.ts';
import type { BatchCounts, Ledger } from '../metrics/ledger.ts';
import type { ErrorCount, NodeCounts, Outage } from '../metrics/node-counts.ts';
import type { AnswerTimes, ProcessUse, Snapshot, Waiting } from '../metrics/snapshot.ts';

/** Plain data, as cumulative as what it was made of. What is null is NaN. */
export interface PackedSnapshot {
  readonly numbers: Float64Array;
  readonly texts: readonly string[];
}

/** More than any snapshot holds, so that a flood is refused. */
const MAX_LIST = 100_000;
const MAX_TEXT = 10_000;
/** Enough for one node and latencies over some octaves; more makes room for itself. */
const USUAL_NUMBERS = 512;
const NS_PER_SECOND = 1_000_000_000;
const MAX_NS = 2n ** 63n - 1n;
const CAUSES: readonly Waiting['cause'][] = ['outage', 'blocked', 'overload'];

/** Writes and reads go through the fields in one order: each pair of functions below names it twice. */
class Packer {
  #numbers = new Float64Array(USUAL_NUMBERS);
  #length = 0;
  readonly #texts: string[] = [];
  readonly #histograms: Histogram[] = [];

  add(...numbers: readonly (number | null)[]): void {
    this.#makeRoom(numbers.length);
    for (const number of numbers) this.#numbers[this.#length++] = number ?? Number.NaN;
  }

  #makeRoom(more: number): void {
    if (this.#length + more <= this.#numbers.length) return;
    const wider = new Float64Array(2 * (this.#length + more));
    wider.set(this.#numbers);
    this.#numbers = wider;
  }

  text(text: string): void {
    this.#texts.push(text);
  }

  list<Item>(items: readonly Item[], write: (item: Item) => void): void {
    this.add(items.length);
    for (const item of items) write(item);
  }

  /** The buckets from the first to the last that counted; one that went before is only pointed at. */
  histogram(histogram: Histogram): void {
    const before = this.#histograms.indexOf(histogram);
    if (before >= 0) return this.add(before);
    this.add(this.#histograms.length, histogram.count, histogram.sumUs, histogram.maxUs);
    this.#histograms.push(histogram);
    const { counts } = histogram;
    let [first, end] = [0, counts.length];
    while (first < end && counts[first] === 0) first += 1;
    while (end > first && counts[end - 1] === 0) end -= 1;
    this.add(first, end - first);
    this.#makeRoom(end - first);
    this.#numbers.set(counts.subarray(first, end), this.#length);
    this.#length += end - first;
  }

  packed(): PackedSnapshot {
    return { numbers: this.#numbers.slice(0, this.#length), texts: this.#texts };
  }
}

/** Reads on after a mistake, as zeros: whether there was one is asked once, at the end. */
class Unpacker {
  readonly #numbers: Float64Array;
  readonly #texts: readonly unknown[];
  readonly #histograms: Histogram[] = [];
  #at = 0;
  #textAt = 0;
  #isBroken = false;

  constructor(numbers: Float64Array, texts: readonly unknown[]) {
    this.#numbers = numbers;
    this.#texts = texts;
  }

  /** All there was, and nothing wrong in it. */
  get isWhole(): boolean {
    return !this.#isBroken && this.#at === this.#numbers.length && this.#textAt === this.#texts.length;
  }

  #refuse(): 0 {
    this.#isBroken = true;
    return 0;
  }

  amount(max = Number.MAX_VALUE): number {
    const number = this.#numbers[this.#at++];
    return number !== undefined && number >= 0 && number <= max ? number : this.#refuse();
  }

  count(max = Number.MAX_SAFE_INTEGER): number {
    const number = this.#numbers[this.#at++];
    return number !== undefined && number >= 0 && number <= max && Number.isInteger(number)
      ? number
      : this.#refuse();
  }

  /** Of either sign: a server may say anything for a code. */
  integer(): number {
    const number = this.#numbers[this.#at++];
    return Number.isSafeInteger(number) ? Number(number) : this.#refuse();
  }

  orNull(read: () => number): number | null {
    if (!Number.isNaN(this.#numbers[this.#at] ?? 0)) return read();
    this.#at += 1;
    return null;
  }

  text(): string {
    const text = this.#texts[this.#textAt++];
    if (typeof text === 'string' && text.length <= MAX_TEXT) return text;
    this.#refuse();
    return '';
  }

  list<Item>(read: () => Item): Item[] {
    const items: Item[] = [];
    for (let left = this.count(MAX_LIST); left > 0 && !this.#isBroken; left -= 1) items.push(read());
    return items;
  }

  histogram(): Histogram {
    const before = this.#histograms[this.count(this.#histograms.length)];
    if (before !== undefined) return before;
    const histogram = createHistogram();
    this.#histograms.push(histogram);
    histogram.count = this.count();
    histogram.sumUs = this.amount();
    histogram.maxUs = this.amount();
    const first = this.count(HISTOGRAM_BUCKETS);
    this.#buckets(histogram.counts, first, first + this.count(HISTOGRAM_BUCKETS - first));
    return histogram;
  }

  /** Most of a snapshot: nine tenths of its numbers. */
  #buckets(counts: Uint32Array, first: number, end: number): void {
    const numbers = this.#numbers;
    let at = this.#at;
    for (let bucket = first; bucket < end; bucket += 1) {
      const number = numbers[at++] ?? -1;
      // Whole, not negative and not too large for a bucket, all in one.
      if (number >>> 0 !== number) return void this.#refuse();
      counts[bucket] = number;
    }
    this.#at = at;
  }
}

/** Takes a copy: what the snapshot's histograms count from now on is not in it. */
export function packSnapshot(snapshot: Snapshot): PackedSnapshot {
  const to = new Packer();
  const { answers, batches } = snapshot;
  to.add(snapshot.sequence, snapshot.atMs);
  packLedger(to, snapshot.ledger);
  to.list(snapshot.tables, (ledger) => packLedger(to, ledger));
  to.add(batches.begun, batches.completed, batches.retried, batches.failed);
  to.add(snapshot.nextBatch, snapshot.measuredRows, snapshot.bodyBytes, snapshot.replyBytes);
  to.add(snapshot.lateRows, snapshot.droppedRows);
  to.histogram(snapshot.serviceTime);
  to.histogram(snapshot.responseTime);
  to.add(answers.requests, answers.serviceUs, answers.toldServiceUs, answers.serverUs);
  to.list(snapshot.errors, (error) => packError(to, error));
  to.list(snapshot.nodes, (node) => packNode(to, node));
  to.list(snapshot.waiting === null ? [] : [snapshot.waiting], (waiting) => packWaiting(to, waiting));
  packUse(to, snapshot.use);
  return to.packed();
}

/** Null for anything that `packSnapshot` does not make: too short, too long, or a number that cannot be there. */
export function unpackSnapshot(packed: unknown): Snapshot | null {
  if (typeof packed !== 'object' || packed === null || Object.keys(packed).length !== 2) return null;
  if (!('numbers' in packed && packed.numbers instanceof Float64Array)) return null;
  if (!('texts' in packed && Array.isArray(packed.texts))) return null;
  const from = new Unpacker(packed.numbers, packed.texts);
  const snapshot = readSnapshot(from);
  return from.isWhole ? snapshot : null;
}

function readSnapshot(from: Unpacker): Snapshot {
  // The order of the fields is the order in which they are read.
  return {
    sequence: from.count(),
    atMs: from.amount(),
    ledger: readLedger(from),
    tables: from.list(() => readLedger(from)),
    batches: readBatches(from),
    nextBatch: from.count(),
    measuredRows: from.count(),
    bodyBytes: from.count(),
    replyBytes: from.count(),
    lateRows: from.count(),
    droppedRows: from.count(),
    serviceTime: from.histogram(),
    responseTime: from.histogram(),
    answers: readAnswers(from),
    errors: from.list(() => readError(from)),
    nodes: from.list(() => readNode(from)),
    waiting: from.list(() => readWaiting(from))[0] ?? null,
    use: readUse(from),
  };
}

function packLedger(to: Packer, ledger: Ledger): void {
  to.add(ledger.offered, ledger.acknowledged, ledger.rejected, ledger.failed, ledger.unknown);
  to.add(ledger.inFlight);
}

function readLedger(from: Unpacker): Ledger {
  return {
    offered: from.count(),
    acknowledged: from.count(),
    rejected: from.count(),
    failed: from.count(),
    unknown: from.count(),
    inFlight: from.count(),
  };
}

function readBatches(from: Unpacker): BatchCounts {
  return { begun: from.count(), completed: from.count(), retried: from.count(), failed: from.count() };
}

function readAnswers(from: Unpacker): AnswerTimes {
  return {
    requests: from.count(),
    serviceUs: from.amount(),
    toldServiceUs: from.amount(),
    serverUs: from.amount(),
  };
}

function packError(to: Packer, error: ErrorCount): void {
  to.text(error.class);
  to.text(error.example);
  to.add(error.code, error.rows, error.batches);
}

function readError(from: Unpacker): ErrorCount {
  const [name, example] = [from.text(), from.text()];
  const code = from.orNull(() => from.integer());
  return { class: name, code, rows: from.count(), batches: from.count(), example };
}

function packNode(to: Packer, node: NodeCounts): void {
  to.add(node.requests, node.acknowledged);
  to.list(node.errors, (error) => packError(to, error));
  to.histogram(node.serviceTime);
  to.list(node.outages, ({ fromMs, toMs, why }) => {
    to.add(fromMs, toMs);
    to.text(why);
  });
}

function readNode(from: Unpacker): NodeCounts {
  return {
    requests: from.count(),
    acknowledged: from.count(),
    errors: from.list(() => readError(from)),
    serviceTime: from.histogram(),
    outages: from.list((): Outage => ({
      fromMs: from.count(),
      toMs: from.orNull(() => from.count()),
      why: from.text(),
    })),
  };
}

/** Nanoseconds of a host that has been up for a hundred days are no whole numbers any more: seconds and the rest are. */
function packWaiting(to: Packer, { cause, detail, sinceNs }: Waiting): void {
  const perSecond = BigInt(NS_PER_SECOND);
  to.add(CAUSES.indexOf(cause), Number(sinceNs / perSecond), Number(sinceNs % perSecond));
  to.text(detail);
}

function readWaiting(from: Unpacker): Waiting {
  const cause = CAUSES[from.count(CAUSES.length - 1)] ?? 'outage';
  const seconds = BigInt(from.count(Number(MAX_NS / BigInt(NS_PER_SECOND)) - 1));
  const sinceNs = seconds * BigInt(NS_PER_SECOND) + BigInt(from.count(NS_PER_SECOND - 1));
  return { cause, detail: from.text(), sinceNs };
}

function packUse(to: Packer, use: ProcessUse): void {
  to.add(use.userCpuUs, use.systemCpuUs, use.residentBytes, use.residentBytesMax, use.heapUsedBytes);
  to.add(use.eventLoopUtilization, use.eventLoopActiveMs, use.eventLoopDelayP99Ms, use.gcMs);
  to.add(use.voluntarySwitches, use.involuntarySwitches, use.coreWaitMs);
}

function readUse(from: Unpacker): ProcessUse {
  return {
    userCpuUs: from.amount(),
    systemCpuUs: from.amount(),
    residentBytes: from.count(),
    residentBytesMax: from.count(),
    heapUsedBytes: from.count(),
    eventLoopUtilization: from.amount(1),
    eventLoopActiveMs: from.amount(),
    eventLoopDelayP99Ms: from.amount(),
    gcMs: from.amount(),
    voluntarySwitches: from.count(),
    involuntarySwitches: from.count(),
    coreWaitMs: from.orNull(() => from.amount()),
  };
}
