/** Processes are killed and stopped while a real CrateDB takes their rows; the ledger agrees with it every time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crategen, home, run } from '../support/built-command.ts';
import { isAlive } from '../support/processes.ts';
import { until } from '../support/until.ts';
import {
  assertWholeAfterDeath,
  cluster,
  storedIn,
  tableFor,
  untilStored,
  withKilledWorker,
} from './support.ts';

/** Long enough to be interrupted, on any server that takes so much. */
const STEADY = ['--rows', '30k', '--rate', '10k', '--batch-size', '100'];

test('a worker killed with SIGKILL is replaced and the keyed run ends complete', async (context) => {
  const table = tableFor(context);
  const ended = await withKilledWorker(cluster(table, ...STEADY), await home(context), {
    table,
    atRows: 2000,
  });
  await assertWholeAfterDeath(ended, table, 30_000);
});

test('a worker killed without a key leaves rows unknown or looked up, and the count confirms the bounds', async (context) => {
  const table = tableFor(context);
  const args = cluster(table, ...STEADY, '--no-key');
  const ended = await withKilledWorker(args, await home(context), { table, atRows: 2000 });
  const { ledger, verification } = ended.run();
  assert.equal(ended.code, ledger.unknown + ledger.failed === 0 ? 0 : 4, ended.stderr);
  assert.equal(verification.verdict, 'match');
  const { rows, distinct } = await storedIn(table);
  assert.equal(rows, distinct);
  assert.ok(
    ledger.acknowledged <= rows && rows <= ledger.acknowledged + ledger.unknown,
    JSON.stringify({ ledger, rows }),
  );
});

test('SIGTERM drains, counts and ends with 143; the run goes on with --resume and ends whole', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  const command = crategen(cluster(table, ...STEADY), place);
  await command.line(/phase=running/);
  await untilStored(table, 2000, command);
  command.kill('SIGTERM');
  const ended = await command.ended;
  assert.equal(ended.code, 143, ended.stderr);
  const { ledger, verification, run: facts } = ended.run();
  assert.equal(facts.endReason, 'signal');
  assert.equal(verification.verdict, 'match');
  assert.equal(ledger.acknowledged, (await storedIn(table)).rows);
  assert.ok(ledger.notOffered > 0);
  const resumed = await run(['cluster', '--resume', 'latest', '--json', '--live', 'off'], place);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal(resumed.run().ledger.acknowledged, 30_000);
  assert.deepEqual(await storedIn(table), { rows: 30_000, distinct: 30_000 });
  const verified = await run(['verify', 'latest'], place);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
});

test('when the parent is killed, recover gives totals that the server confirms', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  const command = crategen(cluster(table, ...STEADY), place);
  await command.line(/phase=running/);
  await untilStored(table, 2000, command);
  const workers = command.workers();
  command.kill('SIGKILL');
  await until(() => workers.every((pid) => !isAlive(pid)));
  const recovered = await run(['recover', 'latest', '--json'], place);
  assert.equal(recovered.code, 0, recovered.stderr);
  const { ledger, verification, run: facts } = recovered.run();
  assert.equal(facts.endReason, 'killed');
  assert.equal(verification.verdict, 'match');
  const { rows, distinct } = await storedIn(table);
  assert.equal(rows, distinct);
  assert.equal(ledger.acknowledged, rows);
  assert.equal(ledger.offered + ledger.notOffered, 30_000);
});
