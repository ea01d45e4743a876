/**
 * One sample in a process of its own: does its task until warm, then so long again while CPU time is counted, and
 * prints one line of JSON. `node test/bench/sample.ts '{"task":…}'` runs (and profiles) a single one by hand.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { argv } from 'node:process';
import { GCProfiler } from 'node:v8';
import { deflateSync } from 'node:zlib';
import type { PresetName } from '../../src/rows/presets.ts';
import type { AxiosBody } from './axios-client.ts';
import { openLoop, readyBodies, readyWriter, workloadOf } from './workload.ts';

export interface InsertTask {
  readonly task: 'insert';
  readonly url: string;
  readonly preset: PresetName;
  readonly batchSize: number;
  readonly inFlight: number;
  /**
   * crategen's loop with ready bodies, with rows generated (and deflated) on the way; axios with ready bodies, or
   * with rows that are made as objects and turned into JSON on the way.
   */
  readonly client: 'ready' | 'generating' | 'deflating' | `axios ${AxiosBody}` | 'plain';
  /** They are sent twice, to be warm and to be measured, and once more when garbage is counted. */
  readonly batches: number;
  readonly countsGarbage?: boolean;
}

export interface GenerateTask {
  readonly task: 'generate';
  readonly preset: PresetName;
  readonly rows: number;
  /** Bodies in plain text, as DEFLATE by crategen's own code, or deflated by zlib at level 1. */
  readonly as: 'plain' | 'deflate' | 'zlib';
}

export type Task = InsertTask | GenerateTask;

export interface Sample {
  readonly rows: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** Of the bodies, where they were made to be counted. */
  readonly bodyBytes?: number;
  /** How late the event loop was, at the 99th percentile, while batches were sent. */
  readonly loopDelayP99Ms?: number;
  /** Bytes of JavaScript objects made per batch, and dropped again; where they were to be counted. */
  readonly garbageBytesPerBatch?: number;
}

const GENERATED_BATCH = 1000;
/** As many as a worker has in flight: they fill no cache. */
const GENERATED_BODIES = 20;

async function measure(rows: number, work: () => Promise<void>): Promise<Sample> {
  await work();
  const [before, startedMs] = [process.resourceUsage(), performance.now()];
  await work();
  const after = process.resourceUsage();
  const cpuUs = after.userCPUTime - before.userCPUTime + after.systemCPUTime - before.systemCPUTime;
  return { rows, cpuSeconds: cpuUs / 1e6, wallSeconds: (performance.now() - startedMs) / 1000 };
}

interface Sender {
  send(batches: number): Promise<void>;
  close(): Promise<void>;
}

async function insert(task: InsertTask): Promise<Sample> {
  const { batchSize, batches } = task;
  const sender = task.client === 'plain' ? await openPlain(task) : await openSender(task);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let isWarm = false;
  const sample = await measure(batches * batchSize, async () => {
    if (isWarm) delay.enable();
    await sender.send(batches);
    isWarm = true;
  });
  delay.disable();
  const garbageBytes = task.countsGarbage === true ? await garbageOf(() => sender.send(batches)) : null;
  await sender.close();
  return {
    ...sample,
    loopDelayP99Ms: delay.percentile(99) / 1e6,
    ...(garbageBytes === null ? {} : { garbageBytesPerBatch: garbageBytes / batches }),
  };
}

/** Bytes of the JavaScript heap that `work` took, whether collected since or not. */
async function garbageOf(work: () => Promise<void>): Promise<number> {
  const profiler = new GCProfiler();
  let level = process.memoryUsage().heapUsed;
  profiler.start();
  await work();
  const end = process.memoryUsage().heapUsed;
  let bytes = 0;
  for (const { beforeGC, afterGC } of profiler.stop().statistics) {
    bytes += beforeGC.heapStatistics.usedHeapSize - level;
    level = afterGC.heapStatistics.usedHeapSize;
  }
  return bytes + end - level;
}

async function openPlain({ url, preset, batchSize, inFlight }: InsertTask): Promise<Sender> {
  if (preset === 'everything') throw new RangeError('no plain rows of everything');
  const { statement } = await workloadOf(preset);
  const { openPlainAxios } = await import('./axios-client.ts');
  const { plainRows } = await import('./plain-rows.ts');
  return openPlainAxios({ url, batchSize, inFlight, statement, rowOf: plainRows(preset) });
}

async function openSender(task: InsertTask): Promise<Sender> {
  const { url, batchSize, inFlight, client } = task;
  const workload = await workloadOf(task.preset);
  const isMade = client !== 'generating' && client !== 'deflating';
  const bodies = isMade ? readyBodies(workload, batchSize) : [];
  const as = axiosBodyOf(client);
  const writers = isMade
    ? Array.from({ length: inFlight }, () => readyWriter(bodies, batchSize))
    : client === 'deflating'
      ? workload.createDeflatedBodies(batchSize, inFlight)
      : workload.createBodies(batchSize, inFlight);
  return as === null
    ? openLoop({ url, batchSize, bodies: writers, ...(client === 'deflating' && { encoding: 'deflate' }) })
    : (await import('./axios-client.ts')).openAxios({ url, batchSize, inFlight, bodies, as });
}

function axiosBodyOf(client: InsertTask['client']): AxiosBody | null {
  switch (client) {
    case 'axios bytes':
      return 'bytes';
    case 'axios string':
      return 'string';
    case 'axios defaults':
      return 'defaults';
    default:
      return null;
  }
}

async function generate({ preset, rows, as }: GenerateTask): Promise<Sample> {
  const workload = await workloadOf(preset);
  const bodies =
    as === 'deflate'
      ? workload.createDeflatedBodies(GENERATED_BATCH, GENERATED_BODIES)
      : workload.createBodies(GENERATED_BATCH, GENERATED_BODIES);
  let bodyBytes = 0;
  const sample = await measure(rows, async () => {
    bodyBytes = 0;
    for (let row = 0; row < rows; row += GENERATED_BATCH) {
      const body = bodies[(row / GENERATED_BATCH) % GENERATED_BODIES]?.write(row, GENERATED_BATCH);
      if (body !== undefined)
        bodyBytes += as === 'zlib' ? deflateSync(body, { level: 1 }).length : body.length;
    }
  });
  return { ...sample, bodyBytes };
}

// The only caller is main.ts, of the same build: its line is the type it is sent as.
const task = JSON.parse(argv[2] ?? '') as Task;
const sample = task.task === 'insert' ? await insert(task) : await generate(task);
process.stdout.write(`${JSON.stringify(sample)}\n`);
