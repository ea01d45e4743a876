/** A server of rows in memory that answers what the audit asks. */
import type { CrateClient } from '../../src/cratedb/client.ts';
import type { QueryReply } from '../../src/cratedb/query-reply.ts';

export const TABLE = { schema: 'crategen', table: 'records' } as const;

/** Rows, a failure, or null: another statement. */
type Reaction = readonly (readonly unknown[])[] | 'fails' | null;

/** Holds the `seq`s of one run; what is not visible yet becomes so with REFRESH. */
export class FakeServer implements CrateClient {
  readonly nodes = ['http://fake'];
  /** Statements in the order they came. */
  readonly asked: string[] = [];
  rows: number[] = [];
  /** INSERTs that run now; null: sys.jobs cannot be seen. */
  running: number | null = 0;
  shards: readonly (readonly unknown[])[] | null = [[true, 'STARTED', 4]];
  refreshes = true;
  /** The columns after `seq` that a row is read back with. */
  valuesOf: (seq: number) => readonly unknown[] = () => [];
  #visible: number[] = [];

  insert(): never {
    throw new Error('the audit inserts nothing');
  }

  greet(): never {
    throw new Error('the audit greets nobody');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }

  query(statement: string): Promise<QueryReply> {
    this.asked.push(statement);
    for (const rows of [this.#refresh(statement), this.#system(statement), this.#count(statement)]) {
      if (rows === 'fails')
        return Promise.resolve({
          ok: false,
          class: 'serverError',
          code: 5000,
          message: 'it fails',
          handedOver: true,
        });
      if (rows !== null)
        return Promise.resolve({ ok: true, columns: [], rows, rowcount: rows.length, durationMs: 1 });
    }
    throw new Error(`not expected: ${statement}`);
  }

  #refresh(statement: string): Reaction {
    if (!statement.startsWith('REFRESH')) return null;
    if (!this.refreshes) return 'fails';
    this.#visible = [...this.rows];
    return [];
  }

  #system(statement: string): Reaction {
    if (statement.includes('sys.jobs')) {
      const job = [1_000, 2_000, 'INSERT INTO "crategen"."records" (run_id) VALUES (?)'];
      return this.running === null ? 'fails' : Array.from({ length: this.running }, () => job);
    }
    if (statement.includes('sys.shards')) return this.shards ?? 'fails';
    return null;
  }

  #count(statement: string): Reaction {
    const from = Number(/seq >= (\d+)/.exec(statement)?.[1] ?? 0);
    const to = Number(/seq < (\d+)/.exec(statement)?.[1] ?? Infinity);
    const rows = this.#visible.filter((row) => row >= from && row < to);
    const batchSize = /GROUP BY seq \/ (\d+)/.exec(statement)?.[1];
    if (batchSize !== undefined) {
      const counted = statement.includes('DISTINCT') ? [...new Set(rows)] : rows;
      const batches = counted.map((row) => Math.floor(row / Number(batchSize)));
      return [...new Set(batches)].map((batch) => [batch, batches.filter((one) => one === batch).length]);
    }
    const limit = Number(/LIMIT (\d+)/.exec(statement)?.[1] ?? 0);
    if (statement.startsWith('SELECT seq')) {
      const named = rows.toSorted((a, b) => a - b).slice(0, limit);
      return named.map((row) =>
        statement.startsWith('SELECT seq FROM') ? [row] : [row, ...this.valuesOf(row)],
      );
    }
    if (statement.includes('count(DISTINCT seq)')) return [[new Set(rows).size]];
    if (statement.includes('max(seq)')) return [[rows.length === 0 ? null : Math.max(...rows)]];
    if (statement.includes('count(*)')) return [[rows.length]];
    return null;
  }
}

export function rowsFrom(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
