/**
 * Whether this host can carry the plan, asked before anything starts: descriptors, processes, memory for request
 * bodies. A plan that does not fit is refused with the values that would; it is never quietly made smaller.
 */
import { readFileSync } from 'node:fs';
import { formatBytes, formatExact } from '../base/units.ts';
import type { RunPlan } from '../plan/run-plan.ts';

/** Descriptors that Node, its loop and the standard streams hold, with some to spare. */
const OWN_DESCRIPTORS = 32;
/** IPC channel, stderr pipe, pidusage's /proc file, and the moment of a fork. */
const DESCRIPTORS_PER_WORKER = 4;
/** Request bodies may take this share of memory; the rest is for everything else on the host. */
const BODY_MEMORY_SHARE = 0.5;

export interface LimitFacts {
  /** Soft limit of open files, as a child inherits it; null when unknown. */
  readonly openFiles: number | null;
  /** Processes that may still be started, or null. */
  readonly freeProcesses: number | null;
  readonly memoryBytes: number;
}

/** Problems, one sentence each, with needed and allowed; empty when the plan fits. */
export function limitProblems(
  plan: RunPlan,
  /** Of the largest body of each table: every request slot has one for each. */
  bodyBytesMax: readonly number[],
  nodes: number,
  facts: LimitFacts,
): string[] {
  const { procs, inFlight, batchSize, maxBodyBytes } = plan.load;
  const problems: string[] = [];
  const parentNeeds = OWN_DESCRIPTORS + procs * DESCRIPTORS_PER_WORKER;
  const workerNeeds = OWN_DESCRIPTORS + inFlight * nodes;
  const needs = plan.command === 'single' ? workerNeeds : Math.max(parentNeeds, workerNeeds);
  if (facts.openFiles !== null && needs > facts.openFiles) {
    const fits = Math.max(1, Math.floor((facts.openFiles - OWN_DESCRIPTORS) / DESCRIPTORS_PER_WORKER));
    problems.push(
      `open files: ${needs} are needed by one process, ${facts.openFiles} are allowed (ulimit -n); --procs ${fits} with --in-flight ${Math.max(1, Math.floor((facts.openFiles - OWN_DESCRIPTORS) / nodes))} would fit`,
    );
  }
  if (facts.freeProcesses !== null && plan.command === 'cluster' && procs > facts.freeProcesses) {
    problems.push(
      `processes: ${procs} workers are asked for, ${facts.freeProcesses} more are allowed here; --procs ${Math.max(1, facts.freeProcesses)} would fit`,
    );
  }
  const slotBytes = bodyBytesMax.reduce((sum, bytes) => sum + Math.min(bytes, maxBodyBytes), 0);
  const bodiesBytes = procs * inFlight * slotBytes;
  const allowedBytes = facts.memoryBytes * BODY_MEMORY_SHARE;
  if (bodiesBytes > allowedBytes) {
    const tables = bodyBytesMax.length === 1 ? '' : ` for ${bodyBytesMax.length} tables`;
    const fitting = Math.max(1, Math.floor((batchSize * allowedBytes) / bodiesBytes));
    problems.push(
      `memory: ${procs} × ${inFlight} request bodies of up to ${formatBytes(slotBytes)}${tables} are ${formatBytes(bodiesBytes)}, half of this host's memory is ${formatBytes(allowedBytes)}; --batch-size ${formatExact(fitting).replaceAll(',', '')} would fit`,
    );
  }
  return problems;
}

/** What the kernel says about this process (Linux); elsewhere null. */
export function readLimitFacts(memoryBytes: number): LimitFacts {
  const limits = readText('/proc/self/limits');
  const openFiles = limitOf(limits, 'Max open files');
  return { openFiles, freeProcesses: freeProcesses(), memoryBytes };
}

function limitOf(limits: string, name: string): number | null {
  const match = new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(limits);
  return match === null ? null : Number(match[1]);
}

/** The cgroup's pids limit counts threads; a Node process has about eleven. */
const THREADS_PER_PROCESS = 11;

function freeProcesses(): number | null {
  for (const folder of ['/sys/fs/cgroup', '/sys/fs/cgroup/pids']) {
    const [max, current] = [readText(`${folder}/pids.max`).trim(), readText(`${folder}/pids.current`).trim()];
    if (/^\d+$/.test(max) && /^\d+$/.test(current))
      return Math.max(0, Math.floor((Number(max) - Number(current)) / THREADS_PER_PROCESS));
  }
  return null;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not Linux, or hidden from this container: nothing is known, and nothing is claimed.
    return '';
  }
}
