/**
 * `npm run bench:cratedb`: crategen beside other clients on the CrateDB that CRATEDB_CLUSTER_URL names, which is to
 * run on this host and do nothing else. It DROPs and creates the table crategen_bench.metrics for each sample, of which
 * every client has two a round: a fifth of the rows, then all of them. Prints
 * a table and, when all clients ran for 15 rounds or more, writes docs/benchmarks/DATE-cratedb.json. `--rounds N`
 * (15), `--rows N` (500000), `--batch-size N` (10000), `--in-flight N` (4), `--only CLIENT,…` (CLIENT_NAMES in
 * clients.ts), `--server-pid N`: the server's process, whose CPU is then shown, too.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Figure, tableOf } from '../figures.ts';
import { machineFacts } from '../machine-facts.ts';
import { cpuSecondsOf } from '../process-use.ts';
import { type ClientSample, clientFigures } from './client-figures.ts';
import { CLIENT_NAMES, type Client, type ClientId, openClient } from './clients.ts';
import { type Server, openServer } from './server.ts';
import { orderOf } from './turns.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Fewer tell too little to be kept. */
const ROUNDS_TO_KEEP = 15;
/** What a dropped table leaves to be done has ended by then. */
const PAUSE_MS = 1000;
/**
 * Of the rows of a sample: the smaller one, which tells what a run costs beside its rows, and the warm-up, enough for
 * the server to compile what is hot, over all clients.
 */
const FEW_SHARE = 0.2;

interface Options {
  readonly rounds: number;
  readonly rows: number;
  readonly batchSize: number;
  readonly inFlight: number;
  readonly serverPid: number | null;
  readonly only: readonly ClientId[];
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '15' },
      rows: { type: 'string', default: '500000' },
      'batch-size': { type: 'string', default: '10000' },
      'in-flight': { type: 'string', default: '4' },
      'server-pid': { type: 'string' },
      only: { type: 'string', default: Object.keys(CLIENT_NAMES).join(',') },
    },
  });
  const whole = (name: string, text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`--${name} ${text}: a whole number from 1 on`);
    return value;
  };
  const [rows, batchSize] = [whole('rows', values.rows), whole('batch-size', values['batch-size'])];
  if (rows % batchSize !== 0) throw new RangeError(`--rows ${rows}: a multiple of the batch size`);
  const pid = values['server-pid'];
  return {
    rounds: whole('rounds', values.rounds),
    rows,
    batchSize,
    inFlight: whole('in-flight', values['in-flight']),
    serverPid: pid === undefined ? null : whole('server-pid', pid),
    only: values.only.split(',').map(clientId),
  };
}

function clientId(name: string): ClientId {
  for (const id of clientIds()) if (id === name) return id;
  throw new RangeError(`--only ${name}: one of ${clientIds().join(', ')}`);
}

function clientIds(): ClientId[] {
  return Object.keys(CLIENT_NAMES) as ClientId[];
}

/** Why this URL cannot be used, or null: the clients know neither TLS nor users. */
function refusal(url: string): string | null {
  if (url === '')
    return 'CRATEDB_CLUSTER_URL is not set; it names the CrateDB to measure on, such as http://localhost:4200';
  if (!URL.canParse(url)) return 'CRATEDB_CLUSTER_URL is no URL such as http://localhost:4200';
  const { protocol, username } = new URL(url);
  return protocol === 'http:' && username === ''
    ? null
    : 'CRATEDB_CLUSTER_URL: not every client here speaks TLS or logs in; one http://HOST:PORT';
}

/** CPU of all ended processes that this one has started, and of theirs, to 10 ms. Linux only: throws elsewhere. */
function childrenCpuSeconds(): number {
  // The name, in parentheses, may hold blanks; cutime and cstime are fields 16 and 17, in 1/100 s.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** One sample in a table of its own. Throws when the table has not exactly the rows that were sent. */
async function measure(
  id: ClientId,
  client: Client,
  server: Server,
  rows: number,
  serverPid: number | null,
): Promise<ClientSample> {
  const serverCpu = (): number | null => (serverPid === null ? null : cpuSecondsOf(serverPid));
  await server.createTable();
  const [treeBefore, serverBefore] = [childrenCpuSeconds(), serverCpu()];
  const sending = await client.send(rows);
  const treeAfter = childrenCpuSeconds();
  const counted = await server.countRows();
  const serverAfter = serverCpu();
  if (counted !== rows || sending.stored !== rows)
    throw new Error(
      `${CLIENT_NAMES[id]}: ${rows} rows were sent, ${sending.stored} acknowledged, ${counted} are in the table`,
    );
  await server.dropTable();
  await sleep(PAUSE_MS);
  return {
    ...sending,
    treeCpuSeconds: treeAfter - treeBefore,
    serverCpuSeconds: serverBefore === null || serverAfter === null ? null : serverAfter - serverBefore,
  };
}

interface Samples {
  readonly many: ReadonlyMap<ClientId, ClientSample[]>;
  readonly few: ReadonlyMap<ClientId, ClientSample[]>;
}

async function measureRounds(
  clients: ReadonlyMap<ClientId, Client>,
  server: Server,
  { rounds, rows, serverPid }: Options,
  fewRows: number,
): Promise<Samples> {
  const ids = [...clients.keys()];
  const none = (): Map<ClientId, ClientSample[]> => new Map(ids.map((id) => [id, []]));
  const samples: Samples = { many: none(), few: none() };
  for (let round = -1; round < rounds; round += 1) {
    const isWarmUp = round < 0;
    for (const index of orderOf(Math.max(0, round), ids.length)) {
      const id = ids[index];
      const client = id === undefined ? undefined : clients.get(id);
      if (id === undefined || client === undefined) throw new RangeError(`no client ${index}`);
      const few = await measure(id, client, server, fewRows, serverPid);
      const sample = isWarmUp ? few : await measure(id, client, server, rows, serverPid);
      const rate = Math.round(sample.stored / sample.wallSeconds).toLocaleString('en-US');
      const when = isWarmUp ? 'warm-up' : `round ${round + 1} of ${rounds}`;
      process.stderr.write(`${when}: ${CLIENT_NAMES[id]}, ${rate} rows/s\n`);
      if (isWarmUp) continue;
      samples.few.get(id)?.push(few);
      samples.many.get(id)?.push(sample);
    }
  }
  return samples;
}

interface Measured {
  readonly figures: readonly Figure[];
  readonly isComplete: boolean;
  readonly server: Pick<Server, 'version' | 'nodes'>;
}

async function bench(url: string, options: Options): Promise<Measured> {
  const { rows, batchSize, inFlight } = options;
  const fewRows = Math.ceil((rows * FEW_SHARE) / batchSize) * batchSize;
  const server = await openServer(url);
  const folder = await mkdtemp(join(tmpdir(), 'crategen-real-'));
  const clients = new Map<ClientId, Client>();
  try {
    const load = {
      url,
      statement: server.statement,
      batchSize,
      inFlight,
      rowCounts: [fewRows, rows],
      folder,
    };
    for (const id of options.only) {
      const client = await openClient(id, load);
      if (client !== null) clients.set(id, client);
    }
    const { many, few } = await measureRounds(clients, server, options, fewRows);
    const isComplete = clients.size === clientIds().length && options.rounds >= ROUNDS_TO_KEEP;
    const { version, nodes } = server;
    return { figures: clientFigures(many, few), isComplete, server: { version, nodes } };
  } finally {
    for (const client of clients.values()) await client.close?.();
    await rm(folder, { recursive: true, force: true });
    await server.dropTable();
    await server.close();
  }
}

async function main(): Promise<void> {
  const url = process.env['CRATEDB_CLUSTER_URL'] ?? '';
  const problem = refusal(url);
  if (problem !== null) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 2;
    return;
  }
  const options = readOptions();
  const loadAtStart = loadavg()[0] ?? 0;
  const { figures, isComplete, server } = await bench(new URL(url).origin, options);
  process.stdout.write(`${tableOf(figures)}\n`);
  if (!isComplete) return;
  const date = new Date().toISOString().slice(0, 10);
  const file = join('docs/benchmarks', `${date}-cratedb.json`);
  const { rounds, rows, batchSize, inFlight } = options;
  const document = {
    format: 'crategen.bench/1',
    date,
    rounds,
    load: { preset: 'metrics', rows, batchSize, inFlight },
    server: { kind: 'cratedb', ...server },
    machine: await machineFacts(loadAtStart),
    figures,
  };
  await writeFile(join(ROOT, file), `${JSON.stringify(document, null, 2)}\n`);
  process.stdout.write(`\nwritten to ${file}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
