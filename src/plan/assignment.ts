/**
 * One worker's share of the run, as arithmetic: global worker g of n takes the batches b ≡ g (mod n); each
 * has B rows, the last one the rest. Which rows those are, of which table, says the mix (`table-mix.ts`). Sums are
 * exact for any number of workers and machines.
 */

export interface Assignment {
  /** g: this worker among all workers of all machines, from 0. */
  readonly globalIndex: number;
  /** n: the workers of all machines. */
  readonly globalCount: number;
  /** B. */
  readonly batchSize: number;
  /** The run's rows over all machines, or null when only time bounds it. */
  readonly rows: number | null;
  readonly durationMs: number | null;
  readonly pace: Pace;
  readonly warmUpMs: number;
}

/** Closed loop: a free slot starts the next batch. Open loop: arrivals follow a schedule. */
export type Pace =
  { readonly kind: 'closed'; readonly rampUpMs: number } | ({ readonly kind: 'open' } & Schedule);

/** Of all machines together: the rate rises linearly from 0 over the ramp. */
export interface Schedule {
  readonly rampUpMs: number;
  readonly rowsPerSecond: number;
}

/** Rows `[firstRow, firstRow + rows)`. */
export interface RowRange {
  readonly firstRow: number;
  readonly rows: number;
}

/** Milliseconds after the common start at which the row is due that so many rows come before. */
export function rowDueMs({ rampUpMs, rowsPerSecond }: Schedule, rowsBefore: number): number {
  const rowsPerMs = rowsPerSecond / 1000;
  // Half of the ramp's rows have come when it ends.
  const rampRows = (rowsPerMs * rampUpMs) / 2;
  if (rowsBefore < rampRows) return Math.sqrt((2 * rampUpMs * rowsBefore) / rowsPerMs);
  return rampUpMs / 2 + rowsBefore / rowsPerMs;
}

/** Rows that have come due so many milliseconds after the common start: `rowDueMs` the other way round. */
export function rowsDueBy({ rampUpMs, rowsPerSecond }: Schedule, atMs: number): number {
  const rowsPerMs = rowsPerSecond / 1000;
  if (atMs < rampUpMs) return (rowsPerMs * atMs * atMs) / (2 * rampUpMs);
  return rowsPerMs * (atMs - rampUpMs / 2);
}

/** How many rows batch `batch` has: the last batch of a run bounded by rows is shorter; beyond it there are none. */
export function rowsOfBatch(
  { batchSize, rows }: Pick<Assignment, 'batchSize' | 'rows'>,
  batch: number,
): number {
  const end = rows === null ? Infinity : rows;
  return Math.max(0, Math.min(batchSize, end - batch * batchSize));
}

/** Rows in the batches that this worker would begin before `batchEnd` (exclusive, a number of its own sequence). */
export function rowsBefore(assignment: Assignment, batchEnd: number): number {
  const { globalIndex, globalCount, batchSize } = assignment;
  const batches = Math.max(0, Math.ceil((batchEnd - globalIndex) / globalCount));
  if (batches === 0) return 0;
  const last = globalIndex + (batches - 1) * globalCount;
  if (assignment.rows === null || (last + 1) * batchSize <= assignment.rows) return batches * batchSize;
  const whole = Math.floor(assignment.rows / batchSize);
  const wholeBatches = Math.max(0, Math.ceil((Math.min(whole, batchEnd) - globalIndex) / globalCount));
  const rest = assignment.rows % batchSize;
  const takesRest = rest > 0 && whole % globalCount === globalIndex && whole < batchEnd;
  return wholeBatches * batchSize + (takesRest ? rest : 0);
}

/** Number of batches of a run bounded by rows, over all workers. */
export function batchCount(rows: number, batchSize: number): number {
  return Math.ceil(rows / batchSize);
}

/** All rows that this worker's assignment wants; null when only time bounds the run. */
export function assignedRows(assignment: Assignment): number | null {
  return assignment.rows === null
    ? null
    : rowsBefore(assignment, batchCount(assignment.rows, assignment.batchSize) + assignment.globalCount);
}
