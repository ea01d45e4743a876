/**
 * Row 27 of the fault table: a long run leaks nothing. Memory and descriptors of parent and workers are looked at
 * from outside, listeners and open resources in a run inside this process.
 */
import { getEventListeners } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { systemClock } from '../../src/base/clock.ts';
import { runPlan } from '../../src/coordinator/run.ts';
import { createStopControl } from '../../src/coordinator/stop-control.ts';
import { forkSandbox } from '../../src/sandbox/fork-sandbox.ts';
import { PLAN } from '../coordinator/support.ts';
import { BIN } from '../support/built-command.ts';
import { childrenOf } from '../support/processes.ts';
import { minimaOf, slopeOf } from './slope.ts';
import { accessTo } from '../support/access.ts';
import { quietEnvironment } from '../support/run-environment.ts';

/** The target of the fault table. */
const MAX_MIB_PER_HOUR = 1;
/** Until then the run's series fills up and compilers and heaps find their size. */
export const WARM_UP_MINUTES = 5;
const SAMPLE_EVERY_MS = 1000;
const STRETCHES = 20;
const ROWS_PER_SECOND = 20_000;
const MIB = 2 ** 20;

interface Look {
  readonly hours: number;
  readonly residentBytes: number;
  readonly descriptors: number;
}

export interface Finding {
  readonly what: string;
  readonly says: string;
  /** Null: shown, not judged. */
  readonly isGood: boolean | null;
}

/** A run of the built command for so long, seen from outside. */
export async function longRun(minutes: number): Promise<Finding[]> {
  const sandbox = await forkSandbox({ discard: true });
  const folder = await mkdtemp(join(tmpdir(), 'crategen-soak-'));
  try {
    const load = ['--procs', '2', '--rate', String(ROWS_PER_SECOND), '--duration', `${minutes}m`];
    const command = execa(
      process.execPath,
      [BIN, 'cluster', '--url', sandbox.url, '--live', 'lines', ...load],
      {
        env: { XDG_STATE_HOME: folder },
        stdin: 'ignore',
        reject: false,
      },
    );
    const looks = new Map<number, Look[]>();
    const startedMs = performance.now();
    const ended = new AbortController();
    void command.finally(() => ended.abort());
    while (!ended.signal.aborted) {
      await sleep(SAMPLE_EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      const hours = (performance.now() - startedMs) / 3.6e6;
      if (hours * 60 > minutes) continue;
      for (const pid of [command.pid ?? 0, ...childrenOf(command.pid ?? 0)]) {
        const look = lookAt(pid, hours);
        if (look !== null) looks.set(pid, [...(looks.get(pid) ?? []), look]);
      }
    }
    const { exitCode, stderr } = await command;
    const end = { what: 'the long run', says: `ended with exit ${exitCode ?? ''}`, isGood: exitCode === 0 };
    const warned = /Warning/.exec(stderr);
    return [
      end,
      {
        what: 'warnings of Node',
        says: warned === null ? 'none' : stderr.slice(warned.index, warned.index + 200),
        isGood: warned === null,
      },
      ...[...looks].flatMap(([pid, each]) =>
        findingsOf(pid === command.pid ? 'parent' : `worker ${pid}`, each, minutes),
      ),
    ];
  } finally {
    await sandbox.stop();
    await rm(folder, { recursive: true });
  }
}

function lookAt(pid: number, hours: number): Look | null {
  try {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return {
      hours,
      residentBytes: Number(resident) * 1024,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
    };
  } catch {
    // It ended while it was looked at.
    return null;
  }
}

function findingsOf(who: string, looks: readonly Look[], minutes: number): Finding[] {
  // A short run has no time to settle in: its second half is shown.
  const isLong = minutes >= 2 * WARM_UP_MINUTES;
  const fromHours = isLong ? WARM_UP_MINUTES / 60 : minutes / 120;
  const settled = looks.filter(({ hours }) => hours >= fromHours);
  const memory = settled.map(({ hours, residentBytes }) => [hours, residentBytes / MIB] as const);
  const slope = slopeOf(minimaOf(memory, STRETCHES));
  // What a file read in passing adds is gone a moment later: the least of each half counts.
  const [first, second] = halves(settled.map(({ descriptors }) => descriptors));
  const [before, after] = [Math.min(...first), Math.min(...second)];
  const last = memory.at(-1)?.[1] ?? Number.NaN;
  return [
    {
      what: `memory of the ${who}`,
      says:
        slope === null
          ? 'too short to tell'
          : `${last.toFixed(1)} MiB, ${slope.perHour.toFixed(2)} MiB/h, surely at least ${slope.atLeastPerHour.toFixed(2)} MiB/h${isLong ? '' : ' (too short to judge)'}`,
      isGood: isLong && slope !== null ? slope.atLeastPerHour < MAX_MIB_PER_HOUR : null,
    },
    { what: `descriptors of the ${who}`, says: `${before}, later ${after}`, isGood: after <= before },
  ];
}

function halves(values: readonly number[]): [readonly number[], readonly number[]] {
  const middle = Math.floor(values.length / 2);
  return [values.slice(0, middle), values.slice(middle)];
}

/** A run inside this process for so many seconds: who listens, and what is open, does not grow. */
export async function listeningRun(seconds: number): Promise<Finding[]> {
  const sandbox = await forkSandbox({ discard: true });
  const folder = await mkdtemp(join(tmpdir(), 'crategen-soak-'));
  const stop = createStopControl(systemClock);
  const counts: { listeners: number; waiting: number; resources: number }[] = [];
  const counting = setInterval(() => {
    counts.push({
      listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
      waiting:
        getEventListeners(stop.graceful, 'abort').length + getEventListeners(stop.forced, 'abort').length,
      resources: process.getActiveResourcesInfo().length,
    });
  }, 500);
  try {
    await runPlan(
      {
        ...PLAN,
        command: 'single',
        target: { ...PLAN.target, nodes: [sandbox.url] },
        bounds: { rows: null, durationMs: seconds * 1000 },
        load: { ...PLAN.load, procs: 1, inFlight: 4 },
      },
      accessTo(sandbox.url),
      quietEnvironment(folder, { stop }),
    );
  } finally {
    clearInterval(counting);
    await sandbox.stop();
    await rm(folder, { recursive: true });
  }
  return (['listeners', 'waiting', 'resources'] as const).map((what) => {
    const [first, second] = halves(counts.slice(Math.floor(counts.length / 5)).map((each) => each[what]));
    const [before, after] = [Math.max(...first), Math.max(...second)];
    return {
      what: `${what} in a run in this process`,
      says: `at most ${before}, later ${after}`,
      isGood: after <= before,
    };
  });
}
