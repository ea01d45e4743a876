/** The client that a worker sends through: that of the PostgreSQL wire is loaded only by a run that takes this way. */
import type { TargetAccess } from '../plan/run-plan.ts';
import type { InsertPath } from '../rows/insert-form.ts';
import { type CrateClient, createClient } from './client.ts';
import type { PgClient } from './pg-client.ts';

export interface ConnectOptions {
  readonly connectionsPerNode: number;
  readonly path: InsertPath;
}

/** Makes the client of the path; connections are opened when they are needed. */
export async function connectTarget(
  access: TargetAccess,
  { connectionsPerNode, path }: ConnectOptions,
): Promise<CrateClient | PgClient> {
  if (path !== 'pg') return createClient(access, { connectionsPerNode });
  const { createPgClient } = await import('./pg-client.ts');
  return createPgClient(access);
}
