/** The sandbox as tests have it: in their own process, with faults by their texts, gone when they are. */
import type { Clock } from '../../src/base/clock.ts';
import { type Fault, parseFault } from '../../src/sandbox/faults.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/server.ts';
import type { Owner } from './folder.ts';

/** The faults of these texts. Throws for one that is refused. */
export function faults(...texts: string[]): Fault[] {
  return texts.map((text) => {
    const fault = parseFault(text);
    if ('problem' in fault) throw new Error(fault.problem);
    return fault;
  });
}

/** A sandbox in this process, so that tests can look into it; ended after the test. `clock` is that of its faults. */
export async function sandboxFor(
  owner: Owner,
  options: SandboxOptions = {},
  clock?: Clock,
): Promise<Sandbox> {
  const sandbox = await startSandbox(options, clock);
  owner.after(() => sandbox.close());
  return sandbox;
}

/** Rows of a run in the sandbox's table. */
export function storedRows(sandbox: Sandbox, table = 'crategen.records'): number {
  return sandbox.rows()[table] ?? 0;
}

export interface Posted {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends a body to the SQL endpoint as it is. */
export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Posted> {
  const response = await fetch(`${url}/_sql`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers,
    redirect: 'manual',
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Runs a statement and gives its rows. */
export async function query(
  url: string,
  stmt: string,
  args: readonly unknown[] = [],
): Promise<readonly (readonly unknown[])[]> {
  const { status, text } = await post(url, { stmt, args });
  if (status !== 200) throw new Error(text);
  const answer = JSON.parse(text) as { readonly rows: readonly (readonly unknown[])[] };
  return answer.rows;
}
