/**
 * A target in memory with the faults of a real one, driven by a virtual clock and a seeded source of chance: it
 * stores rows or not, answers truly, falsely or never, and knows in the end what is really stored.
 */
import type { Clock } from '../../src/base/clock.ts';
import type { NodeGreeting } from '../../src/cratedb/greeting.ts';
import type { AttemptOutcome, AttemptRows, Failure, FailureClass } from '../../src/cratedb/outcome.ts';
import type { BodyWriter, InsertPort, InsertRequest } from '../../src/worker/insertion-loop.ts';

export interface TargetFaults {
  /** Chance of trouble for one request, 0..1. */
  readonly trouble: number;
  /** Rows whose number leaves this remainder modulo 17 break a constraint; -1 for none. */
  readonly constraint: number;
  /** Rows that make the server refuse the whole request. */
  readonly poison: readonly number[];
  /** Windows in ms since the clock's start in which a node, or the table, takes nothing; `frozen` never answers. */
  readonly windows: readonly {
    readonly kind: 'down' | 'blocked' | 'overloaded' | 'frozen';
    readonly fromMs: number;
    readonly toMs: number;
    readonly node: number | null;
  }[];
}

export interface SimulatedTarget extends InsertPort {
  readonly stored: ReadonlyMap<number, number>;
  /** Resolves when every write that a cut-off request left behind has happened. */
  settle(): Promise<void>;
}

/** Which rows a body carries. */
export type ReadBody = (body: Uint8Array) => readonly [firstRow: number, rows: number];

/** Reads what `rangeBody` wrote. */
export const rangeOfBody: ReadBody = (body) => {
  const [firstRow = 0, rows = 0] = new Float64Array(body.slice().buffer);
  return [firstRow, rows];
};

/** Reads a real request body of consecutive rows whose only column is the row's number. */
export const rowsOfBody: ReadBody = (body) => {
  const { bulk_args: rows } = JSON.parse(Buffer.from(body).toString()) as { bulk_args: readonly [number][] };
  return [rows[0]?.[0] ?? 0, rows.length];
};

/** A body that names its rows: the target reads them back from its bytes. */
export function rangeBody(): BodyWriter {
  const numbers = new Float64Array(2);
  return {
    write(firstRow, rows) {
      numbers.set([firstRow, rows]);
      return new Uint8Array(numbers.buffer);
    },
  };
}

export function createSimulatedTarget(
  clock: Clock,
  random: () => number,
  faults: TargetFaults,
  keyed: boolean,
  readBody: ReadBody = rangeOfBody,
): SimulatedTarget {
  const stored = new Map<number, number>();
  const startMs = clock.monotonicMs();
  const leftovers: Promise<void>[] = [];
  const breaks = (row: number): boolean => row % 17 === faults.constraint;

  function store(rows: readonly number[]): void {
    for (const row of rows) if (!breaks(row)) stored.set(row, keyed ? 1 : (stored.get(row) ?? 0) + 1);
  }

  function windowNow(node: number): TargetFaults['windows'][number] | undefined {
    const nowMs = clock.monotonicMs() - startMs;
    return faults.windows.find(
      (each) => (each.node === null || each.node === node) && each.fromMs <= nowMs && nowMs < each.toMs,
    );
  }

  async function insert(node: number, body: Uint8Array, request: InsertRequest): Promise<AttemptOutcome> {
    const [firstRow, count] = readBody(body);
    const rows = Array.from({ length: count }, (_, index) => firstRow + index);
    await clock.sleep(random() * 2, request.signal);
    if (request.signal.aborted) return notSent(count, 'notSent', 'troubled');
    const window = windowNow(node);
    if (window?.kind === 'down') return notSent(count, 'refused', 'unreachable');
    request.onHandedOver();
    if (window?.kind === 'frozen') return await frozen(rows, request);
    await clock.sleep(1 + random() * 20, request.signal);
    if (window?.kind === 'blocked')
      return answered({ ...NONE, notStored: count }, 'blocked', 'blocked', count);
    if (window?.kind === 'overloaded')
      return answered({ ...NONE, notStored: count }, 'overloaded', 'overloaded', count);
    if (rows.some((row) => faults.poison.includes(row)))
      return { ...answered({ ...NONE, rejected: count }, 'good', 'invalidValue', count), refusedWhole: true };
    if (request.signal.aborted) {
      if (random() < 0.5) store(rows);
      return unsure(count, 'aborted');
    }
    return random() < faults.trouble ? await inTrouble(rows, request) : good(rows);
  }

  /** A process that stands still: it may go on with the request when nobody waits for it any more. */
  async function frozen(rows: readonly number[], request: InsertRequest): Promise<AttemptOutcome> {
    await clock.sleep(request.timeoutMs, request.signal);
    const isRefused = rows.some((row) => faults.poison.includes(row));
    if (random() < 0.5 && !isRefused) leftovers.push(clock.sleep(random() * 60_000).then(() => store(rows)));
    return unsure(rows.length, request.signal.aborted ? 'aborted' : 'timeout');
  }

  async function greet(node: number, { timeoutMs }: { readonly timeoutMs: number }): Promise<NodeGreeting> {
    const window = windowNow(node);
    await clock.sleep(window?.kind === 'frozen' ? timeoutMs : random() * 2);
    if (window?.kind === 'down' || window?.kind === 'frozen')
      return { ok: false, class: 'timeout', condition: 'unreachable', message: 'nobody' };
    return { ok: true, kind: 'cratedb', version: '6.4.3', clusterName: 'c', name: `n${node}` };
  }

  function good(rows: readonly number[]): AttemptOutcome {
    const rejected = rows.filter(breaks).length;
    store(rows);
    return answered(
      { ...NONE, acknowledged: rows.length - rejected, rejected },
      'good',
      rejected > 0 ? 'constraint' : null,
      rejected,
    );
  }

  /** What really goes wrong, and what the client can know of it. */
  async function inTrouble(rows: readonly number[], request: InsertRequest): Promise<AttemptOutcome> {
    const some = rows.filter(() => random() < 0.5);
    switch (Math.floor(random() * 6)) {
      case 0:
        return unsure(rows.length, 'closed');
      case 1:
        store(some);
        return unsure(rows.length, 'closed');
      case 2: {
        // The client's time is over, and the server goes on: the rows come later.
        await clock.sleep(request.timeoutMs, request.signal);
        leftovers.push(clock.sleep(random() * 60_000).then(() => store(rows)));
        return unsure(rows.length, 'timeout');
      }
      case 3: {
        // The write queue was full for some shards: their rows are surely not stored.
        const rejected = rows.filter(breaks).length;
        const taken = rows.filter((row) => !breaks(row) && random() < 0.5);
        store(taken);
        const notStored = rows.length - rejected - taken.length;
        return answered(
          { acknowledged: taken.length, rejected, notStored, unknown: 0 },
          'good',
          notStored > 0 ? 'queueFull' : null,
          notStored,
        );
      }
      case 4: {
        // A shard's primary is gone: some of its rows were written all the same.
        const taken = rows.filter((row) => !breaks(row) && random() < 0.5);
        store(taken);
        const silent = rows.filter((row) => !taken.includes(row) && random() < 0.5);
        store(silent);
        return answered(
          { ...NONE, acknowledged: taken.length, unknown: rows.length - taken.length },
          'troubled',
          'shardUnavailable',
          rows.length - taken.length,
        );
      }
      default:
        return answered({ ...NONE, notStored: rows.length }, 'overloaded', 'overloaded', rows.length);
    }
  }

  return {
    stored,
    insert,
    greet,
    async settle() {
      await Promise.all(leftovers);
    },
  };
}

/** The length of every answer. */
export const REPLY_BYTES = 30;

const NONE: AttemptRows = { acknowledged: 0, rejected: 0, notStored: 0, unknown: 0 };

/** The outcome of an answered attempt: good, and of rows only, unless `facts` say otherwise. */
export function outcomeOf(rows: AttemptRows, facts: Partial<AttemptOutcome> = {}): AttemptOutcome {
  return {
    rows,
    alreadyThere: 0,
    condition: 'good',
    refusedWhole: false,
    isSilent: false,
    handedOver: true,
    failures: [],
    serviceTimeUs: null,
    serverTimeUs: null,
    replyBytes: 0,
    retryAfterMs: null,
    ...facts,
  };
}

/** The same of an attempt whose rows were all stored. */
export function storedAll(rows: number, serviceTimeUs: number): AttemptOutcome {
  return outcomeOf({ acknowledged: rows, rejected: 0, notStored: 0, unknown: 0 }, { serviceTimeUs });
}

function answered(
  rows: AttemptRows,
  condition: AttemptOutcome['condition'],
  name: FailureClass | null,
  affected: number,
): AttemptOutcome {
  const failures: Failure[] =
    name === null ? [] : [{ class: name, code: null, rows: affected, example: name }];
  return outcomeOf(rows, { condition, failures, serviceTimeUs: 1000, replyBytes: REPLY_BYTES });
}

function unsure(count: number, name: FailureClass): AttemptOutcome {
  return {
    ...answered({ ...NONE, unknown: count }, 'troubled', name, count),
    serviceTimeUs: null,
    replyBytes: 0,
  };
}

function notSent(count: number, name: FailureClass, condition: AttemptOutcome['condition']): AttemptOutcome {
  return {
    ...answered({ ...NONE, notStored: count }, condition, name, count),
    handedOver: false,
    serviceTimeUs: null,
    replyBytes: 0,
  };
}
