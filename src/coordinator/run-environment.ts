/** What a run needs of the world around it: passed in by the command, replaced by tests. */
import type { Clock } from '../base/clock.ts';
import type { HostFacts } from '../base/host.ts';
import type { ResumedBooks } from '../plan/plan-file.ts';
import type { RunObserver } from './run-state.ts';
import type { StopControl } from './stop-control.ts';
import type { WorkerStock } from './worker-process.ts';

/** An endpoint that the command started for this run. */
export interface EmbeddedTarget {
  readonly url: string;
  stop(): Promise<void>;
}

export interface RunEnvironment {
  readonly clock: Clock;
  readonly observer: RunObserver;
  readonly stop: StopControl;
  readonly host: HostFacts;
  readonly environment: NodeJS.ProcessEnv;
  /** An existing folder for this run's files. */
  readonly runFolder: string;
  /** Writes the plan file; the run does not begin before it is there. */
  readonly savePlan: (text: string) => Promise<void>;
  readonly versions: { readonly crategen: string; readonly node: string; readonly faker: string };
  /** Where pools are kept for the next run; made if it is missing. */
  readonly poolsFolder: string;
  /** The caller releases them. */
  readonly workers: WorkerStock;
  /** For `--sandbox`: may still be starting. The caller stops it. */
  readonly sandbox: Promise<EmbeddedTarget> | null;
  /** For `single --verbose`: one line per batch. */
  readonly onBatchLine: ((line: string) => void) | null;
  /** Per worker, what an earlier part of this run came to; null for a new run. */
  readonly resumed: readonly ResumedBooks[] | null;
  /**
   * Takes over the counter files of a run that ended, to remove them once its result is on disk: until then they
   * are its only record. Without it they are removed when the result is whole.
   */
  readonly keepCounters?: (remove: () => void) => void;
}
