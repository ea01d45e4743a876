import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { parseRunFile } from '../../src/report/run-file.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import {
  type AccountedCommand,
  type ProcessAccount,
  accountedCrategen,
  whyNoAccount,
} from '../support/kernel-account.ts';
import { cluster, home, run } from '../support/built-command.ts';
import { sandboxFor } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const SKIP = { skip: whyNoAccount() };
/** Each worker is to use so much: what ends a process after its last word is then little. */
const WORKER_CPU_SECONDS = 2;
const BATCH_SIZE = 1000;
const CPU_TOLERANCE = 0.02;
const MEMORY_TOLERANCE = 0.05;
/** The parent has its file written and its summary shown after it has read what it cost. */
const PARENT_ENDS_IN_SECONDS = 0.2;
const CLOCK_TICKS_PER_SECOND = 100;

test(
  'CPU and memory of each process are what the kernel had charged it when it had ended',
  SKIP,
  async (context) => {
    const command = await busyRun(context);
    const { workers, coordinator } = await stopped(command);
    const accounts = await command.accounts();
    assert.equal(workers.length, 2);
    for (const worker of workers) {
      const [account] = accountsOf(worker, accounts);
      assert.ok(account);
      assert.equal(account.code, 0);
      assertNear(cpuSecondsOf(worker), account.cpuSeconds, CPU_TOLERANCE);
      assertNear(worker.memory.residentBytesMax, account.residentBytesMax, MEMORY_TOLERANCE);
      assert.equal(worker.cpu.lowerBound, false);
    }
    const parent = accounts.get(coordinator.pid);
    assert.ok(parent);
    const missing = parent.cpuSeconds - cpuSecondsOf(coordinator);
    assert.ok(
      missing >= 0 && missing < CPU_TOLERANCE * parent.cpuSeconds + PARENT_ENDS_IN_SECONDS,
      `${missing} s`,
    );
    assertNear(coordinator.memory.residentBytesMax, parent.residentBytesMax, MEMORY_TOLERANCE);
  },
);

test('CPU of a worker that was killed is marked as a lower bound, and is one', SKIP, async (context) => {
  const command = await busyRun(context);
  const [victim = 0] = command.workers();
  process.kill(victim, 'SIGKILL');
  await command.line(/replaced/);
  const { workers } = await stopped(command);
  const accounts = await command.accounts();
  for (const worker of workers) {
    const each = accountsOf(worker, accounts);
    const charged = each.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    const said = cpuSecondsOf(worker);
    const wasKilled = victim === worker.pids[0];
    assert.equal(worker.pids.length, wasKilled ? 2 : 1);
    assert.equal(worker.cpu.lowerBound, wasKilled);
    if (!wasKilled) assertNear(said, charged, CPU_TOLERANCE);
    else assert.ok(said <= charged && said > charged / 2, `${said} of ${charged} s`);
    assertNear(
      worker.memory.residentBytesMax,
      Math.max(...each.map(({ residentBytesMax }) => residentBytesMax)),
      MEMORY_TOLERANCE,
    );
  }
});

test('the parent tells what its event loop and its garbage cost, unless it is the worker itself', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  for (const command of ['cluster', 'single']) {
    const { stdout } = await run([command, '--url', sandbox.url, '--json', '--rows', '3k'], place);
    const { workers, coordinator } = parseRunFile(stdout, command);
    const { gcMs, eventLoopDelayP99Ms, eventLoopUtilization } = coordinator;
    const costs = [gcMs, eventLoopDelayP99Ms, eventLoopUtilization];
    if (command === 'single') assert.deepEqual(costs, [null, null, null]);
    else
      assert.ok(
        costs.every((cost) => cost !== null && cost >= 0),
        String(costs),
      );
    assert.ok(workers.every((worker) => worker.gcMs !== null && worker.eventLoopDelayP99Ms !== null));
  }
});

/** A run that goes on for as long as it may, when both of its workers have used enough. */
async function busyRun(context: TestContext): Promise<AccountedCommand> {
  const place = await home(context);
  const knownInserts = { rows: BATCH_SIZE, isBulk: true };
  const sandbox = await sandboxFor(context, { discard: true, knownInserts });
  const load = ['--batch-size', String(BATCH_SIZE), '--duration', '1h'];
  const command = accountedCrategen(cluster(sandbox, ...load), place);
  await until(() => {
    const workers = command.workers();
    return workers.length === 2 && workers.every((pid) => usedSeconds(pid) >= WORKER_CPU_SECONDS);
  });
  return command;
}

async function stopped(command: AccountedCommand): Promise<RunFile> {
  command.kill('SIGINT');
  const ended = await command.ended;
  assert.equal(ended.code, 130, ended.stderr);
  return ended.run();
}

/** One for each incarnation. */
function accountsOf(
  { pids }: RunFile['workers'][number],
  accounts: ReadonlyMap<number, ProcessAccount>,
): ProcessAccount[] {
  return pids.flatMap((pid) => accounts.get(pid) ?? []);
}

function cpuSecondsOf({ cpu }: Pick<RunFile['coordinator'], 'cpu'>): number {
  return (cpu.userSeconds ?? 0) + (cpu.systemSeconds ?? 0);
}

function assertNear(said: number | null, charged: number, tolerance: number): void {
  const difference = Math.abs((said ?? 0) - charged);
  assert.ok(difference <= tolerance * charged, `${said} is not ${charged} within ${tolerance * 100} %`);
}

/** CPU seconds of a living process, 0 of one that is gone. */
function usedSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
