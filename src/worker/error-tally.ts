/** Failures counted by class and code, with one example each, and a bound on how many are kept apart. */
import type { Failure } from '../cratedb/outcome.ts';
import type { ErrorCount } from '../metrics/node-counts.ts';

/** More distinct (class, code) pairs than CrateDB has errors for an INSERT; beyond it nothing new is listed. */
const MAX_ERROR_KINDS = 64;

export interface ErrorTally {
  add(failures: readonly Failure[]): void;
  list(): readonly ErrorCount[];
}

export function createErrorTally(): ErrorTally {
  const counts = new Map<string, ErrorCount>();
  return {
    add(failures) {
      for (const failure of failures) {
        const key = `${failure.class} ${failure.code ?? ''}`;
        const before = counts.get(key);
        if (before === undefined && counts.size >= MAX_ERROR_KINDS) continue;
        counts.set(key, {
          class: failure.class,
          code: failure.code,
          rows: (before?.rows ?? 0) + failure.rows,
          batches: (before?.batches ?? 0) + 1,
          example: before?.example ?? failure.example,
        });
      }
    },
    list: () => [...counts.values()],
  };
}
