/** Processes of this host as /proc has them: which live, whose children they are, and which are workers. */
import { readFileSync, readdirSync } from 'node:fs';

/** Living children of a process, by /proc. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat !== null && stat.parent === parent && stat.state !== 'Z';
    });
}

/** The parent has other children for a moment: the first look at its processes asks two programs about the system. */
export function isWorker(pid: number): boolean {
  // As it was started, or by the title that it gives itself.
  return /worker\/main\.|^crategen worker/.test(commandLine(pid));
}

/** With NUL between its words; empty of a process that is gone. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** A process that has ended and was not waited for is not alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return statOf(pid)?.state !== 'Z';
}

function statOf(pid: number): { state: string; parent: number } | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return { state: fields[0] ?? '', parent: Number(fields[1]) };
  } catch {
    return null;
  }
}
