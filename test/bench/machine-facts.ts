/** The facts of the machine that the figures of a benchmark are kept with. */
import { readFile } from 'node:fs/promises';
import { cpus, getPriority, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { readHostFacts } from '../../src/base/host.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What a reader needs to judge the figures; nothing that names the machine. `loadAtStart`: the load average then. */
export async function machineFacts(loadAtStart: number): Promise<Record<string, unknown>> {
  const { cores, cgroupCores, memoryBytes } = readHostFacts();
  return {
    platform: `${process.platform} ${process.arch}`,
    kernel: release(),
    processor: cpus()[0]?.model ?? null,
    cores,
    cgroupCores,
    memoryBytes,
    niceness: getPriority(),
    // Above the benchmark's own share, other work ran beside it.
    loadAverage: { start: loadAtStart, end: loadavg()[0] },
    versions: { node: process.versions.node, ...(await packageVersions()) },
  };
}

async function packageVersions(): Promise<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const { version, dependencies, devDependencies } = parsed as Record<string, Record<string, string>>;
  return { crategen: version, undici: dependencies?.['undici'], axios: devDependencies?.['axios'] };
}
