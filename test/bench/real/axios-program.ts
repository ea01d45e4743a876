/**
 * The client with axios as a program of its own: rows as objects, made on the way. `node axios-program.ts '{…}'`
 * sends all rows once and prints one line of JSON.
 */
import { argv } from 'node:process';
import { openPlainAxios } from '../axios-client.ts';
import { plainRows } from '../plain-rows.ts';

/** What it is to send, its one argument as JSON. */
export interface AxiosTask {
  readonly url: string;
  readonly statement: string;
  readonly rows: number;
  readonly batchSize: number;
  readonly inFlight: number;
}

// The only caller is clients.ts, of the same build: its line is the type it is sent as.
const { url, statement, rows, batchSize, inFlight } = JSON.parse(argv[2] ?? '') as AxiosTask;
const client = openPlainAxios({ url, statement, batchSize, inFlight, rowOf: plainRows('metrics') });
const [before, startedMs] = [process.resourceUsage(), performance.now()];
await client.send(rows / batchSize);
const [after, endedMs] = [process.resourceUsage(), performance.now()];
await client.close();
const cpuUs = after.userCPUTime - before.userCPUTime + after.systemCPUTime - before.systemCPUTime;
// Throws above when fewer rows were stored.
const sending = { stored: rows, cpuSeconds: cpuUs / 1e6, wallSeconds: (endedMs - startedMs) / 1000 };
process.stdout.write(`${JSON.stringify(sending)}\n`);
