/** The run's rows divided among this machine's workers. */
import { type Assignment, assignedRows } from '../plan/assignment.ts';
import type { RunPlan } from '../plan/run-plan.ts';

/** The shares of this machine's workers. */
export function assignmentsOf(plan: RunPlan): Assignment[] {
  const { load, bounds, machine } = plan;
  const pace =
    load.rowsPerSecond === null
      ? ({ kind: 'closed', rampUpMs: load.rampUpMs } as const)
      : ({ kind: 'open', rampUpMs: load.rampUpMs, rowsPerSecond: load.rowsPerSecond } as const);
  return Array.from({ length: load.procs }, (_, workerIndex) => ({
    globalIndex: (machine.index - 1) * load.procs + workerIndex,
    globalCount: machine.count * load.procs,
    batchSize: load.batchSize,
    rows: bounds.rows,
    durationMs: bounds.durationMs,
    pace,
    warmUpMs: load.warmUpMs,
  }));
}

/** Rows that this machine's workers are to offer together; null when only time bounds the run. */
export function plannedRowsOf(plan: RunPlan): number | null {
  if (plan.bounds.rows === null) return null;
  return assignmentsOf(plan).reduce((sum, assignment) => sum + (assignedRows(assignment) ?? 0), 0);
}

/** Each worker's part of `--max-bytes`, of which all workers of all machines have one; null without a budget. */
export function bytesPerWorkerOf({ safety, load, machine }: RunPlan): number | null {
  return safety.maxBytes === null ? null : Math.floor(safety.maxBytes / (load.procs * machine.count));
}
