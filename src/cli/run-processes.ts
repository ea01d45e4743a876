/**
 * The processes of a run: forked as soon as its plan is known, so that Node starts in them while the rest of the command
 * is loaded here. A file of its own, because it has to be there before that rest.
 */
import type { HostFacts } from '../base/host.ts';
import type { EmbeddedTarget, RunEnvironment } from '../coordinator/run-environment.ts';
import { stockWorkers } from '../coordinator/worker-process.ts';
import type { RunPlan } from '../plan/run-plan.ts';

export interface RunProcesses extends Pick<RunEnvironment, 'workers' | 'sandbox'> {
  /** Lets workers go that nobody took, and waits until the sandbox has ended. Never rejects. */
  end(): Promise<void>;
}

/** Nothing is sent to a target from them until they are told to. */
export async function startProcesses(plan: RunPlan, host: HostFacts): Promise<RunProcesses> {
  // First: nothing goes on before it answers.
  const sandbox = plan.target.kind === 'embedded' ? embeddedSandbox(plan) : null;
  // The run tells of a failure, and waits for the sandbox later than it may fail.
  sandbox?.catch(() => undefined);
  const workers = await stockWorkers(plan, host);
  return {
    workers,
    sandbox,
    async end() {
      workers.release();
      // One that did not start has been told of, and is gone.
      await sandbox?.then(
        (started) => started.stop(),
        () => undefined,
      );
    },
  };
}

/** Loaded only when asked for: a run against a server needs no SQLite. */
async function embeddedSandbox({ command, load }: RunPlan): Promise<EmbeddedTarget> {
  const { forkSandbox } = await import('../sandbox/fork-sandbox.ts');
  if (command !== 'ceiling') return await forkSandbox();
  const knownInserts = { rows: load.batchSize, isBulk: load.insertPath === 'bulk-args' };
  return await forkSandbox({ discard: true, knownInserts });
}
