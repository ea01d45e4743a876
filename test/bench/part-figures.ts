/** Parts of a worker alone: a histogram's record, the check of a reply beside JSON.parse, a report to the parent. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Figure, atLeast, atMost, figure, ratios } from './figures.ts';
import type { PartSample, PartTask } from './part-sample.ts';

const SAMPLE_SCRIPT = join(import.meta.dirname, 'part-sample.ts');
const SAMPLE_TIMEOUT_MS = 60_000;
/** A sample takes a tenth of a second to one; of reports, at four a second, eight. */
const TIMES: Readonly<Record<PartTask['part'], number>> = {
  record: 10_000_000,
  'reply compared': 50_000,
  'reply parsed': 500,
  report: 32,
};
const PARTS = ['record', 'reply compared', 'reply parsed', 'report'] as const;
const REPORTS_PER_SECOND = 4;

/** CPU seconds of doing a part once. */
async function costOf(part: PartTask['part']): Promise<number> {
  const task: PartTask = { part, times: TIMES[part] };
  const child = fork(SAMPLE_SCRIPT, [JSON.stringify(task)], {
    // As the coordinator forks its workers, so that a report costs what it costs there.
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: [],
    timeout: SAMPLE_TIMEOUT_MS,
  });
  // With a listener the messages are taken off the line.
  child.on('message', () => undefined);
  const closed = once(child, 'close');
  const line = child.stdout === null ? '' : await text(child.stdout);
  await closed;
  if (line === '') throw new Error(`the sample of ${part} ended with ${child.exitCode ?? child.signalCode}`);
  // Written by part-sample.ts, of the same build.
  const { times, cpuSeconds } = JSON.parse(line) as PartSample;
  return cpuSeconds / times;
}

/** CPU time of each part, and how many times cheaper the check of a reply is than to parse it. */
export async function partFigures(_sandbox: unknown, rounds: number): Promise<Figure[]> {
  const costs: Record<PartTask['part'], number[]> = {
    record: [],
    'reply compared': [],
    'reply parsed': [],
    report: [],
  };
  for (let round = 0; round < rounds; round += 1)
    for (const part of PARTS) costs[part].push(await costOf(part));
  const times = (part: PartTask['part'], factor: number): number[] =>
    costs[part].map((seconds) => seconds * factor);
  const group = 'Parts of a worker, CPU time';
  return [
    figure(group, 'a histogram record', 'ns', times('record', 1e9), atMost(10, 'G9')),
    figure(group, 'reply to 10,000 rows, compared', 'µs', times('reply compared', 1e6)),
    figure(group, 'reply to 10,000 rows, JSON.parse', 'µs', times('reply parsed', 1e6)),
    figure(
      group,
      'JSON.parse ÷ comparison',
      'times',
      ratios(costs['reply parsed'], costs['reply compared']),
      atLeast(100, 'G11'),
    ),
    figure(group, 'a report to the parent, wake-up included', 'µs', times('report', 1e6)),
    figure(
      group,
      'reports at 250 ms',
      '% of a core',
      times('report', REPORTS_PER_SECOND * 100),
      atMost(0.3, 'G9'),
    ),
  ];
}
