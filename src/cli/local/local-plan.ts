/** What `crategen up` is asked for: flags to a plan, with all problems at once. */
import { resolve } from 'node:path';
import type { Given, SettingReader } from '../../plan/setting-reader.ts';

/** Whatever can start a CrateDB here. */
export const RUNTIME_KINDS = ['tarball', 'docker', 'podman', 'crate'] as const;
export type RuntimeKind = (typeof RUNTIME_KINDS)[number];

export interface LocalPlan {
  /** Null: the first of the kinds that is there. */
  readonly runtime: RuntimeKind | null;
  /** An unpacked CrateDB; null to look for one in CRATE_HOME. */
  readonly tarball: string | null;
  readonly image: string;
  /** Of the first node; each further node takes the next. */
  readonly port: number;
  readonly pgPort: number;
  readonly nodes: number;
  /** As CRATE_HEAP_SIZE takes it: `1g`. */
  readonly heap: string;
  readonly data:
    | { readonly kind: 'kept' }
    | { readonly kind: 'folder'; readonly path: string }
    | { readonly kind: 'ephemeral' };
  /** The user that the server runs as, when this process is root. */
  readonly runAs: string | null;
  /** Until it must have answered. */
  readonly timeoutMs: number;
}

/** The version that crategen is tested with; a tag that moves would make runs incomparable. */
export const DEFAULT_IMAGE = 'docker.io/library/crate:6.4.3';
const MAX_NODES = 3;
const TRANSPORT_OFFSET = 100;
const MAX_PORT = 65_535 - TRANSPORT_OFFSET - MAX_NODES;

/** Reads the flags of `up`; problems are in the reader. */
export function readLocalPlan(reader: SettingReader): LocalPlan {
  const tarball = reader.text('tarball');
  const data = reader.text('data');
  const isEphemeral = reader.switch('ephemeral', false);
  if (data !== null && isEphemeral)
    reader.problems.push('--ephemeral: expected without --data, which is kept');
  const runtime = reader.choice<RuntimeKind | 'any'>('with', ['any', ...RUNTIME_KINDS], 'any');
  if (tarball !== null && runtime !== 'any' && runtime !== 'tarball')
    reader.problems.push(`--tarball: expected without --with ${runtime}`);
  const plan: LocalPlan = {
    runtime: tarball !== null ? 'tarball' : runtime === 'any' ? null : runtime,
    tarball: tarball === null ? null : resolve(tarball.value),
    image: readImage(reader),
    port: reader.count('port', { min: 1, max: MAX_PORT }, 4200),
    pgPort: reader.count('pg-port', { min: 1, max: MAX_PORT }, 5432),
    nodes: reader.count('nodes', { min: 1, max: MAX_NODES }, 1),
    heap: reader.parsed('heap', parseHeap, 'expected a size from 256m to 31g, as 512m or 2g', '1g'),
    data:
      data !== null
        ? { kind: 'folder', path: resolve(data.value) }
        : { kind: isEphemeral ? 'ephemeral' : 'kept' },
    runAs: reader.text('run-as')?.value ?? null,
    timeoutMs: reader.durationMs('timeout', { min: 1000, max: 3_600_000 }, 180_000),
  };
  checkPorts(reader, plan);
  // The state folder of root is for nobody else to enter.
  if (plan.runAs !== null && plan.data.kind !== 'folder')
    reader.problems.push('--run-as: expected --data as well, a folder that this user can reach');
  return plan;
}

/** The transport port of a node, by which nodes of a cluster talk. */
export function transportPort(httpPort: number): number {
  return httpPort + TRANSPORT_OFFSET;
}

function checkPorts(reader: SettingReader, { port, pgPort, nodes }: LocalPlan): void {
  const ports = Array.from({ length: nodes }, (_, at) => [
    port + at,
    pgPort + at,
    transportPort(port + at),
  ]).flat();
  if (new Set(ports).size < ports.length)
    reader.problems.push(
      `--port ${port}, --pg-port ${pgPort}: expected ports that do not meet (${ports.join(', ')})`,
    );
}

function readImage(reader: SettingReader): string {
  const given: Given<string> | null = reader.text('image');
  if (given === null) return DEFAULT_IMAGE;
  // Handed to a program as one argument, and never as an option of it.
  if (!/^[a-z0-9][\w./:@-]{0,254}$/i.test(given.value))
    reader.problem(given, 'expected the name of an image, as docker.io/library/crate:6.4.3');
  return given.value;
}

function parseHeap(text: string): string | null {
  const match = /^(\d{1,6})([mg])b?$/i.exec(text.trim());
  if (match === null) return null;
  const [size, unit] = [Number(match[1]), (match[2] ?? '').toLowerCase()];
  const mebibytes = unit === 'g' ? size * 1024 : size;
  return mebibytes >= 256 && mebibytes <= 31 * 1024 ? `${size}${unit}` : null;
}
