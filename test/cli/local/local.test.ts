/** `up` and `down` with programs that stand in for CrateDB and docker: real processes, real files, real signals. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { TargetError, UsageError } from '../../../src/base/errors.ts';
import { down } from '../../../src/cli/local/down.ts';
import {
  type LocalCluster,
  claimCluster,
  makeEphemeral,
  newClusterId,
  removeEphemeral,
} from '../../../src/cli/local/local-cluster.ts';
import { type LocalPlan, readLocalPlan, transportPort } from '../../../src/cli/local/local-plan.ts';
import { type UpParts, up } from '../../../src/cli/local/up.ts';
import { SettingReader } from '../../../src/plan/setting-reader.ts';
import { BIN } from '../../support/built-command.ts';
import { isAlive } from '../../support/processes.ts';
import { folderFor } from '../../support/folder.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/local');
const CRATE_HOME = join(FIXTURES, 'crate');
const TOOLS = '/usr/bin:/bin';
process.env['FAKE_NODE'] = process.execPath;
process.env['FAKE_BIN'] = BIN;

/** Parts of a user who is not root, on a host with nothing; what the test starts is stopped after it. */
function partsFor(context: TestContext, env: UpParts['env'] = {}): UpParts & { readonly said: string[] } {
  const said: string[] = [];
  const parts = {
    folder: join(folderFor(context), 'local'),
    env,
    clock: systemClock,
    uid: 1000,
    note: (line: string) => void said.push(line),
    signal: context.signal,
    said,
  };
  context.after(() => down(parts));
  return parts;
}

/** Below the ports that a system gives to who asks for any: nobody gets them by chance before they are used. */
let nextPort = 10_000 + (process.pid % 1000) * 20;

/** With room for a transport port beside it. */
async function freePort(): Promise<number> {
  for (;;) {
    nextPort += 1;
    if ((await isFree(nextPort)) && (await isFree(transportPort(nextPort)))) return nextPort;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function planOf(flags: Readonly<Record<string, string | boolean>> = {}): Promise<LocalPlan> {
  const [port, pgPort] = [await freePort(), await freePort()];
  const given = { port: String(port), 'pg-port': String(pgPort), timeout: '60s', ...flags };
  const reader = new SettingReader(new Map(Object.entries(given)), null);
  const plan = readLocalPlan(reader);
  assert.deepEqual(reader.problems, []);
  return plan;
}

test('an unpacked CrateDB is started once, and stopped with the rows that were not to be kept', async (context) => {
  const parts = partsFor(context, { CRATE_HOME });
  const started = await up(await planOf({ ephemeral: true }), parts);
  assert.ok(started !== null && !started.wasRunning);
  const { data, nodes, urls } = started.cluster;
  assert.ok(data !== null && existsSync(join(data, 'crategen-1', 'rows')));
  assert.equal((await fetch(urls[0] ?? '')).status, 200);
  const again = await up(await planOf(), parts);
  assert.deepEqual(again, { ...started, wasRunning: true });
  await down(parts);
  assert.ok(nodes.every((node) => node.kind === 'process' && !isAlive(node.pid)));
  assert.ok(!existsSync(data));
  assert.equal(await down(parts), null);
});

test('rows in a folder that was named are kept', async (context) => {
  const parts = partsFor(context);
  const data = join(folderFor(context), 'mine');
  await up(await planOf({ tarball: CRATE_HOME, data }), parts);
  await down(parts);
  assert.ok(existsSync(join(data, 'crategen-1', 'rows')));
});

test('a container listens on loopback only, and is stopped by its label', async (context) => {
  const engine = folderFor(context);
  process.env['FAKE_ENGINE'] = engine;
  const parts = partsFor(context, { PATH: `${join(FIXTURES, 'engines')}:${TOOLS}` });
  const plan = await planOf({ with: 'docker', heap: '2g' });
  const started = await up(plan, parts);
  assert.ok(started !== null);
  const { cluster } = started;
  const said = readFileSync(join(engine, 'arguments'), 'utf8');
  const published = [...said.matchAll(/--publish (\S+)/g)].map((match) => match[1]);
  assert.deepEqual(published, [`127.0.0.1:${plan.port}:4200`, `127.0.0.1:${plan.pgPort}:5432`]);
  assert.match(said, /--env CRATE_HEAP_SIZE=2g .* docker.io\/library\/crate:6\.4\.3 crate /);
  const [node] = cluster.nodes;
  assert.ok(node?.kind === 'container');
  const label = join(engine, `${node.name}.label`);
  const pid = Number(readFileSync(join(engine, `${node.name}.pid`), 'utf8'));
  context.after(() => isAlive(pid) && process.kill(pid));
  writeFileSync(label, 'of somebody else\n');
  await down(parts);
  assert.ok(isAlive(pid), 'a container with another label is not ours');
  writeFileSync(label, `${cluster.id}\n`);
  claimCluster(parts.folder, cluster);
  await down(parts);
  assert.ok(!existsSync(label));
});

test('podman is told nothing that is secret, by its arguments or its environment', async (context) => {
  const [engine, programs] = [folderFor(context), folderFor(context)];
  process.env['FAKE_ENGINE'] = engine;
  symlinkSync(join(FIXTURES, 'engines/docker'), join(programs, 'podman'));
  const secrets = {
    CRATEDB_PASSWORD: 'hush-1',
    CRATEDB_TOKEN: 'hush-2',
    CRATEPW: 'hush-3',
  };
  Object.assign(process.env, secrets);
  context.after(() => {
    for (const name of Object.keys(secrets)) delete process.env[name];
  });
  const parts = partsFor(context, { PATH: `${programs}:${TOOLS}` });
  const started = await up(await planOf({ ephemeral: true }), parts);
  assert.equal(started?.cluster.runtime, 'podman');
  await down(parts);
  const seen = readFileSync(join(engine, 'seen'), 'utf8');
  for (const word of ['info', 'run', 'inspect', 'stop', 'rm'])
    assert.match(seen, new RegExp(`podman ${word}\\b`));
  assert.doesNotMatch(seen, /hush/);
});

test('a server that does not hear SIGTERM is killed after half a minute, and that is said', async (context) => {
  process.env['FAKE_CRATE'] = 'ignores-term';
  context.after(() => delete process.env['FAKE_CRATE']);
  const parts = partsFor(context, { CRATE_HOME });
  const stop = new AbortController();
  const log = join(parts.folder, 'crategen-1.log');
  let waitedMs = 0;
  // Time passes with every look: thirty seconds in a fraction of one. It stands still once SIGKILL is sent,
  // because a busy host takes as long as it likes to end a process.
  const clock = {
    ...systemClock,
    monotonicMs: () => waitedMs,
    sleep: async (ms: number) => {
      await new Promise(setImmediate);
      if (stop.signal.aborted) waitedMs = Math.min(waitedMs + ms, 30_000);
      else if (readFileSync(log, 'utf8').includes('deaf')) stop.abort();
    },
  };
  const plan = await planOf({ ephemeral: true });
  assert.equal(await up(plan, { ...parts, clock, signal: stop.signal }), null);
  assert.match(parts.said.at(-1) ?? '', /^pid \d+ did not end on SIGTERM and was killed$/);
  assert.equal(waitedMs, 30_000);
  assert.equal(await down(parts), null);
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`${signal} while up waits stops what was started and exits ${code}`, async (context) => {
    const home = folderFor(context);
    const plan = await planOf();
    const flags = [
      '--port',
      String(plan.port),
      '--pg-port',
      String(plan.pgPort),
      '--timeout',
      '60s',
      '--data',
      join(home, 'data'),
      ...(process.getuid?.() === 0 ? ['--run-as', 'nobody'] : []),
    ];
    const child = spawn(process.execPath, [BIN, 'up', '--tarball', CRATE_HOME, ...flags], {
      env: { ...process.env, HOME: home, XDG_STATE_HOME: join(home, 'state'), FAKE_CRATE: 'never-answers' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      const isFirst = said === '';
      said += chunk.toString();
      if (isFirst) child.kill(signal);
    });
    const [exitCode] = await once(child, 'close');
    assert.equal(exitCode, code, said);
    assert.match(
      said,
      /stopping what was started\n(.*\n)*crategen: stopped before CrateDB answered; nothing of it runs/,
    );
    assert.ok(!existsSync(join(home, 'state/crategen/local/cluster.json')));
  });

test('with nothing to start it with, everything that was looked for is named', async (context) => {
  process.env['FAKE_ENGINE_IS_DOWN'] = 'yes';
  context.after(() => delete process.env['FAKE_ENGINE_IS_DOWN']);
  const parts = partsFor(context, { PATH: join(FIXTURES, 'engines') });
  await assert.rejects(up(await planOf(), parts), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /tarball: neither --tarball nor CRATE_HOME/);
    assert.match(error.message, /docker: its engine does not answer: Cannot connect to the daemon/);
    assert.match(error.message, /podman: no podman on the PATH\ncrate: no crate on the PATH/);
    return true;
  });
  assert.ok(!existsSync(parts.folder));
});

test('root is refused in words before anything is made, unless it names another user', async (context) => {
  const parts = { ...partsFor(context, { CRATE_HOME }), uid: 0 };
  await assert.rejects(up(await planOf(), parts), /CrateDB refuses to run as root/);
  const data = folderFor(context);
  await assert.rejects(
    up(await planOf({ 'run-as': 'no such user', data }), parts),
    /--run-as no such user: expected a user of this host/,
  );
  await assert.rejects(up(await planOf({ 'run-as': 'root', data }), parts), /other than root/);
  assert.ok(!existsSync(parts.folder));
});

test('a server that ends before it answers is told with its last words, and leaves nothing', async (context) => {
  process.env['FAKE_CRATE'] = 'ends-at-once';
  context.after(() => delete process.env['FAKE_CRATE']);
  const parts = partsFor(context, { CRATE_HOME });
  await assert.rejects(up(await planOf({ ephemeral: true }), parts), (error) => {
    assert.ok(error instanceof TargetError);
    assert.match(error.message, /CrateDB ended before it answered: the heap is too small/);
    return true;
  });
  assert.equal(await down(parts), null);
});

test('a port that somebody else has is named before anything is started', async (context) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const plan = { ...(await planOf()), pgPort: address.port };
  const parts = partsFor(context, { CRATE_HOME });
  await assert.rejects(up(plan, parts), new RegExp(`--pg-port: 127.0.0.1:${address.port} is in use`));
  assert.ok(!existsSync(parts.folder));
});

test('a process that has taken the PID later is not stopped', async (context) => {
  const parts = partsFor(context);
  const bystander = spawn('sleep', ['60'], { detached: true });
  context.after(() => bystander.kill('SIGKILL'));
  await once(bystander, 'spawn');
  const pid = bystander.pid ?? 0;
  claimCluster(parts.folder, {
    ...RECORD,
    nodes: [{ kind: 'process', pid, began: 'long before', log: 'none' }],
  });
  await down(parts);
  assert.ok(isAlive(pid));
  assert.deepEqual(parts.said, [`pid ${pid} is gone already`]);
});

const RECORD: LocalCluster = {
  format: 'crategen.local/1',
  id: newClusterId(),
  startedAt: '2026-11-27T00:00:00.000Z',
  runtime: 'tarball',
  program: 'bin/crate',
  port: 4200,
  pgPort: 5432,
  urls: [],
  data: null,
  isEphemeral: true,
  nodes: [],
};

test('only a folder that up made for this very start is removed', (context) => {
  const [folder, elsewhere] = [folderFor(context), folderFor(context)];
  const id = newClusterId();
  const made = makeEphemeral(folder, id);
  assert.equal(removeEphemeral(folder, { data: made, id: newClusterId() }), 'notOurs');
  const unmarked = join(folder, 'ephemeral-unmarked');
  mkdirSync(unmarked);
  assert.equal(removeEphemeral(folder, { data: unmarked, id }), 'notOurs');
  const foreign = makeEphemeral(elsewhere, id);
  assert.equal(removeEphemeral(folder, { data: foreign, id }), 'notOurs');
  const link = join(folder, 'ephemeral-link');
  symlinkSync(foreign, link);
  assert.equal(removeEphemeral(folder, { data: link, id }), 'notOurs');
  assert.equal(removeEphemeral(folder, { data: `${made}/../../${elsewhere}`, id }), 'gone');
  assert.ok([made, unmarked, foreign].every((path) => existsSync(path)));
  assert.equal(removeEphemeral(folder, { data: made, id }), 'removed');
  assert.equal(removeEphemeral(folder, { data: made, id }), 'gone');
});
