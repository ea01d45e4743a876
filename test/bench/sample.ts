/**
 * One sample in a process of its own: does its task until warm, then so long again while CPU time is counted, and
 * prints one line of JSON. `node test/bench/sample.ts '{"task":…}'` runs (and profiles) a single one by hand.
 */
import { argv } from 'node:process';
import type { PresetName } from '../../src/rows/presets.ts';
import type { AxiosBody } from './axios-client.ts';
import { openLoop, readyBodies, readyWriter, workloadOf } from './workload.ts';

export interface InsertTask {
  readonly task: 'insert';
  readonly url: string;
  readonly preset: PresetName;
  readonly batchSize: number;
  readonly inFlight: number;
  /** crategen's loop with ready bodies, the same with rows generated on the way, or axios with ready bodies. */
  readonly client: 'ready' | 'generating' | `axios ${AxiosBody}`;
  readonly batches: number;
}

export interface GenerateTask {
  readonly task: 'generate';
  readonly preset: PresetName;
  readonly rows: number;
}

export type Task = InsertTask | GenerateTask;

export interface Sample {
  readonly rows: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
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

async function insert(task: InsertTask): Promise<Sample> {
  const { url, batchSize, inFlight, client, batches } = task;
  const workload = await workloadOf(task.preset);
  const bodies = client === 'generating' ? [] : readyBodies(workload, batchSize);
  const as = axiosBodyOf(client);
  const writers =
    client === 'generating'
      ? workload.createBodies(batchSize, inFlight)
      : Array.from({ length: inFlight }, () => readyWriter(bodies, batchSize));
  const sender =
    as === null
      ? openLoop({ url, batchSize, bodies: writers })
      : (await import('./axios-client.ts')).openAxios({ url, batchSize, inFlight, bodies, as });
  const sample = await measure(batches * batchSize, () => sender.send(batches));
  await sender.close();
  return sample;
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

async function generate(task: GenerateTask): Promise<Sample> {
  const bodies = (await workloadOf(task.preset)).createBodies(GENERATED_BATCH, GENERATED_BODIES);
  return await measure(task.rows, async () => {
    for (let row = 0; row < task.rows; row += GENERATED_BATCH) {
      bodies[(row / GENERATED_BATCH) % GENERATED_BODIES]?.write(row, GENERATED_BATCH);
    }
  });
}

// The only caller is main.ts, of the same build: its line is the type it is sent as.
const task = JSON.parse(argv[2] ?? '') as Task;
const sample = task.task === 'insert' ? await insert(task) : await generate(task);
process.stdout.write(`${JSON.stringify(sample)}\n`);
