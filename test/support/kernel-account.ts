/** The built command with all its processes under the kernel's own account: what each had cost when it had ended. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, type Home, crategen } from './built-command.ts';
import { childrenOf, isWorker } from './processes.ts';

const ACCOUNT = join(import.meta.dirname, 'account.py');
/** What it exits with where the system lets nobody trace. */
const REFUSED = 125;

export interface ProcessAccount {
  /** Of all its threads from its birth to its end, without what its children cost. */
  readonly cpuSeconds: number;
  readonly residentBytesMax: number;
  /** Null when a signal ended it. */
  readonly code: number | null;
}

export interface AccountedCommand extends Command {
  /** PIDs of the worker processes that live now: this command's own children are its tracer's grandchildren. */
  workers(): number[];
  /** By PID, when everything has ended. */
  accounts(): Promise<ReadonlyMap<number, ProcessAccount>>;
}

/** Why there is no account to be had on this machine, or false; for the `skip` of a test. */
export function whyNoAccount(): string | false {
  if (process.platform !== 'linux') return 'the account is made with Linux’s ptrace';
  const { error, status } = spawnSync('python3', [ACCOUNT, '/dev/null', 'true'], { timeout: 10_000 });
  if (error !== undefined) return 'there is no python3 to call wait4 with';
  if (status === REFUSED) return 'processes may not be traced here';
  return status === 0 ? false : `account.py ended with ${status}`;
}

/** Starts `crategen ARGS` under the account. */
export function accountedCrategen(
  args: readonly string[],
  place: Pick<Home, 'env' | 'folder'>,
): AccountedCommand {
  const file = join(place.folder, 'accounts.jsonl');
  const command = crategen(args, place, { under: ['python3', ACCOUNT, file] });
  return {
    ...command,
    workers: () => childrenOf(command.pid).flatMap(childrenOf).filter(isWorker),
    async accounts() {
      const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
      return ownAccounts(lines.map((line) => JSON.parse(line) as Line));
    },
  };
}

/** As account.py writes it. */
interface Line {
  readonly pid: number;
  readonly parent: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly residentBytesMax: number;
  readonly highWaterBytes: number | null;
  readonly code: number;
}

/** wait4 charges a parent what its children cost, and gives it the largest of their sizes for its own. */
function ownAccounts(lines: readonly Line[]): ReadonlyMap<number, ProcessAccount> {
  const chargedTo = (line: Line): number => line.userSeconds + line.systemSeconds;
  return new Map(
    lines.map((line) => {
      const children = lines.filter(({ parent }) => parent === line.pid);
      const cpuSeconds = chargedTo(line) - children.reduce((sum, child) => sum + chargedTo(child), 0);
      const account = {
        cpuSeconds,
        residentBytesMax: line.highWaterBytes ?? line.residentBytesMax,
        code: line.code < 0 ? null : line.code,
      };
      return [line.pid, account];
    }),
  );
}
