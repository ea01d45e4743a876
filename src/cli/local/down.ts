/** `crategen down`: stops exactly what `up` started, and removes the data only of a cluster that was ephemeral. */
import type { Clock } from '../../base/clock.ts';
import { TargetError } from '../../base/errors.ts';
import { stopContainer } from './container.ts';
import {
  type LocalCluster,
  type LocalNode,
  forgetCluster,
  readCluster,
  removeEphemeral,
} from './local-cluster.ts';
import { stopProcess } from './server-process.ts';

export interface DownParts {
  readonly folder: string;
  readonly clock: Clock;
  readonly note: (line: string) => void;
}

/** Stops the cluster of the record. Null when there is none, which is no failure. Throws TargetError when a node stays. */
export async function down(parts: DownParts): Promise<LocalCluster | null> {
  const cluster = readCluster(parts.folder);
  if (cluster !== null) await stopCluster(cluster, parts);
  return cluster;
}

/** Stops all nodes at once, then clears away what is to be cleared. The record goes last. */
export async function stopCluster(cluster: LocalCluster, parts: DownParts): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => stopNode(cluster, node, parts)));
  if (cluster.isEphemeral && cluster.data !== null) {
    const removal = removeEphemeral(parts.folder, cluster);
    if (removal === 'notOurs')
      parts.note(`${cluster.data} is left as it is: it is not the folder that up made`);
  }
  forgetCluster(parts.folder);
}

async function stopNode(cluster: LocalCluster, node: LocalNode, { clock, note }: DownParts): Promise<void> {
  if (node.kind === 'container') {
    const end = await stopContainer(cluster.program, node, cluster.id);
    if (end === 'gone') note(`the container ${node.name} is gone already`);
    return;
  }
  const end = await stopProcess(node, clock);
  if (end === 'gone') note(`pid ${node.pid} is gone already`);
  if (end === 'killed') note(`pid ${node.pid} did not end on SIGTERM and was killed`);
  if (end === 'stays') throw new TargetError(`pid ${node.pid} does not end, not even on SIGKILL`);
}
