/** The way into a server that asks for nothing: no user, no secret, no certificate. */
import type { TargetAccess } from '../../src/plan/run-plan.ts';

export const NO_TLS = { verify: true, ca: null, cert: null, key: null } as const;

export function accessTo(...nodes: readonly string[]): TargetAccess {
  return { nodes, pgPorts: nodes.map(() => 5432), username: null, password: null, token: null, tls: NO_TLS };
}
