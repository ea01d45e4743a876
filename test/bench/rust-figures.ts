/** Making rows of `metrics`, crategen beside an ordinary program in Rust (rust/src/bin/generate.rs), one core each. */
import { execa } from 'execa';
import { type Figure, atLeast, figure, ratios } from './figures.ts';
import { runSample } from './insertion-figures.ts';
import { buildRust } from './rust-programs.ts';
import type { Sample } from './sample.ts';
import { workloadOf } from './workload.ts';

const BATCH = 1000;
/** About half a second of each. */
const ROWS = { crategen: 10_000_000, rust: 1_000_000 } as const;
const SAMPLE_TIMEOUT_MS = 120_000;

/** Rows per CPU second of both and what a row has; nothing where Rust cannot be built. */
export async function rustFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const programs = await buildRust();
  if (programs === null) return [];
  const { statement } = await workloadOf('metrics');
  const samples: Record<keyof typeof ROWS, Sample[]> = { crategen: [], rust: [] };
  for (let round = 0; round < rounds; round += 1) {
    samples.crategen.push(
      await runSample({ task: 'generate', preset: 'metrics', rows: ROWS.crategen, as: 'plain' }),
    );
    samples.rust.push(await generateInRust(programs.generate, statement));
  }
  const rates = (of: keyof typeof ROWS): number[] =>
    samples[of].map(({ rows, cpuSeconds }) => rows / cpuSeconds);
  const sizes = (of: keyof typeof ROWS): number[] =>
    samples[of].map(({ rows, bodyBytes }) => (bodyBytes ?? Number.NaN) / rows);
  const group = `Generation beside Rust, metrics, ${BATCH} rows a body`;
  return [
    figure(group, 'crategen', 'rows per CPU second', rates('crategen')),
    figure(group, 'Rust, serde_json', 'rows per CPU second', rates('rust')),
    figure(group, 'crategen ÷ Rust', 'times', ratios(rates('crategen'), rates('rust')), atLeast(10, 'G2')),
    figure(group, 'a row, crategen', 'bytes', sizes('crategen')),
    figure(group, 'a row, Rust', 'bytes', sizes('rust')),
  ];
}

async function generateInRust(program: string, statement: string): Promise<Sample> {
  const { stdout } = await execa(program, [String(ROWS.rust), String(BATCH), statement], {
    timeout: SAMPLE_TIMEOUT_MS,
  });
  // Written by generate.rs, of the same build.
  return JSON.parse(stdout) as Sample;
}
