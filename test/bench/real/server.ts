/** The CrateDB that the clients are measured against: its table, made anew for each sample, and its use of CPU. */
import { quoteTable } from '../../../src/base/sql.ts';
import { createClient } from '../../../src/cratedb/client.ts';
import { createTableSql, insertStatement } from '../../../src/rows/ddl.ts';
import { presetSchema } from '../../../src/rows/presets.ts';

export const TABLE = { schema: 'crategen_bench', table: 'metrics' } as const;
/** A table with many rows is dropped, or refreshed, in seconds; a server that says nothing for so long has failed. */
const QUERY_TIMEOUT_MS = 120_000;

export interface Server {
  readonly version: string;
  readonly nodes: number;
  /** The INSERT that every client sends. */
  readonly statement: string;
  /** An empty table, with the key over (run_id, seq) and the server's own number of shards. */
  createTable(): Promise<void>;
  dropTable(): Promise<void>;
  /** Rows that are there, all of them visible. */
  countRows(): Promise<number>;
  close(): Promise<void>;
}

/** Connects; every function of it throws what CrateDB answers when a statement fails. */
export async function openServer(url: string): Promise<Server> {
  const schema = presetSchema('metrics');
  if (schema === null) throw new Error('no preset metrics');
  const ddl = createTableSql(schema, {
    table: TABLE,
    key: true,
    shards: null,
    replicas: null,
    ifNotExists: false,
  });
  const table = quoteTable(TABLE);
  const tls = { verify: true, ca: null, cert: null, key: null };
  const client = createClient(
    { nodes: [url], pgPorts: [5432], username: null, password: null, token: null, tls },
    { connectionsPerNode: 1 },
  );

  async function ask(statement: string): Promise<readonly unknown[]> {
    const reply = await client.query(statement, [], { timeoutMs: QUERY_TIMEOUT_MS });
    if (!reply.ok) throw new Error(`${statement.split('\n', 1)[0]}: ${reply.message}`);
    return reply.rows[0] ?? [];
  }

  const dropTable = async (): Promise<void> => {
    await ask(`DROP TABLE IF EXISTS ${table}`);
  };
  const [nodes, version] = await ask("SELECT count(*), min(version['number']) FROM sys.nodes");
  return {
    version: String(version),
    nodes: Number(nodes),
    statement: insertStatement(schema, TABLE, { conflictColumns: ['run_id', 'seq'] }),
    dropTable,
    async createTable() {
      await dropTable();
      await ask(ddl);
    },
    async countRows() {
      await ask(`REFRESH TABLE ${table}`);
      const [count] = await ask(`SELECT count(*) FROM ${table}`);
      return Number(count);
    },
    close: () => client.destroy(),
  };
}
