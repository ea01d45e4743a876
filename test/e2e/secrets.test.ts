/**
 * Nothing secret anywhere: every way to give a secret, through every command and every way of failing, and then
 * every byte that was said, written or shown by the kernel is searched for it.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, it } from 'node:test';
import { parsePlanFile } from '../../src/plan/plan-file.ts';
import type { Sandbox } from '../../src/sandbox/server.ts';
import { startOtlpReceiver } from '../report/measures/otlp-receiver.ts';
import { type Ended, type Home, crategen, home, run } from '../support/built-command.ts';
import { isAlive } from '../support/processes.ts';
import { sandboxFor } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

/** In every secret of these tests, whatever its form, and nowhere else. */
const CANARY = 'c4narySecret';
const PASSWORD = `${CANARY}-pä:ss%20w@rd`;
const WRONG = `${CANARY}-wr0ng`;
const TOKEN = ['header', 'payload', 'signature'].map((part) => `${CANARY}${part}`.repeat(3)).join('.');

/** The forms in which a secret may turn up: as it is, in a URL, in a header. */
const FORMS: readonly string[] = [
  CANARY,
  ...[0, 1, 2].map((shift) =>
    // The inner part of it, in each of the three ways that base64 can cut it.
    Buffer.from('-'.repeat(shift) + CANARY)
      .toString('base64')
      .slice(4, 16),
  ),
];

function assertClean(text: string, what: string): void {
  for (const form of FORMS) {
    const at = text.indexOf(form);
    assert.equal(at, -1, `${what} holds ${form}: …${text.slice(Math.max(at - 60, 0), at + 60)}…`);
  }
}

/** Everything in the files below a folder, their names included. */
function bytesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.name}\n${readFileSync(join(entry.parentPath, entry.name), 'latin1')}`)
    .join('\n');
}

/** A home whose secrets lie outside of the folder that is searched. */
interface Place extends Home {
  readonly sandbox: Sandbox;
  readonly passwordFile: string;
  readonly wrongFile: string;
  readonly tokenFile: string;
  /** The sandbox's URL with user and password in it. */
  readonly urlWithPassword: string;
}

async function placeFor(context: TestContext, latencyMs = 0): Promise<Place> {
  const [searched, secrets] = [await home(context), await home(context)];
  const sandbox = await sandboxFor(context, {
    credentials: { username: 'crate', password: PASSWORD },
    latencyMs,
  });
  const file = (name: string, text: string): string => {
    const path = join(secrets.folder, name);
    writeFileSync(path, `${text}\n`);
    return path;
  };
  return {
    // Stacks and causes of everything that fails are told, and searched.
    env: { ...searched.env, CRATEGEN_DEBUG: '1' },
    folder: searched.folder,
    sandbox,
    passwordFile: file('password', PASSWORD),
    wrongFile: file('wrong', WRONG),
    tokenFile: file('token', TOKEN),
    urlWithPassword: sandbox.url.replace('://', `://crate:${encodeURIComponent(PASSWORD)}@`),
  };
}

interface Scenario {
  readonly what: string;
  readonly args: (place: Place) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly code: number;
}

const SMALL = ['--rows', '200', '--batch-size', '50'];
const signedIn = ({ sandbox, passwordFile }: Place): readonly string[] => [
  '--url',
  sandbox.url,
  '--username',
  'crate',
  '--password-file',
  passwordFile,
];
const refused = 'http://127.0.0.1:1';

/** In order: what a command leaves is what the next ones read. */
const SCENARIOS: readonly Scenario[] = [
  {
    what: 'a run with the password in a file, as JSON',
    args: (place) => ['cluster', ...signedIn(place), ...SMALL, '--procs', '2', '--json', '--run-id', 'first'],
    code: 0,
  },
  {
    what: 'a run with the password in the URL, every batch told',
    args: ({ urlWithPassword }) => [
      'single',
      '--url',
      urlWithPassword,
      ...SMALL,
      '--verbose',
      '--verify',
      'rows',
    ],
    code: 0,
  },
  {
    what: 'a run with the password in the environment, as JSON lines',
    args: ({ sandbox }) => [
      'cluster',
      '--url',
      sandbox.url,
      ...SMALL,
      '--procs',
      '1',
      '--log-format',
      'json',
    ],
    env: { CRATEDB_USERNAME: 'crate', CRATEDB_PASSWORD: PASSWORD },
    code: 0,
  },
  {
    what: 'a run with the password through a pipe',
    args: ({ sandbox }) => ['single', '--url', sandbox.url, ...SMALL, '--password-stdin', '--live', 'lines'],
    input: `${PASSWORD}\n`,
    code: 0,
  },
  {
    what: 'a dry run',
    args: ({ urlWithPassword }) => ['single', '--url', urlWithPassword, '--dry-run'],
    code: 0,
  },
  { what: 'verify', args: (place) => ['verify', 'first', ...signedIn(place), '--json'], code: 0 },
  { what: 'report', args: () => ['report', 'first'], code: 0 },
  { what: 'report as JSON', args: () => ['report', 'first', '--json'], code: 0 },
  { what: 'report as HTML', args: () => ['report', 'first', '--format', 'html'], code: 0 },
  { what: 'report as Markdown', args: () => ['report', 'first', '--format', 'md'], code: 0 },
  { what: 'report as CSV', args: () => ['report', 'first', '--format', 'csv'], code: 0 },
  ...['html', 'md', 'csv'].map((format) => ({
    what: `report as ${format}`,
    args: () => ['report', 'first', '--format', format],
    code: 0,
  })),
  { what: 'runs', args: () => ['runs'], code: 0 },
  {
    what: 'a run whose metrics nobody takes, with a token in their headers',
    args: ({ urlWithPassword }) => [
      'single',
      ...['--url', urlWithPassword, ...SMALL, '--web', '--otlp-endpoint', refused],
    ],
    env: { OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${TOKEN}` },
    code: 0,
  },
  {
    what: 'a collector with its password in the URL',
    args: ({ sandbox }) => [
      'single',
      ...['--url', sandbox.url, ...SMALL, '--otlp-endpoint', `http://u:${WRONG}@h:4318`, '--json'],
    ],
    code: 2,
  },
  {
    what: 'headers for a collector that are none',
    args: ({ sandbox }) => ['single', '--url', sandbox.url, ...SMALL, '--otlp-endpoint', refused, '--json'],
    env: { OTEL_EXPORTER_OTLP_HEADERS: `a=1,${WRONG} ${TOKEN}` },
    code: 2,
  },
  {
    what: 'doctor',
    args: ({ urlWithPassword }) => ['doctor', '--url', urlWithPassword, '--json'],
    code: 0,
  },
  {
    what: 'clean',
    args: ({ sandbox }) => ['clean', 'first', '--yes', '--url', sandbox.url],
    env: { CRATE_USER: 'crate', CRATEPW: PASSWORD },
    code: 0,
  },
  {
    what: 'a wrong password',
    args: ({ sandbox, wrongFile }) => [
      'cluster',
      ...['--url', sandbox.url, '--username', 'crate', '--password-file', wrongFile, ...SMALL, '--json'],
    ],
    code: 3,
  },
  {
    what: 'a wrong password for a finished run',
    args: ({ sandbox }) => ['verify', 'first', '--url', sandbox.url, '--json'],
    env: { CRATEPW: WRONG },
    code: 3,
  },
  {
    what: 'a token that is not accepted',
    args: ({ sandbox, tokenFile }) => ['cluster', '--url', sandbox.url, '--token-file', tokenFile, ...SMALL],
    code: 3,
  },
  {
    what: 'a token that doctor is given',
    args: ({ sandbox }) => ['doctor', '--url', sandbox.url, '--json'],
    env: { CRATEDB_TOKEN: TOKEN },
    code: 3,
  },
  {
    what: 'a token that is none',
    args: ({ sandbox }) => ['single', '--url', sandbox.url, '--token-stdin'],
    input: `${WRONG}\n`,
    code: 2,
  },
  {
    what: 'nobody who listens',
    args: () => ['cluster', '--url', refused.replace('://', `://u:${WRONG}@`), ...SMALL, '--json'],
    code: 3,
  },
  {
    what: 'a port without TLS',
    args: ({ urlWithPassword }) => ['cluster', '--url', urlWithPassword.replace('http:', 'https:'), ...SMALL],
    code: 3,
  },
  {
    what: 'a password and a token at once',
    args: ({ urlWithPassword, tokenFile }) => [
      'single',
      '--url',
      urlWithPassword,
      '--token-file',
      tokenFile,
      '--json',
    ],
    code: 2,
  },
  {
    what: 'flags that do not exist, with secrets as their values',
    args: ({ urlWithPassword }) => [
      'cluster',
      `--password=${WRONG}`,
      '--token',
      TOKEN,
      urlWithPassword,
      '--json',
    ],
    code: 2,
  },
  {
    what: 'URLs that are none',
    args: ({ urlWithPassword }) => [
      'single',
      ...['--url', `${urlWithPassword}/a/b`, '--url', `http://u:${WRONG}@`, '--table', `http://x:${WRONG}@y`],
    ],
    code: 2,
  },
  { what: 'a URL in the place of a command', args: ({ urlWithPassword }) => [urlWithPassword], code: 2 },
  {
    what: 'environment variables that are none',
    args: () => ['single', '--json'],
    env: { CRATE_HOST: `u:${WRONG}@`, CRATEDB_CLUSTER_URL: `ftp://u:${WRONG}@h` },
    code: 2,
  },
];

it('No secret is in anything that a command says or leaves, however it is given and whatever goes wrong', async (context) => {
  const place = await placeFor(context);
  for (const { what, args, env = {}, input, code } of SCENARIOS) {
    const more = input === undefined ? {} : { input };
    const ended = await run(args(place), { env: { ...place.env, ...env } }, more);
    assert.equal(ended.code, code, `${what}: ${ended.stderr}${ended.stdout}`);
    assertClean(ended.stdout, `stdout of ${what}`);
    assertClean(ended.stderr, `stderr of ${what}`);
  }
  const left = bytesBelow(place.folder);
  assert.ok(left.includes('crategen.run/1') && left.includes('crategen.plan/1'));
  assertClean(left, 'what the commands left');
});

it('A config file with secrets in it is refused without repeating them', async (context) => {
  const place = await placeFor(context);
  const secret = join((await home(context)).folder, 'c.yaml');
  for (const text of [
    `password: ${WRONG}\ntoken: ${TOKEN}\n`,
    `url: http://u:${WRONG}@h/a/b\n`,
    `rows: ${WRONG}\nurl: http://u:${WRONG}@h\nprocs: http://u:${WRONG}@h\n`,
    `"${WRONG}: 1\n`,
  ]) {
    writeFileSync(secret, text);
    const ended = await run(['single', '--config', secret, '--json'], place);
    assert.equal(ended.code, 2, ended.stderr);
    // What stands where a number belongs is nobody's secret: crategen has to say what it was.
    const said = (ended.stdout + ended.stderr).replaceAll(`rows in ${secret} "${WRONG}"`, '');
    if (!text.startsWith('rows')) assertClean(said, text);
  }
});

/** A run that is in the middle of its rows, and what the kernel shows of its processes. */
interface Running {
  readonly pid: number;
  readonly livePage: string;
  readonly workers: readonly number[];
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

async function running(place: Place, more: Parameters<typeof crategen>[2] = {}): Promise<Running> {
  const { sandbox, passwordFile } = place;
  const target = ['--url', sandbox.url, '--username', 'crate', '--password-file', passwordFile];
  const command = crategen(
    [
      'cluster',
      ...target,
      '--procs',
      '2',
      '--duration',
      '40s',
      '--live',
      'lines',
      '--run-id',
      'long',
      '--web',
      '--json',
    ],
    // In the parent's own environment, where a user put it, but in no child's.
    {
      env: {
        ...place.env,
        CRATEDB_PASSWORD: WRONG,
        CRATEDB_TOKEN: TOKEN,
        PGPASSWORD: WRONG,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=${TOKEN}`,
      },
    },
    more,
  );
  const [livePage = ''] = /http:\S+/.exec(await command.line(/^livePage: /)) ?? [];
  await command.line(/phase=running/);
  await until(() => sandbox.stats().requests > 20);
  const { pid, ended } = command;
  return { pid, ended, livePage, workers: command.workers(), kill: (signal) => command.kill(signal) };
}

const ofProcess = (pid: number, name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');

it('While a run goes on its command lines, the environments of its workers and its counters are clean', async (context) => {
  const place = await placeFor(context, 10);
  const going = await running(place);
  const { pid, workers } = going;
  assert.equal(workers.length, 2);
  assertClean(ofProcess(pid, 'cmdline'), 'the command line of the parent');
  for (const worker of workers) {
    assertClean(ofProcess(worker, 'cmdline'), 'the command line of a worker');
    assertClean(ofProcess(worker, 'environ'), 'the environment of a worker');
  }
  const planFile = join(place.folder, 'crategen/runs/long/plan.json');
  const plan = parsePlanFile(readFileSync(planFile, 'utf8'), planFile);
  assertClean(bytesBelow(plan.facts.counterFolder), 'the counter files');
  going.kill('SIGKILL');
  await going.ended;
  await until(() => workers.every((worker) => !isAlive(worker)));
  assertClean(bytesBelow(plan.facts.counterFolder), 'the counter files after the end of the parent');
  const recovered = await run(['recover', 'long', ...signedIn(place), '--json'], place);
  assert.equal(recovered.code, 0, recovered.stderr);
  assertClean(recovered.stdout + recovered.stderr, 'recover');
  assertClean(bytesBelow(place.folder), 'what the run left');
});

it('The live page, its events and the metrics are clean, and so is what a collector is sent', async (context) => {
  const place = await placeFor(context, 10);
  const going = await running(place);
  for (const path of ['', 'page.js', 'metrics', 'nothing']) {
    const response = await fetch(new URL(path, going.livePage));
    const headers = JSON.stringify([...response.headers]);
    assertClean(`${headers}${await response.text()}`, `/${path} of the live page`);
  }
  const events = await fetch(new URL('events', going.livePage));
  going.kill('SIGTERM');
  const text = await events.text();
  assert.match(text, /^event: hello$/m);
  // The end brings the whole report.
  assert.match(text, /^event: end\ndata: .*<!doctype html>/im);
  assertClean(text, 'the events of the live page');
  const { code, stdout, stderr } = await going.ended;
  assert.equal(code, 143, stderr);
  assertClean(stdout + stderr, 'a run that was looked at');
});

it('A collector gets the header that is for it and no other secret', async (context) => {
  const place = await placeFor(context);
  const collector = await startOtlpReceiver();
  context.after(() => collector.close());
  const ended = await run(['single', ...signedIn(place), ...SMALL, '--otlp-endpoint', collector.url], {
    env: { ...place.env, OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${TOKEN}` },
  });
  assert.equal(ended.code, 0, ended.stderr);
  assertClean(ended.stdout + ended.stderr, 'a run that pushes');
  assert.ok(collector.pushed.length > 0);
  for (const { path, headers, request } of collector.pushed) {
    assert.equal(path, '/v1/metrics');
    assert.equal(headers.authorization, `Bearer ${TOKEN}`);
    assertClean(JSON.stringify(request), 'what the collector got');
  }
});

it('An accident in the middle of a run is told without the secret that it is about', async (context) => {
  const place = await placeFor(context, 10);
  const read = `readFileSync(${JSON.stringify(place.passwordFile)}, 'utf8').trim()`;
  const accident = `import { readFileSync } from 'node:fs';
    process.on('SIGWINCH', () => { throw new TypeError('bad ' + ${read}, { cause: new Error(${read}) }); });`;
  const going = await running(place, {
    nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(accident)}`],
  });
  going.kill('SIGWINCH');
  const { code, stdout, stderr } = await going.ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /bad \*\*\*/);
  assert.match(stderr, /caused by Error: \*\*\*/);
  assertClean(stdout + stderr, 'the accident');
});

it("A diagnostic report of Node.js holds no secret, neither the parent's nor a worker's", async (context) => {
  const place = await placeFor(context, 10);
  const reports = join(place.folder, 'reports');
  mkdirSync(reports);
  const nodeArgs = ['--report-on-signal', '--report-signal=SIGWINCH', `--report-directory=${reports}`];
  const going = await running(place, { nodeArgs });
  going.kill('SIGWINCH');
  let report = '';
  // Complete when it can be read to its end.
  await until(() => {
    const [name] = readdirSync(reports);
    if (name !== undefined) report = readFileSync(join(reports, name), 'utf8');
    return isJson(report);
  });
  assert.match(report, /"javascriptHeap"/);
  assertClean(report, 'the diagnostic report');
  going.kill('SIGTERM');
  const { code, stdout, stderr } = await going.ended;
  assert.equal(code, 143, stderr);
  assertClean(stdout + stderr, 'a run that was stopped');
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
