/**
 * A worker that may be killed between any two steps, any number of times: whatever its counter files say, every
 * batch that was begun is in the books once, with all its rows in a state.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import {
  EMPTY_LEDGER,
  NO_BATCHES,
  type Ledger,
  type RowCounts,
  addBatches,
  addLedgers,
  addTables,
  addRows,
  settledRows,
} from '../../src/metrics/ledger.ts';
import { type Assignment, rowsOfBatch } from '../../src/plan/assignment.ts';
import { createTableMix } from '../../src/plan/table-mix.ts';
import { closeBooks, estateOf } from '../../src/coordinator/incarnations.ts';
import { resumeOf } from '../../src/coordinator/resume.ts';
import {
  type CounterWriter,
  type SlotCounters,
  createCounterFile,
  emptySlot,
  readCounterFile,
  silentWord,
} from '../../src/worker/counter-file.ts';
import { folderFor } from '../support/folder.ts';

const folder = folderFor({ after });

const SLOTS = 3;
const WEIGHTS = [1, 2, 5];
const mix = createTableMix(WEIGHTS);
const assignment: Assignment = {
  globalIndex: 1,
  globalCount: 2,
  batchSize: 10,
  rows: 437,
  durationMs: null,
  pace: { kind: 'closed', rampUpMs: 0 },
  warmUpMs: 0,
};

/** One step of a slot: what a real loop writes to its record, in the same order. */
interface Step {
  readonly slot: number;
  readonly outcome: 'acknowledged' | 'rejected' | 'failed' | 'unknown';
  readonly parts: number;
}

const steps = fc.array(
  fc.record({
    slot: fc.nat(SLOTS - 1),
    outcome: fc.constantFrom('acknowledged', 'acknowledged', 'rejected', 'failed', 'unknown'),
    parts: fc.integer({ min: 1, max: 3 }),
  }) as fc.Arbitrary<Step>,
  { maxLength: 60 },
);

/** Performs the steps until the kill; every write is one step of the machine. */
class Incarnation {
  /** For each slot the counters of each table, and those of the table that it serves. */
  readonly slots = Array.from({ length: SLOTS }, () => {
    const books = WEIGHTS.map((_, table) => emptySlot(table));
    return { books, table: 0 };
  });
  readonly #file: CounterWriter;
  readonly #resend: readonly number[];
  #taken = 0;
  #next: number;

  constructor(path: string, number: number, next: number, resend: readonly number[]) {
    this.#file = createCounterFile(path, {
      workerIndex: 0,
      incarnation: number,
      pid: 1,
      slots: SLOTS,
      tables: WEIGHTS.length,
      firstBatch: next,
      globalCount: assignment.globalCount,
    });
    this.#next = next;
    this.#resend = resend;
  }

  close(): void {
    this.#file.close();
  }

  perform({ slot: index, outcome, parts }: Step, begun: Set<number>): void {
    const slot = this.#serving(index);
    if (slot.phase === 'idle') return this.#begin(index, begun);
    if (slot.phase === 'begun') slot.phase = 'handedOver';
    else this.#settlePart(slot, outcome, parts);
    this.#file.writeSlot(index, slot);
  }

  #serving(index: number): SlotCounters {
    const slot = this.slots[index];
    const book = slot?.books[slot.table];
    assert.ok(book);
    return book;
  }

  #begin(index: number, begun: Set<number>): void {
    const again = this.#resend[this.#taken];
    const batch = again ?? this.#next;
    const rows = rowsOfBatch(assignment, batch);
    if (rows === 0) return;
    Object.assign(this.slots[index] ?? {}, { table: mix.placeOf(batch).table });
    const slot = this.#serving(index);
    if (again !== undefined) this.#taken += 1;
    else this.#next += assignment.globalCount;
    begun.add(batch);
    Object.assign(slot, {
      phase: 'begun',
      batch,
      batchRows: rows,
      settled: { acknowledged: 0, rejected: 0, failed: 0, unknown: 0 },
      resendTaken: this.#taken,
    });
    slot.batches = addBatches(slot.batches, { ...NO_BATCHES, begun: 1 });
    this.#file.writeSlot(index, slot);
  }

  #settlePart(slot: SlotCounters, outcome: Step['outcome'], parts: number): void {
    const open = slot.batchRows - settledRows(slot.settled);
    const part: RowCounts = {
      acknowledged: 0,
      rejected: 0,
      failed: 0,
      unknown: 0,
      [outcome]: Math.ceil(open / parts),
    };
    slot.settled = addRows(slot.settled, part);
    if (settledRows(slot.settled) < slot.batchRows) {
      slot.phase = 'begun';
      return;
    }
    const endedBadly = slot.settled.failed + slot.settled.unknown > 0;
    if (endedBadly) this.#file.appendException({ batch: slot.batch, ...slot.settled, lastByteAtMs: 1 });
    slot.rows = addRows(slot.rows, slot.settled);
    slot.batches = addBatches(slot.batches, { ...NO_BATCHES, completed: 1, failed: endedBadly ? 1 : 0 });
    Object.assign(slot, {
      phase: 'idle',
      batchRows: 0,
      settled: { acknowledged: 0, rejected: 0, failed: 0, unknown: 0 },
    });
  }
}

let files = 0;

function offeredOf(table: number, begun: ReadonlySet<number>): number {
  return [...begun]
    .filter((batch) => mix.placeOf(batch).table === table)
    .reduce((sum, batch) => sum + rowsOfBatch(assignment, batch), 0);
}

test('killed between any two writes, any number of times, every begun batch is in the books exactly once', () => {
  fc.assert(
    fc.property(
      fc.array(steps, { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      fc.boolean(),
      (lives, keyed, diesBeforeItsFile) => {
        const begun = new Set<number>();
        let [ledger, tables, batches, inherited, next] = [
          EMPTY_LEDGER,
          [] as readonly Ledger[],
          NO_BATCHES,
          [] as readonly number[],
          assignment.globalIndex,
        ];
        const exceptions: {
          batch: number;
          failed: number;
          unknown: number;
          acknowledged: number;
          rejected: number;
        }[] = [];
        lives.forEach((life, number) => {
          const path = join(folder, `worker-${files++}`);
          const isSilent = diesBeforeItsFile && number === 1;
          if (!isSilent) {
            const incarnation = new Incarnation(path, number, next, inherited);
            life.forEach((step) => incarnation.perform(step, begun));
            incarnation.close();
          }
          const word = readCounterFile(path) ?? silentWord(next);
          const estate = estateOf(word, inherited, keyed);
          const books = closeBooks(word, estate, {
            assignment,
            mix,
            hasSuccessor: number < lives.length - 1,
            nowMs: 5,
            timeoutMs: 1000,
          });
          ledger = addLedgers(ledger, books.ledger);
          tables = addTables(tables, books.tables);
          batches = addBatches(batches, books.batches);
          exceptions.push(...books.exceptions);
          inherited = estate.resend;
          next = estate.nextBatch;
        });
        const offered = [...begun].reduce((sum, batch) => sum + rowsOfBatch(assignment, batch), 0);
        assert.equal(ledger.offered, offered);
        WEIGHTS.forEach((_, table) => assert.equal(tables[table]?.offered ?? 0, offeredOf(table, begun)));
        assert.equal(settledRows(ledger), offered);
        assert.equal(batches.begun, begun.size);
        assert.equal(batches.completed, begun.size);
        assert.equal(
          exceptions.reduce((sum, batch) => sum + batch.failed + batch.unknown, 0),
          ledger.failed + ledger.unknown,
        );
        assert.equal(new Set(exceptions.map(({ batch }) => batch)).size, exceptions.length);
        assert.equal(batches.failed, exceptions.length);

        const resumed = resumeOf({ ledger, tables, batches: { ...batches, next, exceptions } }, keyed, mix);
        const again = resumed.resend.reduce((sum, batch) => sum + rowsOfBatch(assignment, batch), 0);
        assert.deepEqual(resumed.tables.reduce(addLedgers, EMPTY_LEDGER), resumed.ledger);
        assert.equal(resumed.ledger.offered, offered - again);
        assert.equal(settledRows(resumed.ledger), resumed.ledger.offered);
      },
    ),
    { numRuns: 300 },
  );
});

test('a counter file of another program, or one cut short, is no counter file', () => {
  assert.equal(readCounterFile(join(folder, 'missing')), null);
  const foreign = join(folder, 'foreign');
  writeFileSync(foreign, Buffer.alloc(4096, 7));
  assert.equal(readCounterFile(foreign), null);
  const short = join(folder, 'short');
  writeFileSync(short, Buffer.alloc(100));
  assert.equal(readCounterFile(short), null);
});
