/** A run that stops by itself, and one that does not begin without being told twice: the built command. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock } from '../support/hand-clock.ts';
import { cluster, crategen, home, run } from '../support/built-command.ts';
import { faults, sandboxFor, storedRows } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

test('a budget of bytes ends a run well, and what it did not offer is said', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const ended = await run(
    cluster(sandbox, '--rows', '1m', '--batch-size', '200', '--max-bytes', '1m'),
    place,
  );
  assert.equal(ended.code, 0, ended.stderr);
  const file = ended.run();
  assert.equal(file.run.endReason, 'rows');
  assert.match(file.run.endDetail, /request bodies were sent, --max-bytes allows no more/);
  assert.match(ended.stderr, /ended by its budget/);
  const sent = file.cost.bodyBytesPerRow ?? 0;
  assert.ok(sent * file.ledger.acknowledged <= 2 ** 20, 'no more than the budget was sent');
  assert.ok(sent * file.ledger.acknowledged > 0.5 * 2 ** 20, 'the budget was used');
  assert.equal(file.ledger.offered + file.ledger.notOffered, 1_000_000);
  assert.equal(storedRows(sandbox), file.ledger.acknowledged);
  const again = await run(['cluster', '--resume', 'latest', '--json', '--live', 'off'], place);
  assert.equal(again.code, 0, again.stderr);
  assert.ok(again.run().ledger.offered > file.ledger.offered, 'a run that ended by its budget can go on');
});

test('a disk that is past the high watermark keeps a run from beginning', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context, { faults: faults('disk:91') })];
  const refused = await run(cluster(sandbox, '--rows', '1k'), place);
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /disk of node sandbox is 91.0% full .* past the high watermark of 90%/);
  assert.deepEqual(sandbox.stats().tables, {});
  const further = await run(cluster(sandbox, '--rows', '1k', '--stop-at-disk', '95%'), place);
  assert.equal(further.code, 0, further.stderr);
  const blind = await run(cluster(sandbox, '--rows', '1k', '--stop-at-disk', 'off'), place);
  assert.equal(blind.code, 0, blind.stderr);
});

test('a disk that fills up ends a running run with exit 4 and its cause', async (context) => {
  const [place, clock] = [await home(context), new HandClock()];
  const sandbox = await sandboxFor(context, { faults: faults('disk:70', 'disk:93@1s..') }, clock);
  const args = cluster(sandbox, '--duration', '50s', '--rate', '500', '--batch-size', '50');
  const command = crategen(args, place);
  await until(() => storedRows(sandbox) > 0);
  await clock.pass(1000);
  const ended = await command.ended;
  assert.equal(ended.code, 4, ended.stderr);
  const file = ended.run();
  assert.equal(file.run.endReason, 'blocked');
  assert.match(file.run.endDetail, /93.0% full .* past the high watermark of 90%/);
  assert.equal(storedRows(sandbox), file.ledger.acknowledged);
  assert.equal(file.ledger.failed + file.ledger.unknown + file.ledger.rejected, 0);
});

test('without a view of sys a run says what it does without and goes on', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context, { faults: faults('no-sys') })];
  const ended = await run(cluster(sandbox, '--rows', '2k', '--username', 'loader'), place);
  assert.equal(ended.code, 0, ended.stderr);
  const said =
    /may not read the schema sys.* does not stop before the disks are full; GRANT DQL ON SCHEMA "sys" TO "loader" would let it$/gm;
  assert.equal(ended.stderr.match(said)?.length, 1);
  assert.doesNotMatch(ended.stderr, /diskUnseen/);
  const spelledOut = await run(cluster(sandbox, '--rows', '2k', '--stop-at-disk', '50%'), place);
  assert.match(spelledOut.stderr, /warning diskUnseen: the disks of the cluster cannot be seen/);
});

test('a target that looks like production is filled when told twice, and untouched until then', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const ask = async (statement: string, bulkArgs = ''): Promise<void> => {
    const body = `{"stmt":${JSON.stringify(statement)}${bulkArgs}}`;
    const reply = await fetch(`${sandbox.url}/_sql`, { method: 'POST', body });
    assert.equal(reply.status, 200, await reply.text());
  };
  await ask("CREATE TABLE doc.orders (x INT) WITH (number_of_replicas = '1')");
  const rows = `,"bulk_args":[${new Array<string>(100_000).fill('[1]').join()}]`;
  for (let part = 0; part < 10; part += 1) await ask('INSERT INTO doc.orders (x) VALUES (?)', rows);
  await ask('REFRESH TABLE doc.orders');
  // Every address of this host, and by its name none of its own: as another host looks.
  const elsewhere = { url: `http://0.0.0.0:${sandbox.port}` };
  const refused = await run(cluster(elsewhere, '--rows', '1k'), place);
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /looks like production: other tables \(doc.orders\) hold 1,000,000 rows/);
  assert.match(refused.stderr, /this run creates the table crategen.records/);
  assert.match(refused.stderr, /--yes/);
  assert.deepEqual(Object.keys(sandbox.stats().tables), ['doc.orders']);
  const told = await run(cluster(elsewhere, '--rows', '1k', '--yes'), place);
  assert.equal(told.code, 0, told.stderr);
  assert.equal(told.run().plan.isConfirmed, true);
  const here = await run(cluster(sandbox, '--rows', '1k'), place);
  assert.equal(here.code, 0, here.stderr);
  assert.match(
    here.stderr,
    /willInsert: inserts into the table crategen.records that is there with its 1,000 rows/,
  );
});
