/** The environment that a child process gets: ours, without anything that could carry a secret of the target. */

/** Variables that name a server or what opens it; a child learns what it needs over IPC. */
const TARGET_VARIABLES = /^(CRATE|CRATEDB|CRATEGEN|OTEL|PG)[A-Z_]*$/;
/** Flags meant for the parent alone, such as an inspector's port. */
const PARENT_ONLY: ReadonlySet<string> = new Set(['NODE_OPTIONS']);

export function childEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !TARGET_VARIABLES.test(name) && !PARENT_ONLY.has(name)),
  );
}
