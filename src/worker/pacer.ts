/**
 * When a batch may start. The closed loop starts the next batch when a slot is free; the open loop follows a
 * schedule, so that a slow server shows up as waiting and dropped arrivals instead of as fewer requests.
 * Pure: time comes in as a parameter.
 */
import { type Assignment, type Pace, type Schedule, rowDueMs } from '../plan/assignment.ts';

/** A start that waited longer than this for a free slot is late; below it lies the timer's own resolution. */
const LATE_AFTER_MS = 10;

/** Milliseconds after the common start at which this worker's `arrival` (from 0) is due, in the open loop. */
export function arrivalDueMs(assignment: Assignment, schedule: Schedule, arrival: number): number {
  return rowDueMs(schedule, rowsAhead(assignment, arrival));
}

/** Rows of all workers that are due before this worker's `arrival`. */
function rowsAhead({ globalIndex, globalCount, batchSize }: Assignment, arrival: number): number {
  return (arrival * globalCount + globalIndex) * batchSize;
}

/** What the pacer grants a free slot. */
export type Grant =
  /**
   * Start `waitMs` from now; response time counts from `intendedMs` (after the common start). `rowsAhead` are those that
   * the schedule asks for before, of all workers; 0 in the closed loop.
   */
  | {
      readonly kind: 'start';
      readonly waitMs: number;
      readonly intendedMs: number;
      readonly late: boolean;
      readonly rowsAhead: number;
    }
  /** The time is over. */
  | { readonly kind: 'end' };

export interface Pacer {
  /**
   * Asks for a start on behalf of slot `slot`, `elapsedMs` after the common start and free since `freeSinceMs`. Each
   * grant is used.
   */
  next(slot: number, elapsedMs: number, freeSinceMs: number): Grant;
  /** Arrivals that found no free slot and no room to wait, so far; call with the current time at the end. */
  droppedArrivals(elapsedMs: number): number;
}

/** Arrivals up to `servedUntilMs` after the common start were a predecessor's: they are not started again. */
export function createPacer(assignment: Assignment, inFlight: number, servedUntilMs = -Infinity): Pacer {
  const { pace } = assignment;
  return pace.kind === 'closed'
    ? closedLoop(assignment, pace, inFlight)
    : openLoop(assignment, pace, inFlight, servedUntilMs);
}

function closedLoop(
  assignment: Assignment,
  pace: Extract<Pace, { kind: 'closed' }>,
  inFlight: number,
): Pacer {
  const endMs = assignment.durationMs ?? Infinity;
  return {
    next(slot, elapsedMs, freeSinceMs) {
      const opensAtMs = (pace.rampUpMs * slot) / inFlight;
      const startMs = Math.max(elapsedMs, opensAtMs);
      if (startMs >= endMs) return { kind: 'end' };
      const intendedMs = Math.max(freeSinceMs, opensAtMs);
      return { kind: 'start', waitMs: startMs - elapsedMs, intendedMs, late: false, rowsAhead: 0 };
    },
    droppedArrivals: () => 0,
  };
}

function openLoop(
  assignment: Assignment,
  pace: Extract<Pace, { kind: 'open' }>,
  inFlight: number,
  servedUntilMs: number,
): Pacer {
  const endMs = assignment.durationMs ?? Infinity;
  let nextArrival = 0;
  while (arrivalDueMs(assignment, pace, nextArrival) <= servedUntilMs) nextArrival += 1;
  let dropped = 0;
  /** Arrivals that wait for a slot, oldest first; at most `inFlight`. */
  const pending: number[] = [];

  /** Arrivals join the queue while it has room; with no slot freed since, later ones are dropped. */
  function admitDue(elapsedMs: number): void {
    for (;;) {
      const dueMs = arrivalDueMs(assignment, pace, nextArrival);
      if (dueMs > elapsedMs || dueMs >= endMs) return;
      if (pending.length < inFlight) pending.push(nextArrival);
      else dropped += 1;
      nextArrival += 1;
    }
  }

  return {
    next(_slot, elapsedMs) {
      if (elapsedMs >= endMs) return { kind: 'end' };
      admitDue(elapsedMs);
      const waiting = pending.shift();
      const arrival = waiting ?? nextArrival;
      const dueMs = arrivalDueMs(assignment, pace, arrival);
      if (dueMs >= endMs) return { kind: 'end' };
      if (waiting === undefined) nextArrival += 1;
      return {
        kind: 'start',
        waitMs: Math.max(0, dueMs - elapsedMs),
        intendedMs: dueMs,
        late: waiting !== undefined && elapsedMs - dueMs > LATE_AFTER_MS,
        rowsAhead: rowsAhead(assignment, arrival),
      };
    },
    droppedArrivals(elapsedMs) {
      admitDue(elapsedMs);
      return dropped;
    },
  };
}
