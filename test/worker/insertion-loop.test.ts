/**
 * The insertion loop against thousands of seeded fault schedules under a virtual clock, with kills in between:
 * acknowledged ⊆ stored ⊆ offered, and without a key never a duplicate. A failing seed replays exactly.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../../src/base/clock.ts';
import { seededRandom } from '../../src/base/seeded-random.ts';
import { closeBooks, estateOf } from '../../src/coordinator/incarnations.ts';
import { EMPTY_LEDGER, type Ledger, addLedgers, addTables, settledRows } from '../../src/metrics/ledger.ts';
import { NO_USE } from '../../src/metrics/snapshot.ts';
import type { Assignment } from '../../src/plan/assignment.ts';
import { createTableMix } from '../../src/plan/table-mix.ts';
import type { Resume, WorkerLimits } from '../../src/protocol/messages.ts';
import {
  type CounterWriter,
  createCounterFile,
  exceptionListPath,
  readCounterFile,
} from '../../src/worker/counter-file.ts';
import {
  type BodyWriter,
  type InsertPort,
  type InsertionLoop,
  createInsertionLoop,
} from '../../src/worker/insertion-loop.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import {
  REPLY_BYTES,
  type SimulatedTarget,
  type TargetFaults,
  createSimulatedTarget,
  outcomeOf,
  rangeBody,
  storedAll,
} from './simulated-target.ts';
import { bulkForm } from '../../src/rows/insert-form.ts';
import { folderFor } from '../support/folder.ts';

const folder = folderFor({ after });
let files = 0;

const LIMITS: WorkerLimits = {
  inFlight: 3,
  batchIntervalMs: 0,
  compression: 'none',
  maxBodyBytes: 1 << 20,
  bodyBytesBudget: null,
  timeoutMs: 5000,
  retries: 3,
  outageTimeoutMs: 120_000,
  blockTimeoutMs: 60_000,
  drainTimeoutMs: 15_000,
};
const NODES = 2;
/** Rows of table t are stored under their number and t times this. */
const TABLE_STEP = 1_000_000;
const DAY_MS = 86_400_000;

const CALM: TargetFaults = { trouble: 0, constraint: -1, poison: [], windows: [] };

function assignmentOf(rows: number | null, durationMs: number | null = null): Assignment {
  return {
    globalIndex: 0,
    globalCount: 1,
    batchSize: 20,
    rows,
    durationMs,
    pace: { kind: 'closed', rampUpMs: 0 },
    warmUpMs: 0,
  };
}

interface Life {
  readonly loop: InsertionLoop;
  readonly path: string;
  /** Nothing more is written; the file is gone. */
  close(): void;
}

function begin(parts: {
  clock: Clock;
  random: () => number;
  target: InsertPort;
  assignment: Assignment;
  keyed: boolean;
  resume: Resume | null;
  limits?: Partial<WorkerLimits>;
  rowsPerRequest?: number;
  weights?: readonly number[];
  bodyOf?: (table: number) => BodyWriter;
}): Life {
  const path = join(folder, `worker-${files++}`);
  const limits = { ...LIMITS, ...parts.limits };
  const weights = parts.weights ?? [1];
  const counters = createCounterFile(path, {
    workerIndex: 0,
    incarnation: 0,
    pid: 1,
    slots: limits.inFlight,
    tables: weights.length,
    firstBatch: parts.resume?.nextBatch ?? 0,
    globalCount: 1,
  });
  // A killed loop goes on under the virtual clock; what it would write must reach no file that came after.
  let isOpen = true;
  const closable: CounterWriter = {
    ...counters,
    writeSlot: (index, slot) => isOpen && counters.writeSlot(index, slot),
    appendException: (exception) => isOpen && counters.appendException(exception),
  };
  const { assignment, keyed, resume, clock, random, target } = parts;
  const loop = createInsertionLoop(
    {
      assignment,
      limits,
      keyed,
      tables: weights.map((weight) => ({
        form: bulkForm(''),
        weight,
        rowsPerRequest: parts.rowsPerRequest ?? 1000,
      })),
      resume,
      nodeCount: NODES,
    },
    {
      clock,
      random,
      port: target,
      bodies: Array.from({ length: limits.inFlight }, () =>
        weights.map((_, table) => (parts.bodyOf ?? bodyOf)(table)),
      ),
      compress: null,
      counters: closable,
      readUse: () => NO_USE,
      onBatch: null,
    },
  );
  const close = (): void => {
    isOpen = false;
    counters.close();
    for (const file of [path, exceptionListPath(path)]) rmSync(file, { force: true });
  };
  return { loop, path, close };
}

function bodyOf(table: number): BodyWriter {
  const body = rangeBody();
  return { write: (firstRow, rows) => body.write(table * TABLE_STEP + firstRow, rows) };
}

/** The stored rows of one table. */
function storedIn(table: number, stored: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  return new Map([...stored].filter(([row]) => Math.floor(row / TABLE_STEP) === table));
}

/** A loop that is never heard of again: its sends go on as a killed process's bytes would, its counters stop. */
function killable(target: SimulatedTarget): { target: SimulatedTarget; kill: () => void } {
  let isDead = false;
  const never = new Promise<never>(() => undefined);
  return {
    target: {
      stored: target.stored,
      settle: () => target.settle(),
      greet: (node, options) => target.greet(node, options),
      async insert(node, body, request) {
        if (isDead) return await never;
        const onHandedOver = (): void => {
          if (isDead) throw new Error('a dead process hands over nothing');
          request.onHandedOver();
        };
        const outcome = await target
          .insert(node, body, { ...request, onHandedOver })
          .catch(async (error: unknown) => {
            if (isDead) return await never;
            throw error;
          });
        return isDead ? await never : outcome;
      },
    },
    kill: () => {
      isDead = true;
    },
  };
}

function assertTruth(ledger: Ledger, stored: ReadonlyMap<number, number>, keyed: boolean): void {
  const total = [...stored.values()].reduce((sum, copies) => sum + copies, 0);
  assert.equal(ledger.offered, settledRows(ledger) + ledger.inFlight);
  assert.ok(ledger.acknowledged <= total, `${ledger.acknowledged} acknowledged, ${total} stored`);
  assert.ok(
    total <= ledger.acknowledged + ledger.unknown,
    `${total} stored, ${ledger.acknowledged} + ${ledger.unknown} may be`,
  );
  if (!keyed)
    assert.ok(
      [...stored.values()].every((copies) => copies === 1),
      'no row is stored twice',
    );
}

const schedules = fc.record({
  seed: fc.integer(),
  keyed: fc.boolean(),
  rows: fc.integer({ min: 1, max: 900 }),
  trouble: fc.constantFrom(0, 0.05, 0.3, 0.8),
  constraint: fc.integer({ min: -1, max: 16 }),
  poison: fc.array(fc.nat(899), { maxLength: 3 }),
  rowsPerRequest: fc.constantFrom(1000, 7),
  weights: fc.constantFrom([1], [2, 1], [1, 2, 5]),
  windows: fc.array(
    fc
      .record({
        kind: fc.constantFrom('down', 'blocked', 'overloaded', 'frozen'),
        fromMs: fc.nat(2000),
        lengthMs: fc.nat(20_000),
        node: fc.option(fc.nat(NODES - 1)),
      })
      .map(
        ({ lengthMs, ...window }) =>
          ({ ...window, toMs: window.fromMs + lengthMs }) as TargetFaults['windows'][number],
      ),
    { maxLength: 2 },
  ),
  /** When the worker is killed, in ms of each life. */
  kills: fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 3 }),
  /** When it is told to give up, or never. */
  abandonAtMs: fc.option(fc.nat(5000)),
});

test('in every schedule of faults and kills: acknowledged ⊆ stored ⊆ offered, and no duplicates', async () => {
  await fc.assert(
    fc.asyncProperty(schedules, async (plan) => {
      const clock = createVirtualClock();
      const random = seededRandom(plan.seed);
      const target = createSimulatedTarget(clock, random, plan, plan.keyed);
      const assignment = assignmentOf(plan.rows);
      const startAtNs = clock.monotonicNs();
      const mix = createTableMix(plan.weights);
      let [tables, inherited, next] = [[] as readonly Ledger[], [] as readonly number[], 0];
      for (const killAtMs of [...plan.kills, null]) {
        const mortal = killable(target);
        const resume = { nextBatch: next, resend: inherited, servedUntilNs: 0n };
        const life = begin({
          clock,
          random,
          target: mortal.target,
          assignment,
          keyed: plan.keyed,
          resume,
          rowsPerRequest: plan.rowsPerRequest,
          weights: plan.weights,
        });
        const running = life.loop.run(startAtNs);
        const isLast = killAtMs === null;
        if (isLast && plan.abandonAtMs !== null)
          void clock.sleep(plan.abandonAtMs).then(() => life.loop.abandon());
        const ended = await clock.runUntil(
          isLast
            ? running.then(() => true)
            : Promise.race([running.then(() => true), clock.sleep(killAtMs).then(() => false)]),
          DAY_MS,
        );
        if (!ended) mortal.kill();
        const word = readCounterFile(life.path);
        assert.ok(word);
        if (ended) {
          const said = life.loop.snapshot();
          const books = closeBooks(word, estateOf(word, inherited, plan.keyed), {
            assignment,
            mix,
            hasSuccessor: false,
            nowMs: 0,
            timeoutMs: LIMITS.timeoutMs,
          });
          assert.deepEqual(books.ledger, givenUp(said.ledger), 'the counter file agrees with the snapshot');
          assert.deepEqual(books.tables, said.tables.map(givenUp));
          assert.equal(books.batches.begun, said.batches.begun);
          assert.deepEqual([books.bodyBytes, books.replyBytes], [said.bodyBytes, said.replyBytes]);
        }
        life.close();
        const estate = estateOf(word, inherited, plan.keyed);
        const { timeoutMs } = LIMITS;
        const books = closeBooks(word, estate, {
          assignment,
          mix,
          hasSuccessor: !ended,
          nowMs: 0,
          timeoutMs,
        });
        assert.deepEqual(books.tables.reduce(addLedgers, EMPTY_LEDGER), books.ledger);
        tables = addTables(tables, books.tables);
        [inherited, next] = [estate.resend, estate.nextBatch];
        if (ended) break;
      }
      await clock.runUntil(target.settle(), DAY_MS);
      tables.forEach((ledger, table) => assertTruth(ledger, storedIn(table, target.stored), plan.keyed));
      const { offered } = tables.reduce(addLedgers, EMPTY_LEDGER);
      if (plan.abandonAtMs === null) assert.equal(offered, plan.rows);
    }),
    { numRuns: Number(process.env['CRATEGEN_SCHEDULES'] ?? 300), endOnFailure: true },
  );
});

/** What was to be sent again and never was is in flight for the loop, and unknown when its books are closed. */
function givenUp(ledger: Ledger): Ledger {
  return { ...ledger, unknown: ledger.unknown + ledger.inFlight, inFlight: 0 };
}

async function runWhole(
  faults: Partial<TargetFaults>,
  parts: { keyed: boolean; rows: number; limits?: Partial<WorkerLimits> },
): Promise<{ loop: InsertionLoop; target: SimulatedTarget; elapsedMs: number }> {
  const clock = createVirtualClock();
  const random = seededRandom(7);
  const target = createSimulatedTarget(clock, random, { ...CALM, ...faults }, parts.keyed);
  const startAtNs = clock.monotonicNs();
  const life = begin({
    clock,
    random,
    target,
    assignment: assignmentOf(parts.rows),
    resume: null,
    keyed: parts.keyed,
    limits: parts.limits ?? {},
  });
  await clock.runUntil(life.loop.run(startAtNs), DAY_MS);
  return { loop: life.loop, target, elapsedMs: Number(clock.monotonicNs() - startAtNs) / 1e6 };
}

test('a calm target stores every row in one attempt per batch', async () => {
  const { loop, target } = await runWhole({}, { keyed: false, rows: 1010 });
  const { ledger, batches, replyBytes } = loop.snapshot();
  assert.deepEqual(ledger, { ...EMPTY_LEDGER, offered: 1010, acknowledged: 1010 });
  assert.equal(replyBytes, 51 * REPLY_BYTES);
  assert.deepEqual(batches, { begun: 51, completed: 51, retried: 0, failed: 0 });
  assert.equal(target.stored.size, 1010);
});

test('one bad row in a batch that is refused whole costs that row alone', async () => {
  const { loop } = await runWhole({ poison: [5, 333] }, { keyed: false, rows: 1000 });
  assert.equal(loop.snapshot().ledger.rejected, 2);
  assert.equal(loop.snapshot().ledger.acknowledged, 998);
});

test('when the search for bad rows is spent, the rest of the batch is rejected under its own class', async () => {
  const poison = Array.from({ length: 20 }, (_, row) => row);
  const { loop } = await runWhole({ poison }, { keyed: false, rows: 20 });
  assert.equal(loop.snapshot().ledger.rejected, 20);
});

test('when nobody can be reached for 20 s the worker waits, spends no retry and fails nothing', async () => {
  const { loop, elapsedMs } = await runWhole(
    { windows: [{ kind: 'down', fromMs: 50, toMs: 20_050, node: null }] },
    { keyed: false, rows: 1000, limits: { retries: 0 } },
  );
  assert.deepEqual(loop.snapshot().ledger, { ...EMPTY_LEDGER, offered: 1000, acknowledged: 1000 });
  assert.equal(loop.snapshot().batches.retried, 0);
  assert.ok(elapsedMs < 25_000, `full rate within 5 s after the outage, not ${elapsedMs}`);
});

test('a blocked table is probed every five seconds and taken up again when the block is lifted', async () => {
  const { loop, elapsedMs } = await runWhole(
    { windows: [{ kind: 'blocked', fromMs: 50, toMs: 20_050, node: null }] },
    { keyed: true, rows: 1000 },
  );
  assert.equal(loop.snapshot().ledger.acknowledged, 1000);
  assert.ok(elapsedMs < 26_000);
  const blocked = loop.snapshot().errors.find((error) => error.class === 'blocked');
  assert.ok(
    blocked !== undefined && blocked.batches <= 3 + NODES * 5,
    `${blocked?.batches} requests while blocked`,
  );
});

test('a storm of refusals is answered with few requests and over within five seconds of its end', async () => {
  const { loop, elapsedMs } = await runWhole(
    { windows: [{ kind: 'overloaded', fromMs: 50, toMs: 10_050, node: null }] },
    { keyed: true, rows: 1000, limits: { retries: 100 } },
  );
  assert.equal(loop.snapshot().ledger.acknowledged, 1000);
  assert.ok(elapsedMs < 15_500, `${elapsedMs}`);
  const refused = loop.snapshot().errors.find((error) => error.class === 'overloaded');
  assert.ok(
    refused !== undefined && refused.batches < 80,
    `${refused?.batches} requests in a storm of ten seconds`,
  );
});

test('with one node of two down nothing waits and nothing fails', async () => {
  const { loop, elapsedMs } = await runWhole(
    { windows: [{ kind: 'down', fromMs: 0, toMs: DAY_MS, node: 1 }] },
    { keyed: false, rows: 2000, limits: { retries: 0 } },
  );
  assert.equal(loop.snapshot().ledger.acknowledged, 2000);
  assert.ok(elapsedMs < 2000);
  assert.equal(loop.snapshot().waiting, null);
});

test('impatience is shown when an outage or a block has lasted its time-out, and not before', async () => {
  const clock = createVirtualClock();
  const random = seededRandom(1);
  const target = createSimulatedTarget(
    clock,
    random,
    { ...CALM, windows: [{ kind: 'down', fromMs: 0, toMs: DAY_MS, node: null }] },
    true,
  );
  const life = begin({ clock, random, target, assignment: assignmentOf(100), resume: null, keyed: true });
  const running = life.loop.run(clock.monotonicNs());
  await clock.runUntil(clock.sleep(119_000), DAY_MS);
  assert.equal(life.loop.impatience(), null);
  assert.equal(life.loop.snapshot().waiting?.cause, 'outage');
  await clock.runUntil(clock.sleep(1100), DAY_MS);
  assert.equal(life.loop.impatience(), 'outage');
  life.loop.abandon();
  await clock.runUntil(running, 1000);
  assert.deepEqual(life.loop.snapshot().ledger, { ...EMPTY_LEDGER, offered: 60, failed: 60 });
});

test('a run bounded by time starts nothing after it and lets what is in flight end', async () => {
  const clock = createVirtualClock();
  const random = seededRandom(3);
  const target = createSimulatedTarget(clock, random, CALM, true);
  const life = begin({
    clock,
    random,
    target,
    assignment: assignmentOf(null, 1000),
    resume: null,
    keyed: true,
  });
  const startAtNs = clock.monotonicNs();
  await clock.runUntil(life.loop.run(startAtNs), DAY_MS);
  const { ledger } = life.loop.snapshot();
  assert.equal(ledger.offered, ledger.acknowledged);
  assert.ok(ledger.acknowledged > 500);
  assert.ok(Number(clock.monotonicNs() - startAtNs) / 1e6 < 1030);
});

test('healthy nodes get the same share, and each row is credited to the node that acknowledged it', async () => {
  const { loop } = await runWhole({}, { keyed: true, rows: 20_000 });
  const { nodes, ledger } = loop.snapshot();
  const requests = nodes.map((node) => node.requests);
  assert.equal(requests[0], 1000 - (requests[1] ?? 0));
  assert.ok(Math.abs((requests[0] ?? 0) - 500) < 25, JSON.stringify(requests));
  const credited = nodes.reduce((sum, node) => sum + node.acknowledged, 0);
  assert.equal(credited, ledger.acknowledged);
});

for (const inFlight of [1, 3]) {
  test(`a node that takes requests and never answers holds up no more than its share of ${inFlight} in flight`, async () => {
    const { loop, elapsedMs } = await runWhole(
      { windows: [{ kind: 'frozen', fromMs: 50, toMs: DAY_MS, node: 1 }] },
      { keyed: true, rows: 4000, limits: { inFlight } },
    );
    const { nodes, ledger } = loop.snapshot();
    assert.equal(ledger.acknowledged, 4000);
    assert.ok((nodes[1]?.errors[0]?.batches ?? 0) <= Math.ceil(inFlight / NODES));
    // The deadline of the requests that hang is 5 s; all others go on meanwhile and after it.
    assert.ok(elapsedMs < 9000, `${elapsedMs}`);
  });
}

test('when shards have a primary again, slow batches that wait for budget are all on their way within five seconds', async () => {
  const clock = createVirtualClock();
  const random = seededRandom(11);
  const calm = createSimulatedTarget(clock, random, CALM, true);
  const [backAtMs, serviceMs, inFlight] = [30_000, 400, 32];
  let inFlightNow = 0;
  const target: SimulatedTarget = {
    ...calm,
    async insert(node, body, request) {
      inFlightNow += 1;
      const isLost = clock.monotonicMs() - startMs < backAtMs;
      await clock.sleep(serviceMs, request.signal);
      const outcome = await calm.insert(node, body, request);
      inFlightNow -= 1;
      if (!isLost) return outcome;
      const { rows } = request;
      return {
        ...outcome,
        condition: 'troubled',
        rows: { acknowledged: 0, rejected: 0, notStored: 0, unknown: rows },
        failures: [{ class: 'shardUnavailable', code: 5002, rows, example: 'primary shard is not active' }],
      };
    },
  };
  const limits = { inFlight, retries: 1000 };
  const startMs = clock.monotonicMs();
  const assignment = assignmentOf(null, backAtMs + 10_000);
  const life = begin({ clock, random, target, assignment, resume: null, keyed: true, limits });
  const running = life.loop.run(clock.monotonicNs());
  await clock.runUntil(clock.sleep(backAtMs), DAY_MS);
  assert.ok(inFlightNow <= 2, `without budget ${inFlightNow} probe the cluster`);
  await clock.runUntil(clock.sleep(5000), DAY_MS);
  assert.equal(inFlightNow, inFlight);
  await clock.runUntil(running, DAY_MS);
  const { ledger } = life.loop.snapshot();
  assert.deepEqual(ledger, { ...EMPTY_LEDGER, offered: ledger.offered, acknowledged: ledger.offered });
  life.close();
});

test('when a node was out, and why, is in the books of that node alone', async () => {
  const { loop } = await runWhole(
    { windows: [{ kind: 'down', fromMs: 50, toMs: 3050, node: 1 }] },
    { keyed: true, rows: 40_000 },
  );
  const { nodes } = loop.snapshot();
  assert.deepEqual(nodes[0]?.outages, []);
  const [outage, ...others] = nodes[1]?.outages ?? [];
  assert.deepEqual([others.length, outage?.why], [0, 'refused']);
  assert.ok(outage !== undefined && outage.fromMs >= 50 && outage.fromMs < 200);
  assert.ok(outage.toMs !== null && outage.toMs >= 3050 && outage.toMs < 5050, JSON.stringify(outage));
});

test('of replies that come in one turn all are read before more batches are made than a turn has time for', async () => {
  const inFlight = 10;
  let nowMs = 0;
  const clock: Clock = {
    monotonicNs: () => BigInt(nowMs * 1e6),
    monotonicMs: () => nowMs,
    wallMs: () => nowMs,
    sleep: () => Promise.resolve(),
  };
  const answers: (() => void)[] = [];
  const target: InsertPort = {
    greet: () => Promise.reject(new Error('nobody is out')),
    insert: (_node, _body, { rows, onHandedOver }) =>
      new Promise((resolve) => {
        onHandedOver();
        answers.push(() => resolve(storedAll(rows, 1000)));
      }),
  };
  const readWhenMade: number[] = [];
  const slowBody = (): BodyWriter => ({
    write() {
      readWhenMade.push(life.loop.snapshot().answers.requests);
      nowMs += 2;
      return new Uint8Array();
    },
  });
  const life = begin({
    clock,
    random: () => 0.5,
    target,
    assignment: assignmentOf(2 * inFlight * 20),
    resume: null,
    keyed: true,
    limits: { inFlight },
    bodyOf: slowBody,
  });
  const running = life.loop.run(0n);
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (const round of [1, 2]) {
    while (readWhenMade.length < round * inFlight) await nextTurn();
    for (const answer of answers.splice(0)) setImmediate(answer);
  }
  await running;
  life.close();
  const first = new Array<number>(inFlight).fill(0);
  assert.deepEqual(readWhenMade, [...first, 1, 2, ...new Array<number>(inFlight - 2).fill(inFlight)]);
});

test('what was sent and not answered may have been written until its attempt was over', async () => {
  const clock = createVirtualClock();
  const silent: InsertPort = {
    ...createSimulatedTarget(clock, () => 0.5, CALM, false),
    async insert(_node, _body, { rows, onHandedOver }) {
      onHandedOver();
      await clock.sleep(5000);
      return outcomeOf({ acknowledged: 0, rejected: 0, notStored: 0, unknown: rows });
    },
  };
  const parts = { clock, random: () => 0.5, target: silent, keyed: false, resume: null };
  const life = begin({ ...parts, assignment: assignmentOf(20) });
  const beganMs = clock.monotonicMs();
  await clock.runUntil(life.loop.run(clock.monotonicNs()), DAY_MS);
  const [exception] = readCounterFile(life.path)?.exceptions ?? [];
  assert.equal((exception?.lastByteAtMs ?? 0) - beganMs, 5000);
  life.close();
});

test('what a killed worker had on its way may have been written until its death, or its deadline', async () => {
  const clock = createVirtualClock();
  const silent: InsertPort = {
    ...createSimulatedTarget(clock, () => 0.5, CALM, false),
    insert(_node, _body, { onHandedOver }) {
      onHandedOver();
      return new Promise(() => undefined);
    },
  };
  const parts = { clock, random: () => 0.5, target: silent, keyed: false, resume: null };
  const assignment = assignmentOf(20);
  const life = begin({ ...parts, assignment });
  void life.loop.run(clock.monotonicNs());
  await clock.runUntil(clock.sleep(1000), DAY_MS);
  const word = readCounterFile(life.path);
  assert.ok(word);
  const handedOverAtMs = clock.monotonicMs() - 1000;
  const lastByteAfterMs = (goneAfterMs: number): number => {
    const closing = {
      assignment,
      mix: createTableMix([1]),
      hasSuccessor: false,
      timeoutMs: LIMITS.timeoutMs,
    };
    const nowMs = handedOverAtMs + goneAfterMs;
    const { exceptions } = closeBooks(word, estateOf(word, [], false), { ...closing, nowMs });
    return (exceptions[0]?.lastByteAtMs ?? 0) - handedOverAtMs;
  };
  assert.equal(lastByteAfterMs(3000), 3000);
  assert.equal(lastByteAfterMs(60_000), 5000);
  life.close();
});

test('rows that the table had are told of once, and not when this run may have stored them itself', async () => {
  const clock = createVirtualClock();
  let requests = 0;
  const target: InsertPort = {
    ...createSimulatedTarget(clock, () => 0.5, CALM, true),
    insert(_node, _body, { rows, onHandedOver }) {
      onHandedOver();
      requests += 1;
      const unanswered = { acknowledged: 0, rejected: 0, notStored: 0, unknown: rows };
      const outcome =
        requests === 1 ? outcomeOf(unanswered, { condition: 'troubled' }) : storedAll(rows, 1000);
      return Promise.resolve({ ...outcome, alreadyThere: requests === 1 ? 0 : 5 });
    },
  };
  const parts = { clock, random: () => 0.5, target, keyed: true, resume: null, limits: { inFlight: 1 } };
  const life = begin({ ...parts, assignment: assignmentOf(40) });
  await clock.runUntil(life.loop.run(clock.monotonicNs()), DAY_MS);
  const { errors, ledger } = life.loop.snapshot();
  assert.deepEqual([requests, ledger.acknowledged], [3, 40]);
  assert.deepEqual(
    errors.map(({ class: name, rows, batches }) => [name, rows, batches]),
    [['alreadyThere', 5, 1]],
  );
  life.close();
});

test('with a key the parts of a batch count when it is over, as it is sent again whole when its worker dies', async () => {
  const clock = createVirtualClock();
  const target: InsertPort = {
    ...createSimulatedTarget(clock, () => 0.5, CALM, true),
    async insert(_node, _body, { rows, onHandedOver }) {
      onHandedOver();
      await clock.sleep(100);
      return storedAll(rows, 100_000);
    },
  };
  const parts = {
    clock,
    random: () => 0.5,
    target,
    resume: null,
    limits: { inFlight: 1 },
    rowsPerRequest: 5,
  };
  const acknowledgedAfter = async (keyed: boolean, ms: number): Promise<readonly number[]> => {
    const life = begin({ ...parts, keyed, assignment: assignmentOf(20) });
    void life.loop.run(clock.monotonicNs());
    await clock.runUntil(clock.sleep(ms), DAY_MS);
    const { ledger, nodes } = life.loop.snapshot();
    assert.equal(ledger.offered, 20);
    life.close();
    return [ledger.acknowledged, ledger.inFlight, nodes.reduce((sum, node) => sum + node.acknowledged, 0)];
  };
  assert.deepEqual(await acknowledgedAfter(true, 350), [0, 20, 0]);
  assert.deepEqual(await acknowledgedAfter(true, 450), [20, 0, 20]);
  assert.deepEqual(await acknowledgedAfter(false, 350), [15, 5, 15]);
});
