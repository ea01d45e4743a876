/** What a run needs of the world around it, where a test is about something else: nobody watches, nothing is kept. */
import { systemClock } from '../../src/base/clock.ts';
import { readHostFacts } from '../../src/base/host.ts';
import { localSpawner } from '../../src/coordinator/local-worker.ts';
import type { RunEnvironment } from '../../src/coordinator/run-environment.ts';
import { createStopControl } from '../../src/coordinator/stop-control.ts';
import { forkAhead } from '../../src/coordinator/worker-process.ts';

/** `folder` takes the files of the run and its pools; workers live in this process. */
export function quietEnvironment(folder: string, changes: Partial<RunEnvironment> = {}): RunEnvironment {
  return {
    clock: systemClock,
    observer: () => undefined,
    stop: createStopControl(systemClock),
    host: readHostFacts(),
    environment: {},
    runFolder: folder,
    poolsFolder: folder,
    savePlan: () => Promise.resolve(),
    versions: { crategen: '0', node: '0', faker: '0' },
    workers: forkAhead(localSpawner(), 0),
    sandbox: null,
    onBatchLine: null,
    resumed: null,
    ...changes,
  };
}
