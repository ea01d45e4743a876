/**
 * The clients that are compared on a real CrateDB. Each is a process (tree) of its own that makes `metrics` rows, or
 * has them ready, sends them and says what the sending took.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { formatTable } from '../../../src/base/sql.ts';
import { parseRunFile } from '../../../src/report/run-file.ts';
import { createBatchBodies } from '../../../src/rows/batch-body.ts';
import { bulkForm } from '../../../src/rows/insert-form.ts';
import { BIN } from '../../support/built-command.ts';
import { childrenOf } from '../../support/processes.ts';
import { compileC, removeProgram } from '../native/compile.ts';
import { threadCpuSecondsOf } from '../process-use.ts';
import { buildRust } from '../rust-programs.ts';
import { workloadOf } from '../workload.ts';
import type { AxiosTask } from './axios-program.ts';
import { TABLE } from './server.ts';

/** As the rows of workload.ts and plain-rows.ts have it. */
const RUN_ID = 'benchmark';
/** The slowest client on a busy machine: minutes for a usual number of rows. */
const CLIENT_TIMEOUT_MS = 900_000;
/** What crategen says when its workers are told to begin. */
const RUNNING = 'phase=running';
const AXIOS_PROGRAM = join(import.meta.dirname, 'axios-program.ts');
const PYTHON_PROGRAM = join(import.meta.dirname, 'threads.py');

export interface Load {
  readonly url: string;
  readonly statement: string;
  readonly batchSize: number;
  readonly inFlight: number;
  /** The numbers of rows that will be asked for, each a multiple of the batch size. */
  readonly rowCounts: readonly number[];
  /** A folder for files of the clients. */
  readonly folder: string;
}

/** From the first request to the last reply, as the client itself counts. */
export interface Sending {
  readonly stored: number;
  /** Null when the kernel does not tell what crategen's processes used before their first request. */
  readonly cpuSeconds: number | null;
  readonly wallSeconds: number;
}

export interface Client {
  /** Sends rows 0 to `rows`; throws when the process fails. */
  send(rows: number): Promise<Sending>;
  close?(): Promise<void>;
}

export const CLIENT_NAMES = {
  crategen: 'crategen',
  reference: 'crategen, reference generator',
  c: 'C, ready bodies',
  rust: 'Rust, tokio + reqwest',
  axios: 'axios + stringify',
  python: 'Python, threads',
} as const;

export type ClientId = keyof typeof CLIENT_NAMES;

/** Builds what the client needs. Null, with the reason on stderr, where it cannot be had. */
export async function openClient(id: ClientId, load: Load): Promise<Client | null> {
  switch (id) {
    case 'crategen':
      return crategen(load, []);
    case 'reference':
      return crategen(load, ['--generator', 'reference']);
    case 'c':
      return openC(load);
    case 'rust':
      return openRust(load);
    case 'axios':
      return axiosClient(load);
    case 'python':
      return openPython(load);
  }
}

function startProgram(program: string, args: readonly string[], folder: string) {
  return execa(program, args, {
    // No proxy between the client and the server, no files of the command outside of the folder.
    env: { NO_PROXY: '*', XDG_STATE_HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), NO_COLOR: '1' },
    stdin: 'ignore',
    timeout: CLIENT_TIMEOUT_MS,
    maxBuffer: 2 ** 26,
  });
}

async function sendingOf(program: string, args: readonly string[], folder: string): Promise<Sending> {
  // Written by one of the programs here, of the same build.
  return JSON.parse((await startProgram(program, args, folder)).stdout) as Sending;
}

/** The built command, as a user runs it. */
function crategen({ url, statement, batchSize, inFlight, folder }: Load, more: readonly string[]): Client {
  const target = ['--url', url, '--table', formatTable(TABLE), '--no-create', '--preset', 'metrics'];
  const size = ['--procs', '1', '--batch-size', String(batchSize), '--in-flight', String(inFlight)];
  const common = [BIN, 'cluster', ...target, ...size, '--json', '--live', 'lines', ...more];
  return {
    async send(rows) {
      const command = startProgram(process.execPath, [...common, '--rows', String(rows)], folder);
      let [said, startSeconds]: [string, number | null] = ['', null];
      command.stderr.on('data', (piece: Buffer) => {
        const wasRunning = said.includes(RUNNING);
        said += piece.toString();
        if (!wasRunning && said.includes(RUNNING)) startSeconds = crewCpuSeconds(command.pid ?? 0);
      });
      const { run, ledger, workers, coordinator, plan } = parseRunFile(
        (await command).stdout,
        'the output of cluster',
      );
      if (plan.statement !== statement)
        throw new Error(`crategen sends another statement: ${plan.statement}`);
      if (run.measuredMs === null) throw new Error('crategen did not measure its run');
      let endSeconds = 0;
      for (const { cpu } of [...workers, coordinator])
        endSeconds += (cpu.userSeconds ?? Number.NaN) + (cpu.systemSeconds ?? Number.NaN);
      return {
        stored: ledger.acknowledged,
        cpuSeconds: startSeconds === null ? null : endSeconds - startSeconds,
        wallSeconds: run.measuredMs / 1000,
      };
    },
  };
}

/** What the parent and its workers have used so far; null when the kernel does not tell. */
function crewCpuSeconds(parent: number): number | null {
  let sum: number | null = 0;
  for (const pid of [parent, ...childrenOf(parent)]) {
    const seconds = threadCpuSecondsOf(pid);
    sum = sum === null || seconds === null ? null : sum + seconds;
  }
  return sum;
}

async function openC(load: Load): Promise<Client | null> {
  const program = await compileC({ file: join(import.meta.dirname, '../native/send-bodies.c') });
  if (program === null) return null;
  const { batchSize, inFlight, folder } = load;
  const { hostname, port } = new URL(load.url);
  const files = new Map<number, string>();
  for (const rows of load.rowCounts) files.set(rows, await writeBodies(load, rows));
  return {
    send(rows) {
      const file = files.get(rows);
      if (file === undefined) throw new RangeError(`no bodies of ${rows} rows`);
      const args = [hostname, port || '80', file, String(batchSize), String(inFlight)];
      return sendingOf(program, args, folder);
    },
    close: () => removeProgram(program),
  };
}

/** A file of distinct request bodies as send-bodies.c reads it; its path. */
async function writeBodies({ statement, batchSize, folder }: Load, rows: number): Promise<string> {
  const { generator } = await workloadOf('metrics');
  const [body] = createBatchBodies(bulkForm(statement), generator, batchSize, 1);
  if (body === undefined) throw new Error('no body');
  const path = join(folder, `bodies-${rows}`);
  const file = await open(path, 'w');
  const length = Buffer.alloc(4);
  for (let row = 0; row < rows; row += batchSize) {
    const bytes = body.write(row, batchSize);
    length.writeUInt32LE(bytes.length);
    await file.writev([length, bytes]);
  }
  await file.close();
  return path;
}

async function openRust({ url, statement, batchSize, inFlight, folder }: Load): Promise<Client | null> {
  const programs = await buildRust();
  if (programs === null) return null;
  return {
    send: (rows) =>
      sendingOf(programs.insert, [url, statement, ...numbers(rows, batchSize, inFlight), RUN_ID], folder),
  };
}

function axiosClient({ url, statement, batchSize, inFlight, folder }: Load): Client {
  return {
    send: (rows) => {
      const task: AxiosTask = { url, statement, rows, batchSize, inFlight };
      return sendingOf(process.execPath, [AXIOS_PROGRAM, JSON.stringify(task)], folder);
    },
  };
}

async function openPython({ url, statement, batchSize, inFlight, folder }: Load): Promise<Client | null> {
  // What is on the path may be a script that looks for the interpreter: its start is not Python's.
  const found = await execa('python3', ['-c', 'import sys; print(sys.executable)'], { reject: false });
  if (found.failed) {
    process.stderr.write(`no Python to compare with: ${found.shortMessage}\n`);
    return null;
  }
  const args = (rows: number): string[] => [url, statement, ...numbers(rows, batchSize, inFlight), RUN_ID];
  return { send: (rows) => sendingOf(found.stdout, [PYTHON_PROGRAM, ...args(rows)], folder) };
}

function numbers(...values: readonly number[]): string[] {
  return values.map(String);
}
