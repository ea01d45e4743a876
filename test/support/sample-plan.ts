/** A run plan with the defaults of `cluster`, varied by what a test is about. */
import type { RunPlan } from '../../src/plan/run-plan.ts';
import { preset } from '../rows/support.ts';

export function samplePlan(changes: Partial<RunPlan> = {}): RunPlan {
  return {
    command: 'cluster',
    runId: '20261124-1530-x7k2',
    seed: 42,
    timeOriginMs: Date.UTC(2026, 10, 24, 15),
    target: {
      kind: 'urls',
      nodes: ['http://db-1:4200', 'http://db-2:4200', 'http://db-3:4200'],
      discover: false,
      pgPort: 5432,
      username: null,
      tls: { verify: true, caCertFile: null, systemCa: false, certFile: null, keyFile: null },
    },
    table: {
      name: { schema: 'crategen', table: 'records' },
      source: { kind: 'preset', name: 'records' },
      schema: preset('records'),
      weight: 1,
      create: true,
      recreate: false,
      shards: null,
      replicas: null,
      key: true,
    },
    also: [],
    bounds: { rows: 17_200_000, durationMs: null },
    load: {
      procs: 8,
      batchSize: 1000,
      inFlight: 4,
      batchIntervalMs: 0,
      rowsPerSecond: null,
      rampUpMs: 0,
      warmUpMs: 0,
      insertPath: 'bulk-args',
      compression: 'none',
      generator: 'fast',
      maxBodyBytes: 16 * 2 ** 20,
    },
    safety: {
      timeoutMs: 90_000,
      retries: 3,
      drainTimeoutMs: 15_000,
      outageTimeoutMs: 120_000,
      blockTimeoutMs: 60_000,
      maxFailed: { kind: 'rows', rows: 0 },
      stopsAtMaxFailed: false,
      maxBytes: null,
      stopAtDisk: { kind: 'watermark' },
      isConfirmed: false,
    },
    machine: { index: 1, count: 1 },
    startAtMs: null,
    failOn: [],
    verify: 'count',
    ...changes,
  };
}
