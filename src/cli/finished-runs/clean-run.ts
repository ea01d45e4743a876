/** Counting and deleting the rows of one run. */
import type { TableName } from '../../base/sql.ts';
import type { Answer } from '../../cratedb/ask.ts';
import { createClient } from '../../cratedb/client.ts';
import { countRun, deleteRun, refresh } from '../../cratedb/statements.ts';
import type { TargetAccess } from '../../plan/run-plan.ts';

export interface Cleaned {
  readonly rows: number;
  readonly deleted: boolean;
}

/** A DELETE over many millions of rows takes its time. */
const DELETE_TIMEOUT_MS = 10 * 60_000;

/** Counts the run's rows, and deletes them when that is meant. */
export async function cleanRun(
  access: TargetAccess,
  table: TableName,
  runId: string,
  isMeant: boolean,
): Promise<Answer<Cleaned>> {
  const client = createClient(access, { connectionsPerNode: 1 });
  try {
    const refreshed = await refresh(client, table);
    if (!refreshed.ok) return refreshed;
    const counted = await countRun(client, { table, runId, range: null, share: null });
    if (!counted.ok) return counted;
    if (!isMeant) return { ok: true, value: { rows: counted.value, deleted: false } };
    const deleted = await deleteRun(client, table, runId, { timeoutMs: DELETE_TIMEOUT_MS });
    if (!deleted.ok) return deleted;
    const rows = deleted.value < 0 ? counted.value : deleted.value;
    return { ok: true, value: { rows, deleted: true } };
  } finally {
    await client.destroy();
  }
}
