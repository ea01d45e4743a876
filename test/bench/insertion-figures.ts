/**
 * Rows per CPU second: crategen's insertion loop beside axios on ready-made bodies, then with rows generated on the
 * way, then generation alone. Rounds are interleaved, every sample is a process of its own.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import type { SandboxProcess } from '../../src/sandbox/fork-sandbox.ts';
import { type Figure, atLeast, figure, ratios } from './figures.ts';
import { cpuSecondsOf } from './process-use.ts';
import type { InsertTask, Sample, Task } from './sample.ts';

const SAMPLE_SCRIPT = join(import.meta.dirname, 'sample.ts');
/** A sample takes seconds. */
const SAMPLE_TIMEOUT_MS = 120_000;
/** The first mark of issue 3. */
const GOAL_RATIO = atLeast(3);

/** crategen's defaults, and the shape that suits a small node best. */
const SHAPES = [
  { batchSize: 1000, inFlight: 4, batches: 1000 },
  { batchSize: 10_000, inFlight: 20, batches: 100 },
] as const;
const READY_CLIENTS = ['ready', 'axios bytes', 'axios string', 'axios defaults'] as const;
/** Which ready-body client the goal is about; the others are shown for orientation. */
const GOAL_CLIENT = 'axios string';
const GENERATING_PRESETS = ['records', 'metrics'] as const;
const GENERATING_BATCHES = 400;
const GENERATED_ROWS = 5_000_000;

export async function runSample(task: Task): Promise<Sample> {
  const { stdout } = await execa(process.execPath, [SAMPLE_SCRIPT, JSON.stringify(task)], {
    timeout: SAMPLE_TIMEOUT_MS,
  });
  // Written by sample.ts, of the same build.
  return JSON.parse(stdout) as Sample;
}

/** Both clients with ready-made bodies, in both shapes, and what the discarding target itself costs. */
export async function readyBodyFigures(sandbox: SandboxProcess, rounds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const shape of SHAPES) {
    const rates = new Map<InsertTask['client'], number[]>();
    const targetCpu: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const client of READY_CLIENTS) {
        const before = cpuSecondsOf(sandbox.pid);
        const sample = await runSample({
          task: 'insert',
          url: sandbox.url,
          preset: 'records',
          client,
          ...shape,
        });
        const after = cpuSecondsOf(sandbox.pid);
        rates.set(client, [...(rates.get(client) ?? []), sample.rows / sample.cpuSeconds]);
        // The warm-up sends as many rows again.
        if (before !== null && after !== null) targetCpu.push(((after - before) / (2 * sample.rows)) * 1e6);
      }
    }
    const group = `Insertion with ready bodies, ${shape.batchSize} rows a request, ${shape.inFlight} in flight`;
    figures.push(
      ...READY_CLIENTS.map((client) =>
        figure(group, nameOf(client), 'rows per CPU second', rates.get(client) ?? []),
      ),
    );
    for (const client of READY_CLIENTS.slice(1)) {
      const ratio = ratios(rates.get('ready') ?? [], rates.get(client) ?? []);
      figures.push(
        figure(group, `crategen ÷ ${client}`, 'times', ratio, client === GOAL_CLIENT ? GOAL_RATIO : null),
      );
    }
    if (targetCpu.length > 0)
      figures.push(figure(group, 'the discarding target itself', 'CPU seconds per million rows', targetCpu));
  }
  return figures;
}

function nameOf(client: InsertTask['client']): string {
  return client === 'ready' ? 'crategen' : client;
}

/** Generation and insertion together, then generation alone, per preset. */
export async function generationFigures(sandbox: SandboxProcess, rounds: number): Promise<Figure[]> {
  const [inserting, alone] = [new Map<string, number[]>(), new Map<string, number[]>()];
  const [batchSize, inFlight, batches] = [1000, 4, GENERATING_BATCHES];
  for (let round = 0; round < rounds; round += 1) {
    for (const preset of GENERATING_PRESETS) {
      const sample = await runSample({
        task: 'insert',
        url: sandbox.url,
        preset,
        client: 'generating',
        batchSize,
        inFlight,
        batches,
      });
      inserting.set(preset, [...(inserting.get(preset) ?? []), sample.rows / sample.cpuSeconds]);
    }
    for (const preset of PRESET_NAMES) {
      const sample = await runSample({ task: 'generate', preset, rows: GENERATED_ROWS, as: 'plain' });
      alone.set(preset, [...(alone.get(preset) ?? []), sample.rows / sample.cpuSeconds]);
    }
  }
  const withInsertion = 'Insertion with generation, 1000 rows a request, 4 in flight';
  return [
    ...[...inserting].map(([preset, rates]) => figure(withInsertion, preset, 'rows per CPU second', rates)),
    ...[...alone].map(([preset, rates]) => figure('Generation alone', preset, 'rows per CPU second', rates)),
  ];
}
