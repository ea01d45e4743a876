/** The load of a run: processes, batches, pace and the way rows are sent, and what of it does not go together. */
import { ACCEPTED, DAY_MS, durationFlag, formatExact, parseRate } from '../base/units.ts';
import { INSERT_PATHS, MAX_VALUES_ROWS } from '../rows/insert-form.ts';
import type { PlanInput } from './plan-input.ts';
import type { Compression, DraftPlan, LoadPlan, RunPlan } from './run-plan.ts';
import type { SettingReader } from './setting-reader.ts';

const MAX_PROCS = 1024;
const MAX_BATCH_ROWS = 100_000;
const DEFAULT_BATCH_ROWS = 1000;
const MAX_IN_FLIGHT = 1000;

/** One worker for `single`, else one for each usable core unless `--procs` says otherwise. */
export function readLoad(
  reader: SettingReader,
  { command, facts }: Pick<PlanInput, 'command' | 'facts'>,
): LoadPlan {
  const procs = command === 'single' ? 1 : Math.min(Math.max(1, facts.availableParallelism), MAX_PROCS);
  const insertPath = reader.choice('insert-path', INSERT_PATHS, 'bulk-args');
  return {
    procs: command === 'single' ? 1 : reader.count('procs', { min: 1, max: MAX_PROCS }, procs),
    batchSize: reader.count(
      'batch-size',
      { min: 1, max: MAX_BATCH_ROWS },
      insertPath === 'values' ? MAX_VALUES_ROWS : DEFAULT_BATCH_ROWS,
    ),
    inFlight: reader.count('in-flight', { min: 1, max: MAX_IN_FLIGHT }, 4),
    batchIntervalMs: reader.durationMs('batch-interval', { min: 0, max: DAY_MS }, 0),
    rowsPerSecond: readRate(reader),
    rampUpMs: reader.durationMs('ramp-up', { min: 0, max: DAY_MS }, 0),
    warmUpMs: reader.durationMs('warm-up', { min: 0, max: DAY_MS }, 0),
    insertPath,
    compression: reader.choice<Compression>('compress', ['none', 'deflate', 'gzip'], 'none'),
    generator: reader.choice('generator', facts.generators, facts.generators[0] ?? 'reference'),
    maxBodyBytes: reader.bytes('max-body', { min: 4096, max: 2 ** 30 }, 16 * 2 ** 20),
  };
}

function readRate(reader: SettingReader): number | null {
  return reader.parsed(
    'rate',
    (text) => acceptedRate(parseRate(text)),
    `expected ${ACCEPTED.rate}, from 1 to 1,000,000,000`,
    null,
  );
}

function acceptedRate(rate: number | null): number | null {
  return rate !== null && rate <= 1e9 ? rate : null;
}

/** Combinations that each alone would be fine. */
export function checkLoadAgainstBounds(reader: SettingReader, plan: DraftPlan): void {
  const { load, bounds, machine } = plan;
  if (load.rowsPerSecond !== null && load.batchIntervalMs > 0) {
    reader.problems.push(
      '--rate: expected without --batch-interval, since the schedule decides when batches begin',
    );
  }
  if (bounds.durationMs === null) return;
  for (const [name, ms] of [
    ['ramp-up', load.rampUpMs],
    ['warm-up', load.warmUpMs],
  ] as const) {
    if (ms > 0 && ms >= bounds.durationMs) {
      reader.problems.push(
        `--${name} ${durationFlag(ms)}: expected less than --duration ${durationFlag(bounds.durationMs)}`,
      );
    }
  }
  if (load.rowsPerSecond === null) return;
  // The open loop gives worker w its first batch after w·B/rate.
  const workers = load.procs * machine.count;
  const lastStartMs = ((workers - 1) * load.batchSize * 1000) / load.rowsPerSecond;
  if (lastStartMs >= bounds.durationMs && workers > 1) {
    reader.problems.push(
      `--rate ${formatExact(load.rowsPerSecond)}: too slow for ${formatExact(workers)} workers with batches of ${formatExact(load.batchSize)} rows, some would send nothing within ${durationFlag(bounds.durationMs)}; expected a smaller --batch-size or fewer --procs`,
    );
  }
}

/** What each way of sending rows has no room for. */
export function checkInsertPath(
  reader: SettingReader,
  { command, load, target }: Pick<RunPlan, 'command' | 'load' | 'target'>,
): void {
  const { insertPath, batchSize, compression } = load;
  if (insertPath === 'values' && batchSize > MAX_VALUES_ROWS) {
    reader.problems.push(
      `--batch-size ${formatExact(batchSize)}: expected at most ${MAX_VALUES_ROWS} with --insert-path values, since the server never answers a statement with more bad rows`,
    );
  }
  if (insertPath !== 'pg') {
    const port = reader.text('pg-port');
    if (port?.layer === 'flag') reader.problem(port, 'expected only with --insert-path pg');
    return;
  }
  if (compression !== 'none')
    reader.problems.push(
      `--compress ${compression}: expected without --insert-path pg, which has no compression`,
    );
  if (target.kind === 'embedded' && command !== 'ceiling')
    reader.problems.push('--insert-path pg: expected without --sandbox, which speaks HTTP only');
}
