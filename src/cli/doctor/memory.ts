/** What a run with the defaults takes of this host's memory, and whether its counters have a place: against what is free. */
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { OWN_SCHEMA } from '../../base/sql.ts';
import { printable } from '../../base/text.ts';
import { formatBytes } from '../../base/units.ts';
import { bodyBytesFor } from '../../rows/batch-body.ts';
import { maxRowBytesOf } from '../../rows/intervals.ts';
import { insertForm } from '../../rows/ddl.ts';
import { buildPools } from '../../rows/pools.ts';
import { presetSchema } from '../../rows/presets.ts';
import { makeRowPlan } from '../../rows/row-plan.ts';

import type { Finding } from './finding.ts';

/** The defaults of `cluster`. */
const BATCH_ROWS = 1000;
const IN_FLIGHT = 4;
const PRESET = 'records';
/** Resident memory as measured: a worker beside its request slots, and the parent. */
const WORKER_BYTES = 75 * 2 ** 20;
const PARENT_BYTES = 115 * 2 ** 20;
/** Beyond this share of what is free, other programs of this host are in the way. */
const MUCH = 0.5;
/** A record for each request slot and a list of batches without an answer. */
const COUNTER_BYTES = 64 * 2 ** 10;

/** Memory that the processes of a run take. */
export interface RunMemory {
  readonly procs: number;
  /** Of the request slots of one process. */
  readonly slotBytes: number;
  /** What this process may still have: free memory, or what the cgroup leaves. */
  readonly freeBytes: number;
}

/** The slots of a run with the defaults: what its request bodies can take at most, in each process. */
export async function usualSlotBytes(): Promise<number> {
  const schema = presetSchema(PRESET);
  if (schema === null) return 0;
  const identity = { seed: 0, runId: 'doctor', timeOriginMs: 0 };
  const rowPlan = makeRowPlan(schema, identity, await buildPools(schema));
  const table = { schema: OWN_SCHEMA, table: PRESET };
  const form = insertForm(schema, table, { conflictColumns: schema.primaryKey, path: 'bulk-args' });
  return IN_FLIGHT * bodyBytesFor(form, maxRowBytesOf(rowPlan), BATCH_ROWS);
}

/** Whether a run with so many processes has room. */
export function memoryFinding({ procs, slotBytes, freeBytes }: RunMemory): Finding {
  const each = WORKER_BYTES + slotBytes;
  const needed = PARENT_BYTES + procs * each;
  const fitting = Math.max(1, Math.floor((freeBytes * MUCH - PARENT_BYTES) / each));
  const isMuch = needed > freeBytes * MUCH;
  return {
    status: needed > freeBytes ? 'bad' : isMuch ? 'warning' : 'good',
    about: 'host',
    what: 'memory',
    detail: `${formatBytes(freeBytes)} free; ${procs} processes with ${IN_FLIGHT} requests of ${BATCH_ROWS} rows in flight take about ${formatBytes(needed)}`,
    hint: isMuch ? `--procs ${fitting}, or fewer rows in flight with --batch-size and --in-flight.` : '',
  };
}

/** Whether the counters of a run can be written where they would lie, and have room. */
export function counterFinding(folder: string, procs: number): Finding {
  const common = { about: 'host', what: 'counters' } as const;
  const shown = printable(folder, 1000);
  try {
    const probe = mkdtempSync(join(folder, 'crategen-doctor-'));
    try {
      writeFileSync(join(probe, 'probe'), Buffer.alloc(COUNTER_BYTES));
    } finally {
      rmSync(probe, { recursive: true, force: true });
    }
    const { bavail, bsize } = statfsSync(folder);
    const [free, needed] = [bavail * bsize, procs * COUNTER_BYTES];
    const detail = `${shown} has ${formatBytes(free)}, the counters take ${formatBytes(needed)} at most`;
    const hint = 'A container gets more with --shm-size; without it counters go to XDG_RUNTIME_DIR.';
    return free < needed
      ? { ...common, status: 'bad', detail, hint }
      : { ...common, status: 'good', detail, hint: '' };
  } catch (error) {
    return {
      ...common,
      status: 'bad',
      detail: `${shown} cannot be written: ${printable(messageOf(error))}`,
      hint: 'XDG_RUNTIME_DIR can name another place.',
    };
  }
}
