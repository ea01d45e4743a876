/** A CrateDB node as a container of docker or podman, which take the same words: started, recognised by label, ended. */
import { execa } from 'execa';
import { childEnvironment } from '../../base/child-environment.ts';
import { TargetError } from '../../base/errors.ts';
import { printable } from '../../base/text.ts';
import type { LocalNode } from './local-cluster.ts';

export type ContainerNode = Extract<LocalNode, { readonly kind: 'container' }>;

const LABEL = 'crategen.local';
/** An image of 700 MB may have to come first. */
const RUN_TIMEOUT_MS = 15 * 60_000;
const ASK_TIMEOUT_MS = 20_000;
const STOP_SECONDS = 30;

export interface ContainerStart {
  readonly program: string;
  readonly id: string;
  readonly image: string;
  readonly port: number;
  readonly pgPort: number;
  readonly heap: string;
  /** A folder or a named volume that is mounted at /data; null keeps rows in the container. */
  readonly data: string | null;
  /** Settings of the server, as `-Cname=value`. */
  readonly settings: readonly string[];
}

/** Starts a container with its ports on loopback only; throws TargetError with what the engine said. */
export async function startContainer(start: ContainerStart): Promise<ContainerNode> {
  const name = `crategen-local-${start.id.slice(0, 8)}`;
  const args = [
    'run',
    '--detach',
    ...['--name', name],
    ...['--label', `${LABEL}=${start.id}`],
    ...['--publish', `127.0.0.1:${start.port}:4200`],
    ...['--publish', `127.0.0.1:${start.pgPort}:5432`],
    ...['--env', `CRATE_HEAP_SIZE=${start.heap}`],
    ...(start.data === null ? [] : ['--volume', `${start.data}:/data`]),
    start.image,
    'crate',
    ...start.settings,
  ];
  const ran = await engine(start.program, args, RUN_TIMEOUT_MS);
  if (!ran.ok) {
    // A container whose ports could not be had is created all the same.
    await engine(start.program, ['rm', '--force', '--volumes', name], ASK_TIMEOUT_MS);
    throw new TargetError(`${start.program} run: ${ran.said}`);
  }
  return { kind: 'container', name };
}

/** Whether a container of that name carries our label: any other is not ours to look after. */
export async function isOurs(program: string, node: ContainerNode, id: string): Promise<boolean> {
  const format = `{{ index .Config.Labels "${LABEL}" }}`;
  const asked = await engine(program, ['inspect', '--format', format, node.name], ASK_TIMEOUT_MS);
  return asked.ok && asked.said === id;
}

export async function isContainerRunning(program: string, node: ContainerNode): Promise<boolean> {
  const asked = await engine(
    program,
    ['inspect', '--format', '{{ .State.Running }}', node.name],
    ASK_TIMEOUT_MS,
  );
  return asked.ok && asked.said === 'true';
}

/** Stops and removes the container, its anonymous volumes included; a named volume stays. Throws TargetError. */
export async function stopContainer(
  program: string,
  node: ContainerNode,
  id: string,
): Promise<'stopped' | 'gone'> {
  if (!(await isOurs(program, node, id))) return 'gone';
  const limitMs = STOP_SECONDS * 1000 + ASK_TIMEOUT_MS;
  // The engine itself kills what does not end in time.
  await engine(program, ['stop', '-t', String(STOP_SECONDS), node.name], limitMs);
  const removed = await engine(program, ['rm', '--force', '--volumes', node.name], ASK_TIMEOUT_MS);
  if (!removed.ok) throw new TargetError(`${program} rm ${node.name}: ${removed.said}`);
  return 'stopped';
}

/** The last lines that the server wrote. */
export async function containerLog(program: string, node: ContainerNode): Promise<string> {
  const asked = await engine(program, ['logs', '--tail', '5', node.name], ASK_TIMEOUT_MS);
  return asked.said;
}

async function engine(
  program: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<{ readonly ok: boolean; readonly said: string }> {
  const ran = await execa(program, [...args], {
    reject: false,
    stdin: 'ignore',
    timeout: timeoutMs,
    env: childEnvironment(process.env),
    extendEnv: false,
    all: true,
  });
  const said = ran.timedOut ? `no answer within ${timeoutMs / 1000} s` : ran.failed ? ran.all : ran.stdout;
  return { ok: !ran.failed, said: printable(said.trim().split('\n').slice(-5).join(' · '), 1000) };
}
