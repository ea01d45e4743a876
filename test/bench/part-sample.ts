/**
 * One part of a worker in a process of its own: does it until warm, then so often again while CPU time is counted,
 * and prints one line of JSON. Forked by part-figures.ts, whose end of the line discards what comes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { systemClock } from '../../src/base/clock.ts';
import { createAllStoredCheck } from '../../src/cratedb/reply.ts';
import { createHistogram, record } from '../../src/metrics/histogram.ts';
import { ipcLink } from '../../src/protocol/link.ts';
import type { UpMessage } from '../../src/protocol/messages.ts';
import { packSnapshot } from '../../src/protocol/packed-snapshot.ts';
import { createCounterFile } from '../../src/worker/counter-file.ts';
import { type InsertionLoop, createInsertionLoop } from '../../src/worker/insertion-loop.ts';
import { createUseReader } from '../../src/worker/process-use.ts';
import { loopSettings } from './workload.ts';

export interface PartTask {
  /** A histogram's record, the two ways to read a reply, or a worker's report to its parent. */
  readonly part: 'record' | 'reply compared' | 'reply parsed' | 'report';
  readonly times: number;
}

export interface PartSample {
  readonly times: number;
  readonly cpuSeconds: number;
}

const REPLY_ROWS = 10_000;
/** As a socket hands it over. */
const PIECE_BYTES = 65_536;
/** A power of two, more than a branch predictor learns. */
const LATENCIES = 65_536;
/**
 * So many are recorded by a function that is called anew: V8 compiles it as it does what a worker calls for each batch. A
 * loop that never ends it compiles on the way, to code that takes up to twice as long.
 */
const LATENCIES_PER_CALL = 1000;
const SLOTS = 20;
const REPORT_INTERVAL_MS = 250;
/** Until all that a report does is compiled, the last of it after 400; a worker's first minutes are as many. */
const WARM_REPORTS = 600;
const WARM_INTERVAL_MS = 5;

async function cpuSecondsOf(work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** The CPU time of the second of two equal runs. */
async function measure(times: number, work: () => void): Promise<PartSample> {
  work();
  return { times, cpuSeconds: await cpuSecondsOf(work) };
}

/** Service times between 0.1 ms and 10 s, equally many in each octave. */
function recordLatencies(times: number): Promise<PartSample> {
  const latenciesUs = Float64Array.from({ length: LATENCIES }, () => 100 * 10 ** (5 * Math.random()));
  const histogram = createHistogram();
  const recordSome = (from: number): void => {
    for (let index = from; index < from + LATENCIES_PER_CALL; index += 1)
      record(histogram, latenciesUs[index & (LATENCIES - 1)] ?? 0);
  };
  return measure(times, () => {
    for (let from = 0; from < times; from += LATENCIES_PER_CALL) recordSome(from);
  });
}

function reply(): Buffer {
  const results = new Array<string>(REPLY_ROWS).fill('{"rowcount":1}').join(',');
  return Buffer.from(`{"cols":[],"duration":12.345678,"results":[${results}]}`);
}

function compareReplies(times: number): Promise<PartSample> {
  const bytes = reply();
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, index) =>
    bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
  );
  const saysAllStored = createAllStoredCheck();
  return measure(times, () => {
    for (let index = 0; index < times; index += 1)
      if (!saysAllStored(pieces, REPLY_ROWS)) throw new Error('the reply says that all rows are stored');
  });
}

/** From text, without the decoding that a client has to do before. */
function parseReplies(times: number): Promise<PartSample> {
  const text = reply().toString();
  return measure(times, () => {
    for (let index = 0; index < times; index += 1) {
      const { results } = JSON.parse(text) as { results: unknown[] };
      if (results.length !== REPLY_ROWS) throw new Error(`${results.length} results`);
    }
  });
}

/** All that a worker does four times a second, at that pace, with its wake-ups; nothing else runs. */
async function report(times: number): Promise<PartSample> {
  const folder = mkdtempSync(join(tmpdir(), 'crategen-bench-'));
  const link = ipcLink<UpMessage>(process);
  const facts = { workerIndex: 0, incarnation: 0 };
  const counters = createCounterFile(join(folder, 'counters'), {
    ...facts,
    pid: process.pid,
    slots: SLOTS,
    tables: 1,
    firstBatch: 0,
    globalCount: 1,
  });
  const loop = idleLoop(counters);
  // What the end of a worker would abort: to listen for it costs each wait a tenth.
  const over = new AbortController();
  const reports = async (count: number, intervalMs: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      await systemClock.sleep(intervalMs, over.signal);
      loop.impatience();
      const snapshot = loop.snapshot();
      counters.writeUse(snapshot.use);
      await link.send({ type: 'progress', ...facts, snapshot: packSnapshot(snapshot) });
    }
  };
  await reports(WARM_REPORTS, WARM_INTERVAL_MS);
  const cpuSeconds = await cpuSecondsOf(() => reports(times, REPORT_INTERVAL_MS));
  counters.close();
  rmSync(folder, { recursive: true });
  link.disconnect();
  return { times, cpuSeconds };
}

/** A worker's loop that was never started: its snapshot has all the slots and both histograms. */
function idleLoop(counters: ReturnType<typeof createCounterFile>): InsertionLoop {
  return createInsertionLoop(
    loopSettings({ batchSize: 1000, rows: null, inFlight: SLOTS, compression: 'none' }),
    {
      clock: systemClock,
      random: Math.random,
      port: {
        greet: () =>
          Promise.resolve({ ok: true, kind: 'discard', version: '0', clusterName: 'c', name: 'n' } as const),
        insert: () => Promise.reject(new Error('nothing is sent')),
      },
      bodies: Array.from({ length: SLOTS }, () => [{ write: () => new Uint8Array() }]),
      compress: null,
      counters,
      readUse: createUseReader(),
      onBatch: null,
    },
  );
}

function sampleOf({ part, times }: PartTask): Promise<PartSample> {
  switch (part) {
    case 'record':
      return recordLatencies(times);
    case 'reply compared':
      return compareReplies(times);
    case 'reply parsed':
      return parseReplies(times);
    case 'report':
      return report(times);
  }
}

// The only caller is part-figures.ts, of the same build: its line is the type it is sent as.
const sample = await sampleOf(JSON.parse(argv[2] ?? '') as PartTask);
process.stdout.write(`${JSON.stringify(sample)}\n`);
