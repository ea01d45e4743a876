/**
 * Making bodies, nothing sent: crategen's generator beside plain JavaScript, for whole presets and column by column,
 * and how soon its first body is there. Rounds are interleaved, every sample is a process of its own.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import { COLUMN_KINDS } from './column-kinds.ts';
import { type Figure, atLeast, atMost, figure, ratios } from './figures.ts';
import type { ColumnTask, PresetTask, RateSample, StartSample, StartTask } from './generator-sample.ts';
import type { PlainPreset } from './plain-rows.ts';

const SAMPLE_SCRIPT = join(import.meta.dirname, 'generator-sample.ts');
/** A sample takes seconds. */
const SAMPLE_TIMEOUT_MS = 60_000;
const RATE_UNIT = 'rows per CPU second';

type Maker = PresetTask['maker'];

const MAKER_NAMES: Readonly<Record<Maker, string>> = {
  fast: 'crategen',
  plain: 'objects, JSON.stringify',
  stringify: 'JSON.stringify of ready batches',
  faker: 'faker for each field, JSON.stringify',
};

interface Rivals {
  readonly preset: PlainPreset;
  readonly goalId: string;
  /** How many times as fast as each of these crategen is to be. */
  readonly goals: readonly { readonly maker: Maker; readonly times: number }[];
}

const PRESET_RIVALS: readonly Rivals[] = [
  {
    preset: 'metrics',
    goalId: 'G1',
    goals: [
      { maker: 'plain', times: 60 },
      { maker: 'stringify', times: 40 },
    ],
  },
  {
    preset: 'records',
    goalId: 'G3',
    goals: [
      { maker: 'plain', times: 60 },
      { maker: 'faker', times: 400 },
    ],
  },
];
const GOAL_TIMES = { value: 4, text: 18 } as const;
const GOAL_FIRST_BATCH_MS = 10;
const GOAL_FIRST_SECOND = 0.9;

async function runTask(task: PresetTask | ColumnTask | StartTask): Promise<unknown> {
  const { stdout } = await execa(process.execPath, [SAMPLE_SCRIPT, JSON.stringify(task)], {
    timeout: SAMPLE_TIMEOUT_MS,
  });
  return JSON.parse(stdout);
}

async function rateOf(task: PresetTask | ColumnTask): Promise<number> {
  // Written by generator-sample.ts, of the same build.
  const sample = (await runTask(task)) as RateSample;
  return sample.rowsPerCpuSecond;
}

async function startOf(task: StartTask): Promise<StartSample> {
  // Written by generator-sample.ts, of the same build.
  return (await runTask(task)) as StartSample;
}

/** Rows of the presets beside those of plain JavaScript, then the start. */
export async function generatorFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const rivals of PRESET_RIVALS) figures.push(...(await presetFigures(rivals, rounds)));
  for (const preset of PRESET_NAMES) figures.push(...(await firstFigures(preset, rounds)));
  return figures;
}

async function presetFigures({ preset, goalId, goals }: Rivals, rounds: number): Promise<Figure[]> {
  const makers: readonly Maker[] = ['fast', ...goals.map(({ maker }) => maker)];
  const rates = new Map<Maker, number[]>(makers.map((maker) => [maker, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const maker of makers) rates.get(maker)?.push(await rateOf({ task: 'preset', preset, maker }));
  }
  const group = `Generator, ${preset}, bodies of 1000 rows`;
  const fast = rates.get('fast') ?? [];
  return [
    ...[...rates].map(([maker, samples]) => figure(group, MAKER_NAMES[maker], RATE_UNIT, samples)),
    ...goals.map(({ maker, times }) =>
      figure(
        group,
        `crategen ÷ ${MAKER_NAMES[maker]}`,
        'times',
        ratios(fast, rates.get(maker) ?? []),
        atLeast(times, goalId),
      ),
    ),
  ];
}

async function firstFigures(preset: StartTask['preset'], rounds: number): Promise<Figure[]> {
  const samples: StartSample[] = [];
  for (let round = 0; round < rounds; round += 1) samples.push(await startOf({ task: 'start', preset }));
  const group = `Generator, ${preset}, from the emitted module on`;
  const firstSecond = ratios(
    samples.map((each) => each.firstRowsPerCpuSecond),
    samples.map((each) => each.laterRowsPerCpuSecond),
  );
  return [
    figure(
      group,
      'until the first body of 1000 rows',
      'ms',
      samples.map((each) => each.firstBatchMs),
      atMost(GOAL_FIRST_BATCH_MS, 'G12'),
    ),
    figure(
      group,
      'rows of the first CPU second ÷ of later ones',
      'times',
      firstSecond,
      atLeast(GOAL_FIRST_SECOND, 'G12'),
    ),
  ];
}

/** Each kind of column by itself, beside a plain maker of such values and JSON.stringify. */
export async function columnFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const kinds = COLUMN_KINDS.map(({ name, isText }) => ({
    name,
    goal: atLeast(isText ? GOAL_TIMES.text : GOAL_TIMES.value, 'G1'),
    fast: new Array<number>(),
    plain: new Array<number>(),
  }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, fast, plain } of kinds) {
      fast.push(await rateOf({ task: 'column', kind: name, maker: 'fast' }));
      plain.push(await rateOf({ task: 'column', kind: name, maker: 'plain' }));
    }
  }
  const group = 'Generator by column, crategen ÷ plain JavaScript and JSON.stringify';
  return kinds.map(({ name, goal, fast, plain }) => figure(group, name, 'times', ratios(fast, plain), goal));
}
