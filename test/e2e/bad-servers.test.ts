/** Rows 5-11, 21, 25, 30 of the fault table, end to end: whatever a server does, the ledger stays true. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import type { Sandbox } from '../../src/sandbox/server.ts';
import { HandClock } from '../support/hand-clock.ts';
import { lateDelivery } from '../support/late-delivery.ts';
import { cluster, crategen, home, run } from '../support/built-command.ts';
import { faults, sandboxFor, storedRows } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

function assertBounds(file: RunFile, sandbox: Sandbox): void {
  const { ledger } = file;
  const stored = storedRows(sandbox);
  assert.equal(ledger.offered, ledger.acknowledged + ledger.rejected + ledger.failed + ledger.unknown);
  assert.ok(
    ledger.acknowledged <= stored && stored <= ledger.acknowledged + ledger.unknown,
    `${stored} stored: ${JSON.stringify(ledger)}`,
  );
}

async function runWithFaults(
  context: TestContext,
  texts: readonly string[],
  ...args: string[]
): Promise<{ file: RunFile; code: number | null; sandbox: Sandbox; stderr: string }> {
  const [place, sandbox] = [await home(context), await sandboxFor(context, { faults: faults(...texts) })];
  const rows = args.includes('--rows') ? [] : ['--rows', '6k'];
  const ended = await run(cluster(sandbox, ...rows, '--batch-size', '100', ...args), place);
  return { file: ended.run(), code: ended.code, sandbox, stderr: ended.stderr };
}

/** Answers that say nothing true about some rows; sent again, with a key, they end complete. */
const PASSING_TROUBLE = [
  'reset:before-reply%10',
  'reset:mid-request%10',
  'reset:mid-headers%10',
  'reset:mid-body%10',
  'truncated%10',
  'invalid-json%10',
  'wrong-length%5',
  'wrong-results%10',
  'no-rowcount%10',
  'endless#3..4',
  'big-header%10',
  'gzip-bomb%10',
  'own-duplicate:30%20',
  'bare:30%10',
  'unavailable:30%10',
  'overload:30%10',
  'breaker:100%10',
  '429%10',
  '503:date%10',
  '503:315360000#3..3',
  'redirect%5',
];

for (const fault of PASSING_TROUBLE) {
  test(`with a key the run ends complete although the server does this: ${fault}`, async (context) => {
    const { file, code, sandbox, stderr } = await runWithFaults(
      context,
      [fault],
      '--timeout',
      '2s',
      '--retries',
      '10',
    );
    assert.equal(code, 0, `${stderr}\n${JSON.stringify(file.ledger)}`);
    assert.equal(file.ledger.acknowledged, 6000);
    assert.equal(storedRows(sandbox), 6000);
    assert.ok(sandbox.stats().faultsInjected > 0, 'the fault really happened');
  });
}

for (const fault of [
  'reset:before-reply%10',
  'reset:mid-body%10',
  'silence:stored#3..4',
  'wrong-results%10',
  'overload:30%10',
  'bare:30%10',
  'unavailable:30%20',
]) {
  test(`without a key nothing is stored twice and the bounds hold although the server does this: ${fault}`, async (context) => {
    const { file, sandbox } = await runWithFaults(context, [fault], '--timeout', '1s', '--no-key');
    assertBounds(file, sandbox);
    assert.ok(storedRows(sandbox) <= 6000);
    assert.equal(file.ledger.offered, 6000);
  });
}

test('a server that never answers costs the deadline, and a stop keeps its limit', async (context) => {
  const [place, sandbox] = [
    await home(context),
    await sandboxFor(context, { faults: faults('silence:stored') }),
  ];
  const command = crategen(
    cluster(sandbox, '--rows', '6k', '--batch-size', '100', '--drain-timeout', '1s'),
    place,
  );
  await command.line(/phase=running/);
  await until(() => sandbox.stats().faultsInjected >= 8);
  command.kill('SIGTERM');
  const ended = await command.ended;
  assert.equal(ended.code, 143, ended.stderr);
  const file = ended.run();
  assertBounds(file, sandbox);
  assert.equal(file.resolved.stored, 800, 'the rows were stored, and looked up');
});

test('a reply that drips a byte at a time is cut by the deadline and its rows are sent again', async (context) => {
  const { file, code, sandbox } = await runWithFaults(context, ['drip#3..4'], '--timeout', '800ms');
  assert.equal(code, 0);
  assert.equal(file.ledger.acknowledged, 6000);
  assert.equal(storedRows(sandbox), 6000);
  assert.ok(file.errors.some((error) => error.class === 'timeout'));
});

for (const [code, block] of [
  ['4037', 'read-only / allow delete'],
  ['4033', 'index read-only (api)'],
  ['4035', 'index write (api)'],
] as const) {
  test(`the block ${code} is named in one line, and ends the run with 4 when it outlasts its time-out`, async (context) => {
    const fault = `blocked:${code}#5..1000000`;
    const ended = await runWithFaults(context, [fault], '--rows', '200k', '--block-timeout', '1s');
    const { ledger, run: facts, errors } = ended.file;
    assert.equal(ended.code, 4, ended.stderr);
    assert.equal(facts.endReason, 'blocked');
    const lines = ended.stderr.split('\n').filter((line) => line.includes('the table is blocked'));
    assert.equal(lines.length, 1, ended.stderr);
    assert.ok(lines[0]?.includes(block), lines[0]);
    assert.equal(ledger.unknown, 0);
    assert.ok(ledger.failed > 0);
    assertBounds(ended.file, ended.sandbox);
    assert.deepEqual([...new Set(errors.map((error) => error.class))], ['blocked']);
    assert.ok(ended.sandbox.stats().faultsInjected <= 40, 'what was in flight and a few probes, no flood');
  });

  test(`while the table has the block ${code} it is probed, and every row is stored once it is gone`, async (context) => {
    const {
      file,
      code: exit,
      sandbox,
      stderr,
    } = await runWithFaults(context, [`blocked:${code}#5..12`], '--rows', '60k');
    assert.equal(exit, 0, stderr);
    assert.equal(file.ledger.acknowledged, 60_000);
    assert.equal(storedRows(sandbox), 60_000);
    assert.equal(stderr.match(/the table is blocked/g)?.length, 1);
    assert.match(stderr, /takes rows again/);
  });
}

test('while nobody can be reached the workers hold their batches, and nothing fails when the node is back', async (context) => {
  const [place, clock] = [await home(context), new HandClock()];
  const windows = faults('refuse@1s..2s', 'not-recovered:all@2s..3s');
  const sandbox = await sandboxFor(context, { faults: windows }, clock);
  const command = crategen(cluster(sandbox, '--rows', '100k', '--batch-size', '100'), place);
  await until(() => storedRows(sandbox) > 5000);
  await clock.pass(1000);
  await command.line(/no node takes rows/);
  const { faultsInjected } = sandbox.stats();
  await clock.pass(1000);
  await until(() => sandbox.stats().faultsInjected > faultsInjected);
  await clock.pass(1000);
  const ended = await command.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.run().ledger.acknowledged, 100_000);
  assert.equal(storedRows(sandbox), 100_000);
  assert.equal(ended.stderr.match(/no node takes rows/g)?.length, 1);
  assert.match(ended.stderr, /takes rows again/);
});

test('an outage that outlasts its time-out ends the run with 4, and the count is called unavailable', async (context) => {
  const [place, clock] = [await home(context), new HandClock()];
  const sandbox = await sandboxFor(context, { faults: faults('refuse@1s..') }, clock);
  const args = cluster(sandbox, '--rows', '1m', '--batch-size', '100', '--outage-timeout', '1s');
  const command = crategen(args, place);
  await until(() => storedRows(sandbox) > 5000);
  await clock.pass(1000);
  const ended = await command.ended;
  assert.equal(ended.code, 4, ended.stderr);
  const { run: facts, verification, ledger } = ended.run();
  assert.equal(facts.endReason, 'outage');
  assert.equal(ended.stderr.match(/gave up waiting/g)?.length, 1, 'one speaks for all');
  assert.equal(verification.verdict, 'unavailable');
  assert.ok(ledger.failed + ledger.unknown > 0, 'what was held back was given up');
  assert.equal(ledger.offered, ledger.acknowledged + ledger.rejected + ledger.failed + ledger.unknown);
});

test('rows that break a constraint are rejected, exactly those, with exit 4', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const ddl =
    'CREATE TABLE "crategen"."records" ("run_id" TEXT, "seq" BIGINT, "ts" TIMESTAMP WITH TIME ZONE, "name" TEXT, "email" TEXT, "city" TEXT, "amount" NUMERIC(12, 2), "status" TEXT, "counters" OBJECT(DYNAMIC), CONSTRAINT "tenth" CHECK ("seq" % 10 <> 3), PRIMARY KEY ("run_id", "seq"))';
  const made = await fetch(`${sandbox.url}/_sql`, { method: 'POST', body: JSON.stringify({ stmt: ddl }) });
  assert.equal(made.status, 200, await made.text());
  const ended = await run(cluster(sandbox, '--rows', '20k'), place);
  assert.equal(ended.code, 4, ended.stderr);
  const { ledger, verification, errors } = ended.run();
  assert.deepEqual(
    [ledger.acknowledged, ledger.rejected, ledger.failed, ledger.unknown],
    [18_000, 2000, 0, 0],
  );
  assert.equal(verification.stored, 18_000);
  assert.equal(errors[0]?.class, 'constraint');
  assert.match(ended.stderr, /2,000/);
});

test('text of a server with escape codes comes out as symbols', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const name = 'x\u001b[31mred';
  const ended = await run(['cluster', '--url', sandbox.url, '--run-id', name], place);
  assert.equal(ended.code, 2);
  assert.ok(!ended.stderr.includes('\u001b'), ended.stderr);
});

test('a run that is all rejected stops after its first ten thousand rows', async (context) => {
  const { file, code } = await runWithFaults(context, ['bare:100'], '--rows', '1m', '--no-key');
  assert.equal(code, 4);
  assert.equal(file.run.endReason, 'maxFailed');
  assert.ok(file.ledger.notOffered > 500_000);
});

test('rows that arrive a second after their request was given up are not called surely absent', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const url = await lateDelivery(context, sandbox.url, 1000);
  const load = ['--rows', '2k', '--batch-size', '100', '--no-key', '--timeout', '4s'];
  const ended = await run(cluster({ url }, ...load), place);
  const { ledger, resolved, verification } = ended.run();
  assert.equal(storedRows(sandbox), 2000, 'it has arrived');
  assert.deepEqual(resolved, { stored: 100, absent: 0 });
  assert.deepEqual([ledger.acknowledged, ledger.failed, ledger.unknown], [2000, 0, 0]);
  assert.equal(verification.verdict, 'match');
  assert.equal(ended.code, 0, ended.stderr);
});
