/**
 * From the row plan to the reply, one process each: crategen's loop beside the plain client, then crategen's loop
 * alone with 1 to 1,000 requests in flight, and what a request leaves behind. The target reads nothing.
 */
import { type Figure, atLeast, atMost, figure, ratios } from './figures.ts';
import { type DiscardProcess, withDiscard, withNativeDiscard } from './fork-discard.ts';
import { runSample } from './insertion-figures.ts';
import type { PlainPreset } from './plain-rows.ts';
import { cpuSecondsOf } from './process-use.ts';
import type { Sample } from './sample.ts';

const PRESETS: readonly PlainPreset[] = ['metrics', 'records'];
const SHAPE = { batchSize: 10_000, inFlight: 20 } as const;
/** A sample of each takes one to three seconds. */
const BATCHES = { generating: 600, plain: 40 } as const;
const GOAL_TIMES = 12;

/** Each sample sends its batches twice: warm-up, then measured. */
const SENDINGS = 2;

/**
 * Rows per second and CPU per row of both clients, rows made on the way. The target in Node takes more of a core than
 * crategen does, and so sets its rate; the one in C takes next to nothing.
 */
export async function endToEndFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const task = { rows: SHAPE.batchSize, latencyMs: 0 };
  const figures = await withDiscard(task, (target) => presetFigures('', target, rounds));
  const native = await withNativeDiscard(task, (target) => presetFigures(', target in C', target, rounds));
  return [...figures, ...(native ?? [])];
}

async function presetFigures(suffix: string, target: DiscardProcess, rounds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const preset of PRESETS) {
    const group = `End to end, ${preset}, ${SHAPE.batchSize} rows a request, ${SHAPE.inFlight} in flight`;
    figures.push(...(await clientFigures(`${group}${suffix}`, target, preset, rounds)));
  }
  return figures;
}

async function clientFigures(
  group: string,
  target: DiscardProcess,
  preset: PlainPreset,
  rounds: number,
): Promise<Figure[]> {
  const samples: Record<keyof typeof BATCHES, Sample[]> = { generating: [], plain: [] };
  const targetCpu: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const client of ['generating', 'plain'] as const) {
      const before = cpuSecondsOf(target.pid);
      const sample = await runSample({
        task: 'insert',
        url: target.url,
        preset,
        client,
        batches: BATCHES[client],
        ...SHAPE,
      });
      const after = cpuSecondsOf(target.pid);
      samples[client].push(sample);
      if (client === 'generating' && before !== null && after !== null)
        targetCpu.push(((after - before) / (SENDINGS * sample.rows)) * 1e6);
    }
  }
  const rates = (client: keyof typeof BATCHES): number[] =>
    samples[client].map(({ rows, wallSeconds }) => rows / wallSeconds);
  const costs = (client: keyof typeof BATCHES): number[] =>
    samples[client].map(({ rows, cpuSeconds }) => (cpuSeconds / rows) * 1e6);
  return [
    figure(group, 'crategen', 'rows/s', rates('generating')),
    figure(group, 'axios, objects, JSON', 'rows/s', rates('plain')),
    figure(
      group,
      'rows/s, crategen ÷ axios',
      'times',
      ratios(rates('generating'), rates('plain')),
      atLeast(GOAL_TIMES, 'G4'),
    ),
    figure(group, 'crategen', 'CPU seconds per million rows', costs('generating')),
    figure(group, 'axios, objects, JSON', 'CPU seconds per million rows', costs('plain')),
    figure(
      group,
      'CPU per row, crategen ÷ axios',
      'times',
      ratios(costs('generating'), costs('plain')),
      atMost(1 / GOAL_TIMES, 'G4'),
    ),
    ...(targetCpu.length > 0
      ? [figure(group, 'the target itself, beside crategen', 'CPU seconds per million rows', targetCpu)]
      : []),
  ];
}

const LATENCY_MS = 50;
const LATENCY_BATCH = 1000;
/** Long enough to be steady: two seconds at the ideal, at most. */
const IN_FLIGHT = [
  { inFlight: 1, batches: 40, goal: null },
  { inFlight: 10, batches: 400, goal: null },
  { inFlight: 100, batches: 4000, goal: null },
  { inFlight: 1000, batches: 30_000, goal: 45 },
] as const;
const MAX_LOOP_DELAY_MS = 100;

/**
 * Requests per second as a share of in flight ÷ latency, and how late the event loop is. The target in Node takes as
 * much of a core as the client; beside one in C it is the client that is measured.
 */
export async function inFlightFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const group = `In flight at ${LATENCY_MS} ms of latency, metrics, ${LATENCY_BATCH} rows a request`;
  const task = { rows: LATENCY_BATCH, latencyMs: LATENCY_MS };
  const figures = await withDiscard(task, (target) => latencyFigures(group, target, rounds));
  const native = await withNativeDiscard(task, (target) =>
    latencyFigures(`${group}, target in C`, target, rounds),
  );
  return [...figures, ...(native ?? [])];
}

interface LatencySample extends Sample {
  /** Null where the kernel does not tell. */
  readonly targetCpuSeconds: number | null;
}

async function latencyFigures(group: string, target: DiscardProcess, rounds: number): Promise<Figure[]> {
  const samples = new Map<number, LatencySample[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const { inFlight, batches } of IN_FLIGHT) {
      const before = cpuSecondsOf(target.pid);
      const sample = await runSample({
        task: 'insert',
        url: target.url,
        preset: 'metrics',
        client: 'generating',
        batchSize: LATENCY_BATCH,
        inFlight,
        batches,
      });
      const after = cpuSecondsOf(target.pid);
      const targetCpuSeconds = before === null || after === null ? null : (after - before) / SENDINGS;
      samples.set(inFlight, [...(samples.get(inFlight) ?? []), { ...sample, targetCpuSeconds }]);
    }
  }
  return IN_FLIGHT.flatMap(({ inFlight, goal }) => {
    const taken = samples.get(inFlight) ?? [];
    const ideal = inFlight / (LATENCY_MS / 1000);
    const requests = ({ rows }: Sample): number => rows / LATENCY_BATCH;
    const shares = taken.map((each) => (requests(each) / each.wallSeconds / ideal) * 100);
    const delays = taken.map(({ loopDelayP99Ms }) => loopDelayP99Ms ?? Number.NaN);
    const costs = taken.map((each) => (each.cpuSeconds / requests(each)) * 1e6);
    const targetCosts = taken.flatMap((each) =>
      each.targetCpuSeconds === null ? [] : [(each.targetCpuSeconds / requests(each)) * 1e6],
    );
    return [
      figure(
        group,
        `${inFlight} in flight, of the ideal ${ideal} requests/s`,
        '%',
        shares,
        goal === null ? null : atLeast(goal, 'G10'),
      ),
      figure(
        group,
        `${inFlight} in flight, delay of the event loop, p99`,
        'ms',
        delays,
        atMost(MAX_LOOP_DELAY_MS, 'G10'),
      ),
      figure(group, `${inFlight} in flight, CPU of the client`, 'µs per request', costs),
      ...(targetCosts.length > 0
        ? [figure(group, `${inFlight} in flight, CPU of the target`, 'µs per request', targetCosts)]
        : []),
    ];
  });
}

const GARBAGE_SHAPE = { batchSize: 1000, inFlight: 20, batches: 12_000 } as const;

/** What one request makes the garbage collector take away, with few rows and with many: nothing is made per row. */
export async function garbageFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const group = `Garbage, ${GARBAGE_SHAPE.batches} requests, ${GARBAGE_SHAPE.inFlight} in flight`;
  const bytes = new Map<number, number[]>();
  for (const batchSize of [10, GARBAGE_SHAPE.batchSize]) {
    await withDiscard({ rows: batchSize, latencyMs: 0 }, async ({ url }) => {
      for (let round = 0; round < rounds; round += 1) {
        const sample = await runSample({
          task: 'insert',
          url,
          preset: 'metrics',
          client: 'generating',
          ...GARBAGE_SHAPE,
          batchSize,
          countsGarbage: true,
        });
        bytes.set(batchSize, [...(bytes.get(batchSize) ?? []), sample.garbageBytesPerBatch ?? Number.NaN]);
      }
    });
  }
  return [...bytes].map(([batchSize, samples]) =>
    figure(group, `JavaScript heap, ${batchSize} rows a request`, 'bytes per request', samples),
  );
}
