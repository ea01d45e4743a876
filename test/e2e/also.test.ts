/** Several tables in one run: shares, truth and failures of each, against the sandbox. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { BrakedClock } from '../support/braked-clock.ts';
import { type Home, cluster, crategen, home, run } from '../support/built-command.ts';
import { faults, sandboxFor, storedRows } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const TABLES = ['crategen.records', 'crategen.metrics', 'crategen.logs'] as const;

/** A third table of few columns, told apart from the presets by its own file. */
async function logsFile(place: Home): Promise<string> {
  const folder = join(place.folder, 'schemas');
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'logs.yaml');
  await writeFile(
    path,
    'table: crategen.logs\nidentity: true\ncolumns: { level: text, took: double precision }\n',
  );
  return path;
}

async function mixOf(place: Home): Promise<string[]> {
  return ['--also', 'metrics=2', '--also', `${await logsFile(place)}=5`];
}

/** Acknowledged rows of each table. */
function acknowledged({ tables }: RunFile): Record<string, number> {
  return Object.fromEntries(tables.map(({ table, ledger }) => [table, ledger.acknowledged]));
}

test('three tables get their shares to the row, and each is counted for itself', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const ended = await run(
    cluster(sandbox, '--rows', '16000', '--batch-size', '100', ...(await mixOf(place))),
    place,
  );
  assert.equal(ended.code, 0, ended.stderr);
  const file = ended.run();
  assert.deepEqual(acknowledged(file), {
    'crategen.records': 2000,
    'crategen.metrics': 4000,
    'crategen.logs': 10_000,
  });
  for (const table of TABLES) assert.equal(storedRows(sandbox, table), acknowledged(file)[table]);
  assert.deepEqual(
    file.tables.map(({ weight, verification }) => [weight, verification.verdict]),
    [
      [1, 'match'],
      [2, 'match'],
      [5, 'match'],
    ],
  );
  assert.equal(file.verification.stored, 16_000);
  assert.equal(file.ledger.acknowledged, 16_000);
});

test('a worker that is killed in a mix is replaced, and every table is complete', async (context) => {
  const place = await home(context);
  const sandbox = await sandboxFor(context, { faults: faults('latency:20ms') });
  const command = crategen(
    cluster(sandbox, '--rows', '20000', '--batch-size', '100', ...(await mixOf(place))),
    place,
  );
  await command.line(/phase=running/);
  await until(() => storedRows(sandbox, 'crategen.logs') > 1000);
  const [victim] = command.workers();
  assert.ok(victim);
  process.kill(victim, 'SIGKILL');
  const ended = await command.ended;
  assert.equal(ended.code, 0, ended.stderr);
  const file = ended.run();
  assert.equal(
    file.workers.reduce((sum, worker) => sum + worker.restarts, 0),
    1,
  );
  assert.deepEqual(acknowledged(file), {
    'crategen.records': 2500,
    'crategen.metrics': 5000,
    'crategen.logs': 12_500,
  });
  for (const table of TABLES) assert.equal(storedRows(sandbox, table), acknowledged(file)[table]);
});

test('a mix that was stopped is gone on with, table by table', async (context) => {
  const [place, clock] = [await home(context), new BrakedClock()];
  const sandbox = await sandboxFor(context, { faults: faults('latency:20ms') }, clock);
  const command = crategen(
    cluster(sandbox, '--rows', '20000', '--batch-size', '100', '--run-id', 'mixed', ...(await mixOf(place))),
    place,
  );
  await until(() => storedRows(sandbox, 'crategen.logs') > 1000);
  // The rows last until the signal is heard.
  clock.hold();
  command.kill('SIGINT');
  await command.line(/phase=draining/);
  clock.release();
  const stopped = (await command.ended).run();
  assert.equal(stopped.run.endReason, 'signal');
  assert.ok(stopped.ledger.notOffered > 0);
  const ended = await run(['cluster', '--resume', 'mixed', '--json'], place);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(acknowledged(ended.run()), {
    'crategen.records': 2500,
    'crategen.metrics': 5000,
    'crategen.logs': 12_500,
  });
  for (const table of TABLES) assert.equal(storedRows(sandbox, table), acknowledged(ended.run())[table]);
});

test('verify finds what is missing in the second table by its own numbers, and clean empties all', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const first = await run(
    cluster(sandbox, '--rows', '8000', '--batch-size', '100', '--run-id', 'mixed', ...(await mixOf(place))),
    place,
  );
  assert.equal(first.code, 0, first.stderr);
  const good = await run(['verify', 'mixed'], place);
  assert.equal(good.code, 0, good.stdout + good.stderr);
  for (const table of TABLES) assert.match(good.stdout, new RegExp(`in ${table}: none is lost`));
  const stmt = 'DELETE FROM crategen.metrics WHERE seq IN (7, 1205)';
  await fetch(`${sandbox.url}/_sql`, { method: 'POST', body: JSON.stringify({ stmt }) });
  const bad = await run(['verify', 'mixed', '--json'], place);
  assert.equal(bad.code, 6, bad.stdout + bad.stderr);
  const report = JSON.parse(bad.stdout) as {
    lost: { rows: number };
    tables: { table: string; lost: { rows: number; seqs: number[] } }[];
  };
  assert.equal(report.lost.rows, 2);
  assert.deepEqual(
    report.tables.map(({ table, lost }) => [table, lost.seqs]),
    [
      ['crategen.records', []],
      ['crategen.metrics', [7, 1205]],
      ['crategen.logs', []],
    ],
  );
  const cleaned = await run(['clean', 'mixed', '--yes'], place);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  for (const table of TABLES) {
    assert.match(cleaned.stdout, new RegExp(`rows of run mixed in ${table}`));
    assert.equal(storedRows(sandbox, table), 0);
  }
});

test('a table whose rows carry no run_id is counted by difference in a mix, and clean leaves it alone', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const path = join(place.folder, 'plain.sql');
  await writeFile(path, 'CREATE TABLE plain (id BIGINT, name TEXT)');
  const ended = await run(
    cluster(sandbox, '--rows', '3000', '--batch-size', '100', '--run-id', 'mixed', '--also', `${path}=2`),
    place,
  );
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /creates the table crategen\.plain: 2 columns, no primary key/);
  assert.match(ended.stderr, /answer is lost, of all tables of the run, cannot be sent again/);
  const { target, tables, verification } = ended.run();
  assert.equal(target.keyed, false);
  assert.deepEqual(
    tables.map(({ verification: { method, stored, verdict } }) => [method, stored, verdict]),
    [
      ['count', 1000, 'match'],
      ['delta', 2000, 'advisory'],
    ],
  );
  assert.equal(verification.verdict, 'advisory');
  const cleaned = await run(['clean', 'mixed', '--yes'], place);
  assert.match(cleaned.stderr, /the rows in crategen\.plain carry no run_id/);
  assert.equal(storedRows(sandbox), 0);
  assert.equal(storedRows(sandbox, 'crategen.plain'), 2000);
});
