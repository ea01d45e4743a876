/** Rows 28 and 29 of the fault table, and the resume of a stopped run: the same rows, counted once, every time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrakedClock } from '../support/braked-clock.ts';
import { cluster, crategen, home, run } from '../support/built-command.ts';
import { sandboxFor, storedRows } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const IDENTITY = ['--seed', '42', '--run-id', 'same', '--time-origin', '2026-01-01T00:00:00Z'];

test('one process or eight, other batch sizes, another table, single or two machines: the same multiset of rows', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const rows = ['--rows', '7001'];
  const variants: readonly (readonly string[])[] = [
    ['cluster', '--procs', '1', ...rows],
    ['cluster', '--procs', '8', '--batch-size', '100', ...rows],
    ['cluster', '--procs', '3', '--batch-size', '777', '--in-flight', '7', '--compress', 'gzip', ...rows],
    ['single', '--batch-size', '50', '--max-body', '5k', '--compress', 'deflate', ...rows],
    ['cluster', '--procs', '2', '--no-key', '--rate', '20k', ...rows],
    [
      'cluster',
      '--procs',
      '2',
      '--insert-path',
      'unnest',
      '--batch-size',
      '300',
      '--compress',
      'deflate',
      ...rows,
    ],
    ['cluster', '--procs', '2', '--insert-path', 'unnest', '--generator', 'reference', ...rows],
    ['cluster', '--procs', '2', '--insert-path', 'values', ...rows],
    ['cluster', '--procs', '2', '--generator', 'reference', '--compress', 'deflate', ...rows],
  ];
  for (const [index, variant] of variants.entries()) {
    const ended = await run(
      [...variant, '--url', sandbox.url, '--live', 'off', '--table', `crategen.t${index}`, ...IDENTITY],
      place,
    );
    assert.equal(ended.code, 0, ended.stderr);
  }
  for (const machine of ['1/2', '2/2']) {
    const ended = await run(
      [
        'cluster',
        '--url',
        sandbox.url,
        '--live',
        'off',
        '--table',
        'crategen.machines',
        '--procs',
        '2',
        '--batch-size',
        '100',
        '--machine',
        machine,
        ...rows,
        ...IDENTITY,
      ],
      place,
    );
    assert.equal(ended.code, 0, ended.stderr);
  }
  const { tables } = sandbox.stats();
  assert.equal(Object.keys(tables).length, variants.length + 1);
  assert.ok(Object.values(tables).every((table) => table.rows === 7001));
  assert.equal(new Set(Object.values(tables).map((table) => table.contentHash)).size, 1);
});

test('rows of another seed are others', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  for (const seed of ['1', '2']) {
    const ended = await run(
      [
        'single',
        '--url',
        sandbox.url,
        '--live',
        'off',
        '--rows',
        '100',
        '--seed',
        seed,
        '--run-id',
        'same',
        '--table',
        `crategen.t${seed}`,
      ],
      place,
    );
    assert.equal(ended.code, 0, ended.stderr);
  }
  const { tables } = sandbox.stats();
  assert.notEqual(tables['crategen.t1']?.contentHash, tables['crategen.t2']?.contentHash);
});

test('a stopped run goes on where it stopped, and ends with the rows it would have had', async (context) => {
  const [place, clock] = [await home(context), new BrakedClock()];
  const sandbox = await sandboxFor(context, { latencyMs: 30 }, clock);
  const reference = await run(
    [
      'single',
      '--url',
      sandbox.url,
      '--live',
      'off',
      '--rows',
      '20k',
      '--table',
      'crategen.whole',
      ...IDENTITY,
    ],
    place,
  );
  assert.equal(reference.code, 0, reference.stderr);
  const command = crategen(
    cluster(sandbox, '--rows', '20k', '--batch-size', '100', '--table', 'crategen.parts', ...IDENTITY),
    place,
  );
  await until(() => storedRows(sandbox, 'crategen.parts') > 3000);
  // The rows last until the signal is heard.
  clock.hold();
  command.kill('SIGTERM');
  await command.line(/phase=draining/);
  clock.release();
  const stopped = await command.ended;
  assert.equal(stopped.code, 143, stopped.stderr);
  const resumed = await run(['cluster', '--resume', 'same', '--json', '--live', 'off'], place);
  assert.equal(resumed.code, 0, resumed.stderr);
  const { ledger, batches, verification } = resumed.run();
  assert.deepEqual([ledger.offered, ledger.acknowledged, ledger.notOffered], [20_000, 20_000, 0]);
  assert.equal(batches.begun, 200);
  assert.equal(verification.verdict, 'match');
  const { tables } = sandbox.stats();
  assert.equal(tables['crategen.parts']?.contentHash, tables['crategen.whole']?.contentHash);
});

test('a run id that already has rows is refused, and nothing is written', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  assert.equal(
    (await run(['single', '--url', sandbox.url, '--live', 'off', '--rows', '100', ...IDENTITY], place)).code,
    0,
  );
  const again = await run(
    ['single', '--url', sandbox.url, '--live', 'off', '--rows', '100', ...IDENTITY],
    place,
  );
  assert.equal(again.code, 2);
  assert.match(again.stderr, /already holds 100 rows of this run/);
  assert.match(again.stderr, /--resume same/);
  assert.equal(storedRows(sandbox), 100);
});

test('a table that lacks the columns is left alone with one clear line and exit 3', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  await fetch(`${sandbox.url}/_sql`, {
    method: 'POST',
    body: JSON.stringify({ stmt: 'CREATE TABLE crategen.records (id INTEGER)' }),
  });
  const ended = await run(['single', '--url', sandbox.url, '--live', 'off', '--rows', '100'], place);
  assert.equal(ended.code, 3);
  assert.match(ended.stderr, /exists and has no column run_id/);
});

test('open loop: what a slow server cannot take is late or dropped, and counted', async (context) => {
  const [place, clock] = [await home(context), new BrakedClock()];
  const sandbox = await sandboxFor(context, { latencyMs: 1 }, clock);
  clock.hold();
  const load = ['--duration', '1h', '--rate', '20k', '--batch-size', '100', '--in-flight', '2'];
  const command = crategen(cluster(sandbox, ...load), place);
  await command.line(/phase=running/);
  const beganMs = performance.now();
  // Nothing is answered for two seconds: of each worker two batches are in flight then, and two have room to wait.
  await until(() => performance.now() - beganMs > 2000);
  clock.release();
  await until(() => storedRows(sandbox) >= 800);
  command.kill('SIGINT');
  const ended = await command.ended;
  assert.equal(ended.code, 130, ended.stderr);
  const { pacer, ledger, latencyMs } = ended.run();
  assert.ok((pacer.droppedRows ?? 0) >= 39_000, `${pacer.droppedRows} dropped`);
  assert.ok((pacer.lateRows ?? 0) >= 400, `${pacer.lateRows} late`);
  assert.equal(ledger.acknowledged, storedRows(sandbox));
  const [service, response] = [latencyMs.service.mean, latencyMs.response.mean];
  assert.ok(
    service !== null && response !== null && response > service,
    'waiting counts in the response time',
  );
});

test('the embedded sandbox says in the result that it was no CrateDB, and is gone afterwards', async (context) => {
  const place = await home(context);
  const command = crategen(
    ['cluster', '--sandbox', '--rows', '20k', '--rate', '10k', '--procs', '2', '--json', '--live', 'lines'],
    place,
  );
  await command.line(/phase=running/);
  const workers = command.workers();
  assert.equal(workers.length, 2);
  const sandbox = command.sandbox();
  assert.ok(sandbox !== undefined, 'a process of its own');
  const ended = await command.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.run().target.kind, 'sandbox');
  assert.equal(ended.run().workers.length, 2);
  assert.match(ended.stderr, /sandbox/);
  for (const pid of [...workers, sandbox]) assert.throws(() => process.kill(pid, 0), /ESRCH/);
});

test('rows of its own id that somebody else writes meanwhile are told before any figure', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  // When the run looks at the table there is none of them yet.
  const startAt = new Date(Date.now() + 8000).toISOString();
  const load = ['--rows', '2k', '--batch-size', '100', '--run-id', 'twin', '--start-at', startAt];
  const command = crategen(cluster(sandbox, ...load), place);
  await command.line(/all workers are ready/);
  const stmt = "INSERT INTO crategen.records (run_id, seq, ts) VALUES ('twin', ?, 0)";
  const body = JSON.stringify({ stmt, bulk_args: [[7], [8], [1999]] });
  await fetch(`${sandbox.url}/_sql`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  const ended = await command.ended;
  assert.equal(ended.code, 0, ended.stderr);
  const { ledger, warnings, errors } = ended.run();
  assert.equal(ledger.acknowledged, 2000);
  const told = warnings.filter((warning) => warning.startsWith('3 rows were in the table when'));
  assert.equal(told.length, 1, warnings.join('\n'));
  assert.deepEqual(errors, []);
});
