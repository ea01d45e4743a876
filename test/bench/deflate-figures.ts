/** Bodies deflated by crategen's own code beside zlib, and beside plain ones end to end. */
import type { SandboxProcess } from '../../src/sandbox/fork-sandbox.ts';
import { type Figure, atLeast, atMost, figure, ratios } from './figures.ts';
import { runSample } from './insertion-figures.ts';
import type { GenerateTask, Sample } from './sample.ts';

const PRESETS = ['metrics', 'records', 'everything'] as const;
/** zlib takes many times as long. */
const ROWS = { plain: 3_000_000, deflate: 2_000_000, zlib: 200_000 } as const;
const SLOW_PRESET_SHARE = 0.1;
const SENT = { batchSize: 1000, inFlight: 4, batches: 1500 } as const;

/** Rows per CPU second and ratio of the bodies, generation included on both sides, then with sending. */
export async function deflateFigures(sandbox: SandboxProcess, rounds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const preset of PRESETS) figures.push(...(await codeFigures(preset, rounds)));
  for (const preset of ['metrics', 'records'] as const)
    figures.push(...(await sendFigures(sandbox, preset, rounds)));
  return figures;
}

async function codeFigures(preset: (typeof PRESETS)[number], rounds: number): Promise<Figure[]> {
  const samples: Record<GenerateTask['as'], Sample[]> = { plain: [], deflate: [], zlib: [] };
  const share = preset === 'everything' ? SLOW_PRESET_SHARE : 1;
  for (let round = 0; round < rounds; round += 1) {
    for (const as of ['plain', 'deflate', 'zlib'] as const)
      samples[as].push(await runSample({ task: 'generate', preset, as, rows: ROWS[as] * share }));
  }
  const rates = (as: GenerateTask['as']): number[] => samples[as].map((each) => each.rows / each.cpuSeconds);
  const sizes = (as: GenerateTask['as']): number[] =>
    samples[as].map((each) => (each.bodyBytes ?? Number.NaN) / each.rows);
  const group = `Deflated bodies of ${preset}, 1000 rows each, generation included`;
  return [
    figure(group, 'crategen', 'rows per CPU second', rates('deflate')),
    figure(group, 'zlib, level 1', 'rows per CPU second', rates('zlib')),
    figure(group, 'crategen ÷ zlib', 'times', ratios(rates('deflate'), rates('zlib')), atLeast(8, 'G8')),
    figure(group, 'plain ÷ crategen', 'times', ratios(rates('plain'), rates('deflate'))),
    figure(group, 'bytes a row, crategen', 'bytes', sizes('deflate')),
    figure(group, 'bytes a row, zlib', 'bytes', sizes('zlib')),
    figure(
      group,
      "compression ratio ÷ zlib's",
      'times',
      ratios(sizes('zlib'), sizes('deflate')),
      atLeast(0.8, 'G8'),
    ),
  ];
}

async function sendFigures(
  sandbox: SandboxProcess,
  preset: 'metrics' | 'records',
  rounds: number,
): Promise<Figure[]> {
  const [plain, deflated]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    for (const [client, into] of [
      ['generating', plain],
      ['deflating', deflated],
    ] as const) {
      const sample = await runSample({ task: 'insert', url: sandbox.url, preset, client, ...SENT });
      into.push((sample.cpuSeconds / sample.rows) * 1e6);
    }
  }
  const group = `Deflated ${preset} sent, ${SENT.batchSize} rows a request, ${SENT.inFlight} in flight`;
  return [
    figure(group, 'plain bodies', 'CPU seconds per million rows', plain),
    figure(group, 'deflated bodies', 'CPU seconds per million rows', deflated),
    figure(group, 'deflated ÷ plain', 'times', ratios(deflated, plain), atMost(1.3, 'G8')),
  ];
}
