/** Runs whose limit is known because it was planted: one a verdict, each of the built command over real sockets. */
import type { TestContext } from 'node:test';
import type { LimitedBy } from '../../src/metrics/bottleneck.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { home, run } from './built-command.ts';
import { sandboxFor } from './sandbox.ts';
import { narrowLink } from './narrow-link.ts';

type Scope = Pick<TestContext, 'after'>;

export interface PlantedLimit {
  readonly name: string;
  readonly verdict: LimitedBy;
  /** The arguments beside duration and output; makes its target. */
  readonly load: (scope: Scope) => Promise<readonly string[]>;
}

const LINK_BYTES_PER_SECOND = 400_000;

export const PLANTED_LIMITS: readonly PlantedLimit[] = [
  {
    name: 'a server that takes 300 ms for each INSERT',
    verdict: 'cluster',
    load: async (scope) => {
      const sandbox = await sandboxFor(scope, { latencyMs: 300 });
      return ['--url', sandbox.url, '--procs', '1', '--batch-size', '100'];
    },
  },
  {
    name: 'one process that makes its rows slowly, before a target that only discards',
    verdict: 'client',
    load: async (scope) => {
      const sandbox = await sandboxFor(scope, { discard: true });
      const slow = ['--generator', 'reference', '--preset', 'everything', '--batch-size', '100'];
      return ['--url', sandbox.url, '--procs', '1', ...slow];
    },
  },
  {
    name: 'a link of 400 kB/s',
    verdict: 'network',
    load: async (scope) => {
      const sandbox = await sandboxFor(scope, { discard: true });
      const url = await narrowLink(scope, sandbox.url, LINK_BYTES_PER_SECOND);
      return ['--url', url, '--procs', '1', '--batch-size', '200'];
    },
  },
  {
    name: 'a rate of 500 rows/s',
    verdict: 'rate',
    load: async (scope) => {
      const sandbox = await sandboxFor(scope);
      return ['--url', sandbox.url, '--procs', '1', '--batch-size', '50', '--rate', '500'];
    },
  },
];

/** Carries the load for `seconds`; the run file of it. */
export async function runPlanted(scope: Scope, planted: PlantedLimit, seconds: number): Promise<RunFile> {
  const args = await planted.load(scope);
  const ended = await run(
    ['cluster', ...args, '--duration', `${seconds}s`, '--live', 'off', '--json'],
    await home(scope),
  );
  return ended.run();
}
