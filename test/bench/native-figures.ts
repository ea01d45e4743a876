/**
 * The WebAssembly generator beside C that is written from the same row plan and compiled for this machine. Both
 * write the same bytes, which is seen to before anything is measured. The C computes each row afresh, where the
 * generator keeps what an entity's next row needs again: of `metrics` the figure says what that is worth, too; of
 * `records`, which has no entities, it says what WebAssembly costs.
 */
import { execa } from 'execa';
import { buildPools } from '../../src/rows/pools.ts';
import { presetSchema } from '../../src/rows/presets.ts';
import { makeRowPlan } from '../../src/rows/row-plan.ts';
import { type Figure, atLeast, figure, ratios } from './figures.ts';
import { runSample } from './insertion-figures.ts';
import { compileC, removeProgram } from './native/compile.ts';
import { emitC } from './native/emit-c.ts';
import type { PlainPreset } from './plain-rows.ts';
import type { Sample } from './sample.ts';
import { workloadOf } from './workload.ts';

/** As in workload.ts: other rows would not be equal. */
const TIME_ORIGIN_MS = Date.UTC(2026, 0, 1);
const PRESETS: readonly PlainPreset[] = ['metrics', 'records'];
const ROWS = 10_000_000;
const BATCH_ROWS = 1000;
const COMPARED_ROWS = 100_000;
const GOAL_SHARE = 0.7;
/** Its output is compared, or it takes seconds. */
const PROGRAM_OPTIONS = { timeout: 120_000, maxBuffer: 2 ** 30 } as const;

/** Rows per CPU second of both, and how much of the native rate the generator reaches. */
export async function nativeFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const preset of PRESETS) {
    const program = await compileC(await programOf(preset));
    if (program === null) continue;
    try {
      await assertSameRows(program, preset);
      figures.push(...(await presetFigures(program, preset, rounds)));
    } finally {
      await removeProgram(program);
    }
  }
  return figures;
}

async function programOf(preset: PlainPreset): Promise<string> {
  const schema = presetSchema(preset);
  if (schema === null) throw new Error(`no preset ${preset}`);
  const identity = { seed: 1, runId: 'benchmark', timeOriginMs: TIME_ORIGIN_MS };
  return emitC(makeRowPlan(schema, identity, await buildPools(schema)));
}

async function assertSameRows(program: string, preset: PlainPreset): Promise<void> {
  const { generator } = await workloadOf(preset);
  const [buffer] = generator.createBuffers(1, COMPARED_ROWS * (generator.maxRowBytes + 1));
  if (buffer === undefined) throw new Error('no buffer');
  const ours = buffer.subarray(0, generator.writeRows(buffer, 0, 0, COMPARED_ROWS));
  const { stdout } = await execa(program, [String(COMPARED_ROWS), String(BATCH_ROWS), 'print'], {
    ...PROGRAM_OPTIONS,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  if (Buffer.compare(stdout, ours) !== 0)
    throw new Error(`the C program writes other rows of ${preset} than crategen`);
}

async function presetFigures(program: string, preset: PlainPreset, rounds: number): Promise<Figure[]> {
  const [ours, native]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const sample = await runSample({ task: 'generate', preset, rows: ROWS, as: 'plain' });
    ours.push(sample.rows / sample.cpuSeconds);
    const compiled = await runProgram(program);
    native.push(compiled.rows / compiled.cpuSeconds);
  }
  const group = `Generation of ${preset} beside C from the same row plan, ${BATCH_ROWS} rows a body`;
  return [
    figure(group, 'crategen', 'rows per CPU second', ours),
    figure(group, 'C', 'rows per CPU second', native),
    figure(group, 'crategen ÷ C', 'times', ratios(ours, native), atLeast(GOAL_SHARE, 'G2')),
  ];
}

async function runProgram(program: string): Promise<Sample> {
  const { stdout } = await execa(program, [String(ROWS), String(BATCH_ROWS), 'measure'], PROGRAM_OPTIONS);
  // Written by generate-main.c.
  return JSON.parse(stdout) as Sample;
}
