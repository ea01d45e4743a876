/** Every way of sending rows, against the sandbox: bad rows, refusals before the run, and servers that fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Home, cluster, crategen, home, run } from '../support/built-command.ts';
import { faults, sandboxFor, storedRows } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const HTTP_PATHS = ['bulk-args', 'unnest', 'values'] as const;
const SEQ_ENDS_IN_3 = 'CONSTRAINT "no_threes" CHECK ("seq" % 20 <> 3)';

/** The table of `records` with a CHECK that a twentieth of the rows break. */
async function checkedTable(url: string, place: Home, keyed: boolean): Promise<void> {
  const ddl = await run(['schema', 'ddl', 'records'], place);
  const checked = ddl.stdout.replace('(\n', `(\n  ${SEQ_ENDS_IN_3},\n`).replace(/;\s*$/, '');
  const stmt = keyed ? checked : checked.replace(/,\s*PRIMARY KEY \([^)]*\)/, '');
  await execute(url, stmt);
}

async function execute(url: string, stmt: string): Promise<void> {
  const response = await fetch(`${url}/_sql`, { method: 'POST', body: JSON.stringify({ stmt }) });
  assert.equal(response.status, 200, await response.text());
}

for (const path of HTTP_PATHS) {
  for (const keyed of [true, false]) {
    test(`${path}, ${keyed ? 'keyed' : 'no key'}: the rows that break a CHECK are those that are not acknowledged`, async (context) => {
      const [place, sandbox] = [await home(context), await sandboxFor(context)];
      await checkedTable(sandbox.url, place, keyed);
      const ended = await run(
        cluster(
          sandbox,
          '--rows',
          '2000',
          '--insert-path',
          path,
          ...(path === 'values' ? [] : ['--batch-size', '100']),
        ),
        place,
      );
      assert.equal(ended.code, 4, ended.stderr);
      const { ledger, verification, resolved, plan } = ended.run();
      assert.equal(plan.insertPath, path);
      assert.equal(ledger.acknowledged, 1900);
      assert.equal(ledger.rejected + ledger.failed, 100);
      assert.equal(ledger.unknown, 0);
      assert.equal(verification.verdict, 'match');
      assert.equal(storedRows(sandbox), 1900);
      // Only the bulk says which: of the others the keys were looked up.
      assert.deepEqual(resolved, { stored: 0, absent: path === 'bulk-args' ? 0 : 100 });
    });
  }

  test(`${path}: answers that are lost or broken lose and double no row`, async (context) => {
    const place = await home(context);
    const sandbox = await sandboxFor(context, {
      faults: faults('reset:mid-body%10', 'no-rowcount%10', 'truncated%5'),
    });
    const ended = await run(
      cluster(
        sandbox,
        '--rows',
        '1500',
        '--batch-size',
        path === 'values' ? '10' : '50',
        '--insert-path',
        path,
      ),
      place,
    );
    const { ledger, verification } = ended.run();
    assert.equal(ended.code, ledger.failed + ledger.unknown === 0 ? 0 : 4, ended.stderr);
    assert.equal(verification.verdict, 'match');
    assert.equal(ledger.acknowledged, storedRows(sandbox));
  });
}

for (const [path, key] of [
  ['unnest', '--key'],
  ['unnest', '--no-key'],
  ['values', '--no-key'],
] as const) {
  test(`${path}, ${key}: a table that is blocked for a while, without a word in the answers, gets every row once`, async (context) => {
    const [place, sandbox] = [await home(context), await sandboxFor(context)];
    const load = ['--rows', '400', '--rate', '200', '--batch-size', '10', '--insert-path', path, key];
    // Without a key it matters that the block is still there when it is asked for: it is lifted when it was told of,
    // and then the only INSERT in flight has been asked about.
    const one = ['single', '--url', sandbox.url, '--json', '--live', 'lines', '--in-flight', '1', ...load];
    const command = crategen(key === '--key' ? cluster(sandbox, ...load) : one, place);
    await command.line(/phase=running/);
    await until(() => storedRows(sandbox) >= 50);
    const block = (isOn: boolean): Promise<void> =>
      execute(sandbox.url, `ALTER TABLE crategen.records SET ("blocks.read_only_allow_delete" = ${isOn})`);
    await block(true);
    await command.line(/the table is blocked/);
    await block(false);
    const ended = await command.ended;
    assert.equal(ended.code, 0, ended.stderr);
    const { ledger, errors } = ended.run();
    assert.equal(ledger.acknowledged, 400, JSON.stringify(ledger));
    assert.equal(storedRows(sandbox), 400);
    assert.ok(errors.some((error) => error.class === 'blocked'));
  });
}

test('columns that UNNEST cannot carry are refused by name, and nothing is made', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const ended = await run(
    ['cluster', '--url', sandbox.url, '--preset', 'everything', '--rows', '10', '--insert-path', 'unnest'],
    place,
  );
  assert.equal(ended.code, 2);
  assert.match(ended.stderr, /--insert-path unnest: cannot carry the column integers, an array/);
  assert.deepEqual(sandbox.stats().tables, {});
});

test('the dry run shows the statement and the parameters as the path sends them', async (context) => {
  const place = await home(context);
  const shown = async (path: string): Promise<string[]> => {
    const ended = await run(
      ['single', '--dry-run', '--seed', '1', '--run-id', 'dry', '--insert-path', path],
      place,
    );
    assert.equal(ended.code, 0, ended.stderr);
    return ended.stdout.trimEnd().split('\n\n').slice(1);
  };
  const [unnest, columns] = await shown('unnest');
  assert.match(unnest ?? '', /UNNEST\(\?(,\?){8}\)\) ON CONFLICT/);
  assert.deepEqual((JSON.parse(columns ?? '') as unknown[][])[1], [0, 1, 2, 3, 4]);
  const [values, flat] = await shown('values');
  assert.match(values ?? '', /VALUES \(\?(,\?){8}\) ON CONFLICT/);
  assert.equal((JSON.parse(flat ?? '') as unknown[]).length, 45);
  const [bound, rows] = await shown('pg');
  assert.match(bound ?? '', /VALUES \(\$1,.*,\$9\) ON CONFLICT/);
  assert.equal(rows?.split('\n').length, 5);
});

test('a run over the PostgreSQL wire to what does not speak it ends before anything is made', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const ended = await run(['cluster', '--url', sandbox.url, '--rows', '10', '--insert-path', 'pg'], place);
  assert.equal(ended.code, 3);
  assert.match(ended.stderr, /--insert-path pg: the sandbox speaks HTTP only/);
  assert.deepEqual(sandbox.stats().tables, {});
});
