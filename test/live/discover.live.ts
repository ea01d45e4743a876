/** `--discover` on whatever cluster is there: all its data nodes take part, or the named ones go on alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { home, run } from '../support/built-command.ts';
import { cluster, sql, storedIn, tableFor } from './support.ts';

test('every node of the cluster is used or left out with a reason, and the rows are exact', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  const { rows: listed } = await sql('SELECT name FROM sys.nodes');
  const ended = await run(
    cluster(table, '--rows', '20k', '--batch-size', '100', '--discover', '--in-flight', '6'),
    place,
  );
  assert.equal(ended.code, 0, ended.stderr);
  const { target, nodes, ledger } = ended.run();
  const leftOut = ended.stderr.split('\n').filter((line) => line.includes('nodeLeftOut'));
  // Several named URLs may lead to one node.
  assert.ok(target.nodes.length + leftOut.length >= listed.length, ended.stderr);
  assert.deepEqual(
    nodes.map(({ origin }) => origin),
    target.nodes,
  );
  assert.ok(nodes.every(({ requests }) => requests > 0));
  assert.equal(
    nodes.reduce((sum, node) => sum + node.rows, 0),
    ledger.acknowledged,
  );
  assert.deepEqual(await storedIn(table), { rows: 20_000, distinct: 20_000 });
});
