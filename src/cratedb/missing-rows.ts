/**
 * Why a complete answer counts fewer rows than were sent: UNNEST, several VALUES and the PostgreSQL wire say nothing
 * of a table that a full disk has blocked, so it is asked whether it is.
 */
import { type TableName, quoteLiteral } from '../base/sql.ts';
import type { CountedForm, InsertForm } from '../rows/insert-form.ts';
import type { BulkReading } from './reply.ts';

/** Blocks that end every INSERT, by their name in the settings of a table or partition. */
const BLOCKS = ['read_only_allow_delete', 'read_only', 'write'] as const;
/** It answers in milliseconds; a node that does not is known by its inserts. */
export const BLOCK_QUERY_TIMEOUT_MS = 5000;

const EXPLAINED = 'the table, or a partition of it, is blocked: the answer counts none of its rows';

/** Whether a statement gives a row; false when it cannot be asked. */
export type HasRow = (statement: string) => Promise<boolean>;

/**
 * The reading with what is known once the table was asked. Rows that it leaves out while the table is blocked were
 * refused before they were written. Where some were written and there is no key it stays as it is: which of them are
 * missing is not known, and nothing could be sent again.
 */
export async function withBlock(
  reading: BulkReading,
  request: { readonly form: InsertForm; readonly keyed: boolean },
  hasRow: HasRow,
): Promise<BulkReading> {
  const { form, keyed } = request;
  const { acknowledged, unknown } = reading.rows;
  const isCount = reading.failures.some((failure) => failure.class === 'notCounted');
  const cannotHelp = acknowledged > 0 && !keyed;
  if (form.path === 'bulk-args' || !isCount || cannotHelp) return reading;
  if (!(await isBlocked(form, hasRow))) return reading;
  return {
    ...reading,
    rows: { ...reading.rows, notStored: unknown, unknown: 0 },
    // As a bulk is told: one partition that is blocked holds up no other.
    condition: acknowledged > 0 ? 'good' : 'blocked',
    isSilent: false,
    failures: [{ class: 'blocked', code: null, rows: unknown, example: EXPLAINED }],
  };
}

/** A full disk blocks each partition on its own, and then the table's own settings show nothing. */
async function isBlocked({ table }: CountedForm, hasRow: HasRow): Promise<boolean> {
  return (await hasRow(blockQuery('tables', table))) || (await hasRow(blockQuery('table_partitions', table)));
}

/** A SELECT that gives a row where writing is blocked. It needs no more than any privilege on the table. */
function blockQuery(relation: 'tables' | 'table_partitions', { schema, table }: TableName): string {
  const blocks = BLOCKS.map((name) => `settings['blocks']['${name}'] = true`).join(' OR ');
  return `SELECT table_name FROM information_schema.${relation} WHERE table_schema = ${quoteLiteral(schema)} AND table_name = ${quoteLiteral(table)} AND (${blocks}) LIMIT 1`;
}
